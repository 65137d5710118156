from __future__ import annotations

import json
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
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def _import(service: Service, *arguments: str | Path) -> dict[str, Any]:
    done = service.run("import", *map(str, arguments), "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_csv_rows_are_stored_and_counted(service: Service, name: str, tmp_path: Path) -> None:
    told = _import(service, _csv(tmp_path / f"{name}.csv"), "--source", "me", "--unit", "s")
    assert (told["rows"], told["accepted"], told["rejected"]) == (10, 10, 0)
    stored = _agg(service, name)
    assert (stored["count"], stored["sum"], stored["unit"]) == (10, 45, "s")


def test_a_second_import_finds_duplicates(service: Service, name: str, tmp_path: Path) -> None:
    path = _csv(tmp_path / "x.csv")
    _import(service, path, "--name", name, "--source", "me")
    told = _import(service, path, "--name", name, "--source", "me")
    assert (told["accepted"], told["duplicate"]) == (0, 10)


def test_metrics_and_facts_may_stand_in_one_file(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(
        f'{{"name":"{name}","source":"me","value":1}}\n{{"kind":"Fact:{name}","source":"me"}}\n' * 3
    )
    assert _import(service, path)["accepted"] == 6
    assert _import(service, path)["duplicate"] == 6
    assert _agg(service, name)["count"] == _agg(service, f"Fact:{name}")["count"] == 3


def test_refused_rows_are_named_and_the_others_stored(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.ndjson"
    good = {"name": name, "source": "me", "value": 1, "ts": time.time()}
    old = {**good, "ts": 0}
    odd = {**good, "value": "high"}
    path.write_text("\n".join([json.dumps(good), json.dumps(old), json.dumps(odd), "{nonsense"]))
    told = _import(service, path)
    assert (told["accepted"], told["rejected"]) == (1, 3)
    assert {reason["place"] for reason in told["reasons"]} == {f"x.ndjson:{n}" for n in (2, 3, 4)}
    details = " ".join(reason["detail"] for reason in told["reasons"])
    assert "older than what is kept" in details


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
    told = _import(service, path)
    assert (told["accepted"], told["rejected"]) == (19, 1)
    assert told["reasons"][0]["place"] == "x.ndjson:8"


def test_nothing_stored_at_all_is_a_failure(service: Service, name: str, tmp_path: Path) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    done = service.run("import", str(path), "--name", name, "--source", "me")
    assert done.returncode == 1
    assert "x.csv:2: The instant is older than what is kept" in done.stderr
    assert "Not one row was stored" in done.stderr


def test_shifted_rows_end_now_at_their_own_distances(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    before = datetime.now(UTC).replace(microsecond=0)
    _import(service, path, "--name", name, "--source", "me", "--shift-to-now")
    newest = datetime.fromisoformat(_agg(service, name)["freshness"]["newest"])
    assert before <= newest <= datetime.now(UTC)
    assert _agg(service, name)["count"] == 10


def test_a_shifted_import_that_is_repeated_says_where_its_instants_are_kept(
    service: Service, name: str, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "x.csv", newest=datetime(2014, 1, 1, tzinfo=UTC))
    arguments = ("import", str(path), "--name", name, "--source", "me", "--shift-to-now")
    service.run(*arguments)
    again = service.run(*arguments)
    assert again.stdout.splitlines()[1].split("\t")[:3] == ["10", "0", "10"]
    kept = Path(again.stderr.partition("delete ")[2].partition(" to import")[0])
    assert kept.is_file()


@given(
    kills=st.lists(st.floats(0.0, 0.9), min_size=1, max_size=2),
    facts=st.booleans(),
)
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_an_import_killed_at_any_point_and_repeated_doubles_nothing(
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
    told = _import(service, *arguments[1:])
    assert told["rows"] == ROWS == told["accepted"] + told["duplicate"]
    assert _agg(service, kind)["count"] == ROWS
    assert _agg(service, kind)["sum"] == sum(range(ROWS))


def _stored(service: Service, kind: str) -> int:
    answer = httpx.get(f"{service.url}/query/agg", params={"kind": kind, "window": "30d"})
    return int(answer.json().get("count", -1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.csv", "--source", "me"), "none.csv cannot be read"),
        (("x.csv",), "--source"),
        (("x.csv", "--source", "me", "--label", "k"), "KEY=VALUE"),
    ],
)
def test_arguments_that_cannot_be_meant_end_with_status_2(
    service: Service,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _csv(tmp_path / "x.csv")
    monkeypatch.chdir(tmp_path)
    done = service.run("import", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_service_nothing_is_read(service: Service, tmp_path: Path) -> None:
    path = _csv(tmp_path / "x.csv")
    done = service.run("import", str(path), "--source", "me", SUPERVISOR_URL="http://127.0.0.1:1")
    assert done.returncode == 3
    assert "start one with `supervisor-mcp up`" in done.stderr
