"""No stale answer after an acknowledgement, with several processes at full speed."""

from __future__ import annotations

import subprocess
import sys

WORKERS = 3
SECONDS = 6


def test_no_answer_is_older_than_what_was_acknowledged_before_the_question(
    redis_url: str,
) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.app.race", redis_url, str(SECONDS), str(seed)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(WORKERS)
    ]
    counted = [worker.communicate(timeout=SECONDS + 30)[0].split() for worker in workers]
    reads, writes, stale = (sum(int(row[column]) for row in counted) for column in range(3))
    assert reads > 1000
    assert writes > 200
    assert stale == 0
