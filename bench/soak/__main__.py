"""Run the crash soak: `python -m bench.soak [rounds]`."""

from __future__ import annotations

import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table

from bench.soak.check import lost, stale
from bench.soak.load import Load
from bench.soak.manners import MANNERS, Round, remove_disk, small_disk
from bench.soak.partition import Partition
from supervisor_mcp.embedded import cache
from tests.support import command_line

ROUNDS = 16
READY_SECONDS = 120.0
# How long the load runs before and after the interruption.
BEFORE_SECONDS = (0.5, 2.0)
AFTER_SECONDS = 1.0


@dataclass(frozen=True)
class Outcome:
    """What a round found."""

    manner: str
    acknowledged: int
    lost: int
    stale: int
    ready_seconds: float


def main() -> None:
    """Run the rounds and print a summary; status 1 if anything was lost or stale."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="supervisor-soak-") as folder,
        _disk(Path(folder) / "disk") as (disk, may_fill),
        cache.start(Path(folder) / "redis") as valkey,
        Partition(str(valkey.socket)) as partition,
    ):
        manners = [name for name in MANNERS if may_fill or name != "full disk"]
        if not may_fill:
            console.print("Without a full disk: mounting a small one takes root.")
        outcomes = []
        for number, manner in enumerate(islice(cycle(manners), rounds), 1):
            outcome = _round(number, manner, disk, partition)
            outcomes.append(outcome)
            console.print(
                f"{number}/{rounds} {manner}: {outcome.acknowledged} acknowledged,"
                f" {outcome.lost} lost, {outcome.stale} stale,"
                f" ready after {outcome.ready_seconds:.1f} s"
            )
    console.print(_summary(outcomes))
    sys.exit(any(outcome.lost or outcome.stale for outcome in outcomes))


def _round(number: int, manner: str, disk: Path, partition: Partition) -> Outcome:
    env = {"SUPERVISOR_PORT": str(_free_port()), "SUPERVISOR_WORKERS": "2"}
    if manner == "Redis partition":
        env["SUPERVISOR_REDIS_URL"] = f"redis://127.0.0.1:{partition.port}"
    with ExitStack() as stack:
        service = stack.enter_context(command_line.up(disk / "data", env=env))
        with Load(service.url, f"Soak{number}") as load:
            time.sleep(random.uniform(*BEFORE_SECONDS))
            interrupted = time.monotonic()
            MANNERS[manner](Round(service, partition, disk))
            if manner in {"up", "all at once"}:
                service.process.wait()
                service = stack.enter_context(command_line.up(disk / "data", env=env))
            _await(lambda: _readiness(service.url) == "ready")
            ready = time.monotonic() - interrupted
            before = load.acknowledged
            _await(lambda: load.acknowledged > before)
            time.sleep(AFTER_SECONDS)
        database = service.announced["Database"]
        return Outcome(
            manner, load.acknowledged, lost(load, database), stale(load, database), ready
        )


def _readiness(url: str) -> str:
    try:
        return str(httpx.get(f"{url}/readyz", timeout=10, trust_env=False).json().get("status"))
    except (httpx.TransportError, ValueError) as error:
        return str(error)


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the service does not answer {READY_SECONDS:.0f} s after the round")
        time.sleep(0.05)


@contextmanager
def _disk(folder: Path) -> Iterator[tuple[Path, bool]]:
    folder.mkdir()
    mounted = small_disk(folder)
    try:
        yield folder, mounted
    finally:
        if mounted:
            remove_disk(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _summary(outcomes: list[Outcome]) -> Table:
    table = Table(title="Crash soak", title_justify="left")
    for heading in ("manner", "rounds", "acknowledged", "lost", "stale answers", "ready after"):
        table.add_column(heading, justify="left" if heading == "manner" else "right")
    for manner in dict.fromkeys(outcome.manner for outcome in outcomes):
        of = [outcome for outcome in outcomes if outcome.manner == manner]
        seconds = [outcome.ready_seconds for outcome in of]
        table.add_row(
            manner,
            str(len(of)),
            f"{sum(outcome.acknowledged for outcome in of):,}",
            str(sum(outcome.lost for outcome in of)),
            str(sum(outcome.stale for outcome in of)),
            f"{median(seconds):.1f} s, at most {max(seconds):.1f} s",
        )
    return table


if __name__ == "__main__":
    main()
