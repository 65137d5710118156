"""What a route does: declared on its resource, read by it, and published by /openapi.json."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar, cast

from falcon.asgi import Request, Response
from falcon.constants import COMBINED_METHODS

from supervisor_mcp.identity import Scope
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Parameter, Query, parameters
from supervisor_mcp.operations.scopes import scope_of
from supervisor_mcp.rest.bodies import read_object
from supervisor_mcp.rest.parameters import HEADERS, read_object_query, read_query

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"

# Where the scope of a request holds the parameters of its path.
PATH = "supervisor.path"
# Methods whose requests have a body.
WITH_BODY = {"post", "put"}

Asked = TypeVar("Asked", bound=Query)


class NoQuery(Query, frozen=True):
    """A route without parameters."""


@dataclass(frozen=True)
class Operation(Generic[Asked]):
    """The operation of a route.

    `name` is also the name of the SQL function and of the tool. `answers` holds what it answers
    with by media type: a Struct, a union of Structs, or a JSON Schema. `problems` are the statuses
    of its problems beside those of every route, `headers` describes response headers by their
    names.

    The body of a POST or PUT is one of three: items, of which `items` is the Struct; a document,
    of which `document` is the JSON Schema, and which SQL validates; or, without either, an object
    with those parameters of the query that are not in the path.
    """

    name: str
    summary: str
    query: type[Asked]
    answers: Mapping[str, Any]
    method: str = "get"
    items: type | None = None
    document: dict[str, Any] | None = None
    problems: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope | None:
        """The scope that a request needs; None where it needs no credentials."""
        return scope_of(self.name, reads=self.method == "get")

    def read(self, req: Request) -> Asked:
        """The query in the path and the query string. Raises `Problem`."""
        path = tuple(req.scope[PATH].items())
        return cast("Asked", _read(self.query, path, req.query_string))

    async def read_body(self, req: Request) -> Asked:
        """The query in the path and an object in the body. Raises `Problem`."""
        read_query(NoQuery, {}, req.query_string)
        return read_object_query(self.query, req.scope[PATH], await read_object(req))

    def place(self, path: str, parameter: Parameter) -> str:
        """Where a request to a path has a parameter: path, header, body or query."""
        if f"{{{parameter.name}}}" in path:
            return "path"
        if parameter.name in HEADERS:
            return "header"
        bare = self.items is None and self.document is None
        return "body" if bare and self.method in WITH_BODY else "query"

    def placed(self, path: str, *places: str) -> list[Parameter]:
        """The parameters that a request to a path has in these places."""
        query: Any = self.query
        return [each for each in parameters(query) if self.place(path, each) in places]


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
def _read(query: Any, path: tuple[tuple[str, str], ...], query_string: str) -> Query:
    return cast("Query", read_query(query, dict(path), query_string))
