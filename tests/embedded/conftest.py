from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from supervisor_mcp import config
from supervisor_mcp.embedded import database
from tests.support.data_directories import DataDirectories

# DB_SHUTDOWNED of PostgreSQL's pg_control.h.
SHUT_DOWN = 1


def connect(url: str, **options: Any) -> psycopg.Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None, **options)


def is_shut_down(data_dir: Path) -> bool:
    """Whether the last server wrote a checkpoint at its end, as pg_control says."""
    state = (data_dir / "pgdata" / "global" / "pg_control").read_bytes()[16:20]
    return int.from_bytes(state, "little") == SHUT_DOWN


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    return config.load().cache_dir


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, prepared: DataDirectories) -> Path:
    """A stopped data directory with an empty database."""
    directory = tmp_path_factory.mktemp("template") / "data"
    prepared.empty(directory)
    return directory


@pytest.fixture
def data_dir(template: Path, tmp_path: Path) -> Path:
    """A data directory of its own with an empty database."""
    directory = tmp_path / "data"
    database.clone(template, directory)
    return directory


@pytest.fixture(scope="session")
def shared_dir(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("shared") / "data"
    database.clone(template, directory)
    return directory


@pytest.fixture(scope="package")
def shared(shared_dir: Path, cache_dir: Path) -> Iterator[database.Database]:
    """A server for tests that leave nothing behind but tables of their own."""
    with database.start(shared_dir, cache_dir=cache_dir, jobs=False) as server:
        yield server


@pytest.fixture
def url(shared: database.Database) -> str:
    return shared.url


@pytest.fixture
def client(url: str) -> Iterator[psycopg.Connection]:
    with connect(url) as connection:
        yield connection
