"""Run the mutants: `python -m mutants [--help]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console

from mutants import reach, report, sql_operators, sql_trials
from mutants.equivalents import Equivalents
from mutants.folders import ROOT
from mutants.journal import Journal
from mutants.mutant import Mutant
from mutants.report import Result
from mutants.sql_trials import SqlTrials

FOLDERS = ("sql/functions", "sql/views", "sql/policies", "sql/grants.sql")


def main() -> None:
    """Try every mutant that was not tried yet, and print the survivors and scores."""
    sent = _arguments()
    console = Console(stderr=True)
    files = {path: sql_operators.mutants(path, (ROOT / path).read_text()) for path in _files(sent)}
    journal = Journal()
    _try_all(sent, console, files, journal)
    results = list(_results(files, journal))
    if sent.json:
        sys.stdout.write(report.as_json(results) + "\n")
    else:
        report.show(Console(), results)


def _try_all(
    sent: argparse.Namespace, console: Console, files: dict[str, list[Mutant]], journal: Journal
) -> None:
    open_files = [
        path
        for path, mutants in files.items()
        if any(not journal.outcome(each) for each in mutants)
    ]
    if not open_files:
        return
    known = reach.known(console.print)
    total = sum(len(files[path]) for path in open_files)
    count = iter(range(1, total + 1))
    idle: SimpleQueue[SqlTrials] = SimpleQueue()
    runners = [
        SqlTrials(f"worker-{number}", known, journal, sent.seconds)
        for number in range(sent.workers)
    ]
    for runner in runners:
        idle.put(runner)

    def done(mutant: Mutant, status: str) -> None:
        place = f"{mutant.path}:{mutant.line}"
        console.print(f"{next(count)}/{total} {place} {mutant.operator}: {status}", highlight=False)

    def try_file(path: str) -> None:
        runner = idle.get()
        try:
            runner.run(files[path], done)
        finally:
            idle.put(runner)

    try:
        with ThreadPoolExecutor(sent.workers) as pool:
            list(pool.map(try_file, open_files))
    finally:
        for runner in runners:
            runner.close()


def _results(files: dict[str, list[Mutant]], journal: Journal) -> Iterable[Result]:
    equivalents = Equivalents()
    for mutants in files.values():
        for mutant in mutants:
            outcome = journal.outcome(mutant)
            if outcome is not None and outcome.status != "invalid":
                yield Result(mutant, outcome.status, outcome.test, equivalents.reason(mutant))


def _files(sent: argparse.Namespace) -> list[str]:
    chosen = sent.only or FOLDERS
    found = [
        path
        for name in chosen
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).glob("**/*.sql"))
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument(
        "--only", nargs="*", type=Path, help="files or folders, from the root of the repository"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--workers", type=int, default=1, help="processes; each runs a database")
    parser.add_argument(
        "--seconds", type=float, default=sql_trials.SECONDS, help="how long one mutant may take"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
