from __future__ import annotations

import json
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor_mcp.cli.escape import printable, printable_json

# Bidi_Control of Unicode: embeddings, overrides, isolates, and the marks ALM, LRM and RLM.
BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MARKS = "\u061c\u200e\u200f"
anything = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\t\n\r\x1b\x7f\x85\x9b\u061c\u200f\u2028\u2029\u202e\u2066\u2069"),
    )
)


def _moves_a_terminal(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs")
        or unicodedata.bidirectional(character) in BIDIRECTIONAL
        or character in MARKS
    )


@given(anything)
def test_no_control_character_is_left(text: str) -> None:
    assert not any(map(_moves_a_terminal, printable(text)))


@given(anything)
@example("\u061c")
def test_other_characters_stay_in_their_order(text: str) -> None:
    plain = "".join(character for character in text if not _moves_a_terminal(character))
    rest = iter(printable(text))
    assert all(character in rest for character in plain)


@given(st.recursive(anything, lambda inner: st.lists(inner) | st.dictionaries(anything, inner)))
def test_json_means_the_same_without_a_raw_control_character(value: object) -> None:
    escaped = printable_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(escaped) == value
    assert not any(map(_moves_a_terminal, escaped.replace("\n", "")))


def test_the_escapes_are_those_of_python() -> None:
    assert printable("a\tb\x1b[31m\x9b\u202e") == r"a\tb\x1b[31m\x9b\u202e"
    assert printable("a\nb\t", keep="\n") == "a\nb\\t"
