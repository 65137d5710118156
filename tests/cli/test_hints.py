from __future__ import annotations

import pytest

from supervisor_mcp.cli.hints import COMMANDS, for_command_line
from supervisor_mcp.cli.main import app


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
        ("Send it again.", "Send it again."),
        ("Use my_list_kinds.", "Use my_list_kinds."),
    ],
)
def test_a_hint_names_commands_instead_of_tools_and_routes(hint: str, expected: str) -> None:
    assert for_command_line(hint) == expected


def test_every_command_in_the_table_exists() -> None:
    known = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback is not None
    }
    groups = {
        f"{group.name or group.typer_instance.info.name} {command.name}"
        for group in app.registered_groups
        if group.typer_instance is not None
        for command in group.typer_instance.registered_commands
    }
    assert set(COMMANDS.values()) <= known | groups
