"""The worker process that gunicorn starts."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

from supervisor_mcp.server.protocol import Protocol


class Worker(UvicornWorker):  # type: ignore[misc]
    """uvicorn on httptools, on uvloop if installed; the access log is the middleware's."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        "loop": "auto",
        "http": Protocol,
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "server_header": False,
    }

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # The base class keeps uvicorn's log from the handler of the process. `uvicorn.access` stays
        # cut off: a handler there makes uvicorn compose an access line for each request.
        logging.getLogger("uvicorn.error").propagate = True
