"""What a release ships for a policy, and what was set here."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import Json, ask

# Each has something in common with others.
COMPRESSION = ("data.sample", "policy_compression")
PRUNE = ("internal.prune", "prune")
LATE = ("internal.refresh_late", "refresh_late")
Settings = dict[tuple[str, str, str], tuple[Any, Any]]


def ship(db: Connection, policy: tuple[str, str], **settings: Any) -> None:
    db.execute("call internal.set_default_policy(%s, %s, %s)", [*policy, Jsonb(settings)])


def shipped(db: Connection) -> Settings:
    """What is noted of every setting: the value that was shipped, and the one that was kept."""
    return {
        tuple(row[:3]): tuple(row[3:])
        for row in db.execute(
            "select relation, policy, setting, value, local_value from deploy.setting"
        )
    }


def jobs(db: Connection) -> dict[int, tuple[Any, ...]]:
    return {
        row[0]: tuple(row[1:])
        for row in db.execute(
            "select job_id, relation, policy, schedule_interval::text, config from ops.policies"
        )
    }


def job(db: Connection, policy: tuple[str, str]) -> int:
    number: int = ask(
        db, "select min(job_id) from ops.policies where relation = %s and policy = %s", *policy
    )
    return number


def alter(db: Connection, policy: tuple[str, str], config: Json) -> None:
    db.execute("select alter_job(%s, config => %s)", [job(db, policy), Jsonb(config)])


@pytest.mark.parametrize(
    ("policy", "settings"),
    [
        (COMPRESSION, {"compress_after": "5 days"}),
        (LATE, {"schedule_interval": "00:02:00", "settle": "3 minutes"}),
    ],
)
def test_what_a_release_ships_is_set_for_that_policy_alone(
    db: Connection, policy: tuple[str, str], settings: Json
) -> None:
    jobs_before, before, number = jobs(db), shipped(db), job(db, policy)
    ship(db, policy, **settings)

    after = jobs(db)
    *_, schedule, config = after.pop(number)
    *_, schedule_before, config_before = jobs_before.pop(number)
    assert after == jobs_before
    assert schedule == settings.get("schedule_interval", schedule_before)
    assert config == config_before | {
        key: value for key, value in settings.items() if key != "schedule_interval"
    }
    assert shipped(db) == before | {
        (*policy, key): (value, None) for key, value in settings.items()
    }


def test_what_was_set_here_is_kept_and_noted(db: Connection) -> None:
    before = shipped(db)
    alter(db, LATE, {"settle": "9 minutes"})
    ship(db, LATE, schedule_interval="00:01:00", settle="3 minutes")

    assert jobs(db)[job(db, LATE)][-1] == {"settle": "9 minutes"}
    assert shipped(db) == before | {(*LATE, "settle"): ("3 minutes", "9 minutes")}


def test_a_setting_that_was_removed_here_stays_removed_and_is_noted(db: Connection) -> None:
    before = shipped(db)
    alter(db, LATE, {})
    ship(db, LATE, schedule_interval="00:01:00", settle="3 minutes")

    assert jobs(db)[job(db, LATE)][-1] == {}
    assert shipped(db) == before | {(*LATE, "settle"): ("3 minutes", "unset")}


def test_a_setting_that_is_not_shipped_any_more_is_forgotten(db: Connection) -> None:
    before = shipped(db)
    ship(db, LATE, schedule_interval="00:01:00", other="1")

    assert jobs(db)[job(db, LATE)][-1] == {"other": "1"}
    del before[*LATE, "settle"]
    assert shipped(db) == before | {(*LATE, "other"): ("1", None)}


def test_a_policy_that_was_removed_here_stays_removed(db: Connection) -> None:
    before = shipped(db)
    db.execute("select delete_job(%s)", [job(db, LATE)])
    jobs_before = jobs(db)
    ship(db, LATE, schedule_interval="00:01:00", settle="1 minute")

    assert jobs(db) == jobs_before
    kept = db.execute(
        "select distinct local_value::text from deploy.setting where policy = 'refresh_late'"
    ).fetchall()
    assert kept == [("null",)]
    assert shipped(db).keys() == before.keys()


def test_a_policy_that_was_never_shipped_is_made(db: Connection) -> None:
    db.execute("select delete_job(%s)", [job(db, LATE)])
    db.execute("delete from deploy.setting where relation = %s and policy = %s", LATE)
    before = shipped(db)
    ship(db, LATE, schedule_interval="00:07:00", settle="4 minutes")

    assert jobs(db)[job(db, LATE)][2:] == ("00:07:00", {"settle": "4 minutes"})
    assert shipped(db) == before | {
        (*LATE, "schedule_interval"): ("00:07:00", None),
        (*LATE, "settle"): ("4 minutes", None),
    }


def test_a_job_that_is_there_before_anything_is_shipped_keeps_its_settings(
    db: Connection,
) -> None:
    db.execute("delete from deploy.setting where relation = %s and policy = %s", LATE)
    before = jobs(db)
    ship(db, LATE, schedule_interval="00:07:00", settle="4 minutes")

    assert jobs(db) == before
    assert shipped(db)[*LATE, "settle"] == ("4 minutes", "1 minute")


def test_of_two_jobs_of_a_procedure_the_first_one_is_shipped(db: Connection) -> None:
    first = job(db, LATE)
    second = ask(db, "select add_job('internal.refresh_late', '1 h', config => '{\"a\": 1}')")
    for settle in ("3 minutes", "4 minutes"):
        ship(db, LATE, schedule_interval="00:01:00", settle=settle)

    after = jobs(db)
    assert after[first][-1] == {"settle": "4 minutes"}
    assert after[second][-1] == {"a": 1}


def test_a_job_without_a_config_gets_what_is_shipped(db: Connection) -> None:
    pins = ("internal.keep_pins", "keep_pins")
    assert jobs(db)[job(db, pins)][-1] in (None, {})
    ship(db, pins, schedule_interval="01:00:00", most="3")

    assert jobs(db)[job(db, pins)][-1] == {"most": "3"}
    assert shipped(db)[*pins, "most"] == ("3", None)
