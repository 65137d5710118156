"""What VictoriaMetrics and Prometheus have in common: the query API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from bench.peers.questions import Answer, Question, Statistics, Window

# What no query language has a percentile of: the metric is asked for by this name.
METRIC = "peers"
# `label` of an element says which statistic it is.
LABEL = "statistic"


def selector(question: Question) -> str:
    """The series that are asked about."""
    return METRIC if question.source is None else f'{METRIC}{{source="{question.source}"}}'


def ranges(question: Question, window: Window) -> dict[str, str]:
    """The range of the window, and that of the one before with its offset."""
    length = round((window.end - window.start) * 1000)
    found = {"": f"{selector(question)}[{length}ms]"}
    if question.previous:
        before = round((window.start - window.before) * 1000)
        found["before "] = f"{selector(question)}[{before}ms] offset {length}ms"
    return found


def ask(http: httpx.Client, query: str, at: float, **parameters: str) -> Any:
    """Evaluate a query at an instant."""
    sent = {"query": query, "time": f"{at:.3f}", **parameters}
    answer = http.post("/api/v1/query", data=sent)
    if answer.is_error:
        raise SystemExit(answer.text)
    return answer.json()["data"]["result"]


def read(
    window: Window,
    elements: list[Mapping[str, Any]],
    *,
    by_source: bool,
    name: Callable[[Mapping[str, str]], str] = lambda labels: labels[LABEL],
) -> Answer:
    """The answer from elements, each a statistic of a group."""
    answer = Answer(window, {})
    for element in elements:
        labels = element["metric"]
        statistic = name(labels)
        value = float(element["value"][1])
        if statistic.startswith("before "):
            answer.previous[statistic.removeprefix("before ")] = value
        else:
            group = labels["source"] if by_source else ""
            answer.groups.setdefault(group, {})[statistic] = value
    for found in (*answer.groups.values(), answer.previous):
        _derive(found)
    return answer


def _derive(found: Statistics) -> None:
    if "sum" in found and "count" in found:
        found.setdefault("avg", found["sum"] / found["count"])
    if "sum2" in found:
        found["stddev"] = max(0, found.pop("sum2") / found["count"] - found["avg"] ** 2) ** 0.5
