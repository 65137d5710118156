"""Any JSON as items: each is stored or refused by its index, and none is an error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import fact, faults, histogram, ingest_facts, ingest_metrics, metric


@pytest.mark.parametrize("item", [[], [[]], [1], [{}], [[{}]], [metric()], "x", None, True, 1.5])
@pytest.mark.parametrize("facts", [False, True])
def test_an_item_that_is_no_object_is_refused_and_the_others_are_stored(
    db: Connection, item: object, facts: bool
) -> None:
    ingest, good = (ingest_facts, fact()) if facts else (ingest_metrics, metric())

    answer = ingest(db, [good, item], partial=True)
    assert answer["accepted"] == 1
    assert [(bad["index"], bad["slug"]) for bad in answer["rejected"]] == [(1, "item_is_object")]


@pytest.mark.parametrize("part", ["bounds", "counts"])
def test_arrays_inside_the_arrays_of_a_histogram_are_refused(db: Connection, part: str) -> None:
    item = histogram([1], [1, 2], 3)
    nested = {**item["value"], part: [[number] for number in item["value"][part]]}

    assert faults(db, {**item, "value": nested}) == [(0, "value", "histogram_well_formed")]


@pytest.mark.parametrize("ts", ["1e-400", "-1e-400", "1.5e-310"])
def test_an_instant_too_near_to_1970_for_a_float_is_that_of_1970(db: Connection, ts: str) -> None:
    item = f'{{"name": "cpu", "source": "web", "value": 1, "ts": {ts}}}'

    assert faults(db, item) == [(0, "ts", "ts_within_retention")]


NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1e-308, 5e-324, 1e308, 1e140, 2**31, 2**63, 10**400]),
)
# Text that PostgreSQL takes: no U+0000 and no half of a surrogate pair.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(CHARACTERS, max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(CHARACTERS, max_size=5), inner, max_size=3),
    ),
    max_leaves=8,
)
FIELDS = [
    *["name", "source", "value", "type", "unit", "ts", "labels"],
    *["kind", "fact_id", "subject", "payload"],
]
HISTOGRAMS = st.fixed_dictionaries(
    {},
    optional={
        "bounds": st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3)),
        "counts": st.one_of(ANYTHING, st.lists(ANYTHING, max_size=3)),
        "sum": ANYTHING,
        "count": ANYTHING,
    },
)


@st.composite
def items_with_one_strange_field(draw: st.DrawFn) -> object:
    good = draw(st.sampled_from([metric(), fact(), histogram([1, 2], [1, 0, 2], 3)]))
    return {**good, draw(st.sampled_from(FIELDS)): draw(st.one_of(ANYTHING, HISTOGRAMS))}


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    items=st.lists(st.one_of(ANYTHING, items_with_one_strange_field()), max_size=10),
    facts=st.booleans(),
)
@example(items=[[[]]], facts=False)
@example(items=[[{}]], facts=True)
@example(items=[1, [[{}]], None], facts=True)
@example(
    items=[metric(value={"bounds": [1], "counts": [[1], 2], "sum": 1, "count": 3})], facts=False
)
def test_any_json_is_stored_or_refused_by_its_index(
    db: Connection, items: list[object], facts: bool
) -> None:
    ingest, good = (ingest_facts, fact()) if facts else (ingest_metrics, metric("good"))
    with db.transaction(force_rollback=True):
        answer = ingest(db, [*items, good], partial=True)
        bad = {entry["index"] for entry in answer["rejected"]}
        assert bad <= set(range(len(items)))
        assert bad >= {n for n, item in enumerate(items) if not isinstance(item, dict)}
        counts = (answer["accepted"], answer["duplicate"], answer["conflict"], len(bad))
        assert sum(counts) == len(items) + 1
        assert answer["accepted"] >= 1
