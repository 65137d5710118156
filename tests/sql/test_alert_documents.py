"""The conditions in docs/alerts.md and the rules that come with the service can be defined."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import Connection

from supervisor_mcp.cli import built_in_rules
from tests.sql.alert_rules import define, rule, stored
from tests.sql.alerts import DEFINED, alerts, evaluate, newest
from tests.sql.calls import NOW, ago, ask, fact, ingest_facts, ingest_metrics, metric
from tests.sql.registry import register, server_json
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
CONDITIONS = [
    json.loads(block)
    for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
]
BUILT_IN = {each["name"]: each for each in built_in_rules.read()}
PARTS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with every kind that the page and the built-in rules name."""
    for name in set(kinds([*CONDITIONS, *BUILT_IN.values()])):
        if name.startswith("Fact:"):
            ingest_facts(db, fact(name))
        else:
            ingest_metrics(db, metric(name))
    return db


def kinds(document: Any) -> Iterator[str]:
    """The kinds in a document, at any depth."""
    if isinstance(document, list):
        for member in document:
            yield from kinds(member)
    elif isinstance(document, dict):
        if "kind" in document:
            yield document["kind"]
        yield from kinds(list(document.values()))


@pytest.mark.parametrize("given", CONDITIONS, ids=lambda given: str(given["type"]))
def test_a_condition_of_the_page_is_taken(db: Connection, given: dict[str, Any]) -> None:
    assert define(db, rule(given))["outcome"] == "created"


def test_the_page_shows_a_condition_of_every_type() -> None:
    assert {given["type"] for given in CONDITIONS} == {
        *("metric", "health", "keepalive", "burn_rate", "fact")
    }


def test_the_default_pairs_of_the_page_are_those_of_the_database(db: Connection) -> None:
    (shown,) = [given["pairs"] for given in CONDITIONS if "pairs" in given]
    define(db, rule({"type": "burn_rate"}))
    assert stored(db)["condition"]["pairs"] == shown


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_rule_is_taken(db: Connection, name: str) -> None:
    assert define(db, {"author": "ann", **BUILT_IN[name]}, name)["outcome"] == "created"


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_rule_has_a_runbook_and_a_row_in_the_page(name: str) -> None:
    path = f"docs/runbooks/{name}.md"
    assert BUILT_IN[name]["annotations"]["runbook"] == path
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## .*$", text, re.MULTILINE) == PARTS
    assert f"| [`{name}`](runbooks/{name}.md) | {BUILT_IN[name]['severity']} |" in PAGE


def test_series_are_narrowed_by_source_and_by_labels_with_a_value_or_with_any(
    db: Connection,
) -> None:
    ingest_metrics(
        db,
        [
            metric("calls", "a", labels={"error.type": "timeout", "region": "eu"}),
            metric("calls", "a", labels={"region": "eu"}),
            metric("calls", "b", labels={"error.type": "500"}),
        ],
    )

    def found(where: dict[str, Any]) -> int | None:
        count: int | None = ask(
            db,
            "select cardinality(internal.rule_series("
            "(select array_agg(kind_id) from data.kind where name = 'calls'), %s))",
            json.dumps(where),
        )
        return count

    assert found({}) is None
    assert found({"has": ["error.type"]}) == 2
    assert found({"has": ["error.type", "region"]}) == 1
    assert found({"source": "a", "labels": {"region": "eu"}}) == 2
    assert found({"source": "b", "labels": {"region": "eu"}}) == 0


@pytest.mark.parametrize("given", [*CONDITIONS, *(each["condition"] for each in BUILT_IN.values())])
def test_a_condition_of_the_page_or_of_a_built_in_rule_can_be_evaluated(
    db: Connection, given: dict[str, Any]
) -> None:
    register(db, server_json(tags=["shop"]), now=DEFINED)
    define(db, rule(given), now=DEFINED)
    evaluate(db)
    row = db.execute("select evaluated_at, error from data.alert_rule").fetchone()
    assert row == (NOW, None)


def test_the_built_in_error_rate_fires_for_the_source_whose_calls_fail(db: Connection) -> None:
    name = "mcp.server.operation.duration"
    calls = [(source, n) for source in ("good", "bad") for n in range(20)]
    ingest_metrics(
        db,
        [
            metric(
                name,
                source,
                0.1,
                labels={"error.type": "timeout"} if source == "bad" and n < 2 else {},
                ts=ago(seconds=20 * n + 1),
            )
            for source, n in calls
        ],
    )
    document = {"author": "ann", **BUILT_IN["error_rate_high"], "for": "0s"}
    define(db, document, "error_rate_high", now=DEFINED)
    evaluate(db)
    assert alerts(db) == {"bad": "firing"}
    summary = newest(db)["annotations"]["summary"]
    assert summary == "A share of 0.1 of the calls of bad fails."
