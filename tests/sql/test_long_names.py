"""What a refusal shows of a name: all of it where it is short, its beginning where it is long."""

from __future__ import annotations

from typing import LiteralString

import pytest
from psycopg import Connection

from tests.sql.calls import ask, refused

SHOWN: list[tuple[LiteralString, str, str, int]] = [
    ("api.get_snapshot(%s)", "snapshot_unknown", 'unknown snapshot "{}"', 200),
    (
        "api.list_health(%s, null, 1, null, now())",
        "health_status_known",
        'unknown status "{}"',
        100,
    ),
    (
        "api.query_agg(null, '7d', null, %s, null, null, now())",
        "group_by_well_formed",
        'invalid group_by "{}"',
        100,
    ),
    ("internal.find_kinds(%s)", "kind_unknown", 'unknown kind "{}"', 200),
    ("internal.find_series('{}', %s)", "source_unknown", 'unknown source "{}"', 200),
    ("internal.find_alert_rule(%s)", "alert_rule_unknown", 'unknown alert rule "{}"', 200),
    ("internal.find_kpi(%s)", "kpi_unknown", 'unknown KPI "{}"', 200),
    ("internal.find_maintained(array[%s])", "server_unknown", 'unknown server "{}"', 1000),
    # Of a whole key, no more than what is public.
    ("internal.find_key(%s)", "key_unknown", 'unknown key "{}"', 11),
    ("internal.read_step(%s, now(), now())", "step_well_formed", 'invalid step "{}"', 100),
    (
        "internal.read_length(%s, 'value')",
        "policy_value_well_formed",
        'malformed length of time "{}"',
        100,
    ),
    ("internal.read_timezone(%s)", "timezone_known", 'unknown time zone "{}"', 100),
    (
        "internal.read_position(%s)",
        "last_event_id_well_formed",
        'invalid Last-Event-ID "{}"',
        100,
    ),
    ("internal.read_cursor('keys', %s, '.')", "cursor_invalid", 'invalid cursor "{}"', 100),
    ("internal.check_policy(%s)", "policy_known", 'unknown policy "{}"', 100),
    (
        "internal.claim_idempotency_key('ingest', %s, '{}', now())",
        "idempotency_key_well_formed",
        'invalid Idempotency-Key "{}"',
        100,
    ),
]
# Who sends none is shown an empty one.
SHOWN_WITHOUT: list[tuple[LiteralString, str, str, int]] = [
    ("internal.parse_window(%s)", "window_well_formed", 'invalid window "{}"', 100),
    ("internal.read_fields(array[%s])", "fields_known", 'unknown field "{}"', 100),
    (
        "internal.check_maintenance(%s, 'ann', 'update')",
        "maintenance_id_well_formed",
        'invalid maintenance id "{}"',
        100,
    ),
    (
        "internal.check_silence(%s, 'ann', 'known', '[]')",
        "silence_id_well_formed",
        'invalid silence id "{}"',
        100,
    ),
    (
        "internal.check_snapshot(%s, 'ann')",
        "snapshot_name_well_formed",
        'invalid snapshot name "{}"',
        100,
    ),
]


@pytest.mark.parametrize(("call", "slug", "message", "length"), [*SHOWN, *SHOWN_WITHOUT])
def test_of_a_long_name_the_beginning_is_shown(
    db: Connection, call: LiteralString, slug: str, message: str, length: int
) -> None:
    with refused(db, slug) as refusal:
        ask(db, f"select {call}", "x" * 2000)
    assert refusal.message == message.format("x" * length)


@pytest.mark.parametrize(("call", "slug", "message", "length"), SHOWN_WITHOUT)
def test_no_name_is_shown_as_an_empty_one(
    db: Connection, call: LiteralString, slug: str, message: str, length: int
) -> None:
    with refused(db, slug) as refusal:
        ask(db, f"select {call}", None)
    assert refusal.message == message.format("")
