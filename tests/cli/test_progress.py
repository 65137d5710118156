from __future__ import annotations

import pytest

from supervisor_mcp.cli import progress


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.bar("servers.json", 1_294, "servers", line_seconds=0) as done:
        done(1_000)
    assert capsys.readouterr().err.startswith("servers.json: 1,000 of 1,294 (")


def test_what_is_done_at_once_has_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("servers.json", 2, "servers") as done:
        done(2)
    assert capsys.readouterr().err == ""
