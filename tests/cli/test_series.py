from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import pytest

from supervisor_mcp.cli.sparkline import BLOCKS
from tests.support.command_line import Service

MINUTE = 60
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def two_series(service: Service, name: str) -> str:
    """A metric of two sources: values 1, 3, gap, 5 a minute apart, and a constant 2."""
    now = time.time() // MINUTE * MINUTE
    rising = [
        {"name": name, "source": "rising", "value": value, "ts": now - age * MINUTE}
        for value, age in ((1, 4), (3, 3), (5, 1))
    ]
    flat = {"name": name, "source": "flat", "value": 2, "ts": now - MINUTE}
    items = [
        {**item, "unit": "s", "labels": {"region": "eu", "host": str(item["source"])}}
        for item in (*rising, flat)
    ]
    httpx.post(f"{service.url}/ingest/metrics", json=items).raise_for_status()
    return name


def _rows(stdout: str) -> list[list[str]]:
    return [line.split("\t") for line in stdout.splitlines()]


def test_a_series_is_one_tab_separated_line_with_its_numbers(
    service: Service, two_series: str
) -> None:
    done = service.run("series", two_series, "--source", "rising", "--step", "1m")
    assert done.returncode == 0, done.stderr
    header, line = _rows(done.stdout)
    assert header == ["source", "labels", "sparkline", "min", "avg", "max", "last"]
    assert line[:2] == ["rising", "host=rising region=eu"]
    assert [float(cell) for cell in line[3:]] == [1, 3, 5, 5]


def test_gaps_are_blank_and_the_step_is_that_of_a_character(
    service: Service, two_series: str
) -> None:
    start = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(time.time() - 10 * MINUTE))
    arguments = ("series", two_series, "--source", "rising", "--step", "1m", "--from", start)
    (_, line) = _rows(service.run(*arguments).stdout)
    assert line[2].strip() == "▁▅ █"


def test_a_label_narrows_the_list(service: Service, two_series: str) -> None:
    done = service.run("series", two_series, "--label", "region=eu", "--label", "host=flat")
    assert [row[0] for row in _rows(done.stdout)[1:]] == ["flat"]


@pytest.mark.parametrize("option", ["--statistic", "--column"])
def test_another_statistic_can_be_drawn(service: Service, two_series: str, option: str) -> None:
    arguments = ("series", two_series, "--source", "rising", "--step", "1m", option, "count")
    (_, line) = _rows(service.run(*arguments).stdout)
    assert [float(cell) for cell in line[3:]][2] == 1


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_on_a_terminal_lines_fit_its_width(service: Service, two_series: str, columns: int) -> None:
    done = service.run("series", two_series, TTY_COMPATIBLE="1", TERM="xterm", COLUMNS=str(columns))
    title, *table = STYLE.sub("", done.stdout).splitlines()
    assert f"{two_series} region=eu (gauge, s), avg of every 5m from " in title
    assert len(table) == 3
    assert all(len(line) <= columns for line in table)
    assert any(block in table[2] for block in BLOCKS)
    # Shared labels are in the title.
    assert "region" not in "".join(table)


def test_no_match_is_reported(service: Service, two_series: str) -> None:
    done = service.run("series", two_series, "--label", "region=us")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == (
        'No series has the value "us" of the label "region". The values are eu.\n'
    )
    past = service.run("series", two_series, "--to", "2020-01-01T00:00:00Z")
    assert "Send an earlier --from or a later --to." in past.stderr


def test_json_is_the_answer_of_the_service(service: Service, two_series: str) -> None:
    done = service.run("series", two_series, "--label", "host=flat", "--json")
    (found,) = json.loads(done.stdout)["series"]
    assert found["labels"] == {"host": "flat", "region": "eu"}


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (("--label", "host"), 2, "--label"),
        (("--statistic", "median"), 2, "--statistic"),
        (("--step", "soon"), 4, "step"),
        (("--from", "yesterday"), 4, "from"),
    ],
)
def test_wrong_options_are_named(
    service: Service, two_series: str, arguments: tuple[str, ...], status: int, named: str
) -> None:
    done = service.run("series", two_series, *arguments)
    assert done.returncode == status
    assert named in done.stderr


class Measured(NamedTuple):
    """A metric, and the six minutes that its samples are in."""

    name: str
    start: str
    end: str


@pytest.fixture
def measured(service: Service, name: str) -> Measured:
    """A metric of two sources, with numbers that are rounded and numbers that are not."""
    now = time.time() // MINUTE * MINUTE
    samples = {"a": ((240, 1), (230, 2), (180, 12345.678), (60, 5)), "b": ((60, 9999.4),)}
    items = [
        {
            "name": name,
            "source": source,
            "value": value,
            "ts": now - age,
            "unit": "s",
            "labels": {"region": "eu", "host": f"h{source}"},
        }
        for source, values in (*samples.items(), ("b", ((50, 10000.4),)))
        for age, value in values
    ]
    httpx.post(f"{service.url}/ingest/metrics", json=items).raise_for_status()
    start, end = (
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:00Z}" for at in (now - 360, now)
    )
    return Measured(name, start, end)


def drawn(service: Service, measured: Measured, *options: str, columns: int = 90) -> list[str]:
    """The lines on a terminal."""
    done = service.run(
        *("series", measured.name, "--from", measured.start, "--to", measured.end, *options),
        **{"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": str(columns)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [STYLE.sub("", line).rstrip() for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("statistic", "lines"),
    [
        (
            "avg",
            [
                "source  labels   sparkline    min     avg       max      last",
                "a       host=ha    ▁█ ▁         1   3,088  12,345.7         5",
                "b       host=hb       ▄     9,999  10,000  10,000.4  10,000.4",
            ],
        ),
        (
            "count",
            [
                "source  labels   sparkline  min     avg  max  last",
                "a       host=ha  ▁▁█▅▁▅       0  0.6667    2     1",
                "b       host=hb  ▁▁▁▁▁█       0  0.3333    2     2",
            ],
        ),
    ],
)
def test_a_terminal_has_a_table_under_what_the_series_share(
    service: Service, measured: Measured, statistic: str, lines: list[str]
) -> None:
    start, end = (each[:16].replace("T", " ") for each in measured[1:])
    assert drawn(service, measured, "--step", "1m", "--statistic", statistic) == [
        f"{measured.name} region=eu (gauge, s), {statistic} of every 1m from {start} to {end} UTC",
        *lines,
    ]


@pytest.mark.parametrize("step", ["30s", "90s", "2m", "1h", "1d"])
def test_the_title_has_the_step_in_its_largest_unit(
    service: Service, measured: Measured, step: str
) -> None:
    assert f", avg of every {step} from " in drawn(service, measured, "--step", step)[0]


def test_a_series_alone_has_its_labels_in_the_table(service: Service, measured: Measured) -> None:
    title, _, line = drawn(service, measured, "--step", "1m", "--source", "a")
    assert title.startswith(f"{measured.name} (gauge, s), ")
    assert line.startswith("a       host=ha region=eu  ")


def test_a_series_without_a_version_of_its_server_is_split_into_one(
    service: Service, measured: Measured
) -> None:
    done = service.run("series", measured.name, "--source", "a", "--split-by", "version")
    (_, line) = _rows(done.stdout)
    assert line[1] == "host=ha region=eu version=-"


def test_a_sparkline_of_12_characters_is_the_shortest_in_a_table(
    service: Service, measured: Measured
) -> None:
    options = ("--step", "10s", "--source", "a")
    _, heading, _ = drawn(service, measured, *options, columns=67)
    assert heading == "source  labels             sparkline     min    avg       max  last"
    _, line, *block = drawn(service, measured, *options, columns=30)
    assert set(line) == {"─"}
    # The 36 points share the 19 characters beside its name.
    assert block[2] == "sparkline        ▁▁  █     ▁"
    assert drawn(service, measured, *options, columns=66)[1] == line
