"""CSV and NDJSON files as items of the service."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import IO, Self

import msgspec

from supervisor_mcp.cli import timestamps
from supervisor_mcp.cli.escape import printable
from supervisor_mcp.cli.failure import USAGE, Failure

LONGEST_LINE = 2**20
TIME_COLUMNS = ("timestamp", "ts", "time", "datetime", "date")
DELIMITERS = ",;\t"
HEAD_BYTES = 8192
GZIP = b"\x1f\x8b"
# Bytes that a text file does not have.
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
# A message shows no more of a header.
COLUMNS_SHOWN, COLUMN_SHOWN = 8, 40
Fields = dict[str, msgspec.Raw]
_line = msgspec.json.Decoder(Fields)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_labels = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class InputFile:
    """A file to import: where it is, its names in messages, and the kind of a CSV's rows."""

    path: Path
    shown: str
    short: str
    kind: str | None

    @classmethod
    def at(cls, path: Path) -> Self:
        """A file with a name of its own."""
        return cls(path, shown=str(path), short=path.name, kind=path.stem)


@dataclass(frozen=True)
class Defaults:
    """What items get that do not have it themselves; labels are added to those of the item."""

    kind: str | None = None
    source: str | None = None
    type: str | None = None
    unit: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """An item as it is on a line, with its time apart; None if it has no time that can be read."""

    line: int
    is_fact: bool
    fields: Fields
    instant: int | None

    @property
    def is_dated(self) -> bool:
        """Whether the item has a time, readable or not."""
        return self.instant is not None or "ts" in self.fields


@dataclass(frozen=True)
class Fault:
    """A line that is not an item, and why."""

    line: int
    detail: str


def read(file: InputFile, defaults: Defaults) -> Iterator[Draft | Fault]:
    """Every line that is not empty, as an item or as what is wrong with it.

    A file whose first character is `{` is NDJSON, every other one CSV. Raises Failure when the
    file cannot be read, or is neither.
    """
    try:
        with file.path.open("rb") as raw:
            head = raw.read(HEAD_BYTES)
            raw.seek(0)
            if _first(head) == b"{":
                yield from _ndjson(raw, defaults)
                return
        _refuse_other_formats(file, head)
        with file.path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            yield from _csv(text, file, defaults)
    except OSError as error:
        raise Failure(f"{file.shown} cannot be read: {error.strerror}.", USAGE) from error


def _first(head: bytes) -> bytes:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def _refuse_other_formats(file: InputFile, head: bytes) -> None:
    if _first(head) == b"[":
        raise Failure(
            f"{file.shown} is a JSON array.",
            USAGE,
            hint=f"Write one object a line: jq -c '.[]' {file.short}",
        )
    if head.startswith(GZIP):
        from supervisor_mcp.exports import manifest

        exported = (file.path.parent / manifest.NAME).exists()
        raise Failure(
            f"{file.shown} is compressed with gzip.",
            USAGE,
            hint=f"It belongs to an export: supervisor-mcp import {file.path.parent}"
            if exported
            else "Pipe its content: gunzip -c FILE | supervisor-mcp import -",
        )
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise Failure(
            f"{file.shown} is UTF-16 text.",
            USAGE,
            hint="Pipe it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE | supervisor-mcp import -",
        )
    if BINARY.search(head):
        raise Failure(
            f"{file.shown} is not CSV or NDJSON text.",
            USAGE,
            hint="Give a CSV file with the columns timestamp and value, or NDJSON with one item a"
            " line.",
        )


def _ndjson(raw: IO[bytes], defaults: Defaults) -> Iterator[Draft | Fault]:
    given = _raw(defaults)
    for number, line in enumerate(raw, start=1):
        if not (body := line.removeprefix(b"\xef\xbb\xbf").strip()):
            continue
        if len(body) > LONGEST_LINE:
            yield Fault(number, "The line is longer than 1 MiB.")
            continue
        try:
            body.decode()
            for fields in _samples(_line.decode(body)):
                yield _draft(number, fields, defaults, given)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            yield Fault(number, f"The line is not a JSON object: {error}.")


def _samples(fields: Fields) -> Iterator[Fields]:
    """An item for each sample of arrays of one length; any other item itself."""
    value, ts = (bytes(fields.get(name, b"")) for name in ("value", "ts"))
    if not (value.startswith(b"[") and ts.startswith(b"[")) or "kind" in fields:
        yield fields
        return
    values, times = _list.decode(value), _list.decode(ts)
    if len(values) != len(times) or not values:
        yield fields
        return
    for of_one in zip(values, times, strict=True):
        yield {**fields, **dict(zip(("value", "ts"), of_one, strict=True))}


def _draft(number: int, fields: Fields, defaults: Defaults, given: Fields) -> Draft:
    is_fact = "kind" in fields or (
        "name" not in fields and (defaults.kind or "").startswith("Fact:")
    )
    for name in ("kind", "source") if is_fact else ("name", "source", "type", "unit"):
        if name not in fields and name in given:
            fields[name] = given[name]
    if defaults.labels and not is_fact:
        own = _labels.decode(fields["labels"]) if "labels" in fields else {}
        fields["labels"] = _encode({**_decode_labels(given), **own})
    instant = None
    if "ts" in fields:
        ts = msgspec.json.decode(fields["ts"])
        if ts is None:
            del fields["ts"]
        else:
            instant = timestamps.read(str(ts), assume_utc=False)
            if instant is not None:
                del fields["ts"]
    return Draft(number, is_fact, fields, instant)


def _csv(text: IO[str], file: InputFile, defaults: Defaults) -> Iterator[Draft | Fault]:
    sample = text.readline()
    text.seek(0)
    reader = csv.reader(text, delimiter=max(DELIMITERS, key=sample.count))
    try:
        first = next(reader, [])
        when, what, has_header = _columns(file, first)
        given = _fields_of_csv(file, defaults)
        is_fact = "kind" in given
        for cells in reader if has_header else chain([first], reader):
            if cells:
                yield _sample(reader.line_num, cells, when, what, is_fact, given)
    except csv.Error as error:
        raise Failure(f"{file.shown}:{reader.line_num}: {error}.", USAGE) from error


def _columns(file: InputFile, first: list[str]) -> tuple[int, int, bool]:
    """The places of time and value, and whether `first` is a header."""
    names = [cell.strip().lower() for cell in first]
    if len(first) == 2 and timestamps.read(first[0].strip(), assume_utc=True) is not None:
        return 0, 1, False
    when = next((names.index(name) for name in TIME_COLUMNS if name in names), None)
    if when is not None and "value" in names and len(names) == 2:
        return when, names.index("value"), True
    if not first:
        raise Failure(f"{file.shown} is empty.", USAGE)
    raise Failure(
        f"{file.shown} has the columns {_listed(names)}; a CSV file has timestamp and value.",
        USAGE,
        hint="Import other data as NDJSON, one item a line.",
    )


def _listed(names: list[str]) -> str:
    shown = [name if len(name) <= COLUMN_SHOWN else f"{name[:COLUMN_SHOWN]}…" for name in names]
    more = ["…"] if len(shown) > COLUMNS_SHOWN else []
    return printable(", ".join(shown[:COLUMNS_SHOWN] + more))


def _fields_of_csv(file: InputFile, defaults: Defaults) -> Fields:
    """The fields that all rows of a CSV file share."""
    kind = defaults.kind or file.kind
    if kind is None:
        raise Failure(f"{file.shown} has no kind.", USAGE, hint="Add --kind NAME.")
    if defaults.source is None:
        raise Failure(f"{file.shown} has no source.", USAGE, hint="Add --source NAME.")
    given = {"source": _encode(defaults.source)}
    if kind.startswith("Fact:"):
        return {**given, "kind": _encode(kind)}
    shared = {k: v for k, v in _raw(defaults).items() if k in ("type", "unit", "labels")}
    return {**given, "name": _encode(kind), **shared}


def _sample(
    number: int, cells: list[str], when: int, what: int, is_fact: bool, given: Fields
) -> Draft | Fault:
    if len(cells) != 2:
        return Fault(number, f"The line has {len(cells)} columns instead of 2.")
    instant = timestamps.read(cells[when].strip(), assume_utc=True)
    if instant is None:
        return Fault(number, f'"{cells[when]}" is not a time (ISO 8601 or epoch seconds).')
    try:
        value = float(cells[what])
    except ValueError:
        value = float("nan")
    if not isfinite(value) or "_" in cells[what]:
        return Fault(number, f'"{cells[what]}" is not a finite number.')
    return Draft(number, is_fact, {**given, "value": _encode(value)}, instant)


def _raw(defaults: Defaults) -> Fields:
    given = {
        "name": defaults.kind,
        "kind": defaults.kind,
        "source": defaults.source,
        "type": defaults.type,
        "unit": defaults.unit,
        "labels": defaults.labels or None,
    }
    return {name: _encode(value) for name, value in given.items() if value is not None}


def _decode_labels(given: Fields) -> dict[str, msgspec.Raw]:
    return _labels.decode(given["labels"])


def _encode(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
