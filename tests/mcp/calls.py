"""Arguments of tools as REST takes them."""

from __future__ import annotations

from typing import Any


def query(path: str, arguments: dict[str, Any]) -> dict[str, str]:
    """Arguments of a tool as query parameters, without those in the path."""
    labels = {f"label.{n}": v for n, v in arguments.get("labels", {}).items()}
    elsewhere = {"labels", *(n for n in arguments if f"{{{n}}}" in path)}
    sent = {n: str(v) for n, v in arguments.items() if n not in elsewhere}
    booleans = {n: str(v).lower() for n, v in arguments.items() if isinstance(v, bool)}
    return sent | booleans | labels
