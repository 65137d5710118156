"""Programs of Debian's packages, unpacked where none is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

FETCH_SECONDS = 60


class Unavailable(Exception):  # noqa: N818  a reason to skip
    """There is no such program here, and why."""


def unpack(package: str, folder: Path) -> None:
    """Unpack a package below `folder`, without what it depends on. Raises Unavailable."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{package} is not installed, and there is no {tool}")
    _run(["apt-get", "download", package], folder)
    (found,) = folder.glob(f"{package}_*.deb")
    _run(["dpkg-deb", "--extract", str(found), str(folder)], folder)


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} takes longer than {FETCH_SECONDS} s") from None
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command[:3])}: {done.stderr.strip()[-200:]}")
