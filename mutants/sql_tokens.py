"""The tokens of a SQL file, also of the code between dollars.

sqlfluff's lexer takes a body between dollars for one literal. A body is lexed again where it is
the code of a function or block, or a statement that is put together at run time; other literals
between dollars are texts, such as regular expressions and documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sqlfluff.core import FluffConfig
from sqlfluff.core.parser import PyLexer

DOLLARS = re.compile(r"(\$\w*\$)(.*)\1", re.DOTALL)
STATEMENT = re.compile(r"\s*(select|with|insert|update|delete|array\()", re.IGNORECASE)
PLACEHOLDER = re.compile(r"%\d+\$[IsL]")
OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|?]+")
OPENING, CLOSING = "([", ")]"


@dataclass(frozen=True)
class Token:
    """A word, number, literal, operator or sign; `depth` counts the brackets and bodies around."""

    kind: str
    text: str
    start: int
    depth: int

    @property
    def end(self) -> int:
        """The place after it."""
        return self.start + len(self.text)

    @property
    def word(self) -> str:
        """A word in lower case; empty for anything else."""
        return self.text.lower() if self.kind == "word" else ""


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of code without white space and comments, in their order."""
    found: list[Token] = []
    _collect(text, 0, 0, found)
    return tuple(found)


def _collect(text: str, start: int, depth: int, found: list[Token]) -> None:
    for kind, raw, place in _lexed(text, start):
        body = DOLLARS.fullmatch(raw) if kind == "dollar_quote" else None
        if body is not None and _is_code(body[2], found):
            found.append(Token("begin", body[1], place, depth))
            _collect(body[2], place + len(body[1]), depth + 1, found)
            found.append(Token("end", body[1], place + len(raw) - len(body[1]), depth))
            continue
        if raw in CLOSING:
            depth -= 1
        if (
            OPERATOR.fullmatch(raw)
            and found
            and OPERATOR.fullmatch(found[-1].text)
            and found[-1].end == place
        ):
            last = found.pop()
            found.append(Token("operator", last.text + raw, last.start, depth))
        else:
            found.append(Token(kind, raw, place, depth))
        if raw in OPENING:
            depth += 1


def _is_code(body: str, before: list[Token]) -> bool:
    return before[-1].word in {"as", "do"} or STATEMENT.match(body) is not None


def _lexed(text: str, start: int) -> Iterator[tuple[str, str, int]]:
    # Those of format() are no SQL; as words, they are left alone.
    readable = PLACEHOLDER.sub(lambda match: "_" * len(match[0]), text)
    segments, errors = _lexer().lex(readable)
    if errors:
        raise ValueError(f"sqlfluff cannot read this: {errors[0]}")
    for segment in segments:
        if segment.raw.strip() and not segment.is_type("comment"):
            yield segment.get_type(), segment.raw, start
        start += len(segment.raw)


@cache
def _lexer() -> PyLexer:
    return PyLexer(config=FluffConfig(overrides={"dialect": "postgres", "templater": "raw"}))
