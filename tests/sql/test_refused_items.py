"""Refused items: every rule that they break, with the field and a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    ago,
    as_body,
    ask,
    fact,
    faults,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    receipt,
    refused,
)


def details(db: Connection, items: object, *, facts: bool = False) -> dict[str, str]:
    """The sentence for each field of one bad item."""
    ingest = ingest_facts if facts else ingest_metrics
    return {bad["field"]: bad["detail"] for bad in ingest(db, items, partial=True)["rejected"]}


def test_every_broken_rule_of_an_item_is_reported(db: Connection) -> None:
    items = [
        metric(),
        {"name": "1st", "source": "a b", "value": "x", "unit": "", "ts": "soon", "extra": 1},
        {"type": "summary", "labels": {"1": 2}},
    ]
    assert faults(db, items) == [
        (1, "extra", "item_fields_known"),
        (1, "name", "kind_name_well_formed"),
        (1, "source", "source_name_well_formed"),
        (1, "ts", "ts_well_formed"),
        (1, "unit", "kind_unit_well_formed"),
        (1, "value", "value_finite"),
        (2, "labels.1", "labels_well_formed"),
        (2, "labels.1", "labels_well_formed"),
        (2, "name", "kind_name_well_formed"),
        (2, "source", "source_name_well_formed"),
        (2, "type", "kind_type_known"),
        (2, "value", "value_finite"),
    ]


def test_every_broken_rule_of_a_fact_is_reported(db: Connection) -> None:
    items = {"kind": "Deal", "fact_id": 5, "subject": "", "value": "x", "payload": [], "ts": "soon"}

    assert faults(db, items, facts=True) == [
        (0, "fact_id", "fact_id_well_formed"),
        (0, "kind", "fact_kind_well_formed"),
        (0, "payload", "payload_well_formed"),
        (0, "source", "source_name_well_formed"),
        (0, "subject", "subject_well_formed"),
        (0, "ts", "ts_well_formed"),
        (0, "value", "value_finite"),
    ]


@pytest.mark.parametrize(
    ("length", "fields"), [(1, ["value"]), (500, ["value"]), (501, ["subject", "value"])]
)
def test_a_subject_is_reported_only_where_its_length_is_wrong(
    db: Connection, length: int, fields: list[str]
) -> None:
    item = fact(subject="a" * length, value="x")

    assert [field for _, field, _ in faults(db, item, facts=True)] == fields


@pytest.mark.parametrize(
    ("labels", "field", "rule"),
    [
        ({"1": "a"}, "labels.1", "A label name has 1 to 100 characters"),
        ({"a" * 101: "a"}, "labels." + "a" * 100, "A label name has 1 to 100 characters"),
        ({"": "a"}, "labels.", "A label name has 1 to 100 characters"),
        ({"a": 1}, "labels.a", "The value of a label is a string, not a JSON number."),
        ({"a": None}, "labels.a", "The value of a label is a string, not a JSON null."),
        ({"a": "x" * 501}, "labels.a", "The value of a label has at most 500 characters."),
        ({f"l{n}": "" for n in range(33)}, "labels", "at most 32 labels; the item has 33."),
        ("a=b", "labels", "labels is an object of strings."),
    ],
)
def test_the_bad_label_is_named_with_its_rule(
    db: Connection, labels: object, field: str, rule: str
) -> None:
    named = details(db, metric(labels=labels))

    assert list(named) == [field]
    assert rule in named[field]


@pytest.mark.parametrize(
    ("value", "next_step"),
    [
        ("12.5", "Send the number 12.5 without quotation marks."),
        ("-3", "Send the number -3 without quotation marks."),
        ("1e9", "Send a number between -1e140 and 1e140."),
        ("high", "Send a number between -1e140 and 1e140."),
    ],
)
def test_a_value_in_quotation_marks_is_repeated_with_what_to_send(
    db: Connection, value: str, next_step: str
) -> None:
    assert details(db, metric(value=value)) == {
        "value": f'The value is the string "{value}". {next_step}'
    }


def test_a_long_value_in_quotation_marks_is_shown_in_part(db: Connection) -> None:
    assert details(db, metric(value="9" * 101)) == {
        "value": f'The value is the string "{"9" * 99}. Send a number between -1e140 and 1e140.'
    }


def test_a_source_that_a_key_is_not_bound_to_is_shown_in_part(db: Connection) -> None:
    db.execute("select set_config('supervisor.sources', 'web', true)")

    detail = ask(db, "select internal.source_fault(%s)", "x" * 201)
    assert detail == f'The source is "{"x" * 200}"; the credentials are bound to web.'


def test_an_unknown_field_is_answered_with_the_known_ones(db: Connection) -> None:
    named = details(db, {"name": "cpu", "source": "web", "valeu": 1, "host": "a"})

    known = "The fields are name, source, value, ts, labels, type, unit."
    assert named["valeu"] == f'Unknown field. Did you mean "value"? {known}'
    assert named["host"] == f"Unknown field. {known}"
    named = details(db, fact(payload={}, kinds="x"), facts=True)
    assert 'Did you mean "kind"? The fields are kind, source, fact_id,' in named["kinds"]


@pytest.mark.parametrize(
    ("ts", "unit", "factor"),
    [
        (1749990000123, "milliseconds", "1000"),
        ("1749990000123", "milliseconds", "1000"),
        (1749990000123456, "microseconds", "1000000"),
        (1749990000123456789, "nanoseconds", "1000000000"),
        (101_000_000_000, "milliseconds", "1000"),
    ],
)
def test_epoch_numbers_of_smaller_units_are_recognized(
    db: Connection, ts: int | str, unit: str, factor: str
) -> None:
    assert details(db, metric(ts=ts)) == {
        "ts": f"The number looks like {unit}. Divide it by {factor}."
    }


def test_epoch_seconds_in_quotation_marks_are_recognized(db: Connection) -> None:
    assert details(db, metric(ts="1749990000.5")) == {
        "ts": 'The ts is the string "1749990000.5". Send the number 1749990000.5 without quotation'
        " marks."
    }


def test_a_time_in_the_future_that_is_no_smaller_unit_is_not_called_one(db: Connection) -> None:
    assert details(db, metric(ts=NOW.timestamp() + 3600)) == {
        "ts": "The ts is more than 5 minutes ahead of the server's clock."
    }


def test_the_retention_is_named(db: Connection) -> None:
    assert "90 days" in details(db, metric(ts=ago(days=91)))["ts"]


def test_the_settled_type_is_named(db: Connection) -> None:
    ingest_metrics(db, metric("visits", type="counter"))

    assert details(db, metric("visits", type="gauge")) == {
        "type": "The kind is a counter; a kind keeps its first type."
    }
    for sent in ({}, {"type": "counter"}):
        assert details(db, metric("visits", value={}, **sent)) == {
            "type": "The value of a histogram is an object, the value of a gauge or counter a"
            " number."
        }


@pytest.mark.parametrize(
    ("item", "field", "slug"),
    [
        (metric("latency", value=None), "value", "histogram_well_formed"),
        (metric("new", value=None, type="histogram"), "value", "histogram_well_formed"),
        (metric("new", value=None, type="gauge"), "value", "value_finite"),
        (metric("visits", value=None), "value", "value_finite"),
        (metric("visits", value=0, more=1), "more", "item_fields_known"),
        (metric("visits", value=0.5, more=1), "more", "item_fields_known"),
        ({**histogram([1], [1, 2], 3), "more": 1}, "more", "item_fields_known"),
    ],
)
def test_only_the_rule_that_an_item_breaks_is_named(
    db: Connection, item: Item, field: str, slug: str
) -> None:
    ingest_metrics(db, [metric("visits", "db", type="counter"), histogram([1], [1, 2], 3)])

    assert faults(db, item) == [(0, field, slug)]


def test_a_receipt_counts_items_and_not_broken_rules(db: Connection) -> None:
    known = metric(ts=ago(minutes=1))
    ingest_metrics(db, known)

    bad = {"name": "1st", "source": "", "value": "x"}
    items = [known, bad, metric(value=9, ts=ago(minutes=1)), metric(ts=ago(minutes=2)), bad]
    answer = ingest_metrics(db, items, partial=True)
    assert len(answer["rejected"]) == 6
    assert {**answer, "rejected": []} == receipt(1, duplicate=1, conflict=1)
    with refused(db, "items_refused") as refusal:
        ingest_metrics(db, items)
    assert refusal.message == "2 of 5 items are invalid; nothing was stored"


@pytest.mark.parametrize(
    ("items", "bad", "said"),
    [
        (1, 1, "the item is invalid; nothing was stored"),
        (2, 1, "1 of 2 items is invalid; nothing was stored"),
        (2, 2, "2 of 2 items are invalid; nothing was stored"),
    ],
)
def test_invalid_items_are_counted_in_a_sentence(
    db: Connection, items: int, bad: int, said: str
) -> None:
    batch = [metric(value="x")] * bad + [metric()] * (items - bad)
    with refused(db, "items_refused") as refusal:
        ingest_metrics(db, batch)
    assert refusal.message == said


@pytest.mark.parametrize("facts", [False, True])
def test_every_bad_item_is_listed_and_the_first_thousand_in_full(
    db: Connection, facts: bool
) -> None:
    ingest, good = (ingest_facts, fact()) if facts else (ingest_metrics, metric())
    items = [good, *[{**good, "source": "", "value": "x"}] * 1500]

    answer = ingest(db, items, partial=True)
    assert (answer["accepted"], answer["duplicate"]) == (1, 0)
    indexes = [bad["index"] for bad in answer["rejected"]]
    assert indexes == sorted([*range(1, 1501), *range(1, 1001)])
    with refused(db, "items_refused") as refusal:
        ingest(db, items)
    assert [bad["index"] for bad in refusal.params["items"]] == indexes
    assert refusal.message.startswith("1500 of 1501 items")


def test_an_item_has_at_most_twenty_entries(db: Connection) -> None:
    answer = ingest_metrics(db, {f"field {n}": n for n in range(500)}, partial=True)
    assert len(answer["rejected"]) == 20


def test_a_long_name_does_not_make_a_long_answer(db: Connection) -> None:
    named = details(db, metric(labels={"é" * 100_000: "a"}, **{"x" * 100_000: 1}))

    assert sorted(len(field) for field in named) == [100, 107]


def test_a_non_string_source_is_refused_also_where_its_text_is_a_known_source(
    db: Connection,
) -> None:
    ingest_metrics(db, metric(source="5"))
    ingest_facts(db, fact(source="5"))

    assert faults(db, metric(source=5)) == [(0, "source", "source_name_well_formed")]
    assert faults(db, fact(source=5), facts=True) == [(0, "source", "source_name_well_formed")]


def test_a_known_fact_kind_takes_no_metric(db: Connection) -> None:
    ingest_facts(db, fact())

    items = metric("Fact:Deal", source="crm")
    assert faults(db, items) == [(0, "name", "kind_prefix_matches_type")]


@pytest.mark.parametrize("sent", [{}, {"type": "counter"}])
def test_a_counter_is_never_negative(db: Connection, sent: Item) -> None:
    ingest_metrics(db, metric("visits", value=-0.0, type="counter"))

    negative = metric("visits", value=-1e-9, **sent)
    assert faults(db, [metric("visits"), negative]) == [(1, "value", "counter_not_negative")]
    assert details(db, negative) == {
        "value": "A counter is never negative. Send what can be negative as a gauge, under another"
        " name."
    }


def test_a_new_counter_is_never_negative(db: Connection) -> None:
    items = [metric("visits", value=1, type="counter"), metric("visits", "db", value=-1)]

    assert faults(db, items) == [(1, "value", "counter_not_negative")]
    assert faults(db, metric("visits", value=-1, type="counter")) == [
        (0, "value", "counter_not_negative")
    ]
    assert ingest_metrics(db, items, partial=True)["accepted"] == 1


TEXTS = st.sampled_from(["", "cpu", "visits", "latency", "web", "a b", "1st", "Fact:Deal", "new"])
JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), TEXTS, st.just([]), st.just({}), st.just({"a": 1})
)
TYPES = st.one_of(st.sampled_from(["gauge", "counter", "histogram", "fact"]), JUNK)
TIMES = st.one_of(
    st.sampled_from([ago(days=1), ago(days=91), NOW.isoformat(), 1749990000, 1749990000123]), JUNK
)
VALUES = st.one_of(
    st.sampled_from([1, 2.5, 1e141, histogram([1], [1, 2], 3)["value"], {"bounds": [1]}]), JUNK
)
UNITS = st.one_of(st.sampled_from(["s", "Seconds", "ms", "a\tb", "u" * 51]), JUNK)
LABELS = st.one_of(st.dictionaries(st.sampled_from(["a", "1", ""]), JUNK, max_size=2), JUNK)
METRICS = st.fixed_dictionaries(
    {},
    optional={
        "name": JUNK,
        "source": JUNK,
        "value": VALUES,
        "type": TYPES,
        "unit": UNITS,
        "ts": TIMES,
        "labels": LABELS,
        "valeu": JUNK,
    },
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": JUNK,
        "source": JUNK,
        "value": VALUES,
        "fact_id": JUNK,
        "subject": JUNK,
        "payload": JUNK,
        "ts": TIMES,
        "labels": JUNK,
    },
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(metrics=st.lists(METRICS, max_size=20), facts=st.lists(FACTS, max_size=20))
@example(metrics=[{}], facts=[{}])
def test_an_item_is_bad_exactly_when_it_breaks_a_rule(
    db: Connection, metrics: list[Item], facts: list[Item]
) -> None:
    known = [metric(), metric("visits", type="counter", unit="s")]
    with db.transaction(force_rollback=True):
        ingest_metrics(db, [*known, histogram([1], [1, 2], 3)])
        ingest_facts(db, fact(source="web"))
        for noun, kind, more, items in (
            ("metric", "kind.type, kind.unit,", "", metrics),
            ("fact", "", ", null", facts),
        ):
            disagreeing = ask(
                db,
                f"""
                select json_agg(checked.item)
                from internal.check_{noun}s(%s::jsonb, %s{more}) as checked
                left join data.kind on checked.kind_id = kind.kind_id
                where good = exists (select from internal.{noun}_faults(checked.item, {kind} %s))
                """,
                as_body(items),
                NOW,
                NOW,
            )
            assert disagreeing is None
