"""Items with arrays of samples: the same as an item for each of them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    Json,
    ago,
    ask,
    fact,
    faults,
    histogram,
    ingest_metrics,
    metric,
    receipt,
)
from tests.sql.test_bound_sources import bound
from tests.sql.test_plain_metrics import NUMBERS, TOKENS, is_plain
from tests.sql.together import ingest_together

STORED = """
select series_id, ts, value, observations, counter, low, high, sketch, sketch_other
from data.sample
order by series_id, ts
"""
TIMES = [ago(seconds=3), ago(seconds=2), ago(seconds=1)]


def listed(**more: object) -> Item:
    """An item of three samples."""
    return {**metric(value=[1, 2.5, -3], ts=TIMES), **more}


@pytest.fixture
def known(db: Connection) -> Connection:
    items = [metric(), metric("total", type="counter"), histogram([1, 2], [1, 0, 2], 5)]
    ingest_metrics(db, items, now=NOW - timedelta(hours=1))
    return db


@pytest.mark.parametrize("series", [{}, {"source": "new"}, {"name": "total", "value": [1, 2, 0]}])
def test_every_sample_is_stored(known: Connection, series: Item) -> None:
    item = listed(**series)
    assert ingest_metrics(known, [item, metric("total", value=7)]) == receipt(4)

    rows = known.execute(
        "select sample.ts, sample.value from data.sample inner join data.series using (series_id)"
        " inner join data.source using (source_id) inner join data.kind"
        " on kind.kind_id = sample.kind_id"
        " where (kind.name, source.name) = (%s, %s) and sample.ts between %s and %s order by ts",
        [item["name"], item["source"], TIMES[0], TIMES[-1]],
    ).fetchall()
    assert [value for _, value in rows] == item["value"]
    assert [ts.isoformat() for ts, _ in rows] == TIMES


@pytest.mark.parametrize(
    "item",
    [
        listed(),
        listed(name="total", value=[0, 1e22, 5]),
        listed(labels={}, type="gauge"),
        listed(value=[-0.0, 1e-7, 0]),
        listed(ts=["2025-06-15T11:34:56.789Z", "2025-06-15T11:34:56Z", ago(days=90)]),
        listed(ts=[NOW.timestamp() - 0.25, int(NOW.timestamp()), 1.749e9]),
        metric(value=[1], ts=[(NOW + timedelta(minutes=5)).isoformat()]),
        metric(ts=NOW.isoformat()),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_common_lists_are_plain(known: Connection, item: Item, indent: int | None) -> None:
    assert is_plain(known, json.dumps(item, indent=indent))
    assert is_plain(known, json.dumps([listed(), item, item], indent=indent))


@pytest.mark.parametrize(
    "item",
    [
        5,
        metric(),
        metric(value=[1], ts=TIMES[0]),
        metric(value=1, ts=TIMES[:1]),
        metric(value="1", ts=TIMES[0]),
        metric(value=[1], ts=[{"2025-06-15T1": "1:00:00Z"}]),
        listed(ts=TIMES[:2]),
        listed(ts=[*TIMES[:2], "tomorrow"]),
        listed(ts=[*TIMES[:2], 5]),
        listed(ts=[*TIMES[:2], "1749988800"]),
        listed(ts=[*TIMES[:2], "2025-06-15\t11:34:56Z"]),
        listed(ts=[*TIMES[:2], None]),
        listed(ts=[1749988800, 1749988801, None]),
        listed(ts=[1749988800, 1749988801, 1e300]),
        listed(ts=[1749988800, 1749988801, 0]),
        listed(ts=[TIMES]),
        listed(ts=[TIMES[:2], TIMES[2:]]),
        listed(ts=[*TIMES[:2], (NOW + timedelta(minutes=5, microseconds=1)).isoformat()]),
        listed(ts=[*TIMES[:2], ago(days=90, microseconds=1)]),
        listed(value=[1, 2]),
        listed(value=[[1, 2, 3]]),
        listed(value=[1, None, 3]),
        listed(value=[1, "2", 3]),
        listed(value=[1, True, 3]),
        listed(value=[1, 1e140, 3]),
        listed(value=[1, -1e140, 3]),
        listed(value=[1, 1e-100, 3]),
        listed(value=[], ts=[]),
        listed(name="total"),
        listed(name="latency"),
        listed(source="new"),
        listed(labels={"a": "new"}),
        listed(type="counter"),
        listed(colour=None),
    ],
)
def test_what_may_be_otherwise_is_not_plain(known: Connection, item: object) -> None:
    assert not is_plain(known, [listed(), item])


def test_a_repeated_key_is_not_plain(known: Connection) -> None:
    body = json.dumps(listed())
    assert not is_plain(known, body[:-1] + f', "value": {json.dumps([1, 2, 3])}}}')


@pytest.mark.parametrize(
    "item",
    [
        '"value":[1.{digits}],"ts":["2025-06-15T11:00:00Z"]',
        '"value":[1],"ts":[1749988800.{digits}]',
        '"value":1,"ts":1749988800.{digits}',
    ],
)
def test_a_number_of_more_digits_than_jsonb_reads_is_not_plain(
    known: Connection, item: str
) -> None:
    body = f'{{"name":"cpu","source":"web",{item}}}'
    assert is_plain(known, body.replace("{digits}", "1"))
    assert not is_plain(known, body.replace("{digits}", "1" * 20_000))


def tokens(name: str, *more: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*TOKENS[name], *more])


@st.composite
def spelled_lists(draw: st.DrawFn) -> str:
    """An item whose ts and value are arrays, mostly of as many elements."""
    good = st.sampled_from([*map(json.dumps, TIMES), '{"2025-06-15T1":"1:00:00Z"}'])
    if draw(st.booleans()):
        good = st.sampled_from(["1749988800", "1749988799.999999", "1.7499e9", "17499888e2"])
    values = draw(st.lists(st.sampled_from(NUMBERS[:6]) | tokens("value"), max_size=3))
    times = [draw(good | tokens("ts")) for _ in values]
    if draw(st.integers(0, 9)) == 0:
        times.append('"2025-06-15T12:00:00Z"')
    fields = {
        "name": '"cpu"',
        "source": '"web"',
        "value": f"[{','.join(values)}]",
        "ts": f"[ {' , '.join(times)} ]",
    }
    for name in draw(st.lists(st.sampled_from(["name", "source", "labels", "type", "unit"]))):
        fields[name] = draw(tokens(name))
    return "{" + ", ".join(f'"{name}": {token}' for name, token in fields.items()) + "}"


DIFFERENCES = """
select count(*)
from (
    select sample.*
    from internal.read_plain_metrics(%(body)s::json, %(now)s, null) as body
    cross join lateral internal.unnest_samples(body.samples) as sample
    where body.plain
) as plain
full join internal.check_metrics(
    internal.split_samples(internal.read_items(internal.read_body(%(body)s::json))), %(now)s
) as checked on plain.place = checked.place + 1
where
    not (checked.good and checked.settled)
    or (plain.series_id, plain.kind_id, plain.counter, plain.ts, plain.value::text)
    is distinct from
    (checked.series_id, checked.kind_id, checked.counter, checked.ts, checked.value::text)
"""


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(items=st.lists(spelled_lists(), min_size=1, max_size=3), alone=st.booleans())
@example(
    items=['{"name":"cpu","source":"web","value":[1],"ts":["2025-06-15T12:00:00Z"]}'], alone=True
)
@example(
    items=['{"name":"cpu","source":"web","value":[-0],"ts":["2025-06-15T12:00:00Z"]}'], alone=True
)
def test_what_is_read_as_plain_is_what_the_check_finds_good(
    known: Connection, items: list[str], alone: bool
) -> None:
    body = items[0] if alone else "[" + ",".join(items) + "]"
    if is_plain(known, body):
        row = known.execute(DIFFERENCES, {"body": body, "now": NOW}).fetchone()
        assert row == (0,)


SAMPLES: st.SearchStrategy[list[tuple[object, object]]] = st.lists(
    st.tuples(
        st.sampled_from([*TIMES, "2025-06-15\t12:00:00Z", "tomorrow", 5, 1.749e9, ago(days=100)]),
        st.sampled_from([0, 1, 2.5, -3, 1e-310, "1", None, True, 1e140]),
    ),
    min_size=1,
    max_size=4,
)
SERIES: st.SearchStrategy[Item] = st.sampled_from(
    [{}, {"source": "new"}, {"name": "total"}, {"name": "a b"}, {"unit": "s"}, {"colour": "red"}]
)


def outcome(conn: Connection, items: list[Item], partial: bool) -> tuple[Json, list[Any]]:
    """What a batch is answered, and what is stored then; nothing remains."""
    with conn.transaction(force_rollback=True):
        try:
            with conn.transaction():
                answer = ingest_metrics(conn, items, partial=partial)
        except psycopg.Error as error:
            answer = {"rejected": json.loads(error.diag.message_detail or "{}")["items"]}
        return answer, conn.execute(STORED).fetchall()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lists=st.lists(st.tuples(SERIES, SAMPLES), min_size=1, max_size=3),
    partial=st.booleans(),
)
@example(lists=[({}, [(TIMES[0], 1), (TIMES[0], 1), (TIMES[0], 2)])], partial=False)
@example(lists=[({"name": "a b"}, [(TIMES[0], 1), (TIMES[1], 1)])], partial=True)
def test_an_item_of_several_samples_is_as_many_items(
    known: Connection, lists: list[tuple[Item, list[tuple[object, object]]]], partial: bool
) -> None:
    whole: list[Item] = [
        {**metric(), **series, "ts": [ts for ts, _ in samples], "value": [v for _, v in samples]}
        for series, samples in lists
    ]
    single: list[Item] = [
        {**metric(), **series, "ts": ts, "value": value}
        for series, samples in lists
        for ts, value in samples
    ]
    owner = [
        (place, number)
        for place, (_, samples) in enumerate(lists)
        for number in range(len(samples))
    ]

    answer, rows = outcome(known, whole, partial)
    expected, expected_rows = outcome(known, single, partial)
    rejected = {
        (bad["index"], bad["field"], bad["slug"], bad["detail"]) for bad in answer.pop("rejected")
    }
    expected_rejected = set()
    for bad in expected.pop("rejected"):
        place, number = owner[bad["index"]]
        suffix = f"[{number}]" if bad["field"] in {"ts", "value"} else ""
        expected_rejected.add((place, bad["field"] + suffix, bad["slug"], bad["detail"]))
    assert (answer, rejected) == (expected, expected_rejected)
    # Of a new series, only the number differs.
    assert [row[1:] for row in rows] == [row[1:] for row in expected_rows]


@pytest.mark.parametrize(
    ("item", "field", "detail"),
    [
        (listed(ts=TIMES[:2]), "value", "value has 3 elements and ts has 2."),
        (listed(value=[], ts=[]), "value", "value has 0 elements and ts has 0."),
        (metric(value=[1, 2]), "ts", "value is an array. Send ts as an array of the same length."),
        (listed(ts=None), "ts", "value is an array. Send ts as an array of the same length."),
        (listed(ts=TIMES[0]), "ts", "value is an array. Send ts as an array of the same length."),
        (listed(value=3), "value", "ts is an array. Send value as an array of the same length."),
        (listed(value=None), "value", "ts is an array. Send value as an array of the same length."),
        (listed(value="3"), "value", "ts is an array. Send value as an array of the same length."),
        (listed(ts=[*TIMES[:2], None]), "ts[2]", "The element is null."),
        (listed(ts=[TIMES[0], True, TIMES[2]]), "ts[1]", "The element is a boolean."),
        (listed(ts=[[TIMES[0]], *TIMES[1:]]), "ts[0]", "The element is an array."),
        (listed(value=[1, 2, [3]]), "value[2]", "The element is an array."),
        (listed(value=[1, {}, 3]), "value[1]", "The element is an object. A histogram is"),
    ],
)
@pytest.mark.parametrize("source", ["web", "new"])
def test_arrays_that_do_not_fit_each_other_are_refused(
    known: Connection, item: Item, field: str, detail: str, source: str
) -> None:
    answer = ingest_metrics(known, [metric(), {**item, "source": source}], partial=True)
    assert answer["accepted"] == 1
    [rejected] = answer["rejected"]
    assert (rejected["index"], rejected["field"], rejected["slug"]) == (1, field, "samples_paired")
    assert rejected["detail"].startswith(detail)


def test_what_all_samples_of_an_item_break_is_named_once(known: Connection) -> None:
    assert faults(known, [metric(), listed(name="a b", value=[1, "2", 3])]) == [
        (1, "name", "kind_name_well_formed"),
        (1, "value[1]", "value_finite"),
    ]


def test_every_sample_counts_towards_the_limit(known: Connection) -> None:
    def of(samples: int) -> Item:
        times = [ago(milliseconds=number) for number in range(samples)]
        return metric(value=[1] * samples, ts=times)

    assert ingest_metrics(known, [of(9_999), metric("total")]) == receipt(10_000)
    for items in ([of(10_001)], [of(10_000), metric("total")], [metric("new"), of(10_000)]):
        refused = pytest.raises(
            psycopg.Error, match=r"the batch has 10001 samples; the limit is 10000"
        )
        with refused, known.transaction():
            ingest_metrics(known, items)


def test_only_the_sample_that_differs_is_a_conflict(known: Connection) -> None:
    ingest_metrics(known, listed())
    changed = listed(value=[1, 9, -3])

    assert ingest_metrics(known, changed) == receipt(0, duplicate=2, conflict=1)
    kept = ask(known, "select item from data.conflict")
    assert (kept["ts"], kept["value"]) == (TIMES[1], 9)


def test_small_requests_with_arrays_share_a_statement(known: Connection) -> None:
    epochs = metric(value=[1, 2], ts=[NOW.timestamp() - 9, NOW.timestamp() - 8])
    bodies = [listed(), metric("total"), [listed(name="total", value=[1, 2, 3])], epochs]
    answers = ingest_together(known, "ingest_metrics_together", bodies, None)
    assert answers == [receipt(3), receipt(1), receipt(3), receipt(2)]


@pytest.mark.parametrize(
    "field",
    [
        '"value":[2]',
        '"labels":{"a":"\\u0000"}',
        '"unit":1e400000',
        '"unit":1e131071',
        '"colour":"red"',
    ],
)
def test_a_body_that_cannot_be_split_is_sent_alone(known: Connection, field: str) -> None:
    body = f'{{"name":"cpu","source":"web","value":[1],"ts":["2025-06-15T11:00:00Z"],{field}}}'
    with known.transaction():
        shared = ingest_together(known, "ingest_metrics_together", [body, metric("total")], None)
    assert shared is None


@pytest.mark.parametrize("more", [{"labels": {"a": "x" * 40_000}}, {"colour": "x" * 7_000_000}])
def test_what_every_sample_would_repeat_is_limited(known: Connection, more: Item) -> None:
    times = [ago(milliseconds=number) for number in range(9_000)]
    refused = pytest.raises(
        psycopg.Error, match=r"bytes when every sample is an item; the limit is"
    )
    with refused, known.transaction():
        ingest_metrics(known, metric(ts=times, value=[1] * 9_000, **more))


def test_every_bad_item_of_many_is_named(known: Connection) -> None:
    answer = ingest_metrics(known, [listed(ts=TIMES[:1])] * 1_500, partial=True)
    assert len(answer["rejected"]) == 1_500
    assert {entry["index"] for entry in answer["rejected"]} == set(range(1_500))


def test_items_of_other_sources_are_named_by_their_place(db: Connection) -> None:
    with bound(db, "web"):
        answer = ingest_metrics(db, [listed(), listed(source="other")], partial=True)
    assert answer["accepted"] == 3
    assert [(bad["index"], bad["field"], bad["slug"]) for bad in answer["rejected"]] == [
        (1, "source", "source_of_key")
    ]


def test_a_fact_has_one_value(known: Connection) -> None:
    assert [slug for *_, slug in faults(known, fact(value=[1, 2], ts=TIMES[:2]), facts=True)] == [
        "ts_well_formed",
        "value_finite",
    ]
