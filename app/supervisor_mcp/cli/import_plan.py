"""A file before it is sent: what it holds, and every row of it as it will be sent each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b, file_digest
from pathlib import Path

import msgspec

from supervisor_mcp.cli import files, timestamps
from supervisor_mcp.cli.files import Defaults, Draft, Fault
from supervisor_mcp.cli.ingest import FACTS, METRICS, Row
from supervisor_mcp.cli.timestamps import Anchor


@dataclass(frozen=True)
class ImportPlan:
    """Lines that hold something, the newest instant in µs, and how many items have none."""

    lines: int
    newest: int | None
    undated: int


def plan_import(path: Path, defaults: Defaults) -> ImportPlan:
    """Read the whole file once. Raises Failure when it cannot be read."""
    lines = undated = 0
    newest: int | None = None
    for entry in files.read(path, defaults):
        lines += 1
        if isinstance(entry, Draft):
            undated += not entry.is_dated
            if entry.instant is not None and (newest is None or entry.instant > newest):
                newest = entry.instant
    return ImportPlan(lines, newest, undated)


def identity(path: Path, defaults: Defaults, url: str) -> str:
    """Name the import of this content with these options into the service at `url`."""
    with path.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    said = msgspec.json.encode([url, digest, asdict(defaults)], order="sorted")
    return blake2b(said, digest_size=16).hexdigest()


def rows(path: Path, defaults: Defaults, anchor: Anchor) -> Iterator[Row | Fault]:
    """Every line as the service takes it, the same bytes each time for the same anchor.

    A metric without an instant gets that of the import and a microsecond for its line. A fact
    without fact_id gets one from its content and from how often the file said the same before,
    so that sending it again, also from a file that has grown since, makes no second fact.
    """
    said: Counter[bytes] = Counter()
    for entry in files.read(path, defaults):
        if isinstance(entry, Fault):
            yield entry
            continue
        fields = entry.fields
        if entry.instant is not None:
            fields["ts"] = _ts(entry.instant + anchor.shift)
        elif not entry.is_dated and not entry.is_fact:
            fields["ts"] = _ts(anchor.began + entry.line)
        if entry.is_fact and "fact_id" not in fields:
            content = blake2b(msgspec.json.encode(fields, order="sorted"), digest_size=16).digest()
            said[content] += 1
            name = f"import-{content.hex()}-{said[content]}"
            fields["fact_id"] = msgspec.Raw(msgspec.json.encode(name))
        yield Row(
            f"{path.name}:{entry.line}",
            FACTS if entry.is_fact else METRICS,
            msgspec.json.encode(fields),
        )


def _ts(instant: int) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(timestamps.write(instant)))
