from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.support import command_line
from tests.support.command_line import Service


def _send(service: Service, *items: Mapping[str, object]) -> None:
    path = "facts" if "kind" in items[0] else "metrics"
    httpx.post(f"{service.url}/ingest/{path}", json=list(items)).raise_for_status()


def test_agg_draws_a_table_on_a_terminal(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 1234.5, "unit": "s"})
    done = service.run("agg", name, TTY_COMPATIBLE="1", NO_COLOR="1", COLUMNS="100")
    assert done.returncode == 0, done.stderr
    assert f"{name} (gauge, s), 7d up to" in done.stdout
    # The column is as wide as its longest number, the rate, which depends on the clock.
    assert re.search(r"^│ max +│ +1,234\.5 │", done.stdout, re.MULTILINE)


def test_agg_writes_columns_where_there_is_no_terminal(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 1234.5})
    done = service.run("agg", name, "--window", "30d")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == ["measure", "30d", "before", "change"]
    assert ["max", "1234.5", "", ""] in rows


def test_agg_groups(service: Service, name: str) -> None:
    _send(
        service,
        {"name": name, "source": "a", "value": 1},
        {"name": name, "source": "[bold]", "value": 3},
    )
    done = service.run("agg", name, "--group-by", "source")
    assert "\na\t1\t1\t" in done.stdout
    assert "\n[bold]\t1\t3\t" in done.stdout


def test_agg_without_a_kind_lists_every_kind(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 2})
    done = service.run("agg", "--window", "1h")
    assert f"\n{name}\tgauge\t1\t2\t" in done.stdout


def test_agg_says_that_nothing_has_the_label_to_group_by(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 2, "labels": {"region": "eu"}})
    done = service.run("agg", name, "--group-by", "label.regoin")
    assert done.stderr == (
        'No series has the label "regoin". Did you mean "region"? The labels are region.\n'
    )
    assert service.run("agg", name, "--group-by", "label.region").stderr == ""


def test_facts_of_a_metric_name_the_command_for_its_points(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 2})
    assert service.run("facts", "--kind", name).stderr == (
        "The kind is a gauge, not one of facts. `supervisor-mcp series` lists its points.\n"
    )


def test_agg_shows_only_the_fields_that_are_named(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 2})
    done = service.run("agg", name, "--fields", "count,p95")
    assert done.stdout == "measure\t7d\ncount\t1\np95\t2\n"
    compared = service.run("agg", name, "--fields", "max,previous,change")
    assert compared.stdout.splitlines()[0] == "measure\t7d\tbefore\tchange"
    grouped = service.run("agg", name, "--group-by", "source", "--fields", "avg")
    assert grouped.stdout.endswith("source\tavg\nme\t2\n")
    every = service.run("agg", "--fields", "count")
    assert every.stdout.splitlines()[0] == "kind\ttype\tcount"


def test_agg_lists_the_known_fields_for_an_unknown_one(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 2})
    done = service.run("agg", name, "--fields", "p96")
    assert done.returncode == 4
    assert 'unknown field "p96"' in done.stderr
    assert "p95" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "path", "key"),
    [
        (("agg", "{name}", "--window", "1h"), "/query/agg?kind={name}&window=1h", "count"),
        (("kinds", "--prefix", "{name}"), "/query/kinds?prefix={name}", "items"),
        (("facts", "--kind", "Fact:{name}"), "/query/facts?kind=Fact:{name}", "items"),
    ],
)
def test_json_is_the_answer_of_the_service(
    service: Service, name: str, arguments: tuple[str, ...], path: str, key: str
) -> None:
    _send(service, {"name": name, "source": "me", "value": 1})
    _send(service, {"kind": f"Fact:{name}", "source": "me", "fact_id": "1"})
    done = service.run(*(argument.format(name=name) for argument in arguments), "--json")
    answer = httpx.get(service.url + path.format(name=name)).json()
    assert json.loads(done.stdout)[key] == answer[key]


def test_kinds_lists_names_types_and_numbers(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 1, "unit": "s"})
    done = service.run("kinds", "--prefix", name, "--type", "gauge")
    assert done.stdout.splitlines() == [
        "kind\ttype\tunit\tsources\tseries",
        f"{name}\tgauge\ts\t1\t1",
    ]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "title"), [(("kinds", "--prefix"), "Kinds"), (("facts", "--kind"), "Facts")]
)
def test_a_terminal_has_kinds_and_facts_in_frames(
    service: Service, name: str, command: tuple[str, str], title: str
) -> None:
    _send(service, *({"kind": f"Fact:{name}{letter}", "source": "me"} for letter in "ab"))
    terminal = {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "150"}
    done = service.run(*command, f"Fact:{name}a", **terminal)
    first, second, *_ = done.stdout.splitlines()
    assert title in first
    assert second.startswith("┏━")
    assert done.stderr == ""


def test_a_list_of_kinds_that_is_cut_short_says_so(service: Service, name: str) -> None:
    _send(service, *({"name": f"{name}{letter}", "source": "me", "value": 1} for letter in "ab"))
    done = service.run("kinds", "--prefix", name, "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == (
        "There are more. Raise --limit, or narrow the list with --prefix or --type.\n"
    )


def test_facts_lists_the_newest_first_and_says_when_there_are_more(
    service: Service, name: str
) -> None:
    kind = f"Fact:{name}"
    _send(service, *({"kind": kind, "source": "me", "subject": s} for s in "abc"))
    done = service.run("facts", "--kind", kind, "--limit", "2")
    assert [line.split("\t")[3] for line in done.stdout.splitlines()] == ["subject", "c", "b"]
    assert done.stderr == (
        "There are more. Raise --limit, or narrow the list, for example with --to.\n"
    )
    done = service.run("facts", "--kind", kind, "--subject", "b")
    assert done.stderr == ""
    assert done.stdout.splitlines()[1].split("\t")[1:] == [kind, "me", "b", "", "{}"]


def test_a_refusal_names_the_command_of_the_next_step_and_has_status_4(service: Service) -> None:
    done = service.run("agg", "nobody_sends_this")
    assert done.returncode == 4
    assert done.stdout == ""
    detail, hint = done.stderr.splitlines()
    assert "nobody_sends_this" in detail
    assert "`supervisor-mcp kinds`" in hint
    assert "list_kinds" not in hint
    assert "/query/" not in hint
    with_json = service.run("agg", "nobody_sends_this", "--json")
    assert json.loads(with_json.stderr)["hint"] == hint.removeprefix("Hint: ")


@pytest.mark.parametrize("arguments", [("agg", "x"), ("kinds",), ("facts",), ("demo",)])
def test_without_a_service_status_3_says_how_to_start_one(
    service: Service, arguments: tuple[str, ...]
) -> None:
    done = service.run(*arguments, SUPERVISOR_URL="http://127.0.0.1:1")
    assert done.returncode == 3
    assert "No service answers at http://127.0.0.1:1" in done.stderr
    assert "supervisor-mcp up" in done.stderr


def test_something_else_that_listens_there_is_no_service(service: Service) -> None:
    done = service.run("kinds", SUPERVISOR_URL=f"{service.url}/elsewhere")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_a_page_of_another_program_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    (tmp_path / "query").mkdir()
    (tmp_path / "query" / "kinds").write_text("<html>Welcome</html>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = command_line.run("kinds", env={"SUPERVISOR_URL": url})
        server.shutdown()
        thread.join()
    assert done.returncode == 4
    assert "not as Supervisor MCP does" in done.stderr
    assert "SUPERVISOR_URL" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("kinds", "--prefix", "nobody_sends_this"), ("facts", "--subject", "nobody")]
)
@pytest.mark.parametrize("terminal", ["0", "1"])
def test_an_empty_list_is_reported_with_the_command_that_lists_everything(
    service: Service, arguments: tuple[str, ...], terminal: str
) -> None:
    done = service.run(*arguments, TTY_COMPATIBLE=terminal)
    assert done.returncode == 0
    list_of = arguments[0]
    assert done.stderr.strip() == (
        f"No {list_of} match. `supervisor-mcp {list_of}` lists them without filters."
    )


def test_the_shell_completes_kinds(service: Service, name: str) -> None:
    _send(service, {"name": name, "source": "me", "value": 1})
    done = service.run(
        _SUPERVISOR_MCP_COMPLETE="complete_bash",
        COMP_WORDS=f"supervisor-mcp agg {name[:10]}",
        COMP_CWORD="2",
    )
    assert done.stdout.split() == [name]
