"""The form of keys, and what is stored of them."""

from __future__ import annotations

import hashlib
import hmac
import string

from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.credentials import keys
from supervisor_mcp.credentials.keys import Key

SECRET = b"s" * 32
ALPHABET = string.ascii_letters + string.digits + "-_"
texts = st.builds(
    "sk_{}_{}".format,
    st.text(string.ascii_lowercase + string.digits, min_size=8, max_size=8),
    st.text(ALPHABET, min_size=43, max_size=43),
)


def test_a_key_that_was_made_is_read_with_its_id() -> None:
    for _ in range(100):
        made = keys.make()
        assert keys.parse(made.text) == made
        assert made.text.startswith(f"sk_{made.id}_")


def test_no_two_keys_are_equal() -> None:
    assert len({keys.make().text for _ in range(1000)}) == 1000


@given(texts)
def test_every_text_of_the_form_is_read(text: str) -> None:
    read = keys.parse(text)
    assert read is not None
    assert (read.text, read.id) == (text, text[3:11])


@given(texts, st.data())
def test_a_key_with_another_character_is_another_key_or_none(
    text: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters(exclude_characters=text[place]))
    changed = keys.parse(text[:place] + character + text[place + 1 :])
    if changed is not None:
        # Also where both secrets are base64url of the same bytes.
        assert changed.digest(SECRET) != Key(text[3:11], text).digest(SECRET)


@given(texts, st.data())
def test_a_key_that_is_cut_or_longer_is_none(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(text) - 1))
    assert keys.parse(text[:end]) is None
    assert keys.parse(text + data.draw(st.text(min_size=1))) is None
    assert keys.parse(data.draw(st.text(min_size=1)) + text) is None


@given(st.text())
def test_any_other_text_is_none(text: str) -> None:
    assert keys.parse(text) is None


@given(texts, st.binary(min_size=32, max_size=64))
def test_the_digest_is_the_hmac_of_the_whole_key(text: str, secret: bytes) -> None:
    assert Key("", text).digest(secret) == hmac.new(secret, text.encode(), hashlib.sha256).digest()


@given(texts, st.text(string.ascii_lowercase + "/.? "), st.text("/.? "), st.integers(1, 43))
def test_of_a_key_in_a_text_the_id_is_left(text: str, before: str, after: str, kept: int) -> None:
    shown = keys.hidden(f"{before}{text[: 12 + kept]}{after}")
    assert shown == f"{before}{text[:12]}…{after}"


@given(st.text())
def test_a_text_without_keys_is_left_as_it_is(text: str) -> None:
    assert keys.hidden(text) == text


def test_a_key_does_not_show_itself() -> None:
    made = keys.make()
    assert made.text not in f"{made} {made!r}"
