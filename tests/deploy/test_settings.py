"""A release changes a setting of a policy only where nobody has set another value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor_mcp.deploy import Report, deploy, shipped_sql_dir
from tests.deploy.conftest import Ask
from tests.deploy.sample import write

SHIPPED = (
    "functions/internal/alter_unchanged.sql",
    "functions/internal/create_policy.sql",
    "functions/internal/set_default_columnstore.sql",
    "functions/internal/set_default_job.sql",
    "functions/internal/set_default_policy.sql",
    "functions/internal/set_default_retention.sql",
    "views/ops/policies.sql",
)
JOB = "select job_id from ops.policies where relation = %s and policy = %s"
RETENTION = ("data.sample", "policy_retention")
COUNT = ("internal.count_samples", "count_samples")

Ship = Callable[..., Report]


@pytest.fixture
def ship(empty_database: str, sql_dir: Path) -> Ship:
    """Deploy a release that ships these settings."""
    write(sql_dir, {path: (shipped_sql_dir() / path).read_text() for path in SHIPPED})

    def run(drop_after: str, schedule: str = "1 hour", config: str = '{"keep": 1}') -> Report:
        text = (
            f"call internal.set_default_retention('data.sample', '{drop_after}');\n"
            "call internal.set_default_columnstore('data.sample', '7 days');\n"
            f"call internal.set_default_job('count_samples', '{schedule}', '{config}');\n"
        )
        write(sql_dir, {"policies/sample.sql": text})
        return deploy(empty_database, sql_dir)

    return run


def settings(ask: Ask, policy: tuple[str, str]) -> tuple[int, str, dict[str, object]]:
    """Job id, schedule and config of a policy."""
    statement = (
        "select job_id, schedule_interval::text, config - 'hypertable_id'"
        " from ops.policies where relation = %s and policy = %s"
    )
    ((job, schedule, config),) = ask(statement, *policy)
    return job, schedule, config


def test_untouched_settings_follow_the_release(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    job, counter = settings(ask, RETENTION)[0], settings(ask, COUNT)[0]

    report = ship("100 days", "2 hours", '{"more": [1]}')

    assert settings(ask, RETENTION) == (job, "1 day", {"drop_after": "100 days"})
    assert settings(ask, COUNT) == (counter, "02:00:00", {"more": [1]})
    assert report.kept == ()


def test_a_setting_that_was_changed_here_is_kept_and_named(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    job = settings(ask, RETENTION)[0]
    ask(
        'select alter_job(job_id, config => config || \'{"drop_after": "5 years"}\')'
        " from ops.policies where relation = %s and policy = %s",
        *RETENTION,
    )

    report = ship("100 days")

    assert settings(ask, RETENTION) == (job, "1 day", {"drop_after": "5 years"})
    line = "kept data.sample policy_retention drop_after 5 years, set here; this release ships"
    assert report.kept == (f"{line} 100 days",)
    assert str(report).endswith(f"\n{line} 100 days")
    assert ship("110 days").kept == (f"{line} 110 days",)


def test_a_policy_that_was_replaced_here_is_kept(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    ask("select remove_retention_policy('data.sample')")
    ask("select add_retention_policy('data.sample', interval '30 days')")
    job = settings(ask, RETENTION)[0]

    ship("100 days")

    assert settings(ask, RETENTION) == (job, "1 day", {"drop_after": "30 days"})


def test_each_setting_of_a_policy_is_kept_by_itself(ship: Ship, ask: Ask) -> None:
    ship("90 days", config='{"keep": 1, "more": 1}')
    ask(
        "select alter_job(job_id, schedule_interval => '3 hours', config => '{\"keep\": 5}')"
        " from ops.policies where relation = %s and policy = %s",
        *COUNT,
    )
    ask(
        "select alter_job(job_id, schedule_interval => '2 days')"
        " from ops.policies where relation = %s and policy = %s",
        *RETENTION,
    )

    report = ship("100 days", "4 hours", '{"keep": 2, "more": 2, "new": 1}')

    assert settings(ask, COUNT)[1:] == ("03:00:00", {"keep": 5, "new": 1})
    assert settings(ask, RETENTION)[1:] == ("2 days", {"drop_after": "100 days"})
    start = "kept internal.count_samples count_samples"
    assert report.kept == (
        f"{start} keep 5, set here; this release ships 2",
        f"{start} more unset, set here; this release ships 2",
        f"{start} schedule_interval 03:00:00, set here; this release ships 04:00:00",
    )


def test_a_paused_job_stays_paused_and_keeps_its_next_start(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    # A job that runs would set its next start when it ends.
    ask("select _timescaledb_functions.stop_background_workers()")
    ask(
        "select alter_job(job_id, scheduled => false, next_start => '2040-01-01') from ops.policies"
    )
    paused = (
        "select job_id, scheduled, (select next_start from _timescaledb_internal.bgw_job_stat as s"
        " where s.job_id = jobs.job_id) from timescaledb_information.jobs where job_id >= 1000"
        " order by 1"
    )
    before = ask(paused)

    ship("100 days", "2 hours", '{"keep": 2}')

    assert settings(ask, RETENTION)[2] == {"drop_after": "100 days"}
    assert ask(paused) == before


def test_a_removed_policy_stays_removed(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    ask("select remove_retention_policy('data.sample')")

    report = ship("100 days")

    assert ask(JOB, *RETENTION) == []
    assert report.kept == ("left data.sample policy_retention removed, as it was here",)


def test_a_policy_from_before_the_first_release_is_kept(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    ask("delete from deploy.setting")

    assert ship("100 days").kept == (
        "kept data.sample policy_retention drop_after 90 days, set here;"
        " this release ships 100 days",
    )


def test_a_value_set_back_to_the_shipped_one_follows_the_next_release(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    change = (
        "select alter_job(job_id, config => jsonb_set(config, '{drop_after}', to_jsonb(%s::text)))"
        " from ops.policies where policy = 'policy_retention'"
    )
    ask(change, "5 years")
    ship("100 days")
    ask(change, "100 days")

    assert ship("110 days").kept == ()
    assert settings(ask, RETENTION)[2] == {"drop_after": "110 days"}


def test_unchanged_policies_report_nothing(ship: Ship, ask: Ask) -> None:
    ship("90 days")
    ask("select remove_retention_policy('data.sample')")

    assert ship("90 days") == Report()
