"""Credentials in headers, what is kept of them, and the challenge, without a service."""

from __future__ import annotations

import time

import pytest

from supervisor_mcp.authentication import verified
from supervisor_mcp.authentication.challenge import challenge
from supervisor_mcp.authentication.headers import read
from supervisor_mcp.authentication.verified import Verified
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity

ANN = Identity("ann", frozenset())
BOB = Identity("bob", frozenset())
LATER = float("inf")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([(b"authorization", b"Bearer sk_1")], b"sk_1"),
        ([(b"authorization", b"  bearer   sk_1 ")], b"sk_1"),
        ([(b"x-api-key", b" sk_1 ")], b"sk_1"),
        ([(b"host", b"x"), (b"x-api-key", b"sk_1"), (b"accept", b"y")], b"sk_1"),
        ([(b"x-api-key", b"sk_1"), (b"authorization", b"Bearer sk_1")], b"sk_1"),
    ],
)
def test_credentials_are_read_from_either_header(
    headers: list[tuple[bytes, bytes]], found: bytes
) -> None:
    assert read(headers) == found


@pytest.mark.parametrize(
    ("headers", "slug", "detail"),
    [
        ([], "credentials_required", "the request has no credentials"),
        ([(b"host", b"sk_1")], "credentials_required", "the request has no credentials"),
        ([(b"x-api-key", b" ")], "credentials_required", "the request has no credentials"),
        ([(b"authorization", b"Bearer")], "credentials_required", "the request has no credentials"),
        (
            [(b"authorization", b"Basic sk_1")],
            "credentials_valid",
            "the scheme of Authorization is not Bearer",
        ),
        (
            [(b"x-api-key", b"sk_1"), (b"authorization", b"Bearer sk_2")],
            "credentials_valid",
            "the request has two different credentials",
        ),
    ],
)
def test_a_request_without_one_key_or_token_is_refused(
    headers: list[tuple[bytes, bytes]], slug: str, detail: str
) -> None:
    with pytest.raises(Problem) as refused:
        read(headers)
    assert (refused.value.slug, refused.value.detail, refused.value.status) == (slug, detail, 401)


def test_an_identity_is_kept_until_its_time_or_the_next_generation() -> None:
    kept = Verified()
    kept.keep(b"ann", ANN, LATER, 3)
    kept.keep(b"bob", BOB, time.monotonic(), 3)
    assert kept.find(b"nobody", 3) is None
    assert (kept.find(b"ann", 3), kept.find(b"bob", 3)) == (ANN, None)
    assert (kept.find(b"ann", 4), kept.find(b"ann", 3)) == (None, None)


def test_of_many_identities_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "MOST", 2)
    kept = Verified()
    for digest in (b"1", b"2", b"1", b"3"):
        kept.keep(digest, ANN, LATER, 0)
    assert [digest for digest in (b"1", b"2", b"3") if kept.find(digest, 0)] == [b"1", b"3"]


@pytest.mark.parametrize(
    ("problem", "metadata", "header"),
    [
        (Problem("credentials_required", "none"), None, 'Bearer realm="supervisor-mcp"'),
        (
            Problem("credentials_required", "none"),
            "https://x/y",
            'Bearer realm="supervisor-mcp", resource_metadata="https://x/y"',
        ),
        (
            Problem("credentials_valid", 'no "é" or \\ \x7f~ here'),
            None,
            'Bearer realm="supervisor-mcp", error="invalid_token",'
            " error_description=\"no '?' or ? ?~ here\"",
        ),
        (
            Problem("scope_sufficient", "no", params={"scope": "admin"}),
            None,
            'Bearer realm="supervisor-mcp", error="insufficient_scope", error_description="no",'
            ' scope="admin"',
        ),
    ],
)
def test_a_challenge_says_what_to_bring(
    problem: Problem, metadata: str | None, header: str
) -> None:
    assert challenge(problem, metadata) == header
