"""FastMCP's view of who calls."""

from __future__ import annotations

from typing import Any, cast

import pytest

from supervisor_mcp.identity import Identity
from supervisor_mcp.mcp.authentication import Provider, _access, _with_bearer

ISSUER = "https://issuer.example"
HOST = (b"host", b"mcp.example:8080")


def provider(issuer: str | None = ISSUER, public_url: str | None = None) -> Provider:
    return Provider(cast("Any", None), issuer, public_url)


def scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "path": path,
        "headers": [HOST],
        "scheme": "http",
        "server": ("mcp.example", 8080),
        "query_string": b"",
    }


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ([HOST], [HOST]),
        ([(b"x-api-key", b"sk_1"), HOST], [HOST, (b"authorization", b"Bearer sk_1")]),
        ([(b"authorization", b"Bearer t"), HOST], [HOST, (b"authorization", b"Bearer t")]),
        ([(b"authorization", b"Basic t"), HOST], [HOST]),
        ([(b"authorization", b"Bearer t"), (b"x-api-key", b"u"), HOST], [HOST]),
    ],
)
def test_credentials_reach_the_library_in_one_header(
    sent: list[tuple[bytes, bytes]], passed_on: list[tuple[bytes, bytes]]
) -> None:
    assert _with_bearer(sent) == passed_on


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/mcp", "http://mcp.example:8080/.well-known/oauth-protected-resource/mcp"),
        ("/mcp/", "http://mcp.example:8080/.well-known/oauth-protected-resource/mcp"),
        ("/mcpx", None),
        ("/query/agg", None),
    ],
)
def test_the_metadata_is_named_for_requests_to_the_mcp_server(path: str, url: str | None) -> None:
    assert provider().metadata_url(scope(path), "/mcp") == url


def test_the_metadata_is_where_the_operator_says() -> None:
    url = provider(public_url="https://a.example/b").metadata_url(scope("/mcp"), "/mcp")
    assert url == "https://a.example/b/.well-known/oauth-protected-resource/mcp"


def test_without_an_issuer_there_is_no_metadata() -> None:
    assert provider(issuer=None).metadata_url(scope("/mcp"), "/mcp") is None
    assert provider(issuer=None).get_routes("/mcp") == []
    assert [route.path for route in provider().get_routes("/mcp")] == [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ]


def test_the_library_knows_the_scopes_that_the_sender_has() -> None:
    access = _access("t", Identity("ann", frozenset({"read", "ingest"})))
    assert (access.token, access.client_id, access.subject) == ("t", "ann", "ann")
    assert set(access.scopes) == {"read", "ingest"}
