"""The command line, and the service as `supervisor-mcp up` runs it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import preloaded
from tests.support.repository import ROOT

COMMAND = (sys.executable, "-P", "-c", "from supervisor_mcp.cli import main; main()")
READY_SECONDS = 120.0
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
        """The DSN of the line about psql."""
        return self.announced["Analysts"].split('"')[1]

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against this service."""
        return run(*arguments, env={**self.env, "SUPERVISOR_URL": self.url, **env})


def run(
    *arguments: str, env: Mapping[str, str], command: Sequence[str] = COMMAND
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    if command is COMMAND and all(map(_is_read_late, env)):
        return preloaded.run([*arguments], {**environment(), **env})
    return subprocess.run(
        [*command, *arguments],
        env={**(environment() if command is COMMAND else bare()), **env},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def _is_read_late(name: str) -> bool:
    """Whether a variable is read when a command runs: others may be when modules are imported."""
    return name.startswith("SUPERVISOR_") or name in {"COLUMNS", "NO_COLOR", "TTY_COMPATIBLE"}


def environment() -> dict[str, str]:
    """`bare`, and the command of this checkout is found from any folder."""
    return bare() | {"PYTHONPATH": str(ROOT / "app")}


def bare() -> dict[str, str]:
    """The environment without a terminal and without settings except the folder of packages."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in ("FORCE_COLOR", "TTY_COMPATIBLE", "PYTHONPATH")
        and (not name.startswith("SUPERVISOR_") or name == "SUPERVISOR_CACHE_DIR")
    }


def install(folder: Path) -> None:
    """Make the command of this checkout a program `supervisor-mcp` in `folder`."""
    program = folder / "supervisor-mcp"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o700)


@contextmanager
def up(
    data_dir: Path,
    *options: str,
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
        # No test talks to a host that its input names.
        "SUPERVISOR_PROBE": "false",
        "SUPERVISOR_DELIVERY": "false",
        **(env or {}),
    }
    log = data_dir.with_suffix(".log")
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "up", *options],
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
