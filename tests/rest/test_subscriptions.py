"""Subscriptions over REST: they are created, changed, listed, removed and refused."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.rest.conftest import slug_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def path() -> str:
    """The path of a subscription that no other test uses."""
    return f"/subscriptions/policy-{uuid4().hex[:12]}"


def document(**more: object) -> dict[str, Any]:
    return {"author": "ann", "url": "https://policy.example/hook", "facts": {}, **more}


def test_a_subscription_is_created_changed_listed_and_removed(
    http: httpx.Client, path: str
) -> None:
    name = path.rpartition("/")[2]
    # No fact and no alert of another test is for it.
    facts = {"sources": [name]}
    matchers = [{"name": "alertname", "operator": "=", "value": name}]
    assert http.put(path, json=document(facts=facts)).json()["outcome"] == "created"
    changed = http.put(path, json=document(facts=facts, alerts={"matchers": matchers})).json()
    assert changed["outcome"] == "changed"
    assert changed["alerts"]["repeat_interval"] == "4h"
    listed = http.get("/subscriptions", params={"limit": 1000}).json()["items"]
    (found,) = [each for each in listed if each["name"] == name]
    assert (found["pending"], found["failed"]) == (0, 0)
    assert http.get(path).json() == found
    assert http.get("/subscriptions", params={"name": name}).json() == found
    removed = http.delete(path)
    assert (removed.status_code, removed.json()["outcome"]) == (200, "removed")
    assert slug_of(http.delete(path)) == "subscription_unknown"


def test_the_same_subscription_again_changes_nothing(http: httpx.Client, path: str) -> None:
    http.put(path, json=document())
    assert http.put(path, json=document()).json()["outcome"] == "unchanged"


def test_a_secret_is_in_the_answer_that_sets_it_and_in_no_other(
    http: httpx.Client, path: str
) -> None:
    made = http.put(path, json=document()).json()["secret"]
    assert made.startswith("whsec_")
    given = http.put(path, json=document(secret=SECRET)).json()["secret"]
    assert given == SECRET
    assert http.put(path, json=document(secret=SECRET)).json()["secret"] is None
    shown = http.get(path)
    assert SECRET not in shown.text
    assert "secret" not in shown.json()


def test_a_subscription_is_refused_with_all_its_fields(http: httpx.Client, path: str) -> None:
    bad = {
        "url": "ftp://a.example",
        "facts": {"kinds": ["cpu"]},
        "alerts": {"matchers": [{"name": "source", "operator": "=~", "value": "("}]},
    }
    answer = http.put(path, json=bad)
    assert (answer.status_code, slug_of(answer)) == (422, "document_refused")
    fields = [fault["field"] for fault in answer.json()["params"]["faults"]]
    assert fields == ["alerts.matchers[0].value", "author", "facts.kinds[0]", "url"]


@pytest.mark.parametrize(
    ("method", "url"), [("DELETE", None), ("GET", None), ("GET", "/subscriptions")]
)
def test_an_unknown_subscription_is_not_found(
    http: httpx.Client, path: str, method: str, url: str | None
) -> None:
    http.put(path, json=document())
    name = path.rpartition("/")[2]
    params = {"name": f"{name}x"} if url else {}
    answer = http.request(method, url or f"{path}x", params=params)
    assert (answer.status_code, slug_of(answer)) == (404, "subscription_unknown")
    assert answer.json()["params"]["nearest"] == name
