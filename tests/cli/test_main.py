from __future__ import annotations

import pytest

from tests.support import command_line


def test_help_lists_the_commands() -> None:
    done = command_line.run("--help", env={})
    assert done.returncode == 0
    for command in ("up", "deploy", "import", "agg", "kinds", "facts", "demo", "generate"):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("arguments", [("agg", "--windw", "7d"), ("nonsense",), ("import",)])
def test_wrong_arguments_end_with_status_2(arguments: tuple[str, ...]) -> None:
    done = command_line.run(*arguments, env={})
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_read_is_named() -> None:
    done = command_line.run("kinds", env={"SUPERVISOR_PORT": "many"})
    assert done.returncode == 2
    assert done.stderr.startswith("SUPERVISOR_PORT is 'many'")
