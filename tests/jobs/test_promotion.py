"""Jobs after a failover: one that ran when its server died runs again on the promoted standby."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from supervisor_mcp.deploy import deploy, shipped_sql_dir
from tests.support import replica, web_server
from tests.support.replica import Postgres
from tests.support.waiting import eventually

pytestmark = pytest.mark.server

POLICY = "observe_traffic"
STATE = f"""
select jobs.job_id, jobs.state, jobs.runs, stat.last_finish < stat.last_start
from ops.jobs
left join _timescaledb_internal.bgw_job_stat as stat on jobs.job_id = stat.job_id
where jobs.policy = '{POLICY}'
"""
DUE = f"select alter_job(job_id, next_start => now()) from ops.policies where policy = '{POLICY}'"
# A run is known to be cut off a minute after its beginning, and nodes look every 30 seconds.
REPAIR_SECONDS = 150.0


def test_a_job_that_ran_when_the_primary_died_runs_again_after_the_promotion(
    tmp_path: Path,
) -> None:
    with replica.servers() as servers:
        primary = servers.primary()
        deploy(primary.url, shipped_sql_dir())
        standby = servers.standby(primary)
        crash_in_a_run(primary, standby)
        standby.promote()
        (cut_off,) = standby.execute(STATE)
        assert cut_off[3]

        log = tmp_path / "log"
        with web_server.start(standby.url, None, log, workers=2):
            eventually(
                lambda: has_run(standby, other_than=cut_off[0]), "a run", seconds=REPAIR_SECONDS
            )
        assert log.read_text().count(f"job {POLICY} of internal.{POLICY} was cut off") == 1
        assert standby.execute("select from ops.jobs where state = 'crashed'") == []


def crash_in_a_run(primary: Postgres, standby: Postgres) -> None:
    """End the primary while a job runs, when the standby knows that it has begun."""
    with closing(psycopg.connect(primary.url)) as holding:
        holding.execute("lock table data.every_server")
        primary.execute(DUE)
        eventually(lambda: standby.execute(STATE)[0][3], "a run that the standby knows", seconds=60)
        kill(primary)


def kill(server: Postgres) -> None:
    """End a server as kill -9 does; its processes end when they notice."""
    ((folder,),) = server.execute("show data_directory")
    pid = (Path(folder) / "postmaster.pid").read_text().split()[0]
    os.kill(int(pid), signal.SIGKILL)


def has_run(server: Postgres, *, other_than: int) -> bool:
    ((job_id, _, runs, _),) = server.execute(STATE)
    return bool(job_id != other_than and runs)
