"""Units: the first item that names one settles the unit of its kind."""

from __future__ import annotations

from itertools import permutations

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    Item,
    Json,
    ago,
    ask,
    faults,
    histogram,
    ingest_metrics,
    metric,
    query_agg,
    receipt,
)
from tests.sql.test_concurrency import SESSIONS, at_once


def unit_of(db: Connection, kind: str = "cpu") -> object:
    return ask(db, "select unit from data.kind where name = %s", kind)


def detail(db: Connection, item: Item) -> str:
    (bad,) = ingest_metrics(db, item, partial=True)["rejected"]
    assert (bad["field"], bad["slug"]) == ("unit", "kind_unit_settled")
    return str(bad["detail"])


def test_units_do_not_mix(db: Connection) -> None:
    ingest_metrics(db, metric(value=1, ts=ago(hours=3)))
    ingest_metrics(db, metric(value=2, ts=ago(hours=2), unit="ms"))

    item = metric(value=3, ts=ago(hours=1), unit="seconds")
    assert faults(db, item) == [(0, "unit", "kind_unit_settled")]
    assert query_agg(db)["sum"] == 3


def test_an_item_of_a_known_series_settles_the_unit(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    assert unit_of(db) is None

    assert ingest_metrics(db, metric(unit="ms")) == receipt(1)
    assert unit_of(db) == "ms"
    assert ask(db, "select count(*) from data.series") == 1


def test_an_item_without_a_unit_is_always_stored(db: Connection) -> None:
    ingest_metrics(db, metric(unit="ms"))

    assert ingest_metrics(db, [metric(ts=ago(hours=1)), metric(unit=None, source="db")]) == receipt(
        2
    )
    assert unit_of(db) == "ms"


def test_the_first_unit_of_a_batch_is_settled(db: Connection) -> None:
    items = [
        metric(),
        metric(source="b", unit="bytes"),
        metric(source="c", unit="kB"),
        metric(source="d"),
        metric(source="e", unit="By"),
        metric("other", unit="kB"),
    ]
    assert faults(db, items) == [(2, "unit", "kind_unit_settled")]
    answer = ingest_metrics(db, items, partial=True)
    assert (answer["accepted"], len(answer["rejected"])) == (5, 1)
    assert (unit_of(db), unit_of(db, "other")) == ("bytes", "kB")
    assert ask(db, "select count(*) from data.source where name = 'c'") == 0


def test_the_first_unit_of_a_batch_for_a_known_series_is_settled(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=3)))

    items = [metric(ts=ago(hours=2), unit="ms"), metric(ts=ago(hours=1), unit="s")]
    assert faults(db, items) == [(1, "unit", "kind_unit_settled")]
    assert unit_of(db) is None
    answer = ingest_metrics(db, items, partial=True)
    assert [bad["index"] for bad in answer["rejected"]] == [1]
    assert (answer["accepted"], unit_of(db)) == (1, "ms")


def test_a_refused_item_settles_no_unit(db: Connection) -> None:
    items = [metric(), metric(type="counter", unit="ms"), metric(source="c", unit="s")]

    answer = ingest_metrics(db, items, partial=True)
    assert [(bad["index"], bad["slug"]) for bad in answer["rejected"]] == [
        (1, "kind_type_settled"),
        (1, "kind_unit_settled"),
    ]
    assert unit_of(db) == "s"


def test_what_a_batch_contradicts_is_listed_with_its_other_faults(db: Connection) -> None:
    items = [metric(unit="s"), metric(source="b", unit="ms"), metric(value="x"), 5]

    assert faults(db, items) == [
        (1, "unit", "kind_unit_settled"),
        (2, "value", "value_finite"),
        (3, "", "item_is_object"),
    ]


def test_a_malformed_unit_is_only_malformed(db: Connection) -> None:
    ingest_metrics(db, metric(unit="ms"))

    assert faults(db, metric(unit="")) == [(0, "unit", "kind_unit_well_formed")]


@pytest.mark.parametrize(
    ("settled", "sent", "step"),
    [
        ("seconds", "ms", "Divide the value by 1000"),
        ("ms", "seconds", "Multiply the value by 1000"),
        ("s", "us", "Divide the value by 1000000"),
        ("\u03bcs", "ns", "Divide the value by 1000"),
        ("minutes", "hours", "Multiply the value by 60"),
        ("hours", "s", "Divide the value by 3600"),
        ("bytes", "MiB", "Multiply the value by 1048576"),
        ("KiB", "kB", "Divide the value by 1.024"),
        ("TiB", "By", "Divide the value by 1099511627776"),
        ("ratio", "percent", "Divide the value by 100"),
        ("%", "1", "Multiply the value by 100"),
    ],
)
def test_the_refusal_of_a_related_unit_has_the_factor(
    db: Connection, settled: str, sent: str, step: str
) -> None:
    ingest_metrics(db, metric(unit=settled, ts=ago(hours=1)))

    assert detail(db, metric(unit=sent)) == (
        f'The unit of the kind is "{settled}". {step} and send "{settled}".'
    )


def test_the_refusal_of_a_histogram_names_what_to_convert(db: Connection) -> None:
    ingest_metrics(db, histogram([1], [1, 2], 3, unit="s", ts=ago(hours=1)))

    assert detail(db, histogram([1], [1, 2], 3, unit="ms")) == (
        'The unit of the kind is "s". Divide bounds and sum by 1000 and send "s".'
    )


@pytest.mark.parametrize(("settled", "sent"), [("requests", "ms"), ("ms", "calls"), ("s", "By")])
def test_the_refusal_of_an_unrelated_unit_has_no_factor(
    db: Connection, settled: str, sent: str
) -> None:
    ingest_metrics(db, metric(unit=settled, ts=ago(hours=1)))

    assert detail(db, metric(unit=sent)) == (
        f'The unit of the kind is "{settled}". Convert the value, or send it as another metric.'
    )


@pytest.mark.parametrize(
    ("settled", "sent"),
    [
        ("ms", "milliseconds"),
        ("Milliseconds", "ms"),
        ("s", "seconds"),
        ("By", "bytes"),
        ("B", "Bytes"),
        ("\u00b5s", "\u03bcs"),
        ("KiBy", "KiB"),
        ("1", "ratio"),
        ("%", "Percent"),
        ("requests", "requests"),
    ],
)
def test_synonyms_are_the_same_unit(db: Connection, settled: str, sent: str) -> None:
    ingest_metrics(db, metric(unit=settled, ts=ago(hours=1)))

    assert ingest_metrics(db, metric(unit=sent)) == receipt(1)
    assert unit_of(db) == settled


@pytest.mark.parametrize(("one", "other"), [("MB", "Mb"), ("S", "s"), ("MS", "ms"), ("m", "min")])
def test_the_case_of_an_abbreviation_matters(db: Connection, one: str, other: str) -> None:
    ingest_metrics(db, metric(unit=one, ts=ago(hours=1)))

    assert faults(db, metric(unit=other)) == [(0, "unit", "kind_unit_settled")]


UNITS = st.sampled_from([None, "ms", "milliseconds", "s", "requests"])
SAME = {"milliseconds": "ms"}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(UNITS, max_size=6), max_size=4))
def test_a_kind_has_one_unit_however_its_items_are_batched(
    db: Connection, batches: list[list[str | None]]
) -> None:
    with db.transaction(force_rollback=True):
        settled: str | None = None
        sent = 0
        for units in batches:
            items = [
                metric(source=f"s{n % 2}", ts=ago(minutes=sent + n), **({"unit": u} if u else {}))
                for n, u in enumerate(units)
            ]
            sent += len(items)
            expected = []
            for n, unit in enumerate(units):
                settled = settled or unit
                if unit and SAME.get(unit, unit) != SAME.get(settled or "", settled):
                    expected.append(n)
            answer = ingest_metrics(db, items, partial=True)
            assert [bad["index"] for bad in answer["rejected"]] == expected
            assert answer["accepted"] == len(items) - len(expected)
        assert unit_of(db) == settled


def test_units_that_are_not_equal_are_converted_there_and_back(db: Connection) -> None:
    names = [
        "ns",
        "us",
        "ms",
        "s",
        "min",
        "h",
        "d",
        "bit",
        "By",
        "kB",
        "KiB",
        "MB",
        "TiB",
        "%",
        "1",
    ]
    pairs = list(permutations(names, 2))
    steps = db.execute(
        "select internal.unit_fault(sent, settled, '1'), internal.unit_fault(settled, sent, '1')"
        " from unnest(%s::text[], %s::text[]) as pair (sent, settled)",
        [[pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    ).fetchall()
    for there, back in steps:
        if "by" in there:
            factors = {step.split(" by ")[1].split(" ")[0] for step in (there, back)}
            assert len(factors) == 1
            assert {there.split(". ")[1].split()[0], back.split(". ")[1].split()[0]} == {
                "Multiply",
                "Divide",
            }


@pytest.mark.native_only("many sessions at once")
@pytest.mark.parametrize("known", [False, True])
def test_of_sessions_that_name_two_units_at_once_one_settles_it(
    fresh_database: str, known: bool
) -> None:
    if known:
        with psycopg.connect(fresh_database, autocommit=True) as conn:
            items = [metric(source=f"s{n}", ts=ago(days=1)) for n in range(SESSIONS)]
            ingest_metrics(conn, items)

    def send(conn: Connection, number: int) -> Json:
        unit = ("ms", "s")[number % 2]
        answer = ingest_metrics(conn, metric(source=f"s{number}", unit=unit), partial=True)
        return {**answer, "unit": unit}

    answers = at_once(fresh_database, send)

    with psycopg.connect(fresh_database) as conn:
        settled = unit_of(conn)
    assert settled in ("ms", "s")
    assert {answer["unit"] for answer in answers if answer["accepted"]} == {settled}
    assert sum(answer["accepted"] for answer in answers) == SESSIONS / 2
    assert sum(len(answer["rejected"]) for answer in answers) == SESSIONS / 2
