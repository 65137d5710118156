"""GET /query/agg, /query/metrics, /query/kinds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from typing import Any

import httpx
import pytest
import redis

from tests.rest.conftest import slug_of
from tests.support.waiting import eventually

INGESTS = 50


@pytest.fixture
def stored(http: httpx.Client, name: str) -> list[float]:
    """Values 1 to 10 of two sources, stored."""
    now = time.time()
    batch: list[dict[str, Any]] = [
        {
            "name": name,
            "source": "ab"[n % 2],
            "value": n,
            "ts": now - 60 + n,
            "labels": {"core": str(n % 3)},
            "unit": "ms",
        }
        for n in range(1, 11)
    ]
    assert http.post("/ingest/metrics", json=batch).json()["accepted"] == 10
    return [float(item["value"]) for item in batch]


def ask(http: httpx.Client, **parameters: Any) -> dict[str, Any]:
    answer = http.get("/query/agg", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def await_snapshot(http: httpx.Client, name: str, as_of: str) -> None:
    """Wait until an answer that was given is stored."""
    parameters = {"kind": name, "window": "7d", "as_of": as_of}
    eventually(lambda: http.get("/query/agg", params=parameters).status_code == 200)


def test_an_aggregate_counts_what_was_acknowledged(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    found = ask(http, kind=name, window="7d")
    numbers = [found[field] for field in ("kind", "unit", "count", "sum", "min", "max", "last")]
    assert numbers == [name, "ms", 10, sum(stored), 1, 10, 10]


def test_an_aggregate_is_kept_and_renewed_by_the_next_ingest(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    first = ask(http, kind=name, window="30d")
    assert ask(http, kind=name, window="30d") == first
    http.post("/ingest/metrics", json={"name": name, "source": "c", "value": 100})
    assert ask(http, kind=name, window="30d")["count"] == first["count"] + 1


def test_a_batch_that_is_stored_in_part_renews_an_aggregate(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    assert ask(http, kind=name, window="30d")["count"] == 10
    batch = [{"name": name, "source": "c", "value": 100}, {"name": name, "source": "c"}]
    http.post("/ingest/metrics?partial=true", json=batch)
    assert ask(http, kind=name, window="30d")["count"] == 11


def test_a_kept_aggregate_is_what_redis_holds(
    http: httpx.Client, valkey_url: str, name: str, stored: list[float]
) -> None:
    answer = http.get("/query/agg", params={"kind": name, "window": "7d"})
    with redis.Redis.from_url(valkey_url) as client:
        kept = client.get(f"supervisor:agg:{name}:7d")
    assert answer.content == b"%s\n" % kept


def test_an_aggregate_of_a_source_and_its_groups(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    assert ask(http, kind=name, window="7d", source="a")["count"] == 5
    groups = ask(http, kind=name, window="7d", group_by="label.core")["groups"]
    assert {group["group"]: group["count"] for group in groups} == {"0": 3, "1": 4, "2": 3}


def test_an_aggregate_in_other_groups_is_kept_apart(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    for group_by, groups in (("source", ["a", "b"]), ("label.core", ["0", "1", "2"])):
        found = ask(http, kind=name, window="7d", group_by=group_by)["groups"]
        assert sorted(group["group"] for group in found) == groups
    assert ask(http, kind=name, window="7d")["groups"] == []


def test_an_aggregate_has_only_the_fields_that_are_named(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    found = ask(http, kind=name, window="7d", fields="count,p95")
    head = {"kind", "type", "unit", "window", "from", "to", "computed_at"}
    assert set(found) == head | {"count", "p95"}
    assert found["count"] == len(stored)


def test_an_unknown_field_is_answered_with_the_nearest_known_one(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    answer = http.get("/query/agg", params={"kind": name, "window": "7d", "fields": "counts"})
    assert (answer.status_code, slug_of(answer)) == (422, "fields_known")
    assert answer.json()["hint"].startswith('Did you mean "count"?')


def test_every_kind_is_answered_without_a_kind(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    kinds = {found["kind"]: found["count"] for found in ask(http, window="7d")["kinds"]}
    assert kinds[name] == 10
    http.post("/ingest/metrics", json={"name": name, "source": "c", "value": 100})
    kinds = {found["kind"]: found["count"] for found in ask(http, window="7d")["kinds"]}
    assert kinds[name] == 11


def test_no_kind_has_the_name_of_every_kind_in_the_cache(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    assert ask(http, window="7d")["kinds"]
    answer = http.get("/query/agg?window=7d&kind=*")
    assert (answer.status_code, slug_of(answer)) == (404, "kind_unknown")


def test_as_of_answers_what_was_known(http: httpx.Client, name: str, stored: list[float]) -> None:
    ask(http, kind=name, window="7d")
    then = datetime.now(UTC).isoformat()
    await_snapshot(http, name, then)
    http.post("/ingest/metrics", json={"name": name, "source": "c", "value": 100})
    assert ask(http, kind=name, window="7d")["count"] == 11
    assert ask(http, kind=name, window="7d", as_of=then)["count"] == 10


def test_a_timestamp_pasted_into_the_url_unescaped_is_read(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    computed_at = ask(http, kind=name, window="7d")["computed_at"]
    assert "+" in computed_at
    await_snapshot(http, name, computed_at)
    answer = http.get(f"/query/agg?kind={name}&window=7d&as_of={computed_at}")
    assert answer.json()["count"] == 10


def test_an_unchanged_aggregate_is_not_sent_again(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    parameters = {"kind": name, "window": "7d"}
    tag = http.get("/query/agg", params=parameters).headers["etag"]
    again = http.get("/query/agg", params=parameters, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    http.post("/ingest/metrics", json={"name": name, "source": "c", "value": 100})
    changed = http.get("/query/agg", params=parameters, headers={"If-None-Match": f"W/{tag}"})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_any_aggregate_is_known_to_a_client_that_says_so(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    parameters = {"kind": name, "window": "7d"}
    answer = http.get("/query/agg", params=parameters, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.content) == (304, b"")


def test_an_aggregate_may_be_used_again_only_when_it_is_asked_for(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    parameters = {"kind": name, "window": "7d"}
    for headers in ({}, {"If-None-Match": "*"}):
        answer = http.get("/query/agg", params=parameters, headers=headers)
        assert answer.headers["cache-control"] == "no-cache"


def test_no_answer_is_older_than_an_acknowledged_ingest(service: str, name: str) -> None:
    acknowledged = 0
    written = Event()
    stale: list[tuple[int, int]] = []
    asked = ({"kind": name, "window": "7d"}, {"kind": name, "window": "7d", "source": "a"})

    def write() -> None:
        nonlocal acknowledged
        try:
            with httpx.Client(base_url=service, timeout=60) as http:
                for _ in range(INGESTS):
                    item = {"name": name, "source": "a", "value": acknowledged, "ts": time.time()}
                    assert http.post("/ingest/metrics", json=item).json()["accepted"] == 1
                    acknowledged += 1
        finally:
            written.set()

    def read(parameters: dict[str, str]) -> None:
        with httpx.Client(base_url=service, timeout=60) as http:
            is_last = False
            while not is_last:
                is_last = written.is_set()
                known = acknowledged
                answer = http.get("/query/agg", params=parameters)
                count = answer.json()["count"] if answer.status_code == 200 else 0
                if count < known:
                    stale.append((count, known))

    with ThreadPoolExecutor(7) as pool:
        writer = pool.submit(write)
        for reader in [pool.submit(read, asked[n % 2]) for n in range(6)]:
            reader.result()
        writer.result()
    assert stale == []


def test_series_are_plotted_by_source_and_label(
    http: httpx.Client, name: str, stored: list[float]
) -> None:
    found = http.get(
        "/query/metrics",
        params={"name": name, "step": "1h", "label.core": "1", "source": "b"},
    ).json()
    [line] = found["series"]
    assert (line["source"], line["labels"]) == ("b", {"core": "1"})
    assert sum(point[found["columns"].index("count")] for point in line["points"]) == 2


def test_kinds_are_listed_page_by_page(http: httpx.Client, name: str) -> None:
    names = [f"{name}_{n}" for n in range(5)]
    http.post("/ingest/metrics", json=[{"name": n, "source": "a", "value": 1} for n in names])
    seen: list[str] = []
    cursor: str | None = None
    while True:
        parameters = {"prefix": name, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = http.get("/query/kinds", params=parameters).json()
        seen += [item["kind"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names


@pytest.mark.parametrize(
    ("path", "status", "slug", "field"),
    [
        ("/query/agg", 422, "parameter_required", "window"),
        ("/query/agg?window=", 422, "window_well_formed", "window"),
        ("/query/agg?window=week", 422, "window_well_formed", "window"),
        ("/query/agg?window=0d", 422, "window_well_formed", "window"),
        ("/query/agg?window=9999d", 422, "window_within_retention", "window"),
        ("/query/agg?window=7d&kind=none_such", 404, "kind_unknown", "kind"),
        ("/query/agg?window=7d&kind=", 404, "kind_unknown", "kind"),
        ("/query/agg?window=7d&kind=%00", 422, "parameter_well_formed", "kind"),
        ("/query/agg?window=7d&source=nobody", 404, "source_unknown", "source"),
        ("/query/agg?window=7d&group_by=colour", 422, "group_by_well_formed", "group_by"),
        ("/query/agg?window=7d&as_of=yesterday", 422, "parameter_well_formed", "as_of"),
        ("/query/agg?window=7d&as_of=0", 404, "aggregate_unknown", "as_of"),
        ("/query/agg?window=7d&source=a&as_of=9e", 422, "parameter_well_formed", "as_of"),
        ("/query/agg?window=7d&source=a&as_of=0", 422, "as_of_unfiltered", "as_of"),
        ("/query/agg?window=7d&as_of=9999999999", 422, "as_of_not_in_future", "as_of"),
        ("/query/agg?window=7d&windows=7d", 422, "parameter_known", "windows"),
        ("/query/agg?window=7d&window=30d", 422, "parameter_once", "window"),
        ("/query/metrics", 422, "parameter_required", "name"),
        ("/query/metrics?name=none_such", 404, "kind_unknown", "kind"),
        ("/query/metrics?name=none_such&step=fast", 422, "step_well_formed", "step"),
        ("/query/metrics?name=x&from=a", 422, "parameter_well_formed", "from"),
        ("/query/metrics?name=x&labels.core=1", 422, "parameter_known", "labels.core"),
        ("/query/kinds?type=number", 422, "kind_type_known", "type"),
        ("/query/kinds?limit=0", 422, "limit_in_range", "limit"),
        ("/query/kinds?limit=1001", 422, "limit_in_range", "limit"),
        ("/query/kinds?limit=ten", 422, "parameter_well_formed", "limit"),
        ("/query/facts?kind=none_such", 404, "kind_unknown", "kind"),
        ("/query/facts?cursor=garbage", 422, "cursor_invalid", "cursor"),
        ("/query/facts?limit=-1", 422, "limit_in_range", "limit"),
        ("/query/facts?to=2026-01-01", 422, "parameter_well_formed", "to"),
        ("/query/facts?offset=3", 422, "parameter_known", "offset"),
    ],
)
def test_a_bad_parameter_is_refused_by_name_and_field(
    http: httpx.Client, path: str, status: int, slug: str, field: str
) -> None:
    answer = http.get(path)
    assert (answer.status_code, slug_of(answer)) == (status, slug)
    assert answer.json()["params"]["field"] == field


@pytest.mark.parametrize("query", ["%ff=1", "window=%ff", "a", "&".join("a=1" for _ in range(101))])
def test_a_malformed_query_string_is_refused(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/query/agg?{query}")
    assert answer.status_code == 422
    assert slug_of(answer).startswith("parameter_")


def test_the_problem_of_an_unknown_parameter_lists_the_known_ones(http: httpx.Client) -> None:
    problem = http.get("/query/kinds?sort=name").json()
    assert problem["params"] == {"field": "sort", "known": ["cursor", "limit", "prefix", "type"]}
