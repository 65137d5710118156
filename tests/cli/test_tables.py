from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor_mcp.cli.tables import room, table, text

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
    **options: Any,
) -> str:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    table("Title", COLUMNS, content, spare=spare, **options)
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


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ("eu", "eu"),
        (1_234_567, "1,234,567"),
        (True, "true"),
        (False, "false"),
        ({"region": "eu", "tier": [1, None, True]}, '{"region": "eu", "tier": [1, null, true]}'),
        (["é", 0.5], '["é", 0.5]'),
        ({}, "{}"),
        ({"text": "a\u202eb\n"}, '{"text": "a\\u202eb\\n"}'),
        (0.12345678, "0.123457"),
        (99_999.5, "99,999.5"),
        (999_999.7, "1,000,000"),
        (-1_234_567.8, "-1,234,568"),
        (1e15 - 1, "999,999,999,999,999"),
        (1e15, "1e+15"),
    ],
)
def test_a_cell_is_text_that_people_read(cell: object, shown: str) -> None:
    assert text(cell) == shown


def test_a_column_beside_others_has_the_room_that_they_leave() -> None:
    rows = [("a" * 50, 12_345_678_901_234_567_890), ("b", 1)]
    # Twenty characters of text, a number of 26 and, around three columns, 10 or 4.
    assert room(80, ("kind", "value"), rows) == 80 - 20 - 26 - 10
    assert room(80, ("kind", "value"), rows, framed=False) == 80 - 20 - 26 - 4


def test_a_table_has_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("cpu", "web", 1_234.5), ("queue.depth", "", None)]
    assert (
        _printed(monkeypatch, rows, 80)
        == """\
Title
┏━━━━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━┓
┃ kind        ┃ source ┃   value ┃
┡━━━━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━┩
│ cpu         │ web    │ 1,234.5 │
│ queue.depth │ -      │       - │
└─────────────┴────────┴─────────┘
"""
    )


def test_a_table_without_a_frame_has_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("cpu", "web", 1_234.5), ("queue.depth", "", None)]
    assert (
        _printed(monkeypatch, rows, 80, framed=False)
        == """\
Title
kind         source    value
cpu          web     1,234.5
queue.depth  -             -
"""
    )


def test_the_widest_texts_are_folded_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("k" * 30, "s" * 45, 12_345_678_901_234_567_890)]
    assert (
        _printed(monkeypatch, rows, 86)
        == """\
Title
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ kind                      ┃ source                    ┃                      value ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ kkkkkkkkkkkkkkkkkkkkkkkkk │ sssssssssssssssssssssssss │ 12,345,678,901,234,567,890 │
│ kkkkk                     │ ssssssssssssssssssss      │                            │
└───────────────────────────┴───────────────────────────┴────────────────────────────┘
"""
    )


def test_a_column_that_stays_whole_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("k" * 30, "s" * 45, 5)]
    assert "s" * 45 in _printed(monkeypatch, rows, 82, whole=["source"])
    assert "s" * 45 not in _printed(monkeypatch, rows, 82)


@pytest.mark.parametrize(
    ("spare", "framed", "width"),
    [((), True, 39), ((), False, 33), (("value",), True, 31), (("value",), False, 25)],
)
def test_texts_are_folded_to_their_narrowest_and_no_further(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    spare: tuple[str, ...],
    framed: bool,
    width: int,
) -> None:
    rows = [("cpu", "s" * 90, 5)]
    fits = _printed(monkeypatch, rows, width, spare, framed=framed)
    assert "value" in fits
    assert "─" * 8 + "\n" not in fits
    assert capfd.readouterr().err == ""
    narrower = _printed(monkeypatch, rows, width - 1, spare, framed=framed)
    if spare:
        assert "value" not in narrower
        assert capfd.readouterr().err == "There is no room for value; --json has everything.\n"
    else:
        assert "─" * 8 + "\n" in narrower


def test_a_table_that_fits_in_no_way_is_blocks_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("cpu", "s" * 30, 5), ("mem", "web", None)]
    assert (
        _printed(monkeypatch, rows, 20)
        == f"""\
Title
────────
kind    cpu
source  {"s" * 30}
value   5
────────
kind    mem
source  web
value   -
"""
    )


def test_booleans_and_json_are_aligned_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("cpu", {"region": "eu"}, True), ("mem", [], False)]
    printed = _printed(monkeypatch, rows, 80, framed=False).splitlines()
    assert [line.rstrip() for line in printed] == [
        "Title",
        "kind  source            value",
        'cpu   {"region": "eu"}  true',
        "mem   []                false",
    ]


def test_tab_separated_booleans_and_json_are_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    table("Title", COLUMNS, [("cpu", {"region": "é"}, True), ("mem", [1, None, "a"], False)])
    assert capsys.readouterr().out == (
        'kind\tsource\tvalue\ncpu\t{"region": "é"}\ttrue\nmem\t[1, null, "a"]\tfalse\n'
    )


def test_a_table_without_rows_is_nothing_on_a_terminal_and_its_columns_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _printed(monkeypatch, [], 80) == ""
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    table("Title", COLUMNS, [])
    table("Title", COLUMNS, [("cpu", None, 1_234.5)])
    assert capsys.readouterr().out == "kind\tsource\tvalue\n" * 2 + "cpu\t\t1234.5\n"
