"""HTTP as uvicorn speaks it, with requests that it cannot parse answered by a problem."""

from __future__ import annotations

from uuid import uuid4

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from supervisor_mcp.errors import Problem


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol on httptools."""

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP, and close the connection."""
        problem = Problem(
            "request_invalid",
            "the request is not valid HTTP/1.1",
            hint="Check the request line, the header names and the framing of the body.",
        )
        request_id = uuid4().hex
        body = msgspec.json.encode(problem.body(request_id)) + b"\n"
        headers = (
            b"content-type: application/problem+json\r\n"
            b"content-length: %d\r\n"
            b"x-request-id: %s\r\n"
            b"connection: close\r\n"
            b"\r\n"
        )
        self.transport.write(STATUS_LINE[400] + headers % (len(body), request_id.encode()) + body)
        self.transport.close()
