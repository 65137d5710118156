"""Reports that are good but for one field: each rule alone decides, up to its edge."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, as_body, ask
from tests.sql.reports import add_server
from tests.sql.test_report_health import report, report_health

INSTANT = timedelta(microseconds=1)
RETENTION = timedelta(days=30)
GOOD: list[Json] = [
    report(),
    report(status="degraded"),
    report("true", "down"),
    report(latency_ms=0),
    report(latency_ms=1e9),
    report(detail="a"),
    report(detail="a" * 1000),
    report(reporter="a"),
    report(reporter="a" * 200),
    report(detail=None, reporter=None, latency_ms=None, ts=None),
    report(ts=(NOW + timedelta(minutes=5)).isoformat()),
    report(ts=(NOW - timedelta(hours=1)).isoformat()),
    report(ts=(NOW - RETENTION).isoformat()),
]
BAD: list[Json] = [
    report("none"),
    report("gone"),
    report(True),
    report(None),
    report(status="Up"),
    report(status=None),
    report(latency_ms=-0.001),
    report(latency_ms=1.0001e9),
    report(latency_ms="1"),
    report(latency_ms=[]),
    report(detail=""),
    report(detail="a" * 1001),
    report(detail=7),
    report(reporter=""),
    report(reporter="a" * 201),
    report(reporter=7),
    report(more=1),
    report(ts="soon"),
    report(ts=(NOW + timedelta(minutes=5) + INSTANT).isoformat()),
    report(ts=(NOW - RETENTION - INSTANT).isoformat()),
]
MIXED = [item for n, bad in enumerate(BAD) for item in ([GOOD[n], bad] if n < len(GOOD) else [bad])]
REFUSED = [n for n, item in enumerate(MIXED) if item in BAD]


@pytest.fixture
def servers(db: Connection) -> Connection:
    """Two servers, one of them with the spelling of what is no string, and one that has ended."""
    add_server(db)
    add_server(db, "true")
    add_server(db, "gone", deregistered=NOW)
    return db


def test_of_a_batch_the_good_reports_are_stored_and_the_others_named(servers: Connection) -> None:
    answer = report_health(servers, MIXED, partial=True)

    assert sorted({entry["index"] for entry in answer["rejected"]}) == REFUSED
    assert all(entry["detail"].endswith((".", "?")) for entry in answer["rejected"])
    assert answer["accepted"] + answer["duplicate"] == len(GOOD)


@pytest.mark.parametrize("sent", [GOOD, BAD], ids=["good", "bad"])
def test_a_report_alone_is_judged_as_among_others(servers: Connection, sent: list[Json]) -> None:
    judged = [bool(report_health(servers, item, partial=True)["rejected"]) for item in sent]

    assert judged == [sent is BAD] * len(sent)


@pytest.mark.parametrize("namespace", ["", "acme"])
def test_a_report_is_bad_exactly_when_it_breaks_a_rule(servers: Connection, namespace: str) -> None:
    servers.execute("select set_config('supervisor.namespace', %s, true)", [namespace])
    disagreeing = ask(
        servers,
        "select json_agg(checked.item) from internal.check_reports(%s::jsonb, %s) as checked"
        " where good = exists (select from internal.report_faults(checked.item, %s))",
        as_body(MIXED),
        NOW,
        NOW,
    )

    assert disagreeing is None


def test_reports_keep_the_places_of_their_batch(servers: Connection) -> None:
    places = ask(
        servers,
        "select array_agg(place order by place) from internal.check_reports(%s::jsonb, %s)",
        as_body(MIXED),
        NOW,
    )

    assert places == list(range(len(MIXED)))


def test_a_bound_sender_reports_about_servers_of_its_sources(servers: Connection) -> None:
    for name, source in (("own", "web"), ("other", "crm")):
        add_server(servers, name, source=source)
    add_server(servers, "again", source="web", deregistered=NOW)
    servers.execute("select set_config('supervisor.sources', 'web', true)")

    sent = [report(name) for name in ("own", "other", "acme/search", "none", "again")]
    answer = report_health(servers, sent, partial=True)
    assert [(entry["index"], entry["field"], entry["slug"]) for entry in answer["rejected"]] == [
        (1, "server", "source_of_key"),
        (2, "server", "source_of_key"),
        (3, "server", "server_registered"),
        (4, "server", "server_registered"),
    ]
