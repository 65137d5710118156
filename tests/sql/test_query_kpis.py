"""KPIs as numbers: windows, days, sources, targets, against numpy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import (
    NOW,
    Json,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    refused,
)
from tests.sql.kpis import CALLS, NAME, define, known, kpi, measured, query_kpis
from tests.support.rollups import roll_up

HOUR = timedelta(hours=1)

Calls = list[tuple[str, str, float]]


def ingest_calls(conn: Connection, calls: Calls) -> None:
    """Calls of sources: source, status code, hours ago."""
    items = [
        metric("cpu", source, labels={"code": code}, ts=ago(hours=hours, seconds=n))
        for n, (source, code, hours) in enumerate(calls)
    ]
    ingest_metrics(conn, items)


def test_a_ratio_is_weighted_by_count(db: Connection) -> None:
    # A mean of the shares of the sources would be 75.
    ingest_calls(db, [("a", "500", 1), *[("b", "200", 1)] * 9, *[("b", "500", 1)] * 9])
    define(db, kpi(unit="%", target=50, direction="down"))

    item = measured(db)
    assert (item["numerator"], item["denominator"]) == (10, 19)
    assert item["value"] == pytest.approx(1000 / 19)
    assert (item["unit"], item["target"], item["status"]) == ("%", 50, "missed")


@pytest.mark.parametrize("window", ["1h", "24h", "7d", "30d"])
def test_numerator_and_denominator_are_those_of_the_aggregate(db: Connection, window: str) -> None:
    times = (0.5, 1.5, 20, 30, 100, 300, 900)
    ingest_facts(
        db,
        [
            fact("Fact:Sale", source, value=hours + 1, ts=ago(hours=hours), fact_id=f"{hours}")
            for source in ("a", "b")
            for hours in times
        ],
    )
    ingest_metrics(
        db, [metric("visits", "a", 1000 - h, type="counter", ts=ago(hours=h)) for h in times]
    )
    sale = {"kind": "Fact:Sale"}
    define(
        db,
        {
            "author": "ann",
            "numerator": {**sale, "statistic": "sum"},
            "denominator": {**sale, "statistic": "count"},
        },
    )
    define(
        db, {"author": "ann", "numerator": {"kind": "visits", "statistic": "increase"}}, "growth"
    )

    of_sales = query_agg(db, "Fact:Sale", window)
    of_visits = query_agg(db, "visits", window)
    item, growth = measured(db, window), measured(db, window, "growth")
    assert (item["numerator"], item["denominator"]) == (of_sales["sum"], of_sales["count"])
    assert item["previous"]["denominator"] == (of_sales["previous"]["count"] or None)
    seconds = (NOW - datetime.fromisoformat(of_visits["from"])).total_seconds()
    assert growth["value"] == pytest.approx(of_visits["rate_per_second"] * seconds)


def test_numerator_and_denominator_may_be_of_different_kinds_and_sources(db: Connection) -> None:
    ingest_facts(db, [fact("Fact:Deal", "crm", fact_id=str(n), ts=ago(hours=1)) for n in range(3)])
    ingest_facts(db, [fact("Fact:Sale", "web", fact_id=str(n), ts=ago(hours=1)) for n in range(2)])
    deals, sales = ({"kind": f"Fact:{name}", "statistic": "count"} for name in ("Deal", "Sale"))
    define(db, {"author": "ann", "numerator": deals, "denominator": sales})

    item = measured(db)
    assert item["value"] == 1.5
    assert {each["source"]: each["value"] for each in item["contributions"]} == {
        "crm": None,
        "web": 0,
    }


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"source": "a"}, 2),
        ({"labels": {"code": "500"}}, 2),
        ({"source": "a", "labels": {"code": "500"}}, 1),
        ({"has": ["code"]}, 4),
        ({"has": ["other"]}, 0),
    ],
)
def test_filters_choose_series(db: Connection, where: Json, expected: int) -> None:
    ingest_calls(db, [(source, code, 1) for source in ("a", "b") for code in ("200", "500")])
    define(db, {"author": "ann", "numerator": {**CALLS, "where": where}})

    assert measured(db)["value"] == expected


@pytest.mark.parametrize(
    ("target", "direction", "status"),
    [(50, "up", "met"), (50, "down", "met"), (51, "up", "missed"), (49, "down", "missed")],
)
def test_the_status_compares_with_the_target(
    db: Connection, target: float, direction: str, status: str
) -> None:
    ingest_calls(db, [("a", "500", 1), ("a", "200", 1)])
    define(db, kpi(unit="%", target=target, direction=direction))

    assert measured(db)["status"] == status


def test_without_calls_a_share_is_unknown_and_a_count_is_zero(db: Connection) -> None:
    known(db)
    define(db, kpi(target=1))
    define(db, {"author": "ann", "numerator": CALLS, "target": 1}, "calls")
    define(db, {"author": "ann", "numerator": CALLS}, "untold")
    late = NOW + timedelta(days=60)

    share, calls, untold = (measured(db, "24h", n, now=late) for n in (NAME, "calls", "untold"))
    assert (share["value"], share["status"], share["change"]) == (None, "no_data", None)
    assert (calls["value"], calls["status"]) == (0, "missed")
    assert untold["status"] == "no_target"


def test_calls_without_errors_are_a_share_of_zero(db: Connection) -> None:
    ingest_calls(db, [("a", "200", 1), ("a", "500", 24 * 9)])
    define(db, kpi())

    item = measured(db)
    assert (item["value"], item["previous"]["value"], item["change"]) == (0, 1, -1)


def test_the_source_that_moved_a_kpi_is_first(db: Connection) -> None:
    before = 24 * 9
    ingest_calls(
        db,
        [
            *[("steady", "200", hours) for hours in (1, before) for _ in range(50)],
            *[("steady", "500", hours) for hours in (1, before)],
            *[("broken", "200", before)] * 10,
            *[("broken", "500", 1)] * 10,
        ],
    )
    define(db, kpi(unit="%"))

    item = measured(db)
    assert [each["source"] for each in item["contributions"]] == ["broken", "steady"]
    assert item["contributions"][0]["contribution"] > 0.9 * item["change"]
    assert sum(each["contribution"] for each in item["contributions"]) == pytest.approx(
        item["change"]
    )


# Of a source: its numerator and denominator in a window, and in the one before.
Source = tuple[float | None, float | None, float | None, float | None]


def contributions(
    conn: Connection, document: Json, sources: dict[str, Source], limit: int = 10
) -> list[Json]:
    """What each source adds to the change of a KPI; a source without numbers is not in a window."""
    over, under, over_before, under_before = zip(*sources.values(), strict=True)
    found: list[Json] = ask(
        conn,
        """
        with part as (
            select * from unnest(%s::text[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
                as part (source, over, under, over_before, under_before)
        )
        select internal.kpi_contributions(
            %s,
            array(
                select row(1, source, null, over, under)::data.kpi_part from part
                where num_nonnulls(over, under) > 0
            ),
            array(
                select row(1, source, null, over_before, under_before)::data.kpi_part from part
                where num_nonnulls(over_before, under_before) > 0
            ),
            %s
        )
        """,
        list(sources),
        list(over),
        list(under),
        list(over_before),
        list(under_before),
        Jsonb(document),
        limit,
    )
    return found


def test_a_source_of_one_window_moves_a_count_by_all_it_has(db: Connection) -> None:
    found = contributions(
        db,
        {"unit": "%"},
        {
            "b": (None, None, 2, None),
            "gone": (None, None, 7, None),
            "a": (2, None, None, None),
            "new": (3, None, None, None),
            "stays": (5, None, 5, None),
        },
    )

    assert [(each["source"], each["contribution"]) for each in found] == [
        ("gone", -700),
        ("new", 300),
        ("a", 200),
        ("b", -200),
        ("stays", 0),
    ]
    assert [(each["value"], each["previous"]) for each in found[:2]] == [(0, 700), (300, 0)]


@pytest.mark.parametrize("before", [3, None])
def test_sources_of_one_window_add_up_to_the_change_of_a_share(
    db: Connection, before: float | None
) -> None:
    sources: dict[str, Source] = {
        "gone": (None, None, before, 8),
        "new": (3, 4, None, None),
        "healed": (None, 6, before, 8),
        "broken": (2, 10, None, 4),
    }
    found = {
        each["source"]: each["contribution"]
        for each in contributions(db, {"denominator": {}}, sources)
    }

    former = 2 * (before or 0) / 20
    assert found == {
        source: pytest.approx(
            ((over or 0) - former * (under or 0)) / 20
            - ((over_before or 0) - former * (under_before or 0)) / 20
        )
        for source, (over, under, over_before, under_before) in sources.items()
    }
    assert sum(found.values()) == pytest.approx(5 / 20 - former)


def test_without_a_window_before_sources_come_by_name(db: Connection) -> None:
    sources: dict[str, Source] = dict.fromkeys(("c", "a", "b"), (1, 2, None, None))
    found = contributions(db, {"denominator": {}}, sources, limit=2)

    assert [(each["source"], each["contribution"]) for each in found] == [("a", None), ("b", None)]
    assert contributions(db, {}, {"a": (None, None, None, None)}) == []


def test_all_kpis_name_five_sources_and_one_kpi_names_all(db: Connection) -> None:
    ingest_calls(db, [(f"s{n}", "500", 1) for n in range(8)])
    define(db, kpi())

    (item,) = query_kpis(db)["items"]
    assert len(item["contributions"]) == 5
    assert "days" not in item
    assert len(measured(db)["contributions"]) == 8


def test_one_kpi_names_100_sources_at_most(db: Connection) -> None:
    ingest_calls(db, [(f"s{n}", "500", 1) for n in range(101)])
    define(db, kpi())

    assert len(measured(db)["contributions"]) == 100


def test_kpis_come_by_name_each_by_its_present_version(db: Connection) -> None:
    ingest_calls(db, [("a", "500", 1), ("b", "200", 1), ("b", "200", 24 * 9)])
    for name, where in (("c", {}), ("a", {"source": "a"}), ("b", {"source": "b"})):
        for target in (1, 2):
            document = {"author": "ann", "numerator": {**CALLS, "where": where}, "target": target}
            define(db, document, name, now=NOW - HOUR if target == 1 else NOW)

    items = query_kpis(db)["items"]
    assert [
        (each["name"], each["version"], each["target"], each["value"], each["previous"]["value"])
        for each in items
    ] == [("a", 2, 2, 1, 0), ("b", 2, 2, 1, 1), ("c", 2, 2, 2, 1)]


def test_days_begin_with_the_one_in_which_the_window_begins(db: Connection) -> None:
    # The window of 6 days begins 12:00 on the 9th.
    ingest_calls(db, [("a", "200", 6 * 24 + 12), ("a", "200", 6 * 24 + 13), ("a", "200", 24 * 5)])
    define(db, {"author": "ann", "numerator": CALLS})

    assert [(each["day"], each["value"]) for each in measured(db, "6d")["days"]] == [
        ("2025-06-09", 1),
        ("2025-06-10", 1),
    ]


def test_numbers_of_any_size_have_a_quotient(db: Connection) -> None:
    sizes = (1e140, 5e-324, -1e140, 1e-200)
    for kind in ("Fact:Deal", "Fact:Sale"):
        ingest_facts(
            db,
            [
                fact(kind, f"s{n}", value=value, ts=ago(days=day, hours=1), fact_id=f"{day}{kind}")
                for day in (0, 8)
                for n, value in enumerate(sizes[:: 1 if day else -1])
            ],
        )
    over, under = ({"kind": f"Fact:{name}", "statistic": "sum"} for name in ("Deal", "Sale"))
    for n in range(4):
        document = {"author": "ann", "numerator": {**over, "where": {"source": f"s{n}"}}}
        define(db, {**document, "denominator": under}, f"all.{n}")
        for other in range(4):
            term = {**under, "where": {"source": f"s{other}"}}
            define(db, {**document, "denominator": term}, f"{other}.{n}")

    values = {each["name"]: each["value"] for each in query_kpis(db)["items"]}
    assert len(values) == 20
    assert [values[f"{n}.{n}"] for n in (0, 1, 3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("product(0, 1e308)", 0),
        ("product(1e308, 0)", 0),
        ("product(1, 1)", 1),
        ("product(1, 1e-305)", 1e-305),
        ("product(1.5, 1e-305)", 1.5e-305),
        ("product(0.5, 2e-300)", 1e-300),
        ("product(0.5, 1e-300)", 0),
        ("product(0.5, 1e308)", 5e307),
        ("product(-1e-200, 1e-200)", 0),
        ("product(-3, 1e200)", -3e200),
        ("product(1, 1e305)", None),
        ("product(1.5, 1e305)", None),
        ("product(10, 1e299)", None),
        ("quotient(7, 0)", None),
        ("quotient(7, 1)", 7),
        ("quotient(0, -2)", 0),
        ("quotient(1e-300, 1)", 1e-300),
        ("quotient(1.5e-300, 1)", 1.5e-300),
        ("quotient(5e-300, 10)", 0),
        ("quotient(-1, 0.5)", -2),
        ("quotient(1e200, 1)", 1e200),
        ("quotient(5e149, 0.5)", None),
        ("quotient(4e149, 0.5)", 8e149),
        ("contribution(1, 1, 0, 1, 1, 0, 1)", 1),
        ("contribution(1, 1, 0, 1, 0, 0, 1)", None),
        ("contribution(1, 1, 0, 1, 1, 0, 0)", None),
        ("percentage(1, 1)", 100),
        ("percentage(1, 0)", None),
    ],
)
def test_numbers_that_a_double_has_not_are_zero_or_unknown(
    db: Connection, operation: str, expected: float | None
) -> None:
    found = ask(db, f"select internal.{operation}")

    assert found == (expected if not expected else pytest.approx(expected, rel=1e-15, abs=0))


def test_days_are_whole_and_in_order(db: Connection) -> None:
    ingest_calls(db, [("a", "500", 1), ("a", "200", 2), ("a", "500", 30), ("a", "200", 60)])
    define(db, kpi(unit="%"))

    assert measured(db)["days"] == [
        {"day": "2025-06-13", "value": 0, "numerator": None, "denominator": 1},
        {"day": "2025-06-14", "value": 100, "numerator": 1, "denominator": 1},
        {"day": "2025-06-15", "value": 50, "numerator": 1, "denominator": 2},
    ]


def test_a_counter_grows_on_the_day_of_its_reading(db: Connection) -> None:
    values = {60: 10, 36: 14, 13: 20, 12: 5, 1: 8}
    ingest_metrics(
        db,
        [
            metric("visits", "a", value, type="counter", ts=ago(hours=h))
            for h, value in values.items()
        ],
    )
    define(db, {"author": "ann", "numerator": {"kind": "visits", "statistic": "increase"}})

    days = {each["day"]: each["value"] for each in measured(db)["days"]}
    assert days == {"2025-06-13": 0, "2025-06-14": 10, "2025-06-15": 8}


def test_a_counter_grows_over_a_day_without_readings_and_not_over_more(db: Connection) -> None:
    readings = {
        "2025-06-11T00:00:00Z": 10,
        "2025-06-12T23:00:00Z": 14,
        "2025-06-14T22:00:00Z": 20,
        "2025-06-15T10:00:00Z": 50,
        "2025-06-15T11:00:00Z": 51,
    }
    ingest_metrics(
        db,
        [
            metric("visits", source, value, type="counter", ts=ts)
            for source, since in (("a", 0), ("b", 3))
            for ts, value in [*readings.items()][since:]
        ],
    )
    define(db, {"author": "ann", "numerator": {"kind": "visits", "statistic": "increase"}})

    days = {each["day"]: each["value"] for each in measured(db)["days"]}
    assert days == {"2025-06-11": 0, "2025-06-12": 4, "2025-06-14": 0, "2025-06-15": 32}


@pytest.mark.parametrize(
    ("window", "slug"),
    [
        ("a week", "window_well_formed"),
        (None, "window_well_formed"),
        ("999d", "window_within_retention"),
    ],
)
def test_a_bad_window_is_refused(db: Connection, window: str | None, slug: str) -> None:
    with refused(db, slug):
        query_kpis(db, window)


@pytest.fixture
def rolled(lasting: Connection, ages: Iterator[datetime]) -> tuple[Connection, datetime]:
    """Four days of samples that are rolled up, and what the end of time is."""
    now = next(ages)
    start = now.replace(hour=0, minute=0) - timedelta(days=4)
    rng = np.random.default_rng(1)
    items = [
        metric(
            kind,
            f"s{n % 3}",
            float(rng.integers(0, 50)),
            type=type_,
            labels={"code": "500" if n % 4 == 0 else "200", **({"zone": "x"} if n % 5 else {})},
            ts=(start + timedelta(minutes=7 * n)).isoformat(),
        )
        for kind, type_ in (("cpu", "gauge"), ("visits", "counter"))
        for n in range(480)
    ]
    for n in range(0, len(items), 960):
        ingest_metrics(lasting, items[n : n + 960], now=now)
    roll_up(lasting, now)
    lasting.execute("call internal.refresh_late(0, '{}')")
    return lasting, now


def test_the_view_of_days_has_the_days_of_the_answer(rolled: tuple[Connection, datetime]) -> None:
    conn, now = rolled
    documents = {
        "share": kpi(unit="%", target=20),
        "mean": {**kpi(), "numerator": {**CALLS, "statistic": "sum"}},
        "growth": {"author": "ann", "numerator": {"kind": "visits", "statistic": "increase"}},
        "of_one": {
            "author": "ann",
            "numerator": {"kind": "visits", "statistic": "increase", "where": {"source": "s1"}},
            "denominator": {**CALLS, "where": {"labels": {"code": "200"}}},
        },
        "zoned": {"author": "ann", "numerator": {**CALLS, "where": {"has": ["zone"]}}},
        "total": {"author": "ann", "numerator": {**CALLS, "statistic": "sum"}},
        "narrow": {
            "author": "ann",
            "numerator": {
                **CALLS,
                "where": {"source": "s1", "labels": {"code": "200"}, "has": ["zone"]},
            },
        },
    }
    define(conn, kpi(target=1), "share", now=now - HOUR)
    for name, document in documents.items():
        define(conn, document, name, now=now)
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for name in documents:
        rows = conn.execute(
            "select day, numerator, denominator, value from analytics.kpi_daily"
            " where name = %s and day > %s and day < %s order by day",
            [name, end - timedelta(days=5), end],
        ).fetchall()
        shown = {
            date.fromisoformat(each["day"]): (
                each["numerator"],
                each["denominator"],
                each["value"],
            )
            for each in measured(conn, "7d", name, now=now)["days"]
        }
        assert len(rows) >= 2
        for day, *numbers in rows:
            for found, expected in zip(numbers, shown[day.astimezone(UTC).date()], strict=True):
                assert found == (None if expected is None else pytest.approx(expected)), (name, day)
    shown_as = "select distinct version, unit, target, status from analytics.kpi_daily"
    assert conn.execute(f"{shown_as} where name = 'share'".encode()).fetchall() == [
        (2, "%", 20, "met")
    ]
    assert conn.execute(f"{shown_as} where name = 'total'".encode()).fetchall() == [
        (1, None, None, "no_target")
    ]


def test_the_view_of_days_reads_the_days_that_are_asked_for(
    rolled: tuple[Connection, datetime],
) -> None:
    conn, now = rolled
    define(conn, kpi(), now=now)
    explain = "explain select * from analytics.kpi_daily where day >= '{:%F}' and day < '{:%F}'"
    days = explain.format(now - timedelta(days=3), now - timedelta(days=1))
    with conn.transaction():
        conn.execute("set local timezone = 'UTC'")
        plan = "\n".join(row[0] for row in conn.execute(days.encode()))
    assert f"bucket >= '{now - timedelta(days=3):%F}" in plan


def test_the_view_of_days_shows_a_bound_login_its_namespaces_only(
    rolled: tuple[Connection, datetime],
) -> None:
    conn, now = rolled
    define(conn, kpi(), now=now)
    for namespace, sees in (("acme", False), ("", True)):
        with conn.transaction(force_rollback=True):
            conn.execute("create role analyst_of_days login in role supervisor_analyst")
            conn.execute("select ops.bind_login('analyst_of_days', array[%s])", [namespace])
            conn.execute("set local session authorization analyst_of_days")
            days = ask(conn, "select count(*) from analytics.kpi_daily where name = %s", NAME)
        assert (days > 0) is sees


amounts = st.integers(0, 1000).map(float)
parts = st.lists(st.tuples(amounts, amounts, amounts, amounts), min_size=1, max_size=8)


@given(parts)
@settings(max_examples=50, deadline=None)
def test_contributions_add_up_to_the_change_of_the_quotient(
    database_url: str, given_parts: list[tuple[float, float, float, float]]
) -> None:
    over, under, over_before, under_before = np.array(given_parts).T
    with Connection.connect(database_url, prepare_threshold=None) as conn:
        shares = [
            ask(
                conn,
                "select internal.contribution(%s, %s, %s, %s, %s, %s, %s)",
                *each,
                under.sum(),
                over_before.sum(),
                under_before.sum(),
            )
            for each in given_parts
        ]
    if under.sum() == 0 or under_before.sum() == 0:
        assert shares == [None] * len(shares)
        return
    former = over_before.sum() / under_before.sum()
    change = over.sum() / under.sum() - former
    np.testing.assert_allclose(np.sum(shares), change, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        shares,
        (over - former * under) / under.sum()
        - (over_before - former * under_before) / under_before.sum(),
        rtol=1e-9,
        atol=1e-9,
    )
