"""supervisor-mcp deploy and generate: the schema in a database, and the files that describe it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from supervisor_mcp import config
from supervisor_mcp.cli import console, servers
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.deploy import shipped_sql_dir
from supervisor_mcp.embedded import database
from supervisor_mcp.reference import generate as generate_reference


def deploy() -> None:
    """Deploy the shipped sql/ and print what was done. Raises Failure."""
    settings = config.load()
    with (
        console.step("deploying") as progress,
        servers.start_database(settings, progress) as (url, _),
    ):
        progress("deploying")
        report = servers.bring_up_to_date(url)
    console.out().print(str(report), markup=False)


def generate() -> None:
    """Rewrite the generated files and name those that changed. Raises Failure."""
    root = shipped_sql_dir().parent
    if not (root / "pyproject.toml").exists():
        raise Failure("generate works in a clone of the repository; this is an install.", USAGE)
    with (
        console.step("deploying to an empty database") as progress,
        TemporaryDirectory() as scratch,
    ):
        started = database.start(
            Path(scratch), cache_dir=config.load().cache_dir, jobs=False, progress=progress
        )
        with started:
            servers.bring_up_to_date(started.url)
            changed = generate_reference(started.url, root)
    for path in changed:
        console.out().print(f"wrote {path.relative_to(root)}", markup=False)
    if not changed:
        console.out().print("nothing to do")
