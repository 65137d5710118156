"""A lock that lives exactly as long as the server process that inherited it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

# A server whose parent was killed needs a moment to notice it, and then some to end.
NOTICE_SECONDS = 1.5
STOP_SECONDS = 15.0
# What a holder writes into the file when it begins to stop.
STOPPING = b"stopping"


def acquire(path: Path) -> int | None:
    """A file descriptor that holds the lock on `path`, or None when another process does.

    A child that inherits the descriptor holds the lock until it ends, however it ends. One that
    is about to end is waited for.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    began = time.monotonic()
    while not _try(descriptor, fcntl.LOCK_EX):
        stopping = os.pread(descriptor, len(STOPPING), 0) == STOPPING
        if time.monotonic() - began > (STOP_SECONDS if stopping else NOTICE_SECONDS):
            os.close(descriptor)
            return None
        time.sleep(0.02)
    return descriptor


def is_held(path: Path) -> bool:
    """Whether a live process holds the lock on `path`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try(descriptor: int, mode: int) -> bool:
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
