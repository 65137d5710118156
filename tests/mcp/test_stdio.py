"""The official client on standard input and output, as clients start it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult

from supervisor_mcp import embedded
from supervisor_mcp.embedded import Endpoints
from tests.mcp.test_tools import NAMES
from tests.support import command_line
from tests.support.data_directories import DataDirectories
from tests.support.repository import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.server

MODES = ["auto", "legacy"]
HANDSHAKE = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion":'
    b' "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}\n'
    b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n'
)
CALLS = (
    b'{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}\n'
    b'{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params":'
    b' {"name": "query_agg", "arguments": {"window": "7d"}}}\n'
    b'{"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params":'
    b' {"name": "query_agg", "arguments": {"window": "week"}}}\n'
)
NO_MESSAGES = b'[{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]\n{x\n\n{"a": 1}\n'
LARGE, SEPARATED = 5, 6
ANSWERS = 9
UNUSUAL = "".join(
    json.dumps(
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": {"name": name, "arguments": arguments},
        },
        ensure_ascii=False,
    )
    + "\n"
    for number, name, arguments in (
        (LARGE, "ingest_fact", {"kind": "é" * 300_000, "source": "a"}),
        (SEPARATED, "query_agg", {"window": "7d", "kind": "a\u2028b\u0085c"}),
    )
).encode()
FACT = {"kind": "Fact:Sale", "source": "a", "fact_id": "1", "value": 2}
QUESTION = {"kind": "Fact:Sale", "window": "24h"}


def parameters(**settings: str) -> StdioServerParameters:
    """The command with these settings and no others of this service."""
    program, *arguments = command_line.COMMAND
    environment = command_line.environment() | settings
    return StdioServerParameters(command=program, args=[*arguments, "mcp"], env=environment)


def embedded_parameters(data_dir: Path) -> StdioServerParameters:
    """The command with embedded servers on a directory."""
    return parameters(SUPERVISOR_DATA_DIR=str(data_dir), SUPERVISOR_EMBEDDED_PORT="0")


async def running(data_dir: Path) -> Endpoints | None:
    """The embedded servers on a directory, once they run."""
    return await asyncio.to_thread(eventually, lambda: embedded.running(data_dir), seconds=60)


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@contextmanager
def spawned(command: StdioServerParameters) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process whose standard streams are pipes; ended at the end."""
    with subprocess.Popen(
        [command.command, *command.args],
        env=command.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def snippet(name: str) -> dict[str, Any]:
    """The JSON of docs/mcp.md that is marked with this word."""
    text = (ROOT / "docs" / "mcp.md").read_text()
    match = re.search(rf"<!-- {name} -->\n```json\n(.*?)```", text, re.DOTALL)
    assert match is not None
    found: dict[str, Any] = json.loads(match[1])
    return found


@pytest.mark.parametrize("mode", MODES)
async def test_it_works_on_the_database_of_a_running_service(
    history_url: str, redis_url: str, mode: str, tmp_path: Path
) -> None:
    command = parameters(
        SUPERVISOR_DATABASE_URL=history_url,
        SUPERVISOR_REDIS_URL=redis_url,
        SUPERVISOR_DATA_DIR=str(tmp_path / "data"),
    )
    async with Client(command, mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == NAMES
        answer = structured(await client.call_tool("list_kinds", {"prefix": "Fact:Sa"}))
        assert [kind["kind"] for kind in answer["items"]] == ["Fact:Sale"]
    assert not (tmp_path / "data").exists()


async def test_with_nothing_configured_it_starts_servers_that_the_next_one_joins_and_keeps(
    tmp_path: Path, prepared: DataDirectories
) -> None:
    data_dir = tmp_path / "data"
    prepared.deployed(data_dir)
    command = embedded_parameters(data_dir)
    with spawned(command) as first:
        found = await running(data_dir)
        async with Client(command) as second:
            assert structured(await second.call_tool("ingest_fact", FACT))["accepted"] == 1
            assert embedded.running(data_dir) == found
            first.communicate(timeout=30)
            # The servers ended with the command that started them; the other starts them again.
            assert await running(data_dir) == found
            answer = await second.call_tool("query_agg", QUESTION)
            if answer.is_error:
                # The first call may find a connection to the servers before.
                assert "problem:unavailable" in str(answer.content)
                answer = await second.call_tool("query_agg", QUESTION)
            assert structured(answer)["count"] == 1
    eventually(lambda: embedded.running(data_dir) is None, seconds=60)


async def test_it_joins_the_servers_of_a_running_service(
    tmp_path: Path, prepared: DataDirectories
) -> None:
    data_dir = tmp_path / "data"
    prepared.deployed(data_dir)
    with command_line.up(data_dir) as service:
        found = embedded.running(data_dir)
        async with Client(embedded_parameters(data_dir)) as client, httpx.AsyncClient() as rest:
            for stored in (1, 2, 3):
                fact = {**FACT, "fact_id": str(stored)}
                structured(await client.call_tool("ingest_fact", fact))
                answer = await rest.get(f"{service.url}/query/agg", params=QUESTION)
                assert answer.json()["count"] == stored
        assert embedded.running(data_dir) == found


@pytest.fixture(scope="module", params=["info", "debug"])
def answers(request: pytest.FixtureRequest, history_url: str) -> list[dict[str, Any]]:
    """What a process writes to standard output, at a level of its log, each line of it parsed."""
    command = parameters(SUPERVISOR_DATABASE_URL=history_url, SUPERVISOR_LOG_LEVEL=request.param)
    with spawned(command) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(HANDSHAKE + NO_MESSAGES + UNUSUAL + CALLS)
        process.stdin.flush()
        # Where standard input ends, calls under way do too.
        awaited = [process.stdout.readline() for _ in range(ANSWERS)]
        more, _ = process.communicate(timeout=60)
    # A line separator of Unicode would end a line, too.
    return [json.loads(line) for line in b"".join([*awaited, more]).decode().splitlines()]


def test_nothing_but_the_protocol_goes_to_standard_output(answers: list[dict[str, Any]]) -> None:
    assert {answer["jsonrpc"] for answer in answers} == {"2.0"}
    assert {answer["id"] for answer in answers} == {None, 1, 2, 3, 4, LARGE, SEPARATED}


def test_a_data_directory_that_cannot_be_used_ends_it_with_a_sentence(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    with spawned(embedded_parameters(occupied / "data")) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, b"")
    assert str(occupied) in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_the_snippet_of_the_documentation_works_as_printed(
    history_url: str, redis_url: str
) -> None:
    servers = snippet("stdio")["mcpServers"]
    command = parameters(SUPERVISOR_DATABASE_URL=history_url, SUPERVISOR_REDIS_URL=redis_url)
    assert command.env is not None
    # Where the package is installed, the command is on the path.
    command.env["PATH"] = f"{Path(sys.executable).parent}:{command.env['PATH']}"
    as_printed = StdioServerParameters(**servers["supervisor"], env=command.env)
    async with Client(as_printed) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == NAMES


def test_the_readme_shows_no_snippet_but_those_that_were_tried() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shown = [json.loads(block) for block in blocks if "mcpServers" in block]
    assert [block for block in shown if block not in (snippet("stdio"), snippet("http"))] == []


def test_a_line_that_is_no_message_is_answered_with_a_sentence(
    answers: list[dict[str, Any]],
) -> None:
    errors = [answer["error"] for answer in answers if answer["id"] is None]
    assert [error["code"] for error in errors] == [-32600, -32700, -32600]
    assert "send the messages of a batch one by one" in errors[0]["message"]
    assert "line 1 column 2" in errors[1]["message"]


def test_a_message_larger_than_the_buffers_arrives_whole(answers: list[dict[str, Any]]) -> None:
    (answer,) = [answer for answer in answers if answer["id"] == LARGE]
    assert "fact_kind_well_formed" in answer["result"]["content"][0]["text"]


def test_line_separators_in_an_answer_are_escaped(answers: list[dict[str, Any]]) -> None:
    (answer,) = [answer for answer in answers if answer["id"] == SEPARATED]
    problem = json.loads(answer["result"]["content"][0]["text"])
    assert "a\u2028b\u0085c" in problem["detail"]
