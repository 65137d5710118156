"""Settings that are lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from supervisor_mcp import config


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("app.example", ("app.example",)),
        (" app.example , *.other.example:8080,", ("app.example", "*.other.example:8080")),
        ("*", ("*",)),
        ("", None),
        (" , ", None),
    ],
)
def test_hosts_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, sent: str, read: tuple[str, ...] | None
) -> None:
    monkeypatch.setenv("SUPERVISOR_ALLOWED_HOSTS", sent)
    assert config.load().allowed_hosts == read


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = "https://app.example, http://localhost:3000/,https://*.other.example"
    monkeypatch.setenv("SUPERVISOR_ALLOWED_ORIGINS", sent)
    assert config.load().allowed_origins == tuple(part.strip() for part in sent.split(","))
    monkeypatch.setenv("SUPERVISOR_ALLOWED_ORIGINS", "*")
    assert config.load().allowed_origins == ("*",)


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        ("ALLOWED_HOSTS", "https://app.example"),
        ("ALLOWED_HOSTS", "app.example/path"),
        ("ALLOWED_ORIGINS", "app.example"),
        ("ALLOWED_ORIGINS", "https://app.example/path"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "//app.example"),
        ("ALLOWED_ORIGINS", "https://"),
    ],
)
def test_a_host_or_origin_that_can_never_match_is_refused(
    monkeypatch: pytest.MonkeyPatch, setting: str, sent: str
) -> None:
    monkeypatch.setenv(f"SUPERVISOR_{setting}", sent)
    with pytest.raises(ValidationError, match="is not a"):
        config.load()


def test_networks_and_names_are_allowed_to_the_prober(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_PROBE_ALLOWED", "127.0.0.0/8, fd00::/8,10.0.0.7, *.internal")
    allowed = config.load().probe_allowed
    assert allowed == ("127.0.0.0/8", "fd00::/8", "10.0.0.7", "*.internal")


@pytest.mark.parametrize("sent", ["127.0.0.1/8", "10.0.0.0/33", "http://search.internal"])
def test_what_is_no_network_is_not_allowed(monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    monkeypatch.setenv("SUPERVISOR_PROBE_ALLOWED", sent)
    with pytest.raises(ValidationError, match="probe_allowed"):
        config.load()


JWT = {
    "JWT_JWKS_URL": "https://login.example/jwks",
    "JWT_ISSUER": "https://login.example/",
    "JWT_AUDIENCE": "supervisor",
}
SECRET = "0123456789abcdef0123456789abcdef"


def read(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> config.Settings:
    for name, value in settings.items():
        monkeypatch.setenv(f"SUPERVISOR_{name}", value)
    return config.load()


def test_authentication_is_off_and_takes_no_tokens_by_default() -> None:
    assert config.load().authentication == "off"
    assert config.load().algorithms == ()


def test_tokens_are_taken_by_public_keys_unless_a_secret_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read(monkeypatch, JWT).algorithms == ("RS256", "ES256", "EdDSA")
    named = {"JWT_ALGORITHMS": "ES256, HS256", "JWT_SECRET": SECRET}
    assert read(monkeypatch, named).algorithms == ("ES256", "HS256")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({**JWT, "JWT_ISSUER": ""}, "SUPERVISOR_JWT_ISSUER"),
        ({**JWT, "JWT_AUDIENCE": " , "}, "SUPERVISOR_JWT_AUDIENCE"),
        ({**JWT, "JWT_SECRET": SECRET}, "HS256"),
        ({**JWT, "JWT_ALGORITHMS": "HS256"}, "HS256"),
        ({**JWT, "JWT_ALGORITHMS": "none"}, "jwt_algorithms"),
        ({**JWT, "JWT_ALGORITHMS": "HS256", "JWT_SECRET": "short"}, "SUPERVISOR_JWT_SECRET"),
        ({**JWT, "JWT_JWKS_URL": "", "JWT_SECRET": SECRET}, "HS256"),
        (
            {**JWT, "JWT_JWKS_URL": "", "JWT_SECRET": SECRET, "JWT_ALGORITHMS": "HS256,RS256"},
            "SUPERVISOR_JWT_JWKS_URL",
        ),
        ({**JWT, "JWT_JWKS_URL": "http://login.example/jwks"}, "https"),
        ({**JWT, "JWT_JWKS_URL": "file:///etc/passwd"}, "https"),
        ({**JWT, "JWT_JWKS_URL": "https://"}, "host"),
        ({"PUBLIC_URL": "supervisor.example"}, "https"),
        ({"PUBLIC_URL": "ftp://localhost"}, "https"),
        ({"PUBLIC_URL": "http://10.0.0.1"}, "https"),
        ({"ADMIN_KEY": SECRET[1:]}, "SUPERVISOR_ADMIN_KEY is shorter than 32 characters"),
        ({"ADMIN_KEY_FILE": "/nowhere"}, "the file cannot be read"),
        ({"KEY_SECRET": SECRET[1:]}, "at least 32"),
        ({"KEY_SECRET": SECRET, "KEY_SECRET_FILE": "/x"}, "SUPERVISOR_KEY_SECRET is set too"),
    ],
)
def test_settings_that_would_let_in_others_than_meant_are_refused(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    with pytest.raises(ValidationError, match=named):
        read(monkeypatch, settings)


def test_secrets_come_from_files_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    settings = read(
        monkeypatch,
        {"ADMIN_KEY_FILE": str(file), "API_KEY_FILE": str(file), "JWT_SECRET_FILE": str(file)}
        | {**JWT, "JWT_ALGORITHMS": "HS256"},
    )
    assert settings.secret("admin_key") == SECRET
    assert settings.secret("api_key") == SECRET
    assert settings.secret("jwt_secret") == SECRET


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    names = ("ADMIN_KEY", "JWT_SECRET", "API_KEY", "KEY_SECRET")
    secrets = dict.fromkeys(names, SECRET) | {"ADMIN_KEY_FILE": str(file)}
    settings = read(monkeypatch, {**JWT, "JWT_ALGORITHMS": "HS256", **secrets})
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()

    for wrong in ({"PORT": "many"}, {"KEY_SECRET": SECRET[1:]}):
        with pytest.raises(ValidationError) as caught:
            read(monkeypatch, wrong)
        assert SECRET[1:] not in str(caught.value)


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ADMIN_KEY", "ADMIN_KEY_FILE", "API_KEY", "JWT_JWKS_URL", "JWT_ISSUER", "PUBLIC_URL")
    settings = read(monkeypatch, dict.fromkeys(names, ""))
    assert (settings.secret("admin_key"), settings.jwt_jwks_url) == (None, None)


@pytest.mark.parametrize("name", ["DATABASE_URL", "DEPLOY_DATABASE_URL", "REDIS_URL"])
def test_an_empty_url_of_a_server_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert getattr(read(monkeypatch, {name: ""}), name.lower()) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("https://supervisor.example/", "https://supervisor.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1/mcp", "http://127.0.0.1/mcp"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_a_url_at_which_nobody_between_can_answer_is_taken(
    monkeypatch: pytest.MonkeyPatch, sent: str, kept: str
) -> None:
    assert read(monkeypatch, {"PUBLIC_URL": sent}).public_url == kept


@pytest.mark.parametrize(
    ("setting", "lowest", "highest"),
    [
        ("PORT", 0, 65535),
        ("JWT_LEEWAY_SECONDS", 0, 300),
        ("WORKERS", 1, None),
        ("EMBEDDED_PORT", 0, 65535),
        ("CACHE_TTL_SECONDS", 1, None),
        ("DATABASE_WAIT_SECONDS", 0, None),
        ("POOL_SIZE", 1, None),
        ("STREAMS", 1, None),
        ("STREAMS_PER_IDENTITY", 1, None),
        ("REQUESTS_PER_SECOND", 0, None),
        ("REQUESTS_BURST", 1, None),
        ("STATEMENT_TIMEOUT_SECONDS", 1, None),
        ("QUERY_SQL_SECONDS", 1, None),
        ("PROBE_CONCURRENCY", 1, None),
        ("DELIVERY_TIMEOUT_SECONDS", 1, 30),
    ],
)
def test_a_number_out_of_range_is_refused(
    monkeypatch: pytest.MonkeyPatch, setting: str, lowest: int, highest: int | None
) -> None:
    for good in (lowest, lowest + 1, highest or 1_000_000):
        assert getattr(read(monkeypatch, {setting: str(good)}), setting.lower()) == good
    for wrong in (lowest - 1, *([highest + 1] if highest else [])):
        with pytest.raises(ValidationError, match=setting.lower()):
            read(monkeypatch, {setting: str(wrong)})


@pytest.mark.parametrize(
    "setting",
    ["READ_LAG_SECONDS", "PROBE_TIMEOUT_SECONDS", "PROBE_SLOW_SECONDS", "DELIVERY_TIMEOUT_SECONDS"],
)
def test_a_time_may_be_short_and_not_nothing(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    assert getattr(read(monkeypatch, {setting: "0.1"}), setting.lower()) == 0.1
    with pytest.raises(ValidationError, match=setting.lower()):
        read(monkeypatch, {setting: "0"})


def test_words_are_read_in_upper_case_too(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, {"LOG_LEVEL": "DEBUG", "AUTHENTICATION": "On"})
    assert (settings.log_level, settings.authentication) == ("debug", "on")


def test_what_is_secret_is_known_by_its_name() -> None:
    secret = {name for name in config.Settings.model_fields if config.is_secret(name)}
    names = {"admin_key", "jwt_secret", "api_key"}
    assert secret == names | {f"{name}_file" for name in names} | {"key_secret"}
    assert not config.is_secret("nothing")


def test_a_service_without_settings_has_these_limits() -> None:
    settings = config.load().model_dump(exclude_none=True)
    assert {name: value for name, value in settings.items() if not isinstance(value, Path)} == {
        "host": "127.0.0.1",
        "port": 8080,
        "authentication": "off",
        "jwt_leeway_seconds": 30,
        "workers": 2,
        "npm_registry": "https://registry.npmjs.org",
        "read_lag_seconds": 5,
        "embedded_port": 55432,
        "cache_ttl_seconds": 60,
        "database_wait_seconds": 300,
        "pool_size": 8,
        "streams": 200,
        "streams_per_identity": 20,
        "requests_per_second": 100,
        "requests_burst": 1000,
        "statement_timeout_seconds": 30,
        "query_sql": True,
        "query_sql_seconds": 10,
        "probe": True,
        "probe_concurrency": 32,
        "probe_timeout_seconds": 10,
        "probe_slow_seconds": 3,
        "delivery": True,
        "delivery_timeout_seconds": 10,
        "log_level": "info",
    }
