"""Prometheus, on blocks that promtool makes of the samples."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.peers import vectors
from bench.peers.peer import Peer
from bench.peers.programs import running
from bench.peers.questions import Answer, Question, Window
from bench.peers.samples import Samples

PROGRAMS = ("prometheus", "promtool")
RETENTION = "10y"
# Over all sources: how the statistics of single ones are combined.
COMBINED = {"count": "sum", "sum": "sum", "min": "min", "max": "max", "last": "max"}


def missing() -> str | None:
    """Why it cannot be compared; None where it can."""
    if all(map(shutil.which, PROGRAMS)):
        return None
    return "Prometheus is not installed (apt-get install prometheus)"


@contextmanager
def prometheus(folder: Path, samples: Samples) -> Iterator[list[Peer]]:
    """Load the samples into blocks, and serve them."""
    folder = folder / "prometheus"
    folder.mkdir()
    text, data, configuration = folder / "samples.txt", folder / "data", folder / "prometheus.yml"
    configuration.write_text("global: {}\n")
    _write(text, samples)
    # Blocks of a month; without it, a block for every two hours.
    make = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    subprocess.run(
        [*make, "--max-block-duration=744h", str(text), str(data)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    text.unlink()

    def command(port: int) -> list[str]:
        return [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={data}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--query.timeout=10m",
            "--query.max-samples=1000000000",
            "--log.level=error",
        ]

    with running(command, "/-/ready", folder / "log") as http:
        yield [Prometheus(http)]


class Prometheus(Peer):
    """Asked over HTTP; percentiles are exact, and of single series only."""

    name = "Prometheus"
    over_http = True
    ingest_note = "fetches samples itself"

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        version = http.get("/api/v1/status/buildinfo").json()["data"]["version"]
        self.version = f"Prometheus {version}"

    def ask(self, question: Question, window: Window) -> Any:
        """One query: a statistic on each side of `or`."""
        parts = [
            f'label_replace({expression}, "{vectors.LABEL}", "{before}{name}", "", "")'
            for before, selected in vectors.ranges(question, window).items()
            for name, expression in _expressions(question, selected).items()
        ]
        return vectors.ask(self._http, " or ".join(parts), window.end)

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        """From elements."""
        return vectors.read(window, fetched, by_source=question.by_source)


def _expressions(question: Question, selected: str) -> dict[str, str]:
    if question.by_source or question.source is not None:
        return {
            **{name: f"{name}_over_time({selected})" for name in question.plain},
            **{
                name: f"quantile_over_time({share}, {selected})"
                for name, share in question.quantiles.items()
            },
        } | ({"stddev": f"stddev_over_time({selected})"} if "stddev" in question.plain else {})
    return {name: f"{how}({name}_over_time({selected}))" for name, how in COMBINED.items()}


def _write(file: Path, samples: Samples) -> None:
    """Write the samples as OpenMetrics, series by series."""
    seconds = [f" {at:.3f}\n" for at in samples.instants]
    with file.open("w") as output:
        output.write(f"# TYPE {vectors.METRIC} gauge\n")
        for place, source in enumerate(samples.sources):
            head = f'{vectors.METRIC}{{source="{source}"}} '
            values = samples.values[:, place].tolist()
            output.writelines(
                f"{head}{value!r}{at}" for value, at in zip(values, seconds, strict=True)
            )
        output.write("# EOF\n")
