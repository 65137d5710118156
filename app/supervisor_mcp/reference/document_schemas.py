"""The JSON Schemas of documents in SQL, as the file that the application publishes them from."""

from __future__ import annotations

import json
from typing import Any

from psycopg import Connection

SUFFIX = "_schema"
# Functions internal.<document>_schema() without arguments.
FUNCTIONS = """
select proname
from pg_proc
where
    pronamespace = 'internal'::regnamespace
    and proname like %(pattern)s
    and pronargs = 0
    and prorettype = 'jsonb'::regtype
order by proname
"""


def document_schemas(conn: Connection[Any]) -> str:
    """One JSON object with the schema of every document."""
    schemas = {}
    for (name,) in conn.execute(FUNCTIONS, {"pattern": f"%\\{SUFFIX}"}).fetchall():
        row = conn.execute(f"select internal.{name}()".encode()).fetchone()
        assert row is not None  # noqa: S101
        schemas[name.removesuffix(SUFFIX)] = row[0]
    return json.dumps(schemas, indent=1, ensure_ascii=False) + "\n"
