"""Refreshing rollups up to any time; the jobs go by the real clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

# Each after what it is made of.
ROLLUPS = ("sample_1h", "kind_1h", "sample_1d", "kind_1d")


def roll_up(conn: Connection[Any], end: datetime, *rollups: str) -> None:
    """Refresh rollups, all of them by default."""
    # From before the oldest samples: else the watermark of days would pass a day that is not made.
    for rollup in rollups or ROLLUPS:
        conn.execute(
            "call refresh_continuous_aggregate(%s, %s, %s)",
            [f"data.{rollup}", end - timedelta(days=91), end],
        )


def roll_up_recent(
    conn: Connection[Any], end: datetime, min_samples: int = 1, samples_per_row: int = 0
) -> None:
    """Roll up what is above the watermark, after announcing it as the job does."""
    conn.execute(
        "update data.recent_range set announced = greatest(announced, %s::timestamptz)", [end]
    )
    conn.execute("select internal.roll_up_recent(%s, %s, %s)", [end, min_samples, samples_per_row])
