"""The alert rules that come with the service; each has a runbook in docs/runbooks."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import msgspec


def read() -> list[dict[str, Any]]:
    """The documents of the rules, with their names."""
    content = files(__package__).joinpath("built_in_rules.json").read_bytes()
    return msgspec.json.decode(content, type=list[dict[str, Any]])
