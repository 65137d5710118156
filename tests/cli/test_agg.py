"""supervisor-mcp agg: everything it asks for and prints."""

from __future__ import annotations

import json

import pytest

from tests.support import scripted

NUMBERS = {
    **{"count": 10, "sum": 25.5, "avg": 2.55, "min": 1, "max": 9, "stddev": 0.5, "last": 3},
    **{"p50": 2, "p90": 7, "p95": 8, "p99": 8.5, "rate_per_second": 0.25},
}
AGGREGATE = {
    "kind": "queue",
    "type": "gauge",
    "unit": "calls",
    "window": "7d",
    "from": "2026-11-18T10:00:00+00:00",
    "to": "2026-11-25T10:11:12.123456+00:00",
    **NUMBERS,
    "previous": {
        "from": "2026-11-11T10:00:00+00:00",
        "to": "2026-11-18T10:00:00+00:00",
        **NUMBERS,
        "avg": None,
    },
    "change": {name: None for name in NUMBERS if name != "last"} | {"avg": -0.1234, "max": 1.5},
    "groups": [],
    "freshness": {"watermark": None, "newest": None, "late_pending": 1_234},
    "error_bound": 0.01,
    "computed_at": "2026-11-25T10:11:13.5+00:00",
}


def test_everything_of_a_kind_is_printed() -> None:
    with scripted.service({"GET /query/agg": AGGREGATE}) as service:
        done = service.run("agg", "queue")
        as_json = service.run(
            *("agg", "queue", "--window", "1h", "--source", "web", "--group-by", "source"),
            *("--fields", "count,p95", "--as-of", "2026-11-25", "--json"),
        )
        drawn = service.draw("agg", "queue")
    assert service.asked[:2] == [
        "GET /query/agg?kind=queue&window=7d",
        "GET /query/agg?kind=queue&window=1h&source=web&group_by=source&fields=count,p95"
        "&as_of=2026-11-25",
    ]
    assert done.stdout == (
        "measure\t7d\tbefore\tchange\n"
        "count\t10\t10\t\n"
        "sum\t25.5\t25.5\t\n"
        "avg\t2.55\t\t-12.3 %\n"
        "min\t1\t1\t\n"
        "max\t9\t9\t+150.0 %\n"
        "stddev\t0.5\t0.5\t\n"
        "last\t3\t3\t\n"
        "p50\t2\t2\t\n"
        "p90\t7\t7\t\n"
        "p95\t8\t8\t\n"
        "p99\t8.5\t8.5\t\n"
        "rate_per_second\t0.25\t0.25\t\n"
    )
    assert done.stderr == "1,234 late rows are counted, and being rolled up.\n"
    assert json.loads(as_json.stdout) == AGGREGATE
    assert drawn.splitlines()[0] == "queue (gauge, calls), 7d up to 2026-11-25 10:11:12 UTC"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("eu", ""),
        (
            "",
            'Nothing in this window has the label "region". `supervisor-mcp series queue` lists'
            " the series with labels.\n",
        ),
    ],
)
def test_everything_of_groups_is_printed(name: str, said: str) -> None:
    answer = {**AGGREGATE, "unit": None, "groups": [{"group": name, **NUMBERS}]}
    del answer["previous"], answer["change"], answer["freshness"]
    with scripted.service({"GET /query/agg": answer}) as service:
        done = service.run("agg", "queue", "--group-by", "label.region")
        alone = service.run("agg", "queue")
        drawn = service.draw("agg", "queue", "--group-by", "label.region")
    assert done.stdout == alone.stdout + (
        "label.region\tcount\tavg\tmin\tmax\tp50\tp95\tp99\trate_per_second\n"
        f"{name}\t10\t2.55\t1\t9\t2\t8\t8.5\t0.25\n"
    )
    assert done.stderr == said
    assert "queue (gauge), 7d up to 2026-11-25 10:11:12 UTC" in drawn
    assert "By label.region" in drawn


def test_groups_have_the_statistics_that_are_asked_for() -> None:
    asked = {name: NUMBERS[name] for name in ("sum", "stddev", "last", "p90")}
    answer = {
        **{name: AGGREGATE[name] for name in ("kind", "type", "unit", "window", "from", "to")},
        **asked,
        "groups": [{"group": "web", **asked}],
        "computed_at": AGGREGATE["computed_at"],
    }
    with scripted.service({"GET /query/agg": answer}) as service:
        done = service.run(
            *("agg", "queue", "--group-by", "source", "--fields", "sum,stddev,last,p90,groups")
        )
    assert done.stdout.endswith("source\tsum\tstddev\tlast\tp90\nweb\t25.5\t0.5\t3\t7\n")


def test_a_source_that_has_not_sent_the_kind_is_hinted_at() -> None:
    hint = "The source has not sent this kind."
    with scripted.service({"GET /query/agg": AGGREGATE | {"hint": hint}}) as service:
        done = service.run("agg", "queue", "--source", "web")
    assert done.stderr.startswith(f"{hint}\n")


def test_one_late_row_is_one() -> None:
    late = {"watermark": None, "newest": None, "late_pending": 1}
    with scripted.service({"GET /query/agg": AGGREGATE | {"freshness": late}}) as service:
        done = service.run("agg", "queue")
    assert done.stderr == "1 late row is counted, and being rolled up.\n"


def test_no_groups_have_no_note() -> None:
    fresh = {"watermark": None, "newest": None, "late_pending": 0}
    with scripted.service({"GET /query/agg": AGGREGATE | {"freshness": fresh}}) as service:
        done = service.run("agg", "queue", "--group-by", "label.region")
    assert done.stdout.endswith(
        "\nlabel.region\tcount\tavg\tmin\tmax\tp50\tp95\tp99\trate_per_second\n"
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("kinds", "row", "said"),
    [
        ([AGGREGATE], "queue\tgauge\t10\t2.55\t1\t9\t2\t8\t0.25\n", ""),
        ([], "", "There are no kinds yet.\n"),
    ],
)
def test_everything_of_all_kinds_is_printed(
    kinds: list[dict[str, object]], row: str, said: str
) -> None:
    answer = {"window": "7d", "kinds": kinds, "computed_at": "2026-11-25T10:11:13.5+00:00"}
    with scripted.service({"GET /query/agg": answer}) as service:
        done = service.run("agg")
        drawn = service.draw("agg", "--window", "24h")
    assert service.asked[0] == "GET /query/agg?window=7d"
    assert done.stdout == (f"kind\ttype\tcount\tavg\tmin\tmax\tp50\tp95\trate_per_second\n{row}")
    assert done.stderr == said
    assert drawn.startswith("All kinds, 24h up to 2026-11-25 10:11:13 UTC\n" if kinds else "")
