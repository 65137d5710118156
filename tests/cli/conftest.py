"""One running service for the tests of the command line; each uses names of its own."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.support import command_line
from tests.support.command_line import Service
from tests.support.data_directories import DataDirectories


@pytest.fixture(scope="package")
def service(
    tmp_path_factory: pytest.TempPathFactory, prepared: DataDirectories
) -> Iterator[Service]:
    """`up` with both embedded servers on free ports."""
    data_dir = tmp_path_factory.mktemp("cli") / "data"
    prepared.deployed(data_dir)
    with command_line.up(data_dir, env={"SUPERVISOR_WORKERS": "2"}) as started:
        yield started


@pytest.fixture
def name() -> str:
    """A kind that no other test uses."""
    return f"kind_{uuid4().hex[:12]}"


@pytest.fixture
def server(service: Service) -> str:
    """A registered server without reports."""
    name = f"io.github.acme/s{uuid4().hex[:12]}"
    document = {"description": "Searches the shop", "version": "1.0.0", "probe": False}
    httpx.put(f"{service.url}/registry/servers/{name}", json=document).raise_for_status()
    return name
