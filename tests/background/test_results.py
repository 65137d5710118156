"""What the probes of several remotes say together."""

from __future__ import annotations

from supervisor_mcp.background.conversation import Remote
from supervisor_mcp.background.probe import Outcome
from supervisor_mcp.background.results import combine
from tests.sql.calls import NOW

PUBLIC = Remote("streamable-http", "https://a.example/mcp")
PRIVATE = Remote("streamable-http", "http://10.0.0.7/?key=1")
REFUSED = Outcome(None, "not asked: the host has the address 10.0.0.7, which is not public")


def test_a_remote_that_was_not_asked_is_named_and_does_not_count() -> None:
    result = combine("a", NOW, [(PUBLIC, Outcome("up", "MCP 2026-07-28", 5)), (PRIVATE, REFUSED)])

    assert result.status == "up"
    assert result.detail == (
        "1 of 2 asked: MCP 2026-07-28; http://10.0.0.7/: not asked, the host has the address"
        " 10.0.0.7, which is not public"
    )


def test_remotes_that_were_all_not_asked_say_nothing_about_the_server() -> None:
    assert combine("a", NOW, [(PRIVATE, REFUSED)]).status is None
