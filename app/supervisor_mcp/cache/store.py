"""Answers in Redis, each read or written in one step that an ingest cannot come between.

A kind has a generation: a random token that every ingest of the kind replaces. It is not a
counter, so that a Redis that lost its memory never repeats one. An answer is kept only under the
token that its reader saw before computing, and is good only while that is the kind's token.
If Redis evicts or loses a part, the rest is a miss. The answers themselves are removed
too, for those who read them without asking for the token.

The stamp of an answer is that token and what the answer has seen in the database. A reader that
knows of a later change takes the answer for none, whatever became of the token.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from supervisor_mcp.cache.connection import Connection, Script
from supervisor_mcp.cache.copies import Copies

# Longer than any computation: a generation that is gone at the fill only costs the fill.
GENERATION_MS = 600_000
# A computation that takes longer than this may be started a second time.
LEASE_MS = 5_000

# keys: answer, stamp, generation. Returns the answer's milliseconds left and the three values.
READ = Script("return {redis.call('pttl', KEYS[1]), unpack(redis.call('mget', unpack(KEYS)))}")

# keys: answer, stamp, generation, lease; arguments: token, generation ms, lease ms, stamp of an
# answer that is stale. Returns {answer or false, its stamp, generation, holder of the lease}.
LOOK = Script("""
local answer, stamp, generation = unpack(redis.call('mget', KEYS[1], KEYS[2], KEYS[3]))
if stamp and stamp == ARGV[4] then
    redis.call('unlink', KEYS[1], KEYS[2])
elseif answer and stamp and generation and string.sub(stamp, 1, #generation) == generation then
    return {answer, stamp, false, false}
end
redis.call('set', KEYS[3], ARGV[1], 'nx', 'px', ARGV[2])
redis.call('set', KEYS[4], ARGV[1], 'nx', 'px', ARGV[3])
return {false, false, redis.call('get', KEYS[3]), redis.call('get', KEYS[4])}
""")

# keys: answer, stamp, generation, lease, members; arguments: token, generation, ttl ms, answer,
# what it has seen. Without an answer it only gives the lease back.
FILL = Script("""
if redis.call('get', KEYS[4]) == ARGV[1] then redis.call('unlink', KEYS[4]) end
if not ARGV[4] or redis.call('get', KEYS[3]) ~= ARGV[2] then return 0 end
redis.call('set', KEYS[1], ARGV[4], 'px', ARGV[3])
redis.call('set', KEYS[2], ARGV[2] .. ' ' .. ARGV[5], 'px', ARGV[3])
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[5], '-inf', now)
redis.call('zadd', KEYS[5], now + ARGV[3], KEYS[1])
if redis.call('pttl', KEYS[5]) < ARGV[3] + 60000 then
    redis.call('pexpire', KEYS[5], ARGV[3] + 60000)
end
return 1
""")

# keys: generation and members of every kind, in pairs; arguments: token, generation ms.
BUMP = Script("""
for i = 1, #KEYS, 2 do
    redis.call('set', KEYS[i], ARGV[1], 'px', ARGV[2])
    for _, answer in ipairs(redis.call('zrange', KEYS[i + 1], 0, -1)) do
        redis.call('unlink', answer)
    end
    redis.call('unlink', KEYS[i + 1])
end
return #KEYS / 2
""")


class Key:
    """The request that an answer belongs to: `kind` is `*` for every kind of its namespace.

    `filters` is empty, or a digest of what else was asked. The attributes are names in Redis:
    `answer` holds the finished JSON, for any reader; `stamp` the generation that it belongs to, a
    blank, and what it has seen.
    """

    __slots__ = ("answer", "generation", "kind", "lease", "members", "namespace", "stamp")

    def __init__(self, kind: str, window: str, filters: str = "", *, namespace: str) -> None:
        name = f"{kind}:{window}:{filters}" if filters else f"{kind}:{window}"
        at = _at(namespace)
        self.kind = kind
        self.namespace = namespace
        self.answer = f"supervisor:agg{at}:{name}"
        self.stamp = f"supervisor:stamp{at}:{name}"
        self.lease = f"supervisor:lease{at}:{name}"
        self.generation, self.members = _of_kind(kind, namespace)

    @property
    def names(self) -> tuple[str, str, str]:
        """What `Store.read` reads."""
        return self.answer, self.stamp, self.generation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.answer == self.answer

    def __hash__(self) -> int:
        return hash(self.answer)


class Computed(NamedTuple):
    """An answer and the transactions that it has seen, as `pg_snapshot` writes them.

    Without them, the answer is not kept.
    """

    answer: bytes
    visibility: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a key holds; without an answer, the generation and who computes one."""

    answer: bytes | None
    stamp: bytes | None
    generation: bytes | None
    holder: bytes | None


class Store:
    """Every method raises `ConnectionFailure`."""

    def __init__(self, connection: Connection, *, ttl_ms: int) -> None:
        self._connection = connection
        self._ttl_ms = ttl_ms

    def find(self, key: Key) -> tuple[bytes | None, bytes | None]:
        """What `read` would return, from this process alone; None, None where it has no copy."""
        copies = self._connection.copies
        copy = None if copies is None else copies.find(key.answer)
        return (None, None) if copy is None else (copy.answer, copy.seen)

    async def read(self, key: Key) -> tuple[bytes | None, bytes | None]:
        """An answer and what it has seen, None where they are of another generation."""
        copies = self._connection.copies
        if copies is None:
            return _parse(await self._connection.get(*key.names))
        return await self._read_and_copy(key, copies)

    async def _read_and_copy(self, key: Key, copies: Copies) -> tuple[bytes | None, bytes | None]:
        """Read an answer, and keep a copy before what Redis says next can end it."""

        def keep(found: object) -> None:
            if isinstance(found, list):
                left_ms, *values = found
                answer, seen = _parse(values)
                if answer is not None and seen is not None:
                    copies.keep(key.names, answer, seen, left_ms / 1000)

        found = await self._connection.run_script(READ, [*key.names], [], then=keep)
        _, *values = cast("list[Any]", found)
        return _parse(values)

    async def look(self, key: Key, token: str, stale: bytes) -> Look:
        """Read an answer; where there is none, make `token` the holder if nobody computes it.

        An answer with the stamp `stale` is removed.
        """
        found = await self._connection.run_script(
            LOOK,
            [key.answer, key.stamp, key.generation, key.lease],
            [token, GENERATION_MS, LEASE_MS, stale],
        )
        return Look(*cast("list[bytes | None]", found))

    async def fill(
        self, key: Key, token: str, generation: bytes | None, computed: Computed | None
    ) -> None:
        """Keep an answer if its kind is still of this generation; holder or not, let others in.

        `computed` None keeps nothing.
        """
        keys = [key.answer, key.stamp, key.generation, key.lease, key.members]
        given: list[str | bytes] = []
        if computed is not None and computed.visibility is not None:
            given = [computed.answer, computed.visibility]
        await self._connection.run_script(
            FILL, keys, [token, generation or b"", self._ttl_ms, *given]
        )

    async def bump(self, kinds: Iterable[str], token: str, *, namespace: str) -> None:
        """Begin a new generation of these kinds and remove all answers of the last one.

        When it returns, Redis has informed all processes that keep copies.
        """
        keys = [name for kind in kinds for name in _of_kind(kind, namespace)]
        await self._connection.run_script(BUMP, keys, [token, GENERATION_MS])
        # It informs them and answers in any order, but all of it before it takes the next command.
        await self._connection.get(keys[0])


def _parse(values: list[bytes | None]) -> tuple[bytes | None, bytes | None]:
    """An answer and what it has seen, of the values of its names."""
    answer, stamp, generation = values
    if stamp is None or generation is None or not stamp.startswith(generation):
        return answer, None
    return answer, stamp[len(generation) + 1 :]


def _of_kind(kind: str, namespace: str) -> tuple[str, str]:
    """The keys of a kind: its generation, and the names of the answers about it."""
    at = _at(namespace)
    return f"supervisor:generation{at}:{kind}", f"supervisor:members{at}:{kind}"


def _at(namespace: str) -> str:
    """What tells the keys of a namespace apart.

    It is before the first colon, where nothing is that a client sends: a kind may be called as a
    client likes.
    """
    return f"@{namespace}" if namespace else ""
