"""Requests of the command line, and the errors that it makes of answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from supervisor_mcp.cli.client import Client, accepted, connect, load_settings, local_url, refusal
from supervisor_mcp.cli.failure import REFUSED, UNREACHABLE, USAGE, Failure
from tests.support.ports import free_port


@contextmanager
def recording(host: str = "127.0.0.1") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers everything with an object: its URL, and what it was sent."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            seen.append(
                {
                    "asked": f"{self.command} {self.path}",
                    "key": self.headers["Authorization"],
                    "type": self.headers["Content-Type"],
                    "body": self.rfile.read(length),
                }
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_PUT = answer  # noqa: N815  as http.server names them

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def test_parameters_and_members_without_a_value_are_not_sent() -> None:
    with recording() as (url, seen), Client(url) as client:
        assert client.get("/a") == b"{}"
        client.get("/a", {"x": None, "y": 0, "z": ""})
        client.write("PUT", "/b", {"x": None, "y": 0, "z": False})
        client.send_json("PUT", "/c", [None])
    assert [each["asked"] for each in seen] == ["GET /a", "GET /a?y=0&z=", "PUT /b", "PUT /c"]
    assert [each["body"] for each in seen[2:]] == [b'{"y":0,"z":false}', b"[null]"]
    assert [each["type"] for each in seen[2:]] == ["application/json"] * 2


@pytest.mark.parametrize(("key", "sent"), [(None, None), ("sk_a", "Bearer sk_a")])
def test_a_key_is_sent_where_there_is_one(key: str | None, sent: str | None) -> None:
    with recording() as (url, seen), Client(url, api_key=key) as client:
        client.get("/a")
    assert [each["key"] for each in seen] == [sent]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with recording(host) as (url, seen), Client(url) as client:
        client.get("/a")
    assert len(seen) == 1


@pytest.mark.parametrize("host", ["supervisor.example", "192.0.2.1"])
def test_other_machines_are_reached_by_the_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with recording() as (url, seen):
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with Client(f"http://{host}") as client:
            client.get("/a")
    assert [each["asked"] for each in seen] == [f"GET http://{host}/a"]


def test_a_service_that_does_not_answer_is_named_without_its_login() -> None:
    url = f"127.0.0.1:{free_port()}"
    with Client(f"http://me:secret@{url}") as client, pytest.raises(Failure) as failed:
        client.get("/a")
    assert failed.value.detail.startswith(f"No service answers at http://{url} (")
    assert "refused" in failed.value.detail
    assert failed.value.status == UNREACHABLE


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://127.0.0.1:80"),
        ("", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("10.0.0.1", "http://10.0.0.1:80"),
    ],
)
def test_a_service_is_found_where_it_listens(host: str, url: str) -> None:
    assert local_url(host, 80) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://me:secret@a/b@c", "ftp://a/b@c"),
        ("me:secret@a", "a"),
        ("http://", "http://"),
        ("http://a:0", "http://a:0"),
        ("http://a:65536", "http://a:65536"),
        ("http://a:x", "http://a:x"),
    ],
)
def test_a_url_that_is_not_one_of_a_service_is_named_without_its_login(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    monkeypatch.setenv("SUPERVISOR_URL", url)
    with pytest.raises(Failure) as failed:
        connect()
    assert failed.value.detail == f'SUPERVISOR_URL is "{shown}", which is not an HTTP URL.'
    assert failed.value.status == USAGE


@pytest.mark.parametrize("url", ["http://a", "https://a:65535", "http://a:1", "http://[::1]:80/b"])
def test_the_service_is_at_the_url_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SUPERVISOR_URL", url)
    with connect() as client:
        assert client.url == url


def test_without_a_url_the_service_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPERVISOR_URL", raising=False)
    monkeypatch.setenv("SUPERVISOR_PORT", "8099")
    with connect() as client:
        assert client.url == "http://127.0.0.1:8099"


@pytest.mark.parametrize("key", ["sk_é", "sk_\x7f"])
def test_a_key_that_cannot_be_one_is_not_sent(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("SUPERVISOR_API_KEY", key)
    with pytest.raises(Failure, match="characters that no key or token has") as failed:
        connect()
    assert failed.value.status == USAGE


@pytest.mark.parametrize(
    ("setting", "value", "shown"),
    [
        ("PORT", "many", "SUPERVISOR_PORT is 'many': Input should be a valid integer"),
        ("PORT", "a@b", "SUPERVISOR_PORT is not valid: Input should be a valid integer"),
        ("KEY_SECRET", "short", "SUPERVISOR_KEY_SECRET is not valid: Value should have at least"),
        ("ADMIN_KEY", "short", "SUPERVISOR_ADMIN_KEY is shorter than 32 characters."),
    ],
)
def test_a_wrong_setting_is_shown_unless_it_may_be_secret(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, shown: str
) -> None:
    monkeypatch.setenv(f"SUPERVISOR_{setting}", value)
    with pytest.raises(Failure) as failed:
        load_settings()
    assert failed.value.detail.startswith(shown)
    assert failed.value.status == USAGE


def test_the_first_of_several_wrong_settings_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPERVISOR_PORT", "many")
    monkeypatch.setenv("SUPERVISOR_LOG_LEVEL", "nonsense")
    with pytest.raises(Failure, match="SUPERVISOR_PORT is 'many'"):
        load_settings()


def answered(status: int, content: object = None, **given: Any) -> httpx.Response:
    request = httpx.Request("GET", "http://me:secret@a/b")
    return httpx.Response(status, json=content, request=request, **given)


STRANGER = "http://a/b answered with status {0}, but not as Supervisor MCP does."


@pytest.mark.parametrize("content", [[], {}, {"detail": 5}, {"title": None}, "text"])
def test_an_answer_of_another_program_is_named(content: object) -> None:
    failure = refusal(answered(500, content))
    assert (failure.detail, failure.status) == (STRANGER.format(500), REFUSED)
    assert failure.problem is None


def test_a_page_is_no_answer() -> None:
    page = httpx.Response(200, html="<p>", request=httpx.Request("GET", "http://me:secret@a/b"))
    with pytest.raises(Failure) as failed:
        accepted(page)
    assert failed.value.detail == STRANGER.format(200)


def test_an_answer_is_accepted_and_a_refusal_is_not() -> None:
    answer = answered(200, {})
    assert accepted(answer) is answer
    with pytest.raises(Failure) as failed:
        accepted(answered(404, {"title": "Unknown kind", "detail": "", "hint": "Look."}))
    assert (failed.value.detail, failed.value.hint) == ("Unknown kind", "Look.")
    assert failed.value.problem == {"title": "Unknown kind", "detail": "", "hint": "Look."}


@pytest.mark.parametrize(
    ("slug", "params", "hint"),
    [
        (
            "credentials_required",
            None,
            "Set SUPERVISOR_API_KEY or SUPERVISOR_API_KEY_FILE to a key.",
        ),
        (
            "credentials_valid",
            {},
            "Set SUPERVISOR_API_KEY or SUPERVISOR_API_KEY_FILE to a key that is valid.",
        ),
        (
            "scope_sufficient",
            {"scope": "admin"},
            "Set SUPERVISOR_API_KEY to a key with the scope admin.",
        ),
        ("other", {}, "Send it again."),
    ],
)
def test_a_hint_about_credentials_names_the_setting(slug: str, params: object, hint: str) -> None:
    problem = {
        "type": f"urn:supervisor-mcp:problem:{slug}",
        "detail": "no",
        "hint": "Send it again.",
        **({} if params is None else {"params": params}),
    }
    assert refusal(answered(403, problem)).hint == hint


def test_a_refusal_without_a_hint_has_none() -> None:
    assert refusal(answered(404, {"detail": "no \x1b[31m"})).hint is None
    assert refusal(answered(404, {"detail": "no \x1b[31m"})).detail == "no \\x1b[31m"
