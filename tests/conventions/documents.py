"""The documents that people write and read; what is generated is not among them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.repository import ROOT

GENERATED = {ROOT / "docs" / "sql-api.md"}
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - GENERATED)

_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")


def prose(document: Path) -> str:
    """The text of a document without code, whose words belong to programs."""
    return _CODE.sub("``", _BLOCK.sub("", document.read_text(encoding="utf-8")))
