"""Aggregates with the named fields only."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Json,
    ago,
    ask,
    histogram,
    ingest_metrics,
    mark_rolled_up,
    metric,
    query_agg,
    refused,
)

HEAD = ["kind", "type", "unit", "window", "from", "to"]
STATISTICS = ["count", "sum", "avg", "min", "max", "stddev", "last", "p50", "p90", "p95", "p99"]
FIELDS = [
    *STATISTICS,
    "rate_per_second",
    "previous",
    "change",
    "groups",
    "freshness",
    "error_bound",
]


@pytest.fixture
def samples(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            *(metric(value=n, ts=ago(minutes=n)) for n in range(1, 9)),
            *(metric(value=n, source="db", ts=ago(minutes=60 + n)) for n in range(1, 9)),
            *(metric("balance", value=n, ts=ago(minutes=70 + n)) for n in (-4, -2, 2, 4)),
            metric("visits", value=5, type="counter", ts=ago(minutes=9)),
            histogram([1, 2], [1, 2, 3], 12, ts=ago(minutes=5)),
        ],
    )


def pick(answer: Json, fields: list[str]) -> Json:
    """The named members of a whole answer."""
    named = [name for name in fields if name in (*STATISTICS, "rate_per_second")]
    inside = {"group", "from", "to", *(named or [*STATISTICS, "rate_per_second"])}
    picked: Json = {}
    for name, value in answer.items():
        if name not in (*HEAD, "computed_at", *fields):
            continue
        if name in ("previous", "change"):
            picked[name] = {key: part for key, part in value.items() if key in inside}
        elif name == "groups":
            picked[name] = [
                {key: part for key, part in group.items() if key in inside} for group in value
            ]
        else:
            picked[name] = value
    return picked


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["count"],
        ["p95"],
        ["last", "change"],
        ["previous"],
        ["change"],
        ["groups"],
        ["groups", "sum", "p50"],
        ["previous", "avg"],
        ["freshness", "error_bound"],
        ["p99", "error_bound"],
        ["count", "count"],
        FIELDS,
    ],
)
@pytest.mark.parametrize("kind", ["cpu", "balance", "visits", "latency", None])
def test_named_fields_are_those_of_the_whole_answer(
    db: Connection, kind: str | None, fields: list[str]
) -> None:
    for group_by in (None, "source"):
        whole = query_agg(db, kind, "1h", group_by=group_by)
        named = query_agg(db, kind, "1h", group_by=group_by, fields=fields)
        expected = fields if group_by is None else [*fields, "groups"]
        if kind is None:
            assert named["kinds"] == [pick(member, expected) for member in whole["kinds"]]
        else:
            assert named == pick(whole, expected)


@pytest.mark.usefixtures("samples")
def test_grouping_adds_groups_to_the_named_fields(db: Connection) -> None:
    answer = query_agg(db, "cpu", "24h", group_by="source", fields=["count"])
    assert answer["groups"] == [{"group": "db", "count": 8}, {"group": "web", "count": 8}]


@pytest.mark.usefixtures("samples")
def test_no_list_of_fields_means_all_in_the_documented_order(db: Connection) -> None:
    assert list(query_agg(db, "cpu", "1h")) == [*HEAD, *FIELDS, "computed_at"]


@pytest.mark.usefixtures("samples")
def test_fields_narrow_what_was_known_then(db: Connection) -> None:
    snapshot = query_agg(db, "cpu", "1h")
    ask(db, "select api.record_agg(%s)", json.dumps(snapshot))

    later = NOW + timedelta(hours=1)
    fields = ["max", "previous"]
    assert query_agg(db, "cpu", "1h", as_of=NOW, now=later, fields=fields) == pick(snapshot, fields)


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("unknown", ["p75", "", "COUNT", "kind", "previous.count"])
def test_an_unknown_field_is_refused_with_the_known_ones(db: Connection, unknown: str) -> None:
    with refused(db, "fields_known") as refusal:
        query_agg(db, "cpu", "1h", fields=["count", unknown])
    assert refusal.message == f'unknown field "{unknown}"'
    assert refusal.params["known"] == FIELDS
    assert "rate_per_second" in refusal.hint


@pytest.mark.usefixtures("samples")
def test_the_nearest_field_is_suggested(db: Connection) -> None:
    with refused(db, "fields_known") as refusal:
        query_agg(db, "cpu", "1h", fields=["rate_per_sec"])
    assert refusal.hint.startswith('Did you mean "rate_per_second"? ')


def test_what_is_late_below_the_watermark_is_pending(db: Connection) -> None:
    ingest_metrics(db, [metric("cpu"), metric("mem"), metric("disk")])
    mark = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    mark_rolled_up(db, mark)
    db.execute("truncate data.late_hour")
    for kind, hours, samples in (("cpu", 1, 3), ("cpu", 2, 4), ("cpu", 0, 16), ("mem", 1, 32)):
        db.execute(
            "insert into data.late_hour (kind_id, bucket, samples)"
            " select kind_id, %s, %s from data.kind where name = %s",
            [mark - timedelta(hours=hours), samples, kind],
        )

    pending = {
        kind["kind"]: kind["freshness"]["late_pending"] for kind in query_agg(db, None)["kinds"]
    }
    assert pending == {"cpu": 7, "mem": 32, "disk": 0}


NOTHING = {name: "0" if name in {"count", "rate_per_second"} else "null" for name in FIELDS[:12]}


@pytest.mark.parametrize("name", NOTHING)
def test_statistics_of_nothing_are_a_count_and_a_rate_of_zero_and_nulls(
    db: Connection, name: str
) -> None:
    members = ask(db, "select internal.statistics_members(null, %s)", [name])
    assert members == f'"{name}" : {NOTHING[name]}'


def test_a_change_to_nothing_is_one_of_the_count_and_the_rate(db: Connection) -> None:
    former = "row(1, null, 4, 8, 2, 1, 3, 1, 2, 2, 3, 3, 3, 0.5, null, null)::data.statistics"
    members = ask(db, f"select internal.change_members(null, {former}, null)")
    assert json.loads(f"{{{members}}}") == {
        name: -1 if name in {"count", "rate_per_second"} else None
        for name in NOTHING
        if name != "last"
    }


def test_only_the_changes_that_are_named_are_members(db: Connection) -> None:
    change = "select internal.change_member(%s, 'avg', 3, 2)"
    assert ask(db, change, None) == '"avg" : 0.5'
    assert ask(db, change, ["max", "avg"]) == '"avg" : 0.5'
    assert ask(db, change, ["max", "min"]) is None
    assert ask(db, "select internal.change_member(null, 'avg', 3, 0)") == '"avg" : null'
