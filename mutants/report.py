"""Scores by file, and the survivors, as tables or JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mutants.mutant import Mutant

ALIVE = {"survived", "unfinished", "untested"}


@dataclass(frozen=True)
class Result:
    """A mutant and how it ended; `reason` says why a survivor is accepted."""

    mutant: Mutant
    status: str
    test: str | None
    reason: str | None

    @property
    def alive(self) -> bool:
        """Whether a test is missing."""
        return self.status in ALIVE and self.reason is None


@dataclass(frozen=True)
class Score:
    """The counts of some results; invalid mutants count nowhere."""

    killed: int
    alive: int
    accepted: int

    @property
    def percent(self) -> float | None:
        """Killed of all that are not equivalent."""
        tried = self.killed + self.alive
        return round(100 * self.killed / tried, 1) if tried else None

    @property
    def margin(self) -> float | None:
        """How far the percentage of all mutants may lie from that of a sample, at 95 %."""
        if self.percent is None:
            return None
        share = self.killed / (self.killed + self.alive)
        return round(196 * sqrt(share * (1 - share) / (self.killed + self.alive)), 1)


def score(results: Iterable[Result]) -> Score:
    """Count results."""
    counts = Counter(
        "alive"
        if each.alive
        else "killed"
        if each.status == "killed"
        else each.reason and "accepted"
        for each in results
    )
    return Score(counts["killed"], counts["alive"], counts["accepted"])


def show(console: Console, results: list[Result], sampled: bool) -> None:
    """Print the survivors, then the scores, for a sample with how far they may be off."""
    for each in sorted((each for each in results if each.alive), key=_place):
        console.print(
            f"{each.mutant.path}:{each.mutant.line}: {each.status} ({each.mutant.operator})\n"
            f"  [red]- {escape(each.mutant.before)}[/]\n  [green]+ {escape(each.mutant.after)}[/]",
            highlight=False,
            soft_wrap=True,
        )
    table = Table(title="Mutants", title_justify="left")
    table.add_column("file")
    for heading in ("killed", "survived", "accepted", "score"):
        table.add_column(heading, justify="right")
    for name, count in _scores(results):
        percent = "" if count.percent is None else f"{count.percent:.1f} %"
        if sampled and name == "all":
            percent += f" ± {count.margin}"
        table.add_row(name, *map(str, (count.killed, count.alive, count.accepted)), percent)
    console.print(table)


def as_json(results: list[Result]) -> str:
    """The same for programs."""
    survivors = [
        {
            "file": each.mutant.path,
            "line": each.mutant.line,
            "operator": each.mutant.operator,
            "status": each.status,
            "before": each.mutant.before,
            "after": each.mutant.after,
        }
        for each in sorted((each for each in results if each.alive), key=_place)
    ]
    files = {
        name: {
            "killed": count.killed,
            "survived": count.alive,
            "accepted": count.accepted,
            "score": count.percent,
        }
        for name, count in _scores(results)
    }
    return json.dumps({"files": files, "survivors": survivors}, indent=2)


def _scores(results: list[Result]) -> Iterator[tuple[str, Score]]:
    paths = sorted({each.mutant.path for each in results})
    for path in paths:
        yield path, score(each for each in results if each.mutant.path == path)
    if len(paths) != 1:
        yield "all", score(results)


def _place(result: Result) -> tuple[str, int]:
    return result.mutant.path, result.mutant.start
