"""How alerts of a back-test compare with incidents, which test_read_incidents.py has."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.alerts import above
from tests.sql.backtests import backtest, fill_busy
from tests.sql.calls import ago, fact, ingest_facts, refused


@pytest.fixture
def busy(db: Connection) -> Connection:
    """Minutes 40 to 31 ago and 10 to 1 ago have high values."""
    fill_busy(db)
    return db


def test_incidents_give_precision_recall_and_lead(busy: Connection) -> None:
    incidents = [
        {"from": ago(minutes=38), "to": ago(minutes=30)},
        {"from": ago(minutes=25), "to": ago(minutes=20)},
    ]

    score = backtest(
        busy, {"condition": above(5, window="1m", statistic="max")}, incidents=incidents
    )["incidents"]

    assert (score["count"], score["detected"], score["false_alarms"]) == (2, 1, 1)
    assert (score["recall"], score["precision"]) == (0.5, 0.5)
    assert score["items"][0]["lead_seconds"] == pytest.approx(2 * 60, abs=60)
    assert score["items"][1]["alerted_at"] is None


def test_incidents_are_listed_by_their_start_with_their_first_alert(busy: Connection) -> None:
    spans = [(25, 20), (50, 5), (50, 30)]
    incidents = [{"from": ago(minutes=a), "to": ago(minutes=b)} for a, b in spans]

    score = backtest(
        busy, {"condition": above(5, window="1m", statistic="max")}, incidents=incidents
    )["incidents"]

    # Alerts fire from 40 to 30 and from 10 minutes ago on.
    assert [(item["to"][11:16], (item["alerted_at"] or "")[11:16]) for item in score["items"]] == [
        ("12:04", "11:54"),
        ("12:29", "11:54"),
        ("12:14", ""),
    ]


def test_without_any_incident_every_alert_is_false(busy: Connection) -> None:
    score = backtest(busy, {"condition": above(5, window="1m", statistic="max")}, incidents=[])[
        "incidents"
    ]

    assert (score["items"], score["count"], score["false_alarms"]) == ([], 0, 2)
    assert (score["precision"], score["recall"]) == (0, None)


def test_incidents_can_be_facts(busy: Connection) -> None:
    ingest_facts(
        busy,
        [fact("Fact:Incident", ts=ago(minutes=38), payload={"duration_seconds": 480})],
    )

    score = backtest(
        busy,
        {"condition": above(5, window="1m", statistic="max")},
        incident_kind="Fact:Incident",
    )["incidents"]

    assert (score["count"], score["detected"], score["recall"]) == (1, 1, 1)


def test_incidents_outside_of_the_range_are_counted(busy: Connection) -> None:
    ingest_facts(busy, [fact("Fact:Incident", ts=ago(minutes=n)) for n in (38, 90, 95)])

    answer = backtest(
        busy,
        {"condition": above(5, window="1m", statistic="max")},
        incidents=[
            {"from": ago(minutes=25), "to": ago(minutes=20)},
            {"from": ago(days=3), "to": ago(days=2)},
        ],
        incident_kind="Fact:Incident",
    )

    assert answer["incidents"]["count"] == 2
    assert answer["incidents_outside"] == 3


def test_without_incidents_none_are_outside(busy: Connection) -> None:
    assert backtest(busy, {"condition": above(5)})["incidents_outside"] is None


def test_incidents_that_cannot_be_are_refused_by_field(busy: Connection) -> None:
    rule = {"condition": above(5)}
    incidents = [
        {"from": ago(minutes=2), "to": ago(minutes=1)},
        {"from": ago(minutes=1), "to": ago(minutes=2)},
        {"from": "2025-02-31T00:00:00Z", "to": ago(minutes=2)},
    ]

    with refused(busy, "document_refused") as problem:
        backtest(busy, rule, incidents=incidents)

    fields = [fault["field"] for fault in problem.params["faults"]]
    assert fields == ["incidents[1].to", "incidents[2].to"]


def test_a_fact_with_an_impossible_duration_is_an_incident_without_one(busy: Connection) -> None:
    ingest_facts(
        busy,
        [
            fact("Fact:Incident", ts=ago(minutes=n), payload={"duration_seconds": seconds})
            for n, seconds in ((20, -5), (25, 1e300))
        ],
    )

    score = backtest(busy, {"condition": above(5)}, incident_kind="Fact:Incident")["incidents"]

    assert score["count"] == 2
