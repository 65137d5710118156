"""Changes that change no behavior, each with the reason, in `equivalents.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mutants.mutant import Mutant

LISTED = Path(__file__).with_name("equivalents.toml")


class Equivalents:
    """The list."""

    def __init__(self, path: Path = LISTED) -> None:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
        self._reasons = {
            (entry["file"], entry["before"], entry["after"]): entry["reason"] for entry in entries
        }
        self.unused = set(self._reasons)

    def reason(self, mutant: Mutant) -> str | None:
        """Why a mutant is accepted; None where it is not."""
        key = (mutant.path, mutant.before, mutant.after)
        self.unused.discard(key)
        return self._reasons.get(key)
