"""Scores, survivors, and the list of accepted mutants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mutants.equivalents import Equivalents
from mutants.report import Result, as_json, score
from mutants.sample import sample
from mutants.sql_operators import mutants
from tests.support.repository import ROOT

(CHANGED,) = mutants("sql/x.sql", "select a\nfrom b\nwhere a < 1.5")


@pytest.mark.parametrize(
    ("statuses", "percent"),
    [(["killed"], 100.0), (["killed", "survived", "unfinished", "untested"], 25.0), ([], None)],
)
def test_a_score_is_the_killed_of_all_that_count(
    statuses: list[str], percent: float | None
) -> None:
    assert score(Result(CHANGED, each, None, None) for each in statuses).percent == percent


def test_a_score_of_a_sample_has_a_margin() -> None:
    tried = [Result(CHANGED, status, None, None) for status in ["killed"] * 90 + ["survived"] * 10]
    assert score(tried).margin == 5.9


def test_a_larger_sample_has_the_smaller_one() -> None:
    files = {"sql/x.sql": mutants("sql/x.sql", "select a\nfrom b\nwhere a < 1 and b < 2 and c > 3")}
    three, two = ({each.key for each in sample(files, size)["sql/x.sql"]} for size in (3, 2))
    assert len(two) == 2 < len(three) == 3
    assert two < three


def test_an_accepted_mutant_counts_neither_way() -> None:
    results = [Result(CHANGED, "survived", None, "a reason"), Result(CHANGED, "killed", "t", None)]
    assert (score(results).accepted, score(results).percent) == (1, 100.0)


def test_a_survivor_is_shown_with_its_line_before_and_after() -> None:
    (survivor,) = json.loads(as_json([Result(CHANGED, "survived", None, None)]))["survivors"]
    assert survivor == {
        "file": "sql/x.sql",
        "line": 3,
        "operator": "comparison",
        "status": "survived",
        "before": "where a < 1.5",
        "after": "where a <= 1.5",
    }


def test_a_mutant_is_accepted_by_its_file_and_lines(tmp_path: Path) -> None:
    listed = tmp_path / "equivalents.toml"
    listed.write_text(
        '[[equivalent]]\nfile = "sql/x.sql"\nbefore = "where a < 1.5"\n'
        'after = "where a <= 1.5"\nreason = "a is an integer"\n'
    )
    assert Equivalents(listed).reason(CHANGED) == "a is an integer"
    (other,) = mutants("sql/y.sql", CHANGED.text)
    assert Equivalents(listed).reason(other) is None


def test_every_accepted_mutant_of_sql_is_one_that_can_be_made() -> None:
    equivalents = Equivalents()
    for path in sorted({file for file, _, _ in equivalents.unused if file.endswith(".sql")}):
        for mutant in mutants(path, (ROOT / path).read_text()):
            equivalents.reason(mutant)
    assert {key for key in equivalents.unused if key[0].endswith(".sql")} == set()
