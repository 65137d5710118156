"""A Patroni: an installed one, or that of Debian's package under the Python of the tests."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.support import debian
from tests.support.programs import Program

# With what it imports and the tests do not; the one that is compiled fits every Python 3.
PACKAGES = ("patroni", "python3-dateutil", "python3-psutil", "python3-six")
# The release that docs/high-availability.md is for.
RELEASE = "trixie"


def program(folder: Path) -> Program:
    """A Patroni. Raises debian.Unavailable."""
    installed = shutil.which("patroni")
    if installed is not None:
        return Program((installed,))
    debian.unpack(folder, *PACKAGES, release=RELEASE)
    modules = folder / "usr/lib/python3/dist-packages"
    return Program((sys.executable, "-m", "patroni"), {"PYTHONPATH": str(modules)})
