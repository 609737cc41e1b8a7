"""Finds medians of groups of rows, again and again for other rows that are chosen, without sorting again.

Rows are sorted by group and value once. Whichever of them are chosen, they stay sorted, so that the median is
the one in the middle; distances from it rise to both sides, so that their median is found by halving. The
function that ends in `plainly` is the truth; `_counting.pyx` does the same, compiled.
"""

from __future__ import annotations

import numpy as np

from pygama.analysis.counting import compiled


class Groups:
    """Rows of a column by group, and by value within each.

    values: (n,), those that are not finite are in no group. group_of: (n,) whole numbers from 0, or below 0
    for rows of no group.
    """

    def __init__(self, values: np.ndarray, group_of: np.ndarray, n_groups: int) -> None:
        self.values = np.ascontiguousarray(values, np.float64)
        rows = np.flatnonzero(np.isfinite(self.values) & (group_of >= 0)).astype(np.uint32)
        rows = rows[np.argsort(group_of[rows], kind="stable")]
        self.starts = np.zeros(n_groups + 1, np.int64)
        np.cumsum(np.bincount(group_of[rows], minlength=n_groups), out=self.starts[1:])
        for start, stop in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            part = rows[start:stop]
            rows[start:stop] = part[np.argsort(self.values[part], kind="stable")]
        self.order = rows
        self._ordered = self.values[rows]
        """The values in that order, so that they are read one after the other."""
        self._most = int(np.diff(self.starts).max(initial=0))

    def middles(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give how many rows of each group are chosen, their median, and that of their distances from it.

        chosen: (n,) bool. NaN for groups without any.
        """
        if compiled is None:
            return middles_plainly(self, chosen)
        n_groups = len(self.starts) - 1
        numbers = np.zeros(n_groups, np.int64)
        medians, deviations = np.full((2, n_groups), np.nan)
        mask, room = np.ascontiguousarray(chosen).view(np.uint8), np.empty(self._most + 1)
        compiled.middles(self.order, self.starts, self._ordered, mask, room, numbers, medians, deviations)
        return numbers, medians, deviations

    def values_of(self, group: int, chosen: np.ndarray) -> np.ndarray:
        """Give the chosen values of a group, in the order of their rows."""
        rows = np.sort(self.order[self.starts[group] : self.starts[group + 1]])
        return self.values[rows[chosen[rows]]]


def middles_plainly(groups: Groups, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Do what `Groups.middles` does, in plain NumPy."""
    found = []
    for group in range(len(groups.starts) - 1):
        values = groups.values_of(group, chosen)
        middle = float(np.median(values)) if len(values) else np.nan
        spread = float(np.median(np.abs(values - middle))) if len(values) else np.nan
        found.append((len(values), middle, spread))
    numbers, medians, deviations = np.array(found, np.float64).reshape(-1, 3).T
    return numbers.astype(np.int64), medians, deviations
