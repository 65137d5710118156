"""Namespaces with the same names in them, each with content that nobody else may see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.types.json import Json, Jsonb

from tests.sql.raised_alerts import add_transition, matcher, raise_alert

NOW = datetime(2025, 6, 15, 12, 30, tzinfo=UTC)

Items = list[dict[str, Any]]


@contextmanager
def within(conn: Connection[Any], namespace: str) -> Iterator[None]:
    """A transaction that works in a namespace, as a request of one of its keys does."""
    with conn.transaction():
        conn.execute("select set_config('supervisor.namespace', %s, true)", [namespace])
        yield
        conn.execute("select set_config('supervisor.namespace', '', true)")


@dataclass(frozen=True)
class Tenant:
    """A namespace, and a word that is in all of its content and in nothing else.

    What has the word in its name is in this namespace only; every other name is in all of them.
    """

    namespace: str
    word: str
    factor: int

    def fill(self, conn: Connection[Any]) -> None:
        """Store something behind every route."""
        with within(conn, self.namespace):
            self._ingest(conn, "metrics", self._metrics())
            self._ingest(conn, "facts", self._facts())
            for server in ("search", f"{self.word}/own"):
                self._call(conn, "register_server", server, self._server(), NOW - timedelta(days=2))
                self._call(conn, "heartbeat", [server], NOW)
                self._call(conn, "plan_maintenance", *self._window(server))
            report = {"server": "search", "status": "degraded", "detail": self.word}
            conn.execute("select api.report_health(%s, false, null, %s)", [Jsonb([report]), NOW])
            for rule in ("queue_long", f"{self.word}_long"):
                add_transition(conn, raise_alert(conn, rule, source="shop", note=self.word))
                self._call(conn, "define_alert_rule", rule, self._rule(), NOW)
            for silence in ("night", f"{self.word}-night"):
                self._call(conn, "silence_alerts", silence, *self._silence())
            for name in ("sale_value", f"{self.word}_value"):
                self._call(conn, "define_kpi", name, self._kpi(), NOW)
            for name in ("hook", f"{self.word}-hook"):
                self._call(conn, "subscribe", name, self._subscription(), NOW)
            hour = (NOW - timedelta(hours=1), NOW)
            self._call(conn, "pin_window", f"{self.word}-shop", *hour, self.word, NOW)
            for name in ("week", f"{self.word}-week"):
                self._call(conn, "create_snapshot", name, "7d", self.word, NOW)
            self._restate(conn)
            conn.execute(
                "select api.record_agg(api.query_agg(null, '7d', null, null, null, null, %s))",
                [NOW],
            )

    def _restate(self, conn: Connection[Any]) -> None:
        """Complete a restatement of each kind, as a refresh of late samples does."""
        conn.execute(
            "insert into data.aggregate_restatement"
            " (kind_id, during, noted_at, restated_at, late_samples, before, after)"
            " select kind_id, tstzrange(%(now)s - interval '2 hours', %(now)s), %(now)s, %(now)s,"
            " %(factor)s, %(before)s, %(after)s from data.kind",
            {
                "now": NOW,
                "factor": self.factor,
                "before": Jsonb({"count": 0, "sum": None, "min": None, "max": None}),
                "after": Jsonb({"count": 1, "sum": self.factor, "min": 1, "max": 1}),
            },
        )

    def _metrics(self) -> Items:
        return [
            {
                "name": name,
                "source": source,
                "value": self.factor * (1 + number),
                "labels": {"region": self.word},
                "unit": self.word,
                "ts": (NOW - timedelta(hours=number)).timestamp(),
            }
            for name in ("queue_depth", f"{self.word}_depth")
            for source in ("shop", f"{self.word}-shop")
            for number in range(3)
        ]

    def _facts(self) -> Items:
        return [
            {
                "kind": kind,
                "source": source,
                "fact_id": "order-1",
                "subject": "customer-1",
                "value": self.factor,
                "payload": {"note": self.word},
                "ts": (NOW - timedelta(hours=1)).timestamp(),
            }
            for kind, source in (("Fact:Sale", "shop"), (f"Fact:{self.word}", f"{self.word}-shop"))
        ]

    def _server(self) -> dict[str, Any]:
        return {
            "description": self.word,
            "version": "1.0.0",
            "owner": self.word,
            "tags": ["shop", self.word],
            "source": "shop",
            "probe": False,
            "remotes": [{"type": "streamable-http", "url": f"https://{self.word}.example/mcp"}],
            "capabilities": {"tools": [{"name": self.word}]},
        }

    def _window(self, server: str) -> tuple[Any, ...]:
        begin = NOW - timedelta(hours=5)
        name = "update" if server == "search" else f"{self.word}-update"
        return name, [server], begin, begin + timedelta(hours=1), self.word, self.word, False, NOW

    def _silence(self) -> tuple[Any, ...]:
        end = NOW + timedelta(hours=1)
        return Jsonb([matcher("source", "=", self.word)]), NOW, end, self.word, "a", False, NOW

    def _kpi(self) -> dict[str, Any]:
        return {
            "author": self.word,
            "description": self.word,
            "numerator": {"kind": "Fact:Sale", "statistic": "sum"},
        }

    def _rule(self) -> dict[str, Any]:
        return {
            "author": self.word,
            "annotations": {"summary": self.word},
            "condition": {
                "type": "metric",
                "kind": "queue_depth",
                "statistic": "max",
                "window": "5m",
                "operator": ">",
                "threshold": self.factor,
                "group_by": "source",
            },
        }

    def _subscription(self) -> dict[str, Any]:
        return {
            "author": self.word,
            "url": f"https://{self.word}.example/hook",
            "facts": {"kinds": ["Fact:Sale"]},
        }

    @staticmethod
    def _ingest(conn: Connection[Any], noun: LiteralString, items: Items) -> None:
        conn.execute(
            b"select api.ingest_%b(%%s, false, 'batch-1', %%s)" % noun.encode(), [Json(items), NOW]
        )

    @staticmethod
    def _call(conn: Connection[Any], function: LiteralString, *arguments: Any) -> None:
        sent = [Jsonb(each) if isinstance(each, dict) else each for each in arguments]
        places = ", ".join(["%s"] * len(sent))
        conn.execute(f"select api.{function}({places})".encode(), sent)


ACME = Tenant("acme", "anvil", 1)
UMBRELLA = Tenant("umbrella", "tyrant", 7)
EVERYONE = Tenant("", "public", 3)
TENANTS = (ACME, UMBRELLA, EVERYONE)
