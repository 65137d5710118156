"""Which tests reach which SQL: by the calls that were counted, else by names.

PostgreSQL does not count a function where the planner inlines it, nor a view, so that those are
reached by the tests of what names them, too. Nor does it count a call that is refused: a function
is reached by the tests of the file that is named as it is, and by those of refusals in each file
that has a test which calls it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from mutants.folders import ROOT, digest, kept
from mutants.warm_tests import Recorded
from mutants.worker import record
from supervisor_mcp.deploy.order import COMMENT_OR_TEXT, NAME
from supervisor_mcp.deploy.tree import SqlFile, read_tree

FOLDERS = ("tests/sql", "tests/jobs")
# Tests of grants and policies, which name no function.
PRIVILEGE_TESTS = ("tests/sql/test_roles.py", "tests/sql/test_role_matrix.py")
POLICY_TESTS = "tests/jobs"
# Tests of every view of analytics, which name none.
VIEW_TESTS = "tests/sql/test_namespaces_of_analysts.py"
# How a test expects a refusal.
REFUSAL = re.compile(r"\b(refused|faults)\(")
# A function that some of its callers may inline, while the calls of others are counted.
INLINED = re.compile(
    r"^language sql (stable|immutable)\b(?!.*^security definer)", re.MULTILINE | re.DOTALL
)

# By test file: its digest, and its tests.
Book = dict[str, dict[str, Any]]


class Reach:
    """Tests of a file of sql/, the likeliest and fastest first."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self._recorded = [each for each in recorded if each.passed]
        code = _code()
        self._names = {
            file.relation: frozenset(NAME.findall(COMMENT_OR_TEXT.sub(" ", file.text)))
            for file in code
        }
        called = frozenset().union(*(each.called for each in self._recorded))
        self._counted = called - {file.relation for file in code if INLINED.search(file.text)}

    def tests(self, path: str) -> list[str]:
        """Node ids of the tests that reach a file, given by its path in the repository.

        First come those whose names share words with the file's; among equals, those without a
        server of their own.
        """
        name = path.removesuffix(".sql").rpartition("/")[2]
        if path == "sql/grants.sql":
            return self._sorted(name, lambda each: each.test.startswith(PRIVILEGE_TESTS))
        if path.startswith("sql/policies/"):
            return self._sorted(name, lambda each: each.test.startswith(POLICY_TESTS))
        relations = self._reaching(".".join(path.removesuffix(".sql").split("/")[-2:]))
        callers = {
            each.test.partition("::")[0]
            for each in self._recorded
            if not relations.isdisjoint(each.called)
        }
        return self._sorted(
            name,
            lambda each: (
                each.test.partition("::")[0].endswith(f"/test_{name}.py")
                or (path.startswith("sql/views/analytics/") and each.test.startswith(VIEW_TESTS))
                or not relations.isdisjoint(each.called)
                or any(relation in each.source for relation in relations)
                or (each.test.partition("::")[0] in callers and bool(REFUSAL.search(each.source)))
            ),
        )

    def _reaching(self, relation: str) -> set[str]:
        """The relation and, where not all of its calls are counted, what names it."""
        found = {relation}
        waiting = [] if relation in self._counted else [relation]
        while waiting:
            name = waiting.pop()
            for caller, names in self._names.items():
                if name in names and caller not in found:
                    found.add(caller)
                    if caller not in self._counted:
                        waiting.append(caller)
        return found

    def _sorted(self, name: str, chosen: Callable[[Recorded], bool]) -> list[str]:
        words = [word.removesuffix("s") for word in name.split("_")]
        found = [each for each in self._recorded if chosen(each)]
        found.sort(
            key=lambda each: (
                -sum(word in each.test for word in words),
                each.lasting,
                each.test.partition("::")[0] if each.lasting else "",
                each.seconds,
            )
        )
        return [each.test for each in found]


def known(say: Callable[[str], None]) -> Reach:
    """What is recorded; test files that are new or changed run once for it."""
    book = kept("reach.json")
    recorded: Book = json.loads(book.read_text()) if book.exists() else {}
    digests = {
        path.relative_to(ROOT).as_posix(): digest(path)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).glob("test_*.py"))
    }
    now = {
        name: recorded[name]
        for name, value in digests.items()
        if name in recorded and recorded[name]["digest"] == value
    }
    if changed := [name for name in digests if name not in now]:
        say(f"Recording what the tests of {len(changed)} files call")
        for name, tests in groupby(record(changed), lambda each: each.test.partition("::")[0]):
            now[name] = {"digest": digests[name], "tests": [_packed(each) for each in tests]}
            book.write_text(json.dumps(now))
            say(f"  {name}")
    return Reach(_unpacked(test) for entry in now.values() for test in entry["tests"])


def _packed(recorded: Recorded) -> dict[str, Any]:
    return asdict(recorded) | {"called": sorted(recorded.called)}


def _unpacked(test: dict[str, Any]) -> Recorded:
    return Recorded(**{**test, "called": frozenset(test["called"])})


def _code() -> tuple[SqlFile, ...]:
    return read_tree(Path(ROOT / "sql")).code
