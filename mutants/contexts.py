"""A pytest plugin: what coverage measures belongs to the test that runs, whatever calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from coverage import Coverage


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Name the context after the test."""
    current = Coverage.current()
    if current is not None:
        current.switch_context(item.nodeid)
    return (yield)
