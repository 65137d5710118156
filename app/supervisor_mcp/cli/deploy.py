"""supervisor-mcp deploy and generate: the schema in a database, and the files that describe it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from supervisor_mcp.cli import console, progress, servers
from supervisor_mcp.cli.client import load_settings
from supervisor_mcp.cli.database import reach
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.deploy import Older, shipped_sql_dir
from supervisor_mcp.embedded import database
from supervisor_mcp.reference import generate as generate_reference


def deploy(*, allow_older: bool) -> None:
    """Deploy the shipped sql/ and print what changed. Raises Failure."""
    settings = load_settings()
    with (
        progress.step("deploying") as next_step,
        reach(settings, next_step) as url,
    ):
        next_step("deploying")
        older = Older.DEPLOY if allow_older else Older.REFUSE
        report = servers.deploy_schema(url, older, deploy_url=settings.deploy_database_url)
    for warning in report.warnings:
        console.say(f"warning: {warning}")
    console.write(f"{report}\n")


def generate() -> None:
    """Rewrite the generated files and list those that changed. Raises Failure."""
    root = shipped_sql_dir().parent
    if not (root / "pyproject.toml").exists():
        raise Failure(
            "`generate` works in a clone of the repository; this is an installed package.", USAGE
        )
    with (
        progress.step("deploying to an empty database") as next_step,
        TemporaryDirectory() as scratch,
    ):
        settings = load_settings()
        started = database.start(
            Path(scratch),
            cache_dir=settings.cache_dir,
            registry=settings.npm_registry,
            jobs=False,
            progress=next_step,
        )
        with started:
            servers.deploy_schema(started.url, Older.REFUSE)
            changed = generate_reference(started.url, root)
    for path in changed:
        console.write(f"wrote {path.relative_to(root)}\n")
    if not changed:
        console.write("nothing to do\n")
