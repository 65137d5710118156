"""What ends a command early: one sentence, the next step, an exit status."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
REFUSED: Final = 4
INTERRUPTED: Final = 130


class Failure(Exception):  # noqa: N818  the word that users read
    """A command that cannot go on; `message` names the thing and the next step.

    `status` is 1 for what went wrong here, 2 for arguments, 3 where no service answers, 4 where
    the service refused.
    """

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
