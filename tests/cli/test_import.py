from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import command_line
from tests.support.command_line import Service
from tests.support.waiting import eventually

ROWS = 5_000


def _csv(path: Path, rows: int = 10, newest: datetime | None = None) -> Path:
    """A row a minute up to `newest`; the value is the number of the row."""
    newest = newest or datetime.now(UTC).replace(microsecond=0)
    lines = [
        f"{newest - timedelta(minutes=rows - 1 - n):%Y-%m-%d %H:%M:%S},{n}" for n in range(rows)
    ]
    path.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
    return path


def _agg(service: Service, kind: str) -> dict[str, Any]:
    answer = httpx.get(f"{service.url}/query/agg", params={"kind": kind, "window": "30d"})
    result: dict[str, Any] = answer.raise_for_status().json()
    return result


def _import(service: Service, *arguments: str | Path, status: int = 0) -> dict[str, Any]:
    done = service.run("import", *map(str, arguments), "--json")
    assert done.returncode == status, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def _pipe(service: Service, content: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Import standard input."""
    return subprocess.run(
        [*command_line.COMMAND, "import", "-", *arguments],
        env={**command_line.environment(), **service.env, "SUPERVISOR_URL": service.url},
        input=content,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_csv_rows_are_stored_and_counted(service: Service, name: str, tmp_path: Path) -> None:
    summary = _import(service, _csv(tmp_path / f"{name}.csv"), "--source", "me", "--unit", "s")
    assert (summary["rows"], summary["accepted"], summary["rejected"]) == (10, 10, 0)
    assert 0 < summary["seconds"] == round(summary["seconds"], 3) < 60
    assert summary["rows_per_second"] == pytest.approx(10 / summary["seconds"], rel=0.1)
    stored = _agg(service, name)
    assert (stored["count"], stored["sum"], stored["unit"]) == (10, 45, "s")


def test_standard_input_is_imported_as_a_file_is(service: Service, name: str) -> None:
    lines = f'{{"name":"{name}","source":"me","value":1}}\n' * 3
    for accepted, duplicate in ((3, 0), (0, 3)):
        done = _pipe(service, lines, "--json")
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        assert (summary["accepted"], summary["duplicate"]) == (accepted, duplicate)


def test_csv_from_standard_input_is_named_stdin_in_messages(service: Service, name: str) -> None:
    content = f"timestamp,value\n{time.time()},1\nsoon,2\n"
    without_kind = _pipe(service, content, "--source", "me")
    assert without_kind.returncode == 2
    assert "<stdin> has no kind" in without_kind.stderr
    assert "--kind" in without_kind.stderr
    done = _pipe(service, content, "--source", "me", "--kind", name)
    assert done.returncode == 1
    assert '<stdin>:3: "soon" is not a time' in done.stderr
    assert _agg(service, name)["count"] == 1


def test_control_characters_of_a_file_are_not_printed(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x\x1b[31m.csv"
    path.write_text("timestamp,value\n0,\u202e\n")
    done = service.run("import", str(path), "--kind", name, "--source", "me")
    assert done.returncode == 1
    assert r"x\x1b[31m.csv:2" in done.stderr
    assert not set(done.stderr) & set("\x1b\u202e")


def test_a_second_import_finds_duplicates(service: Service, name: str, tmp_path: Path) -> None:
    path = _csv(tmp_path / "x.csv")
    _import(service, path, "--name", name, "--source", "me")
    summary = _import(service, path, "--name", name, "--source", "me")
    assert (summary["accepted"], summary["duplicate"], summary["notes"]) == (0, 10, [])


def test_a_file_without_rows_has_a_summary(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("timestamp,value\n")
    done = service.run("import", str(path), "--source", "me")
    heading, counts = (line.split("\t") for line in done.stdout.splitlines())
    assert heading == [
        *("rows", "accepted", "duplicate", "conflict", "late", "rejected"),
        *("seconds", "rows_per_second"),
    ]
    assert counts[:6] + counts[7:] == ["0"] * 7
    assert (done.returncode, done.stderr) == (0, "")


def test_the_summary_is_in_a_frame_on_a_terminal(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / f"{name}.csv")
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "120"}
    done = service.run("import", str(path), "--source", "me", **terminal)
    assert "Imported" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1].startswith("┏━")


def test_rows_with_another_value_at_a_known_time_are_counted_as_conflicts(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv")
    arguments = (path, "--name", name, "--source", "me")
    _import(service, *arguments)
    path.write_text(path.read_text().replace(",9\n", ",99\n"))
    summary = _import(service, *arguments)
    counts = [summary[name] for name in ("rows", "accepted", "duplicate", "conflict", "rejected")]
    assert counts == [10, 0, 9, 1, 0]


def test_after_conflicts_an_import_says_what_counts_and_how_to_see_them(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv")
    arguments = ("import", str(path), "--name", name, "--source", "me")
    assert service.run(*arguments).stderr == ""
    path.write_text(path.read_text().replace(",9\n", ",99\n"))
    done = service.run(*arguments)
    said, _, command = done.stderr.rstrip().partition(" See them: ")
    assert done.returncode == 0
    assert said == (
        "1 row has the series and time of a stored row, or the id of a stored fact, and other"
        " content: the one that came first counts."
    )
    program, *shown = shlex.split(command)
    _, newest, *_ = service.run(*shown).stdout.splitlines()
    assert program == "supervisor-mcp"
    assert newest.split("\t")[:2] == [name, "me"]
    assert '"value": 99' in newest
    assert service.run(*arguments, "--json").stderr == ""


def test_an_import_with_other_options_or_into_another_service_has_times_of_its_own(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(f'{{"name":"{name}","value":1}}\n')
    first = ("import", str(path), "--source", "me", "--json")
    elsewhere = {"SUPERVISOR_URL": service.url.replace("127.0.0.1", "localhost")}
    for arguments, env in (
        (first, {}),
        (("import", str(path), "--source", "you", "--json"), {}),
        ((*first, "--shift-to-now"), {}),
        (first, elsewhere),
    ):
        assert json.loads(service.run(*arguments, **env).stdout)["notes"] == [], arguments
    (note,) = json.loads(service.run(*first).stdout)["notes"]
    assert note.startswith("x.ndjson keeps the times of its import on 20")
    assert re.search(r"/imports/[0-9a-f]{32}\.json to import it with new ones\.$", note)


def test_metrics_and_facts_can_be_in_one_file(service: Service, name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(
        f'{{"name":"{name}","source":"me","value":1}}\n{{"kind":"Fact:{name}","source":"me"}}\n' * 3
    )
    assert _import(service, path)["accepted"] == 6
    assert _import(service, path)["duplicate"] == 6
    assert _agg(service, name)["count"] == _agg(service, f"Fact:{name}")["count"] == 3


def test_rejected_rows_are_listed_and_the_others_stored(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.ndjson"
    good = {"name": name, "source": "me", "value": 1, "ts": time.time()}
    old = {**good, "ts": 0}
    odd = {**good, "value": "high"}
    path.write_text("\n".join([json.dumps(good), json.dumps(old), json.dumps(odd), "{nonsense"]))
    summary = _import(service, path, status=1)
    assert (summary["accepted"], summary["rejected"]) == (1, 3)
    assert {reason["place"] for reason in summary["reasons"]} == {
        f"x.ndjson:{n}" for n in (2, 3, 4)
    }
    details = " ".join(reason["detail"] for reason in summary["reasons"])
    assert "older than the retention of samples" in details


def test_with_json_rejected_rows_are_one_error_object(service: Service, name: str) -> None:
    lines = f'{{"name":"{name}","source":"me","value":1}}\n{{"name":"{name}","value":"high"}}\n'
    done = _pipe(service, lines, "--source", "me", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["reasons"][0]["place"] == "<stdin>:2"
    error = json.loads(done.stderr)
    assert error["status"] == 1
    assert error["detail"] == "1 of 2 rows was rejected; the rest is stored."


def test_with_json_a_repeated_import_notes_its_times_in_the_summary(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    arguments = ("import", str(path), "--name", name, "--source", "me", "--shift-to-now", "--json")
    assert json.loads(service.run(*arguments).stdout)["notes"] == []
    again = service.run(*arguments)
    assert again.stderr == ""
    (note,) = json.loads(again.stdout)["notes"]
    assert note.startswith("x.csv keeps the times of its import on 20")


def test_a_row_that_the_database_cannot_hold_does_not_take_others_with_it(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.ndjson"
    items = [
        {"kind": f"Fact:{name}", "source": "me", "ts": time.time(), "payload": {"n": n}}
        for n in range(20)
    ]
    items[7]["payload"] = {"text": "\0"}
    path.write_text("\n".join(map(json.dumps, items)))
    summary = _import(service, path, status=1)
    assert (summary["accepted"], summary["rejected"]) == (19, 1)
    assert summary["reasons"][0]["place"] == "x.ndjson:8"


def test_rejected_rows_are_printed_with_their_lines(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    done = service.run("import", str(path), "--name", name, "--source", "me")
    assert done.returncode == 1
    assert "\nx.csv:2: " in f"\n{done.stderr}"
    assert "All rows were rejected." in done.stderr


def test_shifted_rows_end_now_and_keep_their_distances(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    before = datetime.now(UTC).replace(microsecond=0)
    _import(service, path, "--name", name, "--source", "me", "--shift-to-now")
    newest = datetime.fromisoformat(_agg(service, name)["freshness"]["newest"])
    assert before <= newest <= datetime.now(UTC)
    assert _agg(service, name)["count"] == 10


def test_a_repeated_shifted_import_names_the_file_with_its_times(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    arguments = ("import", str(path), "--name", name, "--source", "me", "--shift-to-now")
    service.run(*arguments)
    again = service.run(*arguments)
    assert again.stdout.splitlines()[1].split("\t")[:3] == ["10", "0", "10"]
    kept = Path(again.stderr.partition("delete ")[2].partition(" to import")[0])
    assert kept.is_file()
    assert kept.name.endswith("-shifted.json")


@given(
    kills=st.lists(st.floats(0.0, 0.9), min_size=1, max_size=2),
    facts=st.booleans(),
)
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_an_import_killed_at_any_point_and_repeated_stores_each_row_once(
    service: Service, tmp_path: Path, kills: list[float], facts: bool
) -> None:
    kind = f"Fact:Killed{uuid4().hex[:8]}" if facts else f"killed_{uuid4().hex[:8]}"
    path = _csv(tmp_path / f"{uuid4().hex}.csv", ROWS, datetime(2014, 1, 1, tzinfo=UTC))
    arguments = ("import", str(path), "--kind", kind, "--source", "me", "--shift-to-now")
    for share in kills:
        process = subprocess.Popen(
            [*command_line.COMMAND, *arguments],
            env={**command_line.environment(), **service.env, "SUPERVISOR_URL": service.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stored = share * ROWS
        eventually(
            lambda process=process, stored=stored: (  # type: ignore[misc]
                process.poll() is not None or _stored(service, kind) > stored
            ),
            seconds=25,
        )
        process.kill()
        process.wait()
    summary = _import(service, *arguments[1:])
    assert summary["rows"] == ROWS == summary["accepted"] + summary["duplicate"]
    assert _agg(service, kind)["count"] == ROWS
    assert _agg(service, kind)["sum"] == sum(range(ROWS))


def _stored(service: Service, kind: str) -> int:
    answer = httpx.get(f"{service.url}/query/agg", params={"kind": kind, "window": "30d"})
    return int(answer.json().get("count", -1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.csv", "--source", "me"), "none.csv cannot be read"),
        (("x.csv",), "--source"),
        (("x.csv", "--source", "me", "--label", "k"), "KEY=VALUE"),
    ],
)
def test_wrong_arguments_end_with_status_2(
    service: Service,
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _csv(tmp_path / "x.csv")
    monkeypatch.chdir(tmp_path)
    done = service.run("import", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_without_a_service_nothing_is_read(service: Service, tmp_path: Path) -> None:
    path = _csv(tmp_path / "x.csv")
    done = service.run("import", str(path), "--source", "me", SUPERVISOR_URL="http://127.0.0.1:1")
    assert done.returncode == 3
    assert "Start one with `supervisor-mcp up`" in done.stderr
