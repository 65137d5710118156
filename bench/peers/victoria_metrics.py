"""VictoriaMetrics, which imports the samples over HTTP."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.peers import vectors
from bench.peers.peer import Peer
from bench.peers.programs import running
from bench.peers.questions import Answer, Question, Window
from bench.peers.samples import INGESTED, Batch, Samples

PROGRAM = "victoria-metrics"
# Over all sources: how the statistics of single ones are combined.
COMBINED = {
    "sum": ("count_over_time", "sum_over_time", "sum2_over_time"),
    "min": ("min_over_time",),
    "max": ("max_over_time", "last_over_time"),
}


def missing() -> str | None:
    """Why it cannot be compared; None where it can."""
    if shutil.which(PROGRAM):
        return None
    return "VictoriaMetrics is not installed (apt-get install victoria-metrics)"


@contextmanager
def victoria_metrics(folder: Path, samples: Samples) -> Iterator[list[Peer]]:
    """Import the samples, a request for each source."""

    def command(port: int) -> list[str]:
        return [
            PROGRAM,
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-storageDataPath={folder / PROGRAM}",
            "-retentionPeriod=10y",
            "-search.maxQueryDuration=10m",
            "-search.maxQueryLen=65536",
            "-search.latencyOffset=0s",
            "-search.disableCache",
            "-loggerLevel=ERROR",
        ]

    with running(command, "/health", folder / "victoria-metrics.log") as http:
        milliseconds = [round(at * 1000) for at in samples.instants]
        for place, source in enumerate(samples.sources):
            values = samples.values[:, place].tolist()
            _import(http, [_series(vectors.METRIC, source, values, milliseconds)])
        http.get("/internal/force_flush").raise_for_status()
        version = _version()
        yield [VictoriaMetrics(http, version), Histograms(http, version)]


class VictoriaMetrics(Peer):
    """Asked over HTTP; percentiles are exact, and of single series only."""

    name = "VictoriaMetrics"
    over_http = True
    durable: bool | None = False
    ingest_note = "in memory for up to 5 s"

    def __init__(self, http: httpx.Client, version: str) -> None:
        self._http = http
        self.version = version

    def ask(self, question: Question, window: Window) -> Any:
        """One query: a union of the functions."""
        parts = [
            f'label_set({expression}, "before", "{before}")' if before else expression
            for before, selected in vectors.ranges(question, window).items()
            for expression in self._expressions(question, selected)
        ]
        return vectors.ask(self._http, f"union({', '.join(parts)})", window.end, nocache="1")

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        """From elements."""
        return vectors.read(window, fetched, by_source=question.by_source, name=_statistic)

    def encode(self, batch: Batch) -> bytes:
        """As lines of JSON, one for each source."""
        found: dict[str, tuple[list[float], list[int]]] = {}
        ts = batch.table["ts"].cast("int64").to_pylist()
        names, values = batch.table["source"].to_pylist(), batch.table["value"].to_pylist()
        for source, at, value in zip(names, ts, values, strict=True):
            series = found.setdefault(source, ([], []))
            series[0].append(value)
            series[1].append(at)
        lines = (_series(INGESTED, source, *series) for source, series in found.items())
        return "\n".join(lines).encode()

    def ingest(self, encoded: bytes) -> None:
        """POST /api/v1/import."""
        self._http.post("/api/v1/import", content=encoded).raise_for_status()

    def _expressions(self, question: Question, selected: str) -> list[str]:
        if question.by_source or question.source is not None:
            return [_functions(_names(question), selected), *self._quantiles(question, selected)]
        return [
            *(
                f"{how}({_functions(functions, selected)}) by (rollup)"
                for how, functions in COMBINED.items()
            ),
            *self._quantiles(question, selected),
        ]

    def _quantiles(self, question: Question, selected: str) -> list[str]:
        if not question.quantiles or not (question.by_source or question.source):
            return []
        shares = ", ".join(map(str, question.quantiles.values()))
        return [f'quantiles_over_time("share", {shares}, {selected})']


class Histograms(VictoriaMetrics):
    """Percentiles come from histograms whose bins are 13.6 % wide, which can be added up."""

    name = "VictoriaMetrics, histogram"
    durable = None
    ingest_note = ""

    def answers(self, question: Question) -> bool:
        """Only percentiles differ."""
        return bool(question.quantiles)

    def _quantiles(self, question: Question, selected: str) -> list[str]:
        shares = ", ".join(map(str, question.quantiles.values()))
        by = "source, vmrange" if question.by_source else "vmrange"
        histogram = f"sum(histogram_over_time({selected})) by ({by})"
        return [f'histogram_quantiles("share", {shares}, {histogram})']


def _names(question: Question) -> tuple[str, ...]:
    return tuple(f"{name}_over_time" for name in question.plain)


def _functions(names: tuple[str, ...], selected: str) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    return f"aggr_over_time(({listed}), {selected})"


def _statistic(labels: Mapping[str, str]) -> str:
    if "share" in labels:
        found = f"p{round(float(labels['share']) * 100)}"
    else:
        found = labels["rollup"].removesuffix("_over_time")
    return labels.get("before", "") + found


def _series(name: str, source: str, values: list[float], milliseconds: list[int]) -> str:
    metric = {"__name__": name, "source": source}
    return json.dumps({"metric": metric, "values": values, "timestamps": milliseconds})


def _version() -> str:
    # The program of Debian does not know its own.
    asked = ["dpkg-query", "--show", "--showformat=${Version}", PROGRAM]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return f"VictoriaMetrics {found or 'of an unknown version'}"


def _import(http: httpx.Client, lines: list[str]) -> None:
    http.post("/api/v1/import", content="\n".join(lines).encode()).raise_for_status()
