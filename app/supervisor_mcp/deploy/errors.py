"""The error of a deploy."""

from __future__ import annotations


class DeployError(Exception):
    """A deploy that was refused or failed; the database is as it was before.

    The text names each file, with line and SQLSTATE where the server gave them, and the next step.
    """
