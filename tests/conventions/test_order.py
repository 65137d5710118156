"""The tests of a folder run one after another, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest

from tests.support.order import by_folder


@dataclass(frozen=True)
class File:
    path: Path


def test_the_tests_of_a_folder_run_one_after_another(request: pytest.FixtureRequest) -> None:
    folders = [folder for folder, _ in groupby(item.path.parent for item in request.session.items)]
    assert len(folders) == len(set(folders))


def test_folders_keep_the_order_of_their_first_files_and_files_theirs() -> None:
    shuffled = [File(Path(name)) for name in ("b/1", "a/1", "d/2", "a/2", "d/1", "d/3")]
    assert [str(file.path) for file in by_folder(shuffled)][:3] == ["b/1", "a/1", "a/2"]


def test_the_folder_with_the_most_tests_comes_last() -> None:
    shuffled = [File(Path(name)) for name in ("b/2", "a/1", "b/1", "c/1", "b/3", "c/2")]
    ordered = [str(file.path) for file in by_folder(shuffled)]
    assert ordered == ["a/1", "c/1", "c/2", "b/2", "b/1", "b/3"]
