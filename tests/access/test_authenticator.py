"""What was verified is kept for a moment, and what comes together is verified once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from supervisor_mcp import identity
from supervisor_mcp.authentication.authenticator import BOOTSTRAP, KEY_SECONDS, Authenticator
from supervisor_mcp.authentication.keys import Keys
from supervisor_mcp.authentication.tokens import Tokens
from supervisor_mcp.authentication.verified import MOST, Verified
from supervisor_mcp.config import Settings
from supervisor_mcp.credentials import keys as key_format
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from supervisor_mcp.mcp.authentication import Provider
from tests.support.issuer import AUDIENCE, Issuer, issuing
from tests.support.ports import free_port
from tests.support.waiting import eventually_async

SECRET = b"a secret of the tests of this file"
ADMIN_KEY = "the key of an operator, long enough"
ANN = Identity("ann", frozenset({"read"}))


class Counting(Database):
    """A database that counts how often it is asked."""

    asked = 0

    async def read_json(self, function: str, arguments: object) -> bytes:
        self.asked += function == "authenticate_key"
        return await super().read_json(function, arguments)  # type: ignore[arg-type]


@pytest.fixture
async def database(fresh_database: str) -> AsyncIterator[Counting]:
    connected = Counting(fresh_database, pool_size=4, statement_timeout_seconds=10)
    await connected.open()
    yield connected
    await connected.close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


def create(url: str, *, expires_at: datetime | None = None) -> key_format.Key:
    made = key_format.make()
    with psycopg.connect(url, prepare_threshold=None) as conn:
        conn.execute(
            "select api.create_key(%s, %s, 'ann', '{read}', null, null, %s, null, now())",
            [made.id, made.digest(SECRET), expires_at],
        )
    return made


def revoke(url: str, key: key_format.Key) -> None:
    with psycopg.connect(url, prepare_threshold=None) as conn:
        conn.execute("select api.revoke_key(%s, null, now())", [key.id])


def of_keys(database: Database) -> Authenticator:
    return Authenticator(Keys(database, SECRET), None, ADMIN_KEY)


def of_tokens(issuer: Issuer) -> Authenticator:
    settings = Settings(
        jwt_jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, jwt_audience=(AUDIENCE,)
    )
    return Authenticator(Keys(_away(), SECRET), Tokens.of(settings), None)


def _away() -> Database:
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    return Database(url, pool_size=1, statement_timeout_seconds=1)


async def refusal(authenticator: Authenticator, sent: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        await authenticator.identify(sent)
    return caught.value


async def test_requests_at_once_with_one_key_ask_once(
    database: Counting, fresh_database: str
) -> None:
    sent = create(fresh_database).text.encode()
    authenticator = of_keys(database)

    found = await asyncio.gather(*(authenticator.identify(sent) for _ in range(50)))

    assert found == [ANN] * 50
    assert await authenticator.identify(sent) == ANN
    assert database.asked == 1


async def test_keys_that_nobody_has_do_not_hold_up_one_that_was_good(
    database: Counting, fresh_database: str
) -> None:
    known = create(fresh_database).text
    keys = Keys(database, SECRET)
    await keys.verify(known)
    flood = [asyncio.create_task(keys.verify(key_format.make().text)) for _ in range(200)]
    # All of them wait for their turn.
    await asyncio.sleep(0)

    await keys.verify(known)

    waiting = sum(not task.done() for task in flood)
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert waiting > len(flood) / 2
    assert all(isinstance(each, Problem) for each in outcomes)


async def test_a_key_is_asked_for_again_after_half_a_second(
    database: Counting, fresh_database: str
) -> None:
    key = create(fresh_database)
    authenticator = of_keys(database)
    await authenticator.identify(key.text.encode())
    revoke(fresh_database, key)
    revoked_at = time.monotonic()

    async def refused() -> bool:
        try:
            await authenticator.identify(key.text.encode())
        except Problem as problem:
            return problem.slug == "credentials_valid"
        return False

    await eventually_async(refused)
    assert time.monotonic() - revoked_at < KEY_SECONDS + 0.4


async def test_a_key_that_expires_is_kept_no_longer(
    database: Counting, fresh_database: str
) -> None:
    key = create(fresh_database, expires_at=datetime.now(UTC) + timedelta(seconds=0.7))
    authenticator = of_keys(database)
    assert await authenticator.identify(key.text.encode()) == ANN

    async def refused() -> bool:
        try:
            await authenticator.identify(key.text.encode())
        except Problem:
            return True
        return False

    await eventually_async(refused, seconds=2)


async def test_a_client_that_leaves_does_not_end_it_for_others(
    database: Counting, fresh_database: str
) -> None:
    sent = create(fresh_database).text.encode()
    authenticator = of_keys(database)
    first = asyncio.create_task(authenticator.identify(sent))
    second = asyncio.create_task(authenticator.identify(sent))
    await asyncio.sleep(0)

    first.cancel()

    assert await second == ANN


async def test_a_key_under_another_secret_is_unknown(
    database: Counting, fresh_database: str
) -> None:
    sent = create(fresh_database).text.encode()
    for secret in (b"another secret of the tests, as long", None):
        authenticator = Authenticator(Keys(database, secret), None, None)
        assert (await refusal(authenticator, sent)).slug == "credentials_valid"


@pytest.mark.parametrize(
    "sent",
    [b"", b"sk_", b"sk_a_b", b"\xff\x00", b"x" * 60_000, b"Bearer x", ADMIN_KEY[:-1].encode()],
)
async def test_what_has_no_form_of_a_key_asks_nobody(database: Counting, sent: bytes) -> None:
    assert (await refusal(of_keys(database), sent)).slug == "credentials_valid"
    assert database.asked == 0


async def test_a_failure_is_not_kept(database: Counting) -> None:
    sent = key_format.make().text.encode()
    authenticator = of_keys(database)
    for _ in range(3):
        await refusal(authenticator, sent)
    assert database.asked == 3
    assert not authenticator._verified._held
    assert not authenticator._verifying


async def test_without_the_database_a_key_is_neither_good_nor_bad() -> None:
    database = _away()
    await database.open()
    problem = await refusal(of_keys(database), key_format.make().text.encode())
    await database.close()

    assert (problem.slug, problem.status, problem.retry_after) == ("unavailable", 503, 1)


async def test_the_key_of_the_operator_works_without_the_database() -> None:
    assert await of_keys(_away()).identify(ADMIN_KEY.encode()) is BOOTSTRAP


async def test_a_token_works_without_the_database_until_its_keys_change(issuer: Issuer) -> None:
    authenticator = of_tokens(issuer)
    token = issuer.token().encode()
    assert await authenticator.identify(token) == ANN
    assert await authenticator.identify(token) is await authenticator.identify(token)

    issuer.add("second")
    issuer.withdraw("first")
    keys = authenticator._tokens._keys  # type: ignore[union-attr]
    await keys._replace()  # type: ignore[union-attr]

    assert (await refusal(authenticator, token)).slug == "credentials_valid"


def test_what_was_verified_takes_bounded_memory() -> None:
    verified = Verified()
    until = time.monotonic() + 60
    for number in range(MOST + 10):
        verified.keep(number.to_bytes(4, "big"), ANN, until, 0)

    assert len(verified._held) == MOST
    assert verified.find((0).to_bytes(4, "big"), 0) is None
    assert verified.find((MOST + 9).to_bytes(4, "big"), 0) is ANN


def test_what_is_over_is_forgotten() -> None:
    verified = Verified()
    verified.keep(b"past", ANN, time.monotonic(), 0)
    verified.keep(b"kept", ANN, time.monotonic() + 60, 0)

    assert verified.find(b"past", 0) is None
    assert verified.find(b"kept", 0) is ANN
    assert verified.find(b"kept", 1) is None


@pytest.mark.parametrize("sources", [(), ("",), ("a\nb",), ("a", "")])
def test_an_identity_is_never_bound_to_what_the_database_takes_for_any(
    sources: tuple[str, ...],
) -> None:
    with pytest.raises(ValueError, match="source"):
        Identity("ann", frozenset({"ingest"}), sources)


async def test_a_task_for_several_requests_acts_for_nobody_of_them() -> None:
    identity.current.set(ANN)

    async def sender() -> Identity:
        return identity.current.get()

    task = asyncio.create_task(sender(), context=identity.of_service())

    assert await task is identity.ANYONE
    assert await sender() is ANN


async def test_the_use_of_a_key_is_recorded_at_the_end(
    database: Counting, fresh_database: str
) -> None:
    key = create(fresh_database)
    authenticator = of_keys(database)
    await authenticator.identify(key.text.encode())
    await authenticator.stop()

    with psycopg.connect(fresh_database, prepare_threshold=None) as conn:
        noted = conn.execute("select key_id from data.api_key_use").fetchall()
    assert noted == [(key.id,)]


async def test_the_library_verifies_as_the_gate_does(database: Counting) -> None:
    provider = Provider(of_keys(database), None, None)

    access = await provider.verify_token(ADMIN_KEY)

    assert access is not None
    assert (access.client_id, access.scopes) == ("bootstrap", ["read", "ingest", "admin"])
    assert identity.current.get() is BOOTSTRAP
    assert await provider.verify_token("sk_wrong") is None
