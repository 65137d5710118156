"""Data directories of the embedded database, prepared once for all workers of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor_mcp import config
from supervisor_mcp.embedded import database

DatabaseUse = Callable[[str], None]


class DataDirectories:
    """Stopped data directories below `folder`, which the workers of a run share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def empty(self, target: Path) -> None:
        """Copy the data directory of a database that nothing was done to."""
        self.copy("empty", target, lambda _: None)

    def copy(self, name: str, target: Path, prepare: DatabaseUse) -> None:
        """Copy the data directory `name`; the first call makes it and lets `prepare` fill it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.lock").open("w") as lock:
            # A copy of what others only read takes no lock, so only the making is one by one.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self._folder / name).exists():
                self._make(name, prepare)
        shutil.copytree(self._folder / name, target)

    def _make(self, name: str, prepare: DatabaseUse) -> None:
        made = self._folder / f"{name}.new"
        if name != "empty":
            self.empty(made)
        with database.start(made, cache_dir=config.load().cache_dir, jobs=False) as running:
            prepare(running.url)
        made.rename(self._folder / name)


def shared_by_workers(tmp_path_factory: pytest.TempPathFactory) -> DataDirectories:
    """The prepared data directories of this run."""
    own = tmp_path_factory.getbasetemp()
    return DataDirectories(
        (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    )
