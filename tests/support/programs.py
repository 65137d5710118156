"""Programs that are not Python's: run once, or as servers for the time of a context."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.waiting import eventually

RUN_SECONDS = 60
START_SECONDS = 30
# Of a log, the end is enough.
SHOWN = 2000


class Refused(AssertionError):  # noqa: N818  a program has said no
    """A program ended instead of being ready; what it said."""


@dataclass(frozen=True)
class Program:
    """A command, and what its environment has beside that of the tests."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, *arguments: str, **environment: str) -> str:
        """What it says when it ends with an error; nothing when it ends without."""
        done = subprocess.run(
            [*self.command, *arguments],
            env={**os.environ, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 or said
        return said if done.returncode else ""

    @contextmanager
    def running(self, *arguments: str, ready: Callable[[], bool], log: Path) -> Iterator[None]:
        """Run it beside its log, from when it is ready. Raises Refused."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self.command, *arguments],
                cwd=log.parent,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
            )
        try:

            def serves() -> bool:
                if process.poll() is not None:
                    raise Refused(log.read_text()[-SHOWN:])
                return ready()

            eventually(serves, f"the start of {self.command[0]}", seconds=START_SECONDS)
            yield
        finally:
            process.terminate()
            process.wait(10)
