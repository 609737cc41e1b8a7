"""Chooses the bins of two columns against each other, and sums their counts up: projections and profiles.

Widths of bins are 1, 2 or 5 times a power of ten, or halves and doubles of that where a person asked, and
bins begin at whole multiples of their width: a picture that grows or moves keeps its grid.
"""

from __future__ import annotations

import math

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import CODE
from pygama_gui.data.linked import Axis, Cuts, Rows
from pygama_gui.data.live import round_up

LOOKED_AT = 20_000
"""Values that limits are chosen by, at most."""
TAIL = 0.001
"""Share of the values on each side that may lie outside of the limits."""
NEARLY_ALL = 0.05
REACH = 1.5
"""Limits lie at most so many widths of the middle 90 % outside of it: far tails would squeeze all others."""
MARGIN = 0.02
FEWEST, MOST = 50, 400
"""Bins along a side that are chosen by themselves."""
MOST_ASKED = 1000
"""Bins along a side, at most."""
AT_ZERO = 0.15
"""A range that begins within this share of its width above 0 begins at 0."""
LARGEST = 1e300
LEAST_DECADES = 0.3
"""Length of a logarithmic scale, at least."""
ENOUGH_IN_SLICE = 30
"""A slice with fewer counts does not set the scale of shares."""
FEW_IN_SLICE = 3
"""A slice with fewer counts has no mean."""
MOST_LOOKED_UP = 1 << 16
"""Counts below this find their colour in a table."""
ONE_SIGMA = 0.1587
MEDIAN_TO_MEAN = 1.2533
"""The median of n normal values scatters so many times as much as their mean, for large n."""


@dataclass(frozen=True)
class Limits:
    """Where nearly all values of a column lie. is_whole: they are whole numbers."""

    low: float
    high: float
    is_whole: bool = False


@dataclass(frozen=True)
class Profile:
    """y in slices of x: (n,) each, NaN between slices that are no neighbours.

    low and high: the middle 68 % of a slice, where it is known.
    """

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def some_of(values: np.ndarray, n_most: int = LOOKED_AT) -> np.ndarray:
    """Give every so-manieth value, about `n_most` at most."""
    return values[:: max(len(values) // n_most, 1)]


def limits_of(values: np.ndarray) -> Limits:
    """Choose limits that show nearly all values, however far the others lie; 0 to 1 where there are none."""
    values = some_of(np.asarray(values)).astype(np.float64)
    values = values[np.abs(values) < LARGEST]
    if not len(values):
        return Limits(0.0, 1.0)
    is_whole = bool((values == np.floor(values)).all())
    low, high = np.quantile(values, (NEARLY_ALL, 1 - NEARLY_ALL))
    reach = REACH * (high - low)
    if reach > 0:
        values = values[(values >= low - reach) & (values <= high + reach)]
    least, most = (float(value) for value in np.quantile(values, (TAIL, 1 - TAIL)))
    room = MARGIN * (most - least) or (0.5 if is_whole else abs(most) * 1e-3 or 0.5)
    low = least - room
    if 0 <= least < AT_ZERO * most:
        low = -0.5 if is_whole else 0.0
    return Limits(low, most + room, is_whole)


def keeps(held: Limits, found: Limits) -> bool:
    """Tell whether limits that were chosen before still suit: nothing is outside, and not much is empty."""
    is_inside = held.low <= found.low and found.high <= held.high
    return held.is_whole == found.is_whole and is_inside and _width(held) < 1.5 * _width(found)


def _width(limits: Limits) -> float:
    return limits.high - limits.low


def suitable_bins(n_values: int) -> int:
    """Give the number of bins along a side that suits so many values in the plane."""
    return int(min(max(round(1.2 * math.sqrt(n_values)), FEWEST), MOST))


def axis_of(column: str, limits: Limits, n_wanted: int, width: float | None = None) -> Axis:
    """Choose bins that cover the limits: about n_wanted, or of a width that a person chose."""
    span = max(limits.high - limits.low, 1e-300)
    if width is None:
        width = round_near(span / n_wanted)
        width = round_up(span / MOST) if span / width > MOST else width
        width = max(width, 1.0) if limits.is_whole else width
    while span / width > MOST_ASKED:
        width *= 2.0
    # Whole numbers lie in the middle of their bins, not on an edge.
    shift = 0.5 if limits.is_whole else 0.0
    first = math.floor((limits.low + shift) / width + 1e-9)
    last = max(math.ceil((limits.high + shift) / width - 1e-9), first + 1)
    return Axis(column, first * width - shift, last * width - shift, last - first)


def round_near(number: float) -> float:
    """Give the nearest of 1, 2 or 5 times a power of ten, as ratios go."""
    power = 10.0 ** math.floor(math.log10(number))
    return min((step * power for step in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / number)))


@dataclass(frozen=True)
class Scale:
    """Colours from `low` to `top`, by logarithms or not; a share is that of the counts of a slice of x."""

    top: float
    is_log: bool = True
    is_share: bool = False

    @property
    def low(self) -> float:
        """What has the weakest colour: one count, or a thousandth of the top share."""
        if not self.is_log:
            return 0.0
        return self.top / 1000 if self.is_share else min(1.0, self.top)

    def places(self, values: np.ndarray) -> np.ndarray:
        """Give the place of each value on the scale, 0 to 1; (n_x, n_y) as the values."""
        if not self.is_log:
            return np.clip(values / self.top, 0.0, 1.0)
        start = math.log10(self.low)
        with np.errstate(divide="ignore"):
            scaled = (np.log10(values) - start) / (self._log_top - start)
        return np.clip(np.nan_to_num(scaled, neginf=0.0), 0.0, 1.0)

    @property
    def _log_top(self) -> float:
        return max(math.log10(self.top), math.log10(self.low) + LEAST_DECADES)

    def shades(self, values: np.ndarray) -> np.ndarray:
        """Give the place of each value in a table of 256 colours, uint8: 0 for none, 1 for few."""
        if self.top <= 0:
            return np.zeros(values.shape, np.uint8)
        most = int(values.max(initial=0)) if values.dtype.kind in "iu" else MOST_LOOKED_UP
        if most < MOST_LOOKED_UP:
            return self._shades(np.arange(most + 1))[np.maximum(values, 0)]
        return self._shades(values)

    def _shades(self, values: np.ndarray) -> np.ndarray:
        return np.where(values > 0, 1 + 254 * self.places(values), 0).astype(np.uint8)


def scale_of(counts: np.ndarray, *, is_log: bool, is_share: bool) -> Scale:
    """Choose the scale that the most counts of a bin, or of the slices that have some, reach the end of."""
    if not is_share:
        return Scale(float(counts.max(initial=0)), is_log)
    n = counts.sum(axis=1)
    has_enough = n >= min(ENOUGH_IN_SLICE, n.max(initial=0))
    return Scale(float(share_in_slice(counts[has_enough]).max(initial=0)), is_log, is_share=True)


def share_in_slice(counts: np.ndarray) -> np.ndarray:
    """Divide each slice of x by its sum, (n_x, n_y); an empty one stays empty."""
    sums = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(sums, 1)


def mean_profile(counts: np.ndarray, x: Axis, y: Axis) -> Profile:
    """Give the mean of y in each slice of x and its error, by the middles of the bins, of what is in them."""
    slices, n = _slices(counts)
    middles = _middles(y)
    known = counts[slices]
    mean = known @ middles / n
    variance = np.maximum(known @ middles**2 / n - mean**2, 0.0) * n / (n - 1)
    # All in one bin says only that the spread is below its width.
    variance = np.maximum(variance, (y.edges[1] - y.edges[0]) ** 2 / 12)
    return _with_gaps(slices, _middles(x)[slices], mean, np.sqrt(variance / n))


def median_profile(counts: np.ndarray, x: Axis, y: Axis) -> Profile:
    """Give the median of y in each slice of x, its error, and where the middle 68 % of the slice lie."""
    slices, n = _slices(counts)
    known = counts[slices]
    low, median, high = (_quantile(known, y, share) for share in (ONE_SIGMA, 0.5, 1 - ONE_SIGMA))
    error = MEDIAN_TO_MEAN * (high - low) / 2 / np.sqrt(n)
    return _with_gaps(slices, _middles(x)[slices], median, error, low, high)


def _with_gaps(slices: np.ndarray, *parts: np.ndarray) -> Profile:
    gaps = np.flatnonzero(np.diff(slices) > 1) + 1
    return Profile(*(np.insert(part, gaps, np.nan) for part in parts))


def _slices(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the slices that have counts enough, and how many each has."""
    n = counts.sum(axis=1)
    slices = np.flatnonzero(n >= FEW_IN_SLICE)
    return slices, n[slices].astype(np.float64)


def _quantile(counts: np.ndarray, y: Axis, share: float) -> np.ndarray:
    """Give where a share of each row of counts lies below, as if they were spread evenly in their bins."""
    reached = np.cumsum(counts, axis=1)
    wanted = share * reached[:, -1]
    bins = (reached < wanted[:, np.newaxis]).sum(axis=1)
    rows = np.arange(len(counts))
    here = counts[rows, bins]
    part = (wanted - (reached[rows, bins] - here)) / np.maximum(here, 1)
    return y.low + (bins + part) * (y.high - y.low) / y.n_bins


def _middles(axis: Axis) -> np.ndarray:
    edges = axis.edges
    return (edges[:-1] + edges[1:]) / 2


@dataclass(frozen=True, eq=False)
class Points:
    """Single events: their rows in the table and their values, (n,) each."""

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray


def points_in(rows: Rows, x: Axis, y: Axis, channel: int | None, cuts: Cuts | None) -> Points:
    """Find the rows that lie in the bins of both axes, belong to a channel (None: any) and pass the cuts."""
    xs, ys = rows[x.column], rows[y.column]
    found = np.flatnonzero((xs >= x.low) & (xs < x.high))
    found = found[(ys[found] >= y.low) & (ys[found] < y.high)]
    if channel is not None and CODE in rows:
        found = found[rows[CODE][found] == channel]
    if cuts is not None:
        found = found[cuts.mask({name: values[found] for name, values in rows.items()})]
    return Points(found, xs[found].astype(np.float64), ys[found].astype(np.float64))
