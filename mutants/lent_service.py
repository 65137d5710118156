"""A service that the tests of the command line share, for as long as only commands change.

It is the plugin of pytest that gives tests this service instead of starting one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from types import SimpleNamespace
from typing import cast

import pytest
from _pytest.fixtures import SubRequest

from tests.support import command_line
from tests.support.command_line import Service

OPTIONS = ("-p", "mutants.lent_service")
# The plugin reads how to reach the service from here, in a process of tests.
VARIABLE = "MUTANTS_LENT_SERVICE"
COMMANDS = "app/supervisor_mcp/cli/"
# What runs in the service itself.
STARTS_IT = tuple(
    f"{COMMANDS}{name}.py" for name in ("up", "servers", "restarts", "availability", "cache_url")
)


def suits(path: str) -> bool:
    """Whether a change of a file leaves the service as it is."""
    return path.startswith(COMMANDS) and path not in STARTS_IT


@contextmanager
def lent() -> Iterator[dict[str, str]]:
    """A service for the time of the context: the variable with which the plugin finds it."""
    with (
        tempfile.TemporaryDirectory(prefix="supervisor-mutant-") as folder,
        command_line.up(Path(folder) / "data", env={"SUPERVISOR_WORKERS": "2"}) as started,
    ):
        service = {
            "pid": started.process.pid,
            "announced": started.announced,
            "said": started.said,
            "env": started.env,
        }
        yield {VARIABLE: json.dumps(service)}


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: SubRequest) -> object:
    """Give the tests of the command line the service."""
    if (fixturedef.argname, fixturedef.baseid) != ("service", "tests/cli"):
        return None
    known = json.loads(os.environ[VARIABLE])
    process = cast("Popen[str]", SimpleNamespace(pid=known["pid"]))
    service = Service(process, known["announced"], known["said"], known["env"])
    fixturedef.cached_result = (service, fixturedef.cache_key(request), None)
    return service
