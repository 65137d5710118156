"""What every peer can do."""

from __future__ import annotations

from typing import Any

from bench.peers.questions import Answer, Question, Window
from bench.peers.samples import Batch


class UnansweredError(Exception):
    """A peer refused a question or ran out of time."""


class Peer:
    """A system that has the samples, and one way to ask it; by itself, one that answers nothing."""

    name: str
    version: str
    # Whether it is asked over HTTP, as the service is over REST, or in the same way as SQL.
    over_http = False
    # What a reader of its figures must know.
    note = ""
    # Whether an acknowledged batch survives a crash of the machine; None: batches cannot be sent.
    durable: bool | None = None
    ingest_note = ""

    def answers(self, question: Question) -> bool:
        """Whether it can answer."""
        return True

    def prepare(self) -> None:
        """Do what comes before a question and is not measured."""

    def ask(self, question: Question, window: Window) -> Any:
        """Ask, and fetch all of the answer; this is what is measured. Raises UnansweredError."""
        raise UnansweredError

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        """Understand what was fetched."""
        raise UnansweredError

    def encode(self, batch: Batch) -> Any:
        """A batch in the form that the peer is sent; not measured."""
        return batch

    def ingest(self, encoded: Any) -> None:
        """Store a batch; this is what is measured."""
        raise UnansweredError
