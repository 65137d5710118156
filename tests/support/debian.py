"""Programs of Debian's packages, unpacked where none is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

FETCH_SECONDS = 60
# The mirror that this machine uses, taken for another release; apt looks there for nothing else.
TARGETS = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
SOURCE = """
Types: deb
URIs: {mirror}
Suites: {release}
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


class Unavailable(Exception):  # noqa: N818  a reason to skip
    """There is no such program here, and why."""


def unpack(folder: Path, *packages: str, release: str | None = None) -> None:
    """Unpack packages below `folder`, without what they depend on.

    They are of the release that this machine has, or of another one. Raises Unavailable.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{packages[0]} is not installed, and there is no {tool}")
    options = [] if release is None else _list(release, folder)
    _run(["apt-get", *options, "download", *packages], folder)
    for package in packages:
        (found,) = folder.glob(f"{package}_*.deb")
        _run(["dpkg-deb", "--extract", str(found), str(folder)], folder)


def missing(package: str) -> list[str]:
    """A package and those that it needs, as far as this machine lacks them.

    Raises Unavailable.
    """
    if shutil.which("apt-get") is None:
        raise Unavailable(f"{package} is not installed, and there is no apt-get")
    simulated = ["apt-get", "--simulate", "--no-install-recommends", "install", package]
    return re.findall(r"^Inst (\S+)", _run(simulated, Path.cwd()), re.MULTILINE)


def libraries(folder: Path) -> dict[str, str]:
    """The environment in which a program finds the libraries below `folder`."""
    found = [path for lib in ("lib", "usr/lib") for path in folder.glob(f"{lib}/*-linux-gnu*")]
    return {"LD_LIBRARY_PATH": ":".join(map(str, found))}


def _list(release: str, folder: Path) -> list[str]:
    """Fetch the list of a release; with these options, apt knows only that one."""
    mirror, *_ = _run(TARGETS, folder).split() or [""]
    source = folder / "release.sources"
    source.write_text(SOURCE.format(mirror=mirror, release=release), encoding="utf-8")
    for name in ("lists", "cache"):
        (folder / name).mkdir()
    settings = {
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    _run(["apt-get", *options, "update", "--error-on=any"], folder)
    return options


def _run(command: Sequence[str], folder: Path) -> str:
    """What a command prints. Raises Unavailable."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} takes longer than {FETCH_SECONDS} s") from None
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} {command[-1]}: {done.stderr.strip()[-200:]}")
    return done.stdout
