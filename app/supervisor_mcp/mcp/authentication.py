"""FastMCP's view of authentication, and the metadata by which its clients find the issuer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from fastmcp.server.auth import AccessToken, AuthProvider
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from supervisor_mcp import identity
from supervisor_mcp.authentication import headers
from supervisor_mcp.authentication.authenticator import Authenticator
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


class Provider(AuthProvider):
    """Verifies credentials as REST does, and names the issuer of tokens where there is one."""

    def __init__(
        self, authenticator: Authenticator, issuer: str | None, public_url: str | None
    ) -> None:
        super().__init__()
        self._authenticator = authenticator
        self._issuer = issuer
        self._public_url = public_url

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whose key or token it is; None where it is nobody's."""
        try:
            sender = await self._authenticator.identify(token.encode("latin-1"))
        except Problem as problem:
            if problem.status != 401:
                raise
            return None
        # The gate has done so before; without one, the scopes hold all the same.
        identity.current.set(sender)
        return _access(token, sender)

    def get_middleware(self) -> list[Any]:
        """The library's own, which knows one header only."""
        return [Middleware(_OneHeader), *super().get_middleware()]

    def get_routes(self, mcp_path: str | None = None) -> list[Route]:
        """The metadata (RFC 9728) at its path and, for clients that look there, at the root."""
        self.set_mcp_path(mcp_path)
        if self._issuer is None:
            return []
        return [Route(path, self._describe) for path in (WELL_KNOWN, f"{WELL_KNOWN}{mcp_path}")]

    def metadata_url(self, scope: Scope, mcp_path: str) -> str | None:
        """Where the metadata is, for a request to the MCP server; None without an issuer."""
        path: str = scope["path"]
        if self._issuer is None or not (path == mcp_path or path.startswith(f"{mcp_path}/")):
            return None
        return f"{self._base_url(Request(scope))}{WELL_KNOWN}{mcp_path}"

    async def _describe(self, request: Request) -> JSONResponse:
        path = request.url.path.removeprefix(WELL_KNOWN) or self._mcp_path or ""
        metadata = ProtectedResourceMetadata(
            resource=AnyHttpUrl(f"{self._base_url(request)}{path}"),
            authorization_servers=[AnyHttpUrl(self._issuer or "")],
            scopes_supported=list(get_args(identity.Scope)),
            resource_name="Supervisor MCP",
        )
        return JSONResponse(
            metadata.model_dump(mode="json", exclude_none=True),
            headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"},
        )

    def _base_url(self, request: Request) -> str:
        """Where clients reach the service: what the operator says, else as this one did."""
        return self._public_url or str(request.base_url).rstrip("/")


class _OneHeader:
    """Gives the library the credentials of X-API-Key as those of Authorization."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request."""
        if scope["type"] == "http":
            scope["headers"] = _with_bearer(scope["headers"])
        await self._app(scope, receive, send)


def _with_bearer(sent: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    others = [(n, value) for n, value in sent if n not in {b"authorization", b"x-api-key"}]
    try:
        return [*others, (b"authorization", b"Bearer " + headers.read(sent))]
    except Problem:
        # The library refuses what has no credentials.
        return others


def _access(token: str, sender: Identity) -> AccessToken:
    scopes = [scope for scope in get_args(identity.Scope) if sender.may(scope)]
    return AccessToken(token=token, client_id=sender.name, scopes=scopes, subject=sender.name)
