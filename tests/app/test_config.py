"""Settings that are lists."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("setting", "sent"),
    [
        ("ALLOWED_HOSTS", "https://app.example"),
        ("ALLOWED_HOSTS", "app.example/path"),
        ("ALLOWED_ORIGINS", "app.example"),
        ("ALLOWED_ORIGINS", "https://app.example/path"),
        ("ALLOWED_ORIGINS", "null"),
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
