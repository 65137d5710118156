"""Times as whole microseconds since 1970, and those that an import has to remember."""

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
# Epoch seconds: years 1 to 9999 in seconds.
SECONDS = re.compile(r"[+-]?\d{1,12}(\.\d+)?")
OLDEST, NEWEST = -62_135_596_800 * 10**6, 253_402_300_800 * 10**6 - 1


@dataclass(frozen=True)
class Anchor:
    """What makes an import repeatable: its start, and by how much it moves its rows, in µs."""

    began: int
    shift: int


def now() -> int:
    """The current second, in microseconds."""
    return (datetime.now(UTC).replace(microsecond=0) - EPOCH) // MICROSECOND


def read(written: str, *, assume_utc: bool) -> int | None:
    """A time written as ISO 8601 or as epoch seconds; None when it is neither.

    A time without an offset is UTC with `assume_utc`, else None.
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
    """A time as RFC 3339 in UTC. Raises OverflowError outside years 1 to 9999."""
    return (EPOCH + instant * MICROSECOND).isoformat().replace("+00:00", "Z")


def remember(file: Path, fresh: Anchor) -> tuple[Anchor, bool]:
    """The anchor in `file`, and whether it was there before; without one, `fresh` is written.

    Processes that call this at once all get the same anchor. Raises Failure when the file is not
    an anchor, or cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent) as scratch:
            scratch.write(msgspec.json.encode(asdict(fresh)))
            scratch.flush()
            try:
                # Creates the whole file or nothing, and never replaces a file of another process.
                os.link(scratch.name, file)
            except FileExistsError:
                return msgspec.json.decode(file.read_bytes(), type=Anchor), True
            return fresh, False
    except (msgspec.MsgspecError, OSError) as error:
        raise Failure(
            f"The times of this import cannot be kept in {file} ({error}).",
            hint="Set SUPERVISOR_DATA_DIR to a folder with room that you can write to."
            if isinstance(error, OSError)
            else "Delete the file.",
        ) from error


def _within(instant: int) -> int | None:
    return instant if OLDEST <= instant <= NEWEST else None
