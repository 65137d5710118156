"""A series is drawn over several lines, with its threshold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.cli.plot import BLOCKS, LINE, plot_lines

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def drawn(
    values: list[float | None], threshold: float | None, width: int, height: int
) -> list[str]:
    return [line.plain for line in plot_lines(values, threshold, width, height)]


def size(lines: list[str], place: int) -> int:
    """How high a column is, in eighths of a line."""
    return sum(max(BLOCKS.find(line[place]), 0) for line in lines)


def test_a_threshold_is_a_line_where_values_are_lower() -> None:
    assert drawn([0, 0, 4, None], 2, 4, 2) == ["──█─", "▁▁█ "]
    assert drawn([0, 1, 2], 4, 3, 3) == ["───", "  ▅", "▁▇█"]


def test_a_few_values_fill_the_width() -> None:
    assert drawn([1, 2], None, 6, 1) == ["▁▁▁███"]


def test_equal_values_are_half_as_high() -> None:
    assert drawn([5, 5], None, 4, 2) == ["    ", "████"]


def test_only_the_threshold_is_red() -> None:
    for line in plot_lines([0, 0, 4, None], 2, 4, 2):
        red = {line.plain[place] for span in line.spans for place in range(span.start, span.end)}
        assert red == set(line.plain) & {LINE}
        assert {span.style for span in line.spans} <= {"red"}


def test_without_values_there_is_nothing_to_draw() -> None:
    assert drawn([], 5, 4, 2) == ["", ""]
    assert drawn([None], 5, 4, 2) == ["    ", "────"]


@given(
    st.lists(st.none() | NUMBERS, min_size=1, max_size=30),
    st.none() | NUMBERS,
    st.integers(30, 100),
    st.integers(1, 10),
)
def test_a_larger_value_is_never_drawn_lower(
    values: list[float | None], threshold: float | None, width: int, height: int
) -> None:
    lines = drawn(values, threshold, width, height)
    assert [len(line) for line in lines] == [width] * height
    columns = [place * len(values) // width for place in range(width)]
    sizes = {n: size(lines, place) for place, n in enumerate(columns)}
    known = [(value, sizes[n]) for n, value in enumerate(values) if value is not None]
    assert all(tall > 0 for _, tall in known)
    assert all(sizes[n] == 0 for n, value in enumerate(values) if value is None)
    ordered = [tall for _, tall in sorted(known)]
    assert ordered == sorted(ordered)
    if threshold is None:
        assert not any(LINE in line for line in lines)
