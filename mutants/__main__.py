"""Run the mutants: `python -m mutants [--help]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from queue import SimpleQueue
from typing import Protocol

from rich.console import Console

from mutants import (
    bridge_operators,
    python_operators,
    python_reach,
    reach,
    report,
    sql_operators,
    sql_trials,
)
from mutants.equivalents import Equivalents
from mutants.folders import ROOT
from mutants.journal import Journal
from mutants.mutant import Mutant
from mutants.python_trials import PythonTrials
from mutants.report import Result
from mutants.sample import sample
from mutants.sql_trials import SqlTrials

SQL = ("sql/functions", "sql/views", "sql/policies", "sql/grants.sql")
PYTHON = "app/supervisor_mcp"
INTERRUPTED = 130

Done = Callable[[Mutant, str], None]


class Runner(Protocol):
    """Tries the mutants of one file after another."""

    def run(self, mutants: list[Mutant], done: Done) -> None:
        """Try the mutants of one file that have no outcome yet, and note each."""
        ...

    def close(self) -> None:
        """End what it runs."""
        ...

    def kill(self) -> None:
        """End what it runs at once."""
        ...


def main() -> None:
    """Try every mutant that was not tried yet, and print the survivors and scores."""
    sent = _arguments()
    console = Console(stderr=True)
    files = {path: _mutants(path) for path in _files(sent.only or [*SQL, PYTHON])}
    if sent.sample:
        files = sample(files, sent.sample)
    journal = Journal()
    _try_all(sent, console, files, journal)
    results = list(_results(files, journal))
    if sent.json:
        sys.stdout.write(report.as_json(results) + "\n")
    else:
        report.show(Console(), results, sampled=sent.sample is not None)


def _mutants(path: str) -> list[Mutant]:
    text = (ROOT / path).read_text()
    if path.endswith(".sql"):
        return sql_operators.mutants(path, text)
    if path.endswith(".mjs"):
        return bridge_operators.mutants(path, text)
    return python_operators.mutants(path, text)


def _try_all(
    sent: argparse.Namespace, console: Console, files: dict[str, list[Mutant]], journal: Journal
) -> None:
    waiting = {
        path: mutants
        for path, mutants in files.items()
        if any(journal.outcome(each) is None for each in mutants)
    }
    total = sum(map(len, waiting.values()))
    numbers = count(1)

    def done(mutant: Mutant, status: str) -> None:
        place = f"{mutant.path}:{mutant.line} {mutant.operator}"
        console.print(f"{next(numbers)}/{total} {place}: {status}", highlight=False)

    sql = {path: mutants for path, mutants in waiting.items() if path.endswith(".sql")}
    python = {path: mutants for path, mutants in waiting.items() if path not in sql}
    if sql:
        reached = reach.known(console.print)
        runners = [
            SqlTrials(f"worker-{number}", reached, journal, sent.seconds)
            for number in range(sent.workers)
        ]
        _try_files(runners, sql, journal, done)
    if python:
        called = python_reach.known(sent.workers, console.print)
        _try_files(
            [PythonTrials(called, journal, sent.seconds) for _ in range(sent.workers)],
            python,
            journal,
            done,
        )


def _try_files(
    runners: Sequence[Runner], files: dict[str, list[Mutant]], journal: Journal, done: Done
) -> None:
    idle: SimpleQueue[Runner] = SimpleQueue()
    for runner in runners:
        idle.put(runner)

    def try_file(mutants: list[Mutant]) -> None:
        runner = idle.get()
        try:
            runner.run(mutants, done)
        finally:
            idle.put(runner)

    pool = ThreadPoolExecutor(len(runners))
    try:
        list(pool.map(try_file, files.values()))
    except KeyboardInterrupt:
        journal.close()
        pool.shutdown(wait=False, cancel_futures=True)
        for runner in runners:
            runner.kill()
        os._exit(INTERRUPTED)
    finally:
        for runner in runners:
            runner.close()
        pool.shutdown()


def _results(files: dict[str, list[Mutant]], journal: Journal) -> Iterable[Result]:
    equivalents = Equivalents()
    for mutants in files.values():
        for mutant in mutants:
            outcome = journal.outcome(mutant)
            if outcome is not None and outcome.status != "invalid":
                yield Result(mutant, outcome.status, outcome.test, equivalents.reason(mutant))


def _files(chosen: Iterable[str]) -> list[str]:
    found = [
        path
        for name in chosen
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).glob("**/*.*"))
        if path.suffix in {".sql", ".py", ".mjs"}
    ]
    paths = sorted(path.relative_to(ROOT).as_posix() for path in found)
    # A migration runs once, and sql/schema.sql is generated.
    return [path for path in paths if path.startswith((*SQL, PYTHON))]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument(
        "--only", nargs="*", help="files or folders, from the root of the repository"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--workers", type=int, default=1, help="how many are tried at once")
    parser.add_argument(
        "--sample", type=int, help="how many to try, chosen at random; all by default"
    )
    parser.add_argument(
        "--seconds", type=float, default=sql_trials.SECONDS, help="how long one mutant may take"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
