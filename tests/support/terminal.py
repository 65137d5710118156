"""Commands on a terminal, as a reader of the documents types them."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import tempfile
import termios
import tty
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Timer

ROWS, COLUMNS = 50, 110
KIND = {"TERM": "xterm", "COLUMNS": str(COLUMNS)}


def run(
    command: str, *, env: Mapping[str, str], folder: Path, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a command of bash: its standard output is a terminal, those of its pipes are not.

    It is killed after `seconds`.
    """
    ours, theirs = pty.openpty()
    # What is written comes as it is, without carriage returns.
    tty.setraw(theirs)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            ["bash", "-c", command],
            env={**env, **KIND},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=errors,
            start_new_session=True,
        )
        os.close(theirs)
        end = Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
        end.start()
        try:
            output = _everything(ours)
            status = process.wait()
        finally:
            end.cancel()
            os.close(ours)
        errors.seek(0)
        return subprocess.CompletedProcess(command, status, output.decode(), errors.read().decode())


def _everything(terminal: int) -> bytes:
    """What is written to a terminal until the last program has closed it."""
    written = b""
    # Linux reports an error where the other end is closed, others an end.
    with suppress(OSError):
        while part := os.read(terminal, 65536):
            written += part
    return written
