"""The memory for request bodies."""

from __future__ import annotations

from typing import Any

import pytest

from supervisor_mcp.errors import Problem
from supervisor_mcp.rest.budget import HELD, LIMIT_BYTES, Budget


def test_all_bodies_together_take_64_mib() -> None:
    assert LIMIT_BYTES == 67_108_864


def test_a_request_holds_what_it_took_until_it_gives_it_back() -> None:
    budget = Budget(10)
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    budget.take(one, 4)
    budget.take(one, 3)
    assert one == {HELD: 7}
    with pytest.raises(Problem, match="bodies_within_limit") as raised:
        budget.take(other, 4)
    assert (raised.value.status, raised.value.retry_after, other) == (503, 1, {})
    budget.take(other, 3)
    budget.give_back(one)
    assert one == {}
    budget.give_back(one)
    budget.take(one, 7)
    with pytest.raises(Problem):
        budget.take(one, 1)
