from __future__ import annotations

import pytest
import typer

from supervisor_mcp.cli.hints import COMMANDS, for_command_line
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
            "Call query_agg with group_by=source.",
            "Call `supervisor-mcp agg` with --group-by source.",
        ),
        ("Leave out group_by, or leave out as_of.", "Leave out --group-by, or leave out --as-of."),
        ("Send its owner as owner.", "Send its owner with --owner."),
        (
            'Send the names as an array: {"servers": ["io.github.acme/search"]}.',
            "Send the names with --server.",
        ),
        (
            "list_maintenance (GET /health/maintenance) lists the windows.",
            "`supervisor-mcp maintenance` lists the windows.",
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
