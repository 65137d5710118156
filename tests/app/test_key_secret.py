"""The secret under which keys are digested: of a setting, of a file, made once."""

from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from supervisor_mcp import config
from supervisor_mcp.cli import servers
from supervisor_mcp.cli.client import load_settings
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.config import Settings
from supervisor_mcp.credentials import key_secret

SECRET = "0123456789abcdef0123456789abcdef"


def made(file: Path) -> bytes | None:
    """The secret in a file, made if it is not there."""
    key_secret.make(file)
    return key_secret.read(None, file)


def test_the_secret_is_that_of_the_setting() -> None:
    assert key_secret.read(SecretStr(SECRET), None) == SECRET.encode()


def test_the_secret_is_that_of_a_file_without_its_line_feed(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    assert key_secret.read(None, file) == SECRET.encode()


def test_without_setting_and_file_there_is_none() -> None:
    assert key_secret.read(None, None) is None


def test_a_file_that_is_missing_or_too_short_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(ValueError, match="secret cannot be read: No such file"):
        key_secret.read(None, file)
    file.write_text("short\n")
    with pytest.raises(ValueError, match="secret holds 5 bytes; a secret has at least 32"):
        key_secret.read(None, file)


def test_a_secret_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    first = made(file)
    assert first is not None
    assert len(first) == 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made(file) == first
    assert made(tmp_path / "other") != first
    assert {each.name for each in tmp_path.iterdir()} == {"secret", "other"}


def test_processes_that_start_together_have_the_same_secret(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = set(pool.map(made, [tmp_path / "secret"] * 64))
    assert len(found) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_the_embedded_database_has_a_secret_in_its_data_directory(tmp_path: Path) -> None:
    file = servers.key_secret_file(Settings(data_dir=tmp_path), is_embedded=True)
    assert file == tmp_path / "key_secret"
    assert file.exists()


@pytest.mark.parametrize(("secret", "is_embedded"), [(None, False), (SecretStr(SECRET), True)])
def test_no_secret_is_made_for_a_database_of_others_or_beside_another(
    tmp_path: Path, secret: SecretStr | None, is_embedded: bool
) -> None:
    settings = Settings(data_dir=tmp_path, key_secret=secret)
    assert servers.key_secret_file(settings, is_embedded=is_embedded) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_settings_that_cannot_be_used_ends_the_command(tmp_path: Path) -> None:
    settings = Settings(key_secret_file=tmp_path / "nowhere")
    with pytest.raises(Failure, match="nowhere cannot be read") as caught:
        servers.key_secret_file(settings, is_embedded=True)
    assert caught.value.status == USAGE
    assert "SUPERVISOR_KEY_SECRET_FILE" in str(caught.value.hint)


def test_an_empty_variable_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_KEY_SECRET", "")
    monkeypatch.setenv("SUPERVISOR_KEY_SECRET_FILE", "")
    settings = config.load()
    assert (settings.key_secret, settings.key_secret_file) == (None, None)


def test_a_short_secret_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_KEY_SECRET", "hunter2")
    with pytest.raises(Failure) as caught:
        load_settings()
    assert "SUPERVISOR_KEY_SECRET is not valid" in caught.value.detail
    assert "hunter2" not in caught.value.detail


def test_setting_and_file_are_not_combined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_KEY_SECRET", SECRET)
    monkeypatch.setenv("SUPERVISOR_KEY_SECRET_FILE", "/run/secrets/key")
    with pytest.raises(ValidationError, match="SUPERVISOR_KEY_SECRET is set too"):
        config.load()


def test_settings_do_not_show_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_KEY_SECRET", SECRET)
    assert SECRET not in repr(config.load())
