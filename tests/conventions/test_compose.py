"""compose.yaml runs the service with authentication, separate logins and little else."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from supervisor_mcp.config import Settings
from supervisor_mcp.deploy import login_of
from tests.support import compose as docker_compose
from tests.support import debian
from tests.support.repository import ROOT

TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
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


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of a Docker Compose."""
    try:
        return docker_compose.program(tmp_path_factory.mktemp("compose"))
    except debian.Unavailable as reason:
        pytest.skip(f"no Docker Compose: {reason}")


def checked(compose: list[str], text: str) -> str:
    """What Compose finds wrong with a file beside compose.yaml; nothing when it accepts it."""
    names = re.findall(r"\$\{(\w+):\?\}", text)
    files = ["--project-directory", str(ROOT), "--file", "-"]
    done = subprocess.run(
        [*compose, *files, "--profile", "*", "config", "--quiet"],
        env={**os.environ, **dict.fromkeys(names, "x")},
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


@pytest.mark.server
def test_compose_accepts_the_file(compose: list[str]) -> None:
    assert checked(compose, TEXT) == ""


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("read_only:", "readonly:"), "Additional property readonly is not allowed"),
        (("retries: 60", "retries: many"), "services.database.healthcheck.retries"),
        (("condition: service_healthy", "condition: healthy"), "condition must be one of"),
        (("secrets: [admin_key,", "secrets: [root_key,"), "undefined secret root_key"),
        (("- database:/var", "- data:/var"), "undefined volume data"),
    ],
)
def test_compose_refuses_what_it_does_not_know(
    compose: list[str], change: tuple[str, str], problem: str
) -> None:
    assert problem in checked(compose, TEXT.replace(*change))


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
    assert set(re.findall(r"\$\{\w*PASSWORD([^}]*)\}", TEXT)) == {":?"}


@pytest.mark.parametrize("name", ["deploy", "service"])
def test_the_settings_exist(name: str) -> None:
    named = {setting.removeprefix("SUPERVISOR_") for setting in SERVICES[name]["environment"]}
    assert named <= {field.upper() for field in Settings.model_fields}
