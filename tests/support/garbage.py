"""Errors that nobody handles any more, and that only the garbage collector would find.

An error has the frames that it passed, and with them what was sent. Where one of those frames has
the error in turn, both stay until the collector comes by: when enough is allocated, however large
the bodies are that wait for it.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import supervisor_mcp

# How long what has ended may take to be gone, on a busy machine.
TURNS = 40
TURN_SECONDS = 0.05
OWN = str(Path(supervisor_mcp.__file__).parent)


@contextmanager
def collected_by_nobody() -> Iterator[Callable[[], Awaitable[list[str]]]]:
    """Keep the collector away; what returns the errors that have frames of the service."""
    gc.collect()
    gc.disable()
    before = {id(error) for error in _errors()}

    def remaining() -> list[str]:
        return [repr(e) for e in _errors() if id(e) not in before and _passed(e.__traceback__)]

    async def left() -> list[str]:
        # What has ended calls back in later turns of the event loop; what holds itself never goes.
        for _ in range(TURNS):
            if not remaining():
                break
            await asyncio.sleep(TURN_SECONDS)
        return remaining()

    try:
        yield left
    finally:
        gc.enable()


def _errors() -> list[BaseException]:
    return [each for each in gc.get_objects() if isinstance(each, BaseException)]


def _passed(traceback: TracebackType | None) -> bool:
    """Whether an error has passed a frame of the service."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.startswith(OWN):
            return True
        traceback = traceback.tb_next
    return False
