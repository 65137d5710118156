"""The receivers of docs/delivery.md accept what is sent, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from supervisor_mcp.background.sender import Outcome
from tests.background.receivers import receiver
from tests.background.test_sender import PAYLOAD, SECRET, delivery, send, sender
from tests.support.ports import free_port
from tests.support.repository import ROOT
from tests.support.waiting import eventually

pytestmark = pytest.mark.server

RECEIVER, CHECK = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs/delivery.md").read_text(), re.DOTALL | re.MULTILINE
)
OTHER_SECRET = "whsec_" + "A" * 32


@contextmanager
def running(folder: Path, secret: str) -> Iterator[tuple[str, Path]]:
    """The receiver as a process: its URL, and the file that it prints to."""
    port = free_port()
    printed = folder / "printed"
    with printed.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", RECEIVER],
            env={**os.environ, "SECRET": secret, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    url = f"http://127.0.0.1:{port}/"

    def answers() -> bool:
        try:
            return httpx.get(url, trust_env=False).status_code > 0
        except httpx.TransportError:
            return False

    try:
        eventually(answers, "the start of the receiver")
        yield url, printed
    finally:
        process.terminate()
        process.wait(10)


async def test_the_receiver_prints_a_message_once(tmp_path: Path) -> None:
    with running(tmp_path, SECRET) as (url, printed):
        for _ in range(2):
            assert (await send(url)).delivered
    assert printed.read_text() == "{'version': '1', 'text': 'ü'}\n"


async def test_the_receiver_refuses_what_another_key_has_signed(tmp_path: Path) -> None:
    with running(tmp_path, OTHER_SECRET) as (url, printed):
        outcome = await send(url)
    assert outcome == Outcome(delivered=False, retry=False, detail="answers 401 Unauthorized")
    assert printed.read_text() == ""


async def test_the_check_without_the_library_tells_genuine_messages_from_others() -> None:
    names: dict[str, Any] = {}
    exec(compile(CHECK, "docs/delivery.md", "exec"), names)
    is_genuine = names["is_genuine"]
    async with receiver() as there:
        await send(there.url)
        await sender().send(delivery(there.url), datetime.now(UTC) - timedelta(minutes=6))
    good, old = there.requests
    assert is_genuine(SECRET, good.headers, PAYLOAD)
    assert not is_genuine(OTHER_SECRET, good.headers, PAYLOAD)
    assert not is_genuine(SECRET, good.headers, PAYLOAD + b" ")
    later = {**good.headers, "webhook-timestamp": str(int(time.time()) + 1)}
    assert not is_genuine(SECRET, later, PAYLOAD)
    assert not is_genuine(SECRET, old.headers, PAYLOAD)
