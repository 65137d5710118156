"""Which firing alerts notify nobody, and why."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Json
from tests.sql.histories import add_server
from tests.sql.raised_alerts import add_maintenance, add_silence, after, matcher, raise_alert

# silenced_by, inhibited_by, maintenance
Reasons = tuple[list[str], list[str], list[str]]


def suppressed(db: Connection, now: datetime = NOW) -> dict[str, Reasons]:
    rows = db.execute("select * from internal.suppressed_alerts(%s)", [now]).fetchall()
    return {
        fingerprint: (silenced, inhibited, planned)
        for fingerprint, silenced, inhibited, planned in rows
    }


def server_with_source(db: Connection, name: str, source: str | None) -> int:
    server = add_server(db, name)
    db.execute("update data.server set source = %s where server_id = %s", [source, server])
    return server


def test_an_alert_without_a_reason_is_not_suppressed(db: Connection) -> None:
    raise_alert(db, source="web")

    assert suppressed(db) == {}


def test_silences_that_match_are_listed(db: Connection) -> None:
    web = raise_alert(db, source="web-1")
    raise_alert(db, source="db-1")
    add_silence(db, "b", matcher("source", "=~", "web-.*"))
    add_silence(db, "a", matcher("source", "=", "web-1"), matcher("severity", "!=", "info"))
    add_silence(db, "other", matcher("source", "=", "web-1"), matcher("severity", "=", "info"))

    assert suppressed(db) == {web: (["a", "b"], [], [])}


VALUES = st.sampled_from(["", "a", "b", "a|b", "[ab]?", "a.*"])
MATCHERS = st.lists(
    st.builds(
        matcher,
        st.sampled_from(["source", "region"]),
        st.sampled_from(["=", "!=", "=~", "!~"]),
        VALUES,
    ),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(silences=st.lists(MATCHERS, min_size=1, max_size=5))
def test_a_silence_is_listed_for_exactly_the_alerts_that_match(
    db: Connection, silences: list[list[Json]]
) -> None:
    with db.transaction(force_rollback=True):
        for number, source in enumerate(("a", "b", "ab")):
            raise_alert(db, f"rule_{number}", source=source)
            raise_alert(db, f"rule_{number}", source=source, region="a")
        raise_alert(db, "bare")
        for number, matchers in enumerate(silences):
            add_silence(db, str(number), *matchers)
        matching = db.execute(
            """
            select alert.fingerprint, array_agg(silence.silence_id order by silence.silence_id)
            from data.alert
            inner join data.silence on internal.matches(alert.labels, silence.matchers)
            group by alert.fingerprint
            """
        ).fetchall()
        assert {alert: by for alert, (by, _, _) in suppressed(db).items()} == dict(matching)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(-1, False), (0, True), (59, True), (60, False)],
)
def test_a_silence_counts_from_its_start_until_before_its_end(
    db: Connection, now: int, expected: bool
) -> None:
    alert = raise_alert(db, source="web")
    add_silence(db, "a", matcher("source", "=", "web"), begin=NOW, end=after(minutes=60))

    assert (alert in suppressed(db, after(minutes=now))) is expected


def test_a_cancelled_silence_counts_no_more(db: Connection) -> None:
    raise_alert(db, source="web")
    add_silence(db, "a", matcher("source", "=", "web"), cancelled=NOW)

    assert suppressed(db) == {}


def test_a_pending_alert_is_not_suppressed_and_suppresses_nothing(db: Connection) -> None:
    raise_alert(db, "down", "critical", state="pending", source="web")
    raise_alert(db, source="web")
    add_silence(db, "a", matcher("alertname", "=", "down"))

    assert suppressed(db) == {}


def test_a_higher_severity_inhibits_alerts_of_the_same_source(db: Connection) -> None:
    critical = raise_alert(db, "down", "critical", source="web")
    warning = raise_alert(db, "slow", "warning", source="web")
    info = raise_alert(db, "new", "info", source="web")
    raise_alert(db, "slow", "warning", source="db")

    assert suppressed(db) == {
        warning: ([], [critical], []),
        info: ([], sorted([critical, warning]), []),
    }


def test_alerts_of_one_severity_do_not_inhibit_each_other(db: Connection) -> None:
    raise_alert(db, "down", source="web")
    raise_alert(db, "slow", source="web")

    assert suppressed(db) == {}


def test_alerts_about_nothing_do_not_inhibit_each_other(db: Connection) -> None:
    raise_alert(db, "down", "critical")
    raise_alert(db, "slow", "warning")

    assert suppressed(db) == {}


def test_of_many_alerts_the_one_that_has_fired_longest_inhibits(db: Connection) -> None:
    raise_alert(db, "down", "critical", source="web", region="eu")
    first = raise_alert(db, "down", "critical", since=after(hours=-2), source="web", region="us")
    warning = raise_alert(db, "slow", "warning", source="web")

    assert suppressed(db) == {warning: ([], [first], [])}


def test_a_server_and_its_source_are_the_same(db: Connection) -> None:
    server_with_source(db, "acme/search", "web")
    down = raise_alert(db, "down", "critical", server="acme/search")
    slow = raise_alert(db, "slow", "warning", source="web")
    degraded = raise_alert(db, "degraded", "info", server="acme/search")

    assert suppressed(db) == {
        slow: ([], [down], []),
        degraded: ([], sorted([down, slow]), []),
    }


def test_servers_that_share_a_source_are_not_the_same(db: Connection) -> None:
    for name in ("acme/a", "acme/b"):
        server_with_source(db, name, "web")
    raise_alert(db, "down", "critical", server="acme/a")
    raise_alert(db, "down", "warning", server="acme/b")

    assert suppressed(db) == {}


def test_maintenance_suppresses_alerts_of_the_server_and_its_source(db: Connection) -> None:
    server = server_with_source(db, "acme/search", "web")
    add_maintenance(db, "update-1", server)
    add_maintenance(db, "past", server, begin=after(hours=-2), end=NOW)
    down = raise_alert(db, "down", server="acme/search")
    slow = raise_alert(db, "slow", source="web")
    raise_alert(db, "slow", source="db")

    assert suppressed(db) == {
        down: ([], [], ["update-1"]),
        slow: ([], [], ["update-1"]),
    }


def test_cancelled_maintenance_suppresses_nothing(db: Connection) -> None:
    add_maintenance(db, "update-1", server_with_source(db, "acme/search", None))
    db.execute("update data.maintenance set recorded = tstzrange(lower(recorded), %s)", [NOW])
    raise_alert(db, server="acme/search")

    assert suppressed(db) == {}


def test_all_reasons_are_given(db: Connection) -> None:
    add_maintenance(db, "update-1", server_with_source(db, "acme/search", None))
    critical = raise_alert(db, "down", "critical", server="acme/search")
    warning = raise_alert(db, "slow", "warning", server="acme/search")
    add_silence(db, "a", matcher("severity", "=", "warning"))

    assert suppressed(db) == {
        critical: ([], [], ["update-1"]),
        warning: (["a"], [critical], ["update-1"]),
    }
