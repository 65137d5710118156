"""The rules of texts that schemas publish."""

from __future__ import annotations

from psycopg import Connection

from supervisor_mcp.operations import text_rules


def test_schemas_publish_the_rules_that_sql_checks(db: Connection) -> None:
    row = db.execute("select internal.text_rules()").fetchone()
    assert row is not None
    published = {name.lower(): rule for name, rule in vars(text_rules).items() if name.isupper()}
    assert published == row[0]
