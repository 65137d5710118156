"""Of which servers and windows a rule about budgets knows what is spent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import define
from tests.sql.calls import NOW, ask
from tests.sql.watched_servers import lasted, run_service, server

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def watched(db: Connection) -> Connection:
    """The service has been running for ten days, and runs."""
    run_service(db)
    return db


def spent(conn: Connection, *rules: int) -> set[tuple[int, str, timedelta, int]]:
    """Rule, server, window and known seconds of what is known of budgets at NOW."""
    rows = conn.execute(
        """
        select rule_id, label, length, observations from internal.spent_by_servers(
            array(select stated from data.alert_rule_version as stated where rule_id = any(%s)),
            %s, %s, '1 min'
        )
        """,
        [list(rules), NOW, NOW],
    )
    return set(rows.fetchall())


def test_a_server_has_a_budget_from_after_its_registration_to_its_end(watched: Connection) -> None:
    ended = "update data.server set deregistered_at = %s where server_id = %s"
    for name, since, end in (
        ("new", NOW, None),
        ("there", NOW - SECOND, None),
        ("ending", NOW - DAY, NOW),
        ("gone", NOW - DAY, NOW - SECOND),
    ):
        watched.execute(ended, [end, server(watched, name, since=since)])

    rule = define(watched, {"type": "burn_rate"})
    assert {label for _, label, *_ in spent(watched, rule)} == {"there", "ending"}


def test_a_budget_is_known_at_no_instant_until_after_the_registration(
    watched: Connection,
) -> None:
    server(watched, since=NOW - MINUTE)
    rule = define(watched, {"type": "burn_rate"})

    times = ask(
        watched,
        """
        select array_agg(distinct at) from internal.spent_by_servers(
            array(select stated from data.alert_rule_version as stated where rule_id = %s),
            %s, %s, '1 min'
        )
        """,
        rule,
        NOW - 2 * MINUTE,
        NOW,
    )
    assert times == [NOW]


def test_each_rule_has_its_own_servers_and_windows(watched: Connection) -> None:
    for name in ("prod", "test"):
        number = server(watched, name, since=NOW - DAY, tags=[name])
        lasted(watched, number, "up", NOW - DAY, NOW + HOUR)
    short, long = (
        define(
            watched,
            {
                "type": "burn_rate",
                "tags": [tag],
                "pairs": [{"factor": 2, "short": first, "long": last}],
            },
            name=tag,
        )
        for tag, first, last in (("prod", "5m", "1h"), ("test", "30m", "6h"))
    )

    assert spent(watched, short, long) == {
        (short, "prod", 5 * MINUTE, 300),
        (short, "prod", HOUR, 3600),
        (long, "test", 30 * MINUTE, 1800),
        (long, "test", 6 * HOUR, 6 * 3600),
    }
