"""What ends a command early: a sentence, the next step, an exit status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
REFUSED: Final = 4
INTERRUPTED: Final = 130
# What a shell reports for a program that SIGPIPE ended, as `head` ends those before it.
OUTPUT_CLOSED: Final = 141


class Failure(Exception):  # noqa: N818  the term that users read
    """A command that cannot continue: `detail` states the facts, `hint` the next step.

    `status` is the exit status: 1 for an error on this machine or rejected rows, 2 for wrong
    arguments or settings, 3 when no service answers, 4 when the service refuses. `problem` is the
    service's own error object, if there is one.
    """

    def __init__(
        self,
        detail: str,
        status: int = FAILED,
        *,
        hint: str | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.status = status
        self.problem = problem

    def as_json(self) -> dict[str, Any]:
        """The service's error object, or `{"detail", "hint", "status"}` for a local failure.

        A hint names commands in both.
        """
        if self.problem is not None:
            return {**self.problem, **({"hint": self.hint} if self.hint else {})}
        return {"detail": self.detail, "hint": self.hint, "status": self.status}


def one_line(error: Exception) -> str:
    """The text of an error of a library, for the middle of a sentence."""
    return " ".join(str(error).split())
