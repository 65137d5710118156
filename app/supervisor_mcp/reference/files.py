"""The generated files: written, or compared with what they contain."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

from supervisor_mcp.reference.catalog import read_only
from supervisor_mcp.reference.document_schemas import document_schemas
from supervisor_mcp.reference.snapshot import snapshot
from supervisor_mcp.reference.sql_api import sql_api
from supervisor_mcp.reference.text_rules import text_rules


def generate(conninfo: str, repo_root: Path) -> list[Path]:
    """Write the files from the database at `conninfo` and return those that changed.

    The database must be one that was empty before a deploy.
    """
    changed = []
    for path, text in _texts(conninfo, repo_root).items():
        if _current(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def drift(conninfo: str, repo_root: Path) -> str:
    """Compare the files with the database: a unified diff, empty when nothing differs."""
    return "".join(
        line
        for path, text in _texts(conninfo, repo_root).items()
        for line in unified_diff(
            _current(path).splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{path.name} (file)",
            f"{path.name} (database)",
        )
    )


def _texts(conninfo: str, repo_root: Path) -> dict[Path, str]:
    with read_only(conninfo) as conn:
        return {
            repo_root / "sql" / "schema.sql": snapshot(conn),
            repo_root / "docs" / "sql-api.md": sql_api(conn),
            repo_root / "app/supervisor_mcp/operations/text_rules.py": text_rules(conn),
            repo_root / "app/supervisor_mcp/operations/documents.json": document_schemas(conn),
        }


def _current(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
