"""Some of many mutants, where all of them would take hours."""

from __future__ import annotations

from itertools import chain

from mutants.mutant import Mutant


def sample(files: dict[str, list[Mutant]], size: int) -> dict[str, list[Mutant]]:
    """At most `size` mutants of files, the same for the same text; a larger sample has them too."""
    # The key is a digest, so its order is that of no property of a mutant.
    chosen = {each.key for each in sorted(chain(*files.values()), key=lambda each: each.key)[:size]}
    picked = {
        path: [each for each in mutants if each.key in chosen] for path, mutants in files.items()
    }
    return {path: mutants for path, mutants in picked.items() if mutants}
