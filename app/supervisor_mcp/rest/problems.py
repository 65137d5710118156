"""Errors as `application/problem+json`."""

from __future__ import annotations

import logging
from typing import Any

import falcon
import msgspec
from falcon.asgi import App, Request, Response

from supervisor_mcp.authentication.challenge import CHALLENGED, challenge
from supervisor_mcp.errors import Problem, internal

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def install(app: App[Request, Response]) -> None:
    """Turn every error into a problem."""
    app.add_error_handler(Problem, _send)
    app.add_error_handler(falcon.HTTPError, _send_falcon_error)
    app.add_error_handler(Exception, _send_internal)


def compose(req: Request, resp: Response, problem: Problem) -> None:
    """Answer with a problem."""
    resp.status = problem.status
    resp.content_type = MEDIA_TYPE
    resp.data = msgspec.json.encode(problem.body(req.scope.get("supervisor.request_id"))) + b"\n"
    if problem.retry_after is not None:
        resp.set_header("Retry-After", str(problem.retry_after))
    if problem.slug in CHALLENGED:
        resp.set_header("WWW-Authenticate", challenge(problem))


async def _send(req: Request, resp: Response, error: Problem, _params: dict[str, Any]) -> None:
    compose(req, resp, error)


async def _send_falcon_error(
    req: Request, resp: Response, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    """An error that Falcon raised before a resource was called."""
    if error.headers:
        resp.set_headers(error.headers)
    compose(req, resp, _from_falcon(req, error))


async def _send_internal(
    req: Request, resp: Response, error: Exception, _params: dict[str, Any]
) -> None:
    logger.error(
        "%s %s failed, request_id %s",
        req.method,
        req.path,
        req.scope.get("supervisor.request_id"),
        exc_info=error,
    )
    compose(req, resp, internal())


def _from_falcon(req: Request, error: falcon.HTTPError) -> Problem:
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        allowed = (error.headers or {}).get("Allow", "")  # type: ignore[union-attr]
        return Problem(
            "method_unknown",
            f"{req.path[:200]} does not support {req.method}",
            hint=f"Supported methods: {allowed}.",
        )
    if isinstance(error, falcon.HTTPNotFound):
        return Problem(
            "route_unknown",
            f"unknown path {req.path[:200]}",
            hint="GET / lists the paths; GET /openapi.json describes them.",
        )
    if error.status_code >= 500:
        return internal()
    return Problem("request_invalid", error.title.rstrip(".").lower())
