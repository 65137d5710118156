"""The changes of the bridge; only the linters and `make mutants` install what makes them."""

from __future__ import annotations

import pytest

from mutants.bridge_operators import mutants
from tests.support.repository import ROOT

pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules/@stryker-mutator").exists(), reason="StrykerJS is not installed"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b - c\n", ["a = b + c\n"]),
        ("a = b && 'ü' <= c\n", ["a = b || 'ü' <= c\n", "a = b && 'ü' < c\n"]),
        ("a = ['b', { c: 'd' }]\n", []),
    ],
)
def test_a_file_is_changed_in_one_place(text: str, expected: list[str]) -> None:
    found = [each.mutated for each in mutants("x.mjs", text)]
    assert [each for each in expected if each not in found] == []
    assert len(set(found)) == len(found)
    assert bool(found) == bool(expected)
