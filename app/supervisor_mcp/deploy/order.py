"""The order in which functions and views can be created: each after those that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from supervisor_mcp.deploy.tree import SqlFile

NAME = re.compile(r"\b[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*\b", re.IGNORECASE)
COMMENT_OR_TEXT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
BODY = re.compile(r"(\$[A-Za-z_]*\$).*?\1", re.DOTALL)


def in_order(files: Iterable[SqlFile]) -> tuple[SqlFile, ...]:
    """Sort files so that each comes after those that it names.

    Where files name each other in a circle, a name in a body between dollars gives way, because
    the server looks it up when the function runs.
    """
    by_relation = {file.relation: file for file in files}
    names = {file: _names(file.text, by_relation) for file in by_relation.values()}
    needs = {file: _names(BODY.sub("", file.text), by_relation) for file in by_relation.values()}
    return _sort(_sort(by_relation.values(), names), needs)


def _names(text: str, files: Mapping[str, SqlFile]) -> list[SqlFile]:
    found = {name.lower() for name in NAME.findall(COMMENT_OR_TEXT.sub(" ", text))}
    return [files[name] for name in sorted(found & files.keys())]


def _sort(
    files: Iterable[SqlFile], earlier: Mapping[SqlFile, list[SqlFile]]
) -> tuple[SqlFile, ...]:
    """Put each file after its `earlier` ones and otherwise keep the order."""
    done: dict[SqlFile, None] = {}
    begun: set[SqlFile] = set()

    def add(file: SqlFile) -> None:
        if file in begun:
            return
        begun.add(file)
        for other in earlier[file]:
            add(other)
        done[file] = None

    for file in files:
        add(file)
    return tuple(done)
