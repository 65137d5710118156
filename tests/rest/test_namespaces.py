"""Requests of two namespaces with the same names: neither sees nor changes what is the other's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import Connection

from supervisor_mcp import identity
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import RESOURCES
from supervisor_mcp.rest.streams import StreamResource
from tests.rest.namespaced import (
    METRIC,
    OF_THE_OPERATOR,
    OF_THE_SERVICE,
    READS,
    STREAMS,
    TAKES_AWAY,
    TESTED,
    WRITES,
    connected,
    serving,
)
from tests.support.tenants import ACME, EVERYONE, TENANTS, UMBRELLA, Tenant, within
from tests.support.timescaledb import Server

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
LEAVING = Tenant("leaving", ACME.word, 5)


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
