"""Rules become alerts, state by state."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import above, alerts, define, evaluate, newest, transitions
from tests.sql.calls import NOW, ago, ask, fact, ingest_facts, ingest_metrics, metric

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def test_a_condition_that_holds_fires_at_once(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))

    evaluate(db)

    assert alerts(db) == {"": "firing"}
    assert transitions(db) == ["firing"]


def test_a_condition_that_does_not_hold_writes_nothing(db: Connection) -> None:
    ingest_metrics(db, [metric(value=2, ts=ago(minutes=1))])
    define(db, above(2))

    evaluate(db)

    assert alerts(db) == {}
    assert transitions(db) == []


def test_an_alert_is_pending_until_its_condition_has_held_for_long_enough(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), **{"for": "2m"})

    evaluate(db)
    assert alerts(db) == {"": "pending"}
    evaluate(db, NOW + MINUTE)
    assert alerts(db) == {"": "pending"}
    evaluate(db, NOW + 2 * MINUTE)

    assert alerts(db) == {"": "firing"}
    assert transitions(db) == ["pending", "firing"]


def test_a_pending_alert_whose_condition_ends_becomes_inactive(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), **{"for": "2m"})
    evaluate(db)
    ingest_metrics(db, [metric(value=-9, ts=ago(minutes=-1))], now=NOW + MINUTE)

    evaluate(db, NOW + MINUTE)

    assert alerts(db) == {}
    assert transitions(db) == ["pending", "inactive"]


def test_a_firing_alert_whose_condition_ends_is_resolved(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    ingest_metrics(db, [metric(value=-9, ts=ago(minutes=-1))], now=NOW + MINUTE)

    evaluate(db, NOW + MINUTE)

    assert alerts(db) == {}
    assert transitions(db) == ["firing", "resolved"]


def test_a_firing_alert_keeps_firing_for_as_long_as_its_rule_says(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), keep_firing_for="2m")
    evaluate(db)
    ingest_metrics(db, [metric(value=-9, ts=ago(minutes=-1))], now=NOW + MINUTE)

    evaluate(db, NOW + MINUTE)
    evaluate(db, NOW + 2 * MINUTE)
    assert alerts(db) == {"": "firing"}
    evaluate(db, NOW + 3 * MINUTE)

    assert transitions(db) == ["firing", "resolved"]


def test_a_condition_that_holds_again_in_time_keeps_the_alert(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), keep_firing_for="2m")
    evaluate(db)
    ingest_metrics(db, [metric(value=-9, ts=ago(minutes=-1))], now=NOW + MINUTE)
    evaluate(db, NOW + MINUTE)
    ingest_metrics(db, [metric(value=99, ts=ago(minutes=-2))], now=NOW + 2 * MINUTE)
    evaluate(db, NOW + 2 * MINUTE)

    evaluate(db, NOW + 4 * MINUTE)

    assert transitions(db) == ["firing"]
    assert ask(db, "select recovering_at from data.alert") is None


def test_a_later_evaluation_of_the_same_state_writes_nothing(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)

    assert evaluate(db, NOW + MINUTE) == 0
    assert transitions(db) == ["firing"]


def test_every_group_has_an_alert_of_its_own(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(source=name, value=value, ts=ago(minutes=1))
            for name, value in (("a", 3), ("b", 1), ("c", 4))
        ],
    )
    define(db, above(2, group_by="source"))

    evaluate(db)

    assert alerts(db) == {"a": "firing", "c": "firing"}


def test_a_transition_carries_its_evidence(db: Connection) -> None:
    ingest_metrics(db, [metric(value=value, ts=ago(minutes=1, seconds=value)) for value in (3, 5)])
    define(
        db,
        above(2, group_by="source"),
        labels={"team": "search"},
        annotations={"summary": "{{ $labels.source }} has {{ $value }}"},
    )

    evaluate(db)

    row = newest(db)
    assert re.fullmatch("[0-9a-f]{16}", row["fingerprint"])
    assert row["labels"] == {
        "alertname": "cpu_high",
        "severity": "warning",
        "source": "web",
        "team": "search",
    }
    assert row["annotations"] == {"summary": "web has 4"}
    assert row["evidence"] == {
        "rule_version": 1,
        "value": 4,
        "observations": 2,
        "from": "2025-06-15T12:29:56.789+00:00",
        "to": "2025-06-15T12:34:56.789+00:00",
        "query": {
            "operation": "query_metrics",
            "arguments": {
                "name": "cpu",
                "source": "web",
                "from": "2025-06-15T12:29:56.789+00:00",
                "to": "2025-06-15T12:34:56.789+00:00",
                "step": "1m",
            },
        },
    }


def test_late_data_that_raises_an_alert_is_named(db: Connection) -> None:
    ingest_metrics(db, [metric(value=1, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    ingest_metrics(db, [metric(value=99, ts=ago(minutes=2))])

    evaluate(db, NOW + MINUTE)

    assert newest(db)["to_state"] == "firing"
    assert newest(db)["late"]


def test_late_data_that_resolves_an_alert_is_named(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    ingest_metrics(db, [metric(value=-99, ts=ago(minutes=2))])

    evaluate(db, NOW + MINUTE)

    assert newest(db)["to_state"] == "resolved"
    assert newest(db)["late"]


def test_data_in_time_is_not_late(db: Connection) -> None:
    ingest_metrics(db, [metric(value=1, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    ingest_metrics(db, [metric(value=99, ts=ago(seconds=-30))], now=NOW + MINUTE)

    evaluate(db, NOW + MINUTE)

    assert newest(db)["to_state"] == "firing"
    assert not newest(db)["late"]


def test_without_data_an_alert_is_resolved_by_default(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)

    evaluate(db, NOW + 10 * MINUTE)

    assert transitions(db) == ["firing", "resolved"]


def test_without_data_a_rule_can_keep_its_alerts(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), no_data="keep")
    evaluate(db)

    evaluate(db, NOW + 10 * MINUTE)

    assert alerts(db) == {"": "firing"}


def test_without_data_a_rule_can_fire(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(source=name, value=1, ts=ago(minutes=minutes))
            for name, minutes in (("a", 60), ("b", 1))
        ],
    )
    define(db, above(2, group_by="source"), no_data="firing")

    evaluate(db)

    assert alerts(db) == {"a": "firing"}


def test_a_silent_source_is_absent(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(source=name, value=1, ts=ago(minutes=minutes))
            for name, minutes in (("a", 60), ("b", 1))
        ],
    )
    define(
        db,
        {
            "type": "metric",
            "kind": "cpu",
            "statistic": "absent",
            "window": "5m",
            "group_by": "source",
        },
    )

    evaluate(db)

    assert alerts(db) == {"a": "firing"}


def test_a_silent_source_that_a_rule_is_not_about_is_not_absent(db: Connection) -> None:
    earlier = ago(minutes=60)
    ingest_metrics(
        db,
        [
            metric(source="a", labels={"zone": "1"}, ts=earlier),
            metric(source="b", labels={"zone": "2"}, ts=earlier),
        ],
    )
    condition = above(0, group_by="source", where={"labels": {"zone": "1"}})
    define(db, condition, no_data="firing")

    evaluate(db)

    assert alerts(db) == {"a": "firing"}


def test_a_source_is_expected_from_the_instant_of_its_first_data(db: Connection) -> None:
    ingest_metrics(db, metric(value=1, ts=NOW.isoformat()))
    ingest_facts(db, fact(value=1, ts=NOW.isoformat()))
    for kind in ("cpu", "Fact:Deal"):
        # One observation is too few to be data.
        condition = above(2, kind=kind, group_by="source", min_count=2)
        define(db, condition, name=kind, no_data="firing")

    evaluate(db)

    assert alerts(db) == {"web": "firing", "crm": "firing"}


def test_a_rule_that_cannot_be_evaluated_fails_alone(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    define(db, above(2, kind="gone"), name="broken")

    evaluate(db)

    assert alerts(db) == {"": "firing"}
    assert db.execute(
        "select name, error from data.alert_rule where error is not null"
    ).fetchall() == [("broken", "The kind gone does not exist.")]


@pytest.mark.parametrize(("compare", "reason"), [("value", None), ("change", "metrics of 60 days")])
def test_a_rule_that_needs_more_than_is_kept_fails(
    db: Connection, compare: str, reason: str | None
) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2, window="30d", compare=compare))
    db.execute(
        'select alter_job(job_id, config => config || \'{"drop_after": "59 days"}\')'
        " from ops.policies where relation = 'data.sample_1h' and policy = 'policy_retention'"
    )

    evaluate(db)

    error = ask(db, "select error from data.alert_rule")
    assert error == (reason and f"It needs {reason}, and hourly rollups are kept for 59 days.")


def test_a_rule_that_fails_while_it_runs_fails_alone(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    define(db, above(2) | {"type": "unheard"}, name="broken")

    evaluate(db)

    assert alerts(db) == {"": "firing"}
    assert ask(db, "select count(*) from data.alert_rule where error is not null") == 1


def test_a_disabled_rule_resolves_its_alerts(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    db.execute("""update data.alert_rule_version set document = document || '{"enabled": false}'""")

    evaluate(db, NOW + MINUTE)

    assert transitions(db) == ["firing", "resolved"]


def test_changed_labels_end_an_alert_and_begin_another(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    db.execute(
        """update data.alert_rule_version set document = document || '{"severity": "critical"}'"""
    )

    evaluate(db, NOW + MINUTE)
    evaluate(db, NOW + 2 * MINUTE)

    assert transitions(db) == ["firing", "resolved", "firing"]
    assert ask(db, "select labels ->> 'severity' from data.alert") == "critical"


def test_a_rule_with_too_many_alerts_fails_alone(db: Connection) -> None:
    ingest_metrics(db, [metric(source=name, value=3, ts=ago(minutes=1)) for name in "abc"])
    define(db, above(2, group_by="source"), name="many")
    define(db, above(2), name="one")
    db.execute("update data.quota set value = 2 where name = 'alerts_per_rule'")

    evaluate(db)

    assert alerts(db) == {"": "firing"}
    error = ask(db, "select error from data.alert_rule where name = 'many'")
    assert error.startswith("The rule has 3 alerts; the quota alerts_per_rule is 2.")


def test_a_rule_that_fails_while_it_runs_has_no_transitions(db: Connection) -> None:
    ingest_metrics(db, [metric(source=name, value=3, ts=ago(minutes=1)) for name in "ab"])
    define(db, above(2, group_by="source"))
    db.execute("update data.quota set value = 1 where name = 'alerts_per_rule'")

    assert evaluate(db) == 0


def test_transitions_of_one_moment_are_in_the_order_of_their_groups(db: Connection) -> None:
    ingest_metrics(db, [metric(source=name, value=3, ts=ago(minutes=1)) for name in "cadb"])
    define(db, above(2, group_by="source"))

    evaluate(db)

    assert transitions(db) == ["firing a", "firing b", "firing c", "firing d"]


def test_the_evidence_of_silence_is_that_nothing_was_observed(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2, group_by="source"))
    evaluate(db)

    evaluate(db, NOW + 8 * DAY)

    assert newest(db)["to_state"] == "resolved"
    assert newest(db)["evidence"]["observations"] == 0


def test_an_alert_that_keeps_firing_in_silence_keeps_its_value(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), keep_firing_for="1h")
    evaluate(db)

    evaluate(db, NOW + 10 * MINUTE)

    assert db.execute("select value, recovering_at from data.alert").fetchall() == [
        (3, NOW + 10 * MINUTE)
    ]


def test_a_group_that_is_long_gone_can_fire(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2, group_by="source"), no_data="firing", **{"for": "1h"})
    evaluate(db)

    evaluate(db, NOW + 8 * DAY)

    assert alerts(db) == {"web": "firing"}


def test_only_the_rules_that_are_named_are_evaluated(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    named = define(db, above(2))
    define(db, above(2), name="other")

    assert ask(db, "select internal.evaluate_alert_rules(%s, %s)", [named], NOW) == 1

    rows = db.execute("select name from data.alert_rule where evaluated_at is null").fetchall()
    assert rows == [("other",)]


def test_an_evaluation_for_a_time_that_is_done_does_nothing(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    ingest_metrics(db, [metric(value=-99, ts=ago(minutes=2))])

    assert evaluate(db) == 0
    assert evaluate(db, NOW - MINUTE) == 0
    assert alerts(db) == {"": "firing"}


def test_a_rule_says_since_when_it_cannot_be_evaluated(db: Connection) -> None:
    define(db, above(2) | {"type": "unheard"})

    assert evaluate(db) == 0
    assert evaluate(db, NOW + MINUTE) == 0

    assert ask(db, "select error_since from data.alert_rule") == NOW


@pytest.mark.parametrize(("since", "late"), [(NOW, True), (NOW + MINUTE / 2, False)])
def test_a_rule_that_was_another_the_last_time_has_no_late_data(
    db: Connection, since: datetime, late: bool
) -> None:
    ingest_metrics(db, [metric(value=1, ts=ago(minutes=1))])
    define(db, above(2))
    evaluate(db)
    db.execute("update data.alert_rule_version set valid = tstzrange(%s, null)", [since])
    ingest_metrics(db, [metric(value=99, ts=ago(minutes=2))])

    evaluate(db, NOW + MINUTE)

    assert newest(db)["late"] is late


@pytest.mark.parametrize(("minutes", "late"), [(2, True), (-0.5, False)])
def test_late_data_that_ends_a_pending_alert_is_named(
    db: Connection, minutes: float, late: bool
) -> None:
    ingest_metrics(db, [metric(value=3, ts=ago(minutes=1))])
    define(db, above(2), **{"for": "2m"})
    evaluate(db)
    ingest_metrics(db, [metric(value=-99, ts=ago(minutes=minutes))], now=NOW + MINUTE)

    evaluate(db, NOW + MINUTE)

    assert newest(db)["to_state"] == "inactive"
    assert newest(db)["late"] is late


def test_late_data_of_one_group_says_nothing_of_the_others(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric(source=name, value=value, ts=ago(minutes=1))
            for name, value in (("held", 3), ("late", 1), ("new", 1))
        ],
    )
    define(db, above(2, group_by="source"), **{"for": "1m"})
    evaluate(db)
    ingest_metrics(
        db,
        [
            metric(source="late", value=99, ts=ago(minutes=2)),
            metric(source="held", value=-9, ts=ago(minutes=2)),
            *(metric(source=name, value=99, ts=ago(seconds=-30)) for name in ("held", "new")),
        ],
        now=NOW + MINUTE,
    )

    evaluate(db, NOW + MINUTE)

    assert db.execute(
        "select labels ->> 'source', to_state, late from data.alert_transition where at > %s"
        " order by 1",
        [NOW],
    ).fetchall() == [
        ("held", "firing", False),
        ("late", "pending", True),
        ("new", "pending", False),
    ]


def test_alerts_that_end_leave_their_place_in_the_quota_to_others(db: Connection) -> None:
    db.execute("update data.quota set value = 1 where name = 'alerts_per_rule'")
    ingest_metrics(db, [metric(source="a", value=3, ts=ago(minutes=1))])
    define(db, above(2, group_by="source"))
    evaluate(db)
    ingest_metrics(
        db,
        [
            metric(source=name, value=value, ts=ago(seconds=-30))
            for name, value in (("a", -9), ("b", 9))
        ],
        now=NOW + MINUTE,
    )

    evaluate(db, NOW + MINUTE)

    assert alerts(db) == {"b": "firing"}


def test_an_alert_that_ends_leaves_the_others(db: Connection) -> None:
    ingest_metrics(db, [metric(source=name, value=3, ts=ago(minutes=1)) for name in "ab"])
    define(db, above(2, group_by="source"))
    evaluate(db)
    ingest_metrics(db, metric(source="a", value=-9, ts=ago(seconds=-30)), now=NOW + MINUTE)

    evaluate(db, NOW + MINUTE)

    assert alerts(db) == {"b": "firing"}
