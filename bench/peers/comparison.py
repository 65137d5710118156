"""Questions and batches, in rounds in which every peer has its turn; and how exact answers are."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.peers.peer import Peer, UnansweredError
from bench.peers.questions import PERCENTILES, Answer, Question, Statistics, Window
from bench.peers.samples import Samples

BATCHES = 5
# Sums of millions of floats differ in their last digits.
EXACT = 1e-9


@dataclass
class Cell:
    """How a peer did on a question: times, the greatest relative errors, what it left out.

    After a failure it is not asked again.
    """

    times: list[float] = field(default_factory=list)
    error: float = 0.0
    percentile_error: float = 0.0
    missing: set[str] = field(default_factory=set)
    failure: str = ""

    @property
    def ms(self) -> float:
        """The median; endless after a failure."""
        return math.inf if self.failure else statistics.median(self.times)


Cells = dict[tuple[str, str], Cell]


def compare(
    peers: Sequence[Peer], asked: Sequence[Question], samples: Samples, rounds: int
) -> Cells:
    """Ask everybody everything; the first round warms up and is checked, but not measured."""
    cells: Cells = {}
    for turn in range(rounds + 1):
        for question in asked:
            for peer in peers:
                if not peer.answers(question):
                    continue
                cell = cells.setdefault((question.name, peer.name), Cell())
                if not cell.failure:
                    _ask(cell, peer, question, samples, measured=turn > 0)
    return cells


def ingest(peers: Sequence[Peer], sizes: Sequence[int], samples: Samples, rounds: int) -> Cells:
    """Milliseconds of a batch, by its size; the first round is not measured."""
    cells: Cells = {}
    for turn in range(rounds + 1):
        for size in sizes:
            for peer in peers:
                if peer.durable is None:
                    continue
                cell = cells.setdefault((str(size), peer.name), Cell())
                batches = [peer.encode(samples.batch(size)) for _ in range(BATCHES)]
                started = time.perf_counter()
                for batch in batches:
                    peer.ingest(batch)
                if turn:
                    cell.times.append((time.perf_counter() - started) * 1000 / BATCHES)
    return cells


def _ask(cell: Cell, peer: Peer, question: Question, samples: Samples, *, measured: bool) -> None:
    peer.prepare()
    window = Window.of(question.days, samples.newest, time.time())
    started = time.perf_counter()
    try:
        fetched = peer.ask(question, window)
    except UnansweredError as error:
        cell.failure = str(error)
        return
    if measured:
        cell.times.append((time.perf_counter() - started) * 1000)
    answer = peer.read(question, window, fetched)
    _check(cell, answer, samples.answer(question, answer.window))


def _check(cell: Cell, answer: Answer, truth: Answer) -> None:
    missing = truth.groups.keys() - answer.groups.keys()
    if missing:
        raise SystemExit(f"{len(missing)} groups are missing, such as {min(missing)}")
    pairs = [(answer.groups[group], right) for group, right in truth.groups.items()]
    # An empty window has no statistics.
    if truth.previous.get("count"):
        pairs.append((answer.previous, truth.previous))
    for found, right in pairs:
        _check_statistics(cell, found, right)


def _check_statistics(cell: Cell, found: Statistics, right: Statistics) -> None:
    for name, expected in right.items():
        if name not in found:
            cell.missing.add(name)
            continue
        error = abs(found[name] - expected) / abs(expected) if expected else abs(found[name])
        if name in PERCENTILES:
            cell.percentile_error = max(cell.percentile_error, error)
        else:
            cell.error = max(cell.error, error)
