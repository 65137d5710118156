"""What changed most: windows, groups, what is usual, against numpy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
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


def query_changes(
    conn: Connection,
    window: str | None = "24h",
    kind: str | None = None,
    *,
    limit: int | None = None,
    now: datetime = NOW,
) -> Json:
    """What changed in a window."""
    statement = "select api.query_changes(%s, %s, %s, %s)"
    answer: Json = ask(conn, statement, window, kind, limit, now)
    return answer


def item(conn: Connection, statistic: str, **asked: Any) -> Json:
    """What changed in a statistic."""
    (found,) = (
        each for each in query_changes(conn, **asked)["items"] if each["statistic"] == statistic
    )
    answer: Json = found
    return answer


def days(values: list[float], name: str = "cpu", source: str = "web", **more: object) -> list[Item]:
    """Ten readings of a value in each day before NOW, the newest first."""
    return [
        metric(name, source, value, ts=ago(days=day, hours=1 + hour), **more)
        for day, value in enumerate(values)
        for hour in range(10)
    ]


def sales(counts: list[int], source: str = "web", value: float = 1) -> list[Item]:
    """So many facts in each day before NOW, the newest first."""
    return [
        fact(
            "Fact:Sale",
            source,
            value=value,
            fact_id=f"{source}-{day}-{n}",
            ts=ago(days=day, minutes=60 + n),
        )
        for day, count in enumerate(counts)
        for n in range(count)
    ]


def test_value_previous_and_usual_are_those_of_the_windows(db: Connection) -> None:
    values = [20.0, 11, 9, 10, 12, 8, 10, 11, 9, 10]
    ingest_metrics(db, days(values))

    found = item(db, "avg")
    assert (found["kind"], found["value"], found["previous"], found["change"]) == ("cpu", 20, 11, 9)
    earlier = np.array(values[1:9])
    median = np.median(earlier)
    mad = np.median(np.abs(earlier - median))
    assert found["usual"] == {"median": median, "mad": mad, "windows": 8}
    assert found["score"] == pytest.approx((20 - median) / (1.4826 * mad), abs=0.005)


def test_value_and_previous_are_those_of_the_aggregate(db: Connection) -> None:
    ingest_metrics(db, days([20.0, 11, 9, 10]))
    ingest_metrics(db, days([90.0, 50, 40, 30], "visits", type="counter"))

    gauge, counter = (query_agg(db, kind, "24h") for kind in ("cpu", "visits"))
    found = item(db, "avg")
    assert (found["value"], found["previous"]) == (gauge["avg"], gauge["previous"]["avg"])
    grown = item(db, "increase")
    assert grown["value"] == pytest.approx(counter["rate_per_second"] * 86_400, rel=1e-3)


def test_what_is_furthest_from_usual_is_first(db: Connection) -> None:
    ingest_metrics(db, days([12.0, 10, 9, 11, 10, 9, 11, 10, 9, 11], "usual"))
    ingest_metrics(db, days([30.0, 10, 9, 11, 10, 9, 11, 10, 9, 11], "unusual"))
    # Larger, and as it always is.
    ingest_metrics(db, days([900.0, 100, 900, 100, 900, 100, 900, 100, 900, 100], "restless"))

    answer = query_changes(db)
    assert [each["kind"] for each in answer["items"]] == ["unusual", "usual", "restless"]
    assert [abs(each["score"]) for each in answer["items"]] == sorted(
        (abs(each["score"]) for each in answer["items"]), reverse=True
    )


def test_the_group_that_changed_is_named_where_the_whole_did_not(db: Connection) -> None:
    ingest_facts(db, sales([90, 50, 51, 49, 50, 52], "up"))
    ingest_facts(db, sales([10, 50, 40, 60, 50, 40], "down"))

    found = item(db, "count")
    assert found["group"] == {"source": "up"}
    assert (found["value"], found["previous"]) == (90, 50)
    assert found["whole"] == {"value": 100, "previous": 100, "change": 0}
    assert [each["contribution"] for each in found["contributions"]] == [-40, 40]


def test_a_change_of_the_whole_is_that_of_the_whole(db: Connection) -> None:
    ingest_facts(db, sales([90, 50, 51, 49, 50, 52], "only"))

    assert item(db, "count")["group"] == {}


def test_labels_are_groups(db: Connection) -> None:
    steady = [10.0] * 6
    for region, values in (("eu", [50.0, *steady]), ("us", [10.0, *steady])):
        ingest_metrics(db, days(values, labels={"region": region}))

    found = item(db, "avg", kind="cpu")
    assert found["group"] == {"label.region": "eu"}
    assert found["contributions"][-1]["group"] == {"label.region": "eu"}


def test_contributions_of_sources_add_up_to_the_change_of_the_whole(db: Connection) -> None:
    for source, values in (("a", [40.0, 10, 11, 9]), ("b", [5.0, 8, 7, 8]), ("c", [3.0, 1, 1, 1])):
        ingest_metrics(db, days(values, source=source))
    ingest_metrics(db, days([7.0], source="d"))

    found = item(db, "avg")
    shares = {each["group"]["source"]: each["contribution"] for each in found["contributions"]}
    assert set(shares) == {"a", "b", "c", "d"}
    assert sum(shares.values()) == pytest.approx(found["whole"]["change"])
    assert max(shares, key=lambda source: abs(shares[source])) == "a"


def test_the_five_sources_that_moved_the_whole_most_are_named(db: Connection) -> None:
    # Far from usual for none of its days, and yet the largest part of the change.
    ingest_facts(db, sales([60, 10, 90, 10, 90], "restless"))
    for more in range(1, 7):
        ingest_facts(db, sales([10 + more, 10, 10, 10, 10], f"steady-{more}"))

    found = item(db, "count")
    assert [each["contribution"] for each in found["contributions"]] == [50, 6, 5, 4, 3]


def test_equal_changes_come_in_the_order_of_their_names_and_ten_of_them(db: Connection) -> None:
    for number in range(12, 0, -1):
        ingest_metrics(db, days([20.0, 10, 11, 9, 10], f"kind_{number:02}"))

    found = query_changes(db)["items"]
    assert [each["kind"] for each in found] == [f"kind_{number:02}" for number in range(1, 11)]


def test_equal_parts_of_a_change_come_in_the_order_of_their_names_five_of_sources_and_labels(
    db: Connection,
) -> None:
    for number in range(7, 0, -1):
        values = [20.0, 10, 11, 9, 10]
        ingest_metrics(
            db, days(values, "cpu", f"source_{number}", labels={"zone": f"zone_{number}"})
        )

    found = item(db, "avg", kind="cpu")
    assert [each["group"] for each in found["contributions"]] == [
        *({"source": f"source_{number}"} for number in range(1, 6)),
        *({"label.zone": f"zone_{number}"} for number in range(1, 6)),
    ]


def test_a_source_that_has_not_changed_is_no_part_of_a_change(db: Connection) -> None:
    for source, now in (("same", 10), ("more", 11), ("many", 60)):
        ingest_facts(db, sales([now, 10, 10, 10, 10], source))

    found = item(db, "count")
    assert [(each["group"]["source"], each["contribution"]) for each in found["contributions"]] == [
        ("many", 50),
        ("more", 1),
    ]


def test_where_the_window_before_has_no_value_nothing_is_a_part_of_a_change(
    db: Connection,
) -> None:
    ingest_metrics(db, [each for each in days([20.0, 0, 10, 11, 9, 10]) if each["value"]])

    found = item(db, "avg")
    assert (found["previous"], found["contributions"]) == (None, [])


def test_a_change_by_one_score_is_shown(db: Connection) -> None:
    ingest_facts(db, sales([1]))

    assert item(db, "count")["score"] == 1


def test_a_source_that_falls_silent_is_a_change_to_zero(db: Connection) -> None:
    ingest_facts(db, sales([50, 50, 51, 49, 50], "loud") + sales([0, 20, 19, 21, 20], "silent"))

    found = item(db, "count")
    assert (found["group"], found["value"], found["usual"]["median"]) == (
        {"source": "silent"},
        0,
        20,
    )


def test_a_kind_that_is_new_comes_from_nothing(db: Connection) -> None:
    ingest_facts(db, sales([25]))

    found = item(db, "count")
    assert (found["value"], found["previous"], found["score"]) == (25, 0, 25)
    assert found["usual"] == {"median": 0, "mad": 0, "windows": 0}


def test_where_one_window_is_known_it_is_what_is_usual(db: Connection) -> None:
    ingest_facts(db, sales([20, 10]))

    assert item(db, "count")["usual"] == {"median": 10, "mad": 0, "windows": 1}


def test_before_the_first_data_of_a_kind_nothing_is_known(db: Connection) -> None:
    ingest_facts(db, sales([10, 10, 10, 4]))

    # The day of the first data may have it in part.
    assert query_changes(db)["items"] == []
    ingest_facts(db, sales([2], "other"))
    assert item(db, "count")["usual"] == {"median": 0, "mad": 0, "windows": 2}


def test_what_chance_explains_is_no_great_change(db: Connection) -> None:
    ingest_facts(db, sales([14, 10, 10, 10, 10, 10, 10, 10, 10, 10]))

    assert item(db, "count")["score"] == pytest.approx(4 / 10**0.5, abs=0.005)


def test_one_large_sale_is_a_change_of_the_sum(db: Connection) -> None:
    ingest_facts(db, sales([10] * 10))
    ingest_facts(db, fact("Fact:Sale", "web", value=990, fact_id="large", ts=ago(minutes=5)))

    (first, *_) = query_changes(db)["items"]
    assert (first["statistic"], first["value"], first["previous"]) == ("sum", 1000, 10)


def test_nothing_has_changed_where_all_is_equal(db: Connection) -> None:
    ingest_metrics(db, days([10.0] * 10))

    assert query_changes(db)["items"] == []


def test_one_kind_and_a_limit_narrow_the_answer(db: Connection) -> None:
    for name in ("a", "b", "c"):
        ingest_metrics(db, days([20.0, 10, 11, 9, 10], name))

    assert {each["kind"] for each in query_changes(db, kind="b")["items"]} == {"b"}
    assert len(query_changes(db, limit=2)["items"]) == 2


@pytest.mark.parametrize("window", ["1h", "24h", "7d", "30d"])
def test_every_window_is_answered(db: Connection, window: str) -> None:
    hours = {"1h": 1, "24h": 24, "7d": 168, "30d": 720}[window]
    ingest_metrics(
        db,
        [
            metric("cpu", "web", value, ts=ago(hours=hours * (n + 0.5)))
            for n, value in enumerate((9, 1, 1))
            if hours * (n + 0.5) < 89 * 24
        ],
    )

    answer = query_changes(db, window)
    assert (answer["items"][0]["value"], answer["items"][0]["previous"]) == (9, 1)
    begin = datetime.fromisoformat(answer["from"])
    assert abs(NOW - begin - timedelta(hours=hours)) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        ({"window": "a week"}, "window_well_formed"),
        ({"window": None}, "window_well_formed"),
        ({"kind": "nothing"}, "kind_unknown"),
        ({"limit": 101}, "limit_in_range"),
        ({"limit": 0}, "limit_in_range"),
    ],
)
def test_a_bad_question_is_refused(db: Connection, asked: Json, slug: str) -> None:
    with refused(db, slug):
        query_changes(db, **asked)


def test_numbers_of_any_size_have_changes(db: Connection) -> None:
    sizes = [1e140, 5e-324, -1e140, 1e-200, 0, 1e-320, 3, 1e140, -5e-324, 1e-160]
    for places in (1, 3, 7):
        values = [sizes[places * n % len(sizes)] for n in range(len(sizes))]
        ingest_metrics(db, days(values, f"gauge_{places}"))
        counts = [abs(value) for value in values[::-1]]
        ingest_metrics(db, days(counts, f"counter_{places}", type="counter"))
        ingest_facts(
            db,
            [
                fact(f"Fact:N{places}", "web", value=value, ts=ago(days=day, hours=1))
                for day, value in enumerate(values)
            ],
        )

    assert len(query_changes(db, limit=100)["items"]) > 5
    assert query_changes(db, "7d", limit=100)["items"] != []


values = st.floats(-1e140, 1e140)


@given(st.lists(values, min_size=1, max_size=9), values, st.floats(0, 1e3))
@settings(max_examples=50, deadline=None)
def test_the_score_is_that_of_numpy(
    database_url: str, earlier: list[float], value: float, chance: float
) -> None:
    with Connection.connect(database_url, prepare_threshold=None) as conn:
        row = conn.execute(
            "select median, mad, internal.change_score(%s, median, mad, %s)"
            " from internal.usual(%s::double precision[])",
            [value, chance, earlier],
        ).fetchone()
    assert row is not None
    median = np.median(earlier)
    mad = np.median(np.abs(np.array(earlier) - median))
    np.testing.assert_allclose(row[:2], [median, mad], rtol=1e-9, atol=1e-300)
    scale = max(1.4826 * mad, chance, 0.01 * abs(median), 0.01 * abs(value))
    if scale < 1e-297:
        assert row[2] is None or abs(row[2]) <= 200
    else:
        assert row[2] == pytest.approx((value - median) / scale, abs=0.006)
        assert abs(row[2]) <= 200


def test_a_window_is_compared_with_the_nine_before_it(db: Connection) -> None:
    spans = db.execute("select * from internal.change_windows('2h', %s)", [NOW]).fetchall()
    start = spans[0][1]
    assert [place for place, *_ in spans] == list(range(10))
    assert all(begins == start - n * (NOW - start) for n, begins, _ in spans)
