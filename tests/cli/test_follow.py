"""--follow: what comes, a line each, also over the end of a connection."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support import command_line
from tests.support.command_line import COMMAND, Service
from tests.support.processes import descendants
from tests.support.waiting import eventually


@contextmanager
def following(service: Service, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--follow"],
        env={**command_line.environment(), "SUPERVISOR_URL": service.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def store(service: Service, kind: str, subject: str) -> None:
    item = {"kind": kind, "source": "shop", "subject": subject, "payload": {"a": 1}}
    httpx.post(f"{service.url}/ingest/facts", json=item).raise_for_status()


@pytest.fixture
def kind() -> str:
    return f"Fact:Kind{uuid4().hex[:12]}"


def store_until_shown(service: Service, process: subprocess.Popen[str], kind: str) -> str:
    """The first line: a fact that was stored before the command was ready does not come."""
    os.set_blocking(process.stdout.fileno(), False)  # type: ignore[union-attr]

    def shown() -> str:
        store(service, kind, "first")
        return line(process)

    first = eventually(shown)
    os.set_blocking(process.stdout.fileno(), True)  # type: ignore[union-attr]
    return first


def test_facts_are_printed_as_they_come(service: Service, kind: str) -> None:
    with following(service, "facts", "--kind", kind) as process:
        first = store_until_shown(service, process, kind)
        assert first.split("  ")[1:] == [kind, "shop", "first", "", '{"a": 1}\n']


def test_facts_are_printed_as_json(service: Service, kind: str) -> None:
    with following(service, "facts", "--kind", kind, "--json") as process:
        assert json.loads(store_until_shown(service, process, kind))["subject"] == "first"


def test_it_goes_on_after_the_web_server_was_replaced(service: Service, kind: str) -> None:
    with following(service, "facts", "--kind", kind, "--json") as process:
        store_until_shown(service, process, kind)
        web = {p for p, c in descendants(service.process.pid) if "server.launch" in command(p)}
        os.kill(min(web), signal.SIGTERM)
        eventually(lambda: is_stored(service, kind, "second"), seconds=60)
        while json.loads(line(process))["subject"] != "second":
            pass


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def is_stored(service: Service, kind: str, subject: str) -> bool:
    try:
        store(service, kind, subject)
    except httpx.HTTPError:
        return False
    return True


def test_a_range_cannot_be_followed(service: Service) -> None:
    done = service.run("facts", "--follow", "--from", "2026-01-01T00:00:00Z")
    assert done.returncode == 2
    assert "--from cannot be combined with --follow." in done.stderr


def test_an_unknown_rule_is_refused(service: Service) -> None:
    done = service.run("alerts", "history", "--follow", "--rule", "nothing")
    assert done.returncode == 4
    assert 'unknown alert rule "nothing"' in done.stderr
