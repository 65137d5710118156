from __future__ import annotations

from pathlib import Path

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.embedded.raw import Connection, query

MEGABYTE = 1024 * 1024
READY = b"Z\0\0\0\5I"


def resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 // MEGABYTE


def test_a_large_result_does_not_pass_through_memory_as_a_whole(
    data_dir: Path, cache_dir: Path
) -> None:
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs=False) as server,
        Connection(server.url).begin() as reader,
    ):
        before = resident(server.pid)
        reader.socket.sendall(
            query("copy (select repeat('x', 199) from generate_series(1, 1400000)) to stdout")
        )
        received, end = 0, b""
        while end != READY:
            part = reader.socket.recv(MEGABYTE)
            received += len(part)
            end = (end + part)[-len(READY) :]
        assert received > 280_000_000
        assert resident(server.pid) < before + 200


def test_a_client_that_takes_a_large_result_too_slowly_is_disconnected(
    data_dir: Path, cache_dir: Path
) -> None:
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs=False, stall_seconds=2) as server,
        connect(server.url) as other,
        Connection(server.url).begin() as deaf,
    ):
        before = resident(server.pid)
        deaf.socket.sendall(query("select repeat('x', 1000000) from generate_series(1, 2000)"))
        # One statement runs at a time, so this one waits until that of the other has ended.
        assert other.execute("select 1").fetchone() == (1,)
        assert resident(server.pid) < before + 600
        assert len(deaf.rest()) < 1_000_000_000
