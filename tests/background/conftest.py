"""Loops that look more often than those of a service, so that tests wait less for them."""

from __future__ import annotations

import pytest

from supervisor_mcp import db
from supervisor_mcp.background import deliveries, lease, prober


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prober, "STEP_SECONDS", 0.1)
    monkeypatch.setattr(deliveries, "STEP_SECONDS", 0.1)
    monkeypatch.setattr(deliveries, "STOP_SECONDS", 1.0)
    monkeypatch.setattr(lease, "RENEWAL_SECONDS", 0.5)
    monkeypatch.setattr(db, "POOL_SECONDS", 2.0)
