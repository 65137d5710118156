"""Data directories that a changed bridge starts on, which the unchanged one has made.

It is the plugin of pytest that gives them to tests. Each change would make its own else.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mutants.folders import kept
from tests.support import data_directories
from tests.support.data_directories import DataDirectories

OPTIONS = ("-p", "mutants.prepared")
# The plugin reads where they are from here, in a process of tests.
VARIABLE = "MUTANTS_PREPARED"
BRIDGE = "app/supervisor_mcp/embedded/bridge/"
# What makes them.
MAKES_THEM = f"{BRIDGE}engine.mjs"


def suits(path: str) -> bool:
    """Whether a change of a file leaves them as they are."""
    return path.startswith(BRIDGE) and path != MAKES_THEM


def made() -> dict[str, str]:
    """Make what most tests use, unless it is there: the variable with which it is found."""
    kept("prepared").mkdir(exist_ok=True)
    folder = data_directories.current_folder(kept("prepared"))
    with tempfile.TemporaryDirectory(prefix="supervisor-mutant-") as other:
        DataDirectories(folder).empty(Path(other) / "data")
    return {VARIABLE: str(folder)}


def pytest_configure() -> None:
    """Give the tests what is there."""
    if VARIABLE in os.environ:
        folder = Path(os.environ[VARIABLE])
        setattr(data_directories, "current_folder", lambda _: folder)  # noqa: B010  called there
