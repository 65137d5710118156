"""The routes."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from falcon.asgi import App, Request, Response
from starlette.types import ASGIApp

from supervisor_mcp.operations.clock import Clock, now
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest import (
    aggregates,
    alert_rules,
    alerts,
    audit,
    backtests,
    diagnosis,
    facts,
    frozen_snapshots,
    health,
    heartbeats,
    keys,
    kinds,
    kpis,
    maintenance,
    metrics,
    pins,
    policies,
    problems,
    restatements,
    server_health,
    servers,
    silences,
    sla,
    sql,
    subscriptions,
    window_changes,
)
from supervisor_mcp.rest.compression import Compression
from supervisor_mcp.rest.health import IndexResource
from supervisor_mcp.rest.openapi import OpenApiResource
from supervisor_mcp.rest.operation import Resource
from supervisor_mcp.rest.routing import Parameters, PathResource, Router, Scopes

NOUNS = (
    metrics,
    facts,
    aggregates,
    frozen_snapshots,
    restatements,
    kinds,
    kpis,
    window_changes,
    sql,
    servers,
    heartbeats,
    server_health,
    sla,
    maintenance,
    alerts,
    silences,
    alert_rules,
    backtests,
    subscriptions,
    keys,
    audit,
    policies,
    pins,
    diagnosis,
    health,
)


def _resources(noun: object) -> list[type[Resource]]:
    """The resources that a module defines, in its order."""
    return [
        each
        for each in vars(noun).values()
        if isinstance(each, type) and issubclass(each, Resource) and hasattr(each, "operation")
    ]


RESOURCES = [resource for noun in NOUNS for resource in _resources(noun)]
OPERATIONS = [(resource.path, resource.operation) for resource in RESOURCES]
DOCUMENT = "/openapi.json"
# Paths that need no credentials.
OPEN_PATHS = {"/", DOCUMENT, *(path for path, operation in OPERATIONS if operation.scope is None)}


def create_app(context: Context, clock: Clock = now) -> ASGIApp:
    """The Falcon application, with compressed answers for clients that accept them.

    `context` has to be connected before the first request.
    """
    app: App[Request, Response] = App(middleware=[Parameters(), Scopes()], router=Router())
    app.req_options.strip_url_path_trailing_slash = False
    problems.install(app)
    paths: dict[str, list[Resource]] = {}
    for resource in RESOURCES:
        paths.setdefault(resource.path, []).append(resource(context, clock))
    for path, resources in paths.items():
        app.add_route(path, PathResource(resources))
    app.add_route(DOCUMENT, _document())
    links = {operation.name: path for path, operation in OPERATIONS}
    app.add_route("/", IndexResource({**links, "openapi": DOCUMENT}))
    asgi: Any = app
    return Compression(asgi)


@cache
def _document() -> OpenApiResource:
    """The document, which takes long to make and is the same for every application."""
    return OpenApiResource(OPERATIONS, _version())


def _version() -> str:
    try:
        return version("supervisor-mcp")
    except PackageNotFoundError:
        return "0"
