"""Small requests that come at once share statements, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest
import redis

from supervisor_mcp import config, db, identity
from supervisor_mcp.cache.aggregates import Computed
from supervisor_mcp.cache.store import Key
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations import item_writer
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import ingest_facts
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.item_writer import MOST_BYTES, MOST_REQUESTS, ItemWriter
from supervisor_mcp.operations.metrics import ingest_metrics
from tests.sql.calls import Json, fact, metric, receipt
from tests.support.ports import free_port
from tests.support.waiting import eventually_async

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
SOURCES = [f"s{n}" for n in range(20)]


def settings(url: str, redis_url: str | None = None) -> config.Settings:
    return config.Settings(database_url=url, redis_url=redis_url, pool_size=4)


@pytest.fixture
async def context(fresh_database: str) -> AsyncIterator[Context]:
    """A service with a series of every source."""
    async with operations.connected(operations.build(settings(fresh_database))) as made:
        body = [metric(source=source) for source in SOURCES]
        await send(made, body, NOW - timedelta(hours=1))
        yield made


async def send(
    context: Context, body: object, now: datetime = NOW, options: IngestOptions | None = None
) -> Json:
    document = body if isinstance(body, bytes) else msgspec.json.encode(body)
    answer = await ingest_metrics(context, document, options or IngestOptions(), now)
    decoded: Json = msgspec.json.decode(answer)
    return decoded


def transactions(url: str) -> list[int]:
    """How many samples each transaction stored at NOW or later, in ascending order."""
    with psycopg.connect(url, prepare_threshold=None) as conn:
        rows = conn.execute(
            "select count(*) from data.sample where ts >= %s group by xmin order by 1", [NOW]
        ).fetchall()
    return [row[0] for row in rows]


async def test_requests_that_come_while_one_is_stored_share_a_transaction(
    context: Context, fresh_database: str
) -> None:
    bodies = [metric(source=source) for source in SOURCES]
    assert await asyncio.gather(*(send(context, body) for body in bodies)) == [receipt(1)] * 20
    assert transactions(fresh_database) == [1, 19]


async def test_facts_that_come_while_one_is_stored_share_a_transaction(
    context: Context, fresh_database: str
) -> None:
    async def send_fact(source: str, value: int) -> Json:
        document = msgspec.json.encode(fact(source=source, value=value))
        answer = await ingest_facts(context, document, IngestOptions(), NOW)
        decoded: Json = msgspec.json.decode(answer)
        return decoded

    for source in SOURCES:
        await send_fact(source, 0)
    sending = [send_fact(source, 1) for source in SOURCES]
    assert await asyncio.gather(*sending) == [receipt(1)] * 20
    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        rows = conn.execute(
            "select count(*) from data.fact where value = 1 group by xmin order by 1"
        ).fetchall()
    assert rows == [(1,), (19,)]


async def test_requests_one_after_the_other_have_transactions_of_their_own(
    context: Context, fresh_database: str
) -> None:
    for source in SOURCES[:3]:
        assert await send(context, metric(source=source)) == receipt(1)
    assert transactions(fresh_database) == [1, 1, 1]


async def test_a_request_with_a_key_shares_no_transaction(
    context: Context, fresh_database: str
) -> None:
    key = IngestOptions(idempotency_key="k")
    receipts: Sequence[Json] = await asyncio.gather(
        send(context, metric(source="s0")),
        send(context, metric(source="s1"), options=key),
        send(context, metric(source="s2")),
        send(context, metric(source="s3")),
    )
    assert list(receipts) == [receipt(1)] * 4
    assert await send(context, metric(source="s1"), options=key) == receipt(1)
    assert transactions(fresh_database) == [1, 1, 2]


@pytest.mark.parametrize(("longer", "shared"), [(0, [1, 3]), (1, [1, 1, 2])])
async def test_a_large_request_shares_no_transaction(
    context: Context, fresh_database: str, longer: int, shared: list[int]
) -> None:
    body = msgspec.json.encode(metric(source="s1"))
    receipts: Sequence[Json] = await asyncio.gather(
        send(context, metric(source="s0")),
        send(context, body + b" " * (MOST_BYTES - len(body) + longer)),
        send(context, metric(source="s2")),
        send(context, metric(source="s3")),
    )
    assert list(receipts) == [receipt(1)] * 4
    assert transactions(fresh_database) == shared


async def test_a_request_that_is_refused_fails_alone(context: Context) -> None:
    deep = b'{"a":' * 201 + b"1" + b"}" * 201
    bad = [metric(source="s3", value="x"), b'{"name": "cpu"', deep, metric(source="new")]
    bodies = [*(metric(source=source) for source in SOURCES), *bad]
    answers = await asyncio.gather(
        *(send(context, body) for body in bodies), return_exceptions=True
    )
    assert answers[:20] == [receipt(1)] * 20
    slugs = [each.slug for each in answers[20:] if isinstance(each, Problem)]
    assert slugs == ["items_refused", "json_malformed", "json_too_deep"]
    assert answers[-1] == receipt(1)


async def test_a_request_whose_samples_are_stored_counts_them_as_duplicates(
    context: Context,
) -> None:
    await send(context, metric(source="s5"))
    answers = await asyncio.gather(*(send(context, metric(source=source)) for source in SOURCES))
    assert answers.pop(5) == receipt(0, duplicate=1)
    assert answers == [receipt(1)] * 19


async def test_an_item_without_a_time_has_that_of_its_own_request(
    context: Context, fresh_database: str
) -> None:
    nows = [NOW + timedelta(milliseconds=n) for n in range(10)]
    await asyncio.gather(*(send(context, metric(source="s0"), now) for now in nows))
    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        rows = conn.execute("select ts from data.sample where ts >= %s order by ts", [NOW])
        assert [row[0] for row in rows] == nows


async def test_senders_with_other_bounds_share_no_statement(context: Context) -> None:
    async def call(sender: str, source: str) -> Json | str:
        identity.current.set(Identity(sender, frozenset({"ingest"}), (sender,)))
        try:
            return await send(context, metric(source=source))
        except Problem as problem:
            return problem.slug

    own = [call(source, source) for source in SOURCES[:10]]
    foreign = [call(source, "s0") for source in SOURCES[1:10]]
    answers = await asyncio.gather(*own, *foreign)
    assert answers == [receipt(1)] * 10 + ["source_of_key"] * 9


async def test_requests_of_namespaces_stay_in_them(context: Context, fresh_database: str) -> None:
    async def call(namespace: str, source: str) -> Json:
        with identity.acting_as(identity.serving(namespace)):
            return await send(context, metric(source=source))

    for namespace in ("acme", "umbrella"):
        await call(namespace, "s0")
    later = NOW + timedelta(seconds=1)

    async def again(namespace: str) -> Json:
        with identity.acting_as(identity.serving(namespace)):
            return await send(context, metric(source="s0", ts=later.isoformat()))

    answers = await asyncio.gather(*map(again, ["", "acme", "umbrella", ""]))
    assert sorted(each["accepted"] for each in answers) == [0, 1, 1, 1]
    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        rows = conn.execute(
            "select namespace from data.sample inner join data.every_kind using (kind_id)"
            " where ts = %s order by 1",
            [later],
        ).fetchall()
    assert rows == [("",), ("acme",), ("umbrella",)]


async def test_what_shares_a_statement_ends_what_the_cache_has_of_its_kinds(
    fresh_database: str, redis_url: str, client: redis.Redis
) -> None:
    made = operations.build(settings(fresh_database, redis_url))
    async with operations.connected(made) as context:
        await send(context, [metric(source=source) for source in SOURCES], NOW - timedelta(hours=1))
        key = Key("cpu", "7d", namespace="")

        async def compute() -> Computed:
            (visibility,) = await context.database.read("select api.get_visibility()::text", {})
            return Computed(b"{}", visibility)

        await context.changes.read()
        await context.cache.answer(key, compute)
        assert client.get(key.answer) == b"{}"
        await asyncio.gather(*(send(context, metric(source=source)) for source in SOURCES))
        assert client.get(key.answer) is None


async def test_a_sender_that_leaves_fails_nobody(context: Context, fresh_database: str) -> None:
    sending = [asyncio.create_task(send(context, metric(source=source))) for source in SOURCES]
    await asyncio.sleep(0)
    for task in sending[:3]:
        task.cancel()
    assert await asyncio.gather(*sending[3:]) == [receipt(1)] * 17
    await context.items["ingest_metrics"].stop()
    assert sum(transactions(fresh_database)) == 20


async def test_where_the_database_does_not_answer_each_request_fails_with_its_own_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(db, "POOL_SECONDS", 0.05)
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    async with operations.connected(operations.build(settings(url))) as context:
        failed = await asyncio.gather(
            *(send(context, metric(source=source)) for source in SOURCES), return_exceptions=True
        )
    assert [type(each) for each in failed] == [Problem] * 20
    assert len({id(each) for each in failed}) == 20


class Statements:
    """What a writer sends, each held up until it may go."""

    def __init__(self) -> None:
        self.alone: list[bytes] = []
        self.together: list[list[bytes]] = []
        self.go = asyncio.Event()
        self.refused: set[bytes] = set()

    def send_alone(self, document: bytes) -> Callable[[], Awaitable[bytes]]:
        async def send() -> bytes:
            self.alone.append(document)
            await self.go.wait()
            return document

        return send

    async def send_together(
        self, documents: Sequence[bytes], _nows: Sequence[datetime]
    ) -> list[bytes] | None:
        self.together.append(list(documents))
        await self.go.wait()
        return None if self.refused & set(documents) else list(documents)

    def store(self, writer: ItemWriter, number: int) -> asyncio.Task[bytes]:
        document = b"%d" % number
        storing = writer.store(document, NOW, self.send_alone(document), self.send_together)
        return asyncio.create_task(storing)


async def test_a_request_waits_only_a_moment_for_a_statement_that_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_writer, "GATHER_SECONDS", 0.05)
    writer, statements = ItemWriter(), Statements()
    waiting = [statements.store(writer, number) for number in range(3)]
    await asyncio.sleep(0)
    assert (statements.alone, statements.together) == ([b"0"], [])

    async def sent() -> list[list[bytes]]:
        return statements.together

    await eventually_async(sent)
    assert statements.together == [[b"1", b"2"]]
    statements.go.set()
    assert await asyncio.gather(*waiting) == [b"0", b"1", b"2"]


async def test_what_waits_is_sent_when_a_statement_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_writer, "GATHER_SECONDS", 3600)
    writer, statements = ItemWriter(), Statements()
    waiting = [statements.store(writer, number) for number in range(3)]
    await asyncio.sleep(0)
    statements.go.set()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == [b"0", b"1", b"2"]
    assert (statements.alone, statements.together) == ([b"0"], [[b"1", b"2"]])
    assert await statements.store(writer, 3) == b"3"
    assert statements.alone == [b"0", b"3"]


async def test_a_statement_takes_500_requests() -> None:
    writer, statements = ItemWriter(), Statements()
    waiting = [statements.store(writer, number) for number in range(MOST_REQUESTS + 2)]
    await asyncio.sleep(0)
    statements.go.set()
    await asyncio.gather(*waiting)
    assert [len(each) for each in statements.together] == [MOST_REQUESTS]
    assert len(statements.alone) == 2


async def test_what_one_statement_does_not_store_is_sent_in_eighths_and_then_alone() -> None:
    writer, statements = ItemWriter(), Statements()
    statements.refused = {b"20"}
    waiting = [statements.store(writer, number) for number in range(65)]
    await asyncio.sleep(0)
    statements.go.set()
    assert await asyncio.gather(*waiting) == [b"%d" % number for number in range(65)]
    assert [len(each) for each in statements.together] == [64, *[8] * 8]
    assert statements.alone == [b"0", *(b"%d" % number for number in range(17, 25))]


@pytest.mark.parametrize(("refused", "gathered"), [(["20"], 1), (["1", "9", "17", "25", "33"], 0)])
async def test_none_is_gathered_for_a_while_after_most_had_to_be_sent_alone(
    monkeypatch: pytest.MonkeyPatch, refused: list[str], gathered: int
) -> None:
    monkeypatch.setattr(item_writer, "PAUSE_SECONDS", 3600)
    writer, statements = ItemWriter(), Statements()
    statements.refused = {number.encode() for number in refused}
    waiting = [statements.store(writer, number) for number in range(65)]
    await asyncio.sleep(0)
    statements.go.set()
    await asyncio.gather(*waiting)
    await writer.stop()
    statements.go.clear()
    statements.together.clear()
    waiting = [statements.store(writer, number) for number in range(100, 104)]
    await asyncio.sleep(0)
    statements.go.set()
    assert await asyncio.gather(*waiting) == [b"%d" % number for number in range(100, 104)]
    assert len(statements.together) == gathered


async def test_requests_are_gathered_again_after_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_writer, "PAUSE_SECONDS", 0.0)
    writer, statements = ItemWriter(), Statements()
    statements.refused = {b"1"}
    for count in (1, 2):
        statements.go.clear()
        waiting = [statements.store(writer, number) for number in range(3)]
        await asyncio.sleep(0)
        statements.go.set()
        await asyncio.gather(*waiting)
        await writer.stop()
        assert statements.together == [[b"1", b"2"]] * count


async def test_a_stop_waits_for_what_was_sent() -> None:
    writer, statements = ItemWriter(), Statements()
    await writer.stop()
    waiting = [statements.store(writer, number) for number in range(5)]
    await asyncio.sleep(0)
    statements.go.set()
    await writer.stop()
    assert statements.together == [[b"1", b"2", b"3", b"4"]]
    assert await asyncio.gather(*waiting) == [b"%d" % number for number in range(5)]
