"""The command line sends its key, and never shows it."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.access.conftest import Service
from tests.support import command_line


def run(service: Service, *arguments: str, **env: str) -> CompletedProcess[str]:
    return command_line.run(*arguments, env={"SUPERVISOR_URL": service.url, **env})


def test_a_key_in_the_environment_is_sent(service: Service) -> None:
    done = run(service, "kinds", SUPERVISOR_API_KEY=service.key("read"))

    assert done.returncode == 0, done.stderr


def test_a_key_in_a_file_is_sent(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(service.key("ingest") + "\n")
    items = tmp_path / "items.ndjson"
    items.write_text('{"kind": "Fact:Imported", "source": "me"}\n')

    done = run(
        service,
        *("import", str(items)),
        SUPERVISOR_API_KEY_FILE=str(file),
        SUPERVISOR_DATA_DIR=str(tmp_path),
    )

    assert done.returncode == 0, done.stderr


def test_a_token_is_sent(service: Service) -> None:
    done = run(service, "servers", "--json", SUPERVISOR_API_KEY=service.issuer.token())

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sent", [None, "sk_wrong"])
def test_a_refusal_names_the_setting(service: Service, sent: str | None) -> None:
    env = {} if sent is None else {"SUPERVISOR_API_KEY": sent}

    done = run(service, "kinds", **env)

    assert done.returncode == 4
    assert "SUPERVISOR_API_KEY" in done.stderr
    assert "sk_wrong" not in done.stderr


def test_a_missing_scope_is_named(service: Service) -> None:
    key = service.key("ingest")

    done = run(service, "kinds", SUPERVISOR_API_KEY=key)

    assert done.returncode == 4
    assert "SUPERVISOR_API_KEY to a key with the scope read" in " ".join(done.stderr.split())
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"SUPERVISOR_API_KEY": "with\u00fcmlaut"}, "SUPERVISOR_API_KEY"),
        ({"SUPERVISOR_API_KEY_FILE": "/nowhere/key"}, "SUPERVISOR_API_KEY_FILE"),
        ({"SUPERVISOR_ADMIN_KEY": "hush-hush"}, "SUPERVISOR_ADMIN_KEY"),
        ({"SUPERVISOR_AUTHENTICATION": "maybe"}, "SUPERVISOR_AUTHENTICATION"),
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_shown(
    service: Service, env: dict[str, str], words: str
) -> None:
    done = run(service, "kinds", **env)

    assert done.returncode == 2
    assert words in done.stderr
    assert "hush" not in done.stderr
    assert "mlaut" not in done.stderr
