"""The start of the web server."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from supervisor_mcp.server import launch
from tests.support import web_server
from tests.support.ports import free_port
from tests.support.waiting import eventually


@pytest.mark.server
def test_a_web_server_that_cannot_start_is_reported_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it does not answer may wait for this long in the socket's backlog.
    monkeypatch.setattr(launch, "ANSWER_SECONDS", 1.0)
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


@pytest.mark.server
def test_a_prepared_web_server_listens_only_when_it_is_to_serve(tmp_path: Path) -> None:
    with launch.reserve("127.0.0.1", 0) as listener, (tmp_path / "log").open("wb") as log:
        address = listener.getsockname()
        with launch.prepare(
            listener, f"http://127.0.0.1:{address[1]}", application="missing:app", log=log
        ) as server:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address)
            assert server.ended() is None
            server.serve({})
            socket.create_connection(address).close()


@pytest.mark.server
def test_a_web_server_that_never_serves_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with launch.reserve("127.0.0.1", 0) as listener, (tmp_path / "log").open("wb") as log:
        server = launch.prepare(
            listener, "http://127.0.0.1", environment={"TMPDIR": str(temporary)}, log=log
        )
        eventually(lambda: list(temporary.glob("supervisor-counts-*")), seconds=60)
        assert server.stop() == 0
    assert not list(temporary.iterdir())
    assert not (tmp_path / "log").read_text()


@pytest.mark.server
def test_a_web_server_that_ends_before_gunicorn_is_set_up_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with (
        launch.reserve("127.0.0.1", 0) as listener,
        (tmp_path / "log").open("wb") as log,
        launch.prepare(
            listener,
            "http://127.0.0.1",
            environment={"TMPDIR": str(temporary)},
            application="missing:app",
            log=log,
        ) as server,
    ):
        server.serve({"=": "no name of a variable"})
        eventually(lambda: server.ended() is not None, seconds=60)
    assert not list(temporary.iterdir())


WARMED = """
warmed_in = None

def warm_up():
    global warmed_in
    import os
    warmed_in = os.getpid()

async def app(scope, receive, send):
    import os
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = str(warmed_in == os.getppid()).encode()
    await send({"type": "http.response.body", "body": body})
"""


@pytest.mark.server
def test_an_application_is_warmed_up_once_before_its_workers_are_forked(tmp_path: Path) -> None:
    (tmp_path / "warmed.py").write_text(WARMED)
    with launch.reserve("127.0.0.1", 0) as listener, (tmp_path / "log").open("wb") as log:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {"PYTHONPATH": str(tmp_path)}
        with launch.start(listener, url, environment, application="warmed:app", log=log) as server:
            launch.await_readiness(server, seconds=60)
            assert httpx.get(url).text == "True"


@pytest.mark.server
def test_a_stop_while_workers_start_is_no_failure_and_takes_no_force(tmp_path: Path) -> None:
    environment = {
        "SUPERVISOR_DATABASE_URL": "postgresql://127.0.0.1:9/none",
        "SUPERVISOR_REDIS_URL": "redis://127.0.0.1:9",
        "SUPERVISOR_WORKERS": "3",
    }
    for round_ in range(3):
        with (
            launch.reserve("127.0.0.1", 0) as listener,
            (tmp_path / f"log{round_}").open("wb") as log,
            launch.start(listener, "http://127.0.0.1", environment, log=log) as server,
        ):
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
            eventually(lambda children=children: children.read_text(), seconds=60)  # type: ignore[misc]
            # The other workers are forked while the arbiter is asked to stop.
            assert server.stop() == 0
        written = (tmp_path / f"log{round_}").read_text()
        assert "Traceback" not in written
        assert "SIGKILL" not in written


SLOW_TO_STOP = """
async def app(scope, receive, send):
    import asyncio
    import os
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        while os.path.exists(os.environ["KEPT_BY"]):
            await asyncio.sleep(0.01)
        return await send({"type": "lifespan.shutdown.complete"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""


@pytest.mark.server
def test_a_web_server_that_stops_refuses_connections_instead_of_keeping_them_waiting(
    tmp_path: Path,
) -> None:
    (tmp_path / "slow.py").write_text(SLOW_TO_STOP)
    keeping = tmp_path / "keeping"
    keeping.touch()
    with launch.reserve("127.0.0.1", 0) as listener, (tmp_path / "log").open("wb") as log:
        address = listener.getsockname()
        environment = {"PYTHONPATH": str(tmp_path), "KEPT_BY": str(keeping)}
        with (
            launch.start(
                listener,
                f"http://127.0.0.1:{address[1]}",
                environment,
                application="slow:app",
                log=log,
            ) as server,
            ThreadPoolExecutor(1) as pool,
        ):
            launch.await_readiness(server, seconds=60)
            stopping = pool.submit(server.stop)

            def refuses() -> bool:
                try:
                    socket.create_connection(address, timeout=5).close()
                except ConnectionRefusedError:
                    return True
                return False

            eventually(refuses, "a refusal", seconds=7)
            assert not stopping.done()
            keeping.unlink()
            assert stopping.result() == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.server
def test_a_web_server_answers_without_uvloop(tmp_path: Path) -> None:
    (tmp_path / "uvloop.py").write_text("raise ImportError")
    with web_server.start(
        f"postgresql://postgres@127.0.0.1:{free_port()}/postgres",
        None,
        tmp_path / "log",
        settings={"PYTHONPATH": str(tmp_path)},
        ready=503,
    ) as server:
        assert httpx.get(f"{server.url}/livez").status_code == 200
