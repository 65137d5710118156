"""Versions of the server with a known fault are named, with the next step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from supervisor_mcp.deploy.faults import JOBS_MARKED_FAILED, faults_of, known_faults


@pytest.mark.parametrize(
    ("postgresql", "timescaledb", "faulty"),
    [(170012, "2.29.2", True), (170011, "2.29.2", False), (170012, "2.23.1", False)],
)
def test_versions_whose_jobs_are_marked_failed_are_known(
    postgresql: int, timescaledb: str, faulty: bool
) -> None:
    assert [("17.11" in fault) for fault in faults_of(postgresql, timescaledb)] == [True] * faulty


@pytest.mark.parametrize(
    ("extension", "known"), [(("2.29.2",), (JOBS_MARKED_FAILED,)), (("2.30.0",), ()), (None, ())]
)
def test_the_versions_are_those_of_the_server(
    extension: tuple[str] | None, known: tuple[str, ...]
) -> None:
    cursor = SimpleNamespace(fetchone=lambda: extension)
    # No server with the fault is available.
    conn: Any = SimpleNamespace(
        execute=lambda _: cursor, info=SimpleNamespace(server_version=170012)
    )
    assert known_faults(conn) == known
