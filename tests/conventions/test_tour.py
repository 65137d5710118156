"""The commands of README.md and docs/ work in reading order and print what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import command_line, terminal
from tests.support.command_line import Service
from tests.support.data_directories import DataDirectories
from tests.support.repository import ROOT

DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_ANALYST = "postgresql://supervisor_analyst@127.0.0.1:55432/postgres"
COMMAND_SECONDS = 120
PAGE_SECONDS = 300

# A comment above a block names a command whose effect the block shows.
BLOCK = re.compile(
    r"(?:^<!-- first: ([^\n]*) -->\n)?^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
FIRST = [ROOT / "README.md", ROOT / "docs/tour.md"]
PAGES = [
    page
    for page in (*FIRST, *sorted(ROOT.glob("docs/*.md")))
    if BLOCK.search(page.read_text(encoding="utf-8"))
]

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00| UTC|Z)?)?")
TOKEN = re.compile(r"\b[0-9a-f]{32}\b")
SPARKLINE = re.compile(r"[▁▂▃▄▅▆▇█]+( [▁▂▃▄▅▆▇█]+)*")
NUMBER = re.compile(r"(?<![\w.-])[+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?(?!\w)")


@dataclass(frozen=True)
class Step:
    """What a page shows: commands as typed, and their output; `first` prepares them."""

    typed: str
    shown: str
    first: str = ""


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, prepared: DataDirectories
) -> Iterator[Service]:
    """One service for all pages, as a reader has it."""
    data_dir = tmp_path_factory.mktemp("tour") / "data"
    prepared.deployed(data_dir)
    with command_line.up(data_dir, env={"SUPERVISOR_WORKERS": "2"}) as started:
        yield started


@pytest.fixture(scope="module")
def read_first(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> dict[Path, list[tuple[Step, str]]]:
    """What README.md and the tour print: a reader has followed them before any other page."""
    return {page: printed(page, service, tmp_path_factory.mktemp("page")) for page in FIRST}


@pytest.mark.timeout(PAGE_SECONDS)
@pytest.mark.parametrize("page", dict.fromkeys(PAGES), ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(
    page: Path,
    service: Service,
    read_first: dict[Path, list[tuple[Step, str]]],
    tmp_path: Path,
) -> None:
    for step, output in read_first.get(page) or printed(page, service, tmp_path):
        assert _shape(output) == _shape(step.shown), f"{step.typed}\n{output}"


def test_the_readme_and_the_tour_have_commands() -> None:
    assert PAGES[:2] == FIRST


def test_a_command_has_a_terminal_and_one_before_a_pipe_has_none(
    service: Service, tmp_path: Path
) -> None:
    command = "supervisor-mcp policies --policy quota"
    assert run(Step(command, ""), service, tmp_path).startswith("Policies\n")
    assert run(Step(f"{command} | cat", ""), service, tmp_path).startswith("policy\tname\t")


def steps(page: str) -> Iterator[Step]:
    """The console blocks of a page, in order."""
    for first, block in BLOCK.findall(page):
        typed: list[str] = []
        lines = block.splitlines()
        while lines and (lines[0].startswith("$ ") or not _is_complete(typed)):
            typed.append(lines.pop(0).removeprefix("$ "))
        yield Step("\n".join(typed), "\n".join(lines), first)


def printed(page: Path, service: Service, folder: Path) -> list[tuple[Step, str]]:
    """The steps of a page, each with what it prints."""
    return [
        (step, run(step, service, folder))
        for step in steps(page.read_text(encoding="utf-8"))
        if "psql" not in step.typed or shutil.which("psql") is not None
    ]


def run(step: Step, service: Service, folder: Path) -> str:
    """Run a step in `folder` against `service`; what it prints on a terminal."""
    environment = {
        **command_line.environment(),
        **service.env,
        "SUPERVISOR_URL": service.url,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    output = ""
    for typed in filter(None, (step.first, step.typed)):
        command = typed.replace(DEFAULT_URL, service.url).replace(
            DEFAULT_ANALYST, service.analyst_dsn
        )
        done = terminal.run(command, env=environment, folder=folder, seconds=COMMAND_SECONDS)
        assert done.returncode == 0, done.stderr
        output = done.stdout
    return ESCAPE.sub("", output)


def _is_complete(lines: list[str]) -> bool:
    try:
        shlex.split("\n".join(lines))
    except ValueError:
        return False
    return True


def _form(timestamp: re.Match[str]) -> str:
    """One form for programs, and one for people."""
    return "i UTC" if timestamp[0].endswith(" UTC") else "i"


def _shape(output: str) -> list[str]:
    """Lines without what differs from run to run: times, numbers, tokens, bars and widths."""
    lines = []
    for line in output.splitlines():
        shape = NUMBER.sub("0", TOKEN.sub("t", TIMESTAMP.sub(_form, SPARKLINE.sub("▄", line))))
        shape = re.sub(r"([─━-])\1+", r"\1", re.sub(r"\s+", " ", shape)).strip()
        if shape:
            lines.append(shape)
    return lines
