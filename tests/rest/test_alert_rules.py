"""Alert rules over REST: documents as bodies, versions, and what is refused."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.rest.conftest import slug_of


@pytest.fixture
def path() -> str:
    """The path of a rule that no other test uses."""
    return f"/alerts/rules/rule_{uuid4().hex[:12]}"


def document(threshold: float = 90, **more: object) -> dict[str, Any]:
    condition = {
        "type": "metric",
        "kind": "cpu_of_rules",
        "statistic": "avg",
        "window": "5m",
        "operator": ">",
        "threshold": threshold,
    }
    return {"author": "ann", "condition": condition, **more}


@pytest.fixture(autouse=True)
def kind(http: httpx.Client) -> None:
    """The kind that the rules are about."""
    http.post("/ingest/metrics", json={"name": "cpu_of_rules", "source": "web", "value": 1})


def test_a_rule_is_defined_changed_shown_and_deleted(http: httpx.Client, path: str) -> None:
    assert http.put(path, json=document()).json()["outcome"] == "created"
    changed = http.put(path, json=document(95, severity="critical")).json()
    assert [change["field"] for change in changed["changes"]] == ["condition.threshold", "severity"]
    shown = http.get(path).json()
    assert (shown["version"], shown["document"]["severity"]) == (2, "critical")
    assert [version["version"] for version in shown["versions"]] == [2, 1]
    deleted = http.delete(path, params={"author": "bob"})
    assert (deleted.status_code, deleted.json()["deleted_by"]) == (200, "bob")
    assert http.get(path).json()["state"] == "deleted"


def test_a_rule_is_listed_under_a_part_of_its_name(http: httpx.Client, path: str) -> None:
    http.put(path, json=document())
    name = path.rpartition("/")[2]
    listed = http.get("/alerts/rules", params={"q": name[3:]}).json()["items"]
    assert [each["name"] for each in listed] == [name]


def test_a_document_is_refused_with_all_its_fields(http: httpx.Client, path: str) -> None:
    answer = http.put(path, json={"condition": {"type": "health", "statuses": []}, "for": "5"})
    assert (answer.status_code, slug_of(answer)) == (422, "document_refused")
    fields = [fault["field"] for fault in answer.json()["params"]["faults"]]
    assert fields == ["author", "condition.statuses", "for"]


@pytest.mark.parametrize("threshold", ["NaN", "Infinity", "-Infinity", "1e309"])
def test_a_threshold_that_is_not_finite_is_refused(
    http: httpx.Client, path: str, threshold: str
) -> None:
    body = httpx.Request("PUT", path, json=document(12345)).content
    answer = http.put(
        path,
        content=body.replace(b"12345", threshold.encode()),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 422}
    assert http.get(path).status_code == 404


def test_a_rule_is_deleted_by_somebody(http: httpx.Client, path: str) -> None:
    http.put(path, json=document())
    answer = http.delete(path)
    assert (answer.status_code, slug_of(answer)) == (422, "parameter_required")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_rule_is_not_found(http: httpx.Client, path: str, method: str) -> None:
    http.put(path, json=document())
    params = {"author": "bob"} if method == "DELETE" else {}
    answer = http.request(method, f"{path}x", params=params)
    assert (answer.status_code, slug_of(answer)) == (404, "alert_rule_unknown")
    assert answer.json()["params"]["nearest"] == path.rpartition("/")[2]
