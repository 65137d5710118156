"""No log, answer, error or process argument has a secret of the settings, or one that was sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from supervisor_mcp import config
from supervisor_mcp.config import Settings
from supervisor_mcp.embedded import database
from tests.support import command_line
from tests.support.command_line import Service
from tests.support.data_directories import DataDirectories
from tests.support.processes import descendants
from tests.support.valkey import Valkey

pytestmark = pytest.mark.server

# Every secret has it, so that one look finds any.
MARK = "marked1secret"
ADMIN_KEY = f"{MARK}-admin-key-of-more-than-32-characters"
SECRETS = {
    "SUPERVISOR_ADMIN_KEY": ADMIN_KEY,
    "SUPERVISOR_KEY_SECRET": f"{MARK}-key-secret-of-more-than-32-characters",
    "SUPERVISOR_JWT_SECRET": f"{MARK}-jwt-secret-of-more-than-32-characters",
    "SUPERVISOR_API_KEY": f"sk_{MARK}",
    "SUPERVISOR_NPM_REGISTRY": f"https://user:{MARK}@127.0.0.1:1/npm",
}
# What makes the service use them.
AROUND = {
    "SUPERVISOR_AUTHENTICATION": "on",
    "SUPERVISOR_JWT_ALGORITHMS": "HS256",
    "SUPERVISOR_JWT_ISSUER": "issuer",
    "SUPERVISOR_JWT_AUDIENCE": "supervisor",
    "SUPERVISOR_LOG_LEVEL": "debug",
}
# Settings that name a secret in their own way, and those that have none.
URLS = {"database_url", "deploy_database_url", "redis_url", "npm_registry"}
SENT = [
    ("GET", "/query/kinds", None),
    ("GET", f"/query/agg?kind={MARK}", None),
    ("GET", f"/nowhere/{MARK}?api_key={MARK}", None),
    ("PATCH", "/query/kinds", None),
    ("POST", "/ingest/metrics", b"{"),
    ("POST", "/ingest/metrics", b'[{"name": "a"}]'),
    ("PUT", "/subscriptions/pager", None),
    ("PUT", "/subscriptions/pager", b'{"author": "a", "secret": "whsec_%s"}' % MARK.encode()),
    (
        "PUT",
        "/subscriptions/pager",
        b'{"author": "a", "url": "https://u:%s@hooks.example/x", "alerts": {}}' % MARK.encode(),
    ),
    ("POST", "/mcp", b'{"jsonrpc": "2.0", "id": 1, "method": "nothing"}'),
]


@contextmanager
def marked(data_dir: Path, valkey: Valkey, database_url: str) -> Iterator[Service]:
    """The service with a secret in every setting that can have one."""
    url = database_url.replace("postgres@", f"postgres:{MARK}@")
    redis = valkey.own().replace("redis://", f"redis://default:{MARK}@")
    urls = {
        "SUPERVISOR_DATABASE_URL": url,
        "SUPERVISOR_DEPLOY_DATABASE_URL": url,
        # The server has no password, so that it refuses this one.
        "SUPERVISOR_REDIS_URL": redis,
    }
    with command_line.up(data_dir, env={**SECRETS, **AROUND, **urls}) as service:
        yield service


def provoke(url: str) -> Iterator[str]:
    """What is answered to requests with and without credentials, good and bad."""
    given: list[dict[str, str]] = [
        {},
        {"Authorization": f"Bearer {ADMIN_KEY}"},
        {"Authorization": f"Bearer sk_{MARK}"},
        {"X-API-Key": f"sk_{MARK}"},
        {"Authorization": f"Basic {MARK}"},
        {"Host": "evil.example", "Authorization": f"Bearer {ADMIN_KEY}"},
    ]
    with httpx.Client(base_url=url, timeout=60) as http:
        for headers, (method, path, body) in product(given, SENT):
            answer = http.request(
                method, path, content=body, headers={**headers, "Content-Type": "application/json"}
            )
            yield f"{answer.headers} {answer.text}"
    parts = urlsplit(url)
    large = MARK.encode() * 5_400
    for raw in (b"\0\r\n\r\n", b"GET / HTTP/1.1\r\nAuthorization: %s\r\n\r\n" % large):
        with socket.create_connection((parts.hostname, parts.port), timeout=15) as client:
            client.sendall(raw)
            yield client.recv(65536).decode()


@pytest.mark.timeout(300)
def test_no_secret_is_in_the_log_in_an_answer_or_in_the_arguments_of_a_process(
    tmp_path: Path, prepared: DataDirectories, valkey_server: Valkey
) -> None:
    prepared.deployed(tmp_path / "database", jobs=False)
    cache_dir = config.load().cache_dir
    log = tmp_path / "data.log"
    with (
        database.start(tmp_path / "database", cache_dir=cache_dir, jobs=False) as running,
        marked(tmp_path / "data", valkey_server, running.url) as service,
    ):
        answers = [*provoke(service.url)]
        processes = [
            Path(f"/proc/{pid}/cmdline").read_bytes().decode()
            for pid, _ in descendants(service.process.pid)
        ]
        assert len(processes) >= 3
        running.stop()
        for path in ("/readyz", "/query/kinds", "/metrics"):
            headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
            answers.append(httpx.get(f"{service.url}{path}", headers=headers, timeout=60).text)
        for arguments in (
            ("kinds",),
            ("kinds", "--json"),
            ("audit",),
            ("agg", "a", "--window", "x"),
        ):
            done = service.run(*arguments, **SECRETS)
            answers += [done.stdout, done.stderr]
    logged = log.read_text()

    assert "unavailable" in logged
    assert MARK not in service.said
    assert [line for line in processes if MARK in line] == []
    assert [line[:400] for line in logged.splitlines() if MARK in _without_paths(line)] == []
    assert [answer for answer in answers if MARK in _without_paths(answer)] == []
    assert [answer for answer in answers if "Traceback" in answer or ".py" in answer] == []


def _without_paths(text: str) -> str:
    """A text without what a client has put where it is public: the path, and the name of a kind."""
    return text.replace(f"/nowhere/{MARK}", "").replace(f'kind \\"{MARK}\\"', "")


DSNS = [
    f"postgresql://me:{MARK}@127.0.0.1:1/none",
    f"postgresql://me:{MARK}%zz@127.0.0.1:1/none",
    f"postgre://me:{MARK}@127.0.0.1/none",
    f"host=127.0.0.1 port=x password={MARK}",
]
WRONG = [
    *((command, "DATABASE_URL", dsn) for command in ("deploy", "up") for dsn in DSNS),
    *(("mcp", "DATABASE_URL", dsn) for dsn in DSNS[:3]),
    *(("deploy", "DEPLOY_DATABASE_URL", dsn) for dsn in DSNS[:3]),
    ("up", "REDIS_URL", f"http://me:{MARK}@127.0.0.1:1"),
    ("mcp", "REDIS_URL", f"redis://me:{MARK}@127.0.0.1:1/0?socket_timeout=x"),
    ("kinds", "URL", f"http://me:{MARK}@127.0.0.1:1"),
    ("kinds", "URL", f"nothing://me:{MARK}@127.0.0.1:1"),
    ("kinds", "ADMIN_KEY", MARK),
    ("kinds", "JWT_SECRET", MARK),
    ("kinds", "JWT_JWKS_URL", f"http://me:{MARK}@keys.example"),
]


@pytest.mark.parametrize(("command", "setting", "value"), WRONG)
def test_a_wrong_setting_is_named_without_its_secret(
    tmp_path: Path, command: str, setting: str, value: str
) -> None:
    env = {
        "SUPERVISOR_DATABASE_URL": "postgresql://me@127.0.0.1:1/none",
        "SUPERVISOR_REDIS_URL": "redis://127.0.0.1:1",
        "SUPERVISOR_URL": "http://127.0.0.1:1",
        "SUPERVISOR_PORT": "0",
        "SUPERVISOR_DATABASE_WAIT_SECONDS": "0",
        "SUPERVISOR_DATA_DIR": str(tmp_path / "data"),
        **AROUND,
        f"SUPERVISOR_{setting}": value,
    }
    done = command_line.run(command, env=env)

    assert MARK not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    # A server that does not answer yet is no reason to end for one on standard input.
    assert done.returncode != 0 or command == "mcp"


def test_every_setting_that_can_have_a_secret_is_tested() -> None:
    secret = {
        name
        for name, field in Settings.model_fields.items()
        if "Secret" in str(field.annotation) or "Secret" in str(field.metadata)
    }
    covered = {name.removeprefix("SUPERVISOR_").lower() for name in SECRETS} | URLS
    assert {name.removesuffix("_file") for name in secret} <= covered
