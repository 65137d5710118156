"""What the probes of one server, one for each of its remotes, say together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from supervisor_mcp.background.conversation import Remote, Tools
from supervisor_mcp.background.probe import Outcome, Status


class Result(Struct):
    """What a probe of a server has found, as `api.record_probes` takes it."""

    server: str
    asked_at: datetime
    status: Status | None
    detail: str
    latency_ms: float | None
    tools: Tools | None


def combine(server: str, asked_at: datetime, found: Sequence[tuple[Remote, Outcome]]) -> Result:
    """A server is up when all of its remotes are, down when all are, and degraded in between."""
    # Remotes that could not be asked count only where there are no others.
    known = [(remote, outcome) for remote, outcome in found if outcome.status is not None]
    shown = known or list(found)
    statuses = {outcome.status for _, outcome in shown}
    latencies = [outcome.latency_ms for _, outcome in shown if outcome.latency_ms is not None]
    return Result(
        server,
        asked_at,
        statuses.pop() if len(statuses) == 1 else "degraded",
        _detail(shown, [each for each in found if each not in shown]),
        max(latencies, default=None),
        next((outcome.tools for _, outcome in shown if outcome.tools is not None), None),
    )


def _detail(
    shown: Sequence[tuple[Remote, Outcome]], unasked: Sequence[tuple[Remote, Outcome]]
) -> str:
    """The detail of the remotes that count, and why the others were not asked."""
    if not unasked:
        return _of_counted(shown)
    return "; ".join(
        [
            f"{len(shown)} of {len(shown) + len(unasked)} asked: {_of_counted(shown)}",
            *(
                f"{_place(remote.url)}: {outcome.detail.replace('not asked: ', 'not asked, ')}"
                for remote, outcome in unasked
            ),
        ]
    )


def _of_counted(shown: Sequence[tuple[Remote, Outcome]]) -> str:
    """The detail of one remote; of several, how many are up, and what is wrong with the others."""
    if len(shown) == 1:
        return shown[0][1].detail
    others = [
        f"{_place(remote.url)}: {outcome.detail}"
        for remote, outcome in shown
        if outcome.status != "up"
    ]
    up = f"{len(shown) - len(others)} of {len(shown)} remotes up"
    return "; ".join([up, *others]) if others else f"{up}; {shown[0][1].detail}"


def _place(url: str) -> str:
    """A URL without its query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
