"""The comparison in Markdown."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psycopg

from bench.peers.comparison import EXACT, Cell, Cells
from bench.peers.peer import Peer
from bench.peers.questions import Question
from bench.peers.samples import Samples
from bench.servers import Target

# A difference that two runs can have by chance.
ALIKE = 1.1
OURS = {True: "ours, REST", False: "ours, SQL"}
LIBRARIES = ("psycopg", "falcon", "gunicorn", "uvicorn", "numpy", "pyarrow")

INTRODUCTION = """
Medians of {rounds} rounds of one run; in each, every peer is asked every question once, after a
round that warms up. All have the same {samples:,} samples: one gauge, {sources} sources, every
{step:g} s. Nothing comes from a cache of answers. Beside the time is the greatest relative error
against numpy over the raw values, in all rounds: "exact" is below {exact:g}, and where two errors
differ, the first is that of the percentiles. Ours over REST, the usual way, VictoriaMetrics and
Prometheus are asked over HTTP; ours in SQL over a socket; ClickHouse and DuckDB run in the process
that asks. A peer is called faster than ours in SQL or, where it is asked over HTTP, than ours over
REST, from a factor of {alike:g}.
"""
NONE = "\N{EN DASH}"


def run(target: Target, samples: Samples, step: float, rounds: int, command: str) -> dict[str, str]:
    """What was run on what."""
    with psycopg.connect(target.database_url, prepare_threshold=None) as conn:
        row = conn.execute(
            "select current_setting('server_version'), extversion"
            " from pg_extension where extname = 'timescaledb'"
        ).fetchone()
    assert row is not None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    server = "native" if target.native else "embedded"
    introduction = INTRODUCTION.format(
        rounds=rounds,
        samples=samples.values.size,
        sources=len(samples.sources),
        step=step,
        exact=EXACT,
        alike=ALIKE,
    )
    return {
        "introduction": introduction.replace("\n", " ").strip(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory,"
        f" {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f} in the end",
        "server": f"PostgreSQL {row[0]} and TimescaleDB {row[1]} ({server})",
        "libraries": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "command": f"`{command}`",
    }


def write(
    peers: Sequence[Peer],
    asked: Sequence[Question],
    sizes: Sequence[int],
    answered: Cells,
    stored: Cells,
    skipped: Sequence[str],
    about: dict[str, str],
) -> str:
    """Write the whole report."""
    asking = [peer for peer in peers if any(name == peer.name for _, name in answered)]
    storing = [peer for peer in peers if any(name == peer.name for _, name in stored)]
    questions = [
        [question.name, *(_answer(answered.get((question.name, peer.name))) for peer in asking)]
        for question in asked
    ]
    batches = [
        [f"{size:,}", *(_rate(size, stored.get((str(size), peer.name))) for peer in storing)]
        for size in sizes
    ]
    versions = sorted({peer.version for peer in peers if peer.version})
    sections = [
        f"# This service and its peers, {time.strftime('%Y-%m-%d', time.gmtime())}",
        about["introduction"],
        "## Questions",
        _table(["question", *(peer.name for peer in asking)], questions),
        "\n".join(_faster(each.name, each.name, asking, answered) for each in asked),
        "## Ingest",
        "Rows a second by one client that waits for every batch.",
        _table(["batch", *(peer.name for peer in storing)], batches),
        "\n".join(
            [_faster(f"batches of {size:,}", str(size), storing, stored) for size in sizes]
            + _durability(peers, storing)
        ),
        "## Run",
        "\n".join(
            f"- {line}"
            for line in (
                about["command"],
                about["machine"],
                about["server"],
                *versions,
                about["libraries"],
                *(f"Skipped: {why}" for why in skipped),
            )
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _answer(cell: Cell | None) -> str:
    if cell is None:
        return NONE
    if cell.failure:
        return f"no answer: {cell.failure}"
    found = list(dict.fromkeys(map(_error, (cell.percentile_error, cell.error))))
    text = f"{_ms(cell.ms)}, {' and '.join(found)}"
    return text + _without(cell)


def _without(cell: Cell) -> str:
    return f", without {', '.join(sorted(cell.missing))}" if cell.missing else ""


def _error(error: float) -> str:
    return "exact" if error < EXACT else f"{error:.2g} off" if error < 1e-4 else f"{error:.2%} off"


def _ms(ms: float) -> str:
    return f"{ms:.1f} ms" if ms < 10 else f"{ms:,.0f} ms"


def _rate(size: int, cell: Cell | None) -> str:
    return NONE if cell is None else f"{size / cell.ms * 1000:,.0f}"


def _faster(name: str, key: str, peers: Sequence[Peer], cells: Cells) -> str:
    """Say who is faster than this service, asked in the like way."""
    found = []
    for peer in peers:
        cell = cells.get((key, peer.name))
        if cell is None or cell.failure or peer.name in OURS.values():
            continue
        ours = cells[key, OURS[peer.over_http]]
        ratio = ours.ms / cell.ms
        if ours.failure:
            found.append((ratio, f"{peer.name} (ours does not answer)"))
        elif ratio > ALIKE:
            found.append((ratio, f"{peer.name} ({ratio:.1f} times{_without(cell)})"))
    faster = ", ".join(text for _, text in sorted(found, reverse=True))
    return f"- {name}: {f'faster than ours: {faster}' if faster else 'nobody is faster than ours'}."


def _durability(peers: Sequence[Peer], storing: Sequence[Peer]) -> list[str]:
    lines = []
    for peer in peers:
        if peer in storing:
            kept = "durable when acknowledged" if peer.durable else "not durable"
            note = f" ({peer.ingest_note})" if peer.ingest_note else ""
            lines.append(f"- {peer.name}: {kept}{note}.")
        elif peer.ingest_note:
            lines.append(f"- {peer.name}: not measured ({peer.ingest_note}).")
    return lines


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
