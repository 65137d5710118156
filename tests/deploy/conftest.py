"""A sql/ to deploy, and a short way to ask the database what it contains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.deploy.sample import SAMPLE, write

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def sql_dir(tmp_path: Path) -> Path:
    """The sample, in a folder that the test may change."""
    return write(tmp_path / "sql", SAMPLE)


@pytest.fixture
def ask(empty_database: str) -> Iterator[Ask]:
    """Run one committed statement on the empty database and return its rows, if any."""
    with psycopg.connect(empty_database, autocommit=True, prepare_threshold=None) as conn:

        def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
            cursor = conn.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

        yield run
