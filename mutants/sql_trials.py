"""Try the mutants of SQL files: functions and views in running databases, the rest deployed."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from mutants.folders import ROOT
from mutants.journal import Journal
from mutants.mutant import Mutant
from mutants.reach import FOLDERS, Reach
from mutants.warm_tests import Trial, Verdict
from mutants.worker import Worker, working

# Ends a mutant that any test can reach; the rest of its tests are not run.
SECONDS = 60.0


class SqlTrials:
    """Tries mutants with one warm process."""

    def __init__(self, name: str, reach: Reach, journal: Journal, seconds: float) -> None:
        self._name = name
        self._reach = reach
        self._journal = journal
        self._seconds = seconds
        self._warm = Worker(name, FOLDERS)

    def run(self, mutants: list[Mutant], done: Callable[[Mutant, str], None]) -> None:
        """Try the mutants of one file that have no outcome yet, and note each."""
        killers: Counter[str] = Counter()
        for mutant in mutants:
            outcome = self._journal.outcome(mutant)
            if outcome is None:
                begun = time.monotonic()
                tests = sorted(self._reach.tests(mutant.path), key=lambda test: -killers[test])
                verdict = self._attempt(mutant, tests) if tests else Verdict("untested")
                seconds = time.monotonic() - begun
                self._journal.add(mutant, verdict.status, verdict.test, seconds)
                killers[verdict.test or ""] += 1
                done(mutant, verdict.status)
            else:
                killers[outcome.test or ""] += 1
                done(mutant, outcome.status)

    def close(self) -> None:
        """End the warm process."""
        self._warm.close()

    def kill(self) -> None:
        """End the warm process at once."""
        self._warm.kill()

    def _attempt(self, mutant: Mutant, tests: list[str]) -> Verdict:
        if mutant.path.startswith(("sql/functions/", "sql/views/")):
            return self._warm.attempt(Trial(tests, mutant.mutated, mutant.text, self._seconds))
        with tempfile.TemporaryDirectory(prefix="supervisor-mutant-") as folder:
            sql_dir = Path(folder) / "sql"
            shutil.copytree(ROOT / "sql", sql_dir)
            (Path(folder) / mutant.path).write_text(mutant.mutated)
            files = sorted({test.partition("::")[0] for test in tests})
            with working(f"{self._name}-deployed", files, sql_dir) as worker:
                return worker.attempt(Trial(tests, "", "", self._seconds))
