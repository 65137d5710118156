"""The database of a command that needs no service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from supervisor_mcp import embedded
from supervisor_mcp.cli import servers
from supervisor_mcp.config import Settings


@contextmanager
def reach(settings: Settings, progress: servers.Progress) -> Iterator[str]:
    """The DSN in the settings, else the embedded database: of a running service, or started alone.

    Started for the command, it runs no jobs. Raises Failure.
    """
    if settings.database_url is None and settings.deploy_database_url is None:
        endpoints = embedded.running(settings.data_dir)
        if endpoints is not None:
            yield endpoints.database_url
            return
    with servers.start_database(settings, progress, jobs=False) as (url, _):
        yield url
