"""A server process that this process started and ends."""

from __future__ import annotations

import subprocess
from types import TracebackType
from typing import Self

STOP_SECONDS = 15.0


class Server:
    """A running server; ends with `stop`, with the context, or with this process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self.url = url
        self.pid = process.pid

    def ended(self) -> int | None:
        """The exit status once the process has ended, None while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """Stop cleanly, by force after 15 s; the exit status. A second call changes nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            self._refuse()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return self._process.wait()

    def _refuse(self) -> None:
        """Take nothing new from clients while the process ends."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
