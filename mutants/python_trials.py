"""Try the mutants of app/ in a copy of the repository, so that no work tree is changed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mutants.folders import ROOT, kept
from mutants.journal import Journal
from mutants.mutant import Mutant
from mutants.python_reach import PythonReach

NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__")
PASSED = 0
# As pytest lists them. Without any, the change has ended the process, or kept it from starting.
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
# Of one test: a change may make it wait forever.
TEST_SECONDS = 60


class PythonTrials:
    """Tries mutants with a pytest process each."""

    def __init__(self, reach: PythonReach, journal: Journal, seconds: float) -> None:
        self._reach = reach
        self._journal = journal
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._sound: set[str] = set()
        self._unsound: set[str] = set()

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

    def close(self) -> None:
        """Nothing waits for the next mutant."""

    def kill(self) -> None:
        """End the tests of the present mutant at once."""
        if self._process is not None:
            _kill(self._process)

    def _attempt(self, mutant: Mutant, copy: Path) -> tuple[str, str | None]:
        tests = self._reach.tests(mutant.path, mutant.line)
        if not tests:
            return "untested", None
        file = copy / mutant.path
        while True:
            file.write_text(mutant.mutated)
            try:
                status, test = self._run(tests, copy)
            finally:
                file.write_text(mutant.text)
            if test is None or self._passes(test, copy):
                return status, test
            self._unsound.add(test)

    def _passes(self, test: str, copy: Path) -> bool:
        """Whether a test passes without a change."""
        if test not in self._sound and self._run([test], copy) == ("survived", None):
            self._sound.add(test)
        return test in self._sound

    def _run(self, tests: list[str], copy: Path) -> tuple[str, str | None]:
        try:
            ended = self._pytest(tests, copy)
        except subprocess.TimeoutExpired:
            return "unfinished", None
        if ended.returncode == PASSED:
            return "survived", None
        failed = FAILED.search(ended.stdout)
        return "killed", failed[1] if failed else None

    def _pytest(self, tests: list[str], copy: Path) -> subprocess.CompletedProcess[str]:
        self._process = begun = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-xq", "-p", "no:randomly"),
                *("-o", f"cache_dir={kept('pytest')}", f"--timeout={TEST_SECONDS}", *tests),
                *(f"--deselect={test}" for test in sorted(self._unsound)),
            ],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy / "app")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            out, _ = begun.communicate(timeout=self._seconds)
        finally:
            _kill(begun)
            begun.wait()
        return subprocess.CompletedProcess(begun.args, begun.returncode, out)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
