"""Documents and code are written in plain, modern English, in the style of the Google guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conventions.documents import DOCUMENTS, prose
from tests.support.repository import ROOT

# Words that every text does without, and what to write instead.
WORDS = {
    r"whoever": "anyone who",
    r"unsaid": "not given",
    r"can ?not be had": "is not available",
    r"mend(s|ed|ing)?": "correct, fix",
    r"told": "reported, given",
    r"stands?( in)?(?! for)": "is in",
    r"anew": "again",
    r"hereby|thereof|whence|lest|amid|ere": "(archaic)",
    r"if (he|she) (says|wants|wishes)": "address the reader as you",
    r"let \w+ lie": "use the imperative",
}
# None is a word of Python.
IN_DOCUMENTS = {**WORDS, r"(is|are) none": "invalid, or: does not exist"}
CODE = sorted(
    path
    for folder in ("app", "bench", "mutants", "sql", "tests")
    for suffix in ("py", "mjs", "sql")
    for path in ROOT.glob(f"{folder}/**/*.{suffix}")
    if path != Path(__file__)
)
CONFIGURATION = [
    *(ROOT / name for name in ("Makefile", "pyproject.toml", "compose.yaml", "eslint.config.js")),
    *(ROOT / name for name in (".pre-commit-config.yaml", ".sqlfluff", ".ci/run")),
]


def archaic(text: str, words: dict[str, str]) -> dict[str, str]:
    """The words of a text that it should do without, with what to write instead."""
    return {
        match[0]: better
        for word, better in words.items()
        for match in re.finditer(rf"(?<![^\W_])({word})(?![^\W_])", text, re.IGNORECASE)
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_use_modern_words(document: Path) -> None:
    assert archaic(prose(document), IN_DOCUMENTS) == {}


def test_code_uses_modern_words() -> None:
    files = [*CODE, *CONFIGURATION]
    found = {str(path.relative_to(ROOT)): archaic(path.read_text(), WORDS) for path in files}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "Whoever connects is the owner.",
        'The window "x" is none.',
        "It is told in errors.md.",
        "All problems stand in errors.md.",
        "Mend the items.",
        "def test_it_is_told():",
    ],
)
def test_the_list_finds_archaic_sentences(sentence: str) -> None:
    assert archaic(sentence, IN_DOCUMENTS) != {}
