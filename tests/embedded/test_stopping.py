from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from supervisor_mcp.embedded import database, node, packages
from supervisor_mcp.embedded.errors import DataDirectoryInUse, StartFailed
from tests.embedded.conftest import connect, is_shut_down
from tests.embedded.raw import Connection, query
from tests.support.processes import is_alive
from tests.support.waiting import eventually

# Of the log: what runs did not end in time.
FORCED = "stopped without a checkpoint"

PARENT = """
import sys, time
from pathlib import Path
from supervisor_mcp import embedded
with embedded.start(Path(sys.argv[1]), cache_dir=Path(sys.argv[2]), jobs=False) as endpoints:
    print(embedded.database.running_pid(Path(sys.argv[1])), endpoints.database_url, flush=True)
    time.sleep(60)
"""


def test_sigterm_stops_cleanly_and_rolls_the_open_transaction_back(
    data_dir: Path, cache_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = database.start(data_dir, cache_dir=cache_dir, jobs=False)
    with connect(server.url) as setup:
        setup.execute("create table stopped (i int)")
    waiting = psycopg.connect(server.url)
    waiting.execute("insert into stopped values (1)")
    os.kill(server.pid, signal.SIGTERM)
    with pytest.raises(psycopg.errors.AdminShutdown):
        # A statement may come before the signal.
        eventually(lambda: waiting.execute("select 1") is None, "the end of the session")
    assert server.stop() == 0
    logged = capfd.readouterr().err
    assert FORCED not in logged
    assert "cannot be cancelled" not in logged
    assert is_shut_down(data_dir)
    # Who starts a server now waits for the end of this one.
    assert (data_dir / "database.lock").read_text() == "stopping"
    with database.start(data_dir, cache_dir=cache_dir) as again, connect(again.url) as check:
        assert check.execute("select count(*) from stopped").fetchone() == (0,)


def test_a_second_signal_changes_nothing_of_the_stop(
    data_dir: Path, cache_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = database.start(data_dir, cache_dir=cache_dir, jobs=False)
    lock = data_dir / "database.lock"
    lock.unlink()
    lock.mkdir()
    for each in (signal.SIGINT, signal.SIGTERM):
        os.kill(server.pid, each)
    assert server.stop() == 0
    lines = map(json.loads, capfd.readouterr().err.splitlines())
    # Signals that are sent at once may come in either order.
    assert [(line["event"], line.get("reason")) for line in lines] in (
        [("the lock cannot be written", None), ("stopping", "SIGINT")],
        [("the lock cannot be written", None), ("stopping", "SIGTERM")],
    )
    assert is_shut_down(data_dir)


def test_a_server_whose_parent_is_gone_before_it_is_ready_ends_at_once(
    data_dir: Path, cache_dir: Path
) -> None:
    options = {
        "packages": packages.installed(cache_dir, packages.REGISTRY, lambda _: None).resolve(),
        "pgdata": data_dir / "pgdata",
        "port": 0,
        "parent": os.getpid(),
        "lock": data_dir / "database.lock",
    }
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    ended = subprocess.run(
        [node.find(), database.BRIDGE, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=10,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_sigterm_does_not_wait_for_a_long_statement(
    data_dir: Path, cache_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = database.start(data_dir, cache_dir=cache_dir, jobs=False)
    with Connection(server.url).begin() as busy:
        busy.socket.sendall(query("select count(*) from generate_series(1, 500000000)"))
        assert server.stop() == 0
        assert FORCED not in capfd.readouterr().err
        assert b"C57P01\0" in busy.rest()


@pytest.mark.usefixtures("shared")
def test_a_second_server_on_the_same_data_directory_is_refused(
    shared_dir: Path, cache_dir: Path
) -> None:
    with pytest.raises(DataDirectoryInUse, match="Another embedded database runs on"):
        database.start(shared_dir, cache_dir=cache_dir, jobs=False)


@pytest.mark.usefixtures("shared")
def test_a_running_data_directory_is_not_cloned(shared_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryInUse):
        database.clone(shared_dir, tmp_path / "copy")


def test_a_taken_port_gives_a_free_one(data_dir: Path, cache_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            database.start(data_dir, cache_dir=cache_dir, port=port, jobs=False) as server,
            connect(server.url) as connection,
        ):
            assert f":{port}/" not in server.url
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_damaged_data_directory_gives_a_clear_error(data_dir: Path, cache_dir: Path) -> None:
    (data_dir / "pgdata" / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(StartFailed, match="did not start") as caught:
        database.start(data_dir, cache_dir=cache_dir)
    # Where it happened, for a report.
    assert "\n    at " in str(caught.value)


def test_the_data_directory_is_for_its_owner_only(template: Path) -> None:
    assert template.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_the_servers_end_with_their_parent(
    data_dir: Path, cache_dir: Path, how: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data_dir), str(cache_dir)],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline().split()[0])
        valkey = listener(data_dir / "valkey.sock")
        assert is_alive(pid)
        assert is_alive(valkey)
        parent.send_signal(how)
        parent.wait(10)
    eventually(lambda: not is_alive(pid) and not is_alive(valkey))


def listener(path: Path) -> int:
    """The process that listens on the Unix socket at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))
        peer = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", peer)[0]
    return pid


def test_the_database_ends_with_its_parent_though_a_fork_holds_its_input(
    data_dir: Path, cache_dir: Path
) -> None:
    forking = PARENT.replace("    print(", "    import os\n    if os.fork(): print(")
    with subprocess.Popen(
        [sys.executable, "-c", forking, str(data_dir), str(cache_dir)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline().split()[0])
        parent.kill()
        parent.wait(10)
        eventually(lambda: not is_alive(pid))
        os.killpg(parent.pid, signal.SIGKILL)
