"""Who sends a request, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, replace
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

    def __post_init__(self) -> None:
        # The database takes no line for any source.
        if self.sources is not None and not all((self.sources, *self.sources)):
            raise ValueError("an identity that is bound to sources has to name them")
        if any("\n" in source for source in self.sources or ()):
            raise ValueError("the name of a source contains a line feed")

    @property
    def full_name(self) -> str:
        """The name with its namespace: others may have the same name in another one."""
        return f"{self.namespace}/{self.name}"

    @property
    def bounds(self) -> tuple[str, tuple[str, ...] | None]:
        """What decides which kinds, sources and servers they write to."""
        return self.namespace, self.sources

    def may(self, scope: Scope) -> bool:
        """Whether they have a scope; admin includes the others."""
        return scope in self.scopes or "admin" in self.scopes


# Anyone, where authentication is off; and the service itself, in what it does without a request.
ANYONE: Final = Identity("anyone", frozenset({"admin"}))

current: ContextVar[Identity] = ContextVar("identity", default=ANYONE)


def of_service() -> Context:
    """A context for a task that outlives the request that starts it, or works for several."""
    context = copy_context()
    context.run(current.set, ANYONE)
    return context


@contextmanager
def acting_as(someone: Identity) -> Iterator[None]:
    """Send what is sent in here for them; the task around it goes on for whom it did before."""
    token = current.set(someone)
    try:
        yield
    finally:
        current.reset(token)


def serving(namespace: str) -> Identity:
    """The service itself, in what it does for a namespace without a request."""
    return replace(ANYONE, namespace=namespace)
