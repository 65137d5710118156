"""What is recorded of a run of tests: the functions of the service that each of them calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mutants import calls
from mutants.python_reach import Called, read_calls

MODULE = """\
import threading

def twice(number):
    return [each * 2 for each in (number,)]

def in_a_thread():
    thread = threading.Thread(target=twice, args=(1,))
    thread.start()
    thread.join()

class Point:
    def move(self):
        return twice(2)
"""
TESTS = """\
import subprocess, sys
import pytest
from supervisor_mcp import points

def test_a_call():
    points.Point().move()

def test_a_thread():
    points.in_a_thread()

def test_a_process():
    program = "from supervisor_mcp import points; points.twice(1)"
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": sys.path[-1]}, check=True)

def test_a_failure():
    points.twice(None)

@pytest.mark.skip
def test_a_skipped_one():
    points.twice(1)
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Called]:
    """By the name of the test."""
    folder = tmp_path_factory.mktemp("calls")
    package = folder / calls.PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "points.py").write_text(MODULE)
    (folder / "test_points.py").write_text(TESTS.replace("sys.path[-1]", repr(str(folder))))
    calls.install(folder)
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", *calls.OPTIONS),
            *("-c", "/dev/null", "--rootdir", str(folder), "test_points.py"),
        ],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        check=False,
        stdout=subprocess.DEVNULL,
    )
    found = read_calls((folder / calls.LOG_FILE).read_text())
    return {each.test.rpartition("::")[2]: each for each in found}


@pytest.mark.parametrize(
    ("test", "functions"),
    [
        ("test_a_call", {"Point.move", "twice"}),
        ("test_a_thread", {"in_a_thread", "twice"}),
        ("test_a_process", {"twice"}),
    ],
)
def test_calls_belong_to_the_test_that_makes_them(
    recorded: dict[str, Called], test: str, functions: set[str]
) -> None:
    assert recorded[test].functions >= {f"points.py {each}" for each in functions}
    assert all("<" not in each for each in recorded[test].functions)


def test_only_tests_that_passed_are_recorded(recorded: dict[str, Called]) -> None:
    assert recorded.keys() == {"test_a_call", "test_a_thread", "test_a_process"}
