"""supervisor-mcp deploy and generate: the schema in a database, and the files that describe it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from app import config
from app.cli import console, servers
from app.cli.failure import USAGE, Failure
from app.deploy import shipped_sql_dir
from app.embedded import database
from app.reference import generate as generate_reference


def deploy() -> None:
    """Deploy the shipped sql/ and print what was done. Raises Failure."""
    settings = config.load()
    with (
        console.step("deploying") as tell,
        servers.start_database(settings, tell) as (url, _),
    ):
        tell("deploying")
        report = servers.bring_up_to_date(url)
    console.out().print(str(report), markup=False)


def generate() -> None:
    """Rewrite the generated files and name those that changed. Raises Failure."""
    root = shipped_sql_dir().parent
    if not (root / "pyproject.toml").exists():
        raise Failure("generate works in a clone of the repository; this is an install.", USAGE)
    with console.step("deploying to an empty database") as tell, TemporaryDirectory() as scratch:
        started = database.start(
            Path(scratch), cache_dir=config.load().cache_dir, jobs=False, progress=tell
        )
        with started:
            servers.bring_up_to_date(started.url)
            changed = generate_reference(started.url, root)
    for path in changed:
        console.out().print(f"wrote {path.relative_to(root)}", markup=False)
    if not changed:
        console.out().print("nothing to do")
