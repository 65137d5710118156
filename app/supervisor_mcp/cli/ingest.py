"""Rows on their way into the service: batches, retries, and the answers to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import stamina
from stamina.instrumentation import set_on_retry_hooks

from supervisor_mcp.cli import console
from supervisor_mcp.cli.client import Client, refusal
from supervisor_mcp.cli.failure import FAILED, UNREACHABLE, Failure
from supervisor_mcp.cli.quantities import counted

BATCH_ROWS = 1_000
BATCH_BYTES = 4 * 2**20
REASONS_KEPT = 10
PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
CONFLICTS = "select kind, source, ts, item from conflicts order by last_received_at desc"
METRICS, FACTS = "/ingest/metrics", "/ingest/facts"
# stamina would log every retry to standard error, where messages for people go.
set_on_retry_hooks([])


@dataclass(frozen=True)
class Row:
    """One item as JSON, the path that takes it, and its place in the input."""

    place: str
    path: str
    body: bytes


@dataclass(frozen=True)
class Reason:
    """Why the row at `place` was rejected."""

    place: str
    detail: str


@dataclass
class Tally:
    """Counts of rows by the answers of the service, and the first reasons for rejections."""

    accepted: int = 0
    duplicate: int = 0
    conflict: int = 0
    late: int = 0
    rejected: int = 0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that got an answer."""
        return self.accepted + self.duplicate + self.conflict + self.rejected

    def counts(self) -> dict[str, int]:
        """All numbers by their names."""
        names = ("accepted", "duplicate", "conflict", "late", "rejected")
        return {"rows": self.rows, **{name: getattr(self, name) for name in names}}

    def reject(self, place: str, detail: str) -> None:
        """Count a row that was not stored."""
        self.rejected += 1
        if len(self.reasons) < REASONS_KEPT:
            self.reasons.append(Reason(place, detail))

    def count(self, receipt: dict[str, Any], batch: list[Row]) -> None:
        """Add a receipt of the service for `batch`."""
        self.accepted += receipt["accepted"]
        self.duplicate += receipt["duplicate"]
        self.conflict += receipt["conflict"]
        self.late += receipt["late"]
        for index, faults in groupby(receipt["rejected"], itemgetter("index")):
            details = " ".join(fault["detail"] for fault in faults)
            self.reject(batch[index].place, details)

    def print_conflicts(self) -> None:
        """Print to standard error what counts where rows conflict, and how to see them."""
        if not self.conflict:
            return
        have = "has" if self.conflict == 1 else "have"
        console.say(
            f"{counted(self.conflict, 'row')} {have} the series and time of a stored row, or the id"
            " of a stored fact, and other content: the one that came first counts. See them:"
            f' {console.command()} sql "{CONFLICTS}"'
        )

    def print_reasons(self) -> None:
        """Print the first reasons for rejections to standard error."""
        for reason in self.reasons:
            console.say(f"{reason.place}: {reason.detail}")
        if self.rejected > len(self.reasons):
            console.say(f"… and {self.rejected - len(self.reasons):,} more.")

    def raise_if_rejected(self) -> None:
        """Raise Failure when rows were rejected."""
        if not self.rejected:
            return
        all_of_them = "The row was rejected." if self.rows == 1 else "All rows were rejected."
        was = "was" if self.rejected == 1 else "were"
        raise Failure(
            f"{self.rejected:,} of {self.rows:,} rows {was} rejected; the rest is stored."
            if self.rejected < self.rows
            else all_of_them,
            FAILED,
            hint="Fix the rejected rows and run the command again; rows that are stored count as"
            " duplicates then.",
        )


class _Busy(Exception):  # noqa: N818  an answer rather than an error
    """The service cannot take a batch now; `pause_seconds` is what Retry-After asks for."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer
        try:
            self.pause_seconds = float(answer.headers.get("Retry-After", 0))
        except ValueError:
            self.pause_seconds = 0.0


def ingest(
    client: Client, rows: Iterable[Row], tally: Tally, done: Callable[[int], None] = lambda _: None
) -> None:
    """Send rows in batches and count the answers in `tally`, which is right also after a failure.

    A batch that the service cannot take now (503, 504, a broken connection) is sent again with
    the same Idempotency-Key for a minute. Raises Failure.
    """
    run = uuid4().hex
    for number, batch in enumerate(batches(rows)):
        try:
            _deliver(client, batch, f"{run}-{number}", tally)
        except Failure as failure:
            if number == 0:
                raise
            raise Failure(
                f"{failure.detail} Answered before: {counted(tally.rows, 'row')}.",
                failure.status,
                hint="Run the same command again to continue.",
                problem=failure.problem,
            ) from failure
        done(len(batch))


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Group rows by path, in their order: at most 1,000 rows or about 4 MiB a batch."""
    waiting: dict[str, list[Row]] = {}
    sizes: dict[str, int] = {}
    for row in rows:
        batch = waiting.setdefault(row.path, [])
        if batch and (len(batch) == BATCH_ROWS or sizes[row.path] + len(row.body) > BATCH_BYTES):
            yield batch
            batch = waiting[row.path] = []
        sizes[row.path] = len(row.body) + (sizes[row.path] if batch else 0)
        batch.append(row)
    yield from (batch for batch in waiting.values() if batch)


def _deliver(client: Client, batch: list[Row], key: str, tally: Tally) -> None:
    answer = _post(client, batch, key)
    if answer.is_success:
        tally.count(msgspec.json.decode(answer.content), batch)
    elif answer.status_code not in (400, 413, 422):
        raise refusal(answer)
    elif len(batch) == 1:
        tally.reject(batch[0].place, refusal(answer).detail)
    else:
        # One row that the service cannot even parse must not take the others with it.
        half = len(batch) // 2
        _deliver(client, batch[:half], f"{key}a", tally)
        _deliver(client, batch[half:], f"{key}b", tally)


def _post(client: Client, batch: list[Row], key: str) -> httpx.Response:
    """The answer to a batch, which is 503 or 504 only after a minute of retries."""
    body = b"[" + b",".join(row.body for row in batch) + b"]"
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    deadline = time.monotonic() + PATIENCE_SECONDS
    # Before the first answer, a broken connection means that there is no service to wait for.
    waits_for_service = not key.endswith("-0")

    def retry(error: Exception) -> bool | float:
        if isinstance(error, _Busy):
            pause = error.pause_seconds
            return time.monotonic() + pause < deadline and (pause or True)
        is_unreachable = isinstance(error, Failure) and error.status == UNREACHABLE
        return is_unreachable and waits_for_service

    def send() -> httpx.Response:
        answer = client.send(
            "POST", batch[0].path, params={"partial": "true"}, body=body, headers=headers
        )
        if answer.status_code in (503, 504):
            raise _Busy(answer)
        return answer

    caller = stamina.RetryingCaller(
        attempts=None,
        timeout=PATIENCE_SECONDS,
        wait_initial=FIRST_PAUSE_SECONDS,
        wait_max=LONGEST_PAUSE_SECONDS,
        wait_jitter=FIRST_PAUSE_SECONDS,
    )
    try:
        return caller(retry, send)
    except _Busy as busy:
        return busy.answer
