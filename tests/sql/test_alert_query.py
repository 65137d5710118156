"""What shows the data that an alert is about, and why a rule cannot be evaluated any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alert_rules import AFTER, CONDITIONS, DURING, condition, known
from tests.sql.calls import NOW, Json, ask
from tests.sql.raised_alerts import written

HOUR = timedelta(hours=1)


def query(
    conn: Connection,
    given: Json,
    by: str | None,
    label: str,
    *,
    lasts: timedelta = HOUR,
) -> tuple[str, Json]:
    """The operation and its arguments, without the range."""
    answer = ask(
        conn,
        "select internal.alert_query(%s, %s, %s, %s, %s)",
        Jsonb(given),
        by,
        label,
        NOW - lasts,
        NOW,
    )
    arguments = answer["arguments"]
    if "from" in arguments:
        begin, end = arguments.pop("from"), arguments.pop("to")
        assert (begin, end) == (written(NOW - lasts), written(NOW))
    return answer["operation"], arguments


@pytest.mark.parametrize(
    ("given", "by", "label", "source", "labels"),
    [
        (condition(), None, "", None, None),
        (condition(group_by="source"), "source", "web", "web", None),
        (condition(group_by="label.zone"), "zone", "x", None, {"zone": "x"}),
        (
            condition(where={"source": "db", "labels": {"a": "b"}}, group_by="label.zone"),
            "zone",
            "x",
            "db",
            {"a": "b", "zone": "x"},
        ),
        (
            CONDITIONS["fact during a condition"] | {"during": DURING | {"where": {"source": "c"}}},
            None,
            "",
            "c",
            None,
        ),
        (CONDITIONS["burn rate of metrics"], "source", "web", "web", {"code": "500"}),
    ],
)
def test_metrics_are_asked_for_by_what_a_group_has(
    db: Connection,
    given: Json,
    by: str | None,
    label: str,
    source: str | None,
    labels: Json | None,
) -> None:
    assert query(db, given, by, label) == (
        "query_metrics",
        {"name": "cpu", "source": source, "labels": labels, "step": "1m"},
    )


@pytest.mark.parametrize(
    ("lasts", "step"), [(6 * HOUR, "1m"), (6 * HOUR + timedelta(seconds=1), "1h")]
)
def test_long_ranges_of_metrics_are_asked_for_by_the_hour(
    db: Connection, lasts: timedelta, step: str
) -> None:
    assert query(db, condition(), None, "", lasts=lasts)[1]["step"] == step


@pytest.mark.parametrize(
    ("by", "label", "expected"),
    [
        (None, "", {"subject": None}),
        ("subject", "ann", {"subject": "ann"}),
        ("source", "crm", {"source": "crm"}),
    ],
)
def test_facts_are_asked_for_by_what_joins_them(
    db: Connection, by: str | None, label: str, expected: Json
) -> None:
    assert query(db, AFTER, by, label) == ("query_facts", {"kind": "Fact:Deal", **expected})


@pytest.mark.parametrize(
    ("given", "operation"),
    [({"type": "burn_rate"}, "query_sla"), ({"type": "health"}, "get_health")],
)
def test_servers_are_asked_for_by_their_name(db: Connection, given: Json, operation: str) -> None:
    assert query(db, given, "server", "shop") == (operation, {"name": "shop"})


def error(conn: Connection, given: Json) -> str | None:
    """Why a condition cannot be evaluated."""
    answer: str | None = ask(conn, "select internal.alert_rule_error(%s)", Jsonb(given))
    return answer


@pytest.mark.parametrize("given", CONDITIONS.values(), ids=CONDITIONS)
def test_a_good_condition_has_no_error(db: Connection, given: Json) -> None:
    known(db)
    assert error(db, given) is None


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (condition(kind="gone"), "gone"),
        (CONDITIONS["ratio"] | {"divided_by": {"kind": "gone", "statistic": "sum"}}, "gone"),
        (CONDITIONS["ratio"] | {"kind": "z", "divided_by": {"kind": "gone"}}, "gone"),
        (AFTER | {"after": {"kind": "Fact:Gone"}}, "Fact:Gone"),
        (AFTER | {"kind": "Fact:Gone"}, "Fact:Gone"),
        (CONDITIONS["fact during a condition"] | {"during": DURING | {"kind": "gone"}}, "gone"),
    ],
)
def test_the_first_kind_that_does_not_exist_is_named(
    db: Connection, given: Json, kind: str
) -> None:
    known(db)
    assert error(db, given) == f"The kind {kind} does not exist."


def test_a_window_that_became_longer_than_the_retention_of_rollups_is_named(
    db: Connection,
) -> None:
    known(db)
    db.execute("select remove_retention_policy('data.sample_1h')")
    db.execute("select add_retention_policy('data.sample_1h', interval '10 days')")
    pairs = [{"factor": 1, "short": "5m", "long": long} for long in ("1h", "11d", "2h")]

    during = CONDITIONS["fact during a condition"]
    for good in (
        condition(window="10d"),
        {"type": "burn_rate", "pairs": pairs},
        during | {"during": DURING | {"window": "10d"}},
    ):
        assert error(db, good) is None
    for bad in (
        condition(window="11d"),
        CONDITIONS["burn rate of metrics"] | {"pairs": pairs},
        during | {"during": DURING | {"window": "11d"}},
    ):
        assert error(db, bad) == (
            "It needs metrics of 11 days, and hourly rollups are kept for 10 days."
        )


@pytest.mark.parametrize(
    ("name", "of_metrics"),
    [
        ("metric", True),
        ("burn rate of metrics", True),
        ("fact during a condition", True),
        ("fact after a fact", False),
        ("health", False),
    ],
)
def test_evidence_from_metrics_says_how_far_they_were_rolled_up(
    db: Connection, name: str, of_metrics: bool
) -> None:
    evidence = ask(
        db,
        """
        select internal.alert_evidence(
            row(1, 3, %s, 'ann', null)::data.alert_rule_version,
            row(1, %s, 'web', 5, true, 7, '{3}')::data.alert_reading,
            'source', %s, %s
        )
        """,
        Jsonb({"condition": CONDITIONS[name]}),
        NOW,
        NOW,
        NOW - HOUR,
    )

    assert evidence.get("watermark") == (written(NOW - HOUR) if of_metrics else None)
    assert evidence.get("status") == ("down" if name == "health" else None)
