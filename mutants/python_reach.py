"""Which tests reach which mutants of app/: by the functions that were called, else by names.

A function that only an import runs, or a process that is not recorded, is reached by the test
files that import its module or share words with its name. The bridge is reached by all tests of
the embedded database: first those of its modules, then the files that take the least time.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mutants import calls
from mutants.folders import ROOT, copied, digest, environment, kept
from mutants.mutant import Mutant

FOLDERS = ("access", "app", "background", "cli", "deploy", "embedded", "mcp", "nodes", "rest")
# Of the test files that only names tell.
MOST_FILES = 10
# What the tests of a mutant may take together without it: the likeliest and fastest run.
MOST_SECONDS = 40.0
# The same for the bridge, of whose tests a whole file runs or none.
MOST_BRIDGE_SECONDS = 70.0
BRIDGE_TESTS = "tests/embedded/"
# Files of BRIDGE_TESTS that start no database.
WITHOUT_BRIDGE = {f"{BRIDGE_TESTS}test_cache.py", f"{BRIDGE_TESTS}test_packages.py"}
# By modules of the bridge: files of BRIDGE_TESTS that are about them and have another name.
ABOUT_BRIDGE = {
    "client": ("turns",),
    "log": ("jobs",),
    "main": ("stopping", "job_start", "turns"),
    "postgres": ("turns",),
    "thread": ("turns", "memory"),
}
TIMEOUT_SECONDS = 3600
# How much likelier the tests of a file are that imports the module.
IMPORTED = 2


@dataclass(frozen=True)
class Called:
    """A test, and what it called: functions as `path qualified_name`, the path below app/."""

    test: str
    seconds: float
    functions: frozenset[str]

    @property
    def file(self) -> str:
        """Its test file."""
        return self.test.partition("::")[0]


class PythonReach:
    """Tests of a mutant, the likeliest and fastest first."""

    def __init__(self, recorded: Iterable[Called]) -> None:
        self._recorded = list(recorded)

    def tests(self, mutant: Mutant) -> list[str]:
        """Node ids, or test files where no call is known."""
        path = mutant.path.removeprefix(f"app/{calls.PACKAGE}/")
        function = _function(mutant) if path.endswith(".py") else None
        likely = _likely(mutant.path)
        reaching = [each for each in self._recorded if _reaches(each, path, function, likely)]
        if path.endswith(".mjs"):
            return list(self._of_bridge(Path(path).stem, likely))
        reaching.sort(key=lambda each: (-likely.get(each.file, 0), each.seconds))
        if reaching:
            return list(_within(reaching, MOST_SECONDS))
        return sorted(likely, key=lambda file: -likely[file])[:MOST_FILES]

    def _of_bridge(self, module: str, likely: dict[str, int]) -> Iterator[str]:
        seconds: dict[str, float] = {}
        for each in self._recorded:
            if each.file.startswith(BRIDGE_TESTS) and each.file not in WITHOUT_BRIDGE:
                seconds[each.file] = seconds.get(each.file, 0) + each.seconds
        about = {f"{BRIDGE_TESTS}test_{name}.py" for name in ABOUT_BRIDGE.get(module, ())}
        left = MOST_BRIDGE_SECONDS
        for file in sorted(
            seconds, key=lambda file: (-likely.get(file, 0), file not in about, seconds[file])
        ):
            if seconds[file] <= left:
                left -= seconds[file]
                yield file


def _reaches(called: Called, path: str, function: str | None, likely: dict[str, int]) -> bool:
    if function is not None:
        return f"{path} {function}" in called.functions
    # An import runs it: whatever uses the module may notice, also if it calls nothing of it.
    uses = any(each.startswith(f"{path} ") for each in called.functions)
    return uses or likely.get(called.file, 0) >= IMPORTED


def _within(tests: Iterable[Called], seconds: float) -> Iterator[str]:
    for each in tests:
        seconds -= each.seconds
        if seconds < 0:
            return
        yield each.test


def _function(mutant: Mutant) -> str | None:
    """The qualified name of the innermost function around a mutant; None outside of all."""
    found = None
    waiting: list[tuple[ast.AST, str]] = [(ast.parse(mutant.text), "")]
    while waiting:
        node, prefix = waiting.pop()
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if not _first_line(child) <= mutant.line <= (child.end_lineno or 0):
                    continue
                inner = f"{prefix}{child.name}."
                if not isinstance(child, ast.ClassDef):
                    found = f"{prefix}{child.name}"
                    inner = f"{found}.<locals>."
            waiting.append((child, inner))
    return found


def _first_line(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def known(workers: int, say: Callable[[str], None]) -> PythonReach:
    """What is recorded; test files that are new or changed run once for it."""
    book = kept("calls.json")
    recorded: dict[str, dict[str, Any]] = json.loads(book.read_text()) if book.exists() else {}
    digests = {name: digest(ROOT / name) for name in _test_files()}
    now = {
        name: recorded[name]
        for name, value in digests.items()
        if name in recorded and recorded[name]["digest"] == value
    }
    changed = [name for name in digests if name not in now]
    folders = [list(files) for _, files in groupby(changed, lambda name: name.split("/")[1])]
    if changed:
        say(f"Recording what the tests of {len(changed)} files call")
    with ThreadPoolExecutor(workers) as pool:
        for files, tests in zip(folders, pool.map(_record, folders), strict=True):
            for name in files:
                found = [_packed(each) for each in tests if each.file == name]
                now[name] = {"digest": digests[name], "tests": found}
            book.write_text(json.dumps(now))
            say(f"  {Path(files[0]).parent}: {len(tests)} tests")
    return PythonReach(_unpacked(test) for entry in now.values() for test in entry["tests"])


def _packed(called: Called) -> dict[str, Any]:
    return asdict(called) | {"functions": sorted(called.functions)}


def _unpacked(test: dict[str, Any]) -> Called:
    return Called(**{**test, "functions": frozenset(test["functions"])})


def _test_files() -> list[str]:
    return [
        file.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for file in sorted((ROOT / "tests" / folder).glob("test_*.py"))
    ]


def _record(files: Sequence[str]) -> list[Called]:
    with copied() as copy:
        calls.install(copy / "app")
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"),
                *(*calls.OPTIONS, "-o", f"cache_dir={kept('pytest')}", *files),
            ],
            cwd=copy,
            env=environment(copy),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return list(read_calls((copy / "app" / calls.LOG_FILE).read_text()))


def read_calls(log: str) -> Iterator[Called]:
    """The tests of a log that passed."""
    lines: dict[str, list[list[str]]] = {"test": [], "took": [], "call": []}
    for line in log.splitlines():
        what, *parts = line.split(" ", 2)
        lines[what].append(parts)
    took = dict(lines["took"])
    functions: dict[str, set[str]] = {}
    for number, function in lines["call"]:
        if function.endswith(" <module>"):
            continue
        # A comprehension or a lambda runs with the function around it.
        functions.setdefault(number, set()).add(
            re.sub(r"\.(<locals>\.)?<(?!locals).*", "", function)
        )
    for number, test in lines["test"]:
        if took.get(number, "failed") != "failed":
            yield Called(test, float(took[number]), frozenset(functions.get(number, ())))


def _likely(path: str) -> dict[str, int]:
    """The test files that import a module or share words with its name, and how likely each is."""
    module = str(Path(path).relative_to("app").with_suffix("")).removesuffix("/__init__")
    package, _, name = module.replace("/", ".").rpartition(".")
    imported = re.compile(
        rf"{re.escape(package)}\.{name}\b|from {re.escape(package)} import.*\b{name}\b"
    )
    words = _words(module.removeprefix(f"{calls.PACKAGE}/"))
    likelihoods = {
        file: len(words & _words(file.removeprefix("tests/")))
        + IMPORTED * bool(imported.search((ROOT / file).read_text()))
        for file in _test_files()
    }
    return {file: likelihood for file, likelihood in likelihoods.items() if likelihood}


def _words(path: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall("[a-z]+", path)} - {"test", "py"}
