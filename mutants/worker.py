"""The process of `warm_tests` from outside: one that hangs or ends is started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from mutants.folders import kept
from mutants.warm_tests import Recorded, Trial, Verdict, serve

START_SECONDS = 600
# Beyond what a trial may take: the test that it is in.
GRACE_SECONDS = 120
STOP_SECONDS = 30


class Worker:
    """Tries changes one after the other."""

    def __init__(self, name: str, paths: Sequence[str], sql_dir: Path | None = None) -> None:
        self._name = name
        self._arguments = (paths, False, sql_dir)
        self._running: tuple[BaseProcess, Connection] | None = None

    def attempt(self, trial: Trial) -> Verdict:
        """Run a trial; what ends the process or never ends is killed by the test that ran."""
        if self._running is None:
            self._running = _start(self._name, *self._arguments)
            _, requests = self._running
            if not requests.poll(START_SECONDS) or requests.recv() != "ready":
                raise TimeoutError("the tests cannot be collected")
        _, requests = self._running
        requests.send(trial)
        try:
            if requests.poll(trial.seconds + GRACE_SECONDS):
                verdict: Verdict = requests.recv()
            else:
                verdict = Verdict("killed", "no test ended in time", sound=False)
        except EOFError:
            verdict = Verdict("killed", "the process of the tests ended", sound=False)
        if not verdict.sound:
            self.close()
        return verdict

    def close(self) -> None:
        """End the process."""
        if self._running is not None:
            _end(*self._running)
        self._running = None

    def kill(self) -> None:
        """End the process and its servers at once."""
        if self._running is not None:
            _kill(self._running[0])


def record(paths: Sequence[str]) -> Iterator[Recorded]:
    """Run every test below `paths` once and tell what it called."""
    process, requests = _start("recorder", paths, True, None)
    try:
        while (recorded := requests.recv()) is not None:
            yield recorded
    finally:
        _end(process, requests)


@contextmanager
def working(name: str, paths: Sequence[str], sql_dir: Path | None = None) -> Iterator[Worker]:
    """A worker for the time of the context."""
    worker = Worker(name, paths, sql_dir)
    try:
        yield worker
    finally:
        worker.close()


def _start(
    name: str, paths: Sequence[str], recording: bool, sql_dir: Path | None
) -> tuple[BaseProcess, Connection]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=serve, args=(theirs, paths, recording, sql_dir, kept(f"{name}.log"))
    )
    process.start()
    theirs.close()
    return process, ours


def _end(process: BaseProcess, requests: Connection) -> None:
    with suppress(BrokenPipeError):
        requests.send(None)
    process.join(STOP_SECONDS)
    if process.is_alive():
        _kill(process)
        process.join()
    requests.close()


def _kill(process: BaseProcess) -> None:
    if process.pid is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
