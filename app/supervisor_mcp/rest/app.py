"""The routes."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from falcon.asgi import App, Request, Response

from supervisor_mcp.operations.clock import Clock, now
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactItem, ingest_facts
from supervisor_mcp.operations.metrics import MetricItem, ingest_metrics
from supervisor_mcp.rest import problems
from supervisor_mcp.rest.aggregates import AggregatesResource
from supervisor_mcp.rest.facts import CSV, FactsResource
from supervisor_mcp.rest.health import (
    ExpositionResource,
    IndexResource,
    LiveResource,
    ReadyResource,
)
from supervisor_mcp.rest.ingest import IngestResource
from supervisor_mcp.rest.kinds import KindsResource
from supervisor_mcp.rest.metrics import SeriesResource
from supervisor_mcp.rest.openapi import JSON, NDJSON, OpenApiResource, Operation, ref


def create_app(context: Context, clock: Clock = now) -> App[Request, Response]:
    """The Falcon application; `context` has to be connected before the first request."""
    resources: dict[str, Any] = {
        "/ingest/metrics": IngestResource(context, clock, ingest_metrics),
        "/ingest/facts": IngestResource(context, clock, ingest_facts),
        "/query/agg": AggregatesResource(context, clock),
        "/query/facts": FactsResource(context, clock),
        "/query/metrics": SeriesResource(context, clock),
        "/query/kinds": KindsResource(context),
        "/livez": LiveResource(),
        "/readyz": ReadyResource(context, clock),
        "/metrics": ExpositionResource(context, clock),
    }
    described = {path: _describe(path, resource) for path, resource in resources.items()}
    resources["/openapi.json"] = OpenApiResource(described, _version())
    resources["/"] = IndexResource(
        {o.operation_id: path for path, o in described.items()} | {"openapi": "/openapi.json"}
    )

    app: App[Request, Response] = App(middleware=[_Routes()])
    app.req_options.strip_url_path_trailing_slash = False
    problems.install(app)
    for path, resource in resources.items():
        app.add_route(path, resource)
    return app


class _Routes:
    """Tells what stands before Falcon which route was taken."""

    async def process_resource(
        self, req: Request, _resp: Response, _resource: object, _params: dict[str, Any]
    ) -> None:
        """Leave the route's template in the scope."""
        req.scope["supervisor.route"] = req.uri_template


def _describe(path: str, resource: Any) -> Operation:
    name, summary, answers = DESCRIPTIONS[path]
    method = "post" if path.startswith("/ingest/") else "get"
    item = {"/ingest/metrics": MetricItem, "/ingest/facts": FactItem}.get(path)
    return Operation(name, method, summary, answers, resource.parameters, item)


def _version() -> str:
    try:
        return version("supervisor-mcp")
    except PackageNotFoundError:
        return "0"


_AGGREGATES = {"anyOf": [ref("Aggregate"), ref("Aggregates")]}
_TEXT = {"type": "string"}

DESCRIPTIONS: dict[str, tuple[str, str, dict[str, dict[str, Any]]]] = {
    "/ingest/metrics": ("ingest_metrics", "Store metrics", {JSON: ref("Receipt")}),
    "/ingest/facts": ("ingest_facts", "Store facts", {JSON: ref("Receipt")}),
    "/query/agg": ("query_agg", "Aggregate a kind over a window", {JSON: _AGGREGATES}),
    "/query/facts": (
        "query_facts",
        "List facts, newest first",
        {JSON: ref("FactPage"), NDJSON: ref("Fact"), CSV: _TEXT},
    ),
    "/query/metrics": ("query_metrics", "Plot the series of a metric", {JSON: ref("SeriesResult")}),
    "/query/kinds": ("list_kinds", "List kinds", {JSON: ref("KindPage")}),
    "/livez": ("livez", "Whether the process answers", {JSON: {"type": "object"}}),
    "/readyz": ("readyz", "Whether questions are answered", {JSON: ref("Readiness")}),
    "/metrics": ("metrics", "Counts for Prometheus", {"text/plain": _TEXT}),
}
