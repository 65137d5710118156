"""How many requests an identity may send, on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis as client_library
from hypothesis import example, given
from hypothesis import strategies as st

from supervisor_mcp.cache import token_bucket as module
from supervisor_mcp.cache.connection import Connection
from supervisor_mcp.cache.token_bucket import SPEND_SECONDS, Taken, TokenBuckets
from tests.support.ports import free_port

# So few new tokens that a test sees none of them.
SLOW = 0.001


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Connection]:
    made = Connection(redis_url)
    yield made
    made.close()


@pytest.fixture
async def buckets(redis: Connection) -> TokenBuckets:
    return TokenBuckets(redis, rate=SLOW, burst=5)


@pytest.fixture
async def other_node(redis: Connection) -> TokenBuckets:
    return TokenBuckets(redis, rate=SLOW, burst=5)


async def taken(buckets: TokenBuckets, times: int, name: str = "ann") -> list[bool]:
    return [(await buckets.take(name)).allowed for _ in range(times)]


async def test_a_burst_is_allowed_and_what_comes_after_it_is_not(buckets: TokenBuckets) -> None:
    assert await taken(buckets, 7) == [True] * 5 + [False] * 2


async def test_nodes_share_the_tokens_of_an_identity(
    buckets: TokenBuckets, other_node: TokenBuckets
) -> None:
    assert await taken(buckets, 3) + await taken(other_node, 3) == [True] * 5 + [False]


async def test_requests_that_come_together_share_the_tokens_too(buckets: TokenBuckets) -> None:
    came = await asyncio.gather(*(buckets.take("ann") for _ in range(50)))
    assert sum(each.allowed for each in came) == 5


async def test_each_identity_has_its_own_tokens(buckets: TokenBuckets) -> None:
    await taken(buckets, 6)
    assert await taken(buckets, 1, "bob") == [True]


async def test_what_is_left_counts_down(buckets: TokenBuckets) -> None:
    assert [(await buckets.take("ann")).left for _ in range(6)] == [4, 3, 2, 1, 0, 0]


async def test_the_wait_is_until_the_next_token(buckets: TokenBuckets) -> None:
    await taken(buckets, 5)
    refused = await buckets.take("ann")
    assert 999 < refused.wait_seconds <= 1000


async def test_who_is_refused_is_allowed_again_when_the_wait_is_over(redis: Connection) -> None:
    clock = Clock()
    made = TokenBuckets(redis, rate=100, burst=1, clock=clock)
    assert await taken(made, 1) == [True]
    refused = await made.take("ann")
    clock.now += refused.wait_seconds
    # In Redis, time passes by itself.
    while not (await made.take("ann")).allowed:
        clock.now += 0.001


async def test_tokens_that_a_process_does_not_spend_in_time_are_not_spent(
    redis: Connection,
) -> None:
    clock = Clock()
    made = TokenBuckets(redis, rate=1000, burst=100, clock=clock)
    other = TokenBuckets(redis, rate=SLOW, burst=100)
    await made.take("ann")
    clock.now += SPEND_SECONDS + 0.001
    left = (await other.take("ann")).left
    await made.take("ann")
    assert (await other.take("ann")).left < left - 1


async def test_the_new_tokens_of_50_ms_are_taken_at_once_and_spent_without_asking(
    redis: Connection, client: client_library.Redis
) -> None:
    made = TokenBuckets(redis, rate=200, burst=100, clock=Clock())
    assert made.spend("ann") is None
    assert await made.take("ann") == Taken(allowed=True, left=99, wait_seconds=0.0)
    assert client.hget("supervisor:requests:ann", "tokens") == b"90.000000"
    assert await made.take("ann") == Taken(allowed=True, left=98, wait_seconds=0.0)
    assert [made.spend("ann") for _ in range(9)] == [*range(97, 89, -1), None]


async def test_who_waited_for_the_answer_to_another_one_spends_of_it_or_has_the_same(
    redis: Connection,
) -> None:
    made = TokenBuckets(redis, rate=50, burst=100, clock=Clock())
    came = await asyncio.gather(*(made.take("ann") for _ in range(2)))
    assert came == [Taken(allowed=True, left=left, wait_seconds=0.0) for left in (99, 98)]
    slow = TokenBuckets(redis, rate=SLOW, burst=1, clock=Clock())
    first, *others = await asyncio.gather(*(slow.take("bob") for _ in range(4)))
    assert first == Taken(allowed=True, left=0, wait_seconds=0.0)
    assert {each.allowed for each in others} == {False}
    assert len({each.wait_seconds for each in others}) == 1


async def test_taken_tokens_are_spent_for_a_second() -> None:
    clock = Clock()
    made = TokenBuckets(None, rate=60, burst=10, clock=clock)
    await made.take("ann")
    clock.now = 1.0
    assert made.spend("ann") == 8
    clock.now = 1.001
    assert made.spend("ann") is None


async def test_a_wait_counts_down_and_its_end_is_the_next_token() -> None:
    clock = Clock()
    made = TokenBuckets(None, rate=0.5, burst=1, clock=clock)
    answers = []
    for clock.now in (7.0, 8.0, 8.5, 9.0, 9.0):
        answers.append(await made.take("ann"))
    assert answers == [
        Taken(allowed=True, left=0, wait_seconds=0.0),
        Taken(allowed=False, left=0, wait_seconds=1.0),
        Taken(allowed=False, left=0, wait_seconds=0.5),
        Taken(allowed=True, left=0, wait_seconds=0.0),
        Taken(allowed=False, left=0, wait_seconds=2.0),
    ]


async def test_room_is_made_of_allowances_that_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ALLOWANCES", 3)
    clock = Clock()
    made = TokenBuckets(None, rate=40, burst=10, clock=clock)
    for clock.now, name in ((0.0, "ann"), (0.8, "bob"), (0.8, "cid"), (1.5, "dan")):
        await made.take(name)
    assert set(made._allowances) == {"bob", "cid", "dan"}
    assert made.spend("bob") == 8
    # A bucket is full after 0.25 s.
    assert set(made._own) == {"dan"}


async def test_room_is_made_of_no_bucket_that_is_not_full_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_ALLOWANCES", 3)
    clock = Clock()
    made = TokenBuckets(None, rate=0.5, burst=2, clock=clock)
    clock.now = 10.0
    assert await taken(made, 2) == [True, True]
    clock.now = 13.9
    for name in ("bob", "cid", "dan"):
        await made.take(name)
    assert await taken(made, 2) == [True, False]


async def test_without_redis_a_process_counts_by_itself() -> None:
    nowhere = Connection(f"redis://127.0.0.1:{free_port()}/0")
    made = TokenBuckets(nowhere, rate=SLOW, burst=3)
    assert await taken(made, 4) == [True] * 3 + [False]
    nowhere.close()


@given(
    rate=st.floats(0.1, 500),
    burst=st.integers(1, 100),
    pauses=st.lists(st.floats(0, 2), max_size=60),
)
async def test_no_more_is_allowed_than_the_burst_and_what_came_since(
    rate: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    made = TokenBuckets(None, rate=rate, burst=burst, clock=clock)
    allowed = 0
    for pause in pauses:
        clock.now += pause
        answer: Taken = await made.take("ann")
        allowed += answer.allowed
        assert allowed <= burst + clock.now * rate + 1e-6
        assert answer.allowed or answer.wait_seconds > 0


@given(
    rate=st.floats(0.1, 20),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 2), min_size=1, max_size=60),
)
# 0.2 s later, at 1.2, floating point has 0.9999999999999998 of a token.
@example(rate=5.0, burst=1, pauses=[1.0, 0.0])
async def test_who_waits_as_long_as_the_answer_says_is_allowed(
    rate: float, burst: int, pauses: list[float]
) -> None:
    clock = Clock()
    made = TokenBuckets(None, rate=rate, burst=burst, clock=clock)
    for pause in pauses:
        clock.now += pause
        answer = await made.take("ann")
        if not answer.allowed:
            clock.now += answer.wait_seconds
            assert (await made.take("ann")).allowed
