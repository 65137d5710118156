"""Documents are written in plain, modern English, in the style of the Google developer guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conventions.documents import DOCUMENTS, prose
from tests.support.repository import ROOT

# Words that documents do without, and what to write instead.
WORDS = {
    r"whoever": "anyone who",
    r"unsaid": "not given",
    r"(is|are) none": "invalid, or: does not exist",
    r"can ?not be had": "is not available",
    r"mend(s|ed|ing)?": "correct, fix",
    r"told": "reported, given",
    r"stands?( in)?(?! for)": "is in",
    r"anew": "again",
    r"hereby|thereof|whence|lest|amid|ere": "(archaic)",
    r"if (he|she) (says|wants|wishes)": "address the reader as you",
    r"let \w+ lie": "use the imperative",
}
PATTERNS = {re.compile(rf"\b({word})\b", re.IGNORECASE): better for word, better in WORDS.items()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_use_modern_words(document: Path) -> None:
    text = prose(document)
    found = {
        match[0]: better for pattern, better in PATTERNS.items() for match in pattern.finditer(text)
    }
    assert found == {}


def test_the_list_finds_archaic_sentences() -> None:
    for sentence in (
        "Whoever connects is the owner.",
        'The window "x" is none.',
        "It is told in errors.md.",
        "All problems stand in errors.md.",
        "Mend the items.",
    ):
        assert any(pattern.search(sentence) for pattern in PATTERNS)
