"""Text of others, made safe for a terminal."""

from __future__ import annotations

import re

# C0, DEL and C1 move the cursor, recolor or rename a terminal; bidirectional controls and line
# separators make a line read as another one; lone surrogates cannot be written at all.
CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# White space between the tokens of a JSON text; inside its strings, C0 is escaped already.
JSON_SPACE = "\t\n\r"
NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with control characters not in `keep` written as `\t`, `\x1b` or `\u202e`."""
    return CONTROL.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def printable_json(text: str) -> str:
    r"""A JSON text that means the same, with control characters in strings written as `\u202e`."""
    return CONTROL.sub(
        lambda found: found[0] if found[0] in JSON_SPACE else f"\\u{ord(found[0]):04x}", text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
