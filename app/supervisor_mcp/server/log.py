"""gunicorn's log as a part of the log of its process."""

from __future__ import annotations

from gunicorn.config import Config
from gunicorn.glogging import Logger

from supervisor_mcp import config
from supervisor_mcp.telemetry import log


class Log(Logger):  # type: ignore[misc]
    """Leaves handlers and levels to `telemetry/log.py`; workers inherit them."""

    def setup(self, cfg: Config) -> None:
        """Set the log of this process up."""
        self.cfg = cfg
        log.set_up(config.load().log_level)
