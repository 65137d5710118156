"""The dashboards for Grafana: the SQL of every panel and variable runs as an analyst."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from psycopg import Connection

from tests.support.repository import ROOT

FOLDER = ROOT / "deploy/grafana"
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("dashboards/*.json"))
}
PANELS = [
    (name, panel, target["rawSql"])
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    for target in panel["targets"]
]
VARIABLES = [
    (name, variable["query"])
    for name, dashboard in DASHBOARDS.items()
    for variable in dashboard["templating"]["list"]
]
# What Grafana writes in place of its macro and of a variable.
RANGE = r"\1 between '2025-06-01T00:00:00Z' and '2025-07-01T00:00:00Z'"


def run(conn: Connection, sql: str) -> list[str]:
    """The names of the columns that a statement answers to an analyst."""
    sql = re.sub(r"\$__timeFilter\(([^)]+)\)", RANGE, sql)
    sql = re.sub(r"'\$\w+'", "'Fact:Sale'", sql)
    assert "$" not in sql
    with conn.transaction(force_rollback=True):
        conn.execute("set local role supervisor_analyst")
        return [column.name for column in conn.execute(sql.encode()).description or ()]


@pytest.mark.parametrize(
    ("panel", "sql"), [pytest.param(p, s, id=f"{n}-{p['id']}") for n, p, s in PANELS]
)
def test_the_statement_of_a_panel_runs(db: Connection, panel: dict[str, Any], sql: str) -> None:
    columns = run(db, sql)
    assert columns
    for target in panel["targets"]:
        assert (target["format"] == "time_series") == (columns[0] == "time")


@pytest.mark.parametrize(("name", "sql"), VARIABLES)
def test_the_choices_of_a_variable_are_one_column(db: Connection, name: str, sql: str) -> None:
    assert len(run(db, sql)) == 1, name


def test_dashboards_use_the_provisioned_source_and_their_own_variables() -> None:
    (source,) = yaml.safe_load((FOLDER / "provisioning/datasources/supervisor.yaml").read_text())[
        "datasources"
    ]
    for dashboard in DASHBOARDS.values():
        assert {p["datasource"]["uid"] for p in dashboard["panels"]} == {source["uid"]}
        known = {variable["name"] for variable in dashboard["templating"]["list"]}
        text = json.dumps(dashboard["panels"])
        assert set(re.findall(r"\$(?!__)(\w+)", text)) == known


def test_panels_do_not_overlap() -> None:
    for dashboard in DASHBOARDS.values():
        cells = [
            (x, y)
            for panel in dashboard["panels"]
            for grid in (panel["gridPos"],)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        ]
        assert len(cells) == len(set(cells))
        assert all(x < 24 for x, _ in cells)
