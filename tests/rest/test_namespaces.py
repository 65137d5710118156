"""Requests of two namespaces with the same names: neither sees nor changes what is the other's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg import Connection

from supervisor_mcp import identity
from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.alerts import AlertStreamQuery, stream_alerts
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactStreamQuery, stream_facts
from supervisor_mcp.operations.streams import Messages
from supervisor_mcp.rest.app import RESOURCES, create_app
from supervisor_mcp.rest.streams import StreamResource
from tests.sql.raised_alerts import add_transition
from tests.support.tenants import ACME, EVERYONE, NOW, TENANTS, UMBRELLA, Tenant, within
from tests.support.timescaledb import Server

Json = dict[str, Any]
Question = tuple[str, Json]

# What is asked of each route that reads; {word} is that of a tenant.
READS: dict[str, list[Question]] = {
    "query_metrics": [
        ("/query/metrics", {"name": "queue_depth"}),
        ("/query/metrics", {"name": "queue_depth", "source": "shop", "split_by": "version"}),
        ("/query/metrics", {"name": "{word}_depth"}),
        ("/query/metrics", {"name": "queue_depth", "label.region": "{word}"}),
    ],
    "query_facts": [
        ("/query/facts", {}),
        ("/query/facts", {"limit": 1}),
        ("/query/facts", {"kind": "Fact:Sale"}),
        ("/query/facts", {"kind": "Fact:{word}"}),
        ("/query/facts", {"source": "{word}-shop"}),
        ("/query/facts", {"subject": "customer-1"}),
    ],
    "query_agg": [
        ("/query/agg", {"window": "7d"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth", "group_by": "source"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth", "group_by": "label.region"}),
        ("/query/agg", {"window": "7d", "kind": "{word}_depth"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth", "source": "{word}-shop"}),
        ("/query/agg", {"window": "7d", "as_of": NOW.isoformat()}),
    ],
    "list_kinds": [
        ("/query/kinds", {}),
        ("/query/kinds", {"limit": 1}),
        ("/query/kinds", {"prefix": "{word}"}),
    ],
    "list_servers": [
        ("/registry/servers", {}),
        ("/registry/servers", {"limit": 1}),
        ("/registry/servers", {"q": "{word}"}),
        ("/registry/servers", {"tag": "{word}"}),
        ("/registry/servers", {"health": "unknown"}),
    ],
    "get_server": [("/registry/servers/search", {}), ("/registry/servers/{word}/own", {})],
    "list_health": [
        ("/health/servers", {}),
        ("/health/servers", {"limit": 1}),
        ("/health/servers", {"status": "degraded"}),
    ],
    "get_health": [("/health/servers/search", {}), ("/health/servers/{word}/own", {})],
    "query_sla": [
        ("/health/sla", {"window": "7d"}),
        ("/health/sla", {"window": "7d", "limit": 1}),
        ("/health/sla", {"window": "7d", "name": "{word}/own"}),
    ],
    "list_maintenance": [
        ("/health/maintenance", {"from": "2025-06-01T00:00:00Z"}),
        ("/health/maintenance", {"from": "2025-06-01T00:00:00Z", "limit": 1}),
        ("/health/maintenance", {"name": "{word}/own"}),
    ],
    "list_active_alerts": [
        ("/alerts/active", {}),
        ("/alerts/active", {"limit": 1}),
        ("/alerts/active", {"rule": "{word}_long"}),
        ("/alerts/active", {"label.note": "{word}"}),
        ("/alerts/active", {"label.nobody": "has"}),
    ],
    "list_alert_history": [
        ("/alerts/history", {}),
        ("/alerts/history", {"limit": 1}),
        ("/alerts/history", {"rule": "{word}_long"}),
        ("/alerts/history", {"label.note": "{word}"}),
    ],
    "list_silences": [("/alerts/silences", {}), ("/alerts/silences", {"limit": 1})],
    "list_alert_rules": [
        ("/alerts/rules", {}),
        ("/alerts/rules", {"limit": 1}),
        ("/alerts/rules", {"q": "{word}"}),
    ],
    "get_alert_rule": [("/alerts/rules/queue_long", {}), ("/alerts/rules/{word}_long", {})],
    "query_kpis": [
        ("/query/kpis", {"window": "7d"}),
        ("/query/kpis", {"window": "7d", "name": "{word}_value"}),
    ],
    "list_kpis": [("/kpis", {}), ("/kpis", {"limit": 1}), ("/kpis", {"name": "{word}_value"})],
    "query_changes": [
        ("/query/changes", {"window": "24h"}),
        ("/query/changes", {"window": "24h", "kind": "{word}_depth"}),
    ],
    "list_restatements": [
        ("/query/restatements", {}),
        ("/query/restatements", {"limit": 1}),
        ("/query/restatements", {"kind": "{word}_depth"}),
    ],
    "list_snapshots": [("/query/snapshots", {}), ("/query/snapshots", {"limit": 1})],
    "get_snapshot": [("/query/snapshots/week", {}), ("/query/snapshots/{word}-week", {})],
    "list_subscriptions": [("/subscriptions", {}), ("/subscriptions", {"limit": 1})],
    "get_subscription": [("/subscriptions/hook", {}), ("/subscriptions/{word}-hook", {})],
    "list_policies": [("/admin/policies", {"policy": "retention"})],
    "list_pins": [("/admin/pins", {}), ("/admin/pins", {"source": "{word}-shop"})],
    "livez": [("/livez", {})],
    "readyz": [("/readyz", {})],
}

CONDITION = {"type": "metric", "kind": "queue_depth", "statistic": "max", "window": "1h"}
TESTED = {"condition": {**CONDITION, "operator": ">", "threshold": 2, "group_by": "source"}}
SALES = {"kind": "Fact:Sale", "statistic": "count"}
FACT = {"kind": "Fact:Sale", "source": "shop", "fact_id": "order-1", "value": 99}
METRIC = {"name": "queue_depth", "source": "shop", "value": 99, "ts": NOW.timestamp() - 60}

# What is sent to each other route; the names are those of all tenants, then of one alone.
WRITES: dict[str, list[tuple[str, str, Any]]] = {
    "ingest_metrics": [
        ("POST", "/ingest/metrics", [METRIC]),
        ("POST", "/ingest/metrics", [{**METRIC, "name": "{word}_depth", "source": "{word}-shop"}]),
    ],
    "ingest_facts": [
        ("POST", "/ingest/facts", [FACT]),
        ("POST", "/ingest/facts", [{**FACT, "fact_id": "order-2"}]),
    ],
    "register_server": [
        (
            "PUT",
            "/registry/servers/search",
            {"description": "a", "version": "2.0.0", "owner": "anvil", "probe": False},
        ),
        ("PUT", "/registry/servers/{word}/own", {"description": "a", "version": "2.0.0"}),
    ],
    "heartbeat": [("POST", "/registry/heartbeats", {"names": ["search", "{word}/own"]})],
    "heartbeat_server": [
        ("POST", "/registry/servers/search/heartbeat", None),
        ("POST", "/registry/servers/{word}/own/heartbeat", None),
    ],
    "report_health": [
        ("POST", "/health/reports", [{"server": "search", "status": "down"}]),
        ("POST", "/health/reports", [{"server": "{word}/own", "status": "down"}]),
    ],
    "plan_maintenance": [
        (
            "PUT",
            f"/health/maintenance/{name}",
            {"servers": [server], "to": "2025-06-15T20:00:00Z", "author": "a", "reason": "a"},
        )
        for name, server in (("update", "search"), ("{word}-update", "{word}/own"))
    ]
    + [
        ("PUT", f"/health/maintenance/{name}", {"cancelled": True, "author": "a", "reason": "a"})
        for name in ("update", "{word}-update")
    ],
    "ack_alert": [("POST", "/alerts/active/{alert}/ack", {"author": "a"})],
    "silence_alerts": [
        ("PUT", f"/alerts/silences/{name}", {"cancelled": True, "author": "a"})
        for name in ("night", "{word}-night")
    ],
    "define_alert_rule": [
        ("PUT", f"/alerts/rules/{name}", {**TESTED, "author": "a"})
        for name in ("queue_long", "{word}_long")
    ],
    "query_sql": [
        ("POST", "/query/sql", {"sql": "select kind from kinds"}),
        ("POST", "/query/sql", {"sql": "select to_jsonb(f) from facts as f"}),
    ],
    "backtest_alert_rule": [
        ("POST", "/alerts/rules/backtest", {"name": "queue_long"}),
        ("POST", "/alerts/rules/backtest", {"name": "{word}_long"}),
        ("POST", "/alerts/rules/backtest", {"rule": TESTED}),
    ],
    "suggest_threshold": [
        ("POST", "/alerts/rules/threshold", {"condition": CONDITION, "per_month": 2}),
        (
            "POST",
            "/alerts/rules/threshold",
            {"condition": {**CONDITION, "kind": "{word}_depth"}, "per_month": 2},
        ),
    ],
    "define_kpi": [
        ("PUT", f"/kpis/{name}", {"author": "a", "numerator": SALES})
        for name in ("sale_value", "{word}_value")
    ],
    "delete_kpi": [
        ("DELETE", f"/kpis/{name}?author=a", None) for name in ("sale_value", "{word}_value")
    ],
    "subscribe": [
        ("PUT", f"/subscriptions/{name}", {"author": "a", "url": "https://a.example", "alerts": {}})
        for name in ("hook", "{word}-hook")
    ],
    "pin_window": [
        (
            "POST",
            "/admin/pins",
            {
                "source": source,
                "from": "2025-06-15T00:00:00Z",
                "to": "2025-06-15T01:00:00Z",
                "reason": "a",
            },
        )
        for source in ("shop", "{word}-shop")
    ],
    "unpin_window": [("DELETE", f"/admin/pins/{number}", None) for number in (1, 2, 3)],
    "create_snapshot": [
        ("POST", "/query/snapshots", {"name": name, "window": "7d", "author": "a"})
        for name in ("week", "{word}-week")
    ],
    "unsubscribe": [("DELETE", f"/subscriptions/{name}", None) for name in ("hook", "{word}-hook")],
    "delete_alert_rule": [
        ("DELETE", f"/alerts/rules/{name}?author=a", None) for name in ("queue_long", "{word}_long")
    ],
    "deregister_server": [
        ("DELETE", "/registry/servers/search?owner=anvil", None),
        ("DELETE", "/registry/servers/{word}/own?owner={word}", None),
    ],
}
# How a table says whose a row is, by the first of these columns that it has.
OWNED = {
    "namespace": "namespace = %(namespace)s",
    **{
        f"{noun}_id": f"{noun}_id in ("
        f"select {noun}_id from data.every_{table} where namespace = %(namespace)s)"
        for noun, table in (
            ("kind", "kind"),
            ("source", "source"),
            ("server", "server"),
            ("rule", "alert_rule"),
            ("kpi", "kpi"),
            ("subscription", "subscription"),
        )
    },
    "series_id": "series_id in (select series_id from data.series inner join data.every_kind"
    " using (kind_id) where namespace = %(namespace)s)",
}
# What takes away what other writes are about is sent by a tenant of its own.
LEAVING = Tenant("leaving", ACME.word, 5)
TAKES_AWAY = {"delete_alert_rule", "delete_kpi", "unsubscribe", "deregister_server"}
STREAMS = {"stream_facts", "stream_alerts"}
OF_THE_SERVICE = {"metrics"}
# The default namespace manages the keys, and reads the audit, of all.
OF_THE_OPERATOR = {
    *("create_key", "list_keys", "revoke_key", "rotate_key", "list_audit"),
    *("set_policy", "plan_retention", "doctor"),
}


@pytest.fixture(scope="module")
def filled_url(database_server: Server) -> Iterator[str]:
    """DSN of a database where every tenant has something; acme and leaving change theirs."""
    with database_server.deployed() as url:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            for tenant in (*TENANTS, LEAVING):
                tenant.fill(conn)
        yield url


@pytest.fixture
def filled(filled_url: str) -> Iterator[Connection[Any]]:
    """A connection to that database."""
    with psycopg.connect(filled_url, autocommit=True, prepare_threshold=None) as conn:
        yield conn


@asynccontextmanager
async def connected(url: str, redis_url: str) -> AsyncIterator[Context]:
    settings = Settings(
        database_url=url, redis_url=redis_url, key_secret="a secret that digests the keys of tests"
    )
    async with operations.connected(operations.build(settings)) as context:
        yield context


@asynccontextmanager
async def serving(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(context, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


@pytest.fixture
async def context(filled_url: str, redis_url: str) -> AsyncIterator[Context]:
    async with connected(filled_url, redis_url) as context:
        yield context


@pytest.fixture
async def rest(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(context) as client:
        yield client


def test_every_route_has_a_case() -> None:
    routes = {resource.operation.name for resource in RESOURCES}
    assert routes == READS.keys() | WRITES.keys() | STREAMS | OF_THE_SERVICE | OF_THE_OPERATOR
    streams = {each.operation.name for each in RESOURCES if issubclass(each, StreamResource)}
    assert streams == STREAMS


async def test_what_a_namespace_sees_does_not_depend_on_the_others(
    fresh_database: str, redis_url: str
) -> None:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
        async with connected(fresh_database, redis_url) as context, serving(context) as rest:
            ACME.fill(conn)
            alone = [await ask_everything(rest, ACME, about) for about in TENANTS]
            # The answers of others are what a shared cache would hold.
            for other in (UMBRELLA, EVERYONE):
                other.fill(conn)
                assert other.word in str(await ask_everything(rest, other, other))
            # And what others do with names of acme.
            for write in chain.from_iterable(WRITES.values()):
                await send(rest, conn, UMBRELLA, write, ACME)

            assert [await ask_everything(rest, ACME, about) for about in TENANTS] == alone


async def test_no_answer_names_what_is_in_another_namespace(
    rest: httpx.AsyncClient,
) -> None:
    for tenant in (UMBRELLA, EVERYONE):
        seen = str(await ask_everything(rest, tenant, tenant))
        assert [each.word for each in TENANTS if each.word in seen] == [tenant.word]


async def test_a_name_of_another_namespace_is_unknown_and_no_nearest_one(
    rest: httpx.AsyncClient,
) -> None:
    for path in (
        "/query/agg?window=7d&kind=tyrant_dept",
        "/query/metrics?name=tyrant_dept",
        "/query/facts?source=tyrant-shp",
        "/registry/servers/tyrant/owm",
        "/health/servers/tyrant/owm",
        "/health/sla?window=7d&name=tyrant/owm",
        "/alerts/rules/tyrant_lon",
        "/query/kpis?window=7d&name=tyrant_valeu",
        "/query/changes?window=7d&kind=tyrant_dept",
        "/subscriptions/tyrant-hok",
    ):
        with identity.acting_as(identity.serving("umbrella")):
            own = await rest.get(path)
        with identity.acting_as(identity.serving("")):
            foreign = await rest.get(path)
        assert (own.status_code, foreign.status_code) == (404, 404), path
        assert "Did you mean" in own.json()["hint"]
        assert "tyrant" not in foreign.json().get("hint", "")
        assert "nearest" not in foreign.json().get("params", {})


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_changes_nothing_in_another_namespace(
    filled: Connection[Any], every_row: str, rest: httpx.AsyncClient, name: str
) -> None:
    sender = LEAVING if name in TAKES_AWAY else ACME
    others = (UMBRELLA, EVERYONE)
    before = [state(filled, every_row, other) for other in others]

    answers = [
        await send(rest, filled, sender, write, about)
        for write in WRITES[name]
        for about in (sender, *others)
    ]

    assert any(answer.is_success for answer in answers), [answer.text for answer in answers]
    assert [state(filled, every_row, other) for other in others] == before


async def test_an_idempotency_key_belongs_to_its_namespace(
    rest: httpx.AsyncClient,
) -> None:
    async def store(namespace: str, value: int) -> httpx.Response:
        with identity.acting_as(identity.serving(namespace)):
            return await rest.post(
                "/ingest/metrics",
                json={**METRIC, "name": "sent_once", "value": value},
                headers={"Idempotency-Key": "k"},
            )

    answers = [await store("acme", 1), await store("umbrella", 2), await store("acme", 1)]

    assert [answer.json()["accepted"] for answer in answers] == [1, 1, 1]
    assert (await store("umbrella", 1)).status_code == 409


async def test_a_cursor_of_another_namespace_shows_nothing_of_it(
    rest: httpx.AsyncClient,
) -> None:
    for path in ("/query/kinds", "/query/facts", "/registry/servers", "/alerts/rules"):
        with identity.acting_as(identity.serving("umbrella")):
            cursor = (await rest.get(path, params={"limit": 1})).json()["next_cursor"]
        with identity.acting_as(identity.serving("")):
            answer = await rest.get(path, params={"cursor": cursor})
        assert answer.is_success
        assert UMBRELLA.word not in answer.text


async def test_an_etag_of_another_namespace_is_none_of_this_one(
    rest: httpx.AsyncClient,
) -> None:
    with identity.acting_as(identity.serving("umbrella")):
        known = await rest.get("/query/agg?window=7d&kind=queue_depth")
    with identity.acting_as(identity.serving("acme")):
        answer = await rest.get(
            "/query/agg?window=7d&kind=queue_depth",
            headers={"If-None-Match": known.headers["etag"]},
        )
    assert answer.status_code == 200


async def test_a_kind_cannot_be_named_so_that_the_cache_finds_that_of_another_namespace(
    rest: httpx.AsyncClient,
) -> None:
    with identity.acting_as(identity.serving("acme")):
        assert (await rest.get("/query/agg?window=7d&kind=queue_depth")).is_success
    for name in ("acme:queue_depth", "@acme:queue_depth", "acme@queue_depth", "acme/queue_depth"):
        answer = await rest.get("/query/agg", params={"window": "7d", "kind": name})
        assert answer.status_code == 404, name


async def test_metrics_of_the_service_are_not_for_a_namespace(rest: httpx.AsyncClient) -> None:
    with identity.acting_as(identity.serving("acme")):
        refused = await rest.get("/metrics")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("namespace_default")
    assert (await rest.get("/metrics")).is_success


async def test_keys_of_another_namespace_are_out_of_reach(rest: httpx.AsyncClient) -> None:
    asked = {"owner": "tyrant", "scopes": ["read"]}
    with identity.acting_as(identity.serving("umbrella")):
        foreign = (await rest.post("/access/keys", json=asked)).json()["id"]
    with identity.acting_as(identity.serving("acme")):
        listed = await rest.get("/access/keys")
        rotated = await rest.post(f"/access/keys/{foreign}/rotation", json={})
        revoked = await rest.delete(f"/access/keys/{foreign}")
        created = await rest.post("/access/keys", json={**asked, "namespace": "umbrella"})
    assert "tyrant" not in listed.text
    assert [each.status_code for each in (rotated, revoked, created)] == [404, 404, 403]
    with identity.acting_as(identity.serving("umbrella")):
        (own,) = (await rest.get("/access/keys")).json()["items"]
    assert (own["id"], own["status"], own["namespace"]) == (foreign, "active", "umbrella")


async def test_the_audit_of_another_namespace_is_out_of_reach(rest: httpx.AsyncClient) -> None:
    authors = {"umbrella": "who writes in umbrella", "acme": "who writes in acme"}
    for namespace, author in authors.items():
        with identity.acting_as(identity.serving(namespace)):
            rule = {**TESTED, "author": author}
            for name in ("audited", "audited_too"):
                assert (await rest.put(f"/alerts/rules/{name}", json=rule)).is_success
    with identity.acting_as(identity.serving("acme")):
        cursor = (await rest.get("/access/audit?limit=1")).json()["next_cursor"]
    with identity.acting_as(identity.serving("umbrella")):
        shown = (await rest.get("/access/audit")).text
        turned = (await rest.get("/access/audit", params={"cursor": cursor})).text
    for text in (shown, turned):
        assert authors["umbrella"] in text
        assert authors["acme"] not in text
    everything = (await rest.get("/access/audit")).text
    assert all(author in everything for author in authors.values())


async def test_a_stream_carries_the_facts_of_its_namespace_only(
    context: Context, rest: httpx.AsyncClient
) -> None:
    followers = {name: Follower(context, name) for name in ("acme", "umbrella")}
    for follower in followers.values():
        await follower.start()
    try:
        for number in range(3):
            for name in followers:
                fact = {**FACT, "fact_id": f"{name}-{number}", "ts": NOW.timestamp()}
                with identity.acting_as(identity.serving(name)):
                    assert (await rest.post("/ingest/facts", json=fact)).is_success
            for follower in followers.values():
                await follower.wait_for(number + 1)
    finally:
        for follower in followers.values():
            await follower.stop()

    for name, follower in followers.items():
        names = [msgspec.json.decode(each)["fact_id"] for each in follower.messages]
        assert names == [f"{name}-{number}" for number in range(3)]


@pytest.mark.parametrize("stream", sorted(STREAMS))
async def test_a_position_of_another_namespace_gives_nothing_of_it(
    fresh_database: str, redis_url: str, stream: str
) -> None:
    async with connected(fresh_database, redis_url) as context:
        position = await first_position(context, stream)
        with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
            # Those of acme come last: what is read before them is all there is of the other.
            for tenant in (UMBRELLA, ACME):
                tenant.fill(conn)
                with within(conn, tenant.namespace):
                    add_alert_of_now(conn)

        assert UMBRELLA.word.encode() in await read_from(context, stream, UMBRELLA, position)
        assert UMBRELLA.word.encode() not in await read_from(context, stream, ACME, position)


def add_alert_of_now(conn: Connection[Any]) -> None:
    """A change of state that is young enough for the stream."""
    row = conn.execute("select min(fingerprint) from data.alert").fetchone()
    assert row is not None
    add_transition(conn, row[0], at=datetime.now(UTC))


class Follower:
    """A client of the stream of facts, whose messages a task of nobody's takes."""

    def __init__(self, context: Context, namespace: str) -> None:
        self._context = context
        self._namespace = namespace
        self._came = asyncio.Condition()
        self.messages: list[bytes] = []

    async def start(self) -> None:
        """Follow from now on."""
        with identity.acting_as(identity.serving(self._namespace)):
            self._stream = await stream_facts(self._context, FactStreamQuery())
        self._task = asyncio.create_task(self._take())

    async def wait_for(self, number: int) -> None:
        """Wait until so many have come."""
        async with asyncio.timeout(30), self._came:
            await self._came.wait_for(lambda: len(self.messages) >= number)

    async def stop(self) -> None:
        """End."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._stream.close()

    async def _take(self) -> None:
        async for message in self._stream:
            if message.data is not None:
                async with self._came:
                    self.messages.append(message.data)
                    self._came.notify_all()


async def opened(context: Context, stream: str, position: str | None) -> Messages:
    """The messages of a stream for who asks."""
    if stream == "stream_facts":
        return await stream_facts(context, FactStreamQuery(last_event_id=position))
    return await stream_alerts(context, AlertStreamQuery(last_event_id=position))


async def first_position(context: Context, stream: str) -> str:
    """Where a stream is now."""
    messages = await opened(context, stream, None)
    first = await anext(messages)
    await messages.close()
    assert first.id is not None
    return first.id


async def read_from(context: Context, stream: str, tenant: Tenant, position: str) -> bytes:
    """What a tenant reads after a position, up to something of its own."""
    with identity.acting_as(identity.serving(tenant.namespace)):
        messages = await opened(context, stream, position)
    found = b""
    async with asyncio.timeout(30):
        async for message in messages:
            found += message.data or b""
            if tenant.word.encode() in found:
                break
    await messages.close()
    return found


async def ask_everything(rest: httpx.AsyncClient, tenant: Tenant, about: Tenant) -> dict[str, Any]:
    """The answers to all questions about names of a tenant, asked by another one."""
    answers = {}
    with identity.acting_as(identity.serving(tenant.namespace)):
        for questions in READS.values():
            for path, parameters in questions:
                url = httpx.URL(
                    path.format(word=about.word),
                    params={n: str(v).format(word=about.word) for n, v in parameters.items()},
                )
                answer = await rest.get(url)
                body = answer.json()
                body.pop("request_id", None)
                assert tenant is not about or answer.is_success, answer.text
                answers[str(url)] = (answer.status_code, body)
    return answers


async def send(
    rest: httpx.AsyncClient,
    conn: Connection[Any],
    tenant: Tenant,
    write: tuple[str, str, Any],
    about: Tenant,
) -> httpx.Response:
    """What a tenant is answered to a write about names of another one."""
    method, path, body = write
    with within(conn, about.namespace):
        row = conn.execute(
            "select min(fingerprint) from data.alert where labels ->> 'alertname' like '%long'"
        ).fetchone()
    assert row is not None
    with identity.acting_as(identity.serving(tenant.namespace)):
        return await rest.request(
            method, path.format(word=about.word, alert=row[0]), json=named(body, about.word)
        )


def named(body: Any, word: str) -> Any:
    """A body with the word of a tenant."""
    if isinstance(body, dict):
        return {name: named(value, word) for name, value in body.items()}
    if isinstance(body, list):
        return [named(value, word) for value in body]
    return body.format(word=word) if isinstance(body, str) else body


@pytest.fixture(scope="module")
def every_row(filled_url: str) -> str:
    """A question for every row that belongs to a tenant, itself or by what it refers to."""
    with psycopg.connect(filled_url, prepare_threshold=None) as conn:
        columns = conn.execute(
            "select table_name, array_agg(column_name::text)"
            " from information_schema.columns inner join information_schema.tables"
            " using (table_schema, table_name)"
            " where table_schema = 'data' and table_type = 'BASE TABLE' group by 1"
        ).fetchall()
    conditions = {
        table: next((text for name, text in OWNED.items() if name in names), None)
        for table, names in columns
    }
    questions = [
        f"select '{table}', jsonb_agg(each order by to_jsonb(each)::text)"
        f" from data.{table} as each where {condition}"
        for table, condition in conditions.items()
        if condition is not None
    ]
    assert len(questions) > 25
    return " union all ".join(questions)


def state(conn: Connection[Any], every_row: str, tenant: Tenant) -> dict[str, Any]:
    """Every row that belongs to a tenant, by its table."""
    return dict(conn.execute(every_row.encode(), {"namespace": tenant.namespace}).fetchall())
