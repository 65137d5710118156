from __future__ import annotations

from types import SimpleNamespace

import pytest

from supervisor_mcp.cli import progress


def test_without_a_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.bar("servers.json", 1_294, "servers", line_seconds=0) as done:
        done(1_000)
    assert capsys.readouterr().err.startswith("servers.json: 1,000 of 1,294 (")


def test_what_is_done_at_once_has_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("servers.json", 2, "servers") as done:
        done(2)
    assert capsys.readouterr().err == ""


def test_without_a_terminal_a_line_every_five_seconds_has_the_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    with progress.bar("x.csv", 5_000) as done:
        for now in (104.9, 105.0, 109.9, 110.0):
            clock.now = now
            done(500)
    assert capsys.readouterr().err == (
        "x.csv: 1,000 of 5,000 (200 rows/s)\nx.csv: 2,000 of 5,000 (200 rows/s)\n"
    )


def test_a_rate_is_known_within_the_first_second(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    with progress.bar("x.csv", 5_000, line_seconds=0) as done:
        clock.now = 100.5
        done(500)
    assert capsys.readouterr().err == "x.csv: 500 of 5,000 (1,000 rows/s)\n"


def test_a_step_that_is_named_twice_in_a_row_is_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.step("deploying") as next_step:
        for name in ("deploying", "refreshing", "refreshing", "deploying"):
            next_step(name)
    assert capsys.readouterr().err == "deploying\nrefreshing\ndeploying\n"


def test_a_terminal_has_a_bar_and_no_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    with progress.bar("[b]x.csv", 5_000, line_seconds=0) as done:
        done(500)
    shown = capsys.readouterr().err
    assert "[b]x.csv" in shown
    assert "500/5000" in shown
    assert "500 of 5,000" not in shown


def test_steps_are_lines_without_a_terminal_and_a_spinner_on_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[str] = []
    with progress.step("starting", written.append) as next_step:
        next_step("deploying")
    assert written == ["starting", "deploying"]
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with progress.step("starting", written.append) as next_step:
        next_step("deploying")
    assert len(written) == 2
    assert "deploying" in capsys.readouterr().err
