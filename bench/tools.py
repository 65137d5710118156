"""Calls of tools over HTTP: of an aggregate in the cache, of an empty tool, among few and many."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import httpx

from bench import load
from bench.measures import Measure
from bench.servers import Target, service

REVISION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
KIND = "bench_tools"
QUESTION = {"kind": KIND, "window": "7d"}
FEW, MANY = 5, 41
ROUNDS = 5
ROUND_SECONDS = 2.0
CONNECTIONS = 16


def calls(target: Target, workers: int) -> list[Measure]:
    """Calls/s on two services over the same servers, measured in turn."""
    sample = {"name": KIND, "source": "bench", "value": 1}
    httpx.post(f"{target.url}/ingest/metrics", json=sample).raise_for_status()
    with (
        tempfile.TemporaryDirectory(prefix="supervisor-bench-") as folder,
        _service(target, workers, Path(folder), FEW) as few,
        _service(target, workers, Path(folder), MANY) as many,
    ):
        rates: dict[tuple[int, str], list[float]] = {}
        for _ in range(ROUNDS):
            for place, name, arguments in (
                (many, "query_agg", QUESTION),
                (many, "empty", {}),
                (few, "query_agg", QUESTION),
            ):
                answers, seconds = load.run(
                    place.host,
                    place.port,
                    [_call(place, name, arguments)],
                    connections=CONNECTIONS,
                    seconds=ROUND_SECONDS,
                )
                rates.setdefault((place.port, name), []).append(answers / seconds)
    among_many, empty, among_few = (statistics.median(rate) for rate in rates.values())
    return [
        Measure(
            "cached query_agg over MCP",
            "calls/s",
            among_many,
            0.9 * empty,
            "an empty tool",
            empty,
        ),
        Measure(
            f"query_agg among {MANY} tools",
            "calls/s",
            among_many,
            0.8 * among_few,
            f"among {FEW}",
            among_few,
        ),
    ]


def _service(target: Target, workers: int, folder: Path, tools: int) -> Any:
    return service(
        target.database_url,
        target.redis_url,
        workers,
        folder / f"{tools}.log",
        f"bench.toolbox:create({tools})",
    )


def _call(place: Target, name: str, arguments: dict[str, Any]) -> bytes:
    """A call as bytes, after making it once to see that it is answered."""
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": name, "arguments": arguments, "_meta": META},
        }
    ).encode()
    headers = {
        "Host": f"{place.host}:{place.port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": REVISION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": name,
    }
    answer = httpx.post(f"{place.url}/mcp", content=body, headers=headers, timeout=60)
    result = answer.raise_for_status().json()["result"]
    assert not result.get("isError"), result
    lines = "".join(f"{header}: {value}\r\n" for header, value in headers.items())
    return f"POST /mcp HTTP/1.1\r\n{lines}\r\n".encode() + body
