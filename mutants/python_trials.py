"""Try the mutants of Python files in a copy of the repository, so that no work tree is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mutants.folders import ROOT
from mutants.journal import Journal
from mutants.mutant import Mutant
from mutants.python_reach import PythonReach

NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__")
# A run of pytest that found a failure, or no test that could be imported.
PASSED = 0


class PythonTrials:
    """Tries mutants with a pytest process each."""

    def __init__(self, reach: PythonReach, journal: Journal, seconds: float) -> None:
        self._reach = reach
        self._journal = journal
        self._seconds = seconds

    def run(self, mutants: list[Mutant], done: Callable[[Mutant, str], None]) -> None:
        """Try the mutants of one file that have no outcome yet, and note each."""
        with tempfile.TemporaryDirectory(prefix="supervisor-mutant-") as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
            for mutant in mutants:
                outcome = self._journal.outcome(mutant)
                if outcome is not None:
                    done(mutant, outcome.status)
                    continue
                begun = time.monotonic()
                status, test = self._attempt(mutant, copy)
                self._journal.add(mutant, status, test, time.monotonic() - begun)
                done(mutant, status)

    def _attempt(self, mutant: Mutant, copy: Path) -> tuple[str, str | None]:
        tests = self._reach.tests(mutant.path, mutant.line)
        if not tests:
            return "untested", None
        file = copy / mutant.path
        file.write_text(mutant.mutated)
        try:
            ended = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-xq",
                    "-p",
                    "no:cacheprovider",
                    "-p",
                    "no:randomly",
                    *tests,
                ],
                cwd=copy,
                env={**os.environ, "PYTHONPATH": str(copy / "app")},
                capture_output=True,
                text=True,
                timeout=self._seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "killed", "no test ended in time"
        finally:
            file.write_text(mutant.text)
        if ended.returncode == PASSED:
            return "survived", None
        failed = [
            line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))
        ]
        return "killed", failed[0].split()[1] if failed else "the tests cannot be imported"
