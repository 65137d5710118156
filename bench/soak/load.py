"""Clients that write and read until they are stopped, and remember what was acknowledged."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

WRITERS = 3
FACTS = 20
READERS = 2
WINDOWS = ("1h", "7d")
TIMEOUT_SECONDS = 5.0
PAUSE_SECONDS = 0.01


class Load:
    """Facts and samples of the kinds of one round; writes end with the context."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self.fact, self.metric = f"Fact:{name}", name.lower()
        self.facts: set[str] = set()
        self.samples: set[str] = set()
        self.unknown = 0
        self._stop = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)),
            *(threading.Thread(target=self._read) for _ in range(READERS)),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        """How many rows were acknowledged."""
        return len(self.facts) + len(self.samples)

    def _write(self, writer: int) -> None:
        began = datetime.now(UTC)
        with httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            for step in itertools.count():
                ts = (began + timedelta(milliseconds=step)).isoformat()
                common = {"source": f"writer{writer}", "ts": ts, "value": step % 100}
                ids = [f"{self.name}-{writer}-{step}-{i}" for i in range(FACTS)]
                facts = [{"kind": self.fact, "fact_id": each, **common} for each in ids]
                self._post(http, "facts", facts, ids, self.facts)
                sample = {"name": self.metric, **common}
                self._post(http, "metrics", [sample], [f"{writer}-{step}"], self.samples)
                if self._stop.is_set():
                    return
                time.sleep(PAUSE_SECONDS)

    # The same items again until their outcome is known: that is what a client is asked to do.
    def _post(
        self, http: httpx.Client, path: str, items: list[Any], ids: list[str], known: set[str]
    ) -> None:
        while True:
            with suppress(httpx.TransportError):
                answer = http.post(f"/ingest/{path}", json=items)
                if answer.is_success:
                    receipt = answer.json()
                    assert receipt["accepted"] + receipt["duplicate"] == len(items), receipt
                    known.update(ids)
                    return
            if self._stop.wait(0.1):
                self.unknown += len(ids)
                return

    def _read(self) -> None:
        with httpx.Client(base_url=self.url, timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            questions = itertools.cycle(itertools.product((self.fact, self.metric), WINDOWS))
            for kind, window in questions:
                with suppress(httpx.TransportError):
                    http.get("/query/agg", params={"kind": kind, "window": window})
                if self._stop.wait(PAUSE_SECONDS):
                    return
