"""The service as `supervisor-mcp up` runs it, and the processes below it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-P", "-c", "from supervisor_mcp.cli import main; main()")
ROOT = Path(__file__).parent.parent.parent
READY_SECONDS = 60.0
GONE_SECONDS = 25.0


@dataclass(frozen=True)
class Service:
    """A running `up`: its process, what it announced, and the environment that finds it."""

    process: subprocess.Popen[str]
    announced: dict[str, str]
    said: str
    env: dict[str, str]

    @property
    def url(self) -> str:
        """Where REST answers."""
        return self.announced["Service"]

    @property
    def analyst_dsn(self) -> str:
        """What psql is told to use."""
        return self.announced["Analysts"].removeprefix('psql "').removesuffix('"')

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against this service."""
        return run(*arguments, env={**self.env, "SUPERVISOR_URL": self.url, **env})


def run(
    *arguments: str, env: Mapping[str, str], command: Sequence[str] = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        [*command, *arguments],
        env={**(environment() if command is COMMAND else bare()), **env},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def environment() -> dict[str, str]:
    """`bare`, and the command of this checkout is found from any folder."""
    return bare() | {"PYTHONPATH": str(ROOT / "app")}


def bare() -> dict[str, str]:
    """The environment without settings, but for the packages' cache, and without a terminal."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("FORCE_COLOR", "TTY_COMPATIBLE", "PYTHONPATH")
        and (not name.startswith("SUPERVISOR_") or name == "SUPERVISOR_CACHE_DIR")
    }


@contextmanager
def service(
    data_dir: Path,
    *,
    command: Sequence[str] = COMMAND,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Service]:
    """Run `up` on free ports until it is ready; stop it, if it still runs, at the end."""
    own = {
        "SUPERVISOR_DATA_DIR": str(data_dir),
        "SUPERVISOR_PORT": "0",
        "SUPERVISOR_EMBEDDED_PORT": "0",
        "SUPERVISOR_LOG_LEVEL": "warning",
        "SUPERVISOR_WORKERS": "1",
        **(env or {}),
    }
    log = data_dir.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "up"],
            env={**(environment() if command is COMMAND else bare()), **own},
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        said = _announcement(process, log)
        announced: dict[str, str] = {}
        for line in said.splitlines():
            name, _, value = line.strip().partition(" ")
            announced.setdefault(name, value.strip())
        yield Service(process, announced, said, own)
    finally:
        if process.poll() is None:
            process.terminate()
        assert process.stdout is not None
        process.stdout.close()
        process.wait(GONE_SECONDS)


def _announcement(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if " agg " in line:
            return "".join(lines)
        if time.monotonic() > deadline:
            break
    raise AssertionError(f"not ready: {''.join(lines)}\n{log.read_text()}")


def descendants(pid: int) -> set[tuple[int, int]]:
    """Processes below `pid`, itself included: pid and start time, which no other process shares."""
    parents = {
        each: stat
        for entry in Path("/proc").glob("[0-9]*")
        if (stat := _stat(each := int(entry.name)))
    }
    found = {pid}
    while True:
        more = {each for each, (parent, _, _) in parents.items() if parent in found} - found
        if not more:
            return {(each, parents[each][1]) for each in found if each in parents}
        found |= more


def alive(processes: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the processes that still run."""
    return {
        (pid, started)
        for pid, started in processes
        if (stat := _stat(pid)) and stat[1] == started and stat[2] != "Z"
    }


def kill(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to one process."""
    os.kill(process.pid, number)


def eventually(condition: Callable[[], bool], seconds: float = GONE_SECONDS) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _stat(pid: int) -> tuple[int, int, str] | None:
    """Parent, start time in clock ticks and state of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[19]), fields[0]
