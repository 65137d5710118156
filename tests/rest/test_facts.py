"""GET /query/facts as JSON, NDJSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import Any

import httpx
import pytest

from tests.rest.conftest import slug_of

COUNT = 1200


@pytest.fixture(scope="module")
def facts(service: str) -> list[dict[str, Any]]:
    """Facts of one kind, stored, oldest first."""
    # Whole seconds, which no format rounds.
    now = int(time.time())
    made = [
        {
            "kind": "Fact:Listed",
            "source": "lister",
            "fact_id": f"id-{n}",
            "subject": f"subject, {n % 7}",
            "ts": now - COUNT + n,
            "value": None if n % 2 else n,
            "payload": {"n": n, "text": 'a "quoted"\nline'},
        }
        for n in range(COUNT)
    ]
    assert httpx.post(f"{service}/ingest/facts", json=made, timeout=60).json()["accepted"] == COUNT
    return made


def ask(http: httpx.Client, accept: str = "*/*", **parameters: Any) -> httpx.Response:
    answer = http.get(
        "/query/facts", params={"kind": "Fact:Listed", **parameters}, headers={"Accept": accept}
    )
    assert answer.status_code == 200, answer.text
    return answer


def test_a_page_holds_the_newest_facts_first(
    http: httpx.Client, facts: list[dict[str, Any]]
) -> None:
    answer = ask(http)
    assert answer.headers["content-type"] == "application/json"
    items = answer.json()["items"]
    assert [item["fact_id"] for item in items] == [fact["fact_id"] for fact in facts[:-101:-1]]
    assert items[0]["payload"] == facts[-1]["payload"]


def test_cursors_lead_through_all_facts_once(
    http: httpx.Client, facts: list[dict[str, Any]]
) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        page = ask(http, limit=500, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["fact_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [fact["fact_id"] for fact in reversed(facts)]


def test_facts_are_narrowed_by_subject_and_time(
    http: httpx.Client, facts: list[dict[str, Any]]
) -> None:
    start, end = facts[100]["ts"], facts[200]["ts"]
    span = {"from": f"{start:.6f}", "to": f"{end:.6f}"}
    items = ask(http, subject="subject, 3", limit=1000, **span).json()["items"]
    expected = [f["fact_id"] for f in facts[100:200] if f["subject"] == "subject, 3"]
    assert [item["fact_id"] for item in items] == expected[::-1]


def test_lines_hold_every_fact(http: httpx.Client, facts: list[dict[str, Any]]) -> None:
    answer = ask(http, "application/x-ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["fact_id"] for line in lines] == [fact["fact_id"] for fact in reversed(facts)]


def test_lines_of_many_pages_stay_in_their_range(
    http: httpx.Client, facts: list[dict[str, Any]]
) -> None:
    first, last = 50, COUNT - 50
    span = {"from": f"{facts[first]['ts']:.6f}", "to": f"{facts[last]['ts']:.6f}"}
    lines = ask(http, "application/x-ndjson", **span).text.splitlines()
    expected = [fact["fact_id"] for fact in facts[first:last]]
    assert [json.loads(line)["fact_id"] for line in lines] == expected[::-1]


def test_lines_with_a_limit_are_one_page_that_names_the_next(
    http: httpx.Client, facts: list[dict[str, Any]]
) -> None:
    answer = ask(http, "application/x-ndjson", limit=10)
    assert len(answer.text.splitlines()) == 10
    following = ask(http, limit=1, cursor=answer.headers["x-next-cursor"]).json()["items"]
    assert following[0]["fact_id"] == facts[-11]["fact_id"]


def test_a_compressed_stream_leaves_nothing_in_the_answers_after_it(
    http: httpx.Client, fact_kind: str
) -> None:
    facts = [{"kind": fact_kind, "source": "a", "fact_id": str(n)} for n in range(50)]
    http.post("/ingest/facts", json=facts).raise_for_status()
    for encoding in ("gzip", "identity", "gzip"):
        headers = {"Accept": "application/x-ndjson", "Accept-Encoding": encoding}
        answer = http.get("/query/facts", params={"kind": fact_kind}, headers=headers)
        assert len(answer.content.splitlines()) == 50
        assert answer.content.endswith(b"}\n")


def test_a_table_holds_every_fact(http: httpx.Client, facts: list[dict[str, Any]]) -> None:
    answer = ask(http, "text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["fact_id"] for row in rows] == [fact["fact_id"] for fact in reversed(facts)]
    assert rows[0]["subject"] == facts[-1]["subject"]
    assert json.loads(rows[0]["payload"]) == facts[-1]["payload"]
    assert [row["value"] for row in rows[:2]] == ["", str(facts[-2]["value"])]


def test_what_is_not_made_is_not_acceptable(http: httpx.Client) -> None:
    answer = http.get("/query/facts", headers={"Accept": "image/png"})
    assert (answer.status_code, slug_of(answer)) == (406, "accept_unknown")


def test_an_error_of_a_stream_is_answered_before_it_begins(http: httpx.Client) -> None:
    answer = http.get("/query/facts?kind=none_such", headers={"Accept": "text/csv"})
    assert (answer.status_code, slug_of(answer)) == (404, "kind_unknown")
