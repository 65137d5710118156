"""What the modules of the bridge do by themselves, in Node.js without a server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from supervisor_mcp.embedded import node

FOLDER = Path(__file__).parent / "bridge"


@pytest.mark.parametrize("module", sorted(path.name for path in FOLDER.glob("*.test.mjs")))
def test_a_module_of_the_bridge_does_what_its_tests_say(module: str) -> None:
    done = subprocess.run(
        [node.find(), FOLDER / module], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout
