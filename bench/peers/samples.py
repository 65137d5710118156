"""The samples that all get, batches to ingest, and what numpy answers over them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.peers.questions import DAY, Answer, Question, Statistics, Window

SEED = 20261128
# Whole hours bound windows; no sample is this many seconds after a multiple of 30.
PHASE = 7.25
# Batches are of a kind, table or metric of their own.
INGESTED = "ingested"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """Samples to ingest: as JSON of this service, and as columns."""

    size: int
    json: bytes
    table: pa.Table


@dataclass
class Samples:
    """A gauge of some sources, every `step` seconds; latencies in ms, with three decimals."""

    sources: list[str]
    instants: Floats
    values: Floats
    _numbers: count[int] = field(default_factory=count)
    _quantiles: dict[tuple[int, int, str], Floats] = field(default_factory=dict)

    @classmethod
    def make(cls, sources: int, days: float, step: float, now: float) -> Samples:
        """Samples up to less than a minute ago."""
        points = int(days * DAY / step)
        newest = now // 30 * 30 - 30 + PHASE
        random = np.random.default_rng(SEED)
        scales = random.uniform(5, 200, sources)
        values = scales * random.lognormal(0, 0.6, (points, sources))
        return cls(
            # Of one width, for binary COPY.
            [f"source-{n:04}" for n in range(sources)],
            newest - step * np.arange(points - 1, -1, -1, dtype=np.float64),
            np.round(values, 3),
        )

    @property
    def newest(self) -> float:
        """Time of the newest samples."""
        return float(self.instants[-1])

    @cached_property
    def table(self) -> pa.Table:
        """Source, time and value as rows, in the order of time."""
        points, sources = self.values.shape
        places = pa.array(np.tile(np.arange(sources, dtype=np.int32), points))
        ts = np.repeat(np.rint(self.instants * 1000).astype(np.int64), sources)
        return pa.table(
            {
                "source": pa.DictionaryArray.from_arrays(places, self.sources).cast(pa.string()),
                "ts": pa.array(ts).cast(pa.timestamp("ms")),
                "value": self.values.ravel(),
            }
        )

    def batch(self, size: int) -> Batch:
        """As many samples of all sources; no two batches share an instant."""
        number = next(self._numbers)
        newest = int(self.newest * 1000) - 1000 * number
        places = np.arange(size)
        ts = newest - places // len(self.sources)
        names = [self.sources[place % len(self.sources)] for place in places]
        values = np.round(places * 0.37, 3)
        items = [
            {
                "name": INGESTED,
                "source": source,
                "value": float(value),
                "ts": datetime.fromtimestamp(at / 1000, UTC).isoformat(),
            }
            for source, at, value in zip(names, ts, values, strict=True)
        ]
        table = pa.table(
            {"source": names, "ts": pa.array(ts).cast(pa.timestamp("ms")), "value": values}
        )
        return Batch(size, json.dumps(items).encode(), table)

    def answer(self, question: Question, window: Window) -> Answer:
        """What numpy answers; percentiles lie between two values, as in percentile_cont."""
        first, start = np.searchsorted(self.instants, (window.before, window.start))
        end = len(self.instants)
        if question.by_source:
            places = range(len(self.sources))
            groups = {self.sources[n]: self._of(question, start, end, n) for n in places}
        else:
            place = None if question.source is None else self.sources.index(question.source)
            groups = {"": self._of(question, start, end, place)}
        previous = self._of(question, first, start, None) if question.previous else {}
        return Answer(window, groups, previous)

    def _of(self, question: Question, start: int, end: int, place: int | None) -> Statistics:
        part = self.values[start:end] if place is None else self.values[start:end, place]
        if not part.size:
            return {"count": 0}
        found = {
            "count": part.size,
            "sum": part.sum(),
            "avg": part.mean(),
            "min": part.min(),
            "max": part.max(),
            "stddev": part.std(),
            "last": part[-1].max(),
        }
        if question.quantiles:
            key = (start, end, str(place))
            if key not in self._quantiles:
                self._quantiles[key] = np.quantile(part, list(question.quantiles.values()))
            found |= dict(zip(question.quantiles, self._quantiles[key], strict=True))
        return {name: float(found[name]) for name in question.statistics}
