from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import typer
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from supervisor_mcp.cli.hints import COMMANDS, detail_for_command_line, for_command_line
from supervisor_mcp.cli.main import app
from supervisor_mcp.rest.app import OPERATIONS

# Paths about the service itself.
OPERATIONAL = {"/livez", "/readyz", "/metrics"}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (
            "list_kinds (GET /query/kinds) lists the kinds.",
            "`supervisor-mcp kinds` lists the kinds.",
        ),
        (
            "Call query_agg (GET /query/agg) with kind=cpu.load and group_by=source.",
            "Call `supervisor-mcp agg cpu.load --group-by source`.",
        ),
        (
            "Call query_agg with a kind and group_by=label.region.",
            "Call `supervisor-mcp agg KIND --group-by label.region`.",
        ),
        (
            'Send the names of the servers as an array: {"servers": ["io.github.acme/search"]}.',
            "Send the names of the servers with --server.",
        ),
        (
            "list_maintenance (GET /health/maintenance) lists the windows.",
            "`supervisor-mcp maintenance` lists the windows.",
        ),
        (
            'Send a matcher, such as {"name": "source", "operator": "=", "value": "web"}, or'
            ' {"name": "severity", "operator": "!~", "value": "info|warning"}.',
            "Send a matcher, such as source=web, or severity!~info|warning.",
        ),
        ("Send it again.", "Send it again."),
        ("Use my_list_kinds.", "Use my_list_kinds."),
    ],
)
def test_a_hint_names_commands_instead_of_tools_and_routes(hint: str, expected: str) -> None:
    assert for_command_line(hint) == expected


def test_every_command_in_the_table_exists() -> None:
    known = commands(app)
    for group in app.registered_groups:
        assert group.typer_instance
        name = group.name or group.typer_instance.info.name
        known |= {f"{name}"} | {f"{name} {each}" for each in commands(group.typer_instance)}
    assert set(COMMANDS.values()) <= known


def test_every_capability_has_a_command() -> None:
    capabilities = {operation.name for path, operation in OPERATIONS if path not in OPERATIONAL}
    assert set(COMMANDS) == capabilities


def commands(group: typer.Typer) -> set[str]:
    """The names of the commands of a group."""
    return {
        command.name or command.callback.__name__
        for command in group.registered_commands
        if command.callback is not None
    }


@pytest.mark.parametrize(
    ("arguments", "field", "hint", "expected"),
    [
        (
            ["agg"],
            "as_of",
            "Leave out source and group_by, or as_of.",
            "Leave out --source and --group-by, or --as-of.",
        ),
        (["agg"], "group_by", "Send source or label.<name>.", "--group-by: Send source or"),
        (["series"], "step", "Send a larger step, a shorter range.", "Send a larger --step, a"),
        (
            ["sla"],
            "window",
            "Send window for a time, or from and to for any other.",
            "Send --window for a time, or --from and --to for any other.",
        ),
        (["sla"], "from", "Send a from that is earlier than to.", "Send a --from that is"),
        (["alerts", "silence"], "comment", "Send why as comment.", "Send why with --comment."),
        (
            ["alerts", "silence"],
            "to",
            "Send the end of the silence as to.",
            "Send --for with a length, such as 2h, or --to with a time.",
        ),
        (["alerts", "ack"], "until", "Send a later until, or none.", "Send a later --until, or"),
        (["alerts", "ack"], "id", "Send a shorter id.", "Send a shorter ID."),
        (["deregister"], "owner", "Send its owner as owner, or", "Send its owner with --owner, or"),
        (
            ["subscriptions", "add"],
            "alerts.group_by[0]",
            "alerts.group_by[0]: The value is 1. params.faults lists every broken rule.",
            "--group-by: The value is 1. --json lists every broken rule.",
        ),
        (
            ["subscriptions", "add"],
            "alerts.matchers[0].value",
            "alerts.matchers[0].value: Invalid regular expression.",
            "--matcher: Invalid regular expression.",
        ),
    ],
)
def test_a_hint_names_the_options_of_the_command_that_runs(
    arguments: list[str], field: str, hint: str, expected: str
) -> None:
    with running(*arguments):
        shown = for_command_line(hint, field)
    assert shown.startswith(expected)


@pytest.mark.parametrize(
    ("arguments", "field", "detail", "expected"),
    [
        (["facts"], "from", 'parameter "from" must be a timestamp', "--from must be a timestamp"),
        (["facts"], "from", "from (9) is not before to (8)", "--from (9) is not before --to (8)"),
        (
            ["subscriptions", "add"],
            "url",
            "invalid fields: alerts.group_wait, url",
            "invalid fields: --group-wait, url",
        ),
        (["agg"], "kind", 'unknown kind "to"', 'unknown kind "to"'),
        (["facts"], "nope", 'unknown parameter "nope"', 'unknown parameter "nope"'),
        (["agg"], "kind", "Send group_by=source.", "Send --group-by source."),
        (["agg"], "kind", "group_by is wrong", "--group-by is wrong"),
        (["agg"], "kind", "Send min_count=2, some_text.", "Send min_count=2, some_text."),
        (["agg"], "kind", "Leave alerts.matchers out.", "Leave alerts.matchers out."),
    ],
)
def test_an_error_names_the_options_of_the_command_that_runs(
    arguments: list[str], field: str, detail: str, expected: str
) -> None:
    with running(*arguments):
        assert detail_for_command_line(detail, field) == expected


@contextmanager
def running(*arguments: str) -> Iterator[None]:
    """Be within a command, as its function is."""
    command = get_command(app)
    with ExitStack() as stack:
        context = Context(command)
        for name in arguments:
            assert isinstance(command, TyperGroup)
            command = command.commands[name]
            context = Context(command, parent=context)
        stack.enter_context(context.scope())
        yield


def test_outside_of_a_command_fields_keep_their_names() -> None:
    assert for_command_line("Send a later from.", "from") == "Send a later from."
    assert detail_for_command_line("group_by is wrong", "group_by") == "group_by is wrong"
