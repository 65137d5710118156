"""Which hours got late samples, beside a model of them as a set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import ask, ingest_metrics, metric

START = datetime(2025, 3, 1, tzinfo=UTC)
TYPES = {"load": "gauge", "visits": "counter", "hits": "counter"}

# A kind, and an hour after START.
Late = tuple[str, int]


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    late=st.lists(st.tuples(st.sampled_from(sorted(TYPES)), st.integers(0, 9)), max_size=20),
    asked=st.lists(st.sampled_from(sorted(TYPES)), min_size=1, unique=True),
    edges=st.lists(st.integers(0, 10), min_size=2, max_size=2, unique=True),
)
@example(
    late=[("load", 1), ("load", 2), ("visits", 1), ("visits", 2)], asked=["load"], edges=[1, 3]
)
@example(late=[("visits", 3)], asked=["visits"], edges=[3, 4])
@example(late=[("visits", 3)], asked=["visits"], edges=[2, 3])
def test_late_hours_are_those_of_the_kinds_in_the_range(
    db: Connection, late: list[Late], asked: list[str], edges: list[int]
) -> None:
    first, last = sorted(edges)
    with db.transaction(force_rollback=True):
        db.execute("delete from data.late_hour")
        ingest_metrics(db, [metric(name, type=type_) for name, type_ in TYPES.items()])
        numbers: dict[str, int] = dict(
            db.execute("select name, kind_id from data.kind where name = any(%s)", [[*TYPES]])
        )
        for name, hour in late:
            db.execute(
                "insert into data.late_hour (kind_id, bucket, samples) values (%s, %s, 1)",
                [numbers[name], at(hour)],
            )
        between = ([numbers[name] for name in asked], at(first), at(last))
        stretches = db.execute(
            "select lower(hours), upper(hours), kinds from internal.late_hours(%s, %s, %s)", between
        ).fetchall()
        counters = ask(db, "select internal.late_counters(%s, %s, %s)", *between)
    wanted = {(name, hour) for name, hour in late if name in asked and first <= hour < last}
    names = {number: name for name, number in numbers.items()}
    # Every hour once, and stretches that touch are one.
    found = [
        (names[kind], int((begin - START) / timedelta(hours=1)) + n)
        for begin, end, kinds in stretches
        for kind in kinds
        for n in range(int((end - begin) / timedelta(hours=1)))
    ]
    assert sorted(found) == sorted(wanted)
    begun = {(name, hour) for name, hour in wanted if (name, hour - 1) not in wanted}
    assert sum(len(kinds) for *_, kinds in stretches) == len(begun)
    assert len({(begin, end) for begin, end, _ in stretches}) == len(stretches)
    assert counters == any(TYPES[name] == "counter" for name, _ in wanted)
