"""Versions of the server with a known fault are named, with the next step."""

from __future__ import annotations

import pytest

from supervisor_mcp.deploy.faults import faults_of


@pytest.mark.parametrize(
    ("postgresql", "timescaledb", "faulty"),
    [(170012, "2.29.2", True), (170011, "2.29.2", False), (170012, "2.23.1", False)],
)
def test_versions_whose_jobs_are_marked_failed_are_known(
    postgresql: int, timescaledb: str, faulty: bool
) -> None:
    assert [("17.11" in fault) for fault in faults_of(postgresql, timescaledb)] == [True] * faulty
