"""The error of an export or import."""

from __future__ import annotations


class ExportError(Exception):
    """An export or import that was refused or failed; `hint` is the next step."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.hint = hint
