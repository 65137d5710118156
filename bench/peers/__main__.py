"""Compare the service with its peers: `python -m bench.peers [--help]`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench.peers import comparison, prometheus, report, victoria_metrics
from bench.peers.clickhouse import clickhouse
from bench.peers.duck import duck
from bench.peers.peer import Peer
from bench.peers.plain_table import plain_table
from bench.peers.questions import questions
from bench.peers.samples import Samples
from bench.peers.service import service
from bench.servers import Target, target

RESULTS = Path(__file__).parents[1] / "results"
WORKERS = 2
SIZES = (1000, 10_000)
# 100 sources send 8.64 M samples in 30 days, to the embedded server 300,000.
STEP_SECONDS = 30.0
EMBEDDED_STEP_SECONDS = 864.0


def main() -> None:
    """Load everybody, ask in rounds, write a table."""
    sent = _arguments()
    native = sent.database_url is not None
    step = sent.step or (STEP_SECONDS if native else EMBEDDED_STEP_SECONDS)
    samples = Samples.make(sent.sources, sent.days, step, time.time())
    skipped = [why for why in (prometheus.missing(), victoria_metrics.missing()) if why]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="supervisor-bench-")))
        running = stack.enter_context(target(folder, WORKERS, sent.database_url))
        peers = _load(stack, running, folder, samples)
        asked = questions(sent.days, samples.sources[len(samples.sources) // 2])
        _say("Asking")
        answered = comparison.compare(peers, asked, samples, sent.rounds)
        _say("Ingesting")
        stored = comparison.ingest(peers, SIZES, samples, sent.rounds)
        text = report.write(
            peers,
            asked,
            SIZES,
            answered,
            stored,
            skipped,
            report.run(running, samples, step, sent.rounds, _command(sent)),
        )
    place = "native" if native else "embedded"
    file = sent.output or RESULTS / f"{time.strftime('%Y-%m-%d', time.gmtime())}-{place}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    sys.stdout.write(text)
    _say(f"Written to {file}")


def _load(stack: ExitStack, running: Target, folder: Path, samples: Samples) -> list[Peer]:
    contexts: dict[str, Callable[[], AbstractContextManager[list[Peer]]]] = {
        "this service": lambda: service(running, samples),
        "the usual way": lambda: plain_table(running, folder, samples),
        "ClickHouse": lambda: clickhouse(folder, samples),
        "DuckDB": lambda: duck(folder, samples),
    }
    if not victoria_metrics.missing():
        contexts["VictoriaMetrics"] = lambda: victoria_metrics.victoria_metrics(folder, samples)
    if not prometheus.missing():
        contexts["Prometheus"] = lambda: prometheus.prometheus(folder, samples)
    peers: list[Peer] = []
    for name, context in contexts.items():
        started = time.perf_counter()
        peers += stack.enter_context(context())
        _say(
            f"Loaded {samples.values.size:,} samples into {name} in"
            f" {time.perf_counter() - started:.1f} s"
        )
    return peers


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--step", type=float, help="seconds between the samples of a source")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--database-url",
        type=lambda sent: sent or None,
        help="superuser's DSN on a native server; the embedded one runs without it",
    )
    parser.add_argument("--output", type=Path, help="file of the report")
    return parser.parse_args()


def _command(sent: argparse.Namespace) -> str:
    """The command without the DSN, which may have a password."""
    parts = ["make", "bench-peers", f"DAYS={sent.days}", f"SOURCES={sent.sources}"]
    if sent.step:
        parts.append(f"STEP={sent.step:g}")
    parts.append(f"ROUNDS={sent.rounds}")
    if sent.database_url:
        parts.append("DATABASE_URL=…")
    return " ".join(parts)


def _say(line: str) -> None:
    print(f"{line} (load {os.getloadavg()[0]:.1f})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
