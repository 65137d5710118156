"""The embedded TimescaleDB and Valkey of one data directory."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from supervisor_mcp.embedded import cache, database, packages

STATE = "embedded.json"


@dataclass(frozen=True)
class Endpoints:
    """Where the servers of a data directory are reached."""

    database_url: str
    redis_url: str


@contextmanager
def start(
    data_dir: Path,
    *,
    cache_dir: Path,
    registry: str = packages.REGISTRY,
    port: int = 0,
    jobs: bool = True,
    jobs_wait_seconds: float = 0,
    idle_in_transaction_seconds: float = 30,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Endpoints]:
    """Both servers for as long as the context lasts; `running` finds them meanwhile.

    The arguments are those of `database.start`, and so are the errors.
    """
    started = database.start(
        data_dir,
        cache_dir=cache_dir,
        registry=registry,
        port=port,
        jobs=jobs,
        jobs_wait_seconds=jobs_wait_seconds,
        idle_in_transaction_seconds=idle_in_transaction_seconds,
        progress=progress,
    )
    with (
        started,
        cache.start(data_dir) as valkey,
        announced(data_dir, started, valkey.url) as endpoints,
    ):
        yield endpoints


@contextmanager
def announced(data_dir: Path, started: database.Database, redis_url: str) -> Iterator[Endpoints]:
    """Do what `announce` does while the context lasts."""
    try:
        yield announce(data_dir, started, redis_url)
    finally:
        (data_dir / STATE).unlink(missing_ok=True)


def announce(data_dir: Path, started: database.Database, redis_url: str) -> Endpoints:
    """Make `running` find the database of `data_dir`, and its cache."""
    endpoints = Endpoints(started.url, redis_url)
    # On a full disk the servers are not found; that they run matters more.
    with suppress(OSError):
        _write(data_dir / STATE, {"database_pid": started.pid, **asdict(endpoints)})
    return endpoints


def running(data_dir: Path) -> Endpoints | None:
    """The servers that run on `data_dir` now, started by this or another process, or None.

    What the state file says is believed only while the process that it names holds the lock of
    the data directory and Valkey answers.
    """
    pid = database.running_pid(data_dir)
    try:
        state = json.loads((data_dir / STATE).read_text())
        endpoints = Endpoints(state["database_url"], state["redis_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if pid is None or state.get("database_pid") != pid or not cache.answers(endpoints.redis_url):
        return None
    return endpoints


def _write(path: Path, state: dict[str, object]) -> None:
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_text(json.dumps(state))
    beside.replace(path)
