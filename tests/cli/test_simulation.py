from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor_mcp.cli import simulation

NOON = 1_700_000_000
DAY = 86_400


def test_the_same_seed_gives_the_same_rows_and_another_other_ones() -> None:
    assert list(simulation.facts(1, NOON, NOON + DAY)) == list(
        simulation.facts(1, NOON, NOON + DAY)
    )
    first = list(simulation.metrics(1, NOON, NOON + DAY))
    assert first == list(simulation.metrics(1, NOON, NOON + DAY))
    assert first != list(simulation.metrics(2, NOON, NOON + DAY))


@given(st.integers(0, 10 * DAY), st.integers(0, 3 * DAY), st.integers(0, 3 * DAY))
@settings(max_examples=15)
def test_a_later_run_repeats_what_both_cover(begin: int, shift: int, length: int) -> None:
    def rows(start: int, end: int) -> list[str]:
        both = [*simulation.metrics(1, start, end), *simulation.facts(1, start, end)]
        return [repr(item) for item in both if begin + shift <= item["ts"] <= begin + length]

    assert rows(begin, begin + length) == rows(begin + shift, begin + shift + length)


@given(st.integers(0, 10 * DAY), st.integers(0, 2 * DAY))
@settings(max_examples=15)
def test_the_rows_are_counted_beforehand(begin: int, length: int) -> None:
    made = sum(1 for _ in simulation.metrics(1, begin, begin + length))
    assert made == simulation.count_metrics(begin, begin + length)


def test_every_row_says_that_it_is_a_demo() -> None:
    for item in simulation.metrics(1, NOON, NOON + DAY):
        assert item["source"].startswith("demo/")
        assert item["labels"]["demo"] == "true"
    for item in simulation.facts(1, NOON, NOON + DAY):
        assert item["source"].startswith("demo/")
        assert item["payload"]["demo"] is True


def test_counters_climb_and_start_again_when_a_server_restarts() -> None:
    seen = defaultdict(list)
    for item in simulation.metrics(1, NOON, NOON + 12 * DAY):
        if item["type"] == "counter":
            seen[item["source"]].append(item["value"])
    for values in seen.values():
        assert sum(later < earlier for earlier, later in pairwise(values)) in (2, 3)


def test_one_server_has_an_incident_every_day_whatever_the_seed() -> None:
    for seed in range(5):
        shares = [
            item["value"]
            for item in simulation.metrics(seed, NOON, NOON + DAY)
            if (item["name"], item["source"]) == ("mcp.error_ratio", "demo/billing")
        ]
        assert sum(share >= simulation.DAILY_ERRORS for share in shares) >= 3


def test_histograms_add_up() -> None:
    for item in simulation.metrics(1, NOON, NOON + DAY):
        if item["type"] == "histogram":
            value = item["value"]
            assert sum(value["counts"]) == value["count"]
            assert len(value["counts"]) == len(value["bounds"]) + 1
            assert min(value["counts"]) >= 0
            edges = [0.0, *value["bounds"], inf]
            least = sum(n * edge for n, edge in zip(value["counts"], edges[:-1], strict=True))
            most = sum(n * e for n, e in zip(value["counts"], edges[1:], strict=True) if n)
            assert least - 0.001 <= value["sum"] <= most + 0.001
