"""Aggregates of fixed samples: windows, groups, changes, refusals."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Json,
    ago,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    refused,
)

HOUR = datetime.fromisoformat("2025-06-15T12:00:00+00:00")


def test_the_core_of_a_few_values(db: Connection) -> None:
    values = [4, -2, 0, 10]
    ingest_metrics(
        db,
        [metric(value=value, unit="ms", ts=ago(minutes=4 - n)) for n, value in enumerate(values)],
    )

    answer = query_agg(db, "cpu", "1h")
    assert {key: answer[key] for key in ("kind", "type", "unit", "window", "count", "sum")} == {
        "kind": "cpu",
        "type": "gauge",
        "unit": "ms",
        "window": "1h",
        "count": 4,
        "sum": 12,
    }
    assert [answer[key] for key in ("avg", "min", "max", "last")] == [3, -2, 10, 10]
    assert answer["stddev"] == pytest.approx(21**0.5)
    assert answer["p50"] == pytest.approx(2, abs=0.04)
    assert answer["error_bound"] == 0.01
    assert answer["freshness"]["late_pending"] == 0
    assert datetime.fromisoformat(answer["freshness"]["newest"]) == NOW - timedelta(minutes=1)
    assert datetime.fromisoformat(answer["computed_at"]) == NOW


@pytest.mark.parametrize(("value", "times"), [(0.1, 10), (1.1, 7)])
def test_equal_values_deviate_by_nothing(db: Connection, value: float, times: int) -> None:
    ingest_metrics(db, [metric(value=value, ts=ago(minutes=n)) for n in range(times)])
    assert query_agg(db, "cpu", "7d")["stddev"] == 0


def test_a_kind_without_samples_in_the_window_answers_nulls(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(days=40)))

    answer = query_agg(db, "cpu", "30d")
    assert (answer["count"], answer["sum"], answer["p50"], answer["rate_per_second"]) == (
        0,
        None,
        None,
        0,
    )
    assert answer["previous"]["count"] == 1


@pytest.mark.parametrize(
    ("window", "start"),
    [
        ("1h", datetime.fromisoformat("2025-06-15T11:34:00+00:00")),
        ("24h", datetime.fromisoformat("2025-06-14T12:34:00+00:00")),
        ("7d", HOUR - timedelta(days=7)),
        ("30d", HOUR - timedelta(days=30)),
    ],
)
def test_a_window_holds_its_first_instant_and_not_the_one_before(
    db: Connection, window: str, start: datetime
) -> None:
    before = start - timedelta(microseconds=1)
    ingest_metrics(db, [metric(ts=start.isoformat()), metric(value=7, ts=before.isoformat())])

    answer = query_agg(db, "cpu", window)
    assert datetime.fromisoformat(answer["from"]) == start
    assert (answer["count"], answer["sum"]) == (1, 1)
    assert (answer["previous"]["count"], answer["previous"]["sum"]) == (1, 7)


@pytest.mark.parametrize("window", ["1h", "24h", "7d", "30d"])
def test_the_window_before_is_exactly_as_long_and_ends_where_this_one_starts(
    db: Connection, window: str
) -> None:
    start = datetime.fromisoformat(query_agg_of_nothing(db, window)["from"])
    before = start - (NOW - start)
    moments = [before - timedelta(microseconds=1), before, start - timedelta(microseconds=1), start]
    ingest_metrics(db, [metric(value=n, ts=ts.isoformat()) for n, ts in enumerate(moments)])

    answer = query_agg(db, "cpu", window)
    previous = answer["previous"]
    assert datetime.fromisoformat(previous["from"]) == before
    assert (previous["to"], previous["count"], previous["sum"]) == (answer["from"], 2, 3)
    assert previous["rate_per_second"] == pytest.approx(
        2 / (NOW - start).total_seconds(), rel=1e-12
    )
    assert answer["rate_per_second"] == pytest.approx(1 / (NOW - start).total_seconds(), rel=1e-12)


def query_agg_of_nothing(db: Connection, window: str) -> Json:
    ingest_metrics(db, metric("other"))
    return query_agg(db, "other", window)


def test_the_last_value_is_of_the_newest_sample_that_has_one(db: Connection) -> None:
    ingest_facts(
        db, [fact(value=5, ts=ago(minutes=9)), fact(ts=ago(minutes=1)), fact(ts=ago(days=9))]
    )

    answer = query_agg(db, "Fact:Deal", group_by="source")
    assert (answer["last"], answer["groups"][0]["last"]) == (5, 5)
    assert datetime.fromisoformat(answer["freshness"]["newest"]) == NOW - timedelta(minutes=1)
    assert answer["previous"]["last"] is None


@pytest.mark.parametrize("values", [(7, 15), (15, 7), (-1, 15)])
def test_the_last_of_several_values_at_one_time_is_the_greatest(
    db: Connection, values: tuple[int, int]
) -> None:
    at = ago(minutes=5)
    ingest_metrics(db, [metric("q", f"s{n}", value, ts=at) for n, value in enumerate(values)])
    for value in values:
        ingest_facts(db, fact(fact_id=str(value), value=value, ts=at))

    assert query_agg(db, "q")["last"] == 15
    assert query_agg(db, "Fact:Deal")["last"] == 15


def test_change_is_relative_to_the_window_before(db: Connection) -> None:
    ingest_metrics(db, [metric(value=v, ts=ago(minutes=m)) for v, m in [(6, 5), (8, 65), (-4, 70)]])

    change = query_agg(db, "cpu", "1h")["change"]
    assert (change["count"], change["sum"], change["max"]) == (-0.5, 0.5, -0.25)


def test_change_against_a_negative_value_has_the_sign_of_the_difference(db: Connection) -> None:
    ingest_metrics(db, [metric(value=-5, ts=ago(minutes=5)), metric(value=-10, ts=ago(minutes=65))])

    change = query_agg(db, "cpu", "1h")["change"]
    assert (change["sum"], change["min"], change["max"]) == (0.5, 0.5, 0.5)


def test_samples_ahead_of_the_clock_are_in_the_answer_also_in_the_next_hour(db: Connection) -> None:
    now = NOW.replace(minute=57, second=0, microsecond=0)
    ingest_metrics(db, [metric(value=7, ts=(now + timedelta(minutes=5)).isoformat())], now=now)

    for window in ("1h", "7d"):
        assert query_agg(db, "cpu", window, now=now)["sum"] == 7
    # The same sample asked for before it could be accepted.
    at_the_edge = now.replace(minute=55)
    assert query_agg(db, now=at_the_edge)["count"] == 1
    assert query_agg(db, now=at_the_edge - timedelta(microseconds=1))["count"] == 0


def test_the_answer_ends_with_the_hour_of_what_can_be_accepted(db: Connection) -> None:
    end = NOW.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    ingest_metrics(
        db, [metric(ts=(end - timedelta(microseconds=n)).isoformat()) for n in (0, 1)], now=end
    )

    assert query_agg(db, now=end - timedelta(minutes=30))["count"] == 1


@pytest.mark.parametrize("type_", ["gauge", "counter"])
def test_what_has_stopped_has_lost_all_of_its_count_and_rate(db: Connection, type_: str) -> None:
    ingest_metrics(
        db, [metric(value=value, ts=ago(minutes=80 - value), type=type_) for value in (5, 7)]
    )
    answer = query_agg(db, "cpu", "1h")
    assert answer["previous"]["count"] == 2
    assert answer["previous"]["rate_per_second"] > 0
    assert (answer["count"], answer["rate_per_second"]) == (0, 0)
    change = answer["change"]
    assert (change["count"], change["rate_per_second"], change["sum"]) == (-1, -1, None)


def test_change_from_nothing_or_from_zero_is_null(db: Connection) -> None:
    ingest_metrics(db, [metric(value=5), metric(value=0, ts=ago(minutes=65))])

    change = query_agg(db, "cpu", "1h")["change"]
    assert (change["count"], change["sum"]) == (0, None)
    assert query_agg(db, "cpu", "24h")["change"]["count"] is None


@pytest.mark.parametrize("values", [(1e140, -1e140), (1e140, 1e-299), (1e-299, 1e140), (1e-299, 0)])
def test_extreme_values_never_fail_the_answer(db: Connection, values: tuple[float, float]) -> None:
    now, before = values
    ingest_metrics(
        db,
        [
            *(metric(value=now, ts=ago(minutes=m)) for m in range(1, 9)),
            *(metric(value=before, ts=ago(minutes=60 + m)) for m in range(1, 9)),
            *(
                metric("visits", value=1e-299 * m, type="counter", ts=ago(minutes=m))
                for m in (1, 2)
            ),
        ],
    )

    for window, held in (("1h", [now]), ("24h", values), ("7d", values)):
        answer = query_agg(db, "cpu", window)
        assert (answer["count"], answer["min"], answer["max"]) == (
            8 * len(held),
            min(held),
            max(held),
        )
        assert query_agg(db, "visits", window)["count"] == 2
        assert {each["kind"] for each in query_agg(db, None, window)["kinds"]} == {"cpu", "visits"}


def test_a_source_narrows_the_answer(db: Connection) -> None:
    ingest_metrics(db, [metric(value=1), metric(value=5, source="db"), metric("other", "new")])

    assert query_agg(db, source="db")["sum"] == 5
    assert query_agg(db, source="new")["count"] == 0


def test_groups_of_sources_add_up(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(value=1),
            metric(value=5, source="db"),
            metric(value=6, source="db", labels={"a": "1"}),
        ],
    )

    groups = query_agg(db, group_by="source")["groups"]
    assert [(group["group"], group["count"], group["sum"]) for group in groups] == [
        ("db", 2, 11),
        ("web", 1, 1),
    ]


@pytest.mark.parametrize("group_by", ["source", "label.path"])
def test_groups_change_nothing_about_the_whole(db: Connection, group_by: str) -> None:
    for minutes in range(1, 200, 7):
        for source in ("web", "db"):
            labels = {"path": f"/{minutes % 3}"} if source == "web" else {}
            sent = {"source": source, "ts": ago(minutes=minutes), "labels": labels}
            ingest_metrics(
                db,
                [
                    metric("load", value=minutes % 13 - 5.5, **sent),
                    metric("visits", value=(1000 - minutes) % 37, type="counter", **sent),
                    histogram([1, 2], [minutes % 5, 2, 1], 6 + minutes % 5, **sent),
                ],
            )

    for kind in ("load", "visits", "latency"):
        whole = query_agg(db, kind, "24h")
        grouped = query_agg(db, kind, "24h", group_by=group_by)
        assert len(grouped.pop("groups")) >= 2
        assert whole.pop("groups") == []
        # That of the groups may be unbounded.
        del whole["error_bound"]
        for key, value in whole.items():
            close = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
            assert grouped[key] == close, (kind, key)


def test_the_largest_groups_come_first_and_equal_ones_by_name(db: Connection) -> None:
    counts = {"c": 1, "a": 1, "e": 3, "b": 2, "d": 1}
    ingest_metrics(
        db,
        [
            metric(source=name, value=-n, ts=ago(minutes=n + 1))
            for name, count in counts.items()
            for n in range(count)
        ],
    )

    groups = query_agg(db, group_by="source")["groups"]
    assert [group["group"] for group in groups] == ["e", "b", "a", "c", "d"]


def test_groups_of_a_label_hold_those_without_it_apart(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(value=1),
            metric(value=5, labels={"path": "/a"}),
            metric(value=6, source="db", labels={"path": "/a"}),
            metric(value=7, labels={"path": "/b", "x": "y"}),
        ],
    )

    groups = query_agg(db, group_by="label.path")["groups"]
    assert {group["group"]: group["sum"] for group in groups} == {"/a": 11, "/b": 7, "": 1}


def test_a_label_that_no_series_has_is_answered_with_the_labels_that_they_have(
    db: Connection,
) -> None:
    ingest_metrics(db, [metric(labels={"region": "eu", "path": "/a"}), metric("bare")])

    assert query_agg(db, group_by="label.regoin")["hint"] == (
        'No series has the label "regoin". Did you mean "region"? The labels are path, region.'
    )
    assert query_agg(db, "bare", group_by="label.region")["hint"] == (
        'No series has the label "region". The series have no labels.'
    )
    assert "hint" in query_agg(db, group_by="label.regoin", fields=["count"])
    assert "hint" in query_agg(db, window="1h", now=NOW + timedelta(days=1), group_by="label.x")
    assert "hint" not in query_agg(db, group_by="label.region")
    assert "hint" not in query_agg(db, "bare", group_by="source")
    assert "hint" not in str(query_agg(db, None, group_by="label.regoin"))


def test_facts_have_no_labels_to_group_by(db: Connection) -> None:
    ingest_facts(db, fact(payload={"team": "blue"}))

    assert query_agg(db, "Fact:Deal", group_by="label.team")["hint"] == (
        "Facts have no labels. Group by source, or read their payload in SQL."
    )


def test_of_a_source_without_the_kind_the_answer_says_who_has_it(db: Connection) -> None:
    ingest_metrics(db, [metric(), metric("memory", source="db")])

    assert query_agg(db, source="db")["hint"] == (
        "The source has not sent this kind. query_agg (GET /query/agg) with kind=cpu and"
        " group_by=source lists its sources."
    )
    assert "hint" not in query_agg(db, source="web")
    assert "hint" not in str(query_agg(db, None, source="db"))


def test_a_label_that_only_older_series_have_needs_no_hint(db: Connection) -> None:
    ingest_metrics(db, [metric(labels={"region": "eu"}, ts=ago(days=20)), metric()])

    answer = query_agg(db, group_by="label.region")
    assert [group["group"] for group in answer["groups"]] == [""]
    assert "hint" not in answer


def test_without_a_kind_every_kind_answers(db: Connection) -> None:
    ingest_metrics(db, [metric("b"), metric("a", value=2), metric("c", type="counter")])
    ingest_facts(db, fact(value=9))

    answer = query_agg(db, None)
    assert [(kind["kind"], kind["sum"]) for kind in answer["kinds"]] == [
        ("Fact:Deal", 9),
        ("a", 2),
        ("b", 1),
        ("c", 1),
    ]
    assert answer["kinds"][1] == query_agg(db, "a")


def test_without_a_kind_and_without_data_the_list_is_empty(db: Connection) -> None:
    assert query_agg(db, None)["kinds"] == []


@pytest.mark.parametrize("window", [None, "", "7", "0d", "7w", "-7d", "7d ", "10000d", "7 days"])
def test_a_window_is_hours_or_days(db: Connection, window: str | None) -> None:
    ingest_metrics(db, metric())

    with refused(db, "window_well_formed"):
        query_agg(db, "cpu", window)


def test_a_window_is_no_longer_than_rollups_are_kept(db: Connection) -> None:
    ingest_metrics(db, metric())

    assert query_agg(db, "cpu", "400d")["count"] == 1
    with refused(db, "window_within_retention"):
        query_agg(db, "cpu", "401d")


@pytest.mark.parametrize("group_by", ["", "kind", "label.", "label.a'b", "sources", "label.1"])
def test_groups_are_of_sources_or_labels(db: Connection, group_by: str) -> None:
    ingest_metrics(db, metric())

    with refused(db, "group_by_well_formed"):
        query_agg(db, group_by=group_by)


def test_unknown_names_are_refused(db: Connection) -> None:
    ingest_metrics(db, metric())

    with refused(db, "kind_unknown"):
        query_agg(db, "' or true --")
    with refused(db, "source_unknown"):
        query_agg(db, source="nobody")


def test_a_group_without_values_leaves_the_statistics_of_the_others(db: Connection) -> None:
    ingest_facts(
        db, [fact(source="a", value=1), fact(source="a", value=3), fact(source="b", fact_id="b")]
    )

    answer = query_agg(db, "Fact:Deal", group_by="source")
    assert (answer["stddev"], answer["last"]) == (1, 3)
    assert {each["group"]: each["stddev"] for each in answer["groups"]} == {"a": 1, "b": None}


def test_the_mean_of_equal_values_is_none_other(db: Connection) -> None:
    # The sum of three is not three times as much, by a rounding.
    ingest_metrics(db, [metric(value=0.1, ts=ago(minutes=n)) for n in (1, 2, 3)])

    assert query_agg(db)["avg"] == 0.1
