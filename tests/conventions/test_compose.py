"""compose.yaml runs the service with authentication, separate logins and little else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from supervisor_mcp.config import Settings
from supervisor_mcp.deploy import login_of
from tests.support.repository import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_not_root_and_writes_only_to_volumes_and_memory(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].partition(":")[0] not in ("", "0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_configs_and_secrets_are_files_because_compose_writes_into_no_read_only_container(
    name: str,
) -> None:
    for section in ("configs", "secrets"):
        for used in SERVICES[name].get(section, []):
            source = used if isinstance(used, str) else used["source"]
            assert set(COMPOSE[section][source]) == {"file"}


@pytest.mark.parametrize("name", ["database", "cache", "service", "grafana", "alertmanager"])
def test_what_serves_has_a_health_check_and_is_published_on_loopback_only(name: str) -> None:
    service = SERVICES[name]
    checks = DOCKERFILE if name == "service" else str(service["healthcheck"]["test"])
    assert "'CMD'" in checks or "HEALTHCHECK" in checks
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_image_has_no_tools_of_its_build_and_runs_as_nobody() -> None:
    stage = DOCKERFILE.split("\nFROM ")[-1]
    assert "RUN" not in stage
    assert "USER 65534:65534" in stage
    assert "--require-hashes" in DOCKERFILE


def test_only_what_the_image_needs_is_sent_to_the_build() -> None:
    ignored, *kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert ignored == "*"
    assert {name.removeprefix("!") for name in kept if name[0] == "!"} == copied


@pytest.mark.parametrize("name", ["grafana", "alertmanager"])
def test_what_is_optional_is_in_a_profile(name: str) -> None:
    assert SERVICES[name]["profiles"] == [name]


@pytest.mark.parametrize("name", ["database", "grafana", "alertmanager"])
def test_a_container_reads_files_of_the_repository(name: str) -> None:
    service = SERVICES[name]
    mounted = [volume.split(":") for volume in service["volumes"] if volume.startswith("./")]
    assert mounted
    assert all((ROOT / source).exists() and mode == "ro" for source, _, mode in mounted)


def test_compose_accepts_the_file(tmp_path: Path) -> None:
    compose = _compose()
    if compose is None:
        pytest.skip("no Docker Compose of version 2 or newer is installed")
    names = re.findall(r"\$\{(\w+):\?\}", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    done = subprocess.run(
        [*compose, "--file", str(ROOT / "compose.yaml"), "--profile", "*", "config", "--quiet"],
        env={**os.environ, **dict.fromkeys(names, "x")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _compose() -> list[str] | None:
    """The command of an installed Docker Compose; None for none, or for version 1."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            done = subprocess.run(
                [*command, "version", "--short"], capture_output=True, text=True, check=False
            )
            if done.returncode == 0 and int(done.stdout.strip().lstrip("v").split(".")[0]) >= 2:
                return command
    return None


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
    logins = (ROOT / "deploy/database/logins.sql").read_text(encoding="utf-8")
    for login in ("deployer login createrole", "service login"):
        assert f"create role {login} password" in logins


def test_no_password_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{\w*PASSWORD([^}]*)\}", text)) == {":?"}


@pytest.mark.parametrize("name", ["deploy", "service"])
def test_the_settings_exist(name: str) -> None:
    named = {setting.removeprefix("SUPERVISOR_") for setting in SERVICES[name]["environment"]}
    assert named <= {field.upper() for field in Settings.model_fields}
