"""Data directories of the embedded database, prepared once a day for all runs of the same code."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

import supervisor_mcp
from supervisor_mcp import config as settings
from supervisor_mcp.deploy import deploy, shipped_sql_dir
from supervisor_mcp.embedded import database

# Longer than a run takes.
UNUSED_SECONDS = 3600


class DataDirectories:
    """Stopped data directories below `folder`, which workers and runs share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def empty(self, target: Path) -> None:
        """Copy the data directory of a database that nothing was done to."""
        self._copy("empty", target)

    def deployed(self, target: Path, *, jobs: bool = True) -> None:
        """Copy the data directory of a database that `up` has deployed, or one with jobs off."""
        self._copy("deployed" if jobs else "deployed_without_jobs", target)

    def _copy(self, name: str, target: Path) -> None:
        """Copy the data directory `name`, which the first call makes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.lock").open("w") as lock:
            # A copy of what others only read takes no lock, so only the making is one by one.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._folder / name).exists():
                self._make(name)
        shutil.copytree(self._folder / name, target)

    def _make(self, name: str) -> None:
        made = self._folder / f"{name}.new"
        # A run that was killed may have left it.
        shutil.rmtree(made, ignore_errors=True)
        base, prepare = STEPS[name]
        if base is not None:
            self._copy(base, made)
        with database.start(made, cache_dir=settings.load().cache_dir, jobs=False) as running:
            prepare(running.url)
        made.rename(self._folder / name)


def deploy_shipped(url: str) -> None:
    """Deploy sql/."""
    deploy(url, sql_dir())


def sql_dir() -> Path:
    """Where the SQL is that databases of tests get."""
    return shipped_sql_dir()


def stop_jobs(url: str) -> None:
    """Turn off all jobs of a deployed database."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        if conn.execute("select to_regclass('timescaledb_information.jobs')").fetchone() != (None,):
            conn.execute(
                "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs"
            )


# By the name of a data directory: the one that it starts as, and what is done to that.
STEPS: dict[str, tuple[str | None, Callable[[str], None]]] = {
    "empty": (None, lambda _: None),
    "deployed": ("empty", deploy_shipped),
    "deployed_without_jobs": ("deployed", stop_jobs),
}


def shared(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> DataDirectories:
    """The prepared data directories in pytest's cache, or where that is off, of this run."""
    if hasattr(config, "cache"):
        assert config.cache is not None
        return DataDirectories(current_folder(config.cache.mkdir("prepared")))
    own = tmp_path_factory.getbasetemp()
    return DataDirectories(
        (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    )


def current_folder(kept: Path) -> Path:
    """The folder for this code and this day, as jobs go by the clock.

    Others are removed, unless a run may still use them.
    """
    digest = hashlib.sha256(datetime.now(UTC).date().isoformat().encode())
    for path in _sources():
        digest.update(f"{path.name} {path.stat().st_size} ".encode() + path.read_bytes())
    current = kept / digest.hexdigest()
    current.mkdir(exist_ok=True)
    os.utime(current)
    unused = time.time() - UNUSED_SECONDS
    for other in kept.iterdir():
        # Another worker may have removed it.
        with suppress(FileNotFoundError):
            if other.stat().st_mtime < unused:
                shutil.rmtree(other, ignore_errors=True)
    return current


def _sources() -> Iterator[Path]:
    """What decides the contents of a data directory."""
    yield Path(__file__)
    package = Path(supervisor_mcp.__file__).parent
    for folder in (shipped_sql_dir(), package / "deploy", package / "embedded"):
        yield from sorted(
            path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        )
