"""The secret under which keys are digested: where it comes from."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

SHORTEST = 32
RANDOM_BYTES = 32


def read(setting: SecretStr | None, file: Path | None) -> bytes | None:
    """The secret in the settings or in a file; None without either.

    Raises ValueError for a file that cannot be read or holds too little.
    """
    if setting is not None:
        return setting.get_secret_value().encode()
    if file is None:
        return None
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error
    if len(secret) < SHORTEST:
        raise ValueError(f"{file} holds {len(secret)} bytes; a secret has at least {SHORTEST}")
    return secret


def make(file: Path) -> None:
    """Make a file with a new secret, for this user alone, unless it is there.

    It appears with all of its content, and stays: of several processes, one makes it, and all read
    the same. Raises OSError.
    """
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(secrets.token_urlsafe(RANDOM_BYTES) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        # A link, unlike a renamed file, replaces nothing.
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
    _sync(file.parent)


def _sync(folder: Path) -> None:
    """Without its secret, the keys of a database that survives a power failure would be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
