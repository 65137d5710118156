"""A new release is deployed while nodes of the older one serve: no client notices."""

from __future__ import annotations

import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from supervisor_mcp.deploy import Older, Report, deploy, shipped_sql_dir
from tests.support import web_server

pytestmark = pytest.mark.server

ADDITIVE = (
    "-- More.\n-- Additive: a table that nothing reads.\ncreate table data.more (x integer);\n"
)
WINDOW = "functions/internal/parse_window.sql"
RELEASES = 2

Question = Callable[[httpx.Client, int], httpx.Response]


def query_agg(client: httpx.Client, _: int) -> httpx.Response:
    return client.get("/query/agg", params={"kind": "cpu", "window": "24h"})


def query_kinds(client: httpx.Client, _: int) -> httpx.Response:
    return client.get("/query/kinds")


def ingest(client: httpx.Client, number: int) -> httpx.Response:
    item = {"name": "cpu", "source": "web", "value": number}
    return client.post("/ingest/metrics", json=item)


QUESTIONS: tuple[Question, ...] = (query_agg, query_kinds, ingest)


@pytest.fixture
def nodes(fresh_database: str, tmp_path: Path) -> Iterator[list[str]]:
    """The URLs of two nodes without a cache, so that every answer comes from SQL."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                web_server.start(fresh_database, None, tmp_path / f"log{number}", workers=1)
            ).url
            for number in range(2)
        ]


def release(folder: Path, number: int) -> Path:
    """The shipped SQL with new bodies, another view, a new signature and a migration."""
    sql_dir = folder / f"sql{number}"
    shutil.copytree(shipped_sql_dir(), sql_dir)
    for path in sql_dir.glob("functions/*/*.sql"):
        text = path.read_text()
        path.write_text(re.sub(r"(?m)^as \$\$$", f"as $$ -- release {number}", text, count=1))
    window = sql_dir / WINDOW
    text = window.read_text().replace("(text) is", f"(text{', integer' * number}) is")
    more = "".join(f", p_more_{each} integer default 0" for each in range(number))
    window.write_text(text.replace("(p_window text)", f"(p_window text{more})"))
    kinds = sql_dir / "views/analytics/kinds.sql"
    kinds.write_text(
        re.sub(r"\nfrom ", f",\n    {number} as release\nfrom ", kinds.read_text(), count=1)
    )
    next_number = 1 + len(list(sql_dir.glob("migrations/*.sql")))
    (sql_dir / f"migrations/{next_number:04}_more.sql").write_text(ADDITIVE)
    return sql_dir


def test_an_older_node_starts_on_what_a_newer_release_has_deployed_and_leaves_it(
    fresh_database: str, tmp_path: Path
) -> None:
    newer = release(tmp_path, 1)
    deploy(fresh_database, newer, version="9.1")

    report = deploy(fresh_database, shipped_sql_dir(), older=Older.LEAVE)

    assert not report.changed
    assert report.kept[0].startswith("kept: release 9.1 has deployed this database")
    with web_server.start(fresh_database, None, tmp_path / "log", workers=1) as node:
        assert httpx.get(f"{node.url}/readyz").json()["status"] == "ready"
    assert deploy(fresh_database, newer, version="9.1") == Report()


@contextmanager
def asking(nodes: list[str]) -> Iterator[Counter[str]]:
    """Read from and write to both nodes all the time; yields how often each answer came."""
    answers: Counter[str] = Counter()
    done = threading.Event()
    numbers = count()

    def repeat(ask: Question, url: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not done.is_set():
                answer = ask(client, next(numbers))
                reason = "" if answer.is_success else f" {answer.text}"
                answers[f"{answer.status_code} {answer.request.url.path}{reason}"] += 1

    with ThreadPoolExecutor(2 * len(QUESTIONS)) as pool:
        asked = [pool.submit(repeat, ask, url) for ask in QUESTIONS for url in nodes]
        try:
            yield answers
        finally:
            done.set()
    for each in asked:
        each.result()


def test_reads_and_writes_are_answered_while_another_release_is_deployed(
    nodes: list[str], fresh_database: str, tmp_path: Path
) -> None:
    with httpx.Client(base_url=nodes[0]) as client:
        ingest(client, 0)
    with asking(nodes) as answers:
        for number in range(1, RELEASES + 1):
            deploy(fresh_database, release(tmp_path, number), version=f"9.{number}")
    assert not [answer for answer in answers if not answer.startswith("20")]
    assert len(answers) == len(QUESTIONS)
