"""An export has everything, and a database that imports it cannot be told from the first one."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from supervisor_mcp import exports
from supervisor_mcp.exports import ExportError, Manifest
from tests.support.tenants import NOW, Tenant, within
from tests.support.timescaledb import Server

QUESTIONS = [
    "select api.query_agg(null, '7d', null, null, null, null, %(now)s)",
    "select api.list_servers(p_now => %(now)s)",
    "select api.list_alert_rules(p_now => %(now)s)",
    "select api.list_subscriptions(p_now => %(now)s)",
]


def silent(_: str) -> None:
    pass


def connect(url: str) -> Connection[Any]:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


@pytest.fixture(scope="module")
def source(database_server: Server) -> Iterator[str]:
    """A database with something of everything, whose days are rolled up."""
    with database_server.deployed() as url:
        with connect(url) as conn:
            for factor, namespace in enumerate(("", "blue"), start=1):
                Tenant(namespace, f"word{factor}", factor).fill(conn)
            conn.execute("select ops.set_retention('data.fact', '6 years')")
        yield url


@pytest.fixture(scope="module")
def exported(source: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The folder of an export, and its manifest."""
    folder = tmp_path_factory.mktemp("exports") / "export"
    return folder, exports.export(source, folder, silent)


@pytest.fixture(scope="module")
def target(database_server: Server, exported: tuple[Path, Manifest]) -> Iterator[str]:
    """A database into which it was imported."""
    with database_server.deployed() as url:
        assert exports.load(url, exported[0], silent) == exported[1]
        yield url


def test_x(source, exported, target, tmp_path):
    again = exports.export(target, tmp_path / "again", silent)
    print({r.name: r.rows for r in again.relations})
    assert [(r.name, r.rows, [p.sha256 for p in r.parts]) for r in again.relations] == [(r.name, r.rows, [p.sha256 for p in r.parts]) for r in exported[1].relations]
    assert again.state == exported[1].state
