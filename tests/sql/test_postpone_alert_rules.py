"""Rules whose evaluation was canceled are tried again ever later, and say why."""

from __future__ import annotations

from datetime import timedelta

from psycopg import Connection

from tests.sql.alerts import above, define
from tests.sql.calls import NOW

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def postpone(conn: Connection, rule: int, after: timedelta = 0 * MINUTE) -> None:
    """Note that the evaluation of a rule was canceled."""
    taken = timedelta(seconds=10.57)
    conn.execute("select internal.postpone_alert_rules(%s, %s, %s)", [[rule], taken, NOW + after])


def noted(conn: Connection, rule: int) -> tuple[object, ...] | None:
    """What is known of the cancellations of a rule."""
    return conn.execute(
        "select cancellations, due_at, error, error_since from data.alert_rule where rule_id = %s",
        [rule],
    ).fetchone()


def test_a_rule_that_was_not_alone_is_tried_alone_at_once(db: Connection) -> None:
    rule, other = (define(db, above(1), name=name) for name in ("rule", "other"))

    postpone(db, rule)

    assert noted(db, rule) == (1, None, None, None)
    assert noted(db, other) == (0, None, None, None)


def test_a_rule_that_takes_too_long_alone_has_an_error_and_waits_up_to_an_hour(
    db: Connection,
) -> None:
    rule = define(db, above(1))
    postpone(db, rule)

    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        postpone(db, rule, after=minutes * MINUTE)
        (_, due_at, *problem) = noted(db, rule) or ()
        assert due_at == NOW + 2 * minutes * MINUTE
        text = "The evaluation takes longer than 10.5 s. Narrow the window or the grouping."
        assert problem == [text, NOW + MINUTE]
