"""The start of the web server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from supervisor_mcp.server import launch


@pytest.mark.server
def test_a_web_server_that_cannot_start_is_reported_when_it_ends(tmp_path: Path) -> None:
    started = time.monotonic()
    with launch.reserve("127.0.0.1", 0) as listener, (tmp_path / "log").open("wb") as log:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            launch.start(listener, url, {}, application="missing:app", log=log) as server,
            pytest.raises(ChildProcessError, match="the web server ended with status"),
        ):
            launch.await_readiness(server, seconds=60)
    assert time.monotonic() - started < 30
    assert "No module named 'missing'" in (tmp_path / "log").read_text()
