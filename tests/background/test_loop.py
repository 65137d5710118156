"""Loops: they go on after failures, say so once, and end when they are stopped."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

from supervisor_mcp.background.loop import Loop
from supervisor_mcp.errors import Problem, internal, unavailable
from tests.support.waiting import eventually_async


async def lines(
    caplog: pytest.LogCaptureFixture, failures: list[Exception | None]
) -> list[logging.LogRecord]:
    """What is logged while a step fails as given, in order, and then no more."""
    caplog.set_level(logging.INFO)
    left = [*failures, None, None]

    async def step() -> None:
        failure = left.pop(0) if left else None
        if failure is not None:
            raise failure

    async def done() -> bool:
        return not left

    loop = Loop("counting", step, interval_seconds=0.001)
    loop.start()
    await eventually_async(done)
    await loop.stop()
    return [record for record in caplog.records if record.name.startswith("supervisor_mcp")]


async def test_a_failure_is_logged_once_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = await lines(caplog, [unavailable(), unavailable(), unavailable()])
    assert [record.getMessage() for record in found] == [
        "counting does not run, trying again: the database does not answer",
        "counting runs again",
    ]
    assert not found[0].exc_info


@pytest.mark.parametrize("defect", [internal(), KeyError("name")])
async def test_a_defect_is_logged_with_its_cause(
    caplog: pytest.LogCaptureFixture, defect: Problem | KeyError
) -> None:
    found, end = await lines(caplog, [defect, defect])
    assert (found.levelno, end.levelno) == (logging.ERROR, logging.INFO)
    assert found.exc_info is not None


async def test_a_loop_that_is_stopped_ends_within_a_step() -> None:
    ended = asyncio.Event()

    async def step() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    loop = Loop("waiting", step, interval_seconds=1)
    loop.start()
    await asyncio.sleep(0)
    await loop.stop()
    assert ended.is_set()


async def test_a_loop_ends_although_its_step_loses_the_cancellation() -> None:
    began = asyncio.Event()

    async def step() -> None:
        began.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    loop = Loop("counting", step, interval_seconds=60)
    loop.start()
    await began.wait()
    stopping = asyncio.create_task(loop.stop())
    # A time limit around it would cancel the loop again.
    await asyncio.wait({stopping}, timeout=5)
    assert stopping.done()


async def test_a_step_that_has_more_to_do_is_followed_by_the_next_one_at_once() -> None:
    left = [True, True, False]

    async def step() -> bool:
        return left.pop(0)

    async def empty() -> bool:
        return not left

    loop = Loop("emptying", step, interval_seconds=60)
    loop.start()
    await eventually_async(empty)
    await loop.stop()
    assert left == []
