"""The reading of plain metrics: it takes what is common, and agrees with the check of all items."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection, DataError

from tests.sql.calls import (
    NOW,
    Item,
    ago,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
)

PLAIN = """
select plain from internal.read_plain_metrics(%s::json, %s, null)
"""
STORED_ALONE = """
select answer is not null from internal.store_plain_item(%s::json, %s)
"""
ROLLED_UP = """
insert into _timescaledb_catalog.continuous_aggs_invalidation_threshold (hypertable_id, watermark)
select id, _timescaledb_functions.to_unix_microseconds(%s)
from _timescaledb_catalog.hypertable
where schema_name = 'data' and table_name = 'sample'
on conflict (hypertable_id) do update set watermark = excluded.watermark
"""
# What the reading of one item and that of a batch make of the same body, where both find it plain.
BOTH = """
select
    item.plain,
    batch.plain and batch.oldest > %(now)s - interval '15 minutes',
    case
        when item.plain
            then row(
                item.series_id, item.kind_id, item.kind_name, item.ts, item.value, item.counter
            )::text
    end,
    case
        when item.plain
            then row(
                sample.series_id, sample.kind_id, batch.kind_names[1], sample.ts, sample.value,
                sample.counter
            )::text
    end
from internal.read_plain_metrics(%(body)s::json, %(now)s, null) as batch
left join lateral internal.unnest_samples(batch.samples) as sample on true
left join lateral internal.read_plain_item(%(body)s::json, %(now)s, null) as item on true
"""
# The items of which the two make something else.
DIFFERENCES = """
select json_agg(checked)
from (
    select
        checked.item,
        checked.good,
        checked.value,
        plain.value as reading,
        checked.ts,
        plain.ts as instant
    from (
        select
            sample.*,
            coalesce((body.histograms[sample.place]).observations, 1) as observations,
            (body.histograms[sample.place]).low,
            (body.histograms[sample.place]).high,
            (body.histograms[sample.place]).sketch,
            (body.histograms[sample.place]).sketch_other
        from internal.read_plain_metrics(%(body)s::json, %(now)s, null) as body
        cross join lateral internal.unnest_samples(body.samples) as sample
        where body.plain
    ) as plain
    full join internal.check_metrics(
        internal.read_items(internal.read_body(%(body)s::json)), %(now)s
    ) as checked on plain.place = checked.place + 1
    where
        not (checked.good and checked.settled)
        or (plain.series_id, plain.kind_id, plain.counter, plain.ts, plain.value::text)
        is distinct from
        (checked.series_id, checked.kind_id, checked.counter, checked.ts, checked.value::text)
        or (plain.observations, plain.low, plain.high, plain.sketch, plain.sketch_other)
        is distinct from
        (
            checked.observations, checked.low, checked.high, checked.sketch, checked.sketch_other
        )
) as checked
"""
REGISTERED = [
    metric(unit="s"),
    metric(source="5"),
    metric(source="true"),
    metric(source="Zürich", labels={"a": "x,y", "b": "{}"}),
    metric(labels={"a": "b"}),
    metric("null"),
    metric(source="a,b"),
    metric(source="10.0.0.1"),
    metric("total", type="counter"),
    histogram([1, 2], [1, 0, 2], 5),
]


@pytest.fixture
def known(db: Connection) -> Connection:
    ingest_metrics(db, REGISTERED, now=NOW)
    ingest_facts(db, fact(), now=NOW)
    return db


def is_plain(conn: Connection, body: object) -> bool:
    return bool(ask(conn, PLAIN, body if isinstance(body, str) else json.dumps(body), NOW))


@pytest.mark.parametrize(
    "item",
    [
        metric(),
        metric(value=-0.5, ts=ago(hours=3)),
        metric(value=1e-7, ts="2025-06-15T12:34:56.789Z"),
        metric(value=1e22, ts="2025-06-15T12:34:56Z"),
        metric(value=0, ts="2025-06-15 14:34:56.123456789+02:00"),
        metric(unit="seconds", type="gauge"),
        metric("total", type="counter"),
        metric("total", value=7),
        metric("total", value=0),
        metric(ts="2025-06-15T12:34:56.789012+00:00"),
        metric(ts=(NOW + timedelta(minutes=5)).isoformat()),
        metric(ts=ago(hours=1)),
        metric(ts=ago(days=90)),
        metric(ts=1749988800),
        metric(ts=1749988799.999999),
        metric(source="10.0.0.1"),
        metric(source="Zürich", labels={"a": "x,y", "b": "{}"}),
        metric(labels={}),
        histogram([1, 2], [1, 0, 2], 5),
        histogram([0.5], [0, 0], 0),
        histogram([-1, 0.001], [3, 2, 0], -7.5),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_common_items_are_plain(known: Connection, item: Item, indent: int | None) -> None:
    assert is_plain(known, json.dumps(item, indent=indent))
    assert is_plain(known, json.dumps([metric(), item, item], indent=indent, ensure_ascii=False))


@pytest.mark.parametrize(
    "item",
    [
        {},
        5,
        metric(value=None),
        metric(value="1"),
        metric(value=1e140),
        metric(value=-1e140),
        metric(ts=(NOW + timedelta(minutes=5, microseconds=1)).isoformat()),
        metric(ts=ago(days=90, microseconds=1)),
        metric(ts="tomorrow"),
        metric(ts="1749988800"),
        metric(ts=1e300),
        metric(ts=0),
        metric(ts=True),
        metric(ts=[ago(hours=1)]),
        metric(ts="2025-02-30T00:00:00Z"),
        metric(ts="2025-06-15T12:34:56.12/456+00:00"),
        metric(ts=ago(days=-1)),
        metric(ts=ago(days=100)),
        metric(source=5),
        metric(source=True),
        metric(source="new"),
        metric(labels={"a": "new"}),
        metric(labels='{"a": "b"}'),
        metric(unit="By"),
        metric(type="counter"),
        metric("total", unit="s"),
        metric("total", value=-1),
        metric(colour="red"),
        metric("Fact:Deal", source="crm"),
        metric(value={"bounds": [1, 2], "counts": [1, 0, 2], "sum": 5, "count": 3}),
        metric("latency"),
        metric("latency", value={}),
        histogram([1, 2], [0, 1, 2], 3),
        histogram([2, 1], [1, 0, 2], 5),
        histogram([1, 2], [1, 2], 3),
    ],
)
def test_what_may_be_otherwise_is_not_plain(known: Connection, item: object) -> None:
    assert not is_plain(known, [metric(), item])


@pytest.mark.parametrize("value", ["1e-300", "-1e-100", "0." + "0" * 99 + "1", '"1"', "true"])
def test_a_value_that_may_be_near_zero_or_no_number_is_not_plain(
    known: Connection, value: str
) -> None:
    body = '{"name": "cpu", "source": "web", "value": %s}'

    assert is_plain(known, body % 1)
    assert not is_plain(known, body % value)


def test_no_items_and_too_many_are_not_plain(known: Connection) -> None:
    assert ask(known, PLAIN, "[]", NOW) is False
    assert is_plain(known, [metric()] * 10_000)
    assert not is_plain(known, [metric()] * 10_001)


def spelled(value: object) -> list[str]:
    return [json.dumps(value), json.dumps(value, ensure_ascii=False)]


NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "1.50",
    "1E5",
    "1e-7",
    "-2.5e-310",
    "1e-400",
    "1e400",
    "1e140",
    "-123",
]
NUMBERS += ["99999999999999999999", "0.1234567890123456789", "9.999999999999999e139", "1e-0300"]
TOKENS: dict[str, list[str]] = {
    "name": [
        *spelled("cpu"),
        *spelled("total"),
        '"c\\u0070u"',
        '"latency"',
        '"null"',
        '"Fact:Deal"',
    ],
    "source": [*spelled("web"), '"5"', "5", "true", '"true"', *spelled("Zürich"), '"crm"'],
    "value": [*NUMBERS, '"1"', "null", "true", "{}", "[1]", '"-1"'],
    "ts": [
        *spelled(NOW.isoformat()),
        '"2025-06-15T12:00:00Z"',
        '"2025-06-15T12:00:00.5Z"',
        '"2025-06-15T12:00:00.123Z"',
        '"2025-06-15T12:00:00.12 Z"',
        '"2025-06-15T12:00:00.1 3456+00:00"',
        '"2025-06-15t12:00:00z"',
        '"2025-06-15T12:00:00.123456+02:00"',
        '"2025-06-15T12:00:00+00"',
        '"2025-06-31T12:00:00Z"',
        '"\\u0032025-06-15T12:00:00Z"',
        '"2025-06-15"',
        "1749988800",
        "1749988799.9999995",
        "17499888e2",
        "-1e400",
        "1e-310",
        "true",
        '["2025-06-15T12:00:00Z"]',
        '"2025-06-15\\t12:00:00Z"',
        '"2025-06-15T12:33:\\"Z"',
        '"2025-06-15T12:33:\\/Z"',
        '"2025-06-15T.5:33:20Z"',
        '"2025-06-15T12:33:2-.789Z"',
        '"2025-06-15T12:33: 1.123456+00:00"',
        "null",
        '"1749988800"',
        '"2021-06-15T12:00:00Z"',
        '"2025-06-15T12:39:56.790+00:00"',
    ],
    "labels": [
        '{"a":"b"}',
        '{ "a" : "b" }',
        '{"a":"b","a":"b"}',
        *spelled({"b": "{}", "a": "x,y"}),
        "{}",
        "null",
        "[]",
        '"{}"',
        '{"a":1}',
        '{"":"b"}',
    ],
    "type": ['"gauge"', '"counter"', "null", "5", '"\\u0067auge"'],
    "unit": ['"s"', '"seconds"', '"ms"', "null", "5"],
    "colour": ['"red"', "null"],
}


@st.composite
def spelled_items(draw: st.DrawFn) -> str:
    fields = [("name", '"cpu"'), ("source", '"web"'), ("value", draw(st.sampled_from(NUMBERS[:6])))]
    for name in draw(st.lists(st.sampled_from(list(TOKENS)), max_size=2)):
        token = draw(st.sampled_from(TOKENS[name]))
        keep = [field for field in fields if field[0] != name]
        # Now and then the key is there twice.
        fields = [*(fields if draw(st.integers(0, 9)) == 0 else keep), (name, token)]
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")]))
    return "{" + comma.join(f'"{name}"{colon}{token}' for name, token in fields) + "}"


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(items=st.lists(spelled_items(), min_size=1, max_size=4), alone=st.booleans())
@example(items=['{"name":"cpu","source":5,"value":1,"value":2}'], alone=True)
@example(items=['{"name":"cpu","source":"a\\u002cb","value":1,"x":2}'], alone=True)
@example(
    items=['{"name":"cpu","source":"web"}', '{"name":"cpu","source":"web","value":1,"x":2}'],
    alone=False,
)
def test_what_is_read_as_plain_is_what_the_check_finds_good(
    known: Connection, items: list[str], alone: bool
) -> None:
    body = items[0] if alone else "[" + ",".join(items) + "]"
    if is_plain(known, body):
        row = known.execute(DIFFERENCES, {"body": body, "now": NOW}).fetchone()
        assert row == (None,)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(item=spelled_items(), alone=st.booleans())
@example(item='{"name":"cpu","source":"web","value":1,"value":2}', alone=True)
@example(item='{"name":"cpu","source":"web","value":1,"x":2}', alone=False)
@example(
    item='{"name":"cpu","source":"web","value":1,"labels":{"a":"b"},"ts":1749988800}', alone=True
)
def test_one_item_is_read_as_in_a_batch(known: Connection, item: str, alone: bool) -> None:
    body = item if alone else f"[{item}]"
    try:
        with known.transaction():
            row = known.execute(BOTH, {"body": body, "now": NOW}).fetchone()
    except DataError:
        assert not is_plain(known, body)
    else:
        assert row is not None
        assert row[0::2] == row[1::2]


@pytest.mark.parametrize(
    "body",
    [
        [metric(), metric()],
        [],
        histogram([1, 2], [1, 0, 2], 5),
        metric(value=[1], ts=[ago(minutes=1)]),
        metric(ts=ago(minutes=15)),
        metric(ts="2025-02-30T00:00:00Z"),
        metric(),
    ],
)
def test_what_is_not_one_new_item_of_a_gauge_or_counter_is_not_stored_alone(
    known: Connection, body: object
) -> None:
    ingest_metrics(known, metric(), now=NOW)
    before = ask(known, "select count(*) from data.sample")

    assert not ask(known, STORED_ALONE, json.dumps(body), NOW)
    assert ask(known, "select count(*) from data.sample") == before
    new = metric(ts=ago(minutes=15, microseconds=-1))
    assert ask(known, STORED_ALONE, json.dumps(new), NOW)
    assert ask(known, "select count(*) from data.sample") == before + 1


def test_a_new_item_is_late_where_what_is_so_new_has_been_rolled_up(known: Connection) -> None:
    known.execute(ROLLED_UP, [NOW + timedelta(hours=1)])
    new = metric(ts=ago(minutes=1))

    assert not ask(known, STORED_ALONE, json.dumps(new), NOW)
    assert ingest_metrics(known, new, now=NOW)["accepted"] == 1
    assert ask(known, "select sum(samples) from data.late_hour") == 1
