"""No stale answer after an acknowledgement, with several processes at full speed."""

from __future__ import annotations

import subprocess
import sys

from tests.app.race import READS, WRITES

WORKERS = 3


def race(redis_url: str, mode: str) -> tuple[int, int, int]:
    """Reads, writes and stale answers of all workers."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.app.race", redis_url, str(seed), mode],
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(WORKERS)
    ]
    counted = [worker.communicate(timeout=100)[0].split() for worker in workers]
    reads, writes, stale = (sum(int(row[column]) for row in counted) for column in range(3))
    return reads, writes, stale


def test_no_answer_is_older_than_what_was_acknowledged_before_the_question(
    cache_url: str,
) -> None:
    reads, writes, stale = race(cache_url, "sound")
    assert reads >= WORKERS * READS
    assert writes >= WORKERS * WRITES
    assert stale == 0


def test_a_redis_that_brings_old_states_back_makes_no_answer_stale_for_long(
    cache_url: str,
) -> None:
    reads, writes, stale = race(cache_url, "faulty")
    assert reads > 500
    assert writes > 5
    assert stale == 0
