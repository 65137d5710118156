"""A file before it is sent: what is in it, and each of its rows as every import sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b, file_digest

import msgspec

from supervisor_mcp.cli import files, timestamps
from supervisor_mcp.cli.files import Defaults, Draft, Fault, InputFile
from supervisor_mcp.cli.ingest import FACTS, METRICS, Row
from supervisor_mcp.cli.timestamps import Anchor


@dataclass(frozen=True)
class ImportPlan:
    """Lines that are not empty, the newest time in µs, and the number of items without a time."""

    lines: int
    newest: int | None
    undated: int


def plan_import(file: InputFile, defaults: Defaults) -> ImportPlan:
    """Read the whole file once. Raises Failure when it cannot be read."""
    lines = undated = 0
    newest: int | None = None
    for entry in files.read(file, defaults):
        lines += 1
        if isinstance(entry, Draft):
            undated += not entry.is_dated
            if entry.instant is not None and (newest is None or entry.instant > newest):
                newest = entry.instant
    return ImportPlan(lines, newest, undated)


def identity(file: InputFile, defaults: Defaults, url: str) -> str:
    """A name for the import of this content with these options into the service at `url`."""
    with file.path.open("rb") as opened:
        digest = file_digest(opened, "sha256").hexdigest()
    content = msgspec.json.encode([url, digest, asdict(defaults)], order="sorted")
    return blake2b(content, digest_size=16).hexdigest()


def rows(file: InputFile, defaults: Defaults, anchor: Anchor) -> Iterator[Row | Fault]:
    """Every line as the service takes it, in the same bytes each time for the same anchor.

    A metric without a time gets the time of the import plus one microsecond for each line before
    it. A fact without fact_id gets one from its content and the number of equal facts before it,
    so that sending it again does not make a second fact, also from a file that has grown.
    """
    seen: Counter[bytes] = Counter()
    for entry in files.read(file, defaults):
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
            seen[content] += 1
            name = f"import-{content.hex()}-{seen[content]}"
            fields["fact_id"] = msgspec.Raw(msgspec.json.encode(name))
        yield Row(
            f"{file.short}:{entry.line}",
            FACTS if entry.is_fact else METRICS,
            msgspec.json.encode(fields),
        )


def _ts(instant: int) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(timestamps.write(instant)))
