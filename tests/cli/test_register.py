"""supervisor-mcp register and servers."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support import command_line
from tests.support.command_line import Service
from tests.support.real_input import SERVERS

OLDER = Path(__file__).parent / "older_servers.json"


@pytest.fixture
def namespace() -> str:
    """The first part of names that no other test uses."""
    return f"ns{uuid4().hex[:12]}"


def document(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "Searches", "version": "1.0.0", **more}


def register(
    service: Service, folder: Path, text: str, *options: str
) -> subprocess.CompletedProcess[str]:
    """The command on a file with this text."""
    file = folder / "servers.json"
    file.write_text(text)
    return service.run("register", str(file), *options)


def test_one_document_an_array_and_lines_are_registered(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    listed = [document(f"{namespace}/s{n}") for n in range(5)]
    one = register(service, tmp_path, json.dumps(listed[0]))
    assert (one.returncode, one.stdout) == (0, "1 created, 0 changed, 0 unchanged, 0 refused\n")
    several = register(service, tmp_path, json.dumps(listed[:3]))
    assert several.stdout == "2 created, 0 changed, 1 unchanged, 0 refused\n"
    lines = register(service, tmp_path, "".join(json.dumps(each) + "\n\n" for each in listed))
    assert lines.stdout == "2 created, 0 changed, 3 unchanged, 0 refused\n"
    known = httpx.get(f"{service.url}/registry/servers", params={"q": namespace}).json()
    assert [item["name"] for item in known["items"]] == [each["name"] for each in listed]


def test_a_list_of_the_official_registry_is_registered(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    listed = {"servers": [{"server": document(f"{namespace}/a"), "_meta": {}}], "metadata": {}}
    done = register(service, tmp_path, json.dumps(listed))
    assert done.stdout == "1 created, 0 changed, 0 unchanged, 0 refused\n"


def test_standard_input_is_read(service: Service, namespace: str) -> None:
    done = subprocess.run(
        [*command_line.COMMAND, "register", "-"],
        input=json.dumps(document(f"{namespace}/a")),
        env={**command_line.environment(), "SUPERVISOR_URL": service.url},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.stdout == "1 created, 0 changed, 0 unchanged, 0 refused\n"


def test_owner_and_tags_are_those_of_the_command(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    text = json.dumps(document(f"{namespace}/a"))
    register(service, tmp_path, text, "--owner", "acme", "--tag", "a", "--tag", "b")
    server = httpx.get(f"{service.url}/registry/servers/{namespace}/a").json()
    assert (server["owner"], server["tags"]) == ("acme", ["a", "b"])
    refused = register(service, tmp_path, text)
    assert refused.returncode == 1
    assert "belongs to another owner\n  Hint: Send its owner with --owner, or" in refused.stderr


def test_refused_servers_are_listed_with_their_fields_and_the_others_are_registered(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    bad = document(f"{namespace}/bad", version="^1.0", remotes=[{"type": "sse", "url": "x"}])
    nameless = {"description": "", "version_detail": {"version": ""}}
    text = json.dumps(
        [bad, nameless, 5, document(""), document("x") | {"name": 5}, document(f"{namespace}/good")]
    )
    done = register(service, tmp_path, text)
    assert done.returncode == 1
    assert done.stdout == "1 created, 0 changed, 0 unchanged, 5 refused\n"
    assert "\nentry 4: It has no name.\nentry 5: It has no name.\n" in done.stderr
    assert "\nList them with `supervisor-mcp servers`.\n" in done.stderr
    assert "\n5 of 6 servers are not registered.\n" in done.stderr
    assert f"entry 1 ({namespace}/bad): invalid fields: remotes[0].url, version" in done.stderr
    assert "\n  version: The value is the string " in done.stderr
    assert "entry 2: It has no name." in done.stderr
    assert "entry 3: It is not a JSON object." in done.stderr


def test_where_all_are_refused_none_can_be_listed(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    done = register(service, tmp_path, json.dumps([document(f"{namespace}/bad", version="")]))
    assert done.stdout == "0 created, 0 changed, 0 unchanged, 1 refused\n"
    assert "List them" not in done.stderr


def test_what_was_registered_says_how_to_list_it(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    done = register(service, tmp_path, json.dumps(document(f"{namespace}/a")))
    assert done.stderr == "List them with `supervisor-mcp servers`.\n"


def test_a_server_that_was_deregistered_is_counted_apart(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    text = json.dumps(document(f"{namespace}/a"))
    register(service, tmp_path, text)
    httpx.delete(f"{service.url}/registry/servers/{namespace}/a").raise_for_status()
    done = register(service, tmp_path, text)
    assert done.stdout == "0 created, 0 changed, 0 unchanged, 1 restored, 0 refused\n"


def test_the_summary_is_json_on_request(service: Service, namespace: str, tmp_path: Path) -> None:
    bad = document(f"{namespace}/bad", version="")
    done = register(service, tmp_path, json.dumps([bad]), "--json")
    summary = json.loads(done.stdout)
    assert (summary["created"], len(summary["refused"])) == (0, 1)
    assert summary["refused"][0]["faults"][0]["field"] == "version"


@pytest.mark.parametrize("text", ["", "name,version\n", "{", "[1"])
def test_a_file_that_is_not_json_is_a_usage_error(
    service: Service, tmp_path: Path, text: str
) -> None:
    assert register(service, tmp_path, text).returncode == 2


def test_older_documents_are_converted_and_the_user_learns_what_changed(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    done = register(service, tmp_path, OLDER.read_text().replace("io.github", namespace))
    assert done.stdout == "5 created, 0 changed, 0 unchanged, 1 refused\n"
    assert "is shortened to 100" in done.stderr
    assert "in the URL of a remote is a variable" in done.stderr
    assert "It has no name." in done.stderr


def test_the_real_servers_are_registered_and_nothing_changes_the_second_time(
    service: Service, namespace: str
) -> None:
    real = json.loads(SERVERS.read_text())
    named = {each["name"] for each in real if each["name"]}
    command = ("register", str(SERVERS), "--tag", namespace)
    service.run(*command)
    again = json.loads(service.run(*command, "--json").stdout)
    assert {each["detail"] for each in again["refused"]} == {"It has no name."}
    assert len(again["refused"]) == sum(1 for each in real if not each["name"])
    assert again["unchanged"] == len(named)
    listed = httpx.get(
        f"{service.url}/registry/servers", params={"tag": namespace, "limit": 1000}
    ).json()
    assert {item["name"] for item in listed["items"]} == named


def test_servers_are_listed_with_filters(service: Service, namespace: str, tmp_path: Path) -> None:
    listed = [document(f"{namespace}/a", tags=[namespace]), document(f"{namespace}/b", tier="gold")]
    register(service, tmp_path, json.dumps(listed))
    done = service.run("servers", "-q", namespace)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == ["name", "version", "status", "health", "last_seen", "tier", "tags"]
    assert rows[1:] == [
        [f"{namespace}/a", "1.0.0", "active", "unknown", "", "", namespace],
        [f"{namespace}/b", "1.0.0", "active", "unknown", "", "gold", ""],
    ]
    tagged = service.run("servers", "--tag", namespace, "--json")
    assert [item["name"] for item in json.loads(tagged.stdout)["items"]] == [f"{namespace}/a"]


def test_a_server_with_a_long_name_is_one_line_of_100_columns(
    service: Service, namespace: str, tmp_path: Path
) -> None:
    name = f"io.github.{namespace}/long-name-of-a-server"
    register(service, tmp_path, json.dumps(document(name, tags=["seed"], tier="gold")))
    httpx.post(f"{service.url}/registry/servers/{name}/heartbeat").raise_for_status()
    listed = ("servers", "-q", namespace)
    done = service.run(*listed, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="100")
    lines = [line for line in done.stdout.splitlines() if line.startswith(name)]
    assert re.fullmatch(rf"{name}  1.0.0    active  up      \d+ s ago  +gold  seed *", lines[0])


def test_a_list_without_servers_says_what_to_do(service: Service, namespace: str) -> None:
    done = service.run("servers", "-q", namespace)
    assert (done.returncode, done.stderr) == (
        0,
        "No servers match. `supervisor-mcp servers` lists them without filters.\n",
    )


def test_an_unknown_filter_is_refused_with_the_known_ones(service: Service) -> None:
    done = service.run("servers", "--health", "good")
    assert done.returncode == 4
    assert "Send up, degraded, down, unknown or maintenance." in done.stderr
