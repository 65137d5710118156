"""A folder sql/ as data, and what a ledger says of it, without a database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from supervisor_mcp.deploy import DeployError, Older
from supervisor_mcp.deploy.ledger import Ledger, Ran
from supervisor_mcp.deploy.release import Release, leaves, refuse_missing
from supervisor_mcp.deploy.run import Report
from supervisor_mcp.deploy.tree import SqlFile, Tree, read_tree, shipped_sql_dir
from tests.deploy.sample import write
from tests.support.repository import ROOT

# In the order in which they are applied, which is not that of their names.
PATHS = [
    "migrations/0001_first.sql",
    "migrations/0002_then.sql",
    "functions/internal/z.sql",
    "functions/api/b.sql",
    "functions/api/y.sql",
    "functions/analytics/x.sql",
    "functions/ops/a.sql",
    "views/analytics/v.sql",
    "views/ops/a.sql",
    "policies/one.sql",
    "policies/two.sql",
    "grants.sql",
]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    write(tmp_path, {path: f"-- {path}\n" for path in reversed(PATHS)})
    return read_tree(tmp_path)


def applied(tree: Tree) -> Ledger:
    """A ledger that has everything."""
    files = (*tree.code, *tree.policies, *tree.grants)
    return Ledger(
        {file.name: Ran(file.sha256, False, "0.1") for file in tree.migrations},
        {file.path: file.sha256 for file in files},
    )


def test_files_are_read_in_the_order_in_which_they_are_applied(tree: Tree) -> None:
    parts = (tree.migrations, tree.code, tree.policies, tree.grants)
    assert [len(part) for part in parts] == [2, 7, 2, 1]
    files = [file for part in parts for file in part]
    assert [file.path for file in files] == PATHS
    assert [file.text for file in files] == [f"-- {path}\n" for path in PATHS]


def test_a_file_is_named_by_its_path_and_creates_what_the_end_of_it_says() -> None:
    file = SqlFile("functions/api/query_agg.sql", "select 1;\n")
    assert (file.name, file.relation) == ("query_agg.sql", "api.query_agg")
    assert file.sha256.startswith("4a45092ccf992ea92250053a80b931b7")


@pytest.mark.parametrize(
    ("text", "is_additive"),
    [
        ("-- Additive: more.\nselect 1;", True),
        ("-- More.\n-- Additive: a table.\nselect 1;", True),
        ("-- More.\nselect 1;\n-- Additive: too late.", False),
        ("-- Not Additive: at all.\nselect 1;", False),
        ("", False),
    ],
)
def test_a_migration_says_in_its_first_comment_that_it_is_additive(
    text: str, is_additive: bool
) -> None:
    assert SqlFile("migrations/0001_x.sql", text).is_additive is is_additive


def test_the_digest_of_a_tree_changes_with_each_text_and_each_path(tree: Tree) -> None:
    digests = {tree.sha256}
    for part in ("migrations", "code", "policies", "grants"):
        first, *others = getattr(tree, part)
        for changed in (replace(first, text="--"), replace(first, path="x.sql")):
            digests.add(replace(tree, **{part: (changed, *others)}).sha256)
    assert len(digests) == 9
    assert {len(digest) for digest in digests} == {64}


@pytest.mark.parametrize(
    "path",
    [
        "functions/data/x.sql",
        "functions/x.sql",
        "functions/api/more/x.sql",
        "views/internal/x.sql",
        "views/x.sql",
    ],
)
def test_a_file_of_code_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"migrations/0001_first.sql": "", path: ""})
    with pytest.raises(DeployError, match=rf"^{path} is not (functions|views)/<schema>/<name>"):
        read_tree(tmp_path)


def test_the_shipped_files_are_those_of_the_repository() -> None:
    assert shipped_sql_dir() == ROOT / "sql"


def test_a_ledger_that_has_everything_leaves_nothing_to_do(tree: Tree) -> None:
    standing = applied(tree)
    assert standing.pending(tree) == ()
    assert standing.missing(tree) == {}
    assert standing.changed((*tree.code, *tree.policies, *tree.grants)) == ()
    assert standing.gone(tree) == ()


def test_an_empty_ledger_leaves_everything_to_do(tree: Tree) -> None:
    assert Ledger().pending(tree) == tree.migrations
    assert Ledger().changed(tree.code) == tree.code
    assert Ledger().gone(tree) == ()
    assert Ledger().missing(tree) == {}


def test_what_differs_from_the_ledger_is_found(tree: Tree) -> None:
    standing = applied(tree)
    view = replace(tree.code[-1], text="--")
    other = Tree(tree.migrations[:1], (*tree.code[1:-1], view), tree.policies[1:], tree.grants)
    assert standing.changed(other.code) == (view,)
    assert standing.gone(other) == ("functions/internal/z.sql", "policies/one.sql")
    assert standing.missing(other) == {"0002_then.sql": standing.migrations["0002_then.sql"]}
    assert Ledger(dict(list(standing.migrations.items())[:1])).pending(tree) == tree.migrations[1:]


def test_an_edited_migration_is_refused(tree: Tree) -> None:
    edited = replace(tree, migrations=(tree.migrations[0], replace(tree.migrations[1], text="--")))
    with pytest.raises(DeployError, match=r"^migrations/0002_then\.sql was edited after it ran"):
        applied(tree).pending(edited)


@pytest.mark.parametrize(("additive", "refused"), [(True, False), (False, True)])
def test_a_release_works_without_a_migration_only_where_that_is_additive(
    tree: Tree, additive: bool, refused: bool
) -> None:
    standing = Ledger({"0003_more.sql": Ran("", additive, "0.3")})
    if refused:
        with pytest.raises(DeployError, match=r"^release 0\.3 has run migrations/0003_more\.sql"):
            refuse_missing(Release("0.2", ""), tree, standing)
    else:
        refuse_missing(Release("0.2", ""), tree, standing)


@pytest.mark.parametrize(
    ("version", "older", "left"),
    [
        ("0.10", Older.REFUSE, False),
        ("0.11", Older.LEAVE, False),
        ("0.9", Older.LEAVE, True),
        ("0.9", Older.DEPLOY, False),
    ],
)
def test_an_older_release_leaves_what_a_newer_one_has_deployed_where_it_is_to(
    version: str, older: Older, left: bool
) -> None:
    assert leaves(Release(version, ""), Release("0.10", ""), older) is left


def test_an_older_release_is_refused_by_default() -> None:
    with pytest.raises(DeployError, match=r"^release 0\.10 has deployed this database"):
        leaves(Release("0.9", ""), Release("0.10", ""), Older.REFUSE)


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(DeployError, match="'latest' is not the version of a release"):
        Release("latest", "").is_older_than(Release("0.1", ""))


def test_a_report_has_a_line_for_each_file_and_for_what_was_kept() -> None:
    report = Report(("m",), ("c",), ("p",), ("g",), ("r",), ("kept x",), ("w",))
    assert str(report).splitlines() == [
        *(f"applied {path}" for path in "mcpg"),
        "no longer in sql/: r",
        "kept x",
    ]
    assert str(Report()) == "nothing to do"
    assert str(Report(kept=("kept x",))) == "nothing to do\nkept x"


@pytest.mark.parametrize("part", ["migrations", "code", "policies", "grants", "removed"])
def test_any_part_is_a_change(part: str) -> None:
    assert replace(Report(), **{part: ("x",)}).changed
    assert not Report(kept=("x",), warnings=("x",)).changed
