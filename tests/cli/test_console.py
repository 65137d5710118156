"""What goes to standard output and to standard error, and how a command is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.text import Text

from supervisor_mcp.cli import console
from supervisor_mcp.cli.console import PIECE

WORDS = " ".join(["word"] * 50)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 20 columns with colors."""
    for name, value in {"TTY_COMPATIBLE": "1", "TERM": "xterm", "COLUMNS": "20"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.usefixtures("terminal")
def test_lines_are_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    console.show(Text(WORDS), Text("2"))
    console.say(WORDS)
    assert capsys.readouterr() == (f"{WORDS}\n2\n", f"{WORDS}\n")


def test_a_long_text_is_written_whole(capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join(f"{number}\n" for number in range(PIECE))
    console.write(text)
    assert capsys.readouterr() == (text, "")


def test_an_answer_ends_with_one_line_feed(capsys: pytest.CaptureFixture[str]) -> None:
    console.echo(b'{"a": 1}')
    console.echo(b'{"a": 1}\n\n')
    assert capsys.readouterr().out == '{"a": 1}\n{"a": 1}\n'


@pytest.mark.parametrize(
    ("called", "on_path", "expected"),
    [
        ("bin/supervisor-mcp", False, "bin/supervisor-mcp"),
        ("bin/supervisor-mcp", True, "supervisor-mcp"),
        ("other/supervisor-mcp", True, "supervisor-mcp"),
        ("bin/python", False, "supervisor-mcp"),
        ("-c", False, "supervisor-mcp"),
    ],
)
def test_a_command_is_named_so_that_it_can_be_typed_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    called: str,
    on_path: bool,
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("supervisor-mcp", "python"):
        program = tmp_path / "bin" / name
        program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin") if on_path else "/nowhere")
    path = called if called == "-c" else str(tmp_path / called)
    monkeypatch.setattr(sys, "argv", [path, "bin/supervisor-mcp", "bin/supervisor-mcp"])
    assert console.command() == expected
