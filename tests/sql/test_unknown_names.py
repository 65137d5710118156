"""Names are refused where nothing of their sort is stored, however the rows would be read."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, refused

# By the slug: statements that name something, with its place as the only parameter.
NAMED = [
    ("server_unknown", "select api.deregister_server('x', null, %s)"),
    ("server_unknown", "select internal.server_labels('x'), %s"),
    ("alert_rule_unknown", "select api.delete_alert_rule('x', 'ann', %s)"),
    ("alert_rule_unknown", "select internal.read_tested_rule(null, 'x'), %s"),
    ("kpi_unknown", "select api.delete_kpi('x', 'ann', %s)"),
    ("subscription_unknown", "select api.list_subscriptions('x', null, null, %s)"),
    (
        "kind_unknown",
        "select api.query_facts('Fact:X', null, null, null, null, null, null, %s)",
    ),
    ("kind_unknown", "select internal.read_incidents(null, 'Fact:X', null, %s)"),
]
EMPTIED = """
set local enable_indexscan = off;
set local enable_bitmapscan = off;
set local plan_cache_mode = force_generic_plan;
truncate data.every_server, data.every_alert_rule, data.every_kpi, data.every_subscription,
    data.every_kind cascade
"""


@pytest.mark.parametrize(("slug", "statement"), NAMED)
def test_a_name_is_refused_where_nothing_is_stored(
    db: Connection, slug: str, statement: str
) -> None:
    db.execute(EMPTIED)
    with refused(db, slug):
        db.execute(statement.encode(), [NOW])
