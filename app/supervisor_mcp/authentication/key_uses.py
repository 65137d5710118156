"""When keys were used last: noted at once, recorded beside the requests."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Final

import msgspec

from supervisor_mcp import identity
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.json_text import Json

logger = logging.getLogger(__name__)

# Uses within this time are one statement.
PAUSE_SECONDS: Final = 5.0


class KeyUses:
    """Records the newest use of each key, unless the database takes no writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, key_id: str, used_at: datetime) -> None:
        """Have a use recorded."""
        self._noted[key_id] = used_at
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), context=identity.of_service())

    async def stop(self) -> None:
        """Record what was noted."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._record()

    async def _run(self) -> None:
        while self._noted:
            await asyncio.sleep(PAUSE_SECONDS)
            await self._record()

    async def _record(self) -> None:
        noted, self._noted = self._noted, {}
        if not noted:
            return
        uses = [{"id": key_id, "used_at": used_at} for key_id, used_at in noted.items()]
        try:
            await self._database.record("record_key_use", {"uses": Json(msgspec.json.encode(uses))})
        except Problem as problem:
            logger.debug("the use of keys was not recorded: %s", problem)
