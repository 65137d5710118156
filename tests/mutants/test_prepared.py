"""Which changes start on data directories that are there."""

from __future__ import annotations

import pytest

from mutants import prepared


@pytest.mark.parametrize(
    ("path", "suits"),
    [
        ("app/supervisor_mcp/embedded/bridge/wire.mjs", True),
        ("app/supervisor_mcp/embedded/bridge/engine.mjs", False),
        ("app/supervisor_mcp/embedded/database.py", False),
    ],
)
def test_only_what_makes_no_data_directory_starts_on_one_that_is_there(
    path: str, suits: bool
) -> None:
    assert prepared.suits(path) is suits
