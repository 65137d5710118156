"""The order of tests: random from pytest-randomly, but folder by folder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar


class Placed(Protocol):
    """What is in a file, as a test is."""

    @property
    def path(self) -> Path:
        """The file."""
        ...


T = TypeVar("T", bound=Placed)


def by_folder(tests: Sequence[T]) -> list[T]:
    """The tests of a folder one after another: they share a service, which ends with the last."""
    folders: dict[Path, list[T]] = {}
    for test in tests:
        folders.setdefault(test.path.parent, []).append(test)
    return [*chain.from_iterable(folders.values())]
