"""The README's tour, run as it stands; what it shows is compared by shape."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import command_line
from tests.support.command_line import Service
from tests.support.repository import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"^```console\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00| UTC|Z)")
TOKEN = re.compile(r"\b[0-9a-f]{32}\b")
NUMBER = re.compile(r"(?<![\w.-])-?\d[\d,]*(\.\d+)?(e[+-]?\d+)?(?![\w])")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
BAR = re.compile(r"\d/\d")
# Said of old rows once a service has run for some minutes; a reader's is younger.
LATE = re.compile(r"late rows are counted")


def test_the_tour_works_word_by_word(service: Service, tmp_path: Path) -> None:
    blocks = CONSOLE.findall(README)
    assert len(blocks) >= 9
    command_line.install(tmp_path)
    for block in blocks:
        typed, expected = _read(block)
        if "psql" in typed and shutil.which("psql") is None:
            continue
        assert _shape(_type(typed, service, tmp_path)) == _shape(expected), typed


def _read(block: str) -> tuple[str, str]:
    """What is typed, without the prompts, and what is shown."""
    typed: list[str] = []
    lines = block.splitlines()
    while lines and (lines[0].startswith("$ ") or not _is_whole(typed)):
        typed.append(lines.pop(0).removeprefix("$ "))
    return "\n".join(typed), "\n".join(lines)


def _is_whole(lines: list[str]) -> bool:
    try:
        shlex.split("\n".join(lines))
    except ValueError:
        return False
    return True


def _type(typed: str, service: Service, folder: Path) -> str:
    here = typed.replace("http://127.0.0.1:8080", service.url).replace(
        "postgresql://supervisor_analyst@127.0.0.1:55432/postgres", service.analyst_dsn
    )
    done = subprocess.run(
        ["bash", "-c", here],
        env={
            **command_line.environment(),
            **service.env,
            "SUPERVISOR_URL": service.url,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "TTY_COMPATIBLE": "1",
            "COLUMNS": "110",
        },
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + "\n" + done.stderr


def _shape(shown: str) -> list[str]:
    """Lines without what differs from run to run: instants, numbers, tokens, widths, bars."""
    lines = []
    for line in ESCAPE.sub("", shown).replace("\r", "\n").splitlines():
        if LATE.search(line) or (BAR.search(line) and "demo/" not in line and "{" not in line):
            continue
        shape = NUMBER.sub("0", TOKEN.sub("t", INSTANT.sub("i", line)))
        shape = re.sub(r"([─━-])\1+", r"\1", re.sub(r"\s+", " ", shape)).strip()
        if shape:
            lines.append(shape)
    return lines


@pytest.mark.parametrize("target", sorted(re.findall(r"\]\(([^)#:]+)\)", README)))
def test_what_the_readme_links_to_exists(target: str) -> None:
    assert (ROOT / target).exists()
