"""Without authentication, the service listens for this machine alone."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest

from supervisor_mcp.config import Settings
from supervisor_mcp.server import launch
from supervisor_mcp.server.asgi import create
from supervisor_mcp.server.exposure import ExposedError, refuse_exposed_socket, refuse_exposure
from tests.support import command_line
from tests.support.timescaledb import Server

ADMIN_KEY = "the key of an operator, long enough"
OFF = Settings()
ON = Settings(authentication="on")


def is_allowed(settings: Settings, host: str) -> bool:
    try:
        refuse_exposure(settings, host)
    except ExposedError:
        return False
    return True


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "127.255.255.254", "localhost", "::1", "::ffff:127.0.0.1"]
)
def test_loopback_is_allowed(host: str) -> None:
    assert is_allowed(OFF, host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "::",
        "",
        "10.1.2.3",
        "192.168.0.1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "0",
        "none.invalid",
    ],
)
def test_any_other_address_is_refused_while_authentication_is_off(host: str) -> None:
    assert not is_allowed(OFF, host)
    assert is_allowed(ON, host)


def test_a_name_is_refused_where_one_of_its_addresses_is_not_loopback() -> None:
    name = socket.gethostname()
    addresses = {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    assert is_allowed(OFF, name) == all(ip_address(each).is_loopback for each in addresses)


@pytest.mark.parametrize(("host", "refused"), [("127.0.0.3", False), ("0.0.0.0", True)])
def test_what_counts_is_where_the_socket_is_bound(host: str, refused: bool) -> None:
    with launch.reserve(host, 0) as listener:
        expected = pytest.raises(ExposedError) if refused else nullcontext()
        with expected as caught:
            refuse_exposed_socket(OFF, listener)

    assert (caught is not None) == refused


def test_an_application_for_others_is_not_made() -> None:
    settings = Settings(database_url="postgresql://127.0.0.1:1/none", host="0.0.0.0")

    with pytest.raises(ExposedError):
        create(settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_up_ends_at_once_and_says_what_to_do(tmp_path: Path, host: str) -> None:
    env = {"SUPERVISOR_HOST": host, "SUPERVISOR_PORT": "0", "SUPERVISOR_DATA_DIR": str(tmp_path)}

    done = command_line.run("up", env=env)

    assert done.returncode == 2
    assert f"The service does not listen on {host} while authentication is off" in done.stderr
    assert "SUPERVISOR_AUTHENTICATION=on" in done.stderr.replace("\n", " ")
    assert not list(tmp_path.iterdir())


@pytest.mark.server
def test_a_worker_serves_no_socket_for_others(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with launch.reserve("0.0.0.0", 0) as listener, log.open("wb") as output:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {"SUPERVISOR_AUTHENTICATION": "off"}
        with (
            launch.start(listener, url, environment, log=output) as server,
            pytest.raises(ChildProcessError, match="status 2"),
        ):
            launch.await_readiness(server, seconds=60)
    assert "SUPERVISOR_AUTHENTICATION=on" in log.read_text()


@pytest.mark.server
def test_with_authentication_it_listens_for_others(database_server: Server, tmp_path: Path) -> None:
    with (
        database_server.deployed() as database_url,
        launch.reserve("0.0.0.0", 0) as listener,
        (tmp_path / "log").open("wb") as output,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {
            "SUPERVISOR_AUTHENTICATION": "on",
            "SUPERVISOR_ADMIN_KEY": ADMIN_KEY,
            "SUPERVISOR_HOST": "0.0.0.0",
            "SUPERVISOR_DATABASE_URL": database_url,
            "SUPERVISOR_PROBE": "false",
            "SUPERVISOR_DELIVERY": "false",
        }
        with launch.start(listener, url, environment, log=output) as server:
            launch.await_readiness(server, seconds=60)
            assert httpx.get(f"{url}/query/kinds").status_code == 401
            headers = {"X-API-Key": ADMIN_KEY}
            assert httpx.get(f"{url}/query/kinds", headers=headers).status_code == 200
            # Who may name the issuer, where there is none?
            assert httpx.get(f"{url}/.well-known/oauth-protected-resource").status_code == 401
            assert "resource_metadata" not in httpx.post(f"{url}/mcp").headers["www-authenticate"]
