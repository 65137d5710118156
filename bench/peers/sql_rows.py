"""A question as one SELECT with GROUP BY, and what its rows mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bench.peers.questions import Answer, Question, Statistics, Window


def select(
    question: Question,
    window: Window,
    expressions: Sequence[str],
    moment: Callable[[float], str],
    table: str = "sample",
) -> str:
    """Rows of group, whether it is the window itself, and the expressions."""
    group = "source" if question.by_source else "''"
    start = window.before if question.previous else window.start
    present = f"ts >= {moment(window.start)}"
    conditions = [f"ts >= {moment(start)}", f"ts <= {moment(window.end)}"]
    if question.source is not None:
        conditions.append(f"source = '{question.source}'")
    return (
        f"select {group} as grouped, {present} as present, {', '.join(expressions)} from {table}"
        f" where {' and '.join(conditions)} group by grouped, present"
    )


def read(question: Question, window: Window, rows: Iterable[Sequence[Any]]) -> Answer:
    """The answer; the percentiles are an array in the last column."""
    answer = Answer(window, {})
    for group, present, *values in rows:
        found: Statistics = {}
        if question.quantiles:
            found |= dict(zip(question.quantiles, map(float, values.pop()), strict=True))
        found |= dict(zip(question.plain, map(float, values), strict=True))
        if present:
            answer.groups[group] = found
        else:
            answer.previous = found
    return answer
