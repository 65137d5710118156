"""What database administrators tune, over SQL and as clients do."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alert_rules import CONDITIONS, DURING, condition, define, known, rule
from tests.sql.audit import settle
from tests.sql.calls import (
    NOW,
    Json,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    mark_rolled_up,
    metric,
    refused,
)
from tests.support.rollups import ROLLUPS

LONG = condition(window="30d")
LONG_DURING = {
    "type": "fact",
    "kind": "Fact:Sale",
    "within": "10m",
    "join": "none",
    "during": DURING | {"window": "30d"},
}
LONG_BURN_RATE = CONDITIONS["burn rate of metrics"]
LONG_CHANGE = condition(window="15d", compare="change")
LONG_WITHOUT_METRICS: dict[str, Json] = {"fact after a fact": {"window": "30d"}}


def policy(db: Connection, kind: str, name: str) -> Json | None:
    listed: Json = ask(db, "select api.list_policies(%s)", kind)
    return next((item for item in listed["items"] if item["name"] == name), None)


def set_policy(db: Connection, kind: str, name: str, value: str) -> Json:
    answer: Json = ask(db, "select api.set_policy(%s, %s, %s)", kind, name, value)
    return answer


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("retention", "data.fact", "10 years"),
        ("columnstore", "data.sample", "14 days"),
        ("refresh", "end_offset", "00:30:00"),
        ("refresh", "settle", "00:02:00"),
        ("quota", "series", "2000000"),
    ],
)
def test_a_policy_is_set_once_and_shown(db: Connection, kind: str, name: str, value: str) -> None:
    before = policy(db, kind, name)
    assert before is not None
    assert set_policy(db, kind, name, value) == {**before, "value": value, "changed": True}
    assert policy(db, kind, name) == {**before, "value": value}
    assert set_policy(db, kind, name, value)["changed"] is False


@pytest.mark.parametrize(
    ("kind", "name", "value", "action"),
    [
        ("columnstore", "data.sample", "14 days", "compress_after"),
        ("refresh", "settle", "00:02:00", "settle"),
        ("quota", "series", "2000000", "value"),
    ],
)
def test_the_audit_records_each_kind_of_policy(
    db: Connection, kind: str, name: str, value: str, action: str
) -> None:
    set_policy(db, kind, name, value)
    settle(db)
    event = ask(
        db,
        "select jsonb_build_array(object_type, document) from ops.audit"
        " order by number desc limit 1",
    )
    assert event[0] == kind
    assert str(event[1][action]["new"]) == value


def test_an_administrator_sets_every_kind_in_sql(db: Connection) -> None:
    db.execute("set local role supervisor_dba")
    db.execute("select ops.set_retention('data.fact', '10 years')")
    db.execute("select ops.set_columnstore('data.fact', '9 days')")
    db.execute("select ops.set_refresh('end_offset', '30 minutes')")
    db.execute("select ops.set_quota('kinds', 20000)")
    assert ask(
        db,
        "select bool_and(config ->> 'compress_after' = '9 days') from ops.policies"
        " where relation = 'data.fact' and policy = 'policy_compression'",
    )


def test_of_two_jobs_of_a_procedure_the_first_one_is_set(db: Connection) -> None:
    shipped, config = next(
        db.execute("select job_id, config from ops.policies where policy = 'refresh_rollups'")
    )
    second = ask(db, "select add_job('internal.refresh_rollups', '1 h', %s)", Jsonb(config))
    for offset in ("00:30:00", "00:40:00"):
        ask(db, "select ops.set_refresh('end_offset', %s)", offset)

    offsets = db.execute(
        "select job_id, config ->> 'end_offset' from ops.policies"
        " where policy = 'refresh_rollups' order by job_id"
    ).fetchall()
    assert offsets == [(shipped, "00:40:00"), (second, config["end_offset"])]


def test_of_two_jobs_of_a_procedure_one_is_shown_and_set(db: Connection) -> None:
    db.execute(
        "select add_job('internal.refresh_late', '1 day', config => '{\"settle\": \"00:03:00\"}')"
    )
    before = policy(db, "refresh", "settle")
    assert set_policy(db, "refresh", "settle", "00:02:00") == {
        **(before or {}),
        "value": "00:02:00",
        "changed": True,
    }
    listed = ask(db, "select api.list_policies('refresh')")["items"]
    assert [item["name"] for item in listed] == ["end_offset", "settle"]


@pytest.mark.parametrize(
    ("kind", "name", "other"),
    [
        ("retention", "data.kind_change", "1 day"),
        ("columnstore", "data.sample", "14 days"),
        ("refresh", "settle", "2 minutes"),
    ],
)
def test_what_the_release_ships_can_be_set_again(
    db: Connection, kind: str, name: str, other: str
) -> None:
    before = policy(db, kind, name)
    assert before is not None
    set_policy(db, kind, name, other)
    set_policy(db, kind, name, before["shipped"])
    assert policy(db, kind, name) == before


def test_a_length_of_zero_needs_no_unit(db: Connection) -> None:
    assert set_policy(db, "refresh", "settle", "0")["value"] == "00:00:00"


def test_the_least_length_is_that_of_the_release_where_it_is_shorter(db: Connection) -> None:
    with refused(db, "policy_value_in_range") as refusal:
        set_policy(db, "retention", "data.kind_change", "59 minutes")
    assert refusal.hint == "Send 01:00:00 to 1000 years."


def test_a_job_without_a_config_gets_one(db: Connection) -> None:
    db.execute("select delete_job(job_id) from ops.policies where policy = 'refresh_late'")
    db.execute("select add_job('internal.refresh_late', '1 minute')")
    db.execute("select ops.set_refresh('settle', '2 minutes')")
    config = ask(db, "select config from ops.policies where policy = 'refresh_late'")
    assert config == {"settle": "00:02:00"}


def test_facts_ship_with_five_years(db: Connection) -> None:
    shown = policy(db, "retention", "data.fact")
    assert shown is not None
    assert (shown["value"], shown["shipped"]) == ("5 years", "5 years")


@pytest.mark.parametrize(
    ("kind", "name", "value", "slug", "field"),
    [
        ("speed", "data.fact", "1 day", "policy_known", "policy"),
        ("retention", "data.kind", "1 day", "policy_unknown", "name"),
        ("columnstore", "data.kind", "1 day", "policy_unknown", "name"),
        ("refresh", "start", "1 hour", "policy_unknown", "name"),
        ("quota", "wishes", "3", "policy_unknown", "name"),
        ("retention", "data.fact", "long", "policy_value_well_formed", "value"),
        ("retention", "data.fact", "20", "policy_value_well_formed", "value"),
        ("refresh", "settle", " +0.5 ", "policy_value_well_formed", "value"),
        ("retention", "data.fact", "1 hour", "policy_value_in_range", "value"),
        ("columnstore", "data.fact", "1 hour", "policy_value_in_range", "value"),
        ("refresh", "end_offset", "5 minutes", "policy_value_in_range", "value"),
        ("quota", "series", "-1", "policy_value_in_range", "value"),
        ("quota", "series", "many", "policy_value_in_range", "value"),
    ],
)
def test_a_bad_policy_is_refused(
    db: Connection, kind: str, name: str, value: str, slug: str, field: str
) -> None:
    with refused(db, slug) as refusal:
        set_policy(db, kind, name, value)
    assert refusal.column == field


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("columnstore", "data.fact", "Send 1 day to 1000 years."),
        ("refresh", "end_offset", "Send 00:20:00 to 1 day."),
        ("refresh", "settle", "Send 00:00:00 to 01:00:00."),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_range(
    db: Connection, kind: str, name: str, hint: str
) -> None:
    with refused(db, "policy_value_in_range") as refusal:
        set_policy(db, kind, name, "1001 years")
    assert refusal.hint == hint


@pytest.mark.parametrize(
    ("statement", "nearest"),
    [
        ("select ops.set_retention('sample', '100 days')", 'Did you mean "data.sample"? '),
        ("select ops.plan_retention('facts', null)", 'Did you mean "data.fact"? '),
        (
            "select ops.set_columnstore('sample_1h', '9 days')",
            'Did you mean "data.sample_1h"? ',
        ),
        ("select ops.set_quota('serie', 1)", 'Did you mean "series"? '),
        ("select ops.set_quota('wishes', 1)", ""),
        ("select ops.set_retention(null, '100 days')", ""),
    ],
)
def test_an_unknown_policy_is_refused_with_the_nearest_one(
    db: Connection, statement: str, nearest: str
) -> None:
    with refused(db, "policy_unknown") as refusal:
        ask(db, statement)
    assert refusal.hint == nearest + "list_policies (GET /admin/policies) lists the policies."


def test_a_quota_is_a_whole_number_above_zero_and_that_of_one_name(db: Connection) -> None:
    quotas = "select json_object_agg(name, value) from data.quota"
    before = ask(db, quotas)
    ask(db, "select ops.set_quota('kinds', 1)")
    assert ask(db, quotas) == before | {"kinds": 1}
    settle(db)
    events = ask(db, "select count(*) from ops.audit")
    ask(db, "select ops.set_quota('kinds', 1)")
    settle(db)
    assert ask(db, "select count(*) from ops.audit") == events
    for value in (0, None):
        with refused(db, "policy_value_in_range"):
            ask(db, "select ops.set_quota('kinds', %s)", value)


@pytest.mark.parametrize(
    ("statement", "slug", "message"),
    [
        ("select ops.set_quota(%s, 0)", "policy_value_in_range", 'quota "{}" is out of range'),
        ("select ops.set_quota(%s, 1)", "policy_unknown", 'unknown quota "{}"'),
        ("select ops.set_refresh(%s, '1 h')", "policy_unknown", 'unknown policy of refresh "{}"'),
        (
            "select ops.set_columnstore(%s, '9 days')",
            "policy_unknown",
            'unknown policy of columnstore "{}"',
        ),
        ("select ops.bind_login(%s, '{}')", "login_unknown", 'unknown role "{}"'),
    ],
)
def test_of_a_long_name_a_refusal_has_the_beginning(
    db: Connection, statement: str, slug: str, message: str
) -> None:
    with refused(db, slug) as refusal:
        ask(db, statement, "x" * 300)
    assert refusal.message == message.format("x" * 200)


def test_a_retention_that_is_refused_names_all_that_needs_the_rows_in_order(
    db: Connection,
) -> None:
    with refused(db, "retention_needed") as refusal:
        db.execute("select ops.set_retention('data.sample', '1 day')")
    needs = plan(db, "data.sample", "1 day")["refused"]
    assert [need["needed_by"] for need in needs] == ["refresh", "snapshot_aggregates"]
    assert refusal.params["refused"] == needs
    assert refusal.hint.startswith(needs[0]["reason"])


def test_a_namespace_changes_no_policy(db: Connection) -> None:
    db.execute("set local supervisor.namespace = 'acme'")
    with refused(db, "namespace_default"):
        set_policy(db, "quota", "series", "3")
    with refused(db, "namespace_default"):
        ask(db, "select api.plan_retention('data.fact', null, now())")
    with refused(db, "namespace_default"):
        ask(db, "select api.doctor(now(), null)")


def plan(db: Connection, relation: str, keep: str | None) -> Json:
    answer: Json = ask(db, "select api.plan_retention(%s, %s, %s)", relation, keep, NOW)
    return answer


def test_a_malformed_length_is_named_as_it_was_sent(db: Connection) -> None:
    with refused(db, "policy_value_well_formed") as refusal:
        ask(db, "select api.plan_retention('data.fact', 'soon', now())")
    assert refusal.column == "drop_after"


def test_a_plan_says_what_would_go_and_drops_nothing(db: Connection) -> None:
    for n in (5, 40, 60, 61):
        ingest_metrics(db, metric(ts=(NOW - timedelta(days=n)).isoformat()))
    shown = plan(db, "data.sample", "30 days")
    assert (shown["current"], shown["drop_after"], shown["allowed"]) == ("90 days", "30 days", True)
    drops = shown["drops"]
    assert (drops["rows"], drops["chunks"]) == (3, len(shown["chunks"]))
    assert drops["bytes"] == sum(chunk["bytes"] for chunk in shown["chunks"]) > 0
    assert ask(db, "select count(*) from data.sample") == 4
    present = plan(db, "data.sample", None)
    assert (present["drop_after"], present["drops"]["rows"]) == ("90 days", 0)


def test_a_plan_that_drops_nothing_has_no_chunks(db: Connection) -> None:
    ingest_metrics(db, metric(ts=NOW.isoformat()))
    shown = plan(db, "data.sample", "60 days")
    assert shown["drops"] == {"chunks": 0, "rows": 0, "bytes": 0, "from": None, "to": None}
    assert (shown["refused"], shown["chunks"]) == ([], [])


def test_a_plan_has_the_chunks_that_end_as_long_ago_as_rows_are_kept_the_oldest_first(
    db: Connection,
) -> None:
    for days in (50, 200, 100):
        ingest_facts(db, fact(ts=(NOW - timedelta(days=days)).isoformat()))
    chunks = db.execute(
        "select range_start, range_end from internal.list_chunks('fact') order by 1"
    ).fetchall()
    statement = "select ops.plan_retention('data.fact', '40 days', %s)"
    last = chunks[1][1] + timedelta(days=40)

    shown = ask(db, statement, last)
    assert [
        tuple(datetime.fromisoformat(chunk[edge]) for edge in ("from", "to"))
        for chunk in shown["chunks"]
    ] == chunks[:2]
    assert datetime.fromisoformat(shown["drops"]["from"]) == chunks[0][0]
    assert datetime.fromisoformat(shown["drops"]["to"]) == chunks[1][1]
    sooner = ask(db, statement, last - timedelta(microseconds=1))
    assert sooner["drops"]["chunks"] == 1


def test_of_many_chunks_a_plan_has_the_oldest_hundred(db: Connection) -> None:
    first = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(days=9)
    hours = [first + timedelta(hours=n) for n in range(101)]
    db.execute(
        "insert into data.kind_change (kind_id, changed_at) select 1, unnest(%s::timestamptz[])",
        [hours[::-1]],
    )
    shown = plan(db, "data.kind_change", None)
    assert shown["drops"]["chunks"] == 101
    assert [datetime.fromisoformat(chunk["from"]) for chunk in shown["chunks"]] == hours[:100]


def test_a_plan_names_the_pins_of_a_chunk_and_no_others(db: Connection) -> None:
    old = NOW - timedelta(days=200)
    ingest_facts(db, fact(ts=old.isoformat()))
    for number, days in ((9, 0), (7, 0), (8, 100)):
        db.execute(
            "insert into data.every_pin"
            " (pin_id, source, during, reason, author, pinned_at) overriding system value"
            " values (%s, 'crm', tstzrange(%s, %s), 'outage', 'ann', %s)",
            [
                number,
                old + timedelta(days=days, minutes=number),
                old + timedelta(days=days, hours=1),
                NOW,
            ],
        )
    (chunk,) = plan(db, "data.fact", "90 days")["chunks"]
    assert [pin["id"] for pin in chunk["pinned_by"]] == [7, 9]


def test_a_plan_of_an_unknown_relation_names_its_first_200_characters(db: Connection) -> None:
    with refused(db, "policy_unknown") as refusal:
        ask(db, "select ops.plan_retention(%s, null)", "x" * 300)
    assert refusal.message == f'unknown policy of retention "{"x" * 200}"'


@pytest.mark.parametrize(
    ("keep", "within"),
    [("0", True), ("1000 years", True), ("-1 day", False), ("1000 years 1 day", False)],
)
def test_a_plan_is_of_a_thousand_years_at_most(db: Connection, keep: str, within: bool) -> None:
    statement = "select ops.plan_retention('data.fact', %s::interval)"
    if within:
        assert ask(db, statement, keep)["name"] == "data.fact"
    else:
        with refused(db, "policy_value_in_range"):
            ask(db, statement, keep)


@pytest.mark.parametrize(
    ("relation", "keep", "needed_by"),
    [
        ("data.sample", "1 day", ["refresh", "snapshot_aggregates"]),
        ("data.sample", "29 days", ["snapshot_aggregates"]),
        ("data.sample", "500 days", ["data.kind_1h", "data.sample_1h"]),
        ("data.sample_1h", "60 days", ["data.sample"]),
        ("data.kind_1d", "300 days", ["data.kind_1h"]),
        ("data.fact", "1 day", []),
    ],
)
def test_a_plan_names_what_needs_the_rows(
    db: Connection, relation: str, keep: str, needed_by: list[str]
) -> None:
    shown = plan(db, relation, keep)
    assert [need["needed_by"] for need in shown["refused"]] == needed_by
    assert all(need["reason"].endswith(".") for need in shown["refused"])
    assert shown["allowed"] is (needed_by == [])


@pytest.mark.parametrize("given", [LONG, LONG_DURING, LONG_BURN_RATE, LONG_CHANGE])
def test_an_alert_rule_needs_the_rows_of_its_window(db: Connection, given: Json) -> None:
    known(db)
    db.execute(
        'select alter_job(job_id, config => \'{"windows": ["7d"]}\')'
        " from ops.policies where policy = 'snapshot_aggregates'"
    )
    define(db, rule(given), "long")
    needs = plan(db, "data.sample", "29 days")["refused"]
    assert [need["needed_by"] for need in needs] == ["alert rule long"]
    assert plan(db, "data.sample", "30 days")["allowed"] is True


@pytest.mark.parametrize("given", ["burn rate of servers", "fact after a fact", "keepalive"])
def test_an_alert_rule_that_reads_no_metrics_needs_none(db: Connection, given: str) -> None:
    known(db)
    define(db, rule(CONDITIONS[given] | LONG_WITHOUT_METRICS.get(given, {})), "long")
    needs = plan(db, "data.sample", "1 hour")["refused"]
    assert "alert rule long" not in [need["needed_by"] for need in needs]


def test_every_relation_with_retention_is_shown_with_its_rows(db: Connection) -> None:
    ingest_facts(db, fact())
    db.execute("set local role supervisor_dba")
    shown: dict[str, tuple[object, ...]] = {
        row[0]: row[1:]
        for row in db.execute(
            "select relation, drop_after, row_count, oldest_at = newest_at, state"
            " from ops.retention"
        )
    }
    assert {f"data.{rollup}" for rollup in ROLLUPS} < shown.keys()
    assert shown["data.fact"] == (timedelta(days=1825), 1, True, "paused")


def test_storage_has_the_bytes_of_a_sample(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=(NOW - timedelta(minutes=n)).isoformat()) for n in range(100)])
    db.execute("set local role supervisor_dba")
    shown = db.execute(
        "select row_count, bytes / 100 = floor(bytes_per_row) from ops.storage"
        " where relation = 'data.sample'"
    ).fetchone()
    assert shown == (100, True)
    assert ask(db, "select count(*) from ops.storage where relation = 'data.every_kind'") == 1


def test_shares_are_of_what_there_is(db: Connection) -> None:
    for days in (1, 40, 80):
        ingest_metrics(db, metric(ts=(NOW - timedelta(days=days)).isoformat()))
    ingest_facts(db, fact(ts=(NOW - timedelta(days=1)).isoformat()))
    db.execute(
        "select compress_chunk(chunk) from internal.list_chunks('sample')"
        " order by range_start limit 1"
    )
    db.execute("select compress_chunk(chunk) from internal.list_chunks('fact')")
    shares = db.execute(
        "select relation, columnstore_share::text from ops.retention"
        " where relation in ('data.sample', 'data.fact', 'data.sample_1h') order by 1"
    ).fetchall()
    assert shares == [("data.fact", "1.000"), ("data.sample", "0.333"), ("data.sample_1h", None)]
    storage = db.execute(
        """
        select
            relation, row_count,
            bytes_per_row::text = round(bytes::numeric / row_count, 1)::text,
            compression_ratio::text = round(bytes_before::numeric / bytes_after, 1)::text
        from ops.storage
        where relation in ('data.sample', 'data.fact') order by 1
        """
    ).fetchall()
    assert storage == [("data.fact", 1, True, True), ("data.sample", 4, True, True)]
    empty = "select bytes_per_row, compression_ratio from ops.storage where relation = 'data.lease'"
    assert db.execute(empty).fetchone() == (None, None)


SHOWN = """
select relation, chunks, columnstore_chunks, row_count, bytes > 0, oldest_at, newest_at
from internal.show_relations()
"""


def test_storage_has_every_table_and_rollup_once_in_order(db: Connection) -> None:
    db.execute("create schema beside")
    for schema in ("beside", "data"):
        db.execute(f"create table {schema}.quota_b (at timestamptz not null)".encode())
    db.execute("create view data.quota_c as select * from data.quota")
    db.execute("select create_hypertable('beside.quota_b', by_range('at'))")
    names = [
        name for (name,) in db.execute("select relation from internal.show_relations()").fetchall()
    ]
    tables = db.execute(
        "select 'data.' || relname from pg_class"
        " where relnamespace = 'data'::regnamespace and relkind = 'r'"
    ).fetchall()
    assert names == sorted([*(name for (name,) in tables), *(f"data.{name}" for name in ROLLUPS)])


def test_storage_has_the_chunks_and_the_ends_of_what_has_any(db: Connection) -> None:
    times = [NOW - timedelta(days=days) for days in (1, 60, 30, 59)]
    for ts in times:
        ingest_metrics(db, metric(ts=ts.isoformat()))
    chunks = ask(db, "select count(*) from internal.list_chunks('sample')")
    db.execute(
        "select compress_chunk(chunk) from internal.list_chunks('sample')"
        " order by range_start limit 1"
    )
    shown = {row[0]: row[1:] for row in db.execute(SHOWN)}

    assert shown["data.sample"] == (chunks, 1, 4, True, min(times), max(times))
    empty = ask(db, "select bytes from internal.show_relations() where relation = 'data.fact'")
    assert (shown["data.fact"], empty) == ((0, 0, 0, False, None, None), 0)
    assert shown["data.sample_1h"] == (0, 0, 0, False, None, None)
    quotas = ask(db, "select count(*) from data.quota")
    assert shown["data.quota"] == (None, None, quotas, True, None, None)


def test_the_backlog_has_late_samples(db: Connection) -> None:
    mark_rolled_up(db, NOW)
    ingest_metrics(db, metric(ts=(NOW - timedelta(days=3)).isoformat()))
    db.execute("set local role supervisor_dba")
    assert ask(db, "select items from ops.backlog where name = 'late_samples'") == 1
    assert ask(db, "select count(*) from ops.backlog where name like 'refresh of %%'") == 4


def test_the_backlog_is_what_waits_and_for_how_long_the_oldest_of_it_does(db: Connection) -> None:
    backlog = "select name, items, lag from internal.show_backlog(%s) where items is not null"
    names = ("late_samples", "outbox", "deliveries")
    assert db.execute(backlog, [NOW]).fetchall() == [(name, 0, None) for name in names]

    mark_rolled_up(db, NOW)
    # Without the kinds and subscriptions that the rows belong to.
    db.execute("set local session_replication_role = replica")
    long_ago = NOW - timedelta(days=9)
    db.execute("insert into data.late_hour (kind_id, bucket, samples) values (1, %s, 7)", [NOW])
    for hours in (1, 3, 2):
        at = NOW - timedelta(hours=hours)
        db.execute(
            "insert into data.late_hour (kind_id, bucket, samples, noted_at) values (1, %s, 5, %s)",
            [at, at],
        )
        db.execute(
            "insert into data.outbox (subscription_id, group_key, item, due_at)"
            " values (1, 'a', '{}', %s)",
            [at],
        )
        db.execute(
            "insert into data.delivery (subscription_id, group_key, payload, created_at, next_at,"
            " delivered_at, failed_at) values (1, %s, '{}', %s, %s, null, null),"
            " (1, %s, '{}', %s, %s, %s, null), (1, %s, '{}', %s, %s, null, %s)",
            [str(hours), at, at, *("b", long_ago, at, at), *("c", long_ago, at, at)],
        )
    assert db.execute(backlog, [NOW]).fetchall() == [
        ("late_samples", 15, timedelta(hours=3)),
        ("outbox", 3, timedelta(hours=3)),
        ("deliveries", 3, timedelta(hours=3)),
    ]
    rollups = db.execute(
        "select name, lag from internal.show_backlog(%s) where items is null", [NOW]
    ).fetchall()
    lags = {"sample_1h": timedelta(0)}
    assert rollups == [(f"refresh of {name}", lags.get(name)) for name in ROLLUPS]


def test_conflicts_are_counted_by_source_and_kind(db: Connection) -> None:
    ts = NOW.isoformat()
    for value in (1, 2, 2, 3):
        ingest_metrics(db, metric(value=value, ts=ts))
    db.execute("set local role supervisor_dba")
    assert db.execute("select kind, source, items, attempts from ops.conflicts").fetchall() == [
        ("cpu", "web", 2, 3)
    ]
