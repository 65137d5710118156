"""How the server's refusal of a file reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

    from supervisor_mcp.deploy.tree import SqlFile


def describe(file: SqlFile, error: psycopg.Error) -> str:
    """Say in one paragraph where and why the server refused a file."""
    diag = error.diag
    where = file.path
    if diag.statement_position is not None:
        line = file.text.count("\n", 0, int(diag.statement_position) - 1) + 1
        where = f"{where}:{line}"
    lines = [f"{where}: {diag.sqlstate}: {diag.message_primary or error}"]
    lines += [
        f"  {label}: {text}"
        for label, text in (
            ("detail", diag.message_detail),
            ("hint", diag.message_hint),
            ("context", diag.context),
        )
        if text
    ]
    return "\n".join(lines)
