"""Every test can fail by more than an error on its way."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.repository import ROOT

# Calls that fail by themselves where a condition does not hold.
ASSERTING = {"pytest.raises", "eventually", "refused", "forbidden", "validate"}


def _asserts(test: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and _name(node.func) in ASSERTING)
        for node in ast.walk(test)
    )


def _name(function: ast.expr) -> str:
    name = ast.unparse(function)
    return name if name.startswith("pytest.") else name.rpartition(".")[2]


def _tests(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


def test_every_test_asserts_something() -> None:
    without = [
        f"{path.relative_to(ROOT)}:{test.lineno}"
        for path in sorted(ROOT.glob("tests/**/test_*.py"))
        for test in _tests(path)
        if not _asserts(test)
    ]
    assert without == []
