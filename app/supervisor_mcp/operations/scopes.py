"""Which scope a capability needs: the one declaration for REST and MCP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Scope

# What reads needs read, and anything else admin, but for these. None needs no credentials.
EXCEPTIONS: Final[Mapping[str, Scope | None]] = {
    "livez": None,
    "readyz": None,
    "ingest_metric": "ingest",
    "ingest_metrics": "ingest",
    "ingest_fact": "ingest",
    "ingest_facts": "ingest",
    "register_server": "ingest",
    "heartbeat": "ingest",
    "heartbeat_server": "ingest",
    "report_health": "ingest",
    # The question is too long for a query string; nothing is stored.
    "backtest_alert_rule": "read",
    "suggest_threshold": "read",
    "query_sql": "read",
    # The URL of a webhook is mostly a secret.
    "list_subscriptions": "admin",
    "get_subscription": "admin",
    "list_keys": "admin",
    "list_audit": "admin",
    "doctor": "admin",
}


def scope_of(capability: str, *, reads: bool) -> Scope | None:
    """The scope that a capability needs; None where it needs no credentials."""
    return EXCEPTIONS.get(capability, "read" if reads else "admin")


def require(scope: Scope | None) -> None:
    """Refuse who does not have a scope. Raises `Problem`."""
    sender = identity.current.get()
    if scope is None or sender.may(scope):
        return
    held = ", ".join(sorted(sender.scopes)) or "none"
    raise Problem(
        "scope_sufficient",
        f'this needs the scope {scope}; "{sender.name}" has {held}',
        hint=f"Use a key or a token with the scope {scope}.",
        params={"scope": scope},
    )
