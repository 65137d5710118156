"""Problems that a user is told of, and how errors of the database become them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import psycopg

# Problems that this process raises or that a class of database errors becomes: status and title.
# Every other slug is the name of a rule in sql/, whose status comes with the error.
REGISTRY: Final[Mapping[str, tuple[int, str]]] = {
    "json_malformed": (400, "The body is not JSON"),
    "json_too_deep": (400, "The JSON is nested too deeply"),
    "json_keys_repeated": (400, "An object names a key twice"),
    "gzip_malformed": (400, "The body is not gzip"),
    "body_cut_short": (400, "The body ended early"),
    "forbidden": (403, "Not allowed"),
    "route_unknown": (404, "There is nothing at this path"),
    "tool_unknown": (404, "There is no such tool"),
    "method_unknown": (405, "The path does not take this method"),
    "accept_unknown": (406, "None of the accepted media types is made here"),
    "body_within_limit": (413, "The body is too large"),
    "content_type_known": (415, "The media type is not read here"),
    "content_encoding_known": (415, "The encoding is not read here"),
    "parameter_known": (422, "A parameter is not known"),
    "parameter_required": (422, "A parameter is missing"),
    "parameter_once": (422, "A parameter is given twice"),
    "parameter_well_formed": (422, "A parameter cannot be read"),
    "answer_within_limit": (422, "The answer is too long for a tool"),
    "value_required": (422, "A value is missing"),
    "value_invalid": (422, "A value cannot be read"),
    "request_invalid": (400, "The request cannot be read"),
    "internal": (500, "An error of this server"),
    "busy": (503, "Another request was in the way"),
    "unavailable": (503, "The database does not answer"),
    "too_slow": (504, "The answer takes too long"),
}

RETRY_AFTER_SECONDS: Final[Mapping[int, int]] = {429: 60, 503: 1}

CHUNK_PREFIX = re.compile(r"^(_hyper_\d+_\d+_chunk_|(\d+_)+)")
OWN_STATE = re.compile(r"SV[45]\d\d")


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An error as its causer is told: an RFC 9457 problem object.

    `params` holds what a program needs to mend the request, such as the field or the bad items.
    `retry_after` is in seconds and None where a repetition would not help.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        hint: str | None = None,
        params: Mapping[str, Any] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(f"{slug}: {detail}")
        known = REGISTRY.get(slug)
        self.slug = slug
        self.status = status or (known[0] if known else 500)
        self.title = known[1] if known else slug.replace("_", " ").capitalize()
        self.detail = detail
        self.hint = hint
        self.params = dict(params or {})
        self.retry_after = RETRY_AFTER_SECONDS.get(self.status)

    def body(self, request_id: str | None) -> dict[str, Any]:
        """The members of the problem object; those without a value are left out."""
        members = {
            "type": f"urn:supervisor-mcp:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "hint": self.hint,
            "params": self.params or None,
            "request_id": request_id,
        }
        return {name: value for name, value in members.items() if value is not None}


def internal() -> Problem:
    """The problem that tells nothing; the cause belongs in the log."""
    return Problem(
        "internal",
        "The server failed to answer.",
        hint="Tell the operator the request_id: the log names the cause.",
    )


def unavailable(params: Mapping[str, Any] | None = None) -> Problem:
    """The problem of a database that cannot be reached."""
    return Problem(
        "unavailable",
        "The database does not answer.",
        hint="Send the request again after the seconds of Retry-After.",
        params=params,
    )


def too_slow() -> Problem:
    """The problem of a call that ran out of time."""
    return Problem(
        "too_slow",
        "The answer takes longer than a request may.",
        hint="Ask for a shorter window or range, or narrow it with kind and source.",
    )


def from_database(error: psycopg.Error) -> Problem:
    """The problem that a database error becomes; what lies below the rule's name is not told."""
    state = _state(error)
    if OWN_STATE.fullmatch(state):
        return _raised(error, int(state[2:]))
    if state in RULE_STATUS and error.diag.constraint_name:
        return _broken_rule(error.diag.constraint_name, RULE_STATUS[state])
    for states, problem in CLASSES:
        if state.startswith(states):
            return problem()
    return internal()


def is_outage(error: psycopg.Error) -> bool:
    """Whether the error says that the server or its resources are gone, not that it refused."""
    return _state(error).startswith(OUTAGES)


def _state(error: psycopg.Error) -> str:
    """The SQLSTATE; of errors that psycopg raises itself, the class they belong to."""
    if error.sqlstate is not None:
        return error.sqlstate
    if isinstance(error, psycopg.DataError):
        return "22000"
    return "08000" if isinstance(error, psycopg.OperationalError) else ""


def _broken_rule(constraint: str, status: int) -> Problem:
    rule = CHUNK_PREFIX.sub("", constraint)
    return Problem(rule, f"The request breaks the rule: {rule.replace('_', ' ')}.", status=status)


def _raised(error: psycopg.Error, status: int) -> Problem:
    """A problem raised in sql/: constraint is the slug, column the field, detail the params."""
    field = error.diag.column_name
    return Problem(
        error.diag.constraint_name or "internal",
        error.diag.message_primary or "",
        hint=error.diag.message_hint,
        params={**_params(error.diag.message_detail), **({"field": field} if field else {})},
        status=status,
    )


def _params(detail: str | None) -> dict[str, Any]:
    if not detail:
        return {}
    try:
        return msgspec.json.decode(detail, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _value_required() -> Problem:
    return Problem("value_required", "A value is missing.")


def _value_invalid() -> Problem:
    return Problem(
        "value_invalid",
        "A value cannot be read: it is out of range, or holds the character U+0000.",
    )


def _forbidden() -> Problem:
    return Problem("forbidden", "The service may not do this.")


def _busy() -> Problem:
    return Problem("busy", "Other requests were in the way, twice.", hint="Send it again.")


OUTAGES: Final = ("08", "53", "57P0")
RULE_STATUS: Final = {"23505": 409, "23503": 409, "23514": 422}
CLASSES: Final[tuple[tuple[tuple[str, ...], Callable[[], Problem]], ...]] = (
    (("23502",), _value_required),
    (("22",), _value_invalid),
    (("42501",), _forbidden),
    (("40001", "40P01"), _busy),
    (("57014",), too_slow),
    (OUTAGES, unavailable),
)
