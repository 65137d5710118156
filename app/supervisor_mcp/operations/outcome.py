"""What a write that fails says about what has become of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from supervisor_mcp.errors import Problem, outcome_unknown

AGAIN = "Send the request again: what was done already does not change."
# After these, the write may have been committed all the same.
UNKNOWN = {"too_slow", "unavailable"}


@contextmanager
def known_outcome(what: str, again: str = AGAIN) -> Iterator[None]:
    """Run a write; a failure that leaves its outcome open says so, and how to repeat it.

    `what` is what may have happened. Raises `Problem`.
    """
    try:
        yield
    except Problem as problem:
        if problem.slug in UNKNOWN:
            raise outcome_unknown(problem, what, again) from problem
        raise
