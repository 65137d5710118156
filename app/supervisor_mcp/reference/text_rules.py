"""The rules of texts in SQL, as the module of the application that publishes them."""

from __future__ import annotations

import json
from typing import Any

from psycopg import Connection

HEAD = '''"""Rules of texts as JSON Schema; `make generate` writes them from internal.text_rules."""

from __future__ import annotations

from typing import Any, Final
'''


def text_rules(conn: Connection[Any]) -> str:
    """The Python module with one constant for every rule."""
    row = conn.execute("select internal.text_rules()").fetchone()
    assert row is not None  # noqa: S101
    return "\n".join([HEAD, *(_constant(name, rule) for name, rule in sorted(row[0].items()))])


def _constant(name: str, rule: dict[str, Any]) -> str:
    members = "".join(f'    "{key}": {json.dumps(value)},\n' for key, value in rule.items())
    return f"{name.upper()}: Final[dict[str, Any]] = {{\n{members}}}\n"
