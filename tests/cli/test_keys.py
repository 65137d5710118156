"""supervisor-mcp keys: create, list, rotate and revoke."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from supervisor_mcp.credentials import keys
from supervisor_mcp.credentials.keys import Key
from tests.support import scripted
from tests.support.command_line import Service


def create(service: Service, owner: str, *options: str) -> Key:
    """The key that is printed."""
    done = service.run("keys", "create", owner, *(options or ("--scope", "read")))
    assert done.returncode == 0, done.stderr
    key = keys.parse(done.stdout.removesuffix("\n"))
    assert key is not None
    return key


def listed(service: Service, owner: str, *options: str) -> list[dict[str, Any]]:
    """The keys of an owner."""
    done = service.run("keys", "list", "--owner", owner, "--json", *options)
    items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return items


def test_a_key_is_created_and_goes_to_standard_output_alone(service: Service, name: str) -> None:
    done = service.run("keys", "create", name, "--scope", "read", "--scope", "ingest")
    key = keys.parse(done.stdout.removesuffix("\n"))
    assert key is not None
    assert f"{key.id} of {name} is created for read, ingest." in done.stderr
    assert "not shown again" in done.stderr
    assert key.text not in done.stderr


def test_options_say_what_a_key_may_do_and_until_when(service: Service, name: str) -> None:
    create(
        service,
        name,
        *("--scope", "ingest", "--source", "a", "--source", "b"),
        *("--namespace", "acme", "--expires-in", "90d"),
    )
    (key,) = listed(service, name)
    assert (key["scopes"], key["sources"], key["namespace"]) == (["ingest"], ["a", "b"], "acme")
    left = datetime.fromisoformat(key["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left < timedelta(days=90)


def test_keys_are_listed(service: Service, name: str) -> None:
    key = create(service, name, "--scope", "ingest", "--source", "shop-mcp")
    heading, *rows = service.run("keys").stdout.splitlines()
    assert heading.split("\t")[:5] == ["id", "owner", "status", "scopes", "sources"]
    assert any(row.startswith(f"{key.id}\t{name}\tactive\tingest\tshop-mcp\t") for row in rows)
    assert service.run("keys", "list").stdout.splitlines()[0] == heading


def test_an_empty_list_says_what_to_do(service: Service, name: str) -> None:
    done = service.run("keys", "list", "--owner", name)
    assert "No keys match. `supervisor-mcp keys list` lists them without filters." in done.stderr


def test_a_key_is_rotated_and_the_old_one_stays_for_its_grace_period(
    service: Service, name: str
) -> None:
    old = create(service, name)
    done = service.run("keys", "rotate", old.id, "--grace", "24h")
    new = keys.parse(done.stdout.removesuffix("\n"))
    assert new is not None
    assert f"{new.id} of {name} is created" in done.stderr
    assert f"{old.id} is valid until" in done.stderr
    assert {key["id"] for key in listed(service, name, "--active")} == {old.id, new.id}
    done = service.run("keys", "rotate", new.id)
    assert f"{new.id} is not valid any more." in done.stderr
    assert [key["id"] for key in listed(service, name, "--inactive")] == [new.id]


def test_a_key_is_revoked_once(service: Service, name: str) -> None:
    key = create(service, name)
    done = service.run("keys", "revoke", key.id, "--reason", "leaked")
    assert (done.returncode, done.stdout) == (0, f"{key.id} of {name} is revoked\n")
    assert listed(service, name)[0]["reason"] == "leaked"
    again = service.run("keys", "revoke", key.id)
    assert (again.returncode, "was revoked before" in again.stdout) == (0, True)


def test_a_whole_key_names_its_id(service: Service, name: str) -> None:
    key = create(service, name)
    done = service.run("keys", "revoke", key.text)
    assert done.stdout == f"{key.id} of {name} is revoked\n"


def test_an_unknown_key_is_answered_with_the_command_that_lists_all(service: Service) -> None:
    sent = keys.make()
    for command in ("revoke", "rotate"):
        done = service.run("keys", command, sent.text)
        assert done.returncode == 4
        assert "keys list` lists the keys." in done.stderr
        assert sent.text not in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--scope", "read", "--expires-in", "soon"], 2, '--expires-in "soon" is no length.'),
        (
            ["--scope", "read", "--expires-in", "1d", "--expires-at", "2030-01-01T00:00:00Z"],
            2,
            "--expires-in and --expires-at are both given.",
        ),
        (["--scope", "write"], 2, "'write' is not one of 'read', 'ingest', 'admin'"),
        ([], 2, "Missing option '--scope'"),
        (["--scope", "read", "--source", "a"], 4, "--source: Send the scope ingest"),
        (["--scope", "read", "--namespace", "A"], 4, "--namespace: Send at most 63"),
        (["--scope", "read", "--expires-at", "2020-01-01T00:00:00Z"], 4, "Send a later --expires"),
    ],
)
def test_wrong_options_are_refused_with_the_next_step(
    service: Service, name: str, options: list[str], status: int, said: str
) -> None:
    done = service.run("keys", "create", name, *options)
    assert done.returncode == status
    assert said in " ".join(done.stderr.split())


def test_the_shell_completes_ids_of_active_keys(service: Service, name: str) -> None:
    active, revoked = create(service, name), create(service, name)
    service.run("keys", "revoke", revoked.id)
    for key, expected in ((active, True), (revoked, False)):
        done = service.run(
            _SUPERVISOR_MCP_COMPLETE="complete_bash",
            COMP_WORDS=f"supervisor-mcp keys rotate {key.id[:6]}",
            COMP_CWORD="3",
        )
        assert (key.id in done.stdout.split()) is expected


def test_the_secret_of_keys_is_a_file_of_this_user_in_the_data_directory(service: Service) -> None:
    file = Path(service.env["SUPERVISOR_DATA_DIR"]) / "key_secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


KEY = {
    "id": "abcd1234",
    "owner": "ann",
    "status": "active",
    "scopes": ["read", "ingest"],
    "sources": ["shop", "search"],
    "namespace": "acme",
    "created_at": "2026-11-20T10:00:00+00:00",
    "created_by": "bob",
    "expires_at": "2026-12-20T10:00:00+00:00",
    "last_used_at": "2026-11-25T10:00:00+00:00",
    "revoked_at": None,
    "revoked_by": None,
    "reason": None,
    "rotated_from": None,
    "rotated_to": None,
}
REVOKED = {
    **KEY,
    "id": "efgh5678",
    "status": "revoked",
    "sources": None,
    "last_used_at": None,
    "revoked_at": "2026-11-21T10:00:00+00:00",
    "revoked_by": "bob",
    "reason": "leaked",
}
SHOWN = "sk_abcd1234_" + "x" * 43
CREATED = {**KEY, "outcome": "created", "hint": None, "key": SHOWN}


def test_everything_of_a_list_is_printed() -> None:
    page = {"items": [KEY, REVOKED], "next_cursor": "more"}
    with scripted.service({"GET /access/keys": page}) as service:
        done = service.run("keys")
        narrowed = service.run("keys", "--owner", "ann", "--active", "--limit", "2")
        drawn = service.draw("keys", "list", "--inactive")
    assert service.asked == [
        "GET /access/keys?limit=100",
        "GET /access/keys?owner=ann&active=true&limit=2",
        "GET /access/keys?active=false&limit=100",
    ]
    assert (
        done.stdout
        == narrowed.stdout
        == (
            "id\towner\tstatus\tscopes\tsources\tnamespace\tcreated\tcreated_by\tends\tused\treason\n"
            "abcd1234\tann\tactive\tread ingest\tshop search\tacme\t2026-11-20T10:00:00+00:00\tbob"
            "\t2026-12-20T10:00:00+00:00\t2026-11-25T10:00:00+00:00\t\n"
            "efgh5678\tann\trevoked\tread ingest\t\tacme\t2026-11-20T10:00:00+00:00\tbob"
            "\t2026-11-21T10:00:00+00:00\t\tleaked\n"
        )
    )
    assert done.stderr == (
        "There are more. Raise --limit, or narrow the list with --owner or --active.\n"
    )
    assert "│" not in drawn
    assert "2026-12-20 10:00 UTC" in drawn


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "There are no keys yet. Create one with `supervisor-mcp keys create OWNER --scope"),
        (("--owner", "x"), "No keys match. `supervisor-mcp keys list` lists them without filters"),
        (("--active",), "No keys match. `supervisor-mcp keys list` lists them without filters"),
        (("--inactive",), "No keys match. `supervisor-mcp keys list` lists them without filters"),
    ],
)
def test_a_list_without_keys_says_why(options: tuple[str, ...], said: str) -> None:
    with scripted.service({"GET /access/keys": {"items": [], "next_cursor": None}}) as service:
        done = service.run("keys", *options)
        as_json = service.run("keys", *options, "--json")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    assert (as_json.stdout, as_json.stderr) == ('{"items": [], "next_cursor": null}\n', "")


def test_what_is_left_out_of_a_new_key_is_not_sent() -> None:
    with scripted.service({"POST /access/keys": CREATED}) as service:
        done = service.run("keys", "create", "ann", "--scope", "read")
        service.run("keys", "create", "ann", "--scope", "read", "--expires-at", "2030-01-01")
        as_json = service.run("keys", "create", "ann", "--scope", "read", "--json")
    assert service.sent == [
        {"owner": "ann", "scopes": ["read"]},
        {"owner": "ann", "scopes": ["read"], "expires_at": "2030-01-01"},
        {"owner": "ann", "scopes": ["read"]},
    ]
    assert done.stdout == f"{SHOWN}\n"
    assert done.stderr == (
        "abcd1234 of ann is created for read, ingest, until 2026-12-20T10:00:00+00:00."
        " Keep the key: it is not shown again.\n"
    )
    assert json.loads(as_json.stdout) == CREATED


def test_a_reason_is_sent_and_a_second_revocation_says_when_the_first_was() -> None:
    first = {**REVOKED, "outcome": "revoked", "hint": None}
    with scripted.service({"DELETE /access/keys/efgh5678": first}) as service:
        service.run("keys", "revoke", "efgh5678")
        service.run("keys", "revoke", "sk_efgh5678", "--reason", "leaked")
        as_json = service.run("keys", "revoke", "efgh5678", "--json")
    assert service.asked == [
        "DELETE /access/keys/efgh5678",
        "DELETE /access/keys/efgh5678?reason=leaked",
        "DELETE /access/keys/efgh5678",
    ]
    assert json.loads(as_json.stdout) == first
    again = {**first, "outcome": "unchanged"}
    with scripted.service({"DELETE /access/keys/efgh5678": again}) as service:
        done = service.run("keys", "revoke", "efgh5678")
    assert done.stdout == "efgh5678 was revoked before, 2026-11-21T10:00:00+00:00\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "abcd1234 is not valid any more."),
        (("--grace", "24h"), "abcd1234 is valid until 2026-11-26T10:00:00+00:00."),
    ],
)
def test_a_rotation_says_until_when_the_old_key_is_valid(
    options: tuple[str, ...], said: str
) -> None:
    new = {**CREATED, "id": "efgh5678", "expires_at": None, "rotated_from": "abcd1234"}
    rotated = {**new, "rotated_from_ends_at": "2026-11-26T10:00:00+00:00"}
    with scripted.service({"POST /access/keys/abcd1234/rotation": rotated}) as service:
        done = service.run("keys", "rotate", "abcd1234", *options)
        as_json = service.run("keys", "rotate", "abcd1234", *options, "--json")
    assert done.stdout == f"{SHOWN}\n"
    assert done.stderr == (
        "efgh5678 of ann is created for read, ingest. Keep the key: it is not shown again.\n"
        f"{said}\n"
    )
    assert json.loads(as_json.stdout) == rotated
