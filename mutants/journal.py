"""How each mutant ended, one line each: a run that is stopped goes on where it was.

Who was killed stays so while the file is the same. A survivor is tried again when a test changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from threading import Lock

from mutants.folders import ROOT, digest, kept
from mutants.mutant import Mutant


@dataclass(frozen=True)
class Outcome:
    """`status` is killed, survived, invalid, unfinished or untested; `test` is what killed."""

    key: str
    status: str
    test: str | None
    seconds: float
    tests_digest: str


class Journal:
    """The outcomes so far."""

    def __init__(self) -> None:
        self._path = kept("outcomes.jsonl")
        self._tests_digest = _tests_digest()
        self._lock = Lock()
        self._closed = False
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        outcomes = (Outcome(**json.loads(line)) for line in lines)
        # Which tests reach a mutant may have been recorded since.
        self._outcomes = {each.key: each for each in outcomes if each.status != "untested"}

    def outcome(self, mutant: Mutant) -> Outcome | None:
        """The outcome of a mutant; None where it must be tried."""
        found = self._outcomes.get(mutant.key)
        if found is None or found.status in {"killed", "invalid"}:
            return found
        return found if found.tests_digest == self._tests_digest else None

    def add(self, mutant: Mutant, status: str, test: str | None, seconds: float) -> None:
        """Note an outcome at once."""
        if self._closed:
            return
        outcome = Outcome(mutant.key, status, test, round(seconds, 2), self._tests_digest)
        with self._lock, self._path.open("a") as file:
            self._outcomes[mutant.key] = outcome
            file.write(json.dumps(asdict(outcome)) + "\n")

    def close(self) -> None:
        """Note nothing more: what is under way is being stopped, which is no outcome."""
        self._closed = True


def _tests_digest() -> str:
    files = sorted((ROOT / "tests").glob("**/*.py"))
    return sha256("".join(digest(path) for path in files).encode()).hexdigest()[:16]
