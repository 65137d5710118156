"""supervisor-mcp servers: the registry as a list."""

from __future__ import annotations

import json

import pytest

from tests.support import scripted

SERVER = {
    "name": "acme/search",
    "title": None,
    "description": "Searches the shop",
    "version": "1.0.0",
    "status": "active",
    "health": "up",
    "last_seen": "2026-11-25T10:00:00+00:00",
    "tier": "gold",
    "tags": ["office", "eu"],
    "owner": None,
    "source": None,
}


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [SERVER], "next_cursor": "more"}
    with scripted.service({"GET /registry/servers": page}) as service:
        done = service.run("servers")
        service.run(
            *("servers", "--status", "active", "--health", "up", "--tag", "office"),
            *("-q", "search", "--limit", "5"),
        )
        as_json = service.run("servers", "--json")
        drawn = service.draw("servers")
    assert service.asked[:2] == [
        "GET /registry/servers?limit=100",
        "GET /registry/servers?status=active&health=up&tag=office&q=search&limit=5",
    ]
    assert done.stdout == (
        "name\tversion\tstatus\thealth\tlast_seen\ttier\ttags\n"
        "acme/search\t1.0.0\tactive\tup\t2026-11-25T10:00:00+00:00\tgold\toffice, eu\n"
    )
    assert done.stderr == ("There are more. Raise --limit, or narrow the list with --tag or -q.\n")
    assert json.loads(as_json.stdout) == page
    assert "│" not in drawn


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "There are no servers yet. Register some with `supervisor-mcp register FILE`.\n"),
        (
            ("--tag", "office"),
            "No servers match. `supervisor-mcp servers` lists them without filters.\n",
        ),
    ],
)
def test_an_empty_list_says_so_and_nothing_else(options: tuple[str, ...], said: str) -> None:
    with scripted.service({"GET /registry/servers": {"items": [], "next_cursor": None}}) as service:
        assert service.run("servers", *options).stderr == said
