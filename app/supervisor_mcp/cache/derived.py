"""What is made of an answer once, as the cache gives the same answer again and again."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

# Larger answers are worth less than the memory that keeping what is made of them takes.
MOST_BYTES = 16 * 1024
MOST_ANSWERS = 64

Made = TypeVar("Made")


def derived(make: Callable[[bytes], Made]) -> Callable[[bytes], Made]:
    """The same function, which keeps what it made of the last small answers.

    Nobody may change what it returns.
    """
    keep = lru_cache(maxsize=MOST_ANSWERS)(make)
    return lambda answer: (keep if len(answer) <= MOST_BYTES else make)(answer)
