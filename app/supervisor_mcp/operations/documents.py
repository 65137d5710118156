"""JSON Schemas of the documents that functions of SQL take and validate."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import msgspec

# By the names of documents; `make generate` writes the file from internal.<document>_schema().
SCHEMAS: Final[dict[str, dict[str, Any]]] = msgspec.json.decode(
    files(__package__).joinpath("documents.json").read_bytes()
)
