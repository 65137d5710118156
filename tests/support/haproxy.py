"""An HAProxy: an installed one, or that of the package of this machine's Debian."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.support import debian
from tests.support.programs import Program

PACKAGE = "haproxy"


def program(folder: Path) -> Program:
    """An HAProxy. Raises debian.Unavailable."""
    installed = shutil.which(PACKAGE, path=f"{os.environ['PATH']}:/usr/sbin")
    if installed is not None:
        return Program((installed,))
    debian.unpack(folder, *debian.missing(PACKAGE))
    return Program((str(folder / "usr/sbin/haproxy"),), debian.libraries(folder))
