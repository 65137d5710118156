"""Which tests try a mutant of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutants.mutant import Mutant
from mutants.python_reach import Called, PythonReach

PATH = "app/supervisor_mcp/cache/store.py"
TEXT = """\
LIMIT = 1

@cached
def outer():
    def inner():
        return 2
    return inner

class Store:
    size = 3

    async def get(self):
        return [each for each in range(4)]
"""


def mutant(before: str) -> Mutant:
    start = TEXT.index(before)
    return Mutant(PATH, TEXT, "NumberReplacer", start, start + len(before), "5")


def called(test: str, *functions: str, seconds: float = 0.1) -> Called:
    return Called(f"tests/app/{test}", seconds, frozenset(f"cache/{each}" for each in functions))


@pytest.mark.parametrize(
    ("before", "function"),
    [
        ("cached", "outer"),
        ("2", "outer.<locals>.inner"),
        ("return inner", "outer"),
        ("4", "Store.get"),
    ],
)
def test_a_function_is_reached_by_the_tests_that_call_it(before: str, function: str) -> None:
    functions = {"outer", "outer.<locals>.inner", "Store.get"}
    reach = PythonReach([called(f"test_{each}", f"store.py {each}") for each in functions])

    assert reach.tests(mutant(before)) == [f"tests/app/test_{function}"]


def test_what_an_import_runs_is_reached_by_the_files_that_import_it() -> None:
    """A test that compares a constant calls nothing."""
    reach = PythonReach([called("test_cache.py::test_a"), called("test_config.py::test_a")])

    assert reach.tests(mutant("1")) == ["tests/app/test_cache.py::test_a"]


@pytest.mark.parametrize("before", ["1", "3"])
def test_what_an_import_runs_is_reached_by_the_tests_that_call_the_module(before: str) -> None:
    reach = PythonReach(
        [called("test_store", "store.py Store.get"), called("test_key", "keys.py Key.text")]
    )

    assert reach.tests(mutant(before)) == ["tests/app/test_store"]


def test_the_likeliest_tests_come_first_then_the_fastest() -> None:
    reach = PythonReach(
        [
            called("test_slow.py::test_a", "store.py outer", seconds=0.3),
            called("test_fast.py::test_a", "store.py outer", seconds=0.2),
            called("test_cache.py::test_a", "store.py outer", seconds=0.4),
        ]
    )

    assert reach.tests(mutant("return inner")) == [
        "tests/app/test_cache.py::test_a",
        "tests/app/test_fast.py::test_a",
        "tests/app/test_slow.py::test_a",
    ]


def test_tests_that_together_take_too_long_are_left_out() -> None:
    reach = PythonReach([called(f"test_{n}", "store.py outer", seconds=15) for n in range(3)])

    assert len(reach.tests(mutant("return inner"))) == 2


def test_a_function_that_no_test_is_known_to_call_is_reached_by_names() -> None:
    assert "tests/app/test_cache.py" in PythonReach([]).tests(mutant("return inner"))


def test_the_bridge_is_tried_by_the_tests_of_its_modules_then_by_the_fastest_files() -> None:
    seconds = {
        "embedded/test_stopping.py": 68,
        "embedded/test_jobs.py": 60,
        "embedded/test_turns.py": 10,
        "embedded/test_sessions.py": 0.5,
        "embedded/test_bridge_modules.py": 3,
        "embedded/test_cache.py": 0.1,
        "cli/test_up.py": 0.1,
    }
    reach = PythonReach(
        Called(f"tests/{file}::test_{n}", took / 2, frozenset())
        for n in range(2)
        for file, took in seconds.items()
    )
    path = "app/supervisor_mcp/embedded/bridge/{}.mjs"
    tried = {
        name: [
            Path(file).stem.removeprefix("test_")
            for file in reach.tests(Mutant(path.format(name), "x", "Test", 0, 1, "y"))
        ]
        for name in ("wire", "client", "jobs", "main")
    }

    assert tried == {
        "wire": ["bridge_modules", "sessions", "turns"],
        "client": ["bridge_modules", "turns", "sessions"],
        "jobs": ["bridge_modules", "jobs", "sessions"],
        "main": ["bridge_modules", "turns", "sessions"],
    }
