"""What the processes of both nodes could send is sent once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
import httpx
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.background.receivers import Receiver, receiver
from tests.background.test_prober import becomes
from tests.sql.alerts import above
from tests.sql.calls import ask
from tests.support.waiting import eventually_async

FACTS = 30
AT_ONCE = {"group_wait": "0s", "group_interval": "0s"}
UNSENT = """
select (select count(*) from data.outbox)
    + (select count(*) from data.delivery where delivered_at is null)
"""


async def send(http: httpx.Client, method: str, path: str, body: Any) -> None:
    """Send JSON while the loop of the receiver runs."""
    answer = await anyio.to_thread.run_sync(lambda: http.request(method, path, json=body))
    assert answer.is_success, answer.text


async def test_a_fact_is_delivered_once(
    http: httpx.Client, conn: Connection, fact_kind: str
) -> None:
    async with receiver() as there:
        document = {"author": "ann", "url": there.url, "facts": {"kinds": [fact_kind]}}
        await send(http, "PUT", f"/subscriptions/{fact_kind.lower().replace(':', '_')}", document)
        for number in range(FACTS):
            item = {"kind": fact_kind, "source": "crm", "fact_id": str(number)}
            await send(http, "POST", "/ingest/facts", item)
        await becomes(conn, UNSENT, lambda count: count == 0, seconds=60)
    assert sorted(there.facts, key=int) == [str(number) for number in range(FACTS)]


async def test_an_alert_is_delivered_once_when_it_fires_and_once_when_it_ends(
    http: httpx.Client, conn: Connection
) -> None:
    def statuses(there: Receiver) -> list[str]:
        return [request.payload["status"] for request in there.requests]

    async def reach(there: Receiver, *wanted: str) -> None:
        async def reached() -> bool:
            return len(statuses(there)) >= len(wanted)

        await eventually_async(reached, "the notifications", seconds=30)
        await becomes(conn, UNSENT, lambda count: count == 0, seconds=60)
        assert statuses(there) == list(wanted)

    async with receiver() as there:
        document = {"author": "ann", "url": there.url, "alerts": AT_ONCE}
        await send(http, "PUT", "/subscriptions/alerts", document)
        await send(http, "POST", "/ingest/metrics", {"name": "cpu", "source": "a", "value": 3})
        rule = {"author": "ann", "condition": above(2, group_by="source")}
        await send(http, "PUT", "/alerts/rules/cpu_high", rule)
        conn.execute("call internal.evaluate_alerts(0, %s)", [Jsonb({"rules": 100})])
        await reach(there, "firing")
        await send(http, "DELETE", "/alerts/rules/cpu_high?author=ann", None)
        ask(conn, "select internal.enqueue_alerts(%s)", datetime.now(UTC))
        await reach(there, "firing", "resolved")
