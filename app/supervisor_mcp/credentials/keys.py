"""API keys: how one is made and read, and what is stored of it.

A key is `sk_`, an id of 8 characters, `_` and 32 random bytes in base64url. The id is public.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
from dataclasses import dataclass, field

PREFIX = "sk_"
ID_CHARACTERS = string.ascii_lowercase + string.digits
ID_LENGTH = 8
RANDOM_BYTES = 32
FORMAT = re.compile(rf"{PREFIX}([a-z0-9]{{{ID_LENGTH}}})_[A-Za-z0-9_-]{{43}}")
# Also of a key that was cut.
SECRET = re.compile(rf"({PREFIX}[a-z0-9]{{{ID_LENGTH}}}_)[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as its owner has it; only its id is ever shown or logged."""

    id: str
    text: str = field(repr=False)

    def digest(self, secret: bytes) -> bytes:
        """HMAC-SHA256 of the whole key: without the secret, no stored digest says anything.

        It covers the text, not the bytes that the text encodes: base64url has several spellings of
        the same bytes.
        """
        return hmac.digest(secret, self.text.encode(), "sha256")


def make() -> Key:
    """A new key."""
    key_id = "".join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH))
    return Key(key_id, f"{PREFIX}{key_id}_{secrets.token_urlsafe(RANDOM_BYTES)}")


def parse(text: str) -> Key | None:
    """The key that a text is; None where it has another form."""
    found = FORMAT.fullmatch(text)
    return Key(found[1], text) if found else None


def hidden(text: str) -> str:
    """A text as it can be logged: of keys in it, their ids are left."""
    return SECRET.sub(r"\1…", text) if PREFIX in text else text
