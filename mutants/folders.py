"""What is kept between runs, which Git ignores, and copies of the repository to change."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".mutants"
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__")


def kept(name: str) -> Path:
    """A file to keep."""
    KEPT.mkdir(exist_ok=True)
    return KEPT / name


def digest(path: Path) -> str:
    """Of the bytes of a file, in hexadecimal."""
    return sha256(path.read_bytes()).hexdigest()


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the work tree for the time of the context."""
    with tempfile.TemporaryDirectory(prefix="supervisor-mutant-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
        yield copy


def environment(copy: Path) -> dict[str, str]:
    """The environment in which processes import the package of a copy."""
    return {**os.environ, "PYTHONPATH": str(copy / "app")}
