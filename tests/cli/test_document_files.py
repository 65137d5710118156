"""Files of documents: one, an array, one a line, or a list of the official registry."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from supervisor_mcp.cli import document_files
from supervisor_mcp.cli.document_files import Entry, read
from supervisor_mcp.cli.failure import Failure

A, B = {"name": "a"}, {"name": "b"}


def entries(folder: Path, content: str | bytes) -> list[Entry]:
    """What a file with this content has."""
    file = folder / "documents.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(str(file)))


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        ('{"name": "a"}', [A]),
        ('\ufeff\n {"name": "a"}\n', [A]),
        ('[{"name": "a"}, {"name": "b"}]', [A, B]),
        (
            '{"servers": [{"server": {"name": "a"}, "_meta": {}}, {"name": "b"}], "metadata": {}}',
            [A, B],
        ),
        ('{"name": "a", "servers": "none"}', [A | {"servers": "none"}]),
        ('{"name": "a", "server": "b"}', [A | {"server": "b"}]),
        ("[]", []),
    ],
)
def test_documents_are_numbered(
    tmp_path: Path, content: str, documents: list[dict[str, Any]]
) -> None:
    assert entries(tmp_path, content) == [
        Entry(f"entry {number}", document) for number, document in enumerate(documents, start=1)
    ]


def test_what_is_no_document_is_named(tmp_path: Path) -> None:
    assert entries(tmp_path, '[5, {"name": "a"}]') == [
        Entry("entry 1", None, "It is not a JSON object."),
        Entry("entry 2", A),
    ]


def test_lines_are_named_by_their_numbers(tmp_path: Path) -> None:
    first, broken, number, last = entries(
        tmp_path, b'{"name": "a"}\n\n{"name": "\xff"}\n5\n{"name": "b"}'
    )
    assert (first, number, last) == (
        Entry("line 1", A),
        Entry("line 4", None, "It is not a JSON object."),
        Entry("line 5", B),
    )
    assert (broken.place, broken.document) == ("line 3", None)
    assert broken.fault.startswith("It is not JSON: ")


@pytest.mark.parametrize("content", ["name,version\na,1\n", "{\n5\n", "5\n6\n"])
def test_a_file_without_any_document_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Failure, match=r"documents\.json is not JSON: ") as refused:
        entries(tmp_path, content)
    assert refused.value.status == 2
    assert refused.value.hint == "Give a JSON object, an array of them, or one a line (NDJSON)."


@pytest.mark.parametrize("content", ["", " \n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Failure, match=r"documents\.json is empty") as refused:
        entries(tmp_path, content)
    assert refused.value.status == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        list(read(str(tmp_path / "none.json")))
    assert (
        refused.value.detail == f"{tmp_path}/none.json cannot be read: No such file or directory."
    )
    assert refused.value.status == 2


def test_a_file_of_more_than_256_mib_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as opened:
        opened.truncate(256 * 2**20 + 1)
    with pytest.raises(Failure) as refused:
        list(read(str(file)))
    assert refused.value.detail == f"{file} is larger than 256 MiB."
    assert refused.value.status == 2


@pytest.mark.parametrize("name", ["-", "documents.json"])
def test_the_largest_file_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(document_files, "LARGEST_BYTES", 13)
    for more in (b"", b" "):
        content = b'{"name": "a"}' + more
        Path("documents.json").write_bytes(content)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        if not more:
            assert list(read(name)) == [Entry("entry 1", A)]
            continue
        shown = "<stdin>" if name == "-" else name
        with pytest.raises(Failure, match=f"{shown} is larger than "):
            list(read(name))
