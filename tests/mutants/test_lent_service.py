"""Which changes are tried with a service that runs the code without them."""

from __future__ import annotations

import pytest

from mutants import lent_service
from tests.support.repository import ROOT


@pytest.mark.parametrize(
    ("path", "lent"),
    [
        ("cli/kpis.py", True),
        ("cli/server.py", True),
        ("cli/servers.py", False),
        ("cli/up.py", False),
        ("rest/kpis.py", False),
    ],
)
def test_only_commands_that_do_not_start_the_service_are_tried_beside_it(
    path: str, lent: bool
) -> None:
    path = f"app/supervisor_mcp/{path}"

    assert (ROOT / path).exists()
    assert lent_service.suits(path) == lent
