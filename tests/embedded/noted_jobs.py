"""Jobs that write to a table when they run."""

from __future__ import annotations

import json

import psycopg

OVERDUE = """
select next_start < clock_timestamp() - interval '2 seconds'
from timescaledb_information.jobs
where proc_name = %s
"""


def create(connection: psycopg.Connection) -> None:
    connection.execute(
        "create table ran (name text, at timestamptz default clock_timestamp(), "
        "who name default session_user)"
    )
    connection.execute(
        "create procedure note(job_id int, config jsonb) language plpgsql as "
        "$$ begin insert into ran (name) values (config->>'name'); commit; end $$"
    )
    connection.execute(
        "create procedure fail(job_id int, config jsonb) language plpgsql as "
        "$$ begin insert into ran (name) values ('failing'); commit; "
        "raise exception 'broken' using errcode = 'SV500'; end $$"
    )


def add(client: psycopg.Connection, procedure: str, interval: str, rest: str = "") -> int:
    row = client.execute(
        f"select add_job('{procedure}', '{interval}', config => %s{rest})",
        (json.dumps({"name": interval}),),
    ).fetchone()
    assert row is not None
    job: int = row[0]
    return job


def runs(client: psycopg.Connection, name: str) -> int:
    row = client.execute("select count(*) from ran where name = %s", (name,)).fetchone()
    assert row is not None
    count: int = row[0]
    return count
