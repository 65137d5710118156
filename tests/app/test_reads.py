"""Which of two databases answers, when one is away or lacks what is known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from supervisor_mcp.cache.changes import Changes
from supervisor_mcp.cache.store import Computed
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem, unavailable
from supervisor_mcp.operations.changes import ChangeReader
from supervisor_mcp.operations.reads import Reads
from supervisor_mcp.operations.replication import Replication

# What has seen the change of the kind, and what has not.
SEES, LACKS = "13:13:", "12:12:"


def reads_of(database: Database, replication: Replication | None = None) -> Reads:
    """Reads that know of a change of the kind cpu."""
    changes = Changes(lifetime_seconds=60)
    changes.learn("10:10:", datetime.now(UTC).timestamp(), {"": {"cpu": [12]}})
    return Reads(database, changes, ChangeReader(database, changes), replication)


def says(
    replication: Replication,
    *,
    primary: Problem | None = None,
    standby: Problem | str = SEES,
) -> Callable[[Database], Awaitable[Computed]]:
    """What both answer."""

    async def read(database: Database) -> Computed:
        if database is replication.primary.database:
            if primary is not None:
                raise primary
            return Computed(b"primary", SEES)
        if isinstance(standby, Problem):
            raise standby
        return Computed(b"standby", standby)

    return read


def answered_by(server: str) -> float:
    found = REGISTRY.get_sample_value("supervisor_database_reads_total", {"server": server})
    return found or 0.0


@pytest.fixture
async def away(nowhere: Database, present: Database) -> Replication:
    """A primary that is away, and its standby, which has answered."""
    both = Replication(nowhere, present, most_lag_seconds=5)
    assert await both.primary.locate() is None
    both.lag_seconds = 0.0
    return both


async def test_an_answer_lacks_what_is_known_of_its_kind(nowhere: Database) -> None:
    reads = reads_of(nowhere)
    assert reads._lacks("cpu", Computed(b"", LACKS))
    assert reads._lacks("cpu", Computed(b"", None))
    assert not reads._lacks("cpu", Computed(b"", SEES))
    assert not reads._lacks(None, Computed(b"", LACKS))
    changes = Changes(lifetime_seconds=60)
    fresh = Reads(nowhere, changes, ChangeReader(nowhere, changes), None)
    assert not fresh._lacks("cpu", Computed(b"", LACKS))


async def test_the_primary_answers_and_is_counted(nowhere: Database, present: Database) -> None:
    both = Replication(present, nowhere, most_lag_seconds=5)
    before = answered_by("primary")
    answer = await reads_of(present, both)._ask_primary(both, says(both), "cpu")
    assert (answer.answer, answered_by("primary")) == (b"primary", before + 1)


@pytest.mark.parametrize("problem", [Problem("kind_known", "d", status=404), unavailable()])
async def test_a_primary_that_is_there_refuses_for_both(
    nowhere: Database, present: Database, problem: Problem
) -> None:
    both = Replication(present, nowhere, most_lag_seconds=5)
    both.lag_seconds = 0.0
    with pytest.raises(Problem) as raised:
        await reads_of(present, both)._ask_primary(both, says(both, primary=problem), "cpu")
    assert raised.value is problem


async def test_what_a_primary_that_is_gone_refuses_as_usual_is_refused(
    nowhere: Database, present: Database
) -> None:
    both = Replication(nowhere, present, most_lag_seconds=5)
    both.lag_seconds = 0.0
    problem = Problem("kind_known", "d", status=404)
    with pytest.raises(Problem) as raised:
        await reads_of(nowhere, both)._ask_primary(both, says(both, primary=problem), "cpu")
    assert raised.value is problem


@pytest.mark.parametrize("kind", ["cpu", "memory", None])
async def test_without_its_primary_a_standby_answers_and_nobody_keeps_it(
    nowhere: Database, present: Database, kind: str | None
) -> None:
    both = Replication(nowhere, present, most_lag_seconds=5)
    both.lag_seconds = 0.0
    before = answered_by("standby")
    read = says(both, primary=unavailable())
    for number in (1, 2):
        answer = await reads_of(nowhere, both)._ask_primary(both, read, kind)
        assert (answer.answer, answer.visibility) == (b"standby", None)
        assert answered_by("standby") == before + number


async def test_a_standby_that_lacks_what_is_known_refuses(away: Replication) -> None:
    reads = reads_of(away.primary.database, away)
    with pytest.raises(Problem, match="its standby lacks what was stored last"):
        await reads._ask_primary(away, says(away, standby=LACKS), "cpu")
    assert (await reads._ask_primary(away, says(away, standby=LACKS), None)).answer == b"standby"


async def test_without_either_the_database_is_unavailable(away: Replication) -> None:
    away.lag_seconds = None
    with pytest.raises(Problem) as raised:
        await reads_of(away.primary.database, away)._ask_primary(away, says(away), "cpu")
    assert raised.value.detail == unavailable().detail


async def test_a_primary_that_is_back_answers_what_the_standby_lacks(away: Replication) -> None:
    reads = reads_of(away.primary.database, away)
    away.primary.database = away.standby.database
    away.standby.database = reads._database
    answer = await reads._ask_primary(away, says(away, standby=LACKS), "cpu")
    assert answer.answer == b"primary"
    assert not away.primary.is_away


async def test_what_a_standby_refuses_is_refused_unless_it_may_lack_it(away: Replication) -> None:
    reads = reads_of(away.primary.database, away)
    problem = Problem("kind_known", "d", status=404)
    refuse = says(away, standby=problem)
    with pytest.raises(Problem) as raised:
        await reads._ask_standby_alone(away, refuse, "cpu")
    assert raised.value is problem
    # No database has come so far.
    changes = {"": {"cpu": [10**15]}}
    reads._changes.learn("10:10:", datetime.now(UTC).timestamp(), changes)
    assert await reads._ask_standby_alone(away, refuse, "cpu") is None
