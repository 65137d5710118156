"""CSV and NDJSON files as items of the service."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import IO

import msgspec

from supervisor_mcp.cli import timestamps
from supervisor_mcp.cli.failure import USAGE, Failure

LONGEST_LINE = 2**20
TIME_COLUMNS = ("timestamp", "ts", "time", "datetime", "date")
DELIMITERS = ",;\t"
Fields = dict[str, msgspec.Raw]
_line = msgspec.json.Decoder(Fields)
_labels = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Defaults:
    """What a file does not say of its items itself; labels are added to those it has."""

    kind: str | None = None
    source: str | None = None
    type: str | None = None
    unit: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """An item as it stands on a line: its instant apart, None where it has none that is legible."""

    line: int
    is_fact: bool
    fields: Fields
    instant: int | None

    @property
    def is_dated(self) -> bool:
        """Whether it says when it was, legibly or not."""
        return self.instant is not None or "ts" in self.fields


@dataclass(frozen=True)
class Fault:
    """A line that is no item, and why."""

    line: int
    detail: str


def read(path: Path, defaults: Defaults) -> Iterator[Draft | Fault]:
    """Every line of a file that holds something, as an item or as what is wrong with it.

    A file whose first character is `{` is NDJSON, any other CSV. Raises Failure when it cannot
    be read at all.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
            raw.seek(0)
            if start == b"{":
                yield from _ndjson(raw, defaults)
                return
        if start == b"[":
            raise Failure(
                f"{path} is a JSON array; write one object a line (`jq -c '.[]' {path.name}`).",
                USAGE,
            )
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
            yield from _csv(text, path, defaults)
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}.", USAGE) from error


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
            fields = _line.decode(body)
            yield _draft(number, fields, defaults, given)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            yield Fault(number, f"The line is no JSON object: {error}.")


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


def _csv(text: IO[str], path: Path, defaults: Defaults) -> Iterator[Draft | Fault]:
    sample = text.readline()
    text.seek(0)
    reader = csv.reader(text, delimiter=max(DELIMITERS, key=sample.count))
    try:
        first = next(reader, [])
        when, what, has_header = _columns(path, first)
        kind = defaults.kind or path.stem
        if defaults.source is None:
            raise Failure(f"{path} does not say whose series it is; add --source NAME.", USAGE)
        given = {name: _encode(value) for name, value in (("source", defaults.source),)}
        is_fact = kind.startswith("Fact:")
        given["kind" if is_fact else "name"] = _encode(kind)
        if not is_fact:
            given |= {k: v for k, v in _raw(defaults).items() if k in ("type", "unit", "labels")}
        for cells in reader if has_header else chain([first], reader):
            if cells:
                yield _sample(reader.line_num, cells, when, what, is_fact, given)
    except csv.Error as error:
        raise Failure(f"{path}:{reader.line_num}: {error}.", USAGE) from error


def _columns(path: Path, first: list[str]) -> tuple[int, int, bool]:
    names = [cell.strip().lower() for cell in first]
    if len(first) == 2 and timestamps.read(first[0].strip(), assume_utc=True) is not None:
        return 0, 1, False
    when = next((names.index(name) for name in TIME_COLUMNS if name in names), None)
    if when is None or "value" not in names or len(names) != 2:
        raise Failure(
            f"{path} starts with the columns {', '.join(names) or 'of no line'}; a CSV file has"
            " timestamp and value. Send what has more as NDJSON, one item a line.",
            USAGE,
        )
    return when, names.index("value"), True


def _sample(
    number: int, cells: list[str], when: int, what: int, is_fact: bool, given: Fields
) -> Draft | Fault:
    if len(cells) != 2:
        return Fault(number, f"The line has {len(cells)} columns, not 2.")
    instant = timestamps.read(cells[when].strip(), assume_utc=True)
    if instant is None:
        return Fault(number, f'"{cells[when]}" is no instant (ISO 8601 or epoch seconds).')
    try:
        value = float(cells[what])
    except ValueError:
        value = float("nan")
    if not isfinite(value) or "_" in cells[what]:
        return Fault(number, f'"{cells[what]}" is no finite number.')
    return Draft(number, is_fact, {**given, "value": _encode(value)}, instant)


def _raw(defaults: Defaults) -> Fields:
    said = {
        "name": defaults.kind,
        "kind": defaults.kind,
        "source": defaults.source,
        "type": defaults.type,
        "unit": defaults.unit,
        "labels": defaults.labels or None,
    }
    return {name: _encode(value) for name, value in said.items() if value is not None}


def _decode_labels(given: Fields) -> dict[str, msgspec.Raw]:
    return _labels.decode(given["labels"])


def _encode(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
