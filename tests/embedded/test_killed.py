from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import psycopg

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.support.waiting import eventually

KILLS = 5


def write_until_it_dies(url: str, table: str, acknowledged: list[int]) -> None:
    try:
        with connect(url) as connection:
            while True:
                following = acknowledged[-1] + 1
                connection.execute(f"insert into {table} values (%s, now())", (following,))
                acknowledged.append(following)
    except psycopg.OperationalError:
        pass


def test_sigkill_in_the_middle_of_writes_loses_nothing_acknowledged(
    data_dir: Path, cache_dir: Path
) -> None:
    acknowledged = {"plain": [0], "hyper": [0]}
    for round_ in range(KILLS + 1):
        with database.start(data_dir, cache_dir=cache_dir, jobs=False) as server:
            with connect(server.url) as check:
                if round_ == 0:
                    check.execute("create table plain (i int, ts timestamptz not null)")
                    check.execute("create table hyper (i int, ts timestamptz not null)")
                    check.execute("select create_hypertable('hyper', 'ts')")
                for table, written in acknowledged.items():
                    found = check.execute(f"select i from {table} order by i").fetchall()
                    kept = [i for (i,) in found]
                    # One more row may have been committed without an answer.
                    assert kept in (written[1:], [*written[1:], written[-1] + 1])
                    written[1:] = kept
            if round_ == KILLS:
                break
            goals = {
                table: written[-1] + 20 + 7 * round_ for table, written in acknowledged.items()
            }
            writers = [
                threading.Thread(target=write_until_it_dies, args=(server.url, table, written))
                for table, written in acknowledged.items()
            ]
            for writer in writers:
                writer.start()
            eventually(
                lambda goals=goals: all(  # type: ignore[misc]
                    acknowledged[table][-1] >= goal for table, goal in goals.items()
                )
            )
            os.kill(server.pid, signal.SIGKILL)
            for writer in writers:
                writer.join()
