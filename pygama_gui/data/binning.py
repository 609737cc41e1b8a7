"""Counts the values of columns in bins that suit them, for one column or two against each other."""

from __future__ import annotations

import math

import numpy as np

from pygama.quick_dataclass import dataclass

MOST_BINS = 16_384
FEWEST, MANY = 16, 2048
"""Bins that are chosen by themselves."""
FOR_LINES = 4.0
"""So many bins at least, times the root of the number of values: the rule for one smooth hill hides lines."""
LOOKED_AT = 100_000
"""Values that the range is chosen by."""
FAR_OUT = 20.0
"""Values further out than this many times the range of nearly all of them are left out."""
MOST_SIDE = 300
"""Bins along each side of a density image."""


@dataclass(frozen=True)
class Histogram:
    """edges: (n + 1,), counts: (n,). n_outside: values that are no number, or far out."""

    edges: np.ndarray
    counts: np.ndarray
    n_outside: int = 0


@dataclass(frozen=True)
class Density:
    """counts: (n_x, n_y), between the limits of x and y."""

    counts: np.ndarray
    x: tuple[float, float]
    y: tuple[float, float]
    n_outside: int = 0


def histogram(values: np.ndarray, *, finer: int = 0) -> Histogram:
    """Count values in bins that suit them; finer: twice as many for each 1, half as many for each -1."""
    finite = _finite(values)
    if not len(finite):
        return Histogram(np.array([0.0, 1.0]), np.zeros(1, np.int64), len(values))
    low, high = range_of(finite)
    n_bins = _n_bins(finite, low, high, finer)
    counts, n_outside = _count(finite, low, high, n_bins)
    return Histogram(np.linspace(low, high, n_bins + 1), counts, n_outside + len(values) - len(finite))


def density(x: np.ndarray, y: np.ndarray) -> Density:
    """Count pairs of values in an image."""
    is_good = _is_number(x) & _is_number(y)
    x, y = x[is_good].astype(np.float64), y[is_good].astype(np.float64)
    if not len(x):
        return Density(np.zeros((1, 1), np.int64), (0.0, 1.0), (0.0, 1.0), len(is_good))
    limits, sizes, places = [], [], []
    for values in (x, y):
        low, high = range_of(values)
        size = min(max(round(math.sqrt(len(values)) / 2), FEWEST), MOST_SIDE)
        if _is_whole(values):
            size = _whole_bins(low, high, size)
        limits.append((low, high))
        sizes.append(size)
        places.append((values - low) * (size / (high - low)))
    inside = (places[0] >= 0) & (places[0] < sizes[0]) & (places[1] >= 0) & (places[1] < sizes[1])
    joint = places[0][inside].astype(np.int64) * sizes[1] + places[1][inside].astype(np.int64)
    counts = np.bincount(joint, minlength=sizes[0] * sizes[1]).reshape(sizes)
    return Density(counts, limits[0], limits[1], len(is_good) - int(inside.sum()))


def range_of(finite: np.ndarray) -> tuple[float, float]:
    """Choose what to show: all, or without the few that are so far out that nothing else would be seen."""
    low, high = float(finite.min()), float(finite.max())
    some = finite[:: max(len(finite) // LOOKED_AT, 1)]
    inner_low, inner_high = (float(value) for value in np.quantile(some, (0.001, 0.999)))
    width = inner_high - inner_low
    if width > 0 and high - low > FAR_OUT * width:
        low, high = max(low, inner_low - width), min(high, inner_high + width)
    if _is_whole(finite):
        return math.floor(low) - 0.5, math.floor(high) + 0.5
    if high <= low:
        margin = abs(low) * 1e-3 or 0.5
        return low - margin, high + margin
    return low, high + (high - low) * 1e-9


def _finite(values: np.ndarray) -> np.ndarray:
    flat = values.ravel()
    return flat[_is_number(flat)].astype(np.float64)


def _is_number(values: np.ndarray) -> np.ndarray:
    return np.isfinite(values) & (np.abs(values.astype(np.float64)) < 1e300)


def _is_whole(values: np.ndarray) -> bool:
    return bool((values == np.floor(values)).all())


def _n_bins(finite: np.ndarray, low: float, high: float, finer: int) -> int:
    some = finite[:: max(len(finite) // LOOKED_AT, 1)]
    quarter, three = np.quantile(some, (0.25, 0.75))
    width = 2.0 * float(three - quarter) / len(finite) ** (1 / 3)
    suited = max((high - low) / width if width > 0 else FEWEST, FOR_LINES * math.sqrt(len(finite)))
    wanted = min(max(suited, FEWEST), MANY) * 2.0**finer
    n_bins = min(max(round(wanted), 1), MOST_BINS)
    return _whole_bins(low, high, n_bins) if _is_whole(finite) else n_bins


def _whole_bins(low: float, high: float, wanted: int) -> int:
    """Choose about as many bins, each of which takes in equally many whole numbers."""
    n_numbers = round(high - low)
    if n_numbers <= 2 * wanted:
        return n_numbers
    return max(next((n for n in range(wanted, wanted // 2, -1) if n_numbers % n == 0), wanted), 1)


def _count(finite: np.ndarray, low: float, high: float, n_bins: int) -> tuple[np.ndarray, int]:
    places = (finite - low) * (n_bins / (high - low))
    inside = (places >= 0) & (places < n_bins)
    counts = np.bincount(places[inside].astype(np.int64), minlength=n_bins)
    return counts, len(finite) - int(inside.sum())
