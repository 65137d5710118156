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
