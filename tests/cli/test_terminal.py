"""What reaches a terminal, a pipe and a full disk."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.support import command_line
from tests.support.command_line import Service

# Names as services give them: long paths, labels and host names.
LONG_KIND = "io.modelcontextprotocol.servers.filesystem.requests.duration_seconds.read_text_file"
LONG_SOURCE = "mcp-filesystem-7d9f8b6c5d-x2x9q.production.eu-west-1.compute.internal"
EVIL = "\x1b]0;title\x07\x1b[31m\x7f\x9b2J\u202ereversed\r"


@pytest.fixture
def long_names(service: Service) -> Service:
    item = {"name": LONG_KIND, "source": LONG_SOURCE, "value": 1234567.5, "unit": "seconds"}
    httpx.post(f"{service.url}/ingest/metrics", json=item).raise_for_status()
    fact = {"kind": "Fact:Long", "source": LONG_SOURCE, "subject": LONG_KIND, "fact_id": "1"}
    httpx.post(f"{service.url}/ingest/facts", json=fact).raise_for_status()
    return service


@pytest.mark.parametrize("arguments", ["--version", "kinds", "agg"])
def test_a_closed_standard_output_is_reported(service: Service, arguments: str) -> None:
    command = " ".join(map(shlex.quote, [*command_line.COMMAND, *arguments.split()]))
    done = subprocess.run(
        f"{command} >&-",
        shell=True,
        capture_output=True,
        check=False,
        text=True,
        env={**command_line.environment(), **service.env, "SUPERVISOR_URL": service.url},
    )
    assert done.stderr == "Cannot write to standard output: it is closed.\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("kinds", "--prefix", "io."), [LONG_KIND]),
        (("agg",), [LONG_KIND, "1,234,568"]),
        (("agg", LONG_KIND, "--group-by", "source"), [LONG_KIND, LONG_SOURCE, "1,234,568"]),
        (("facts", "--kind", "Fact:Long"), [LONG_KIND, LONG_SOURCE]),
        (("series", LONG_KIND), [LONG_SOURCE, "1,234,568"]),
    ],
)
def test_nothing_is_cut_in_80_columns(
    long_names: Service, arguments: tuple[str, ...], names: list[str]
) -> None:
    done = long_names.run(*arguments, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "…" not in done.stdout
    for name in names:
        assert name in _unfolded(done.stdout), done.stdout


def _unfolded(drawn: str) -> str:
    """The text with the lines of each cell joined again."""
    lines = [line.split("│") for line in drawn.splitlines()]
    columns = max(map(len, lines))
    folded = [
        "".join(line[place].strip() for line in lines if len(line) == columns)
        for place in range(columns)
    ]
    return drawn + "\n" + "\n".join(folded)


@pytest.fixture
def evil(service: Service, name: str) -> str:
    """A fact kind whose facts try to control a terminal."""
    kind = f"Fact:{name}"
    fact = {"kind": kind, "source": "me", "subject": EVIL, "payload": {"text": EVIL}}
    httpx.post(f"{service.url}/ingest/facts", json=fact).raise_for_status()
    return kind


@pytest.mark.parametrize("terminal", ["0", "1"])
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_stored_control_characters_do_not_reach_the_terminal(
    service: Service, evil: str, terminal: str, option: tuple[str, ...]
) -> None:
    done = service.run(
        "facts", "--kind", evil, *option, TTY_COMPATIBLE=terminal, NO_COLOR="1", TERM="dumb"
    )
    assert done.returncode == 0, done.stderr
    assert "reversed" in done.stdout
    assert not set(done.stdout) & set("\x1b\x07\x7f\x9b\u202e\r")


def test_control_characters_in_an_error_do_not_reach_the_terminal(service: Service) -> None:
    for option in ((), ("--json",)):
        done = service.run("agg", "x\x1b[31m\u202e", *option)
        assert done.returncode == 4
        assert not set(done.stderr) & set("\x1b\u202e")


def test_a_reader_that_stops_ends_the_command_quietly(service: Service, name: str) -> None:
    now = time.time()
    items = [
        {"kind": f"Fact:{name}", "source": "me", "ts": now, "payload": {"n": n, "fill": "x" * 500}}
        for n in range(1000)
    ]
    httpx.post(f"{service.url}/ingest/facts", json=items).raise_for_status()
    command = [*command_line.COMMAND, "facts", "--kind", f"Fact:{name}", "--limit", "1000"]
    process = subprocess.Popen(
        command,
        env={**command_line.environment(), **service.env, "SUPERVISOR_URL": service.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("ts\t")
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), errors) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("kinds",), "Cannot write to standard output: No space left on device.\n"),
        (
            ("kinds", "--json"),
            '{"detail":"Cannot write to standard output: No space left on device.",'
            '"hint":null,"status":1}\n',
        ),
        (("--help",), "No space left on device.\n"),
        (("--version",), "Cannot write to standard output: No space left on device.\n"),
    ],
)
def test_a_full_disk_is_one_line_and_status_1(
    service: Service, arguments: tuple[str, ...], said: str
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command_line.COMMAND, *arguments],
            env={
                **command_line.environment(),
                **service.env,
                "SUPERVISOR_URL": service.url,
                # What is buffered at the end is not tried again.
                "PYTHONUNBUFFERED": "",
            },
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (1, said)


def test_a_terminal_without_unicode_gets_escapes(service: Service, name: str) -> None:
    item = {"name": name, "source": "käse", "value": 1}
    httpx.post(f"{service.url}/ingest/metrics", json=item).raise_for_status()
    done = service.run("series", name, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert r"k\xe4se" in done.stdout
