"""Quotas: exactly as many fit as each says, and the refusal says what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql import alert_rules
from tests.sql.alert_rules import condition
from tests.sql.calls import NOW, Json, ask, fact, ingest_facts, ingest_metrics, metric, refused
from tests.sql.kpis import define, kpi
from tests.sql.registry import NAME, register, server_json

INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
MOST = 3

Add = Callable[[Connection, int, datetime], object]


def send(item: Callable[[int], object]) -> Add:
    """Items one by one."""
    return lambda conn, n, now: ingest_metrics(conn, item(n), now=now)


def define_rule(conn: Connection, name: str, threshold: int, now: datetime) -> Json:
    document = {"author": "ann", "condition": condition(threshold=threshold)}
    return alert_rules.define(conn, document, name, now=now)


def silence(conn: Connection, name: str, comment: str, now: datetime) -> object:
    return ask(
        conn,
        "select api.silence_alerts(%s, %s, %s, %s, 'ann', %s, null, %s)",
        *(
            name,
            Jsonb([{"name": "alertname", "operator": "=", "value": name}]),
            now,
            now + timedelta(days=1),
            comment,
            now,
        ),
    )


def subscribe(conn: Connection, n: int, now: datetime) -> object:
    document = Jsonb({"author": "ann", "url": "https://example.com/hook", "alerts": {}})
    return ask(conn, "select api.subscribe(%s, %s, %s)", f"s{n}", document, now)


SERIES: dict[str, tuple[Add, str, str]] = {
    "kinds": (
        send(lambda n: metric(f"kind{n}")),
        "kinds",
        "Put what varies into labels, not into names.",
    ),
    "sources": (
        send(lambda n: metric(source=f"source{n}")),
        "sources",
        "Name sources after servers or agents, not after runs or requests.",
    ),
    "series": (
        send(lambda n: metric(labels={"n": str(n)})),
        "series",
        "Use fewer distinct label values (no ids, no timestamps).",
    ),
    "new_series_per_hour": (
        send(lambda n: metric(source=f"s{n % 2}", labels={"n": str(n)})),
        "new series per hour",
        "Use fewer distinct label values (no ids, no timestamps), or continue in an hour.",
    ),
    "new_series_per_source_and_hour": (
        send(lambda n: metric(labels={"n": str(n)})),
        'new series per hour of source "web"',
        "Use fewer distinct label values (no ids, no timestamps), or continue in an hour.",
    ),
}
COUNTS: dict[str, Add] = {
    "servers": lambda conn, n, now: register(conn, server_json(), f"{NAME}{n}", now=now),
    "new_versions_per_server_and_hour": lambda conn, n, now: register(
        conn, server_json(f"1.0.{n}"), now=now
    ),
    "alert_rules": lambda conn, n, now: define_rule(conn, f"rule{n}", 1, now),
    "new_versions_per_alert_rule_and_hour": lambda conn, n, now: define_rule(conn, "rule", n, now),
    "kpis": lambda conn, n, now: define(conn, kpi(), f"kpi{n}", now=now),
    "new_versions_per_kpi_and_hour": lambda conn, n, now: define(conn, kpi(target=n), now=now),
    "silences": lambda conn, n, now: silence(conn, f"s{n}", "why", now),
    "new_versions_of_silences_per_hour": lambda conn, n, now: silence(conn, "s", f"why {n}", now),
    "subscriptions": subscribe,
}
HOURLY = [name for name in [*SERIES, *COUNTS] if name.endswith("hour")]


def restrict(conn: Connection, quota: str) -> int:
    """Leave room for as many more, and say how many are allowed then."""
    conn.execute(
        "update data.quota set value = coalesce(used, 0) + %s where name = %s", [MOST, quota]
    )
    return int(ask(conn, "select value from data.quota where name = %s", quota))


@pytest.fixture
def known(db: Connection) -> Connection:
    """What KPIs and rules are about, registered long ago."""
    ingest_metrics(db, metric(), now=NOW - timedelta(days=2))
    return db


@pytest.mark.parametrize("quota", SERIES)
def test_as_many_series_fit_as_a_quota_allows(known: Connection, quota: str) -> None:
    add, noun, advice = SERIES[quota]
    allowed = restrict(known, quota)

    for n in range(1, MOST + 1):
        add(known, n, NOW)
    with refused(known, "series_within_quota") as refusal:
        add(known, MOST + 1, NOW)
    assert refusal.message == f"the batch would add 1 to {allowed} {noun}; the quota is {allowed}"
    hourly = quota in HOURLY
    assert refusal.params == {
        "quota": quota,
        "allowed": allowed,
        "present": allowed,
        "added": 1,
        **({"retry_after_seconds": 3600} if hourly else {}),
        **({"source": "web"} if "source_" in quota else {}),
    }
    assert refusal.hint == (
        f"{advice}"
        f"{'' if hourly else ' The daily job prune_catalogue deletes what has no data.'}"
        " A database administrator raises the quota:"
        f" select ops.set_quota('{quota}', {2 * allowed});"
    )
    # What is known needs no room.
    assert ingest_metrics(known, metric())["accepted"] == 1
    if quota in {"kinds", "sources"}:
        assert ingest_metrics(known, metric(labels={"a": "new series"}))["accepted"] == 1


@pytest.mark.parametrize("quota", ["kinds", "sources"])
def test_a_quota_below_what_there_is_takes_what_adds_nothing(known: Connection, quota: str) -> None:
    ingest_metrics(known, [metric("other", "other"), metric("third", "third")])
    known.execute("update data.quota set value = 1 where name = %s", [quota])

    assert ingest_metrics(known, metric(labels={"a": "new series"}))["accepted"] == 1


def test_a_batch_is_counted_as_a_whole_and_each_name_once(known: Connection) -> None:
    allowed = restrict(known, "kinds")
    items = [metric(f"kind{n}", f"s{n % 2}", labels={"a": str(m)}) for n in range(3) for m in "ab"]

    with refused(known, "series_within_quota") as refusal:
        ingest_metrics(known, [*items, metric("one.more"), metric("two.more"), metric()])
    assert (refusal.params["added"], refusal.params["present"]) == (5, allowed - MOST)
    assert ingest_metrics(known, items)["accepted"] == len(items)


def test_facts_count_as_metrics_do(known: Connection) -> None:
    restrict(known, "kinds")
    kinds = [fact(f"Fact:Kind{n}") for n in range(MOST + 1)]

    with refused(known, "series_within_quota"):
        ingest_facts(known, kinds)
    assert ingest_facts(known, kinds[1:])["accepted"] == MOST


def test_the_first_quota_by_name_is_named_where_several_are_exceeded(known: Connection) -> None:
    for quota in SERIES:
        known.execute("update data.quota set value = 1 where name = %s", [quota])
    items = [metric(f"new{n}", source) for source in "ba" for n in range(2)]

    for quota in ("kinds", "new_series_per_hour", "new_series_per_source_and_hour"):
        with refused(known, "series_within_quota") as refusal:
            ingest_metrics(known, items)
        assert refusal.params["quota"] == quota
        known.execute("update data.quota set value = 1000 where name = %s", [quota])
    assert refusal.params["source"] == "a"


@pytest.mark.parametrize("quota", COUNTS)
def test_as_many_fit_as_a_quota_allows(known: Connection, quota: str) -> None:
    restrict(known, quota)

    for n in range(MOST):
        COUNTS[quota](known, n, NOW)
    with refused(known, "count_within_quota") as refusal:
        COUNTS[quota](known, MOST, NOW)
    assert refusal.message.startswith(f"this would be {MOST + 1} ")
    assert refusal.message.endswith(f"; the quota is {MOST}")
    retry = {"retry_after_seconds": 3600} if quota in HOURLY else {}
    assert refusal.params == {"quota": quota, "allowed": MOST, **retry}
    assert refusal.hint.endswith(f" select ops.set_quota('{quota}', {2 * MOST});")


@pytest.mark.parametrize("quota", HOURLY)
def test_what_is_an_hour_old_makes_room(known: Connection, quota: str) -> None:
    add = COUNTS.get(quota) or SERIES[quota][0]
    slug = "count_within_quota" if quota in COUNTS else "series_within_quota"
    restrict(known, quota)

    for n in range(1, MOST + 1):
        add(known, n, NOW)
    with refused(known, slug):
        add(known, MOST + 1, NOW + HOUR - INSTANT)
    add(known, MOST + 1, NOW + HOUR)


@pytest.mark.parametrize(
    "quota",
    ["new_versions_per_server_and_hour", "new_versions_per_alert_rule_and_hour"],
)
def test_a_quota_of_one_leaves_others_alone(known: Connection, quota: str) -> None:
    restrict(known, quota)

    for n in range(MOST):
        COUNTS[quota](known, n, NOW)
    assert register(known, server_json(), f"{NAME}-other")["outcome"] == "created"
    assert define_rule(known, "other", 1, NOW)["outcome"] == "created"


@pytest.mark.parametrize("quota", ["servers", "alert_rules"])
def test_what_exists_changes_also_where_there_is_no_room(known: Connection, quota: str) -> None:
    restrict(known, quota)
    for n in range(MOST):
        COUNTS[quota](known, n, NOW)

    changed = (
        register(known, server_json("2.0.0"), f"{NAME}0")
        if quota == "servers"
        else define_rule(known, "rule0", 7, NOW)
    )
    assert changed["outcome"] == "changed"
