"""HTTP as uvicorn speaks it, with limits on size and time, and problems where it has plain texts.

A request is bounded until it is whole; an answer may take as long as it needs. Streams of events
have no end: they end with the process, and for a client that does not read them.
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from typing import Any, ClassVar, cast
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from supervisor_mcp.errors import Problem
from supervisor_mcp.server import refusals
from supervisor_mcp.server.headers import completed
from supervisor_mcp.server.transport import Transport
from supervisor_mcp.telemetry import counts

# Where a connection is: between requests, within the request line and the headers, within the body.
IDLE, HEAD, BODY = range(3)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol on httptools."""

    head_bytes: ClassVar[int] = 64 * 1024
    head_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = 60.0
    # How long a refused client may go on sending, so that it reads the answer before the end of
    # the connection throws it away; and how long any client may read nothing of its answer when the
    # process stops.
    linger_seconds: ClassVar[float] = 2.0
    # How long the client of a stream of events may read nothing while there is something to read.
    stall_seconds: ClassVar[float] = 30.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._phase = IDLE
        self._timer: TimerHandle | None = None
        self._refusal: Problem | None = None
        self._refused = False
        # Bytes since the request began, or more: up to the limit there is nothing to add up.
        self._received = 0
        self._chunk = 0
        # Bytes since the parser last reported something: of one endless header, it reports none.
        self._unreported = 0
        self._head_size = 0
        self._reported = False
        self._stalled: TimerHandle | None = None
        # While the process stops: what the client has not read yet, and when it last read some.
        self._watch: TimerHandle | None = None
        self._unread = 0
        self._read_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request as long as for another one."""
        super().connection_made(cast("asyncio.Transport", Transport(transport, self.loop)))
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limits."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_timer()
        self.resume_writing()
        if self._watch is not None:
            self._watch.cancel()
        if (stream := self._stream()) is not None:
            stream.leave()

    def pause_writing(self) -> None:
        """Wait for the client to read; that of a stream of events must not take long."""
        super().pause_writing()
        if self._stream() is not None:
            self._stalled = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on to write."""
        super().resume_writing()
        self._read_at = self.loop.time()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def shutdown(self) -> None:
        """Let the answer under way end, and end streams of events, which would not end."""
        super().shutdown()
        end_streams = self.app_state.get("supervisor.end_streams")
        if end_streams is not None:
            end_streams()
        self._read_at = self.loop.time()
        self._watch_reader()

    def data_received(self, data: bytes) -> None:
        """Parse, and watch what is not complete yet."""
        if self._refused:
            return
        self._chunk = len(data)
        self._received += self._chunk
        super().data_received(data)
        if self._refused:
            return
        if self._phase is IDLE:
            # uvicorn forgets the limit when bytes come that begin no request.
            if self.timeout_keep_alive_task is None and not self._is_answering():
                self._await_request()
            return
        if self._timer is None:
            self._start_timer()
        if self._received > self.head_bytes:
            self._measure()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._phase = HEAD
        self._received = self._chunk
        self._reported = True

    def on_headers_complete(self) -> None:
        """Start the request unless its head is too large."""
        self._stop_timer()
        if self._received > self.head_bytes and self._size_of_head() > self.head_bytes:
            self._refusal = _too_large()
            raise OverflowError
        self._phase = BODY
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand on a part of the body."""
        self._reported = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the limits of the request."""
        self._phase = IDLE
        self._stop_timer()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, and close the connection."""
        self._refuse(self._refusal or _malformed())

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stream(self) -> Any:
        """The stream of events that is the answer; None for other answers."""
        return self.cycle.scope.get("supervisor.stream") if self._is_answering() else None

    def _watch_reader(self) -> None:
        """End the connection of a client that reads nothing: its answer would not end."""
        unread = self.transport.get_write_buffer_size()
        # Otherwise it may grow, and say nothing about the client.
        shrinks = self.flow.write_paused or self.transport.is_closing()
        if not shrinks or unread < self._unread or unread == 0:
            self._read_at = self.loop.time()
        self._unread = unread
        if self.loop.time() - self._read_at >= self.linger_seconds:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(self.linger_seconds / 4, self._watch_reader)

    def _await_request(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _start_timer(self) -> None:
        seconds = self.head_seconds if self._phase is HEAD else self.body_seconds
        self._timer = self.loop.call_later(seconds, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if self.flow.read_paused:
            # The client waits for this process, not the other way round.
            self._start_timer()
        else:
            self._refuse(_slow_head() if self._phase is HEAD else _slow_body())

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _measure(self) -> None:
        """Refuse a head, or the trailers of a body, before they are complete."""
        size = self._size_of_head()
        if self._reported or size != self._head_size:
            self._unreported = 0
        else:
            self._unreported += self._chunk
        self._reported = False
        self._head_size = size
        if size + self._unreported > self.head_bytes:
            self._refuse(_too_large())

    def _refuse(self, problem: Problem) -> None:
        """Answer with a problem where the client waits for an answer, and end the connection."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        # CONNECT begins no request.
        if self._phase is BODY and self.cycle is not None:
            cycle = self.cycle
            if cycle.response_started or self.pipeline:
                self.transport.close()
                return
            # What the application answers now would come after this answer.
            cycle.disconnected = True
            cycle.message_event.set()
            cycle.scope["supervisor.status"] = problem.status  # type: ignore[typeddict-unknown-key]
            # The application may not have begun yet.
            request_id = str(cycle.scope.get("supervisor.request_id") or uuid4().hex)
        elif self._is_answering():
            # The client waits for the answers to earlier requests; the last one is the end.
            self.cycle.keep_alive = False
            self._refused = True
            return
        else:
            request_id = uuid4().hex
            counts.count_refused(problem.status)
        self._refused = True
        self._write(problem, request_id)
        self._linger()

    def _write(self, problem: Problem, request_id: str) -> None:
        headers, body = refusals.encode(problem, request_id)
        own = (b"x-request-id", request_id.encode()), (b"connection", b"close")
        lines = [b"%s: %s\r\n" % header for header in completed(headers, *own)]
        self.transport.write(b"".join([STATUS_LINE[problem.status], *lines, b"\r\n", body]))

    def _linger(self) -> None:
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._timer = self.loop.call_later(self.linger_seconds, self.transport.close)


def _malformed() -> Problem:
    return Problem(
        "request_invalid",
        "the request is not valid HTTP/1.1",
        hint="Check the request line, the header names and the framing of the body.",
    )


def _too_large() -> Problem:
    return Problem(
        "headers_within_limit",
        "the request line and the headers exceed 64 KiB",
        hint="Send fewer or shorter headers, cookies or parameters.",
    )


def _slow_head() -> Problem:
    return Problem(
        "headers_in_time",
        f"the headers did not arrive within {Protocol.head_seconds:.0f} s",
        hint="Send the request again, at once.",
    )


def _slow_body() -> Problem:
    return Problem(
        "body_in_time",
        f"the body did not arrive within {Protocol.body_seconds:.0f} s",
        hint="Nothing was stored. Send smaller batches, or compress them with gzip.",
    )
