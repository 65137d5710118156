"""The careless changes of SQL: each operator finds the places of a file that it can change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mutants.mutant import Mutant
from mutants.sql_tokens import CLOSING, OPENING, Token, tokens

EDGES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "<>": "="}
EXTREMES = {"min": "max", "max": "min", "least": "greatest", "greatest": "least"}
# What `using` of `raise` sets.
CONDITION = {"errcode", "constraint", "column", "hint", "detail", "message", "table", "schema"}
CLAUSES = {"set", "select", "from", "where", "on", "values", "returning", "using", "when", "then"}
AFTER_ORDER = {
    "limit",
    "offset",
    "fetch",
    "for",
    "into",
    "rows",
    "range",
    "groups",
    "loop",
    "union",
    "on",
    "returning",
}
EVENTS = {"replace", "insert", "update", "delete", "truncate"}
# What `exception when` lists.
EXCEPTIONS = {
    *("program_limit_exceeded", "raise_exception", "case_not_found", "data_exception"),
    *("lock_not_available", "unique_violation", "sqlstate"),
}
SIZED = {"numeric", "decimal", "varchar", "char", "timestamp", "timestamptz", "float"}
UNIT = r"(?:microsecond|millisecond|second|minute|hour|day|week|month|year)s?"
INTERVAL = re.compile(rf"(?<=')\d+(?= {UNIT}')|(?<=\")\d+(?= {UNIT}\")")

Change = tuple[int, int, str]


@dataclass(frozen=True)
class Code:
    """A text, its tokens, and for each opening bracket the place of its closing one."""

    text: str
    tokens: tuple[Token, ...]
    closing: dict[int, int]

    def word(self, place: int) -> str:
        """The word at a place; empty where there is none."""
        return self.tokens[place].word if 0 <= place < len(self.tokens) else ""

    def sign(self, place: int) -> str:
        """The text at a place; empty where there is none."""
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def opening(self, place: int) -> int:
        """The place of the bracket around a place; -1 where there is none."""
        around = (first for first, last in self.closing.items() if first < place < last)
        return max(around, default=-1)

    def removal(self, first: int, last: int) -> Change:
        """The change that takes tokens out, with the white space before them."""
        start = len(self.text[: self.tokens[first].start].rstrip())
        if first and self.text[self.tokens[first - 1].end : start].strip():
            # After a comment, which would swallow what follows.
            start = self.tokens[first].start
        return start, self.tokens[last].end, ""


def mutants(path: str, text: str) -> list[Mutant]:
    """Every change of a file, in the order of the places."""
    code = read(text)
    found = {
        (start, end, replacement): Mutant(path, text, name, start, end, replacement)
        for name, operator in OPERATORS.items()
        for start, end, replacement in operator(code)
    }
    return [found[place] for place in sorted(found)]


def read(text: str) -> Code:
    """A text with its tokens."""
    found = tokens(text)
    open_brackets: list[int] = []
    closing: dict[int, int] = {}
    for place, token in enumerate(found):
        if token.text in OPENING:
            open_brackets.append(place)
        elif token.text in CLOSING:
            closing[open_brackets.pop()] = place
    return Code(text, found, closing)


def _edges(code: Code) -> Iterator[Change]:
    for place, token in enumerate(code.tokens):
        if token.text in EDGES and not _assigns(code, place):
            yield token.start, token.end, EDGES[token.text]


def _assigns(code: Code, place: int) -> bool:
    """Whether an equals sign gives a setting, an option, a column or a variable its value."""
    if code.sign(place) != "=":
        return False
    names_condition = code.word(place - 1) in CONDITION and code.word(place - 2) in {"using", ""}
    if names_condition and _begins_with(code, place, "raise"):
        return True
    if code.word(place - 2) in {"set", "with"} or _begins_with(code, place, "diagnostics"):
        return True
    if code.tokens[place].depth == 1 and _begins_with(code, place, "aggregate"):
        return True
    opening = code.opening(place)
    if opening == place - 2 and code.word(opening - 1) in {"with", "set"}:
        return True
    return code.sign(place - 2) == "," and _clause(code, place) == "set"


def _begins_with(code: Code, place: int, word: str) -> bool:
    while place >= 0 and code.sign(place) != ";":
        if code.word(place) == word:
            return True
        place -= 1
    return False


def _clause(code: Code, place: int) -> str:
    depth = code.tokens[place].depth
    # Of `case`, which have clauses of their own.
    open_ends = 0
    while place >= 0 and code.tokens[place].depth >= depth and code.sign(place) != ";":
        if code.tokens[place].depth == depth:
            open_ends += {"end": 1, "case": -1}.get(code.word(place), 0)
            if open_ends == 0 and code.word(place) in CLAUSES:
                return code.word(place)
        place -= 1
    return ""


def _logic(code: Code) -> Iterator[Change]:
    between: list[int] = []
    for place, token in enumerate(code.tokens):
        if token.word == "between":
            between.append(token.depth)
        elif token.word == "and" and token.depth in between:
            between.remove(token.depth)
        elif token.word == "and":
            yield token.start, token.end, "or"
        elif token.word == "or" and code.word(place + 1) not in EVENTS | EXCEPTIONS:
            yield token.start, token.end, "and"


def _order(code: Code) -> Iterator[Change]:
    for place, token in enumerate(code.tokens):
        if token.word != "order" or code.word(place + 1) != "by":
            continue
        last = _end_of_order(code, place)
        if code.word(place - 2) != "group":
            yield code.removal(place, last)
        yield _reversed(code, place + 2, last)


def _end_of_order(code: Code, place: int) -> int:
    depth = code.tokens[place].depth
    last = place
    for after in range(place + 1, len(code.tokens)):
        token = code.tokens[after]
        ends = token.word in AFTER_ORDER or token.text == ";"
        if token.depth < depth or (token.depth == depth and ends):
            break
        last = after
    return last


def _reversed(code: Code, first: int, last: int) -> Change:
    depth = code.tokens[first].depth
    start, end = code.tokens[first].start, code.tokens[last].end
    parts: list[str] = []
    done = start
    for place in range(first, last + 2):
        if place <= last and (code.sign(place) != "," or code.tokens[place].depth > depth):
            continue
        key = place - 1
        if code.word(key - 1) == "nulls":
            key -= 2
        if code.word(key) in {"asc", "desc"}:
            direction = " desc" if code.word(key) == "asc" else ""
            key -= 1
            after = code.tokens[key + 1].end
        else:
            direction = " desc"
            after = code.tokens[key].end
        parts += [code.text[done : code.tokens[key].end], direction]
        done = after
    return start, end, "".join(parts) + code.text[done:end]


def _filters(code: Code) -> Iterator[Change]:
    for place, token in enumerate(code.tokens):
        if token.word == "filter" and code.word(place + 2) == "where":
            yield code.removal(place, code.closing[place + 1])


def _intervals(code: Code) -> Iterator[Change]:
    for token in code.tokens:
        if token.kind == "single_quote":
            for number in INTERVAL.finditer(token.text):
                start = token.start + number.start()
                yield start, start + len(number[0]), str(2 * int(number[0]))


def _extremes(code: Code) -> Iterator[Change]:
    for place, token in enumerate(code.tokens):
        called = code.sign(place + 1) == "(" and code.sign(place - 1) != "."
        if token.word in EXTREMES and called:
            yield token.start, token.end, EXTREMES[token.word]


def _defaults(code: Code) -> Iterator[Change]:
    for place, token in enumerate(code.tokens):
        if token.word != "coalesce" or place + 1 not in code.closing:
            continue
        last = code.closing[place + 1]
        inner = code.tokens[place + 1].depth + 1
        comma = next(
            each
            for each in range(place + 2, last + 1)
            if each == last or (code.sign(each) == "," and code.tokens[each].depth == inner)
        )
        first = code.text[code.tokens[place + 1].end : code.tokens[comma].start]
        yield token.start, code.tokens[last].end, f"({first.strip()})"


def _integers(code: Code) -> Iterator[Change]:
    for place, token in enumerate(code.tokens):
        if token.kind == "numeric_literal" and token.text.isdigit() and _counts(code, place):
            yield token.start, token.end, str(int(token.text) + 1)


def _counts(code: Code, place: int) -> bool:
    token = code.tokens[place]
    if code.text[token.start - 1] == "$" or code.word(place - 1) in {"cost", "rows"}:
        return False
    if code.sign(place - 1) == "=" and code.word(place - 3) == "set":
        return False
    if code.word(code.opening(place) - 1) in SIZED:
        return False
    # A number among the keys of an order or a group is the place of a column.
    while code.sign(place - 1) == "," and code.tokens[place - 2].kind == "numeric_literal":
        place -= 2
    return code.word(place - 1) != "by"


def _privileges(code: Code) -> Iterator[Change]:
    begun = 0
    for place, token in enumerate(code.tokens):
        if token.text == ";" and token.depth == 0:
            if code.word(begun) in {"grant", "revoke"}:
                yield code.tokens[begun].start, token.end, ""
            begun = place + 1


OPERATORS: dict[str, Callable[[Code], Iterator[Change]]] = {
    "comparison": _edges,
    "logic": _logic,
    "order": _order,
    "filter": _filters,
    "interval": _intervals,
    "extreme": _extremes,
    "default": _defaults,
    "integer": _integers,
    "privilege": _privileges,
}
