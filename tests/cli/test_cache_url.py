"""A Redis that can never be used is refused in words; any other one is reported and left out."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
import trustme

from supervisor_mcp.cli.cache_url import without_login
from supervisor_mcp.cli.failure import USAGE
from tests.support import command_line, proxy, valkey, web_server
from tests.support.command_line import Service
from tests.support.ports import free_port
from tests.support.valkey import PATIENCE, Valkey

UNUSABLE = "SUPERVISOR_REDIS_URL cannot be used: "


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with valkey.cluster() as port:
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def sentinel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey.sentinel(tmp_path_factory.mktemp("sentinel")) as port:
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="module")
def secured(valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis that speaks TLS with a certificate of an authority of its own."""
    folder = tmp_path_factory.mktemp("authority")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with proxy.in_thread(valkey_server.own(), tls=context) as door:
        yield f"rediss://127.0.0.1:{door.port}/0?{PATIENCE}&ssl_ca_certs={folder}/ca.pem"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@cache.example:6379/0", "redis://cache.example:6379/0"),
        ("redis://me:secr@et@cache.example", "redis://cache.example"),
        ("unix:///run/valkey.sock?db=1", "unix:///run/valkey.sock?db=1"),
    ],
)
def test_a_url_is_shown_without_its_login(url: str, shown: str) -> None:
    assert without_login(url) == shown


def refused(command: str, url: str, folder: Path) -> str:
    """What a command says that refuses to use a Redis."""
    env = {
        "SUPERVISOR_DATABASE_URL": "postgresql://me@127.0.0.1:1/none",
        "SUPERVISOR_REDIS_URL": url,
        "SUPERVISOR_DATA_DIR": str(folder),
        "SUPERVISOR_PORT": "0",
    }
    done = command_line.run(command, env=env)
    assert done.returncode == USAGE
    return done.stderr


@pytest.mark.parametrize("command", ["up", "mcp"])
def test_a_cluster_is_refused_at_the_start(tmp_path: Path, cluster: str, command: str) -> None:
    said = refused(command, cluster, tmp_path)
    assert f"{UNUSABLE}Redis runs as a cluster, which is not supported." in said


@pytest.mark.parametrize("command", ["up", "mcp"])
def test_a_sentinel_is_refused_at_the_start(tmp_path: Path, sentinel: str, command: str) -> None:
    said = refused(command, sentinel, tmp_path)
    assert f"{UNUSABLE}this is a Sentinel, not the Redis that it watches." in said


@pytest.mark.parametrize("command", ["up", "mcp", "doctor"])
def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, command: str) -> None:
    env = {
        "SUPERVISOR_DATABASE_URL": "postgresql://me@127.0.0.1:1/none",
        "SUPERVISOR_REDIS_URL": f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path}/none.pem",
        "SUPERVISOR_DATA_DIR": str(tmp_path),
        "SUPERVISOR_PORT": "0",
        "SUPERVISOR_URL": f"http://127.0.0.1:{free_port()}",
    }
    done = command_line.run(command, env=env)
    assert done.returncode == USAGE
    assert "the certificates that it names cannot be read" in done.stderr


def doctor(service: Service, url: str) -> str:
    """What the doctor finds without a service, with a Redis at `url`."""
    done = service.run(
        "doctor",
        SUPERVISOR_URL=f"http://127.0.0.1:{free_port()}",
        SUPERVISOR_DATABASE_URL=service.analyst_dsn.replace("supervisor_analyst@", "postgres@"),
        SUPERVISOR_REDIS_URL=url,
        COLUMNS="300",
    )
    return done.stdout + done.stderr


def test_the_doctor_trusts_an_authority_of_ones_own_where_it_is_named(
    service: Service, secured: str
) -> None:
    assert "cache is not used" not in doctor(service, secured)
    untrusted = doctor(service, secured.partition("&")[0])
    assert "the certificate of Redis is not trusted" in untrusted


def test_mcp_on_standard_input_trusts_an_authority_of_ones_own_where_it_is_named(
    service: Service, secured: str
) -> None:
    def log(url: str) -> str:
        database = service.analyst_dsn.replace("supervisor_analyst@", "postgres@")
        env = {"SUPERVISOR_DATABASE_URL": database, "SUPERVISOR_REDIS_URL": url}
        return service.run("mcp", **env).stderr

    assert "Redis is not used" not in log(secured)
    assert "CERTIFICATE_VERIFY_FAILED" in log(secured.partition("&")[0])


def test_the_doctor_names_a_cluster_and_a_wrong_password(service: Service, cluster: str) -> None:
    assert "Redis runs as a cluster" in doctor(service, cluster)
    with valkey.alone() as port, redis.Redis(port=port) as own:
        own.config_set("requirepass", "right")
        wrong = doctor(service, f"redis://:wrong@127.0.0.1:{port}/0?{PATIENCE}")
    assert "Redis refuses the password" in wrong


def test_the_service_uses_a_redis_with_an_authority_of_ones_own(
    database_url: str, secured: str, tmp_path: Path
) -> None:
    settings = {
        "SUPERVISOR_AUTHENTICATION": "on",
        "SUPERVISOR_ADMIN_KEY": "0123456789abcdef0123456789abcdef",
    }
    log = tmp_path / "log"
    with web_server.start(database_url, secured, log, workers=1, settings=settings) as server:
        headers = {"X-API-Key": settings["SUPERVISOR_ADMIN_KEY"]}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as http:
            assert http.get("/readyz").json()["cache"] == "ok"
            first = http.get("/query/agg?window=7d").content
            assert http.get("/query/agg?window=7d").content == first
            findings = http.get("/admin/doctor").json()["findings"]
    assert [found for found in findings if found["name"] == "cache"] == []
