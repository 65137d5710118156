"""Metric items: what is taken, what is refused and by which name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    ago,
    ask,
    faults,
    ingest_metrics,
    metric,
    query_agg,
    receipt,
    refused,
)


def stored(db: Connection) -> list[tuple[object, ...]]:
    return db.execute("select ts, value from data.sample order by ts, series_id").fetchall()


def test_an_object_is_one_item(db: Connection) -> None:
    assert ingest_metrics(db, metric(value=2.5)) == receipt(1)
    assert stored(db) == [(NOW, 2.5)]


def test_an_empty_array_is_no_item(db: Connection) -> None:
    assert ingest_metrics(db, []) == receipt(0)


@pytest.mark.parametrize("body", ['"text"', "5", "true", "null"])
def test_a_body_that_is_no_list_of_items_is_refused(db: Connection, body: str) -> None:
    with refused(db, "body_is_items"):
        ingest_metrics(db, body)


@pytest.mark.parametrize(
    "fields", ['"value": 1, "value": 2', '"value": 1, "labels": {"a": "1", "a": "2"}']
)
@pytest.mark.parametrize("known", [False, True])
def test_a_key_named_twice_is_refused(db: Connection, fields: str, known: bool) -> None:
    if known:
        ingest_metrics(db, [metric(), metric(labels={"a": "2"})])
    with refused(db, "json_keys_repeated"):
        ingest_metrics(db, f'{{"name": "cpu", "source": "web", {fields}}}')


def test_nothing_is_stored_when_one_item_is_bad(db: Connection) -> None:
    assert faults(db, [metric(), metric(value="x")]) == [(1, "value", "value_finite")]
    assert stored(db) == []


def test_partial_stores_the_good_items_and_returns_the_bad(db: Connection) -> None:
    answer = ingest_metrics(db, [metric(value="x"), metric(), 5], partial=True)

    assert (answer["accepted"], answer["duplicate"]) == (1, 0)
    assert [(bad["index"], bad["slug"]) for bad in answer["rejected"]] == [
        (0, "value_finite"),
        (2, "item_is_object"),
    ]


def test_every_bad_item_has_its_index_field_and_rule(db: Connection) -> None:
    items = [
        metric(),
        5,
        None,
        [],
        metric(vaule=1),
        metric(value=None),
        metric(value=True),
        metric(name="1st"),
        metric(name="a" * 201),
        metric(name="Fact:Deal"),
        metric(name=7),
        metric(source=""),
        metric(source="a b"),
        metric(source="a\n"),
        metric(labels={"a": 1}),
        metric(labels={"1": "a"}),
        metric(labels=["a"]),
        metric(labels={f"l{n}": "x" for n in range(33)}),
        metric(labels={"a": "x" * 501}),
        metric(type="summary"),
        metric(type=5),
        metric(unit=""),
        metric(unit=5),
        metric(unit="a\tb"),
        metric(type="histogram"),
        metric(type="gauge", value={}),
        {},
    ]
    assert faults(db, items) == [
        (1, "", "item_is_object"),
        (2, "", "item_is_object"),
        (3, "", "item_is_object"),
        (4, "vaule", "item_fields_known"),
        (5, "value", "value_finite"),
        (6, "value", "value_finite"),
        (7, "name", "kind_name_well_formed"),
        (8, "name", "kind_name_well_formed"),
        (9, "name", "kind_prefix_matches_type"),
        (10, "name", "kind_name_well_formed"),
        (11, "source", "source_name_well_formed"),
        (12, "source", "source_name_well_formed"),
        (13, "source", "source_name_well_formed"),
        (14, "labels.a", "labels_well_formed"),
        (15, "labels.1", "labels_well_formed"),
        (16, "labels", "labels_well_formed"),
        (17, "labels", "labels_well_formed"),
        (18, "labels.a", "labels_well_formed"),
        (19, "type", "kind_type_known"),
        (20, "type", "kind_type_known"),
        (21, "unit", "kind_unit_well_formed"),
        (22, "unit", "kind_unit_well_formed"),
        (23, "unit", "kind_unit_well_formed"),
        (24, "type", "kind_type_settled"),
        (25, "type", "kind_type_settled"),
        (26, "name", "kind_name_well_formed"),
        (26, "source", "source_name_well_formed"),
        (26, "value", "value_finite"),
    ]


def test_a_boolean_is_no_name_of_a_metric_that_has_its_text_as_name(db: Connection) -> None:
    ingest_metrics(db, metric(name="true", ts=ago(minutes=2)))

    assert faults(db, metric(name=True)) == [(0, "name", "kind_name_well_formed")]


def test_null_is_as_good_as_absent(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=1)))

    again = metric(labels=None, type=None, unit=None, ts=ago(minutes=1))
    assert ingest_metrics(db, again) == receipt(0, duplicate=1)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("-0.0", 0.0),
        ("1e140", 1e140),
        ("-1e140", -1e140),
        ("1e-300", 0.0),
        ("5e-324", 0.0),
        ("1e-400", 0.0),
        ("0.1", 0.1),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
    ],
)
def test_numbers_of_every_size_are_kept(db: Connection, sent: str, kept: float) -> None:
    ingest_metrics(db, f'{{"name": "cpu", "source": "web", "value": {sent}}}')

    assert stored(db) == [(NOW, kept)]


@pytest.mark.parametrize("sent", ["1.1e140", "-1e141", "1e400"])
def test_numbers_that_are_too_large_are_refused(db: Connection, sent: str) -> None:
    body = f'{{"name": "cpu", "source": "web", "value": {sent}}}'

    assert faults(db, body) == [(0, "value", "value_finite")]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, NOW),
        (1749990000, datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
        (1749990000.25, datetime(2025, 6, 15, 12, 20, 0, 250000, tzinfo=UTC)),
        ("2025-06-15T12:20:00Z", datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
        ("2025-06-15t12:20:00z", datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
        ("2025-06-15 12:20:00Z", datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
        ("2025-06-15 17:50:00.5+05:30", datetime(2025, 6, 15, 12, 20, 0, 500000, tzinfo=UTC)),
        ("2025-06-15T12:20:00.123456Z", datetime(2025, 6, 15, 12, 20, 0, 123456, tzinfo=UTC)),
        ("2025-06-15T12:20:00.1234567Z", datetime(2025, 6, 15, 12, 20, 0, 123457, tzinfo=UTC)),
        ("2025-06-15T17:50:00+05:30", datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
        ("2025-06-15T17:50:00.5+05:30", datetime(2025, 6, 15, 12, 20, 0, 500000, tzinfo=UTC)),
        ("2025-06-15T05:20:00-07:00", datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
        ("2025-06-15T12:19:60Z", datetime(2025, 6, 15, 12, 20, tzinfo=UTC)),
    ],
)
def test_an_instant_is_rfc_3339_or_epoch_seconds(
    db: Connection, sent: object, kept: datetime
) -> None:
    ingest_metrics(db, metric(ts=sent))

    assert stored(db) == [(kept, 1.0)]


@pytest.mark.parametrize(
    "sent",
    [
        True,
        {},
        "",
        "tomorrow",
        "infinity",
        "1749990000",
        "2025-06-15",
        "2025-06-15T12:20:00",
        "2025-06-15  12:20:00Z",
        "2025-06-15T12:20Z",
        "2025-02-30T00:00:00Z",
        "2025-06-15T25:00:00Z",
        "2025-06-15T12:20:00+0530",
        "2025-06-15T12:20:00EST+05:00",
        "2025-06-15T12:20:00 America/New_York+05:00",
        "2025-06-15T12:20:00+99:00",
        "2025-06-15T.5:20:00Z",
        "2025-06-15T12:20:  Z",
        '2025-06-15T12:20:"Z',
        "2025-06-15T12:20:2.Z",
        "2025-06-15T12:20:0:.123Z",
        "2025-06-15T12:20:0-.123456+00:00",
        "2025-06-15T12:20:00+ 5:00",
        1e30,
    ],
)
def test_what_is_not_a_timestamp_is_refused_whether_the_series_is_known_or_not(
    db: Connection, sent: object
) -> None:
    refused = [(0, "ts", "ts_well_formed")]

    assert faults(db, metric(ts=sent)) == refused
    ingest_metrics(db, metric())
    assert faults(db, metric(ts=sent)) == refused


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    at=st.datetimes(min_value=datetime(2025, 4, 1), max_value=datetime(2025, 6, 15)),
    offset=st.integers(min_value=-15 * 60 + 1, max_value=15 * 60 - 1),
)
def test_every_isoformat_of_an_instant_is_read(db: Connection, at: datetime, offset: int) -> None:
    local = at.replace(tzinfo=UTC) + timedelta(minutes=offset)
    sign = "-" if offset < 0 else "+"
    text = f"{local:%Y-%m-%dT%H:%M:%S.%f}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"

    read = ask(db, "select internal.read_ts(to_jsonb(%s::text), %s)", text, NOW)

    assert read == at.replace(tzinfo=UTC)


def test_five_minutes_ahead_is_taken_and_not_more(db: Connection) -> None:
    edge = (NOW + timedelta(minutes=5)).isoformat()
    beyond = (NOW + timedelta(minutes=5, microseconds=1)).isoformat()

    assert ingest_metrics(db, metric(ts=edge)) == receipt(1)
    assert faults(db, metric(ts=beyond)) == [(0, "ts", "ts_not_in_future")]
    assert query_agg(db, window="1h")["count"] == 1


def test_ninety_days_ago_is_taken_and_not_earlier(db: Connection) -> None:
    assert ingest_metrics(db, metric(ts=ago(days=90))) == receipt(1)
    beyond = ago(days=90, microseconds=1)
    assert faults(db, metric(ts=beyond)) == [(0, "ts", "ts_within_retention")]


def test_the_same_series_and_instant_is_a_duplicate(db: Connection) -> None:
    item = metric(labels={"b": "2", "a": "1"}, ts=ago(minutes=1))
    other_order = metric(labels={"a": "1", "b": "2"}, ts=ago(minutes=1))

    assert ingest_metrics(db, [item, other_order]) == receipt(1, duplicate=1)
    assert ingest_metrics(db, item) == receipt(0, duplicate=1)


def test_another_value_at_the_same_instant_is_a_conflict_kept_apart(db: Connection) -> None:
    ingest_metrics(db, metric(value=1, ts=ago(minutes=1)))

    second = metric(value=2, ts=ago(minutes=1))
    assert ingest_metrics(db, second) == receipt(0, conflict=1)
    assert ask(db, "select item from data.conflict") == second
    assert query_agg(db)["sum"] == 1


def test_a_batch_may_conflict_with_itself(db: Connection) -> None:
    first, second = metric(value=1, ts=ago(minutes=1)), metric(value=2, ts=ago(minutes=1))

    assert ingest_metrics(db, [first, second, first]) == receipt(1, duplicate=1, conflict=1)


def test_sources_and_labels_make_separate_series(db: Connection) -> None:
    items = [
        metric(ts=ago(minutes=1)),
        metric(ts=ago(minutes=1), source="db"),
        metric(ts=ago(minutes=1), labels={"a": ""}),
        metric(ts=ago(minutes=1), labels={"a": "1"}),
    ]
    assert ingest_metrics(db, items) == receipt(4)
    assert ask(db, "select count(*) from data.series") == 4


def test_a_series_may_have_32_labels_of_the_longest_names_and_values(db: Connection) -> None:
    labels = {f"l{n:02}": "" for n in range(30)} | {"n" * 100: "", "v": "x" * 500}

    assert ingest_metrics(db, metric(labels=labels)) == receipt(1)
    # What is wrong with an item is looked at more closely, and its labels are not.
    assert faults(db, metric(value="x", labels=labels)) == [(0, "value", "value_finite")]
    for more in ({"one_more": ""}, {"n" * 101: ""}, {"v": "x" * 501}):
        (fault,) = ingest_metrics(db, metric(labels={**labels, **more}), partial=True)["rejected"][
            :1
        ]
        assert fault["slug"] == "labels_well_formed"


def test_a_kind_keeps_its_type(db: Connection) -> None:
    ingest_metrics(db, metric("visits", type="counter"))

    assert ingest_metrics(db, metric("visits", ts=ago(hours=1))) == receipt(1)
    assert faults(db, metric("visits", type="gauge")) == [(0, "type", "kind_type_settled")]
    assert faults(db, metric("visits", value={})) == [(0, "type", "kind_type_settled")]


def test_two_types_of_a_new_kind_in_one_batch_are_refused(db: Connection) -> None:
    items = [metric("new"), metric("new", source="db", type="counter")]

    assert faults(db, items) == [(1, "type", "kind_type_settled")]
    assert ask(db, "select count(*) from data.kind") == 0


def test_the_kinds_of_stored_items_and_of_duplicates_are_returned(db: Connection) -> None:
    call = "select kinds from api.ingest_metrics(%s::json, false, null, %s)"
    items = '[{"name": "a", "source": "s", "value": 1}, {"name": "b", "source": "s", "value": 1}]'

    assert sorted(ask(db, call, items, NOW)) == ["a", "b"]
    assert sorted(ask(db, call, items, NOW)) == ["a", "b"]
