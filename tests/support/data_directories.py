"""Data directories of the embedded database, prepared once for all workers of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from supervisor_mcp import config
from supervisor_mcp.deploy import deploy, shipped_sql_dir
from supervisor_mcp.embedded import database


class DataDirectories:
    """Stopped data directories below `folder`, which the workers of a run share."""

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
        base, prepare = STEPS[name]
        if base is not None:
            self._copy(base, made)
        with database.start(made, cache_dir=config.load().cache_dir, jobs=False) as running:
            prepare(running.url)
        made.rename(self._folder / name)


def deploy_shipped(url: str) -> None:
    """Deploy sql/."""
    deploy(url, shipped_sql_dir())


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


def shared_by_workers(tmp_path_factory: pytest.TempPathFactory) -> DataDirectories:
    """The prepared data directories of this run."""
    own = tmp_path_factory.getbasetemp()
    return DataDirectories(
        (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    )
