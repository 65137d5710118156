"""What a write that fails says about what has become of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from supervisor_mcp.errors import Problem, outcome_unknown

AGAIN = "Send the request again: what was done already does not change."
# After these, the write may have been committed all the same.
UNKNOWN = {"too_slow", "unavailable"}
# Statuses of problems that no single call is the cause of: privileges, outages, limits of time.
OF_DATABASE = {403, 503, 504}
# Those of them that one call alone may be the cause of.
OF_CALL = {"source_of_key", "busy"}


def fails_every_call(error: Exception) -> bool:
    """Whether each of the calls that share a statement would fail like this, too."""
    if not isinstance(error, Problem):
        return True
    return error.status in OF_DATABASE and error.slug not in OF_CALL


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
