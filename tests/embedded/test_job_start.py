"""When an embedded database begins to run jobs."""

from __future__ import annotations

import os
from pathlib import Path

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.embedded.noted_jobs import OVERDUE, add, create, runs
from tests.support.waiting import eventually


def test_jobs_can_be_switched_off(data_dir: Path, cache_dir: Path) -> None:
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs=False) as server,
        connect(server.url) as client,
    ):
        client.execute("create procedure p(job_id int, config jsonb) language sql as 'select 1'")
        client.execute("select add_job('p', '1 second')")
        eventually(lambda: client.execute(OVERDUE, ("p",)).fetchone() == (True,))
        seen = client.execute(
            "select count(*) from timescaledb_information.jobs where next_start > initial_start"
        ).fetchone()
        assert seen == (0,)
    assert not os.path.exists(f"/proc/{server.pid}")  # noqa: PTH110


def test_jobs_wait_until_they_may_begin(data_dir: Path, cache_dir: Path) -> None:
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs_wait_seconds=600) as server,
        connect(server.url) as client,
    ):
        create(client)
        add(client, "note", "1 second")
        eventually(lambda: client.execute(OVERDUE, ("note",)).fetchone() == (True,))
        assert runs(client, "1 second") == 0
        server.begin_jobs()
        eventually(lambda: runs(client, "1 second") >= 1)


def test_jobs_that_nobody_tells_to_begin_do_so_after_their_wait(
    data_dir: Path, cache_dir: Path
) -> None:
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs_wait_seconds=2) as server,
        connect(server.url) as client,
    ):
        create(client)
        add(client, "note", "1 second")
        eventually(lambda: runs(client, "1 second") >= 1)
