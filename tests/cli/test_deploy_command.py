from __future__ import annotations

import logging

import psycopg
import pytest

from supervisor_mcp.cli import servers
from supervisor_mcp.deploy import deploy, shipped_sql_dir
from tests.support import command_line
from tests.support.command_line import Service


def test_a_second_deploy_has_nothing_to_do(empty_database: str) -> None:
    env = {"SUPERVISOR_DATABASE_URL": empty_database}
    first = command_line.run("deploy", env=env)
    assert first.returncode == 0, first.stderr
    assert "applied migrations/0001_frame.sql" in first.stdout
    second = command_line.run("deploy", env=env)
    assert (second.returncode, second.stdout) == (0, "nothing to do\n")


def test_the_embedded_database_of_a_running_service_is_deployed_to(service: Service) -> None:
    done = service.run("deploy")
    assert (done.returncode, done.stdout) == (0, "nothing to do\n"), done.stderr


def test_a_setting_that_is_not_a_dsn_is_refused() -> None:
    done = command_line.run("deploy", env={"SUPERVISOR_DATABASE_URL": "no dsn"})
    assert done.returncode == 2
    assert "SUPERVISOR_DATABASE_URL is not a DSN" in done.stderr


@pytest.fixture
def ahead(empty_database: str) -> str:
    """A database that a newer release has deployed, with other grants."""
    deploy(empty_database, shipped_sql_dir(), version="99.0")
    with psycopg.connect(empty_database, autocommit=True, prepare_threshold=None) as conn:
        conn.execute("update deploy.applied set sha256 = repeat('0', 64) where path = 'grants.sql'")
    return empty_database


def test_going_back_has_to_be_asked_for(ahead: str) -> None:
    env = {"SUPERVISOR_DATABASE_URL": ahead}
    refused = command_line.run("deploy", env=env)
    assert refused.returncode == 1
    assert "release 99.0 has deployed this database" in refused.stderr
    done = command_line.run("deploy", "--allow-older", env=env)
    assert (done.returncode, done.stdout) == (0, "applied grants.sql\n")


def test_an_older_service_starts_and_says_so(ahead: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        servers.prepare_schema(ahead)

    assert "kept: release 99.0 has deployed this database" in caplog.text
    with psycopg.connect(ahead, prepare_threshold=None) as conn:
        rows = conn.execute("select version from deploy.release").fetchall()
    assert rows == [("99.0",)]
