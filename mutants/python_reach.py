"""Which tests reach which lines of app/: by coverage with a context for each test, else by names.

What a test starts as a process of its own is not measured. A line that only such a process runs is
reached by the ten likeliest test files that share words with its module or import it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mutants.folders import ROOT, digest, kept

FOLDERS = ("access", "app", "cli", "deploy", "embedded", "background", "mcp", "nodes", "rest")
TIMEOUT_SECONDS = 3600
# Of those that names tell: all of them take minutes for a change that none notices.
MOST_FILES = 10


class PythonReach:
    """Tests of a line, the likeliest first."""

    def __init__(self, lines: dict[str, dict[str, list[str]]]) -> None:
        self._lines = lines

    def tests(self, path: str, line: int) -> list[str]:
        """Node ids of the tests of a line that was measured, else test files."""
        return self._lines.get(path, {}).get(str(line)) or _likely(path)


def known(chosen: Sequence[str], say: Callable[[str], None]) -> PythonReach:
    """What is measured; of the files to measure, those that are new or changed run once for it."""
    book = kept("lines.json")
    files: dict[str, dict[str, Any]] = json.loads(book.read_text()) if book.exists() else {}
    for name in _test_files(chosen):
        value = digest(ROOT / name)
        if files.get(name, {}).get("digest") != value:
            say(f"Recording the lines that {name} reaches")
            files[name] = {"digest": value, "lines": _measure(name)}
            book.write_text(json.dumps(files))
    merged: dict[str, dict[str, list[str]]] = {}
    for entry in files.values():
        for path, lines in entry["lines"].items():
            for line, tests in lines.items():
                merged.setdefault(path, {}).setdefault(line, []).extend(tests)
    return PythonReach(merged)


def _test_files(chosen: Sequence[str]) -> list[str]:
    found = [
        path
        for name in chosen
        for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).glob("test_*.py"))
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def _measure(name: str) -> dict[str, dict[str, list[str]]]:
    from coverage import CoverageData  # noqa: PLC0415  only `make mutants` installs it

    data = kept("coverage.data")
    data.unlink(missing_ok=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "coverage", "run", f"--data-file={data}", "--source=app"),
            *(
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:randomly",
                "-p",
                "mutants.contexts",
                name,
            ),
        ],
        cwd=ROOT,
        env={**os.environ, "COVERAGE_CORE": "ctrace", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    measured = CoverageData(str(data))
    measured.read()
    return {
        Path(path).relative_to(ROOT).as_posix(): {
            str(line): sorted(filter(None, tests))
            for line, tests in measured.contexts_by_lineno(path).items()
        }
        for path in measured.measured_files()
    }


def _likely(path: str) -> list[str]:
    module = str(Path(path).relative_to("app").with_suffix("")).removesuffix("/__init__")
    package, _, name = module.replace("/", ".").rpartition(".")
    imported = re.compile(
        rf"{re.escape(package)}\.{name}\b|from {re.escape(package)} import.*\b{name}\b"
    )
    words = _words(module.removeprefix("supervisor_mcp/"))

    def likelihood(file: str) -> int:
        shared = words & _words(file.removeprefix("tests/"))
        return len(shared) + 2 * bool(imported.search((ROOT / file).read_text()))

    files = [
        file.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for file in sorted((ROOT / "tests" / folder).glob("test_*.py"))
    ]
    return sorted(filter(likelihood, files), key=likelihood, reverse=True)[:MOST_FILES]


def _words(path: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall("[a-z]+", path)} - {"test", "py"}
