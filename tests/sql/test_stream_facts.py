"""The stream of facts: every one comes once, in whatever order transactions commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Json, ago, ask, fact, ingest_facts, query_facts, refused

NAMES = ("kind", "source", "subject", "last_event_id", "until", "limit")
SESSIONS = 4


def position(end: int) -> str:
    """The position of a reader that has everything of the transactions before `end`."""
    return f"{end}:{end}:/0/0/{int(NOW.timestamp())}"


def own_number(db: Connection) -> int:
    number: int = ask(db, "select pg_current_xact_id()::text::bigint")
    return number


def stream(db: Connection, last_event_id: str | None = None, **more: Any) -> Json:
    """One reading; arguments are until, limit and filters."""
    given = {"last_event_id": last_event_id, **more}
    now = given.pop("now", NOW)
    assert set(given) <= set(NAMES)
    statement = "select api.stream_facts(%s, %s, %s, %s, %s, %s, %s)"
    answer: Json = ask(db, statement, *(given.get(name) for name in NAMES), now)
    return answer


def own(db: Connection, last_event_id: str, **more: Any) -> Json:
    """A reading as it is after the commit of this transaction."""
    return stream(db, last_event_id, until=position(own_number(db) + 1), **more)


def ids(reading: Json) -> list[str]:
    return [event["data"]["fact_id"] for event in reading["events"]]


@pytest.fixture
def beginning(db: Connection) -> str:
    """The position before what the test stores."""
    before = position(own_number(db))
    # A position must not be ahead of the newest transaction that has ended, such as this one.
    with db.transaction(force_rollback=True):
        ingest_facts(db, fact())
    return before


def test_a_position_has_what_it_does_not_see_in_order(db: Connection) -> None:
    # Of others, PostgreSQL makes no snapshot.
    for unseen in ([5, 7], [7, 5]):
        assert ask(db, "select internal.make_snapshot(%s, 9)::text", unseen) == "5:9:5,7"


def test_without_an_id_a_stream_starts_with_what_comes_next(db: Connection) -> None:
    ingest_facts(db, fact(fact_id="before"))

    reading = stream(db)
    assert reading["events"] == []
    assert reading["position"] == reading["until"]
    assert reading["missing"] is None


def test_an_event_has_the_fact_as_query_facts_has_it(db: Connection, beginning: str) -> None:
    item = fact(subject="ann", value=7.5, payload={"a": [1, None]}, ts=ago(hours=1), fact_id="x")
    ingest_facts(db, item)

    (event,) = own(db, beginning)["events"]
    assert event["data"] == query_facts(db)["items"][0]
    assert event["about"] == {"kind": "Fact:Deal", "source": "crm", "subject": "ann"}


def test_facts_come_in_the_order_of_their_arrival_not_of_their_time(
    db: Connection, beginning: str
) -> None:
    ingest_facts(db, [fact(fact_id=f"{n}", ts=ago(days=n)) for n in (3, 1, 2)])
    ingest_facts(db, fact(fact_id="4", ts=ago(days=40)))

    reading = own(db, beginning)
    assert ids(reading) == ["3", "1", "2", "4"]
    assert reading["position"] == reading["until"]


def test_facts_of_one_hour_all_come(db: Connection, beginning: str) -> None:
    sent = [fact(fact_id=str(n), ts=ago(seconds=n)) for n in range(5)]
    ingest_facts(db, sent)

    assert sorted(ids(own(db, beginning))) == ["0", "1", "2", "3", "4"]


def test_the_rest_of_a_transaction_comes_in_order(db: Connection, beginning: str) -> None:
    ingest_facts(db, [fact(fact_id=str(n)) for n in range(7)])

    first = own(db, beginning, limit=2)
    # More than a page is left.
    second = own(db, first["position"], limit=2)
    third = own(db, second["position"], limit=4)
    assert [ids(page) for page in (first, second, third)] == [["0", "1"], ["2", "3"], [*"456"]]


def test_each_id_resumes_after_its_event(db: Connection, beginning: str) -> None:
    ingest_facts(db, [fact(fact_id=f"{n}") for n in range(5)])

    events = own(db, beginning)["events"]
    for place, event in enumerate(events):
        assert ids(own(db, event["id"])) == [f"{n}" for n in range(place + 1, 5)]


def test_a_duplicate_comes_once(db: Connection, beginning: str) -> None:
    for _ in range(2):
        ingest_facts(db, fact(fact_id="a", ts=ago(hours=1)))

    assert ids(own(db, beginning)) == ["a"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"kind": "Fact:Sale"}, ["0", "2"]),
        ({"source": "web"}, ["2", "3"]),
        ({"subject": "ann"}, ["0", "3"]),
        ({"kind": "Fact:Sale", "subject": "ann"}, ["0"]),
        ({"kind": "Fact:Unheard"}, []),
    ],
)
def test_filters_leave_the_others_out(
    db: Connection, beginning: str, filters: dict[str, str], expected: list[str]
) -> None:
    ingest_facts(
        db,
        [
            fact("Fact:Sale", "shop", subject="ann", fact_id="0"),
            fact("Fact:Visit", "shop", subject="bob", fact_id="1"),
            fact("Fact:Sale", "web", subject="bob", fact_id="2"),
            fact("Fact:Visit", "web", subject="ann", fact_id="3"),
        ],
    )

    assert ids(own(db, beginning, **filters)) == expected


def test_a_page_whose_facts_are_all_left_out_moves_on(db: Connection, beginning: str) -> None:
    ingest_facts(db, [*[fact() for _ in range(5)], fact("Fact:Sale", fact_id="sale")])

    found = []
    reading = own(db, beginning, limit=2, kind="Fact:Sale")
    while reading["position"] != reading["until"]:
        found += ids(reading)
        reading = own(db, reading["position"], limit=2, kind="Fact:Sale")
    assert found + ids(reading) == ["sale"]


def test_a_fact_that_retention_dropped_does_not_come(db: Connection, beginning: str) -> None:
    ingest_facts(db, [fact(fact_id="dropped"), fact(fact_id="kept")])
    db.execute("delete from data.fact where fact_id = 'dropped'")

    assert ids(own(db, beginning)) == ["kept"]


def test_a_position_from_before_the_retention_says_what_is_missing(
    db: Connection, beginning: str
) -> None:
    db.execute("select ops.set_retention('data.fact', '90 days')")
    ingest_facts(db, fact(fact_id="a"))

    reading = own(db, beginning, now=NOW + timedelta(days=100))
    missing = {name: instant[:10] for name, instant in reading["missing"].items()}
    assert missing == {"from": "2025-06-15", "to": "2025-06-25"}
    assert ids(reading) == ["a"]


def test_a_position_of_another_database_says_what_is_missing_and_goes_on(db: Connection) -> None:
    ingest_facts(db, fact())
    instant = int((NOW - timedelta(days=1)).timestamp())

    reading = stream(db, f"999999999999:999999999999:/0/0/{instant}")
    assert reading["missing"]["from"] == "2025-06-14T12:34:56+00:00"
    assert reading["missing"]["to"] == "2025-06-15T12:34:56.789+00:00"
    assert reading["events"] == []
    assert reading["position"] == reading["until"]


@pytest.mark.parametrize(
    "last_event_id",
    [
        "",
        "7",
        "10:10:/0/0",
        "10:10:/0/0/1/2",
        "10:9:/0/0/1",
        "10:12:11,10/0/0/1",
        "10:12:11,/0/0/1",
        "0:0:/0/0/1",
        "10:12:13/0/0/1",
        "10:10:/9/1/1",
        "10:10:/1/1/1",
        "10:10:/11/1/1",
        "10:10:/0/0/-1",
        f"10:{'9' * 19}:/0/0/1",
        "10:10:/0/0/1\n",
        "1" * 300,
    ],
)
def test_an_id_that_no_event_had_is_refused(db: Connection, last_event_id: str) -> None:
    with refused(db, "last_event_id_well_formed") as refusal:
        stream(db, last_event_id)
    assert refusal.column == "last_event_id"
    assert refusal.message == f'invalid Last-Event-ID "{last_event_id[:100]}"'
    assert "id of the last event" in refusal.hint


@pytest.mark.parametrize("change", [0, 11, 12])
def test_an_id_says_what_its_reader_has(db: Connection, change: int) -> None:
    read = db.execute(
        "select seen::text, change, number, at from internal.read_position(%s)",
        [f"10:12:11/{change}/7/{int(NOW.timestamp())}"],
    ).fetchone()
    assert read == ("10:12:11", change, 7, NOW.replace(microsecond=0))


def test_a_kind_of_metrics_is_refused(db: Connection) -> None:
    with refused(db, "fact_kind_well_formed") as refusal:
        stream(db, kind="cpu")
    assert refusal.column == "kind"


def test_a_refusal_quotes_the_first_200_characters_of_a_kind(db: Connection) -> None:
    with refused(db, "fact_kind_well_formed") as refusal:
        stream(db, kind="x" * 300)
    assert refusal.message == f'kind "{"x" * 200}" is not one of facts'


def test_a_process_that_lags_behind_the_reader_gives_nothing_that_it_does_not_see(
    db: Connection,
) -> None:
    ingest_facts(db, fact())
    db.execute("update data.fact_identity set change = 101")
    reached, lagging = "101:103:101/0/0/1750000000", "101:101:/0/0/1750000000"

    reading = stream(db, reached, until=lagging)
    assert (reading["events"], reading["position"]) == ([], reached)


@dataclass(frozen=True)
class History:
    """Transactions by their numbers: how many facts each has, and the step that commits it."""

    sizes: list[int]
    starts: list[int]
    commits: list[int]

    def snapshot(self, step: int, first: int) -> str:
        """What is visible after a step, where the first transaction has the number `first`."""
        begun = [place for place, start in enumerate(self.starts) if start <= step]
        running = [first + place for place in begun if self.commits[place] > step]
        end = first + len(begun)
        return f"{min([*running, end])}:{end}:{','.join(map(str, running))}/0/0/1750000000"


STEPS = 4


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Transactions get their numbers as they start, and commit in any order or never."""
    starts = sorted(draw(st.lists(st.integers(0, STEPS), min_size=1, max_size=6)))
    return History(
        [draw(st.integers(1, 4)) for _ in starts],
        starts,
        [draw(st.integers(start, STEPS + 1)) for start in starts],
    )


@given(history=histories(), data=st.data())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
def test_a_reader_that_is_cut_off_anywhere_gets_each_fact_once(
    db: Connection, history: History, data: st.DataObject
) -> None:
    with db.transaction(force_rollback=True):
        first = 100
        changes = [first + place for place, size in enumerate(history.sizes) for _ in range(size)]
        ingest_facts(db, [fact(fact_id=f"{n}") for n in range(len(changes))])
        db.execute(
            "update data.fact_identity set change = (%s::bigint[])[fact_id::integer + 1]",
            [changes],
        )
        reached = history.snapshot(0, first)
        received: list[int] = []
        step = 0
        while reached != history.snapshot(STEPS, first):
            # Another process may not have read as far as this reader has.
            step = min(max(step + 1 - data.draw(st.integers(0, 2)), 0), STEPS)
            reading = stream(
                db,
                reached,
                until=history.snapshot(step, first),
                limit=5 - data.draw(st.integers(0, 4)),
            )
            events = reading["events"]
            cut = len(events) - data.draw(st.integers(0, len(events)))
            received += [int(event["data"]["fact_id"]) for event in events[:cut]]
            if cut == len(events):
                reached = reading["position"]
            elif cut:
                reached = events[cut - 1]["id"]
        committed = [
            n for n, change in enumerate(changes) if 0 < history.commits[change - first] <= STEPS
        ]
        assert sorted(received) == committed


@pytest.fixture
def sessions(fresh_database: str) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        made = [
            stack.enter_context(psycopg.connect(fresh_database, prepare_threshold=None))
            for _ in range(SESSIONS + 1)
        ]
        yield made


@pytest.mark.native_only("many sessions at once")
@given(data=st.data())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20
)
def test_facts_of_transactions_that_commit_out_of_order_come_once(
    sessions: list[Connection], data: st.DataObject
) -> None:
    reader, *writers = sessions
    reader.autocommit = True
    for writer in writers:
        writer.rollback()
    sent: dict[int, list[str]] = {}
    committed: list[str] = []
    received: list[str] = []
    # The kind and the source are there, so that no writer waits for another one.
    ingest_facts(reader, fact())
    reached = stream(reader)["position"]

    def read() -> None:
        nonlocal reached
        reading = stream(reader, reached, limit=5 - data.draw(st.integers(0, 4)))
        events = reading["events"]
        cut = len(events) - data.draw(st.integers(0, len(events)))
        received.extend(event["data"]["fact_id"] for event in events[:cut])
        if cut == len(events):
            reached = reading["position"]
        elif cut:
            reached = events[cut - 1]["id"]

    for _ in range(data.draw(st.integers(1, 20))):
        action = data.draw(st.sampled_from(("send", "send", "commit", "roll back", "read")))
        number = data.draw(st.integers(0, SESSIONS - 1))
        if action == "send":
            names = [f"{uuid4()}-{n}" for n in range(data.draw(st.integers(1, 4)))]
            ingest_facts(writers[number], [fact(fact_id=name) for name in names])
            sent.setdefault(number, []).extend(names)
        elif action == "commit":
            writers[number].commit()
            committed.extend(sent.pop(number, []))
        elif action == "roll back":
            writers[number].rollback()
            sent.pop(number, None)
        else:
            read()
    while (reading := stream(reader, reached))["events"]:
        received.extend(ids(reading))
        reached = reading["position"]
    assert sorted(received) == sorted(committed)


def test_a_page_has_500_facts_by_default(db: Connection, beginning: str) -> None:
    ingest_facts(db, [fact(fact_id=f"{n}") for n in range(501)])

    assert len(own(db, beginning)["events"]) == 500


def test_a_page_has_at_most_1000_facts(db: Connection, beginning: str) -> None:
    with refused(db, "limit_in_range"):
        own(db, beginning, limit=1001)


def test_a_page_that_is_full_and_was_the_last_says_that_it_was_everything(
    db: Connection, beginning: str
) -> None:
    ingest_facts(db, [fact(fact_id=f"{n}") for n in range(3)])

    full, cut = own(db, beginning, limit=3), own(db, beginning, limit=2)
    assert full["position"] == full["until"]
    assert cut["position"] == cut["events"][-1]["id"] != cut["until"]


MISSING = "select internal.missing_json(%s, %s, %s, %s)"


def test_what_was_dropped_after_the_last_position_is_missing(db: Connection) -> None:
    moment = timedelta(microseconds=1)
    assert ask(db, MISSING, NOW, False, NOW, NOW + 2 * moment) is None
    missing = ask(db, MISSING, NOW, False, NOW + moment, NOW + 2 * moment)
    assert datetime.fromisoformat(missing["to"]) == NOW + moment
    foreign = ask(db, MISSING, NOW, True, NOW, NOW + 2 * moment)
    assert datetime.fromisoformat(foreign["to"]) == NOW + 2 * moment
