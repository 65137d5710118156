"""The sender on a database: what subscribers get, and what failures and ends do."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Jsonb
from standardwebhooks import Webhook

from supervisor_mcp.background.start import running
from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context as operations
from supervisor_mcp.telemetry import counts
from tests.background.receivers import Receiver, always, receiver
from tests.background.test_prober import becomes, log_has
from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import Json, ask, fact, ingest_facts, ingest_metrics, metric
from tests.support import proxy
from tests.support.waiting import eventually_async

AT_ONCE = {"group_wait": "0s", "group_interval": "0s"}
# As though the time until the next attempt had passed.
PASS_TIME = "update data.delivery set next_at = now() where next_at > now()"
FAILED = "select count(*) from data.delivery where claimed_until is null"
UNSENT = "select count(*) from data.delivery where delivered_at is null"


@pytest.fixture
def conn(fresh_database: str) -> Iterator[Connection]:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as connected:
        yield connected


@asynccontextmanager
async def process(database_url: str, **more: Any) -> AsyncIterator[None]:
    """The loops of a web process."""
    own = {"probe": False, "delivery_allowed": ("127.0.0.0/8",), **more}
    settings = Settings(database_url=database_url, **own)
    async with (
        operations.connected(operations.build(settings)) as context,
        running(context, settings),
    ):
        yield


def subscribe(conn: Connection, url: str, name: str = "policy", **members: Any) -> Json:
    """The answer to a subscription."""
    document = {"author": "ann", "url": url, **members}
    answer: Json = ask(conn, "select api.subscribe(%s, %s, now())", name, Jsonb(document))
    return answer


def store(conn: Connection, *names: str) -> None:
    """Facts of now."""
    now = datetime.now(UTC)
    ingest_facts(conn, [fact(fact_id=name, ts=now.isoformat()) for name in names], now=now)


def shown(conn: Connection, name: str = "policy") -> Json:
    found: Json = ask(conn, "select api.list_subscriptions(%s, null, null, now())", name)
    return found


async def has(there: Receiver, holds: Callable[[Receiver], object], *, seconds: float = 30) -> None:
    async def found() -> object:
        return holds(there)

    await eventually_async(found, f"what {there.url} has got", seconds=seconds)


async def test_facts_are_sent_to_a_webhook_with_a_signature(
    fresh_database: str, conn: Connection
) -> None:
    async with receiver() as there, process(fresh_database):
        secret = subscribe(conn, there.url, facts={})["secret"]
        store(conn, "1", "2")
        await has(there, lambda sent: sent.facts)
        await becomes(conn, UNSENT, lambda count: count == 0)
    (request,) = there.requests
    assert sorted(there.facts) == ["1", "2"]
    assert request.payload["subscription"] == "policy"
    Webhook(secret).verify(request.body, request.headers)
    assert shown(conn)["delivered_at"] is not None


async def test_an_alert_is_sent_when_it_fires_and_when_it_is_resolved(
    fresh_database: str, conn: Connection
) -> None:
    now = datetime.now(UTC)
    earlier = (now - timedelta(seconds=1)).isoformat()
    async with receiver() as there, process(fresh_database):
        subscribe(conn, there.url, alerts=AT_ONCE)
        ingest_metrics(conn, [metric(source="a", value=3, ts=earlier)], now=now)
        define(conn, above(2, group_by="source"))
        evaluate(conn, now)
        await has(there, lambda sent: len(sent.requests) == 1)
        await becomes(conn, UNSENT, lambda count: count == 0)
        ask(conn, "select api.delete_alert_rule('cpu_high', 'ann', now())")
        ask(conn, "select internal.enqueue_alerts(now())")
        await has(there, lambda sent: len(sent.requests) == 2)
    firing, resolved = (request.payload for request in there.requests)
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["alerts"][0]["labels"]["source"] == "a"
    assert firing["groupKey"] == resolved["groupKey"]


async def test_what_fails_is_sent_again_as_the_same_message(
    fresh_database: str, conn: Connection
) -> None:
    def answer(there: Receiver) -> str:
        return "503 Service Unavailable" if len(there.requests) < 3 else "200 OK"

    async with receiver(answer) as there, process(fresh_database):
        subscribe(conn, there.url, facts={})
        store(conn, "1")
        for failed in (1, 2):
            await becomes(conn, f"{FAILED} and attempts = {failed}", bool)
            assert shown(conn)["error"] == "answers 503 Service Unavailable"
            conn.execute(PASS_TIME)
        await becomes(conn, UNSENT, lambda count: count == 0)
    assert len({(request.id, request.body) for request in there.requests}) == 1
    assert len(there.requests) == 3
    assert shown(conn)["error"] is None


async def test_a_message_that_is_refused_is_given_up_and_shown(
    fresh_database: str, conn: Connection
) -> None:
    async with receiver(always("410 Gone")) as there, process(fresh_database):
        subscribe(conn, there.url, facts={})
        store(conn, "1")
        await becomes(conn, "select count(failed_at) from data.delivery", bool)
    found = shown(conn)
    assert (found["pending"], found["failed"], found["error"]) == (0, 1, "answers 410 Gone")


async def test_a_message_that_is_given_up_is_logged_once_without_its_url(
    fresh_database: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="supervisor_mcp")

    def answer(there: Receiver) -> str:
        return "503 Service Unavailable" if len(there.requests) < 2 else "410 Gone"

    async with receiver(answer) as there, process(fresh_database):
        subscribe(conn, f"{there.url}?token=hidden", facts={})
        store(conn, "1")
        await becomes(conn, f"{FAILED} and attempts = 1", bool)
        conn.execute(PASS_TIME)
        await log_has(caplog, "delivery given up")
    (line,) = caplog.records
    assert line.levelname == "WARNING"
    assert line.getMessage() == "delivery given up: answers 410 Gone"
    said = vars(line)
    assert (said["subscription"], said["group"], said["attempts"]) == ("policy", "facts", 2)
    assert "hidden" not in str(said)


async def test_attempts_are_counted_by_subscription_and_outcome(
    fresh_database: str, conn: Connection
) -> None:
    def answer(there: Receiver) -> str:
        return ("503 Service Unavailable", "200 OK", "410 Gone")[len(there.requests) - 1]

    async with receiver(answer) as there, process(fresh_database):
        subscribe(conn, there.url, "counted", facts={})
        store(conn, "1")
        await becomes(conn, f"{FAILED} and attempts = 1", bool)
        conn.execute(PASS_TIME)
        await becomes(conn, UNSENT, lambda count: count == 0)
        store(conn, "2")

        async def counted() -> dict[str, float]:
            families = text_string_to_metric_families(counts.expose({}).decode())
            found = {
                sample.labels["outcome"]: sample.value
                for family in families
                for sample in family.samples
                if sample.name == "supervisor_delivery_attempts_total"
                and sample.labels["subscription"] == "counted"
            }
            return found if len(found) == 3 else {}

        found = await eventually_async(counted, "an attempt of each outcome")
    assert found == {"delivered": 1, "failed": 1, "given_up": 1}


async def test_a_private_address_is_not_asked(fresh_database: str, conn: Connection) -> None:
    async with receiver() as there, process(fresh_database, delivery_allowed=None):
        subscribe(conn, there.url, facts={})
        store(conn, "1")
        await becomes(conn, "select count(failed_at) from data.delivery", bool)
    assert there.requests == []
    assert "127.0.0.1, which is not public" in shown(conn)["error"]


async def test_a_receiver_that_does_not_answer_does_not_delay_the_others(
    fresh_database: str, conn: Connection
) -> None:
    loop = asyncio.get_running_loop()
    slow = receiver(silent=True)
    async with slow as silent, receiver() as there, process(fresh_database):
        subscribe(conn, silent.url, "silent", facts={"sources": ["crm"]})
        subscribe(conn, there.url, facts={})
        store(conn, "1")
        await has(silent, lambda sent: sent.requests)
        began = loop.time()
        store(conn, "2")
        await has(there, lambda sent: "2" in sent.facts)
        assert loop.time() - began < 8


async def test_ten_subscriptions_of_a_host_that_does_not_answer_leave_room_for_the_others(
    fresh_database: str, conn: Connection
) -> None:
    now = datetime.now(UTC)
    earlier = (now - timedelta(seconds=1)).isoformat()
    by_source = AT_ONCE | {"group_by": ["source"]}
    loop = asyncio.get_running_loop()
    async with (
        receiver(silent=True) as silent,
        receiver() as there,
        process(fresh_database, delivery_timeout_seconds=30),
    ):
        for number in range(10):
            subscribe(conn, f"{silent.url}/{number}", f"silent-{number}", alerts=by_source)
        subscribe(conn, there.url, facts={})
        items = [metric(source=source, value=3, ts=earlier) for source in "abcd"]
        ingest_metrics(conn, items, now=now)
        define(conn, above(2, group_by="source"))
        evaluate(conn, now)
        await has(silent, lambda sent: len(sent.requests) >= 8)
        began = loop.time()
        store(conn, "1")
        await has(there, lambda sent: sent.facts)
        assert loop.time() - began < 8
        assert len(silent.requests) == 8


async def test_two_processes_send_everything_once(fresh_database: str, conn: Connection) -> None:
    names = [str(number) for number in range(40)]
    async with (
        receiver() as there,
        process(fresh_database, pool_size=2),
        process(fresh_database, pool_size=2),
    ):
        for number in range(8):
            subscribe(conn, there.url, f"subscriber-{number}", facts={})
        for name in names:
            store(conn, name)
        await has(there, lambda sent: len(sent.facts) >= 8 * len(names))
        await becomes(conn, "select count(*) from data.outbox", lambda count: count == 0)
        await becomes(conn, UNSENT, lambda count: count == 0)
    assert len({request.id for request in there.requests}) == len(there.requests)
    for number in range(8):
        sent = [
            fact["fact_id"]
            for request in there.requests
            if request.payload["subscription"] == f"subscriber-{number}"
            for fact in request.payload["facts"]
        ]
        assert sent == names


async def test_a_process_that_ends_leaves_its_messages_to_others(
    fresh_database: str, conn: Connection
) -> None:
    loop = asyncio.get_running_loop()
    async with receiver(silent=True) as there:
        async with process(fresh_database, delivery_timeout_seconds=30):
            subscribe(conn, there.url, facts={})
            store(conn, "1")
            await has(there, lambda sent: sent.requests)
            began = loop.time()
        assert loop.time() - began < 6
    row = conn.execute("select claimed_until, error from data.delivery").fetchone()
    assert row == (None, "the service was stopped")


async def test_a_delivery_of_which_the_record_was_lost_is_recorded_when_the_database_is_back(
    fresh_database: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="supervisor_mcp")
    place = conninfo_to_dict(fresh_database)
    async with proxy.start(str(place["host"]), int(place["port"])) as between:  # type: ignore[arg-type]

        def answer(_: Receiver) -> str:
            between.refusing = True
            between.drop()
            return "200 OK"

        url = make_conninfo(fresh_database, host="127.0.0.1", port=between.port)
        async with receiver(answer) as there, process(url, pool_size=2):
            subscribe(conn, there.url, facts={})
            store(conn, "1")
            await log_has(caplog, "delivery does not run")
            between.refusing = False
            await becomes(conn, UNSENT, lambda count: count == 0, seconds=60)
    assert len(there.requests) == 1


async def test_an_outage_is_over_for_the_log_while_requests_are_always_under_way(
    fresh_database: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="supervisor_mcp")
    place = conninfo_to_dict(fresh_database)
    async with (
        proxy.start(str(place["host"]), int(place["port"])) as between,  # type: ignore[arg-type]
        receiver(silent=True) as there,
    ):
        url = make_conninfo(fresh_database, host="127.0.0.1", port=between.port)
        async with process(url, pool_size=2, delivery_timeout_seconds=30):
            subscribe(conn, there.url, facts={})
            store(conn, "1")
            await has(there, lambda sent: sent.requests)
            between.refusing = True
            between.drop()
            await log_has(caplog, "delivery does not run")
            between.refusing = False
            await log_has(caplog, "delivery runs again")
            # The request of before is still under way.
            assert ask(conn, "select claimed_until is not null from data.delivery")


async def test_without_the_setting_nothing_is_sent(fresh_database: str, conn: Connection) -> None:
    async with receiver() as there, process(fresh_database, delivery=False):
        subscribe(conn, there.url, facts={})
        store(conn, "1")
        await becomes(conn, "select count(*) from data.service_uptime", bool)
    assert there.requests == []
    assert shown(conn)["pending"] == 1


async def test_a_secret_is_never_logged(
    fresh_database: str, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiver(always("500 X")) as there, process(fresh_database):
        secret = subscribe(conn, there.url, facts={})["secret"]
        store(conn, "1")
        await becomes(conn, "select max(error) from data.delivery", bool)
    assert secret.removeprefix("whsec_") not in caplog.text
    assert secret not in json.dumps(shown(conn))
