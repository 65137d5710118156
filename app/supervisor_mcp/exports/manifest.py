"""manifest.json: what an export contains, written when all of it is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from supervisor_mcp.exports.errors import ExportError

NAME: Final = "manifest.json"
FORMAT: Final = 1


class Part(msgspec.Struct, frozen=True):
    """A file of rows; the digest is that of its lines, not compressed."""

    file: str
    rows: int
    sha256: str


class Relation(msgspec.Struct, frozen=True):
    """A table, hypertable or rollup, and the files with its rows."""

    name: str
    rows: int
    parts: list[Part]


class Manifest(msgspec.Struct, frozen=True):
    """An export: where it is from, and what is in it."""

    format: int
    export_id: str
    exported_at: str
    version: str
    server: str
    migrations: dict[str, str]
    state: dict[str, Any]
    relations: list[Relation]

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return sum(relation.rows for relation in self.relations)


def read(folder: Path) -> Manifest:
    """Read the manifest of an export. Raises ExportError where there is none that can be used."""
    file = folder / NAME
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise ExportError(
            f"{folder} has no {NAME}, so it is not an export, or not a complete one.",
            "Name the folder that `supervisor-mcp export` has written to its end.",
        ) from None
    except msgspec.DecodeError as error:
        raise ExportError(
            f"{file} cannot be read ({error}).", "Export again, into another folder."
        ) from None
    if found.format != FORMAT:
        raise ExportError(
            f"{file} has format {found.format}, and this release reads format {FORMAT}.",
            f"Import it with release {found.version}.",
        )
    return found


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, or none."""
    beside = folder / f"{NAME}.new"
    beside.touch(mode=0o600)
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / NAME)
