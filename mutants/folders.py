"""What is kept between runs, and where; Git ignores it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".mutants"


def kept(name: str) -> Path:
    """A file to keep."""
    KEPT.mkdir(exist_ok=True)
    return KEPT / name


def digest(path: Path) -> str:
    """Of the bytes of a file, in hexadecimal."""
    return sha256(path.read_bytes()).hexdigest()
