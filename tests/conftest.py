"""Servers for tests; `tests/support/timescaledb.py` chooses the one for databases."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator

import psycopg
import pytest
from hypothesis import settings
from psycopg import Connection

from tests.support import data_directories, timescaledb, valkey
from tests.support.data_directories import DataDirectories
from tests.support.order import by_folder
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey

# A busy machine is slow: what bounds the time of an example is the time of the suite.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
# A test that uses one of these fixtures, itself or through another one, runs a server.
SERVERS = {"database_server", "prepared", "valkey_server", "service", "wheel"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-servers", action="store_true", help="run only the tests that need no server"
    )
    parser.addoption(
        "--every-case", action="store_true", help="try every case of the OpenAPI document"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: a third of the time, tests wait."""
    return len(os.sched_getaffinity(0)) * 3 // 2


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from what is imported: each look at all of it takes a second."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--without-servers"):
        chosen = [item for item in items if not _runs_a_server(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
    items[:] = by_folder(items)


def _runs_a_server(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return item.get_closest_marker("server") is not None or not SERVERS.isdisjoint(fixtures)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "contract: compares the service with the OpenAPI document that it publishes."
    )
    config.addinivalue_line(
        "markers", "server: starts a server, or waits for one, without a fixture."
    )
    config.addinivalue_line(
        "markers",
        "native_only(reason): needs a native server; skipped with its reason on the embedded one.",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    marker = item.get_closest_marker("native_only")
    if marker is not None and timescaledb.is_embedded():
        pytest.skip(f"needs a native server: {marker.args[0]}")


@pytest.fixture(scope="session")
def prepared(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> DataDirectories:
    """Data directories for embedded databases; ask it for a copy."""
    return data_directories.shared(pytestconfig, tmp_path_factory)


@pytest.fixture(scope="session")
def database_server(
    tmp_path_factory: pytest.TempPathFactory, prepared: DataDirectories
) -> Iterator[Server]:
    """The chosen server; ask it for a new database."""
    with timescaledb.chosen(tmp_path_factory.mktemp("servers"), prepared) as server:
        yield server


@pytest.fixture(scope="session")
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of the deployed database that tests share; leave nothing behind in it."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
def fresh_database(database_server: Server) -> Iterator[str]:
    """DSN of a deployed database of this test's own, for what needs commits."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
def empty_database(database_server: Server) -> Iterator[str]:
    """DSN of a database that nothing was deployed to."""
    with database_server.empty() as url:
        yield url


@pytest.fixture
def db(database_url: str) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back; a commit inside it is an error."""
    with (
        psycopg.connect(database_url, prepare_threshold=None) as conn,
        conn.transaction(force_rollback=True),
    ):
        yield conn


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """The Valkey that tests share; ask it for a database."""
    with valkey.start() as server:
        yield server


@pytest.fixture
def redis_url(valkey_server: Valkey) -> str:
    """URL of an empty Valkey database."""
    return valkey_server.empty()
