"""A service of two workers with authentication, and an issuer of tokens beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support import web_server
from tests.support.issuer import AUDIENCE, Issuer, issuing
from tests.support.timescaledb import Server

ADMIN_KEY = "a key of the operator, which is long enough"
SCOPES = ("read", "ingest", "admin")


@dataclass(frozen=True)
class Service:
    """A service that asks for credentials."""

    url: str
    database_url: str
    issuer: Issuer
    log: Path

    def http(self, credentials: str | None = ADMIN_KEY) -> httpx.Client:
        """A client that sends these as Bearer."""
        headers = {} if credentials is None else {"Authorization": f"Bearer {credentials}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def key(self, *scopes: str, **members: Any) -> str:
        """A new key with these scopes."""
        return str(self.create_key(*scopes, **members)["key"])

    def create_key(self, *scopes: str, **members: Any) -> dict[str, Any]:
        """What the service answers to a key that is created."""
        body = {"owner": f"owner-{uuid4().hex[:8]}", "scopes": scopes or ("read",), **members}
        with self.http() as http:
            answer = http.post("/access/keys", json=body)
        assert answer.status_code == 200, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def revoke(self, key_id: str) -> None:
        """End a key."""
        with self.http() as http:
            assert http.delete(f"/access/keys/{key_id}").status_code == 200


@pytest.fixture(scope="package")
def service(database_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("access") / "log"
    with issuing() as issuer, database_server.deployed() as database_url:
        settings = {
            "SUPERVISOR_AUTHENTICATION": "on",
            "SUPERVISOR_ADMIN_KEY": ADMIN_KEY,
            "SUPERVISOR_JWT_JWKS_URL": issuer.jwks_url,
            "SUPERVISOR_JWT_ISSUER": issuer.url,
            "SUPERVISOR_JWT_AUDIENCE": AUDIENCE,
            "SUPERVISOR_ALLOWED_ORIGINS": "https://app.example",
            "SUPERVISOR_LOG_LEVEL": "debug",
        }
        with web_server.start(database_url, None, log, settings=settings) as server:
            yield Service(server.url, database_url, issuer, log)


@pytest.fixture(scope="package")
def keys(service: Service) -> Callable[[str], str]:
    """A key for each scope."""
    made = {scope: service.key(scope) for scope in SCOPES}
    return made.__getitem__
