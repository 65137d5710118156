"""compose.yaml runs the service with authentication, separate logins and little else."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from supervisor_mcp.config import Settings
from supervisor_mcp.deploy import login_of
from tests.support.repository import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_not_root_and_writes_only_to_volumes_and_memory(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].partition(":")[0] not in ("", "0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", ["database", "cache", "service"])
def test_what_serves_has_a_health_check_and_is_published_on_loopback_only(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_service_needs_credentials_from_secrets() -> None:
    service = SERVICES["service"]
    environment = service["environment"]
    assert environment["SUPERVISOR_AUTHENTICATION"] == "on"
    for setting, secret in (("ADMIN_KEY", "admin_key"), ("KEY_SECRET", "key_secret")):
        assert environment[f"SUPERVISOR_{setting}_FILE"] == f"/run/secrets/{secret}"
        assert f"SUPERVISOR_{setting}" not in environment
        assert secret in service["secrets"]
        assert COMPOSE["secrets"][secret]["file"] == f"./secrets/{secret}"
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_owner_deploys_and_the_service_does_not_have_its_login() -> None:
    deploy, service = SERVICES["deploy"]["environment"], SERVICES["service"]["environment"]
    assert SERVICES["deploy"]["command"] == ["supervisor-mcp", "deploy"]
    assert SERVICES["service"]["command"] == ["supervisor-mcp", "up", "--no-deploy"]
    assert SERVICES["service"]["depends_on"]["deploy"] == {
        "condition": "service_completed_successfully"
    }
    assert login_of(deploy["SUPERVISOR_DEPLOY_DATABASE_URL"]) == "deployer"
    assert login_of(deploy["SUPERVISOR_DATABASE_URL"]) == "service"
    assert login_of(service["SUPERVISOR_DATABASE_URL"]) == "service"
    assert "DEPLOYER_PASSWORD" not in str(service)
    logins = COMPOSE["configs"]["logins"]["content"]
    for login in ("deployer login createrole", "service login"):
        assert f"create role {login} password" in logins


def test_no_password_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\w*PASSWORD([^}]*)\}", text)) == {":?"}


@pytest.mark.parametrize("name", ["deploy", "service"])
def test_the_settings_exist(name: str) -> None:
    named = {setting.removeprefix("SUPERVISOR_") for setting in SERVICES[name]["environment"]}
    assert named <= {field.upper() for field in Settings.model_fields}
