"""Errors and hints of the service in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from typer._click.core import Context
from typer._click.globals import get_current_context

from supervisor_mcp.cli import console

# The service names a capability as its tool and its route: `list_kinds (GET /query/kinds)`.
COMMANDS = {
    "list_kinds": "kinds",
    "query_agg": "agg",
    "query_facts": "facts",
    "stream_facts": "facts",
    "query_metrics": "series",
    "query_changes": "changes",
    "query_kpis": "kpis query",
    "list_kpis": "kpis list",
    "define_kpi": "kpis define",
    "delete_kpi": "kpis delete",
    "query_sql": "sql",
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
    "list_keys": "keys list",
    "create_key": "keys create",
    "revoke_key": "keys revoke",
    "rotate_key": "keys rotate",
    "list_audit": "audit",
    "list_policies": "policies",
    "set_policy": "policies set",
    "plan_retention": "policies plan",
    "list_pins": "pins",
    "pin_window": "pins add",
    "unpin_window": "pins remove",
    "doctor": "doctor",
    "list_restatements": "restatements",
    "create_snapshot": "snapshots create",
    "get_snapshot": "snapshots show",
    "list_snapshots": "snapshots",
    "ingest_metrics": "import",
    "ingest_facts": "import",
}
# What the command line says otherwise, whatever the command.
PHRASES = {
    'Send the names of the servers as an array: {"servers": ["io.github.acme/search"]}.': (
        "Send the names of the servers with --server."
    ),
    "Send the end of the silence as to.": (
        "Send --for with a length, such as 2h, or --to with a time."
    ),
    "; supervisor://schema lists them.": ".",
    "params.faults lists": "--json lists",
    "params.items lists": "--json lists",
    " after the seconds in Retry-After": " in a moment",
}
# A matcher of labels in a document: `{"name": "source", "operator": "=", "value": "web"}`.
MATCHER = re.compile(r'\{"name": "([^"]*)", "operator": "([^"]*)", "value": "([^"]*)"\}')
# Fields that errors name together.
COMPANIONS = {
    "as_of": ("source", "group_by"),
    "from": ("to", "as_of"),
    "to": ("from",),
    "window": ("from", "to"),
}
CAPABILITY = re.compile(
    rf"\b({'|'.join(COMMANDS)})\b(?: \([A-Z]+ /[^)]*\))?"
    r"(?: with (?:a kind|kind=(?P<kind>\S+)) and group_by=(?P<label>\S+[\w>]))?"
)
# A field with an underscore is no other word. Where others are fields, one of these is before them.
IDENTIFIER = re.compile(r"(?<![\w.-])([a-z]+(?:_[a-z]+)+)(?![\w.\[])(=?)")
BEFORE = (
    r"^|as |\ban? |out |than |with |by |later |earlier |longer |larger |shorter |not before "
    r"|[Oo]r |and |Send "
)
PLACE = re.compile(r"(?<![\w.])[a-z_]+(?:\[\d+\])?(?:\.[a-z_]+(?:\[\d+\])?)+(?![\w(])")


def for_command_line(text: str, field: str | None = None) -> str:
    """A hint with the commands and options that stand for capabilities and fields.

    `field` is what the error is about. Options are those of the command that runs.
    """
    options = _options()
    named = _replace(text, field, options)
    option = _option(field or "", options)
    if option and option.startswith("-") and text.startswith("Send ") and "--" not in named:
        return f"{option}: {named}"
    return named


def none_match(things: str, command: str) -> str:
    """What to say of an empty list that filters narrow."""
    return f"No {things} match. `{console.command()} {command}` lists them without filters."


def detail_for_command_line(text: str, field: str | None = None) -> str:
    """What is wrong, with the options that stand for fields."""
    return _replace(text, field, _options())


def _replace(text: str, field: str | None, options: Mapping[str, str]) -> str:
    for phrase, other in PHRASES.items():
        text = text.replace(phrase, other)
    text = MATCHER.sub(r"\1\2\3", text)
    text = CAPABILITY.sub(_command, text)
    text = re.sub(
        r'\bparameter "(\w+)"',
        lambda found: options.get(found[1], found[0]),
        text,
    )
    text = PLACE.sub(lambda found: _option(found[0], options) or found[0], text)
    text = IDENTIFIER.sub(
        lambda found: options[found[1]] + " " * len(found[2]) if found[1] in options else found[0],
        text,
    )
    mentioned = (field or "", *COMPANIONS.get(field or "", ()))
    fields = [each for each in mentioned if each in options]
    for each in fields:
        text = re.sub(rf"({BEFORE}){each}(?=$|[.,;: ])(?! of\b)", rf"\g<1>{options[each]}", text)
    return text.replace(" as --", " with --")


def _command(found: re.Match[str]) -> str:
    """The command for a capability, with the kind and the groups that are named."""
    grouped = f" {found['kind'] or 'KIND'} --group-by {found['label']}" if found["label"] else ""
    return f"`{console.command()} {COMMANDS[found[1]]}{grouped}`"


def _option(field: str, options: Mapping[str, str]) -> str | None:
    """The option for a field or for the place of one in a document: `alerts.matchers[0].value`."""
    for part in reversed(re.sub(r"\[\d+\]", "", field).split(".")):
        for name in (part, part.removesuffix("s")):
            if name in options:
                return options[name]
    return None


def _options() -> dict[str, str]:
    """The options and arguments of the command that runs, by the names of their fields."""
    # Typer passes the context to functions that ask for it; this is for those that they call.
    context = get_current_context(silent=True)
    return dict(_named(context)) if context is not None else {}


def _named(context: Context) -> Iterator[tuple[str, str]]:
    for parameter in context.command.params:
        for option in parameter.opts:
            if option.startswith("--"):
                yield option[2:].replace("-", "_"), option
        if parameter.param_type_name == "argument" and parameter.name:
            yield parameter.name.rstrip("_"), str(parameter.metavar or parameter.name.upper())
