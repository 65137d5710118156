from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.cli.sparkline import BLOCKS, GAP, sparkline

numbers = st.floats(-1e140, 1e140)
lines = st.lists(st.none() | numbers, max_size=60)


def test_the_highest_block_is_the_largest_value_and_a_gap_is_blank() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 80) == BLOCKS
    assert sparkline([0, None, 7], 80) == "▁ █"


def test_a_constant_line_is_drawn_in_the_middle() -> None:
    assert sparkline([5, 5, 5], 80) == "▄▄▄"


def test_a_long_line_is_averaged_to_the_width() -> None:
    assert sparkline([0, 0, 10, 10, None, None, 5, None], 4) == "▁█ ▅"


def test_a_line_without_values_is_blank() -> None:
    assert sparkline([None, None], 80) == "  "
    assert sparkline([], 80) == ""


def test_without_room_a_line_is_one_character() -> None:
    assert sparkline([1, 2], 0) == sparkline([1, 2], -3) == "▄"


@given(lines, st.integers(1, 100))
def test_it_is_never_wider_than_asked_for(values: list[float | None], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


@given(lines)
def test_blanks_are_exactly_the_gaps(values: list[float | None]) -> None:
    assert [block == GAP for block in sparkline(values, 100)] == [v is None for v in values]


@given(st.lists(numbers, min_size=2, max_size=60))
def test_a_larger_value_never_gets_a_lower_block(values: list[float]) -> None:
    drawn = sorted(zip(values, sparkline(values, 100), strict=True))
    heights = [BLOCKS.index(block) for _, block in drawn]
    assert heights == sorted(heights)
