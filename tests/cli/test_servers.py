"""The database and the cache of a command, as the settings have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from supervisor_mcp.cli import servers
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.servers import Servers
from supervisor_mcp.config import Settings
from supervisor_mcp.deploy import Older
from tests.support.ports import free_port

SECRET = "0123456789abcdef0123456789abcdef"
DSN = "postgresql://me:secret@db.example:5432/metrics"
EMBEDDED = "postgresql://postgres@127.0.0.1:5432/postgres"


def test_servers_of_others_are_left_alone_and_shown_without_a_password(tmp_path: Path) -> None:
    others = Servers(tmp_path, DSN, "redis://cache.example", database=None, cache=None)
    others.begin_jobs()
    others.check()
    assert others.analyst_dsn is None
    assert "secret" not in others.shown_database
    assert "host=db.example" in others.shown_database


def test_analysts_have_a_login_of_the_embedded_database(tmp_path: Path) -> None:
    running = cast("Any", object())
    own = Servers(tmp_path, EMBEDDED, "", database=running, cache=None)
    assert own.shown_database == EMBEDDED
    assert own.analyst_dsn == "postgresql://supervisor_analyst@127.0.0.1:5432/postgres"


def test_statements_of_clients_are_shorter_on_an_embedded_database_unless_set() -> None:
    assert servers.query_sql_seconds(Settings(), is_embedded=True) == 2
    assert servers.query_sql_seconds(Settings(), is_embedded=False) == 10
    for is_embedded in (True, False):
        settings = Settings(query_sql_seconds=7)
        assert servers.query_sql_seconds(settings, is_embedded=is_embedded) == 7


def test_the_login_of_a_deploy_alone_is_refused() -> None:
    settings = Settings(deploy_database_url=DSN)
    with (
        pytest.raises(Failure, match="SUPERVISOR_DATABASE_URL is not") as refused,
        servers.start_database(settings, print, jobs=False),
    ):
        pass
    assert refused.value.status == USAGE


@pytest.mark.parametrize(
    ("deploy", "setting"),
    [(False, "SUPERVISOR_DATABASE_URL"), (True, "SUPERVISOR_DEPLOY_DATABASE_URL")],
)
def test_a_deploy_names_the_database_that_does_not_answer_and_its_setting(
    deploy: bool, setting: str
) -> None:
    url, owner_url = (f"postgresql://me:secret@127.0.0.1:{free_port()}/db" for _ in range(2))
    with pytest.raises(Failure) as refused:
        servers.deploy_schema(url, Older.REFUSE, deploy_url=owner_url if deploy else None)
    asked = owner_url if deploy else url
    detail = refused.value.detail
    assert detail.startswith(f"The database at {servers.without_password(asked)} does not answer (")
    assert "secret" not in detail
    assert refused.value.hint == f"Check {setting}."


@pytest.mark.parametrize(
    ("url", "fine"), [(None, True), (DSN, True), ("postgresql://me:secret@[", False)]
)
def test_a_url_that_is_no_dsn_is_refused_without_its_password(url: str | None, fine: bool) -> None:
    if fine:
        servers.check_urls(Settings(database_url=url))
        return
    with pytest.raises(Failure, match="SUPERVISOR_DATABASE_URL is not a DSN") as refused:
        servers.check_urls(Settings(database_url=url))
    assert "secret" not in f"{refused.value.detail}{refused.value.hint}"


def test_a_file_of_the_settings_has_the_secret_of_an_embedded_database_too(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    settings = Settings(data_dir=tmp_path / "data", key_secret_file=file)
    for is_embedded in (True, False):
        assert servers.key_secret_file(settings, is_embedded=is_embedded) == file
    assert not (tmp_path / "data").exists()


def test_a_secret_of_the_settings_needs_no_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, key_secret=SecretStr(SECRET))
    assert servers.key_secret_file(settings, is_embedded=True) is None
    assert list(tmp_path.iterdir()) == []
