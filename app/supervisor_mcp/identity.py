"""Who sends a request, and what they may do."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

Scope = Literal["read", "ingest", "admin"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request.

    `name` is what the audit calls them. `sources` are the only sources that they may ingest as;
    None is any. They see and write what is in their namespace, "" being the default one.
    """

    name: str
    scopes: frozenset[Scope]
    sources: tuple[str, ...] | None = None
    namespace: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether they have a scope; admin includes the others."""
        return scope in self.scopes or "admin" in self.scopes


# Anyone, where authentication is off; and the service itself, in what it does without a request.
ANYONE: Final = Identity("anyone", frozenset({"admin"}))

current: ContextVar[Identity] = ContextVar("identity", default=ANYONE)
