"""Hints of the service in the words of the command line."""

from __future__ import annotations

import re

from supervisor_mcp.cli import console

# The service names a capability as its tool and its route: `list_kinds (GET /query/kinds)`.
COMMANDS = {
    "list_kinds": "kinds",
    "query_agg": "agg",
    "query_facts": "facts",
    "stream_facts": "facts",
    "query_metrics": "series",
    "list_servers": "servers",
    "get_server": "server",
    "register_server": "register",
    "deregister_server": "deregister",
    "query_sla": "sla",
    "list_health": "health",
    "get_health": "health",
    "report_health": "report",
    "heartbeat": "heartbeat",
    "heartbeat_server": "heartbeat",
    "list_maintenance": "maintenance",
    "plan_maintenance": "maintenance plan",
    "list_active_alerts": "alerts",
    "list_alert_history": "alerts history",
    "stream_alerts": "alerts history",
    "list_silences": "alerts silences",
    "silence_alerts": "alerts silence",
    "ack_alert": "alerts ack",
    "list_alert_rules": "alert-rules list",
    "backtest_alert_rule": "backtest",
    "suggest_threshold": "alert-rules suggest",
    "define_alert_rule": "alert-rules define",
    "get_alert_rule": "alert-rules show",
    "delete_alert_rule": "alert-rules delete",
    "list_subscriptions": "subscriptions",
    "get_subscription": "subscriptions show",
    "subscribe": "subscriptions add",
    "unsubscribe": "subscriptions remove",
    "ingest_metrics": "import",
    "ingest_facts": "import",
}
OPTIONS = {"group_by": "--group-by", "as_of": "--as-of"}
# Of documents, whose arguments are members.
MEMBERS = {
    "as owner": "with --owner",
    "as author": "with --author",
    "as reason": "with --reason",
    'as an array: {"servers": ["io.github.acme/search"]}': "with --server",
}
CAPABILITY = re.compile(rf"\b({'|'.join(COMMANDS)})\b(?: \([A-Z]+ /[^)]*\))?")
MEMBER = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, MEMBERS))})(?!\w)")
ARGUMENT = re.compile(rf"\b({'|'.join(OPTIONS)})(?:=|\b)")


def for_command_line(hint: str) -> str:
    """Replace capabilities and arguments with the commands and options that stand for them."""
    with_commands = CAPABILITY.sub(
        lambda found: f"`{console.command()} {COMMANDS[found[1]]}`", hint
    )
    with_options = ARGUMENT.sub(
        lambda found: OPTIONS[found[1]] + (" " if found[0].endswith("=") else ""), with_commands
    )
    return MEMBER.sub(lambda found: MEMBERS[found[0]], with_options)
