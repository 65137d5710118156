"""The documents that people write and read; what is generated is not among them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.support.repository import ROOT

GENERATED = {ROOT / "docs" / "sql-api.md"}
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - GENERATED)

_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")


def prose(document: Path) -> str:
    """The text of a document without code, whose words belong to programs."""
    return _CODE.sub("``", _BLOCK.sub("", document.read_text(encoding="utf-8")))


def written(document: Path, file: str, **variables: str) -> str:
    """What the shell of a document writes into a file, where its variables have these values."""
    text = document.read_text(encoding="utf-8")
    (lines,) = re.findall(
        rf"^cat >>? {re.escape(file)} <<EOF\n(.*?)^EOF$", text, re.DOTALL | re.MULTILINE
    )
    done = subprocess.run(
        ["sh", "-euc", f"cat <<EOF\n{lines}EOF"],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
