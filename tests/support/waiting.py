"""Waiting for a condition with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 15.0
PAUSE_SECONDS = 0.02


def eventually(
    condition: Callable[[], T], what: str = "the condition", *, seconds: float = SECONDS
) -> T:
    """Call `condition` until it returns something true, and return that.

    Raises AssertionError, which names `what`, when that takes longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        _check(deadline, seconds, what, found)
        time.sleep(PAUSE_SECONDS)
    return found


async def eventually_async(
    condition: Callable[[], Awaitable[T]],
    what: str = "the condition",
    *,
    seconds: float = SECONDS,
) -> T:
    """Do what `eventually` does with a coroutine function, while the event loop runs."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        _check(deadline, seconds, what, found)
        await asyncio.sleep(PAUSE_SECONDS)
    return found


def _check(deadline: float, seconds: float, what: str, found: object) -> None:
    if time.monotonic() > deadline:
        raise AssertionError(f"{what} is still {found!r} after {seconds:g} s")
