from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.cli.files import Defaults, Draft, Fault, InputFile, read
from supervisor_mcp.cli.import_plan import ImportPlan, identity, plan_import, rows
from supervisor_mcp.cli.ingest import Row
from supervisor_mcp.cli.timestamps import Anchor

STILL = Anchor(began=1_700_000_000_000_000, shift=0)
MINE = Defaults(source="mine")


def _items(path: Path, defaults: Defaults = MINE, anchor: Anchor = STILL) -> list[dict[str, Any]]:
    return [
        json.loads(row.body)
        for row in rows(InputFile.at(path), defaults, anchor)
        if isinstance(row, Row)
    ]


def _faults(path: Path, defaults: Defaults = MINE) -> list[Fault]:
    return [entry for entry in read(InputFile.at(path), defaults) if isinstance(entry, Fault)]


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "timestamp,value\n2024-05-01 10:00:00,1.5\n",
        "Value;Time\n1.5;2024-05-01T10:00:00Z\n",
        "ts\tvalue\r\n1714557600\t1.5\r\n",
        "\ufeffdate,value\n2024-05-01T12:00:00+02:00,1.50\n\n",
        # A value that is no time, in contrast to those above.
        "2024-05-01 10:00:00,0.15e1",
    ],
)
def test_csv_is_read_whatever_its_header_and_delimiter(tmp_path: Path, content: str) -> None:
    path = _file(tmp_path, "cpu.csv", content)
    assert _items(path) == [
        {"source": "mine", "name": "cpu", "value": 1.5, "ts": "2024-05-01T10:00:00Z"}
    ]


def test_csv_of_a_fact_kind_becomes_facts(tmp_path: Path) -> None:
    path = _file(tmp_path, "x.csv", "timestamp,value\n0,3\n")
    (item,) = _items(path, Defaults(kind="Fact:Paid", source="mine"))
    assert item["kind"] == "Fact:Paid"
    assert "name" not in item


def test_csv_carries_type_unit_and_labels(tmp_path: Path) -> None:
    path = _file(tmp_path, "x.csv", "timestamp,value\n0,3\n")
    (item,) = _items(path, Defaults("n", "mine", "counter", "s", {"a": "b"}))
    assert (item["type"], item["unit"], item["labels"]) == ("counter", "s", {"a": "b"})


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@settings(max_examples=30)
def test_csv_values_arrive_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    lines = "".join(f"{n},{value!r}\n" for n, value in enumerate(values))
    path = _file(tmp_path_factory.mktemp("csv"), "x.csv", "timestamp,value\n" + lines)
    assert [item["value"] for item in _items(path)] == values


@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", "1_000", "1e999"])
def test_csv_lines_without_a_finite_number_are_named(tmp_path: Path, value: str) -> None:
    path = _file(tmp_path, "x.csv", f"timestamp,value\n0,{value}\n0,1\n")
    assert _faults(path) == [Fault(2, f'"{value}" is not a finite number.')]
    assert len(_items(path)) == 1


def test_csv_lines_of_other_width_or_without_an_instant_are_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "x.csv", "timestamp,value\n0\nsoon,1\n0,1\n")
    assert [fault.line for fault in _faults(path)] == [2, 3]


@pytest.mark.parametrize(
    ("content", "detail", "hint"),
    [
        ("a,b\n1,2\n", "has the columns a, b;", "NDJSON"),
        ("timestamp,value,host\n1,2,x\n", "has the columns timestamp, value, host;", "NDJSON"),
        ('[{"name": "x"}]', "is a JSON array", "one object a line"),
        (b"\x1f\x8b\x08\x00rest", "is compressed with gzip", "gunzip -c"),
        ("timestamp,value\n".encode("utf-16"), "is UTF-16 text", "iconv"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not CSV or NDJSON text", "NDJSON"),
        (b"\x7fELF\x02\x01\x01", "is not CSV or NDJSON text", "NDJSON"),
    ],
)
def test_a_file_of_another_format_is_refused_with_the_next_step(
    tmp_path: Path, content: str | bytes, detail: str, hint: str
) -> None:
    with pytest.raises(Failure, match=detail) as refused:
        list(read(InputFile.at(_file(tmp_path, "x.csv", content)), MINE))
    assert hint in str(refused.value.hint)


def test_a_file_of_an_export_is_refused_with_the_command_for_the_folder(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").touch()
    file = _file(tmp_path, "data.kind.0.gz", b"\x1f\x8b\x08\x00rest")
    with pytest.raises(Failure, match="is compressed with gzip") as refused:
        list(read(InputFile.at(file), MINE))
    assert refused.value.hint == f"It belongs to an export: supervisor-mcp import {tmp_path}"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="is empty"):
        list(read(InputFile.at(_file(tmp_path, "x.csv", "")), MINE))


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (["c" * 40] * 8, ", ".join(["c" * 40] * 8)),
        (["c" * 41] * 9, ", ".join(["c" * 40 + "…"] * 8) + ", …"),
    ],
)
def test_a_header_of_many_long_columns_is_shortened_in_the_message(
    tmp_path: Path, names: list[str], listed: str
) -> None:
    path = _file(tmp_path, "x.csv", ",".join(names) + "\n")
    with pytest.raises(Failure) as refused:
        list(read(InputFile.at(path), MINE))
    assert refused.value.detail == (
        f"{path} has the columns {listed}; a CSV file has timestamp and value."
    )


def test_bytes_of_no_text_are_looked_for_in_the_first_8_kib(tmp_path: Path) -> None:
    rows = "timestamp,value\n" + "0,1\n" * 2044
    assert _faults(_file(tmp_path, "x.csv", rows + "\0")) == [
        Fault(2046, "The line has 1 columns instead of 2.")
    ]
    with pytest.raises(Failure, match="is not CSV or NDJSON text"):
        _faults(_file(tmp_path, "x.csv", rows[:-1] + "\0"))


def test_csv_without_a_source_is_refused(tmp_path: Path) -> None:
    file = InputFile.at(_file(tmp_path, "x.csv", "timestamp,value\n0,1\n"))
    with pytest.raises(Failure, match="has no source") as refused:
        list(read(file, Defaults()))
    assert refused.value.hint == "Add --source NAME."


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No such file"):
        list(read(InputFile.at(tmp_path / "none.csv"), MINE))


def test_ndjson_items_keep_what_they_say_and_get_what_they_do_not(tmp_path: Path) -> None:
    lines = [
        {"name": "a", "source": "own", "value": 1, "ts": 0, "labels": {"k": "own"}},
        {"name": "b", "value": 2, "ts": 0, "labels": {"k": "own", "j": "own"}},
        {"kind": "Fact:C", "ts": 0, "fact_id": "1", "payload": {"n": 1e30}},
    ]
    path = _file(tmp_path, "x.ndjson", "\n\n".join(map(json.dumps, lines)))
    a, b, c = _items(path, Defaults("z", "given", "counter", "s", {"k": "given", "l": "given"}))
    assert (a["name"], a["source"], a["labels"]) == ("a", "own", {"k": "own", "l": "given"})
    assert (b["source"], b["type"], b["unit"]) == ("given", "counter", "s")
    assert (c["kind"], c["source"], c["payload"]) == ("Fact:C", "given", {"n": 1e30})
    assert set(c) == {"kind", "source", "ts", "fact_id", "payload"}


def test_ndjson_items_with_arrays_are_a_row_for_each_sample(tmp_path: Path) -> None:
    line = {"name": "a", "ts": [0, "1970-01-01T00:00:01Z"], "value": [1, 2.5], "labels": {"k": "v"}}
    path = _file(tmp_path, "x.ndjson", json.dumps(line))
    anchor = Anchor(began=0, shift=10**6)
    common = {"name": "a", "source": "mine", "labels": {"k": "v"}}
    assert _items(path, anchor=anchor) == [
        {**common, "value": 1, "ts": "1970-01-01T00:00:01Z"},
        {**common, "value": 2.5, "ts": "1970-01-01T00:00:02Z"},
    ]


@pytest.mark.parametrize("ts", [[], [0], 0])
def test_arrays_of_other_lengths_are_left_for_the_service_to_refuse(
    tmp_path: Path, ts: object
) -> None:
    line = {"name": "a", "ts": ts, "value": [1, 2]}
    assert _items(_file(tmp_path, "x.ndjson", json.dumps(line)))[0]["value"] == [1, 2]


def test_ndjson_lines_that_are_no_object_are_named(tmp_path: Path) -> None:
    path = _file(tmp_path, "x.ndjson", b'{"name":"a"}\n[1]\n{"name":\n{"v":NaN}\n{"a":"\xff"}\n')
    assert [fault.line for fault in _faults(path)] == [2, 3, 4, 5]


def test_a_line_longer_than_a_mebibyte_is_named(tmp_path: Path) -> None:
    longest = '{"name":"' + "a" * (2**20 - 11) + '"}'
    path = _file(
        tmp_path, "x.ndjson", f"{longest}\n{longest[:-2]}a{longest[-2:]}\n{longest}\n[1]\n"
    )
    too_long, no_object = _faults(path)
    assert too_long == Fault(2, "The line is longer than 1 MiB.")
    assert no_object.line == 4


@pytest.mark.parametrize("ts", ["soon", [1], "2024-05-01 10:00:00"])
def test_what_is_no_instant_is_left_for_the_service_to_refuse(tmp_path: Path, ts: object) -> None:
    path = _file(tmp_path, "x.ndjson", json.dumps({"name": "a", "ts": ts}))
    anchor = Anchor(began=0, shift=10**6)
    assert [item["ts"] for item in _items(path, anchor=anchor)] == [ts]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("Fact:Paid", [{"kind": "Fact:Paid"}, {"name": "a"}, {"kind": "Fact:A"}]),
        ("cpu", [{"name": "cpu"}, {"name": "a"}, {"kind": "Fact:A"}]),
        (None, [{}, {"name": "a"}, {"kind": "Fact:A"}]),
    ],
)
def test_ndjson_items_without_a_name_have_that_of_the_command(
    tmp_path: Path, kind: str | None, named: list[dict[str, str]]
) -> None:
    path = _file(tmp_path, "x.ndjson", '{"value":1}\n{"name":"a"}\n{"kind":"Fact:A"}\n')
    found = [
        {name: item[name] for name in ("name", "kind") if name in item}
        for item in _items(path, Defaults(kind=kind))
    ]
    assert found == named


def test_shifted_items_keep_their_distances(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "x.ndjson",
        '{"name":"a","ts":1.25}\n{"name":"a","ts":"1970-01-01T01:00:02.000001+01:00"}\n',
    )
    anchor = Anchor(began=0, shift=3_600_000_000)
    assert [item["ts"] for item in _items(path, anchor=anchor)] == [
        "1970-01-01T01:00:01.250000Z",
        "1970-01-01T01:00:02.000001Z",
    ]


def test_metrics_without_an_instant_get_that_of_the_import_each_its_own(tmp_path: Path) -> None:
    path = _file(tmp_path, "x.ndjson", '{"name":"a"}\n{"name":"a","ts":null}\n{"kind":"Fact:A"}\n')
    first, second, fact = _items(path)
    assert first["ts"] == "2023-11-14T22:13:20.000001Z"
    assert second["ts"] == "2023-11-14T22:13:20.000002Z"
    assert "ts" not in fact


facts = st.fixed_dictionaries(
    {"kind": st.sampled_from(["Fact:A", "Fact:B"]), "subject": st.sampled_from("xyz")},
    optional={"ts": st.integers(0, 3), "value": st.integers(0, 2)},
)


@given(st.lists(facts, min_size=1, max_size=20), st.lists(facts, max_size=5))
@settings(max_examples=25)
def test_every_line_is_a_fact_of_its_own_also_when_the_file_has_grown(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[dict[str, Any]],
    more: list[dict[str, Any]],
) -> None:
    folder = tmp_path_factory.mktemp("facts")
    before = _items(_file(folder, "x.ndjson", "\n".join(map(json.dumps, lines))))
    after = _items(_file(folder, "x.ndjson", "\n".join(map(json.dumps, lines + more))))
    assert len({item["fact_id"] for item in after}) == len(lines) + len(more)
    assert after[: len(lines)] == before


def test_a_plan_counts_lines_and_finds_the_newest_time(tmp_path: Path) -> None:
    path = _file(
        tmp_path, "x.ndjson", '{"name":"a","ts":7}\n\nnonsense\n{"name":"a","ts":5}\n{"name":"a"}\n'
    )
    assert plan_import(InputFile.at(path), MINE) == ImportPlan(lines=4, newest=7_000_000, undated=1)


def test_reading_gives_the_line_of_every_item(tmp_path: Path) -> None:
    path = _file(tmp_path, "x.csv", 'timestamp,value\n\n0,1\n"0","2"\n')
    drafts = [entry for entry in read(InputFile.at(path), MINE) if isinstance(entry, Draft)]
    assert [draft.line for draft in drafts] == [3, 4]
    assert all(draft.instant is not None and math.isfinite(draft.instant) for draft in drafts)


def test_a_later_release_sends_a_file_as_this_one_does(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "x.ndjson",
        '{"name":"a"}\n' + '{"kind":"Fact:A"}\n' * 2 + '{"kind":"Fact:A","fact_id":"1"}\n',
    )
    prefix = "import-445dd295637a1a6cd0c0ba4c0f7bc672"
    assert list(rows(InputFile.at(path), MINE, STILL)) == [
        Row(
            "x.ndjson:1",
            "/ingest/metrics",
            b'{"name":"a","source":"mine","ts":"2023-11-14T22:13:20.000001Z"}',
        ),
        *(
            Row(
                f"x.ndjson:{number + 1}",
                "/ingest/facts",
                f'{{"kind":"Fact:A","source":"mine","fact_id":"{prefix}-{number}"}}'.encode(),
            )
            for number in (1, 2)
        ),
        Row("x.ndjson:4", "/ingest/facts", b'{"kind":"Fact:A","fact_id":"1","source":"mine"}'),
    ]
    assert identity(InputFile.at(path), MINE, "http://127.0.0.1:8080") == (
        "a3b4015f31990e651c4268a00b0c603b"
    )
