"""The changes of Python; only `make mutants` installs what makes them."""

from __future__ import annotations

import ast

import pytest

from mutants.python_operators import mutants

pytest.importorskip("cosmic_ray")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b < c\n", ["a = b <= c\n"]),
        ("a = b and not c\n", ["a = b or not c\n", "a = b and  c\n"]),
        ("a: int | None = b\n", []),
        ("def f(a, *, b, **c): ...\n", []),
        ("if TYPE_CHECKING:\n    import a\n", []),
        ("class A(B, frozen=True, slots=False): ...\n", []),
    ],
)
def test_a_file_is_changed_in_one_place(text: str, expected: list[str]) -> None:
    found = [each.mutated for each in mutants("x.py", text)]
    assert sorted(found) == sorted(expected)
    for mutated in found:
        ast.parse(mutated)
