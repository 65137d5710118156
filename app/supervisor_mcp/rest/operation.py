"""What a route does: declared on its resource, read by it, and published by /openapi.json."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar, cast

from falcon.asgi import Request, Response
from falcon.constants import COMBINED_METHODS

from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query
from supervisor_mcp.rest.parameters import read_query

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"

Asked = TypeVar("Asked", bound=Query)


class NoQuery(Query, frozen=True):
    """A route without parameters."""


@dataclass(frozen=True)
class Operation(Generic[Asked]):
    """The operation of a route.

    `name` is also the name of the SQL function and of the tool. `answers` holds what it answers
    with by media type: a Struct, a union of Structs, or a JSON Schema. `items` is the Struct of an
    item in the request body. `problems` are the statuses of its problems beside those of every
    route, `headers` describes response headers by their names.
    """

    name: str
    summary: str
    query: type[Asked]
    answers: Mapping[str, Any]
    items: type | None = None
    problems: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method in lower case."""
        return "get" if self.items is None else "post"

    def read(self, req: Request) -> Asked:
        """The query in the URL. Raises `Problem`."""
        return cast("Asked", _read(self.query, req.query_string))


class Route:
    """A path; OPTIONS, and Allow of a 405, list the same methods."""

    async def on_options(self, _req: Request, resp: Response) -> None:
        """Answer with the methods of the path."""
        allowed = [method for method in COMBINED_METHODS if hasattr(self, f"on_{method.lower()}")]
        resp.set_header("Allow", ", ".join(sorted(allowed)))


class ReadRoute(Route):
    """A path that is read; HEAD answers as GET does, without the body."""

    @abstractmethod
    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer."""

    async def on_head(self, req: Request, resp: Response) -> None:
        """Answer without the body."""
        await self.on_get(req, resp)


class Resource(Route):
    """A path with one operation, over a context and a clock."""

    path: ClassVar[str]
    operation: ClassVar[Operation[Any]]

    def __init__(self, context: Context, clock: Clock) -> None:
        self._context = context
        self._clock = clock


class ReadResource(Resource, ReadRoute):
    """A path that is read with one operation."""


def send_json(resp: Response, answer: bytes) -> None:
    """Answer with finished JSON as one line of text."""
    resp.data = answer + b"\n"


@lru_cache(maxsize=512)
def _read(query: Any, query_string: str) -> Query:
    return cast("Query", read_query(query, query_string))
