"""The order of tests: random from pytest-randomly, but folder by folder, and the largest last."""

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
    """The tests of a folder one after another: they share a service, which ends with the last.

    The folder with the most tests comes last: its files are many and short, so that all workers
    have some until the end.
    """
    folders: dict[Path, list[T]] = {}
    for test in tests:
        folders.setdefault(test.path.parent, []).append(test)
    most = max(map(len, folders.values()), default=0)
    in_order = sorted(folders.values(), key=lambda folder: len(folder) == most)
    return [*chain.from_iterable(in_order)]
