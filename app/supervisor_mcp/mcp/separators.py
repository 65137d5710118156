"""Line separators of Unicode, escaped on the wire.

JSON may contain them raw, but widely used readers of server-sent events and of lines (httpx-sse,
`str.splitlines`) take them for the end of a line and then wait for ever.
"""

from __future__ import annotations

from typing import Final

# UTF-8 of NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR, which JSON has in strings only.
ESCAPES: Final = (
    (b"\xc2\x85", rb"\u0085"),
    (b"\xe2\x80\xa8", rb"\u2028"),
    (b"\xe2\x80\xa9", rb"\u2029"),
)


def escape_separators(json: bytes) -> bytes:
    """The same JSON without raw line separators."""
    if json.isascii():
        return json
    for raw, escape in ESCAPES:
        if raw in json:
            json = json.replace(raw, escape)
    return json
