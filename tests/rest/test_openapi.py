"""The OpenAPI document states what the service enforces: Schemathesis finds no difference."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse
from schemathesis.pytest._test_builder import build_operation_test

from supervisor_mcp.operations import aggregates, facts, ingest, keys, metrics, server_health
from supervisor_mcp.rest import openapi
from supervisor_mcp.rest.app import OPERATIONS
from tests.support import web_server
from tests.support.repository import ROOT
from tests.support.timescaledb import Server

HERE = Path(__file__).parent
ADMIN_KEY = "the key of an operator, long enough"
# Rules that no schema of one value can state: they compare values, or depend on the clock, on what
# is stored, or on the size of the whole.
UNSTATABLE = {
    "alerts_or_facts",
    "as_of_not_in_future",
    "as_of_unfiltered",
    "comment_in_range",
    "condition_complete",
    "counter_not_negative",
    "cursor_invalid",
    "duration_in_range",
    "expires_in_future",
    "field_applies",
    "from_before_to",
    "from_in_past",
    "from_in_range",
    "host_well_formed",
    "histogram_well_formed",
    "kind_known",
    "kind_type_settled",
    "kind_unit_settled",
    "label_reserved",
    "name_matches_path",
    "matchers_select",
    "names_once",
    "payload_well_formed",
    "policy_value_in_range",
    "policy_value_well_formed",
    "range_stored",
    "regex_usable",
    "retention_needed",
    "rule_or_name",
    "samples_paired",
    "series_within_limit",
    "server_owned",
    "servers_listed",
    "silence_closed",
    "sources_of_ingest",
    "statement_present",
    "statement_valid",
    "timezone_known",
    "placeholder_known",
    "server_registered",
    "statistic_of_kind",
    "steps_within_limit",
    "threshold_finite",
    "ts_not_in_future",
    "ts_within_retention",
    "until_in_future",
    "window_or_range",
    "window_within_retention",
    "windows_ordered",
}

# Of rules that schemas state otherwise: U+0000, which `allow-x00` does not keep out of all texts, a
# local time in the years from 1 to 9999 that is outside of them in UTC, and the end that only a
# cancelled maintenance lacks.
UNSTATABLE_DETAIL = re.compile(
    r"\\u0000 at byte"
    r'|parameter "to" is missing'
    r'|parameter "[a-z]+" must be a timestamp, not the string "(0001-01-01|9999-12-31)'
)

# Of the cases that a run has like every other, so many are tried, others in each run: there are
# thousands.
SHARE = 0.15

pytestmark = pytest.mark.contract
document = schemathesis.openapi.from_dict(
    openapi.document(OPERATIONS, "0"),
    config=schemathesis.Config.from_dict(
        {
            "output": {"truncation": {"enabled": False}},
            "generation": {"mode": "all", "max-examples": 15, "allow-x00": False},
            "checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}},
        }
    ),
)


@document.hook
def filter_failure(
    _context: HookContext, failure: Failure, case: Case[Any], response: Response
) -> bool:
    """Drop what is right: rules that no schema can state, and bad items that a receipt lists.

    A path with more after a name is, with another method, that of a name with a slash.
    """
    if isinstance(failure, UnsupportedMethodResponse):
        return "{name}/" not in case.operation.path
    if isinstance(failure, RejectedPositiveData):
        return not (
            broken(response) <= UNSTATABLE or UNSTATABLE_DETAIL.match(problem_detail(response))
        )
    if isinstance(failure, AcceptedNegativeData) and response.status_code == 200:
        return not response.json().get("rejected")
    return True


def is_the_same_in_every_run(case: Case[Any]) -> bool:
    """Whether a case is one of those that a schema determines: each bound, type and member."""
    return case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE


def broken(response: Response) -> set[str]:
    """The slugs of the rules that a request broke."""
    problem = response.json()
    params = problem.get("params", {})
    listed = params.get("items") or params.get("faults")
    if listed:
        return {each["slug"] for each in listed}
    return {problem["type"].removeprefix("urn:supervisor-mcp:problem:")}


def problem_detail(response: Response) -> str:
    """What was wrong, in words."""
    return str(response.json()["detail"])


@schemathesis.deserializer("application/x-ndjson")
def lines(_context: object, response: Response) -> object:
    return [msgspec.json.decode(line) for line in response.content.splitlines()]


@schemathesis.serializer("application/x-ndjson")
def line(_context: object, item: object) -> bytes:
    return msgspec.json.encode(item)


@pytest.fixture(scope="module")
def guarded(
    database_server: Server, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Base URL of a service that asks for credentials, as the document says."""
    settings = {"SUPERVISOR_AUTHENTICATION": "on", "SUPERVISOR_ADMIN_KEY": ADMIN_KEY}
    log = tmp_path_factory.mktemp("guarded") / "log"
    with (
        database_server.deployed() as database_url,
        web_server.start(database_url, valkey_url, log, settings=settings) as server,
    ):
        yield server.url


# The plugin of Schemathesis makes the cases of all operations when tests are collected, which takes
# each process 15 s. Here, the test of an operation makes its own.
@pytest.mark.parametrize(
    ("path", "method"),
    [
        pytest.param(path, method, id=f"{method.upper()} {path}")
        for path, methods in document.raw_schema["paths"].items()
        for method in methods
        # A stream does not end.
        if not path.endswith("/stream")
    ],
)
def test_requests_and_answers_conform_to_the_document(
    path: str, method: str, guarded: str, pytestconfig: pytest.Config
) -> None:
    share = 1 if pytestconfig.getoption("--every-case") else SHARE
    # Hypothesis sets `random` back for each case.
    draw = Random(random.random()).random

    def conforms(case: Case[Any]) -> None:
        if is_the_same_in_every_run(case) and draw() >= share:
            return
        answer = case.call_and_validate(
            base_url=guarded, headers={"Authorization": f"Bearer {ADMIN_KEY}"}
        )
        assert answer.status_code < 500

    build_operation_test(
        config=document.config,
        operation=document[path][method],
        test_func=conforms,
        given_kwargs={},
        feedback=FeedbackSources(),
    )()


def test_what_the_document_promises_programs_changes_with_the_file_that_says_so() -> None:
    # In a process of its own, which no test that ran before has changed.
    command = [sys.executable, "-m", "tests.support.published", "openapi"]
    published = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert published.stdout.splitlines() == (HERE / "openapi.txt").read_text().splitlines(), (
        "python -m tests.support.published openapi > tests/rest/openapi.txt rewrites it"
    )


def test_what_is_sent_and_answered_has_schemas_of_its_own() -> None:
    shapes = (
        *(facts.Fact, facts.FactItem, ingest.Receipt, metrics.MetricItem, metrics.SeriesResult),
        *(server_health.ReportItem, aggregates.Aggregate, keys.CreatedKey),
    )
    published = openapi.document(OPERATIONS, "0")["components"]["schemas"]
    assert {shape.__name__ for shape in shapes} <= set(published)


def test_the_service_publishes_the_document(http: httpx.Client) -> None:
    published = http.get("/openapi.json").json()
    assert published["paths"] == openapi.document(OPERATIONS, "0")["paths"]
