"""docs/errors.md lists every problem, and no other."""

from __future__ import annotations

import re

from supervisor_mcp.errors import REGISTRY, Problem
from tests.support.repository import ROOT

DOCUMENT = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SQL = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("sql/**/*.sql")))
EXPLAINED = (ROOT / "sql" / "functions" / "internal" / "item_rules.sql").read_text("utf-8")
# Functions that list the faults of a document: the slugs are the second column, or a member.
FAULTS = "\n".join(
    (ROOT / "sql" / "functions" / "internal" / f"{name}.sql").read_text("utf-8")
    for name in (
        *(
            "schema_faults",
            "document_faults",
            "server_faults",
            "alert_rule_faults",
            "alert_duration_faults",
        ),
        *("alert_member_faults", "alert_name_faults", "alert_text_faults"),
        *("matcher_faults", "check_silence", "subscription_faults", "kpi_faults"),
    )
)
# Constraints of tables that a request can break; what else they keep is checked before.
REACHABLE = {"idempotency_key_well_formed"}

# Slugs that already say what is wrong.
NAMED_AS_PROBLEMS = {
    "cursor_invalid",
    "document_refused",
    "idempotency_key_reused",
    "items_refused",
    "server_not_registered_yet",
    "snapshot_name_taken",
}

DOCUMENTED = set(re.findall(r"^\| `([a-z_]+)` \|", DOCUMENT, re.MULTILINE))
RAISED = set(re.findall(r"constraint = '([a-z_]+)'", SQL))
RULES = set(re.findall(r"\(\s*'([a-z_]+)',", EXPLAINED))
FAULT_RULES = set(
    re.findall(
        r"^ +'([a-z]+_[a-z_]+)',$|'slug', '([a-z_]+)'|slug := '([a-z_]+)'", FAULTS, re.MULTILINE
    )
)
FAULT_RULES = {slug for found in FAULT_RULES for slug in found if slug}


def test_the_sql_raises_and_explains_problems() -> None:
    assert "kind_unknown" in RAISED
    assert "value_finite" in RULES


def test_exactly_the_existing_problems_are_documented() -> None:
    assert {*RAISED, *RULES, *FAULT_RULES, *REACHABLE, *REGISTRY} == DOCUMENTED


def test_every_problem_of_the_sql_has_a_title_that_is_not_the_rule() -> None:
    as_named = {slug for slug in RAISED if Problem(slug, "").title == _in_words(slug)}
    assert as_named == NAMED_AS_PROBLEMS


def test_reachable_constraints_are_constraints() -> None:
    assert {name for name in REACHABLE if f"constraint {name} " in SQL} == REACHABLE


def test_every_problem_that_the_application_raises_is_in_the_registry() -> None:
    raised = {
        slug
        for path in sorted(ROOT.glob("app/**/*.py"))
        for slug in re.findall(r'Problem\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert raised == set(REGISTRY)


def test_the_documented_status_is_the_one_that_the_sql_raises() -> None:
    raised = {
        slug: int(status)
        for status, slug in re.findall(r"errcode = 'SV(\d+)', constraint = '([a-z_]+)'", SQL)
        if slug not in RULES
    }
    documented = {
        slug: int(status)
        for slug, status in re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", DOCUMENT, re.MULTILINE)
    }
    assert {slug: documented.get(slug) for slug in raised} == raised


def _in_words(slug: str) -> str:
    return slug.replace("_", " ").capitalize()
