from __future__ import annotations

from tests.support import command_line


def test_a_second_deploy_has_nothing_to_do(empty_database: str) -> None:
    env = {"SUPERVISOR_DATABASE_URL": empty_database}
    first = command_line.run("deploy", env=env)
    assert first.returncode == 0, first.stderr
    assert "applied migrations/0001_frame.sql" in first.stdout
    second = command_line.run("deploy", env=env)
    assert (second.returncode, second.stdout) == (0, "nothing to do\n")


def test_a_setting_that_is_not_a_dsn_is_refused() -> None:
    done = command_line.run("deploy", env={"SUPERVISOR_DATABASE_URL": "no dsn"})
    assert done.returncode == 2
    assert "SUPERVISOR_DATABASE_URL is not a DSN" in done.stderr
