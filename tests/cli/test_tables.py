from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor_mcp.cli.tables import table, text

names = st.text(alphabet="abcdefgh.-_/ ", min_size=1, max_size=150).map(lambda name: f"x{name}x")
rows = st.lists(
    st.tuples(names, names, st.none() | st.integers() | st.floats(-1e9, 1e9)),
    min_size=1,
    max_size=4,
)
STYLE = re.compile(r"\x1b\[[0-9;]*m")
COLUMNS = ("kind", "source", "value")


def _printed(
    monkeypatch: pytest.MonkeyPatch,
    content: Sequence[Sequence[object]],
    width: int,
    spare: Sequence[str] = (),
) -> str:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    table("Title", COLUMNS, content, spare=spare)
    monkeypatch.undo()
    return STYLE.sub("", output.getvalue())


@given(rows, st.integers(20, 250))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_character_is_printed_at_every_width(
    monkeypatch: pytest.MonkeyPatch, content: list[tuple[object, ...]], width: int
) -> None:
    printed = _printed(monkeypatch, content, width)
    for character in "abcdefgh.-_/":
        expected = sum(text(cell).count(character) for row in content for cell in row)
        assert printed.count(character) >= expected
    assert "…" not in printed


@given(rows, st.integers(20, 250))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_drawn_table_fits_and_its_numbers_are_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, content: list[tuple[object, ...]], width: int
) -> None:
    printed = _printed(monkeypatch, content, width)
    for *_, value in content:
        assert text(value) in printed
    if "│" in printed:
        assert all(len(line) <= width for line in printed.splitlines())


def test_a_column_without_known_values_is_aligned_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = _printed(monkeypatch, [("a", "", None)], 80)
    assert "│ a    │ -      │ -     │" in printed


def test_columns_to_spare_are_left_out_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [["cpu", "a" * 30, None]]
    assert "source" in _printed(monkeypatch, rows, 60, spare=("source", "value"))
    # One without values is the first to go.
    narrow = _printed(monkeypatch, rows, 24, spare=("source", "value"))
    assert ("source" in narrow, "value" in narrow) == (True, False)
    narrowest = _printed(monkeypatch, rows, 16, spare=("source", "value"))
    assert "┃ kind ┃" in narrowest


@given(rows, st.integers(20, 250))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_column_is_left_out_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, content: list[tuple[object, ...]], width: int
) -> None:
    whole = _printed(monkeypatch, content, width)
    if "│" in whole:
        assert _printed(monkeypatch, content, width, spare=("value", "source")) == whole
