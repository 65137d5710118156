"""An export has everything, and a database that imported it answers as the first one does."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal
from psycopg.types.json import Json, Jsonb

from supervisor_mcp import config, exports
from supervisor_mcp.deploy import deploy, shipped_sql_dir
from supervisor_mcp.embedded import database
from supervisor_mcp.exports import ExportError, Manifest, relations
from tests.support.data_directories import DataDirectories
from tests.support.rollups import roll_up
from tests.support.tenants import NOW, Tenant, within
from tests.support.timescaledb import Server

QUESTIONS: list[LiteralString] = [
    "select api.query_agg(null, '7d', null, null, null, null, %s)::text",
    "select api.list_servers(null, null, null, null, null, null, %s)::text",
    "select api.list_alert_rules(null, null, false, null, null, %s)::text",
    "select api.list_subscriptions(null, null, null, %s)::text",
]
# With what JSON has no literal for, and what an encoding could lose.
floats = st.none() | st.floats(-1e140, 1e140)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def silent(_: str) -> None:
    """Nobody looks on."""


def connect(url: str) -> Connection[Any]:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def digests(made: Manifest) -> list[tuple[str, list[tuple[int, str]]]]:
    """What is in an export, without what differs between two of the same data."""
    return [
        (relation.name, [(part.rows, part.sha256) for part in relation.parts])
        for relation in made.relations
    ]


@pytest.fixture(scope="module")
def source(database_server: Server) -> Iterator[str]:
    """A database with something of everything, its days rolled up and a policy changed."""
    with database_server.deployed() as url:
        with connect(url) as conn:
            for factor, namespace in enumerate(("", "blue"), start=1):
                Tenant(namespace, f"word{factor}", factor).fill(conn)
            roll_up(conn, NOW.replace(hour=0, minute=0) + timedelta(days=1))
            conn.execute("select ops.set_retention('data.fact', '6 years')")
        yield url


@pytest.fixture(scope="module")
def exported(source: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The folder of an export, and its manifest."""
    folder = tmp_path_factory.mktemp("exports") / "export"
    return folder, exports.export(source, folder, silent)


@pytest.fixture(scope="module")
def imported(
    database_server: Server,
    exported: tuple[Path, Manifest],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Manifest]]:
    """A database that imported it, after an import that was interrupted, and an export of that."""
    folder, made = exported

    def interrupted(step: str) -> None:
        if step.endswith("data.series"):
            raise KeyboardInterrupt

    with database_server.deployed() as url:
        with pytest.raises(KeyboardInterrupt):
            exports.load(url, folder, interrupted)
        assert exports.load(url, folder, silent) == made
        yield url, exports.export(url, tmp_path_factory.mktemp("again") / "export", silent)


@pytest.fixture(scope="module")
def target(imported: tuple[str, Manifest]) -> str:
    """The database that imported it."""
    return imported[0]


def test_an_export_of_an_import_has_the_same_rows_settings_and_sequences(
    exported: tuple[Path, Manifest], imported: tuple[str, Manifest]
) -> None:
    assert digests(imported[1]) == digests(exported[1])
    assert imported[1].state == exported[1].state


def test_what_services_hold_and_what_jobs_made_is_in_it(exported: tuple[Path, Manifest]) -> None:
    rows = {relation.name: relation.rows for relation in exported[1].relations}

    for name in ("sample", "fact", "sample_1d", "every_server", "audit_event", "every_snapshot"):
        assert rows[f"data.{name}"] > 0
    assert "data.lease" not in rows


@pytest.mark.parametrize("namespace", ["", "blue"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_both_databases_give_the_same_answers(
    source: str, target: str, namespace: str, question: LiteralString
) -> None:
    answers = []
    for url in (source, target):
        with connect(url) as conn, within(conn, namespace):
            answers.append(conn.execute(question, [NOW]).fetchone())

    assert answers[0] == answers[1]


def test_an_import_is_not_in_the_audit_which_is_whole(
    exported: tuple[Path, Manifest], target: str
) -> None:
    with connect(target) as conn:
        verified = conn.execute("select checked, fault from ops.verify_audit()").fetchone()

    (events,) = (r.rows for r in exported[1].relations if r.name == "data.audit_event")
    assert verified == (events, None)


def test_changes_are_audited_and_numbered_on_after_an_import(target: str) -> None:
    with connect(target) as conn, conn.transaction(force_rollback=True):
        conn.execute("set constraints all immediate")
        before = conn.execute("select max(number) from data.audit_event").fetchone()
        conn.execute("update data.quota set value = value + 1 where name = 'series'")
        after = conn.execute("select max(number) from data.audit_event").fetchone()
        known = conn.execute("select max(kind_id) from data.every_kind").fetchone()
        new = conn.execute(
            "insert into data.kind (name, type, created_at) values ('fresh', 'gauge', now())"
            " returning kind_id"
        ).fetchone()

    assert before is not None
    assert after == (before[0] + 1,)
    assert known is not None
    assert new is not None
    assert new[0] > known[0]


def test_streams_begin_with_what_was_imported(target: str) -> None:
    with connect(target) as conn:
        unseen = conn.execute(
            "select count(*) from data.fact_identity"
            " where not pg_visible_in_snapshot(change::text::xid8, pg_current_snapshot())"
        ).fetchone()

    assert unseen == (0,)


def test_an_import_that_was_completed_is_not_repeated(
    exported: tuple[Path, Manifest], target: str
) -> None:
    assert exports.load(target, exported[0], silent) is None


def test_a_database_with_data_is_refused(source: str, exported: tuple[Path, Manifest]) -> None:
    with pytest.raises(ExportError, match=r"The database has data: data\.\w+ is not empty"):
        exports.load(source, exported[0], silent)


def test_another_schema_is_refused(
    exported: tuple[Path, Manifest], target: str, tmp_path: Path
) -> None:
    text = (exported[0] / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace("0003_sample.sql", "0003_other.sql"))

    with pytest.raises(ExportError, match=r"they differ in 0003_other\.sql"):
        exports.load(target, tmp_path, silent)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (None, "is not an export, or not a complete one"),
        ("{}", "cannot be read"),
    ],
)
def test_a_folder_without_a_manifest_is_no_export(
    tmp_path: Path, manifest: str | None, reason: str
) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)

    with pytest.raises(ExportError, match=reason):
        exports.read(tmp_path)


def test_a_manifest_of_another_format_names_the_release_to_use(
    exported: tuple[Path, Manifest], tmp_path: Path
) -> None:
    text = (exported[0] / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"format": 1', '"format": 2'))

    with pytest.raises(ExportError, match="format 2") as caught:
        exports.read(tmp_path)

    assert exported[1].version in caught.value.hint


def test_a_damaged_file_stores_nothing_of_it(
    fresh_database: str, exported: tuple[Path, Manifest], tmp_path: Path
) -> None:
    for file in exported[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    name = "every_kind.00001.ndjson.gz"
    lines = gzip.decompress((tmp_path / name).read_bytes()).splitlines(keepends=True)
    (tmp_path / name).write_bytes(gzip.compress(b"".join(lines[1:])))

    with pytest.raises(ExportError, match="is not what the manifest says"):
        exports.load(fresh_database, tmp_path, silent)

    with connect(fresh_database) as conn:
        assert conn.execute("select count(*) from data.every_kind").fetchone() == (0,)


def test_an_export_goes_into_no_folder_with_files(source: str, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()

    with pytest.raises(ExportError, match="is not empty"):
        exports.export(source, tmp_path, silent)


def test_an_export_that_was_interrupted_is_replaced(
    source: str, exported: tuple[Path, Manifest], tmp_path: Path
) -> None:
    def interrupted(step: str) -> None:
        if step.endswith("data.series"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exports.export(source, tmp_path, interrupted)
    made = exports.export(source, tmp_path, silent)

    assert digests(made) == digests(exported[1])
    files = {part.file for relation in made.relations for part in relation.parts}
    assert {file.name for file in tmp_path.iterdir()} == {"manifest.json"} | files


def test_only_its_owner_reads_an_export(exported: tuple[Path, Manifest]) -> None:
    assert exported[0].stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in exported[0].iterdir()} == {0o600}


@given(
    subject=st.none() | texts.filter(bool), value=floats, payload=st.dictionaries(texts, documents)
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_come_back_as_they_were(
    db: Connection[Any], subject: str | None, value: float | None, payload: dict[str, Any]
) -> None:
    relation = "data.fact"
    with db.transaction(force_rollback=True):
        db.execute(
            "insert into data.fact (series_id, ts, seq, fact_id, subject, value, payload,"
            " received_at) values (1, %s, 1, 'a', %s, %s, %s, %s)",
            [NOW, subject, value, Jsonb(payload), NOW],
        )
        assert _moved(db, relation)


@given(answer=documents)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_json_comes_back_to_the_byte(db: Connection[Any], answer: object) -> None:
    with db.transaction(force_rollback=True):
        db.execute(
            "insert into data.every_idempotency_key (operation, actor, key, body_digest, answer,"
            " kinds, received_at) values ('ingest_facts', '', 'a', 'x', %s, '{a,null}', %s)",
            [Json({"spaced": answer}), NOW],
        )
        assert _moved(db, "data.every_idempotency_key")


def _moved(conn: Connection[Any], relation: LiteralString) -> bool:
    """Whether rows that are exported, deleted and imported are what they were."""
    shown = SQL("select r::text from {} as r").format(Identifier(*relation.split(".")))
    before = conn.execute(shown).fetchall()
    query = conn.execute("select internal.export_query(%s::regclass)", [relation]).fetchone()
    assert query is not None
    with conn.cursor().copy(relations.COPY.format(query[0]).encode()) as copy:
        rows = [bytes(row).decode() for row in copy]
    conn.execute(SQL("delete from {}").format(Identifier(*relation.split("."))))
    conn.execute(
        "select internal.import_rows(%s::regclass, %s::json)", [relation, f"[{','.join(rows)}]"]
    )
    return conn.execute(shown).fetchall() == before


@contextmanager
def owned(url: str) -> Iterator[str]:
    """The DSN of an owner who is no superuser, of a new database on a native server."""
    name = f"owner_{uuid4().hex[:12]}"
    with connect(url) as conn:
        conn.execute(
            SQL("create role {} login createrole password {}").format(
                Identifier(name), Literal(name)
            )
        )
        conn.execute(SQL("create database {0} owner {0}").format(Identifier(name)))
        yield make_conninfo(url, dbname=name, user=name, password=name)
        conn.execute(SQL("drop database {} with (force)").format(Identifier(name)))
        conn.execute(SQL("drop role {}").format(Identifier(name)))


@pytest.mark.native_only("moves rows from the embedded server to a native one and back")
def test_rows_move_from_the_embedded_server_to_a_native_one_and_back(
    empty_database: str, prepared: DataDirectories, tmp_path: Path
) -> None:
    def embedded(name: str) -> database.Database:
        prepared.deployed(tmp_path / name, jobs=False)
        return database.start(tmp_path / name, cache_dir=config.load().cache_dir, jobs=False)

    with embedded("first") as first:
        with connect(first.url) as conn:
            Tenant("", "word", 1).fill(conn)
            roll_up(conn, NOW.replace(minute=0))
        there = exports.export(first.url, tmp_path / "there", silent)
    with owned(empty_database) as native:
        deploy(native, shipped_sql_dir())
        exports.load(native, tmp_path / "there", silent)
        back = exports.export(native, tmp_path / "back", silent)
    with embedded("second") as second:
        exports.load(second.url, tmp_path / "back", silent)
        again = exports.export(second.url, tmp_path / "again", silent)

    assert digests(there) == digests(back) == digests(again)


@pytest.mark.native_only("lets others write during a transaction")
def test_an_export_has_nothing_that_was_committed_after_its_begin(
    fresh_database: str, tmp_path: Path
) -> None:
    with connect(fresh_database) as conn:
        Tenant("", "word", 1).fill(conn)

        def meanwhile(step: str) -> None:
            if step.endswith("data.aggregate"):
                Tenant("blue", "later", 2).fill(conn)

        made = exports.export(fresh_database, tmp_path / "export", meanwhile)

    assert b"later" not in b"".join(
        gzip.decompress((tmp_path / "export" / part.file).read_bytes())
        for relation in made.relations
        for part in relation.parts
    )
