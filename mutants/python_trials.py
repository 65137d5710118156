"""Try the mutants of app/ in a copy of the repository, so that no work tree is changed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from mutants import lent_service, prepared
from mutants.folders import copied, environment, kept
from mutants.journal import Journal
from mutants.mutant import Mutant
from mutants.python_reach import PythonReach
from tests.support.processes import descendants

PASSED = 0
# As pytest lists them. Without any, the change has ended the process, or kept it from starting.
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
# Of one test: a change may make it wait forever. Less than a mutant may take, or it has no outcome.
TEST_SECONDS = 30
# Of all that have killed a mutant of a file, without a change.
CHECK_SECONDS = 600

Done = Callable[[Mutant, str], None]


class PythonTrials:
    """Tries mutants with a pytest process each."""

    def __init__(self, reach: PythonReach, journal: Journal, seconds: float) -> None:
        self._reach = reach
        self._journal = journal
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._lent: dict[str, str] = {}
        self._prepared: dict[str, str] = {}
        self._services = ExitStack()
        # Of the tests that have killed a mutant, those that pass and that fail without a change.
        self._sound: set[str] = set()
        self._unsound: set[str] = set()

    def run(self, mutants: list[Mutant], done: Done) -> None:
        """Try the mutants of one file that have no outcome yet, and note each."""
        waiting = [each for each in mutants if self._journal.outcome(each) is None]
        for mutant in mutants:
            if (outcome := self._journal.outcome(mutant)) is not None:
                done(mutant, outcome.status)
        with copied() as copy:
            while waiting:
                killed: dict[str, list[Mutant]] = {}
                for mutant in waiting:
                    test = self._try(mutant, copy, done)
                    if test is not None:
                        killed.setdefault(test, []).append(mutant)
                self._check(killed, copy)
                waiting = [each for test in killed.keys() & self._unsound for each in killed[test]]

    def close(self) -> None:
        """End the service of the tests."""
        self._services.close()

    def kill(self) -> None:
        """End the tests of the present mutant at once."""
        if self._process is not None:
            _kill(self._process)
        self.close()

    def _try(self, mutant: Mutant, copy: Path, done: Done) -> str | None:
        begun = time.monotonic()
        status, test = self._attempt(mutant, copy)
        self._journal.add(mutant, status, test, time.monotonic() - begun)
        done(mutant, status)
        return test

    def _check(self, tests: Iterable[str], copy: Path) -> None:
        """Run what failed with a change without any."""
        unknown = [test for test in tests if test not in self._sound]
        if unknown:
            ended = self._pytest(unknown, copy, CHECK_SECONDS)
            self._unsound.update(FAILED.findall(ended.stdout))
            self._sound.update(set(unknown) - self._unsound)

    def _attempt(self, mutant: Mutant, copy: Path) -> tuple[str, str | None]:
        tests = [test for test in self._reach.tests(mutant) if test not in self._unsound]
        if not tests:
            return "untested", None
        file = copy / mutant.path
        file.write_text(mutant.mutated)
        try:
            ended = self._pytest(["-x", *tests], copy, self._seconds, mutant.path)
        except subprocess.TimeoutExpired:
            return "unfinished", None
        finally:
            file.write_text(mutant.text)
        if ended.returncode == PASSED:
            return "survived", None
        failed = FAILED.search(ended.stdout)
        return "killed", failed[1] if failed else None

    def _pytest(
        self, arguments: list[str], copy: Path, seconds: float, changed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        plugin, variable = self._plugin(changed)
        self._process = begun = subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"),
                *("-o", f"cache_dir={kept('pytest')}", f"--timeout={TEST_SECONDS}"),
                *plugin,
                *(f"--deselect={test}" for test in sorted(self._unsound)),
                *arguments,
            ],
            cwd=copy,
            env=environment(copy) | variable,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            out, _ = begun.communicate(timeout=seconds)
        finally:
            _kill(begun)
            begun.wait()
        return subprocess.CompletedProcess(begun.args, begun.returncode, out)

    def _plugin(self, changed: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """What makes the tests of a changed file faster: options of pytest, and a variable."""
        if lent_service.suits(changed):
            self._lent = self._lent or self._services.enter_context(lent_service.lent())
            return lent_service.OPTIONS, self._lent
        if prepared.suits(changed):
            self._prepared = self._prepared or prepared.made()
            return prepared.OPTIONS, self._prepared
        return (), {}


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process and what it has started, in groups of their own as well."""
    for pid, _ in descendants(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
