"""How a path leads to the operations that it has, one for each method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from falcon.asgi import Request, Response
from falcon.constants import HTTP_METHODS
from falcon.routing import CompiledRouter

from supervisor_mcp.identity import Scope
from supervisor_mcp.operations.scopes import require
from supervisor_mcp.rest.operation import PATH, Resource, Route

# Stands for a slash within a parameter; no path of a URL contains it.
SLASH = "\0"
# More segments than any route has.
MOST_SEGMENTS = 8


class PathResource(Route):
    """A path whose operations are those of several resources."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.scopes: dict[str, Scope | None] = {}
        for resource in resources:
            for name in [f"on_{method.lower()}" for method in HTTP_METHODS]:
                if name != "on_options" and hasattr(resource, name):
                    setattr(self, name, getattr(resource, name))
                    self.scopes[name.removeprefix("on_").upper()] = resource.operation.scope


class Router(CompiledRouter):
    """Finds a path also where a parameter contains a slash, as the names of servers do.

    A path that a route matches as it is, with the method of the request, is never read otherwise:
    POST /registry/servers/acme/heartbeat is about acme, and GET about acme/heartbeat.
    """

    def find(self, uri: str, req: Any = None) -> Any:
        """The resource, its methods, the parameters and the template; None where nothing fits."""
        found = super().find(uri)
        if found is None or not _takes(found[0], req):
            for joined in _joined(uri):
                other = super().find(joined)
                if other is not None and (found is None or _takes(other[0], req)):
                    resource, methods, parameters, template = other
                    named = {n: value.replace(SLASH, "/") for n, value in parameters.items()}
                    return resource, methods, named, template
        return found


class Parameters:
    """Leaves the route and the parameters of the path with the request."""

    async def process_resource(
        self, req: Request, _resp: Response, _resource: object, params: dict[str, Any]
    ) -> None:
        """Leave the template for the middleware that counts, and the parameters for `read`."""
        req.scope["supervisor.route"] = req.uri_template
        req.scope[PATH] = dict(params)
        params.clear()


class Scopes:
    """Refuses who lacks the scope of an operation, before the body is there."""

    async def process_resource(
        self, req: Request, _resp: Response, resource: object, _params: dict[str, Any]
    ) -> None:
        """Compare the scope with the sender's. Raises `Problem`."""
        if isinstance(resource, PathResource):
            require(resource.scopes.get(req.method))


def _takes(resource: object, req: Request | None) -> bool:
    return req is None or hasattr(resource, f"on_{req.method.lower()}")


def _joined(uri: str) -> Iterator[str]:
    """The path with one of its slashes as part of a parameter, each in turn."""
    segments = uri.split("/")
    if len(segments) <= MOST_SEGMENTS and SLASH not in uri:
        for place in range(2, len(segments)):
            start, end = "/".join(segments[:place]), "/".join(segments[place:])
            yield f"{start}{SLASH}{end}"
