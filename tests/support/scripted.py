"""A service that gives the answers of a test, for what a real one can hardly be brought to say.

Each answer is one that the OpenAPI document admits. Tests compare everything a command sends and
prints with it; that a real service answers the same is what the other tests of commands show.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from supervisor_mcp.rest import openapi
from supervisor_mcp.rest.app import OPERATIONS
from tests.support import command_line


@dataclass(frozen=True)
class Unchecked:
    """Part of an answer, for commands that read no more of it."""

    content: object


@dataclass
class Scripted:
    """The requests of commands, as `GET /access/keys?limit=100`, and their JSON bodies."""

    url: str
    asked: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command line against this service."""
        return command_line.run(*arguments, env={"SUPERVISOR_URL": self.url, **env})

    def draw(self, *arguments: str) -> str:
        """What a command prints on a wide terminal."""
        terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "250"}
        done = self.run(*arguments, **terminal)
        assert done.returncode == 0, done.stderr
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


@contextmanager
def service(answers: Mapping[str, object]) -> Iterator[Scripted]:
    """Answers by method and path, `GET /access/keys`; a pair is a status and an answer."""
    replies = {asked: _reply(asked, answer) for asked, answer in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            if length:
                scripted.sent.append(json.loads(self.rfile.read(length)))
            asked = f"{self.command} {unquote(self.path)}"
            scripted.asked.append(asked)
            status, body = replies.get(asked) or replies[asked.partition("?")[0]]
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  as http.server names them

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scripted = Scripted(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield scripted
        finally:
            server.shutdown()
            thread.join()


def _reply(asked: str, answer: object) -> tuple[int, bytes]:
    if isinstance(answer, Unchecked):
        return 200, json.dumps(answer.content).encode()
    status, content = answer if isinstance(answer, tuple) else (200, answer)
    schema = _answer(asked) if status == 200 else {"$ref": "#/components/schemas/Problem"}
    schema = {**schema, "components": _document()["components"]}
    fault = best_match(Draft202012Validator(schema).iter_errors(content))
    assert fault is None, f"{asked}: {fault.json_path}: {fault.message}"
    return status, json.dumps(content).encode()


def _answer(asked: str) -> dict[str, Any]:
    """The schema of the answer to what is asked."""
    method, _, path = asked.lower().partition(" ")
    for template, route in _document()["paths"].items():
        if method in route and re.fullmatch(re.sub(r"\{\w+\}", ".+", template), path):
            (media,) = route[method]["responses"]["200"]["content"].values()
            schema: dict[str, Any] = media["schema"]
            return schema
    raise AssertionError(f"no such operation: {asked}")


@cache
def _document() -> dict[str, Any]:
    return openapi.document(OPERATIONS, "1")
