"""A change of one place of a file."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class Mutant:
    """`text[start:end]` of the file `path` becomes `replacement`."""

    path: str
    text: str
    operator: str
    start: int
    end: int
    replacement: str

    @property
    def mutated(self) -> str:
        """The whole text after the change."""
        return self.text[: self.start] + self.replacement + self.text[self.end :]

    @property
    def line(self) -> int:
        """The line in which the change begins, from 1."""
        changed = (
            self.start
            + len(self.text[self.start : self.end])
            - len(self.text[self.start : self.end].lstrip())
        )
        return self.text.count("\n", 0, changed) + 1

    @property
    def before(self) -> str:
        """The lines of the change as they are, on one line."""
        first, last = self._lines()
        return _one_line(self.text[first:last])

    @property
    def after(self) -> str:
        """The lines of the change as they become, on one line."""
        first, last = self._lines()
        return _one_line(
            self.text[first : self.start] + self.replacement + self.text[self.end : last]
        )

    @property
    def key(self) -> str:
        """The same for the same change of the same text, and for no other."""
        parts = (self.path, self.text, str(self.start), str(self.end), self.replacement)
        return sha256("\0".join(parts).encode()).hexdigest()[:16]

    def _lines(self) -> tuple[int, int]:
        last = self.text.find("\n", self.end)
        return self.text.rfind("\n", 0, self.start) + 1, len(self.text) if last < 0 else last


def _one_line(text: str) -> str:
    return " ".join(text.split())
