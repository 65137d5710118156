"""Rows on their way into the service: batches, retries, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from supervisor_mcp.cli.client import Client, words
from supervisor_mcp.cli.failure import REFUSED, UNREACHABLE, Failure

BATCH_ROWS = 1_000
BATCH_BYTES = 4 * 2**20
REASONS_KEPT = 10
PATIENCE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.2
METRICS, FACTS = "/ingest/metrics", "/ingest/facts"


@dataclass(frozen=True)
class Row:
    """One item as JSON, the path that takes it, and where it stood."""

    place: str
    path: str
    body: bytes


@dataclass(frozen=True)
class Reason:
    """Why the row at `place` was not stored."""

    place: str
    detail: str


@dataclass
class Tally:
    """What became of the rows, as the service acknowledged it; the first reasons in full."""

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
        for fault in receipt["rejected"]:
            self.reject(batch[fault["index"]].place, fault["detail"])


def ingest(
    client: Client, rows: Iterable[Row], tally: Tally, done: Callable[[int], None] = lambda _: None
) -> None:
    """Send rows in batches and count their fate in `tally`, which is true also after a failure.

    A batch that the service could not take now (503, a connection that broke) is sent again with
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
                f"{failure.message} {tally.rows:,} rows had their answer; run the same command"
                " again to go on.",
                failure.status,
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
        raise Failure(words(answer), REFUSED)
    elif len(batch) == 1:
        tally.reject(batch[0].place, words(answer))
    else:
        # One row that the service cannot even read must not take the others with it.
        half = len(batch) // 2
        _deliver(client, batch[:half], f"{key}a", tally)
        _deliver(client, batch[half:], f"{key}b", tally)


def _post(client: Client, batch: list[Row], key: str) -> httpx.Response:
    body = b"[" + b",".join(row.body for row in batch) + b"]"
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = FIRST_PAUSE_SECONDS
    # Nothing was ever sent by this run: then there is no service, and no reason to wait for it.
    first = key.endswith("-0")
    while True:
        try:
            answer = client.send(
                "POST", batch[0].path, params={"partial": "true"}, body=body, headers=headers
            )
        except Failure as failure:
            if first or failure.status != UNREACHABLE or time.monotonic() + pause > deadline:
                raise
        else:
            wait = max(pause, _retry_after(answer))
            if answer.status_code not in (503, 504) or time.monotonic() + wait > deadline:
                return answer
            pause = wait
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def _retry_after(answer: httpx.Response) -> float:
    try:
        return float(answer.headers.get("Retry-After", 0))
    except ValueError:
        return 0.0
