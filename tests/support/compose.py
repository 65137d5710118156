"""A Docker Compose of version 2 or newer: an installed one, or that of Debian's package."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support import debian

PACKAGE = "docker-compose"
# Debian 12 has version 1, which knows none of the newer specification.
RELEASE = "trixie"
INSTALLED = (["docker", "compose"], ["docker-compose"])


def program(folder: Path) -> list[str]:
    """A command that takes the arguments of Compose. Raises debian.Unavailable."""
    for command in INSTALLED:
        if shutil.which(command[0]) and _version(command) >= 2:
            return command
    debian.unpack(folder, PACKAGE, release=RELEASE)
    return [str(folder / "usr/libexec/docker/cli-plugins/docker-compose")]


def _version(command: list[str]) -> int:
    done = subprocess.run(
        [*command, "version", "--short"], capture_output=True, text=True, check=False
    )
    return int(done.stdout.strip().lstrip("v").split(".")[0]) if done.returncode == 0 else 0
