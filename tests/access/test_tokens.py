"""Tokens of an issuer whose key set is fetched, kept and rotated."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor_mcp import config
from supervisor_mcp.authentication.key_set import LARGEST_BYTES, KeySet
from supervisor_mcp.authentication.tokens import Tokens
from supervisor_mcp.config import ASYMMETRIC
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from tests.support.issuer import AUDIENCE, Issuer, issuing, new_key
from tests.support.waiting import eventually_async

SECRET = "s" * 40
LEEWAY = 30


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


def tokens(
    issuer: Issuer,
    *algorithms: str,
    secret: str | None = None,
    kept: float = 300,
    fresh: float = 150,
    pause: float = 0,
) -> Tokens:
    keys = KeySet(issuer.jwks_url, kept_seconds=kept, fresh_seconds=fresh, pause_seconds=pause)
    named = algorithms or ASYMMETRIC
    return Tokens(named, issuer.url, ["https://other.example", AUDIENCE], LEEWAY, keys, secret)


async def identified(verifier: Tokens, token: str) -> Identity:
    identity, _ = await verifier.verify(token)
    return identity


async def refused(verifier: Tokens, token: str) -> str:
    with pytest.raises(Problem) as caught:
        await verifier.verify(token)
    assert caught.value.status == 401
    assert token not in caught.value.detail
    return caught.value.detail


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
async def test_a_token_names_who_it_is_of(issuer: Issuer, algorithm: str) -> None:
    issuer.add("key", algorithm)
    token = issuer.token("key", scope="read openid ingest", supervisor_namespace="shop")

    identity = await identified(tokens(issuer), token)

    assert identity == Identity("ann", frozenset({"read", "ingest"}), None, "shop")


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "admin"}, {"admin"}),
        ({"scope": None, "scp": ["read", "other"]}, {"read"}),
        ({"scope": None, "scp": "ingest"}, {"ingest"}),
        ({"scope": None}, set()),
        ({"scope": 7}, set()),
        ({"scope": ["read", 7]}, set()),
    ],
)
async def test_scopes_are_the_known_ones_of_a_text_or_a_list(
    issuer: Issuer, claims: dict[str, Any], scopes: set[str]
) -> None:
    identity = await identified(tokens(issuer), issuer.token(**claims))

    assert identity.scopes == scopes


async def test_a_token_is_bound_to_its_sources(issuer: Issuer) -> None:
    identity = await identified(tokens(issuer), issuer.token(supervisor_sources=["web", "db"]))

    assert identity.sources == ("web", "db")


@pytest.mark.parametrize("sources", [[], "web", [""], ["web\ncrm"], [7], {"web": 1}])
async def test_a_claim_that_binds_to_nothing_does_not_free_the_token(
    issuer: Issuer, sources: object
) -> None:
    assert "sources" in await refused(tokens(issuer), issuer.token(supervisor_sources=sources))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "not valid"),
        ({"exp": float("inf")}, "not valid"),
        ({"nbf": time.time() + 3600}, "not valid yet"),
        ({"iat": time.time() + 3600}, "not valid yet"),
        ({"aud": "https://else.example"}, "another audience"),
        ({"aud": None}, "aud"),
        ({"iss": "https://else.example"}, "another issuer"),
        ({"iss": None}, "iss"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "a\nb"}, "sub"),
        ({"sub": "x" * 300}, "sub"),
        ({"sub": "bootstrap"}, "reserved"),
        ({"exp": 10**400}, "not valid"),
        ({"supervisor_namespace": 7}, "namespace"),
        ({"supervisor_namespace": "acme:x"}, "namespace"),
        ({"supervisor_namespace": "acme\n"}, "namespace"),
        ({"supervisor_namespace": "x" * 64}, "namespace"),
        ({"scope": "admin", "supervisor_sources": ["shop"]}, "bound to sources"),
    ],
)
async def test_a_token_with_a_bad_claim_is_refused(
    issuer: Issuer, claims: dict[str, Any], reason: str
) -> None:
    assert reason in await refused(tokens(issuer), issuer.token(**claims))


@pytest.mark.parametrize(
    "claims", [{"sub": "x" * 200}, {"sub": "x"}, {"supervisor_namespace": "x" * 63}]
)
async def test_names_have_a_longest_length(issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await identified(tokens(issuer), issuer.token(**claims))
    longer: dict[str, Any] = {name: f"{value}x" for name, value in claims.items() if len(value) > 1}
    if longer:
        await refused(tokens(issuer), issuer.token(**longer))


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (16384, "the credentials are neither a key nor a token"),
        (16385, "the token has more than 16384 bytes"),
    ],
)
async def test_what_is_longer_than_any_token_is_not_read(
    issuer: Issuer, size: int, reason: str
) -> None:
    assert await refused(tokens(issuer), "-" * size) == reason


async def test_every_fetch_of_the_keys_begins_a_generation(issuer: Issuer) -> None:
    verifier = tokens(issuer, pause=60)
    assert verifier.generation == 0
    await identified(verifier, issuer.token())
    await identified(verifier, issuer.token())
    assert verifier.generation == issuer.requests == 1


@pytest.mark.parametrize(("size", "good"), [(262_144, True), (262_145, False)])
async def test_a_key_set_has_a_largest_size(issuer: Issuer, size: int, good: bool) -> None:
    document = json.dumps({"keys": list(issuer.published.values())}).encode()
    issuer.answer = (200, document.ljust(size))
    if good:
        assert await identified(tokens(issuer), issuer.token())
    else:
        with pytest.raises(Problem, match="issuer_available"):
            await tokens(issuer).verify(issuer.token())


@pytest.mark.parametrize(("others", "good"), [(99, True), (100, False)])
async def test_a_key_set_has_a_hundred_keys_at_most(
    issuer: Issuer, others: int, good: bool
) -> None:
    keys = [{"kty": "OKP"}] * others + list(issuer.published.values())
    issuer.answer = (200, json.dumps({"keys": keys}).encode())
    if good:
        assert await identified(tokens(issuer), issuer.token())
    else:
        await refused(tokens(issuer), issuer.token())


def test_settings_name_the_issuer_and_how_long_its_keys_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Tokens.of(config.load()) is None
    monkeypatch.setenv("SUPERVISOR_JWT_JWKS_URL", "https://login.example/jwks")
    monkeypatch.setenv("SUPERVISOR_JWT_ISSUER", "https://login.example/")
    monkeypatch.setenv("SUPERVISOR_JWT_AUDIENCE", "a, b")
    made = Tokens.of(config.load())
    assert made is not None
    assert (made._issuer, made._audience, made._leeway) == (
        "https://login.example/",
        ("a", "b"),
        30,
    )
    keys = made._keys
    assert keys is not None
    assert (keys._kept, keys._fresh, keys._pause) == (300.0, 150.0, 10.0)


def test_settings_may_name_a_secret_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ISSUER", "x"), ("AUDIENCE", "a"), ("SECRET", SECRET)):
        monkeypatch.setenv(f"SUPERVISOR_JWT_{name}", value)
    monkeypatch.setenv("SUPERVISOR_JWT_ALGORITHMS", "HS256")
    made = Tokens.of(config.load())
    assert made is not None
    assert (made._keys, made._secret, made.generation) == (None, SECRET, 0)


async def test_a_clock_may_differ_by_the_leeway(issuer: Issuer) -> None:
    verifier = tokens(issuer)
    now = int(time.time())

    _, until = await verifier.verify(issuer.token(exp=now - LEEWAY + 10))
    assert until == now + 10
    await refused(verifier, issuer.token(exp=now - LEEWAY - 1))
    assert await identified(verifier, issuer.token(nbf=now + LEEWAY - 10))


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _segment(part: object) -> str:
    return _base64(json.dumps(part).encode())


def _signed_with(secret: bytes, claims: object, key_id: str) -> str:
    """A token of HS256; the library does not sign with what looks like a public key."""
    signed = f"{_segment({'alg': 'HS256', 'kid': key_id})}.{_segment(claims)}"
    return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "RS512", "", 7, None])
async def test_the_header_does_not_choose_another_algorithm(
    issuer: Issuer, algorithm: object
) -> None:
    token = issuer.token()
    _, claims, signature = token.split(".")
    forged = f"{_segment({'alg': algorithm, 'kid': 'first'})}.{claims}."

    assert "not signed with" in await refused(tokens(issuer), forged)
    assert "not signed with" in await refused(tokens(issuer), forged + signature)


async def test_a_public_key_is_no_secret(issuer: Issuer) -> None:
    issuer.add("rsa", "RS256")
    public = json.dumps(issuer.published["rsa"]).encode()
    modulus = issuer.published["rsa"]["n"].encode()

    for secret in (public, modulus):
        forged = _signed_with(secret, issuer.claims(), "rsa")
        await refused(tokens(issuer), forged)
        await refused(tokens(issuer, "HS256", "RS256", secret=SECRET), forged)


async def test_a_secret_in_the_key_set_verifies_nothing(issuer: Issuer) -> None:
    issuer.published["oct"] = {"kty": "oct", "kid": "oct", "k": _segment(SECRET), "alg": "HS256"}
    forged = jwt.encode(issuer.claims(), SECRET, "HS256", headers={"kid": "oct"})

    await refused(tokens(issuer), forged)


async def test_a_key_verifies_no_other_algorithm_than_its_own(issuer: Issuer) -> None:
    issuer.add("key", "EdDSA")
    token = jwt.encode(issuer.claims(), new_key("RS256", "other"), "RS256", headers={"kid": "key"})

    await refused(tokens(issuer), token)


@pytest.mark.parametrize("members", [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "ES512"}])
async def test_a_key_for_something_else_verifies_nothing(
    issuer: Issuer, members: dict[str, Any]
) -> None:
    issuer.publish("first", **members)

    await refused(tokens(issuer), issuer.token())


async def test_a_secret_verifies_where_it_is_asked_for(issuer: Issuer) -> None:
    token = jwt.encode(issuer.claims(), SECRET, "HS256")
    other = jwt.encode(issuer.claims(), "t" * 40, "HS256")

    assert await identified(tokens(issuer, "HS256", secret=SECRET), token)
    await refused(tokens(issuer, "HS256", secret=SECRET), other)
    await refused(tokens(issuer), token)


async def test_critical_headers_that_are_not_known_are_refused(issuer: Issuer) -> None:
    token = issuer.token(headers={"crit": ["exp"]})

    await refused(tokens(issuer), token)


async def test_a_new_key_is_found_and_a_withdrawn_one_refused(issuer: Issuer) -> None:
    verifier = tokens(issuer)
    assert await identified(verifier, issuer.token())

    issuer.add("second")
    issuer.withdraw("first")

    assert await identified(verifier, issuer.token("second"))
    await refused(verifier, issuer.token())


async def test_a_withdrawn_key_is_refused_once_the_set_is_too_old(issuer: Issuer) -> None:
    issuer.add("second")
    verifier = tokens(issuer, kept=0.3, fresh=0.3)
    token = issuer.token()
    assert await identified(verifier, token)

    issuer.withdraw("first")

    async def is_refused() -> bool:
        try:
            await verifier.verify(token)
        except Problem as problem:
            return problem.status == 401
        return False

    await eventually_async(is_refused)


async def test_unknown_keys_do_not_make_it_fetch_again_and_again(issuer: Issuer) -> None:
    issuer.add("hidden", publish=False)
    verifier = tokens(issuer, pause=60)

    for _ in range(20):
        await refused(verifier, issuer.token("hidden"))

    assert issuer.requests == 1


async def test_a_token_without_a_key_id_takes_the_only_key(issuer: Issuer) -> None:
    token = jwt.encode(issuer.claims(), new_key("ES256", "first"), "ES256")
    assert await identified(tokens(issuer), token)

    issuer.add("second")

    await refused(tokens(issuer), token)


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (302, b""),
        (200, b"not JSON"),
        (200, b"[]"),
        (200, b'{"keys": 7}'),
        (200, b'{"keys": []}' + b" " * LARGEST_BYTES),
    ],
)
async def test_without_a_key_set_nobody_is_let_in(
    issuer: Issuer, answer: tuple[int, bytes]
) -> None:
    issuer.answer = answer

    with pytest.raises(Problem) as caught:
        await tokens(issuer).verify(issuer.token())

    assert (caught.value.slug, caught.value.status) == ("issuer_available", 503)
    assert caught.value.retry_after == 1


async def test_an_issuer_that_is_away_for_a_moment_is_not_noticed(issuer: Issuer) -> None:
    verifier = tokens(issuer, fresh=0)
    assert await identified(verifier, issuer.token())

    issuer.answer = (503, b"")

    for _ in range(3):
        assert await identified(verifier, issuer.token())


async def test_a_set_with_odd_keys_still_has_its_good_ones(issuer: Issuer) -> None:
    for odd in (7, {}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}, {"kty": "OKP", "crv": "X"}):
        issuer.published[str(odd)] = odd  # type: ignore[assignment]

    assert await identified(tokens(issuer), issuer.token())


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 10_000), change=st.integers(1, 255), cut=st.booleans())
async def test_a_tampered_token_is_refused(
    issuer: Issuer, place: int, change: int, cut: bool
) -> None:
    token = issuer.token(exp=2_000_000_000_0).encode()
    at = place % len(token)
    tampered = token[:at] + (b"" if cut else bytes([token[at] ^ change])) + token[at + 1 :]
    text = tampered.decode("latin-1")
    # The last character of a part of base64 has bits that mean nothing.
    if _bytes(text) == _bytes(token.decode()):
        return

    await refused(tokens(issuer, pause=60), text)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(max_size=60)
    | st.lists(st.binary(max_size=20), max_size=4).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(p).decode() for p in parts)
    )
)
async def test_what_is_no_token_is_refused(issuer: Issuer, text: str) -> None:
    with pytest.raises(Problem) as caught:
        await tokens(issuer).verify(text)
    assert caught.value.status == 401


def _bytes(token: str) -> list[bytes]:
    try:
        return [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
    except ValueError:
        return []
