"""Finds the rows whose value of a column lies near a moving edge without looking at the others.

Rows are held in buckets of nearly equal size by value, not sorted: that takes an eighth of the time, and the
rows of the two buckets at the edges are looked at one by one in any case.
"""

from __future__ import annotations

import numpy as np

from pygama.analysis.counting import Interval, buckets, rows_by_bucket

N_BUCKETS = 4096
SAMPLED = 1 << 17
"""Values that the buckets are chosen by."""


class BucketIndex:
    """The rows of a column in buckets: i holds knots[i - 1] <= value < knots[i], and the last one NaN."""

    def __init__(self, values: np.ndarray) -> None:
        self.knots = _knots(values)
        of_rows = buckets(values, self.knots)
        self.rows, self.starts = rows_by_bucket(of_rows, len(self.knots) + 2)

    def between(self, low: float, high: float) -> tuple[int, int]:
        """Give where in `rows` the buckets begin and end that hold all of low <= value <= high."""
        first, last = np.searchsorted(self.knots, [low, high], side="right")
        return int(self.starts[first]), int(self.starts[last + 1])

    def between_edges(self, before: Interval, after: Interval) -> list[np.ndarray]:
        """Give the rows, in pieces, among which are all that only one of two intervals holds."""
        pieces = []
        for old, new in ((before.low, after.low), (_end(before), _end(after))):
            if old != new:
                pieces.append(self.between(min(old, new), max(old, new)))
        pieces.sort()
        if len(pieces) == 2 and pieces[1][0] <= pieces[0][1]:
            pieces = [(pieces[0][0], max(pieces[0][1], pieces[1][1]))]
        return [self.rows[start:stop] for start, stop in pieces]


def _knots(values: np.ndarray) -> np.ndarray:
    """Choose values between which about equally many lie; at least one."""
    some = np.asarray(values[:: max(len(values) // SAMPLED, 1)], np.float64)
    some = np.sort(some[~np.isnan(some)])
    places = np.linspace(0, len(some) - 1, N_BUCKETS + 1)[1:-1].astype(np.int64)
    return np.unique(some[places]) if len(some) else np.zeros(1)


def _end(interval: Interval) -> float:
    return np.inf if interval.is_open else interval.high
