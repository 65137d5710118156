"""What an export asks for: which relations and columns, in which order, and which state."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, ingest_metrics, mark_rolled_up, metric

# Of one server, at this moment.
LEFT_OUT = {"kind_change", "lease", "recent_hour", "recent_range", "statement"}
ROLLUPS = ("sample_1h", "kind_1h", "sample_1d", "kind_1d")
TABLE = """
create table data.probed (
    number bigint generated always as identity,
    gone text,
    name text not null,
    bytes bytea,
    document json not null,
    loose jsonb,
    strict jsonb not null default '{}',
    sizes bigint[],
    written text default 'x',
    change bigint not null default pg_current_xact_id()::text::bigint,
    whole text generated always as (name || '!') stored,
    length numeric(5, 2)
)
"""
QUERY = "select internal.export_query('data.probed')"
LEFT = (
    "select row_to_json(line) from (select number, name, bytes, document::text as document,"
    " loose::text as loose, strict, sizes, written, length from data.probed order by "
)


def made(db: Connection) -> Connection:
    db.execute(TABLE.encode())
    db.execute("alter table data.probed drop column gone")
    return db


def test_every_column_is_exported_but_those_that_are_computed(db: Connection) -> None:
    statement = "select * from internal.exported_columns('data.probed') order by place"
    rows = made(db).execute(statement).fetchall()

    assert rows == [
        (1, "number", "bigint", "number", "number", "number"),
        (3, "name", "text", "name", "name", 'name::text collate "C"'),
        (4, "bytes", "bytea", "bytes", "bytes", "bytes"),
        (
            5,
            "document",
            "text",
            "document::text as document",
            "document::json",
            'document::text collate "C"',
        ),
        (6, "loose", "text", "loose::text as loose", "loose::jsonb", 'loose::text collate "C"'),
        (7, "strict", "jsonb", "strict", "coalesce(strict, 'null')", 'strict::text collate "C"'),
        (8, "sizes", "bigint[]", "sizes", "sizes", 'sizes::text collate "C"'),
        (9, "written", "text", "written", "written", 'written::text collate "C"'),
        (12, "length", "numeric(5,2)", "length", "length", "length"),
    ]


def test_rows_without_a_key_come_in_the_order_of_all_their_columns(db: Connection) -> None:
    made(db)
    # Neither is a key of every row by its columns.
    db.execute("create unique index on data.probed (number) where number > 3")
    db.execute("create unique index on data.probed (lower(name))")
    db.execute("create index on data.probed (name)")

    assert ask(db, QUERY) == LEFT + (
        'number, name::text collate "C", bytes, document::text collate "C",'
        ' loose::text collate "C", strict::text collate "C", sizes::text collate "C",'
        ' written::text collate "C", length) as line'
    )


def test_rows_come_in_the_order_of_their_primary_key_before_that_of_another_one(
    db: Connection,
) -> None:
    made(db)
    db.execute("create unique index on data.probed (length)")
    db.execute("create unique index on data.probed (written, bytes)")
    assert ask(db, QUERY) == f"{LEFT}length) as line"

    db.execute("alter table data.probed add primary key (name, number)")
    assert ask(db, QUERY) == f'{LEFT}name::text collate "C", number) as line'


def test_rows_of_a_hypertable_come_in_the_order_of_time_first(db: Connection) -> None:
    written = ask(db, "select internal.export_query('data.audit_event')")
    assert written.endswith(" from data.audit_event order by at, number) as line")


def test_times_of_other_tables_come_where_their_key_has_them(db: Connection) -> None:
    db.execute(
        "create table data.timed (number int, ts timestamptz, bucket timestamptz, at timestamptz,"
        " primary key (number, at, bucket, ts))"
    )
    written = ask(db, "select internal.export_query('data.timed')")
    assert written.endswith(" from data.timed order by number, at, bucket, ts) as line")
    db.execute("select create_hypertable('data.timed', by_range('bucket'))")
    written = ask(db, "select internal.export_query('data.timed')")
    assert written.endswith(" from data.timed order by bucket, number, at, ts) as line")


def test_tables_and_rollups_are_exported_after_what_they_refer_to(db: Connection) -> None:
    db.execute(
        "create table data.zz_first (id int primary key, parent int references data.zz_first)"
    )
    db.execute(
        "create table data.b_second (id int primary key references data.zz_first, other int unique)"
    )
    db.execute(
        "create table data.a_third"
        " (id int references data.b_second, other int references data.zz_first, third int unique)"
    )
    # It refers to what comes late, and to what comes first.
    db.execute("create table data.a_fourth (a int references data.a_third (third), b int unique)")
    db.execute("create table data.none_refers (a int check (a > 0))")
    rows = db.execute(
        "select name, stored_in::oid from internal.exported_relations() order by place"
    ).fetchall()
    tables = {
        f"data.{name}": oid
        for oid, name in db.execute(
            "select oid, relname from pg_class"
            " where relnamespace = 'data'::regnamespace and relkind = 'r'"
        )
        if name not in LEFT_OUT
    }
    rollups = {
        f"data.{name}": ask(db, "select internal.hypertable(%s)::oid", name) for name in ROLLUPS
    }
    assert dict(rows) == tables | rollups
    assert len(rows) == len(dict(rows))

    names = {oid: name for name, oid in tables.items()}
    references: dict[str, set[str]] = {name: set() for name in tables | rollups}
    for child, parent in db.execute(
        "select conrelid, confrelid from pg_constraint"
        " where contype = 'f' and conrelid <> confrelid"
    ):
        if child in names and parent in names:
            references[names[child]].add(names[parent])

    def depth(name: str) -> int:
        return max((1 + depth(parent) for parent in references[name]), default=0)

    assert [name for name, _ in rows] == sorted(references, key=lambda name: (depth(name), name))
    assert [depth(f"data.{name}") for name in ("zz_first", "b_second", "a_third", "a_fourth")] == [
        0,
        1,
        2,
        3,
    ]


def test_what_a_migration_fills_and_what_is_audited_is_marked(db: Connection) -> None:
    def marked(column: str) -> set[str]:
        return {
            name
            for (name,) in db.execute(
                f"select name from internal.exported_relations() where {column}".encode()
            )
        }

    assert marked("prefilled") == {"data.audit_head", "data.quota", "data.complete_since"}
    assert marked("audited") == {
        f"data.{name}"
        for (name,) in db.execute(
            "select relname from pg_trigger inner join pg_class on tgrelid = pg_class.oid"
            " where tgname = 'audited' and relkind = 'r' and tgparentid = 0"
            " and relnamespace = 'data'::regnamespace"
        )
    }
    assert "data.every_silence" in marked("audited")
    assert "data.every_kind" not in marked("audited")


def state(db: Connection) -> Any:
    return ask(db, "select internal.export_state()")


def test_the_state_has_the_numbers_that_were_given_out(db: Connection) -> None:
    before = state(db)["sequences"]
    db.execute("create schema beside")
    db.execute("create table beside.probed (number bigint generated always as identity, name text)")
    db.execute("insert into beside.probed (name) values ('a')")
    made(db)
    assert state(db)["sequences"] == before

    db.execute("insert into data.probed (name, document) values ('a', '1'), ('b', '2')")
    assert state(db)["sequences"] == before | {"probed.number": 2}


def test_the_state_has_the_lengths_of_chunks_in_the_order_of_relations(db: Connection) -> None:
    intervals: Json = state(db)["chunk_intervals"]

    assert list(intervals.items()) == [
        (name, length)
        for name, length in db.execute(
            "select name, to_json(internal.chunk_interval(substr(name, 6)::name))"
            " from internal.exported_relations() order by place"
        )
        if length is not None
    ]
    assert {"data.sample", "data.fact", "data.sample_1h", "data.audit_event"} <= set(intervals)


def test_the_state_has_the_watermarks_of_rollups_that_were_refreshed(db: Connection) -> None:
    assert state(db)["watermarks"] == {}
    ingest_metrics(db, metric(ts=NOW.isoformat()))
    for hours, rollup in enumerate(("kind_1d", "sample_1h", "kind_1h")):
        mark_rolled_up(db, NOW - timedelta(hours=hours), rollup)

    assert list(state(db)["watermarks"]) == ["sample_1h", "kind_1h", "kind_1d"]


def test_the_state_has_every_policy_with_its_settings(db: Connection) -> None:
    policies = state(db)["policies"]

    assert [(each["relation"], each["policy"]) for each in policies] == [
        (relation, policy)
        for relation, policy in db.execute(
            "select relation, policy from ops.policies order by relation, policy"
        )
    ]
    retention = next(
        each
        for each in policies
        if (each["relation"], each["policy"]) == ("data.fact", "policy_retention")
    )
    assert retention["config"] == {"drop_after": "5 years"}
    # Those of tests are paused.
    db.execute(
        "select alter_job(job_id, scheduled => true) from ops.policies where policy = 'prune'"
    )
    assert [each["policy"] for each in state(db)["policies"] if each["scheduled"]] == ["prune"]


def exported(relation: str, policy: str, schedule: str, config: Json | None, on: bool) -> Json:
    """A policy as the state of an export has it."""
    return {
        "relation": relation,
        "policy": policy,
        "schedule_interval": schedule,
        "config": config,
        "scheduled": on,
    }


def test_after_an_import_the_policies_are_those_of_the_export(db: Connection) -> None:
    db.execute(
        "select delete_job(job_id) from ops.policies"
        " where policy in ('refresh_late', 'observe_traffic', 'keep_pins')"
        " or relation = 'data.fact'"
    )
    db.execute("select add_job('internal.keep_pins', '1 hour')")
    policies = [
        exported("data.fact", "policy_retention", "02:00:00", {"drop_after": "7 years"}, True),
        exported("data.sample", "policy_retention", "03:00:00", {"drop_after": "80 days"}, False),
        exported("internal.keep_pins", "keep_pins", "04:00:00", {"portion": 2}, True),
        exported("internal.observe_traffic", "observe_traffic", "00:00:07", None, True),
        exported("internal.prune", "prune", "05:00:00", None, False),
        exported("internal.refresh_late", "refresh_late", "00:01:00", {"settle": "0"}, True),
    ]
    kept = next(each["config"] for each in state(db)["policies"] if each["policy"] == "prune")
    assert kept

    db.execute("call internal.end_import(%s)", [Jsonb({"policies": policies, "sequences": {}})])
    # Where the export has no settings, those of the release stay.
    policies[4]["config"] = kept
    assert state(db)["policies"] == policies


def test_after_an_import_numbers_go_on_as_in_the_export(db: Connection) -> None:
    numbers = {"every_kind.kind_id": 41, "every_source.source_id": 7}
    db.execute("call internal.end_import(%s)", [Jsonb({"policies": [], "sequences": numbers})])
    ingest_metrics(db, metric())
    assert db.execute("select kind_id, source_id from data.series").fetchall() == [(42, 8)]


def test_the_watermarks_of_an_export_are_restored_without_rows(lasting_alone: Connection) -> None:
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    marks = {
        "sample_1h": day + timedelta(hours=12),
        "kind_1h": day + timedelta(hours=11),
        "sample_1d": day,
        "kind_1d": day - timedelta(days=1),
    }
    lasting_alone.execute(
        "call internal.restore_watermarks(%s)",
        [Jsonb({name: mark.isoformat() for name, mark in marks.items()})],
    )

    assert {
        name: ask(lasting_alone, "select internal.watermark(%s)", name) for name in marks
    } == marks
    assert {
        name: datetime.fromisoformat(at) for name, at in state(lasting_alone)["watermarks"].items()
    } == marks
    for relation in ("sample", *ROLLUPS):
        assert ask(lasting_alone, f"select count(*) from data.{relation}") == 0
    # With the chunk of a sample, an hour without samples would be one whose samples were dropped.
    assert ask(lasting_alone, "select count(*) from internal.list_chunks('sample')") == 0


def test_nothing_is_restored_without_watermarks(lasting_alone: Connection) -> None:
    lasting_alone.execute("call internal.restore_watermarks('{}')")
    assert state(lasting_alone)["watermarks"] == {}
