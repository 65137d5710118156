"""Instants as whole microseconds since 1970, and those that an import must remember."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from supervisor_mcp.cli.failure import Failure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# What an epoch looks like: years 1 to 9999 in seconds.
SECONDS = re.compile(r"[+-]?\d{1,12}(\.\d+)?")
OLDEST, NEWEST = -62_135_596_800 * 10**6, 253_402_300_800 * 10**6 - 1


@dataclass(frozen=True)
class Anchor:
    """What makes an import repeatable: when it began, and how far it moves its rows, in µs."""

    began: int
    shift: int


def now() -> int:
    """The present second, in microseconds."""
    return (datetime.now(UTC).replace(microsecond=0) - EPOCH) // MICROSECOND


def read(written: str, *, assume_utc: bool) -> int | None:
    """An instant written as ISO 8601 or as epoch seconds; None when it is neither.

    One without an offset is UTC with `assume_utc`, else none.
    """
    if SECONDS.fullmatch(written):
        whole, _, fraction = written.partition(".")
        micros = int(whole) * 10**6
        part = int((fraction + "000000")[:6])
        return _within(micros - part if whole.startswith("-") else micros + part)
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    if found.tzinfo is None:
        if not assume_utc:
            return None
        found = found.replace(tzinfo=UTC)
    return _within((found - EPOCH) // MICROSECOND)


def write(instant: int) -> str:
    """An instant as RFC 3339 in UTC. Raises OverflowError outside years 1 to 9999."""
    return (EPOCH + instant * MICROSECOND).isoformat().replace("+00:00", "Z")


def remember(file: Path, fresh: Anchor) -> tuple[Anchor, bool]:
    """The anchor kept in `file`, and whether it was there before; `fresh` is kept where none was.

    Of several processes that ask at once, all get the same answer. Raises Failure when the file
    holds something else.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent) as scratch:
            scratch.write(msgspec.json.encode(asdict(fresh)))
            scratch.flush()
            try:
                # Appears whole or not at all, and never replaces another's.
                os.link(scratch.name, file)
            except FileExistsError:
                return msgspec.json.decode(file.read_bytes(), type=Anchor), True
            return fresh, False
    except (msgspec.MsgspecError, OSError) as error:
        raise Failure(
            f"The instants of this import cannot be kept in {file} ({error}); mend or delete it."
        ) from error


def _within(instant: int) -> int | None:
    return instant if OLDEST <= instant <= NEWEST else None
