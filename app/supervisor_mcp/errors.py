"""Problems that clients see, and how database errors become problems."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

import msgspec
import psycopg

# Problems that this process raises or that a class of database errors becomes: status and title.
# Every other slug is the name of a rule in sql/, whose status comes with the error.
REGISTRY: Final[Mapping[str, tuple[int, str]]] = {
    "json_malformed": (400, "Malformed JSON"),
    "json_too_deep": (400, "JSON nested too deeply"),
    "json_keys_repeated": (400, "Repeated key in a JSON object"),
    "gzip_malformed": (400, "Malformed gzip"),
    "body_cut_short": (400, "Incomplete body"),
    "credentials_required": (401, "Missing credentials"),
    "credentials_valid": (401, "Invalid credentials"),
    "scope_sufficient": (403, "Insufficient scope"),
    "forbidden": (403, "Permission denied"),
    "namespace_default": (403, "Not for a namespace"),
    "origin_allowed": (403, "Foreign origin"),
    "route_unknown": (404, "Unknown path"),
    "tool_unknown": (404, "Unknown tool"),
    "method_unknown": (405, "Method not allowed"),
    "accept_unknown": (406, "No accepted media type is available"),
    "headers_in_time": (408, "Headers too slow"),
    "body_in_time": (408, "Body too slow"),
    "body_within_limit": (413, "Body too large"),
    "content_type_known": (415, "Unsupported media type"),
    "content_encoding_known": (415, "Unsupported content encoding"),
    "host_allowed": (421, "Unknown host"),
    "body_is_object": (422, "Body is not an object"),
    "parameter_known": (422, "Unknown parameter"),
    "parameter_required": (422, "Missing parameter"),
    "parameter_once": (422, "Repeated parameter"),
    "parameter_well_formed": (422, "Malformed parameter"),
    "answer_within_limit": (422, "Answer too large for a tool"),
    "value_required": (422, "Missing value"),
    "value_invalid": (422, "Invalid value"),
    "requests_within_limit": (429, "Too many requests"),
    "identity_streams_within_limit": (429, "Too many streams of one identity"),
    "headers_within_limit": (431, "Headers too large"),
    "statement_valid": (422, "Statement failed"),
    "statement_within_limits": (422, "Statement needs too much"),
    "request_invalid": (400, "Invalid request"),
    "key_secret_set": (501, "Service without a secret for keys"),
    "query_sql_enabled": (501, "query_sql is switched off"),
    "internal": (500, "Internal error"),
    "busy": (503, "Conflict with another request"),
    "bodies_within_limit": (503, "Too many bodies at once"),
    "streams_within_limit": (503, "Too many streams at once"),
    "issuer_available": (503, "Issuer of tokens unavailable"),
    "read_only": (503, "Database is read-only"),
    "unavailable": (503, "Database unavailable"),
    "too_slow": (504, "Time limit exceeded"),
}

# A rule is named as a truth, and the title of its problem says what is wrong instead: by the ending
# of the name, or here.
ENDINGS: Final[Mapping[str, str]] = {
    "_unknown": "unknown {}",
    "_known": "unknown {}",
    "_well_formed": "malformed {}",
    "_in_range": "{} out of range",
    "_within_limit": "{} over the limit",
    "_within_quota": "{} over the quota",
    "_within_retention": "{} beyond the retention",
}
TITLES: Final[Mapping[str, str]] = {
    "as_of_not_in_future": "as_of in the future",
    "as_of_unfiltered": "as_of combined with filters",
    "body_is_items": "Body is not items",
    "expires_in_future": "Expiry in the past",
    "from_before_to": "Empty range",
    "from_in_past": "Range in the future",
    "from_in_range": "Range before the year 1",
    "key_active": "Key that is not active",
    "kpi_unknown": "Unknown KPI",
    "key_rotated_once": "Key that was rotated already",
    "namespace_of_key": "Foreign namespace",
    "owner_reserved": "Reserved owner",
    "range_stored": "Range without rows",
    "refresh_ended": "Refresh under way",
    "retention_needed": "Retention that is too short",
    "rule_or_name": "Rule and name, or neither",
    "server_owned": "Server of another owner",
    "servers_listed": "No servers, or too many",
    "silence_closed": "Silence without an end",
    "source_of_key": "Foreign source",
    "sources_of_ingest": "Sources of a key that does not ingest as them",
    "sql_within_limit": "Statement over the limit",
    "statement_present": "Statement missing",
    "statement_reads": "Statement does more than read",
    "statement_runner_owned": "query_sql without the rights of analysts",
    "threshold_suggested": "Condition without a threshold",
    "until_in_future": "Acknowledgement in the past",
    "window_or_range": "Window combined with a range",
}

RETRY_AFTER_SECONDS: Final[Mapping[int, int]] = {503: 1}

CHUNK_PREFIX = re.compile(r"^(_hyper_\d+_\d+_chunk_|(\d+_)+)")
# What runs the statements of clients, as the context of an error names it.
RUNNER = "internal.run_statement"
CANCELED = "57014"
# Classes of their errors: about values, and about names and syntax.
DATA = "22"
# The function of PostgreSQL that reports what a function of ours raises.
OWN_ERRORS = "exec_stmt_raise"
NAMES = "42"
# Memory, temporary files, and what a value or a statement may have.
EXHAUSTED = {"53200", "53400", "54000"}
OWN_STATE = re.compile(r"SV[45]\d\d")


class Problem(Exception):  # noqa: N818  the term of RFC 9457
    """An error as a client sees it: an RFC 9457 problem object.

    `detail` follows PostgreSQL's message style: lower case, no period. `params` holds what a
    program needs to correct the request, such as the field or the bad items. `retry_after` is in
    seconds, None where a retry does not help; `retry_after_seconds` in `params` sets it.
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
        self.title = known[1] if known else _title(slug)
        self.detail = detail
        self.hint = hint
        self.params = dict(params or {})
        self.retry_after = _whole_seconds(self.params) or RETRY_AFTER_SECONDS.get(self.status)

    def again(self) -> Problem:
        """The same problem as another error, which nobody has raised yet."""
        return Problem(
            self.slug, self.detail, hint=self.hint, params=self.params, status=self.status
        )

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


def _title(slug: str) -> str:
    """The title of a problem that is not in the registry: what is wrong, in a few words."""
    if slug in TITLES:
        return TITLES[slug]
    for ending, title in ENDINGS.items():
        if slug.endswith(ending):
            return title.format(_in_words(slug.removesuffix(ending))).capitalize()
    return _in_words(slug).capitalize()


def _in_words(slug: str) -> str:
    return slug.replace("_", " ")


def _whole_seconds(params: Mapping[str, Any]) -> int | None:
    """The pause that SQL computed for this problem, rounded up; None where it did not."""
    seconds = params.get("retry_after_seconds")
    return max(1, ceil(seconds)) if isinstance(seconds, int | float) else None


def internal() -> Problem:
    """The problem of a defect; only the log says what it was."""
    return Problem(
        "internal",
        "an unexpected error occurred",
        hint="Report the request_id to the operator: the log has the cause.",
    )


def unavailable() -> Problem:
    """The problem of a database that does not answer."""
    return Problem(
        "unavailable",
        "the database does not answer",
        hint="Send the request again after the seconds in Retry-After.",
    )


def too_slow() -> Problem:
    """The problem of a call that ran out of time."""
    return Problem(
        "too_slow",
        "the request exceeded its time limit",
        hint="Ask for a shorter window or range, or narrow it with kind and source.",
    )


def statement_too_slow() -> Problem:
    """The problem of a statement of a client that ran out of time."""
    return Problem(
        "too_slow",
        "the request exceeded its time limit",
        hint="Read fewer rows: name a kind and a range of bucket or ts, or read hours or days.",
    )


def takes_no_writes() -> Problem:
    """The problem of a write to a server that takes none, such as a standby."""
    return Problem(
        "read_only",
        "the database is read-only",
        hint="Send the request to a service whose database is the primary server.",
    )


def outcome_unknown(problem: Problem, what: str, hint: str) -> Problem:
    """The problem of a write that may have been committed although the call failed."""
    return Problem(
        problem.slug,
        f"{problem.detail}; whether {what} is unknown",
        hint=hint,
        params=problem.params,
    )


def from_database(error: psycopg.Error) -> Problem:
    """The problem that a database error becomes; it names the rule and no internals."""
    state = _state(error)
    if OWN_STATE.fullmatch(state):
        return _raised(error, int(state[2:]))
    if state in RULE_STATUS and error.diag.constraint_name:
        return _broken_rule(error.diag.constraint_name, RULE_STATUS[state])
    for states, problem in CLASSES:
        if state.startswith(states):
            return problem()
    return internal()


def from_statement(error: psycopg.Error, sql: str) -> Problem | None:
    """The problem of a statement that a client wrote; None where the error is not of it."""
    state = _state(error)
    if RUNNER not in (error.diag.context or ""):
        return None
    params: dict[str, Any] = {"field": "sql", "sqlstate": state}
    if state in EXHAUSTED:
        return Problem(
            "statement_within_limits",
            error.diag.message_primary or "the statement needs too much",
            hint="Sort and group fewer rows: name a kind and a range of bucket or ts.",
            params=params,
        )
    if is_outage(error):
        return None
    if state == CANCELED:
        return statement_too_slow()
    # That of a query within the statement says nothing to who wrote it.
    if error.diag.internal_position and error.diag.internal_query == sql:
        params["position"] = int(error.diag.internal_position)
    if state.startswith(DATA):
        hint = "Correct what the statement computes, or leave those rows out."
    else:
        hint = "Send one SELECT on the views of schema analytics; supervisor://schema lists them."
    # What PostgreSQL says of names helps, and of anything else it is for who may do more than read;
    # our own functions say what to send.
    if state.startswith(NAMES) or error.diag.source_function == OWN_ERRORS:
        hint = error.diag.message_hint or hint
    return Problem(
        "statement_valid",
        error.diag.message_primary or "the statement failed",
        hint=hint,
        params=params,
    )


def as_cause(error: psycopg.Error) -> psycopg.Error:
    """A database error as the cause of a problem, without its frames, which have what was sent.

    psycopg and its pool hold some of their errors until the collector comes by.
    """
    return error.with_traceback(None)


def is_outage(error: psycopg.Error) -> bool:
    """Whether the server or its resources are unavailable, rather than refusing a request."""
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
    return Problem(rule, f"the request violates the rule: {_in_words(rule)}", status=status)


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
    return Problem("value_required", "a value is missing")


def _value_invalid() -> Problem:
    return Problem(
        "value_invalid",
        "a value is out of range or contains the character U+0000",
    )


def _forbidden() -> Problem:
    return Problem("forbidden", "permission denied")


def _busy() -> Problem:
    return Problem(
        "busy", "the request conflicted with other requests, twice", hint="Send it again."
    )


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
