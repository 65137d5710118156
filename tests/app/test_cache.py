"""The cache contract, on a real Valkey."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import trustme

from supervisor_mcp.cache.aggregates import Cache, Computed, Key
from supervisor_mcp.cache.connection import Connection
from supervisor_mcp.cache.store import LEASE_MS, Store
from tests.support import proxy
from tests.support.ports import free_port
from tests.support.valkey import PATIENCE
from tests.support.waiting import eventually, eventually_async

CPU = Key("cpu", "7d", namespace="")
CPU_OF_A_SOURCE = Key("cpu", "7d", "0" * 32, namespace="")
EVERYTHING = Key("*", "7d", namespace="")


# What a database shows before and after transaction 10.
FIRST, SECOND = "10:10:", "11:11:"


def begun(redis_url: str | None, ttl_seconds: int = 60) -> Cache:
    """A cache that has read changes once."""
    made = Cache(Connection(redis_url) if redis_url else None, ttl_seconds=ttl_seconds)
    made.changes.learn(FIRST, 0, {})
    return made


class Source:
    """What an answer is computed from; `compute` can be held up."""

    def __init__(self) -> None:
        self.value = b'{"sum":1}'
        self.visibility = FIRST
        self.computed = 0
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def compute(self) -> Computed:
        self.computed += 1
        read = Computed(self.value, self.visibility)
        self.begun.set()
        await self.go.wait()
        return read


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def cache(cache_url: str) -> AsyncIterator[Cache]:
    made = begun(cache_url)
    yield made
    made.close()


@pytest.fixture
async def other_worker(cache_url: str) -> AsyncIterator[Cache]:
    made = begun(cache_url)
    yield made
    made.close()


async def test_an_answer_is_in_redis_as_it_was_computed(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    assert await cache.answer(CPU, source.compute) == source.value
    assert client.get("supervisor:agg:cpu:7d") == source.value
    assert 50_000 < int(client.pttl("supervisor:agg:cpu:7d")) <= 60_000


async def test_an_answer_is_kept_for_as_long_as_is_set(
    redis_url: str, source: Source, client: redis.Redis
) -> None:
    cache = begun(redis_url, 3600)
    await cache.answer(CPU, source.compute)
    assert 3_598_000 < int(client.pttl("supervisor:agg:cpu:7d")) <= 3_600_000
    cache.close()


async def test_a_cache_without_redis_is_off(cache: Cache) -> None:
    without = begun(None)
    await without.open()
    assert without.is_off is True
    without.close()
    assert cache.is_off is False


async def test_opening_is_trying_to_connect() -> None:
    cache = begun(f"redis://127.0.0.1:{free_port()}/0")
    await cache.open()
    assert cache.redis is not None
    assert cache.redis.reason == "Redis cannot be reached"
    cache.close()


def test_keys_are_the_same_for_the_same_request() -> None:
    assert Key("cpu", "7d", namespace="") == CPU
    assert hash(Key("cpu", "7d", namespace="")) == hash(CPU)
    others = (CPU_OF_A_SOURCE, EVERYTHING, Key("cpu", "7d", namespace="acme"), CPU.answer)
    assert [other for other in others if other == CPU] == []


@pytest.mark.parametrize(
    ("stamp", "generation", "seen"),
    [
        (b"abc 10:10:", b"abc", b"10:10:"),
        (b"abc 10:10:", b"abd", None),
        (b"abc 10:10:", None, None),
        (None, b"abc", None),
    ],
)
async def test_what_an_answer_has_seen_is_known_in_its_generation(
    redis_url: str,
    client: redis.Redis,
    stamp: bytes | None,
    generation: bytes | None,
    seen: bytes | None,
) -> None:
    for name, value in ((CPU.answer, b"{}"), (CPU.stamp, stamp), (CPU.generation, generation)):
        if value is not None:
            client.set(name, value)
    connection = Connection(redis_url)
    assert await Store(connection, ttl_ms=1000).read(CPU) == (b"{}", seen)
    connection.close()


async def test_the_answer_about_every_kind_has_a_star_as_its_key(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    await cache.answer(EVERYTHING, source.compute)
    assert client.get("supervisor:agg:*:7d") == source.value


async def test_filters_follow_the_window_in_the_key(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    await cache.answer(CPU_OF_A_SOURCE, source.compute)
    assert client.get(f"supervisor:agg:cpu:7d:{'0' * 32}") == source.value


async def test_a_kept_answer_costs_one_command_or_none_where_it_was_copied(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    await cache.answer(CPU, source.compute)
    await cache.answer(CPU, source.compute)
    client.config_resetstat()
    assert await cache.answer(CPU, source.compute) == source.value
    commands = client.info("commandstats")
    copied = cache.redis is not None and cache.redis.copies is not None
    assert {name: each["calls"] for name, each in commands.items() if "config" not in name} == (
        {} if copied else {"cmdstat_mget": 1}
    )


async def test_a_copied_answer_is_found_at_once_until_something_has_changed(
    cache: Cache, source: Source
) -> None:
    await cache.answer(CPU, source.compute)
    await cache.answer(CPU, source.compute)
    copied = cache.redis is not None and cache.redis.copies is not None
    assert cache.find(CPU) == (source.value if copied else None)
    cache.changes.learn(SECOND, 1, {"": {"cpu": [10]}})
    assert cache.find(CPU) is None


async def test_a_kept_answer_is_not_computed_again(cache: Cache, source: Source) -> None:
    for _ in range(3):
        await cache.answer(CPU, source.compute)
    assert source.computed == 1


@pytest.mark.parametrize("key", [CPU, CPU_OF_A_SOURCE, EVERYTHING])
async def test_an_invalidation_removes_every_answer_about_the_kind(
    cache: Cache, source: Source, key: Key
) -> None:
    await cache.answer(key, source.compute)
    source.value, source.visibility = b'{"sum":2}', SECOND
    await cache.invalidate(["cpu"], 10, namespace="")
    assert await cache.answer(key, source.compute) == b'{"sum":2}'


async def test_an_invalidation_leaves_other_kinds_alone(cache: Cache, source: Source) -> None:
    await cache.answer(CPU, source.compute)
    await cache.invalidate(["memory"], 10, namespace="")
    await cache.answer(CPU, source.compute)
    assert source.computed == 1


@pytest.mark.parametrize("key", [CPU, CPU_OF_A_SOURCE, EVERYTHING])
async def test_a_slow_reader_does_not_keep_what_an_ingest_has_overtaken(
    cache: Cache, other_worker: Cache, source: Source, key: Key
) -> None:
    source.go.clear()
    slow = asyncio.create_task(cache.answer(key, source.compute))
    await source.begun.wait()
    source.value, source.visibility = b'{"sum":2}', SECOND
    await other_worker.invalidate(["cpu"], 10, namespace="")
    source.go.set()
    assert await slow == b'{"sum":1}'
    assert await cache.answer(key, source.compute) == b'{"sum":2}'


async def test_a_slow_reader_does_not_fill_a_redis_that_lost_its_memory(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    source.go.clear()
    slow = asyncio.create_task(cache.answer(CPU, source.compute))
    await source.begun.wait()
    await cache.invalidate(["cpu"], 10, namespace="")
    client.flushall()
    source.go.set()
    await slow
    assert client.get("supervisor:agg:cpu:7d") is None


async def test_a_later_query_does_not_get_an_answer_computed_before_it(
    cache: Cache, source: Source
) -> None:
    source.go.clear()
    early = asyncio.create_task(cache.answer(CPU, source.compute))
    await source.begun.wait()
    source.value, source.visibility = b'{"sum":2}', SECOND
    await cache.invalidate(["cpu"], 10, namespace="")
    late = asyncio.create_task(cache.answer(CPU, source.compute))
    await asyncio.sleep(0)
    source.go.set()
    assert [await early, await late] == [b'{"sum":1}', b'{"sum":2}']


async def test_questions_that_come_together_are_computed_once(cache: Cache, source: Source) -> None:
    answers = await asyncio.gather(*(cache.answer(CPU, source.compute) for _ in range(100)))
    assert set(answers) == {source.value}
    assert source.computed == 1


async def test_workers_that_ask_together_compute_once(
    cache: Cache, other_worker: Cache, source: Source
) -> None:
    source.go.clear()
    asked = [
        asyncio.create_task(worker.answer(CPU, source.compute))
        for worker in (cache, other_worker) * 20
    ]
    await source.begun.wait()
    source.go.set()
    assert set(await asyncio.gather(*asked)) == {source.value}
    assert source.computed == 1


async def test_a_failed_computation_is_reported_and_the_next_one_does_not_wait(
    cache: Cache, other_worker: Cache, source: Source, client: redis.Redis
) -> None:
    async def fail() -> Computed:
        raise LookupError("no such kind")

    with pytest.raises(LookupError):
        await cache.answer(CPU, fail)
    assert client.get(CPU.lease) is None
    assert await other_worker.answer(CPU, source.compute) == source.value


async def test_a_worker_that_died_computing_holds_up_others_no_longer_than_its_lease(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    client.set(CPU.lease, "dead", px=300)
    async with asyncio.timeout(LEASE_MS / 1000):
        assert await cache.answer(CPU, source.compute) == source.value


async def test_who_waits_for_another_worker_looks_again_every_10_ms(
    cache: Cache, source: Source, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    client.set(CPU.lease, "another one", px=50)
    monkeypatch.setattr("asyncio.sleep", pause)
    assert await cache.answer(CPU, source.compute) == source.value
    assert set(pauses) == {0.01}


async def test_a_computation_that_outlasts_its_lease_leaves_that_of_the_next_one_alone(
    cache: Cache, source: Source, client: redis.Redis
) -> None:
    source.go.clear()
    slow = asyncio.create_task(cache.answer(CPU, source.compute))
    await source.begun.wait()
    client.set(CPU.lease, "the next one")
    source.go.set()
    await slow
    assert client.get(CPU.lease) == b"the next one"


async def test_an_answer_is_kept_although_the_client_that_asked_for_it_has_left(
    cache: Cache, source: Source
) -> None:
    source.go.clear()
    leaving = asyncio.create_task(cache.answer(CPU, source.compute))
    await source.begun.wait()
    leaving.cancel()
    await asyncio.wait({leaving})
    source.go.set()
    assert await cache.answer(CPU, source.compute) == source.value
    assert source.computed == 1


async def test_an_error_of_which_everybody_has_left_is_not_logged_as_lost(
    cache: Cache, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> Computed:
        await source.compute()
        raise LookupError("no such kind")

    source.go.clear()
    leaving = asyncio.create_task(cache.answer(CPU, fail))
    await source.begun.wait()
    leaving.cancel()
    await asyncio.wait({leaving})
    del leaving
    source.go.set()
    assert await cache.answer(CPU, source.compute) == source.value
    gc.collect()
    assert caplog.records == []


async def test_tls_to_redis_is_tls_for_what_is_written_too(
    redis_url: str, source: Source, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    address = urlsplit(redis_url)
    async with proxy.start(str(address.hostname), address.port or 0, context) as tls:
        cache = begun(f"rediss://127.0.0.1:{tls.port}/0?{PATIENCE}&ssl_ca_certs={tmp_path}/ca.pem")
        await cache.open()
        assert await cache.fault() is None
        for _ in range(2):
            assert await cache.answer(CPU, source.compute) == source.value
        assert source.computed == 1
        cache.close()


async def test_without_redis_every_question_is_computed(source: Source) -> None:
    cache = begun(None)
    await cache.answer(CPU, source.compute)
    await cache.answer(CPU, source.compute)
    await cache.invalidate(["cpu"], 10, namespace="")
    assert source.computed == 2
    assert await cache.fault() is None


async def test_a_process_knows_its_own_changes_without_redis_once_it_reads_those_of_others() -> (
    None
):
    cache = begun(None)
    await cache.invalidate(["cpu"], 10, namespace="")
    assert not cache.changes.has_seen_all("cpu", FIRST.encode(), namespace="")
    unread = Cache(None, ttl_seconds=60)
    await unread.invalidate(["cpu"], 10, namespace="")
    assert unread.changes._by_kind == {}


async def test_a_process_knows_its_own_changes_of_before_its_first_reading(redis_url: str) -> None:
    cache = Cache(Connection(redis_url), ttl_seconds=60)
    await cache.invalidate(["cpu"], 10, namespace="")
    cache.changes.learn(FIRST, 0, {})
    assert not cache.changes.has_seen_all("cpu", FIRST.encode(), namespace="")
    assert cache.changes.has_seen_all("cpu", SECOND.encode(), namespace="")
    cache.close()


async def test_a_redis_that_is_down_is_a_miss(source: Source) -> None:
    cache = begun(f"redis://127.0.0.1:{free_port()}/0")
    assert await cache.answer(CPU, source.compute) == source.value
    assert await cache.fault() == "Redis cannot be reached"
    cache.close()


async def test_the_process_whose_invalidation_failed_does_not_read_past_it(
    redis_url: str, source: Source, client: redis.Redis
) -> None:
    address = urlsplit(redis_url)
    async with proxy.start(str(address.hostname), address.port or 0) as breakable:
        cache = begun(f"redis://127.0.0.1:{breakable.port}/0?{PATIENCE}")
        await cache.answer(CPU, source.compute)
        breakable.refusing = True
        breakable.drop()
        source.value, source.visibility = b'{"sum":2}', SECOND
        await cache.invalidate(["cpu"], 10, namespace="")
        assert await cache.answer(CPU, source.compute) == b'{"sum":2}'
        assert client.get("supervisor:agg:cpu:7d") == b'{"sum":1}'
        breakable.refusing = False

        async def healed() -> bool:
            return await cache.fault() is None

        await eventually_async(healed)
        assert await cache.answer(CPU, source.compute) == b'{"sum":2}'
        cache.close()


@pytest.mark.parametrize("key", [CPU, CPU_OF_A_SOURCE, EVERYTHING])
async def test_a_change_that_redis_did_not_pass_on_ends_an_answer_once_it_is_read(
    cache: Cache, source: Source, key: Key
) -> None:
    await cache.answer(key, source.compute)
    source.value, source.visibility = b'{"sum":2}', SECOND
    cache.changes.learn(SECOND, 1, {"": {"cpu": [10]}})
    assert await cache.answer(key, source.compute) == b'{"sum":2}'
    assert await cache.answer(key, source.compute) == b'{"sum":2}'
    assert source.computed == 2


async def test_a_change_that_an_answer_has_seen_does_not_end_it(
    cache: Cache, source: Source
) -> None:
    source.visibility = SECOND
    await cache.answer(CPU, source.compute)
    cache.changes.learn("12:12:", 1, {"": {"cpu": [10], "memory": [11]}})
    await cache.answer(CPU, source.compute)
    assert source.computed == 1


async def test_a_redis_that_brings_an_old_state_back_ends_no_freshness(
    cache: Cache, other_worker: Cache, source: Source, client: redis.Redis
) -> None:
    """A failover to a replica that missed the invalidation."""
    await cache.answer(CPU, source.compute)
    replica = {name: client.dump(name) or b"" for name in client.keys("supervisor:*")}
    source.value, source.visibility = b'{"sum":2}', SECOND
    await other_worker.invalidate(["cpu"], 10, namespace="")
    client.flushdb()
    for name, dumped in replica.items():
        client.restore(name, 0, dumped)
    assert await other_worker.answer(CPU, source.compute) == b'{"sum":2}'
    client.flushdb()
    for name, dumped in replica.items():
        client.restore(name, 0, dumped)
    cache.changes.learn(SECOND, 1, {"": {"cpu": [10]}})
    assert await cache.answer(CPU, source.compute) == b'{"sum":2}'


@pytest.mark.parametrize("visibility", [FIRST, None])
async def test_what_may_lack_a_known_change_is_answered_and_not_kept(
    cache: Cache, source: Source, client: redis.Redis, visibility: str | None
) -> None:
    cache.changes.learn(SECOND, 1, {"": {"cpu": [10]}})

    async def compute() -> Computed:
        return Computed(source.value, visibility)

    assert await cache.answer(CPU, compute) == source.value
    assert client.get("supervisor:agg:cpu:7d") is None
    assert client.get(CPU.lease) is None


async def test_a_process_trusts_no_answer_before_it_has_read_changes(
    cache_url: str, cache: Cache, source: Source, client: redis.Redis
) -> None:
    await cache.answer(CPU, source.compute)
    fresh = Cache(Connection(cache_url), ttl_seconds=60)
    source.value, source.visibility = b'{"sum":2}', SECOND
    assert await fresh.answer(CPU, source.compute) == b'{"sum":2}'
    assert client.get("supervisor:agg:cpu:7d") == b'{"sum":1}'
    fresh.changes.learn(SECOND, 1, {})
    assert await fresh.answer(CPU, source.compute) == b'{"sum":2}'
    fresh.close()
    assert source.computed == 3


async def test_names_of_expired_answers_are_forgotten(
    cache_url: str, source: Source, client: redis.Redis
) -> None:
    cache = begun(cache_url, 1)
    await cache.answer(CPU_OF_A_SOURCE, source.compute)
    eventually(lambda: client.get(f"supervisor:agg:cpu:7d:{'0' * 32}") is None)
    await cache.answer(CPU, source.compute)
    assert client.zrange("supervisor:members:cpu", 0, -1) == [b"supervisor:agg:cpu:7d"]
    cache.close()


@pytest.mark.parametrize("lost", ["stamp", "generation", "members"])
async def test_what_redis_evicts_never_brings_an_old_answer_back(
    cache: Cache, source: Source, client: redis.Redis, lost: str
) -> None:
    await cache.answer(CPU, source.compute)
    for name in client.scan_iter(f"supervisor:{lost}:cpu*"):
        client.delete(name)
    source.value, source.visibility = b'{"sum":2}', SECOND
    await cache.invalidate(["cpu"], 10, namespace="")
    assert await cache.answer(CPU, source.compute) == b'{"sum":2}'
