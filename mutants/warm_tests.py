"""A pytest process that stays: its tests are collected once and its servers keep running.

It runs the tests it is sent, each time with other SQL in every database that tests are given. A
test with a database of its own gets the change too, because a database is changed when it starts.
"""

from __future__ import annotations

import inspect
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import psycopg
import pytest
from hypothesis import Phase, settings

from tests.support import data_directories, timescaledb
from tests.support.data_directories import DataDirectories
from tests.support.timescaledb import Server

# A change may make a statement endless.
STATEMENT_TIMEOUT = "20s"
# Of the tests: a server of their own, which starts again for each change.
OWN_DATABASE = {"lasting", "fresh_database", "empty_database"}
# Of the present backend, which the embedded server has one of.
CALLED = """
select schemaname || '.' || funcname, calls
from pg_stat_xact_user_functions where schemaname in ('api', 'internal', 'ops')
"""


@dataclass(frozen=True)
class Trial:
    """What to run: tests, the SQL that changes their databases, and the SQL that restores them."""

    tests: Sequence[str]
    change: str
    restore: str
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """How a trial ended: `killed` by a test, `survived`, `invalid` SQL or `unfinished` in time."""

    status: str
    test: str | None = None
    sound: bool = True


@dataclass(frozen=True)
class Recorded:
    """What a test without any change did."""

    test: str
    passed: bool
    seconds: float
    lasting: bool
    source: str
    called: frozenset[str]


@dataclass(eq=False)
class WarmTests:
    """The plugin: it serves trials from a connection, or records every test once."""

    requests: Connection
    recording: bool
    _items: dict[str, pytest.Item] = field(default_factory=dict)
    _live: list[str] = field(default_factory=list)
    _failed: str | None = None
    _seconds: float = 0.0
    _change: str = ""
    _invalid: bool = False
    # Tests that fail here without a change, as what others left in the process may have it.
    _unsound: set[str] = field(default_factory=set)
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _called: set[str] = field(default_factory=set)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Serve until the other end has no more."""
        self._items = {item.nodeid: item for item in session.items}
        if self.recording:
            for item, after in zip_longest(session.items, session.items[1:]):
                self.requests.send(self._record(item, after))
            self.requests.send(None)
            return True
        self.requests.send("ready")
        while (trial := self.requests.recv()) is not None:
            self.requests.send(self._try(trial))
        return True

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which part of a test failed, and how long it took."""
        if report.when == "call":
            self._seconds = report.duration
        if report.failed:
            self._failed = self._failed or report.when

    @contextmanager
    def watch(self, server: AbstractContextManager[str]) -> Iterator[str]:
        """A database with the present change."""
        with server as url:
            self._live.append(url)
            try:
                if self._change:
                    self._apply(url, self._change)
                yield url
            finally:
                self._note_calls(url)
                self._live.remove(url)

    def _record(self, item: pytest.Item, after: pytest.Item | None) -> Recorded:
        self._called = set()
        self._run(item, after)
        for url in self._live:
            self._note_calls(url)
        function = getattr(item, "function", None)
        return Recorded(
            item.nodeid,
            passed=self._failed is None,
            seconds=self._seconds,
            lasting=not OWN_DATABASE.isdisjoint(getattr(item, "fixturenames", ())),
            source=inspect.getsource(function) if function else "",
            called=frozenset(self._called),
        )

    def _try(self, trial: Trial) -> Verdict:
        self._invalid = False
        deadline = time.monotonic() + trial.seconds
        tests = [test for test in trial.tests if test not in self._unsound]
        try:
            self._put(trial.change)
            if self._invalid:
                return Verdict("invalid")
            for test, after in zip_longest(tests, tests[1:]):
                if time.monotonic() > deadline:
                    return Verdict("unfinished")
                self._run(self._items[test], self._items[after] if after else None)
                if self._invalid:
                    return Verdict("invalid")
                failed = self._failed
                if failed and not self._fails_anyway(test, trial):
                    return Verdict("killed", test, sound=failed == "call")
            return Verdict("survived")
        finally:
            self._restore(trial)

    def _fails_anyway(self, test: str, trial: Trial) -> bool:
        """Whether a test fails without the change as well, which then is in place again."""
        if not trial.change:
            return False
        self._restore(trial)
        self._run(self._items[test], _Session(self._items[test].session))
        if self._failed is None:
            return False
        self._unsound.add(test)
        self._put(trial.change)
        return True

    def _put(self, change: str) -> None:
        """Change all databases, and those that start from now on."""
        self._change = change
        for url in self._live:
            self._apply(url, change)

    def _restore(self, trial: Trial) -> None:
        """Take a change back; only the fixtures of the session stay, the others have seen it."""
        last = next(iter(self._items.values()))
        last.session._setupstate.teardown_exact(cast("pytest.Item", _Session(last.session)))
        self._change = ""
        for url in self._live:
            self._apply(url, trial.restore)

    def _run(self, item: pytest.Item, after: pytest.Item | _Session | None) -> None:
        self._failed, self._seconds = None, 0.0
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)

    def _apply(self, url: str, statements: str) -> None:
        try:
            with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
                conn.execute(statements.encode())
        except psycopg.Error:
            self._invalid = True

    def _note_calls(self, url: str) -> None:
        if not self.recording:
            return
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            for name, calls in conn.execute(CALLED):
                if self._seen.get((url, name), 0) != calls:
                    self._seen[url, name] = calls
                    self._called.add(name)


@dataclass(frozen=True)
class _Session:
    """Stands for a next test that needs nothing but the session."""

    session: pytest.Session

    def listchain(self) -> list[pytest.Collector]:
        """What holds it."""
        return [self.session]


class _WatchedServer:
    """A server whose databases get the present change."""

    def __init__(self, server: Server, warm: WarmTests) -> None:
        self._server = server
        self._warm = warm
        self.empty = server.empty

    @contextmanager
    def deployed(self) -> Iterator[str]:
        """A database with the present change."""
        with self._warm.watch(self._server.deployed()) as url:
            yield url


def serve(
    requests: Connection, paths: Sequence[str], recording: bool, sql_dir: Path | None, log: Path
) -> None:
    """The process: collect the tests below `paths` and serve; `sql_dir` is what is deployed."""
    with log.open("w") as said:
        os.dup2(said.fileno(), sys.stdout.fileno())
        os.dup2(said.fileno(), sys.stderr.fileno())
    # A signal to this group ends its servers too.
    os.setpgid(0, 0)
    options = f"-c statement_timeout={STATEMENT_TIMEOUT}"
    os.environ["PGOPTIONS"] = options + (" -c track_functions=all" if recording else "")
    # A failure counts, not which example is the smallest, and none is remembered.
    settings.register_profile(
        "mutants", phases=(Phase.explicit, Phase.generate), database=None, derandomize=True
    )
    settings.load_profile("mutants")
    warm = WarmTests(requests, recording)
    _watch_servers(warm)
    if sql_dir is not None:
        setattr(data_directories, "shipped_sql_dir", lambda: sql_dir)  # noqa: B010  imported there
    # What is recorded holds in the order in which it was recorded.
    quiet = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    pytest.main([*quiet, *paths], plugins=[warm])


def _watch_servers(warm: WarmTests) -> None:
    chosen = timescaledb.chosen

    @contextmanager
    def watched(folder: Path, prepared: DataDirectories) -> Iterator[_WatchedServer]:
        with chosen(folder, prepared) as server:
            yield _WatchedServer(server, warm)

    timescaledb.chosen = watched
