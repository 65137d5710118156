"""One running service that the tests of REST share: gunicorn with two workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service writes its log."""
    return tmp_path_factory.mktemp("service") / "log"


@pytest.fixture(scope="session")
def valkey_url(valkey_server: Valkey) -> str:
    """URL of the service's cache."""
    return valkey_server.own()


@pytest.fixture(scope="package")
def service(database_server: Server, valkey_url: str, log: Path) -> Iterator[str]:
    """Base URL of the service; its database holds what other tests stored."""
    with (
        database_server.deployed() as database_url,
        web_server.start(database_url, valkey_url, log) as server,
    ):
        yield server.url


@pytest.fixture
def http(service: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service, timeout=60) as client:
        yield client


@pytest.fixture
def name() -> str:
    """A metric name that no other test uses."""
    return f"metric_{uuid4().hex[:12]}"


@pytest.fixture
def fact_kind() -> str:
    """A fact kind that no other test uses."""
    return f"Fact:Kind{uuid4().hex[:12]}"


def slug_of(answer: httpx.Response) -> str:
    """The slug of a problem, after checking that it is one."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    return str(problem["type"]).removeprefix("urn:supervisor-mcp:problem:")
