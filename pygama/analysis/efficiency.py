"""Says what cuts do to events: how many pass, what a cut alone takes away, what survives in a peak.

Intervals of plain counts are those of Clopper and Pearson, which hold for any number of counts. What
survives in a peak is counted above its side bands. The events that a cut keeps are among those before it, so
errors are reckoned from those kept and those lost, which are independent.

Sources: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404; the incomplete beta function by its continued
fraction, NIST Digital Library of Mathematical Functions, 8.17.22.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from pygama.analysis.cuts import CutSet
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

ONE_SIGMA = math.erf(1 / math.sqrt(2))
"""The share of a normal distribution within one standard deviation, 0.6827."""
_SMALLEST = 1e-300
_CLOSE = 1e-15
_MOST_TERMS = 200_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many of `n_in` pass, with the interval of Clopper and Pearson; NaN where there are none."""

    n_in: int
    n_out: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share that passes."""
        return self.n_out / self.n_in if self.n_in else math.nan


@dataclass(frozen=True, slots=True)
class CutEfficiency:
    """What one cut does.

    alone: of all rows. in_order: of the rows that passed the cuts before it; None if it is switched off.
    n_lost_alone: rows that no other cut takes away (of a cut that is off: that it would take away as well).
    n_nan: rows where a column that it reads is NaN.
    """

    name: str
    alone: Ratio
    in_order: Ratio | None
    n_lost_alone: int
    n_nan: int


@dataclass(frozen=True, slots=True)
class EfficiencyTable:
    """What each cut of a set does, in their order, and what all together do."""

    rows: tuple[CutEfficiency, ...]
    total: Ratio


@dataclass(frozen=True, slots=True)
class PeakBands:
    """Where a peak is counted, low <= value < high, and the two bands beside it that show its background."""

    name: str
    window: tuple[float, float]
    below: tuple[float, float]
    above: tuple[float, float]

    def __post_init__(self) -> None:
        places = (*self.below, *self.window, *self.above)
        is_rising = all(low < high for low, high in (self.below, self.window, self.above))
        if not (is_rising and all(low <= high for low, high in zip(places, places[1:], strict=False))):
            raise SettingsError(
                f"peak '{self.name}': band, window and band must follow each other, not {places}"
            )

    @property
    def weights(self) -> tuple[float, float]:
        """Counts of a background in the window for one count in the band below, and above.

        Exact for a background that is a straight line.
        """
        (low, high), at = self.window, [sum(band) / 2 for band in (self.below, self.window, self.above)]
        share = (at[1] - at[0]) / (at[2] - at[0])
        below, above = (band[1] - band[0] for band in (self.below, self.above))
        return (high - low) * (1 - share) / below, (high - low) * share / above


@dataclass(frozen=True, slots=True)
class Counts:
    """Values in the window of a peak and in its two bands."""

    window: int
    below: int
    above: int

    def net(self, weights: tuple[float, float]) -> float:
        """Give what is above the background."""
        return self.window - weights[0] * self.below - weights[1] * self.above

    def variance(self, weights: tuple[float, float]) -> float:
        """Give the variance of `net`; an empty window counts as one count, as none does not mean never."""
        return max(self.window, 1) + weights[0] ** 2 * self.below + weights[1] ** 2 * self.above


@dataclass(frozen=True, slots=True)
class Survival:
    """What survives in a peak, above its side bands; NaN where nothing is above them before the cut."""

    bands: PeakBands
    kept: Counts
    lost: Counts
    value: float = field(init=False)
    error: float = field(init=False)

    def __post_init__(self) -> None:
        weights = self.bands.weights
        kept, lost = self.kept.net(weights), self.lost.net(weights)
        total, value, error = kept + lost, math.nan, math.nan
        if total > 0:
            value = kept / total
            spread = lost**2 * self.kept.variance(weights) + kept**2 * self.lost.variance(weights)
            error = math.sqrt(spread) / total**2
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "error", error)

    @property
    def n_in(self) -> float:
        """Net counts before the cut."""
        return self.n_out + self.lost.net(self.bands.weights)

    @property
    def n_out(self) -> float:
        """Net counts after the cut."""
        return self.kept.net(self.bands.weights)


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """Survival in bins: edges (n + 1,), the others (n,); NaN in bins that were empty before the cut."""

    edges: np.ndarray
    n_in: np.ndarray
    n_out: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """The share that passes in each bin."""
        n_in = np.where(self.n_in > 0, self.n_in, np.nan)
        return np.asarray(self.n_out / n_in, np.float64)


def ratio(n_out: int, n_in: int, level: float = ONE_SIGMA) -> Ratio:
    """Give the share with its interval; level: of the central interval, 0.6827 for one standard deviation."""
    n_out, n_in = int(n_out), int(n_in)
    return Ratio(n_in, n_out, *interval(n_out, n_in, level))


def interval(n_out: int, n_in: int, level: float = ONE_SIGMA) -> tuple[float, float]:
    """Give the interval of Clopper and Pearson for `n_out` of `n_in`; NaNs if `n_in` is 0.

    Raises SettingsError for counts or a level that make no sense.
    """
    if not (0 <= n_out <= n_in and 0 < level < 1):
        raise SettingsError(f"'{n_out}' of '{n_in}' at a level of '{level}' has no interval")
    if not n_in:
        return math.nan, math.nan
    tail = (1 - level) / 2
    low = beta_quantile(tail, n_out, n_in - n_out + 1) if n_out else 0.0
    high = 1 - beta_quantile(tail, n_in - n_out, n_out + 1) if n_out < n_in else 1.0
    return low, high


def efficiency_table(
    cuts: CutSet,
    columns: Mapping[str, Any],
    *,
    masks: Mapping[str, np.ndarray] | None = None,
    level: float = ONE_SIGMA,
    keep_on: Callable[[], object] | None = None,
) -> EfficiencyTable:
    """Say what each cut does, by itself, after those before it, and that no other does.

    masks: what passes each cut, if it is known (`CutSet.masks`). keep_on: is called now and then, and may
    raise to stop.
    """
    masks = cuts.masks(columns, keep_on=keep_on) if masks is None else masks
    n_rows = cuts.n_rows(columns)
    n_nan = cuts.n_nan(columns)
    n_failed = np.zeros(n_rows, np.uint16)
    for cut in cuts:
        if cut.enabled:
            n_failed += ~masks[cut.name]
    rows, left, n_left = [], np.ones(n_rows, np.bool_), n_rows
    for cut in cuts:
        if keep_on is not None:
            keep_on()
        mask, in_order = masks[cut.name], None
        if cut.enabled:
            left &= mask
            n_before, n_left = n_left, int(np.count_nonzero(left))
            in_order = ratio(n_left, n_before, level)
        n_lost_alone = int(np.count_nonzero((n_failed == int(cut.enabled)) & ~mask))
        alone = ratio(int(np.count_nonzero(mask)), n_rows, level)
        rows.append(CutEfficiency(cut.name, alone, in_order, n_lost_alone, n_nan[cut.name]))
    return EfficiencyTable(tuple(rows), ratio(n_left, n_rows, level))


WINDOW_FWHM, NEAR_FWHM, FAR_FWHM = 1.5, 2.0, 4.0
"""Half of the window of a peak, and how far off the bands beside it begin and end."""


def peak_bands(name: str, position: float, fwhm: float, last: float | None = None) -> PeakBands:
    """Place window and bands around a peak: 1.5 FWHM to either side, bands from 2 to 4 FWHM away.

    last: where the last of several peaks stands that are counted together, as they overlap.
    """
    if not (fwhm > 0 and math.isfinite(position + fwhm)):
        raise SettingsError(
            f"peak '{name}' needs a position and a width above 0, not '{position}' and '{fwhm}'"
        )
    window, near, far = WINDOW_FWHM * fwhm, NEAR_FWHM * fwhm, FAR_FWHM * fwhm
    end = position if last is None else last
    return PeakBands(
        name,
        (position - window, end + window),
        (position - far, position - near),
        (end + near, end + far),
    )


def survival_at(values: Any, passes: Any, bands: PeakBands) -> Survival:
    """Count what survives in a peak; values: (n_rows,), passes: (n_rows,) bool."""
    values, passes = np.asarray(values), np.asarray(passes, np.bool_)
    near = (values >= bands.below[0]) & (values < bands.above[1])
    values, passes = values[near], passes[near]
    return Survival(bands, _counts(values[passes], bands), _counts(values[~passes], bands))


def survival_at_peaks(values: Any, passes: Any, peaks: Iterable[PeakBands]) -> tuple[Survival, ...]:
    """Count what survives in several peaks."""
    return tuple(survival_at(values, passes, bands) for bands in peaks)


def survival_curve(
    values: Any, passes: Any, edges: Sequence[float] | np.ndarray, level: float = ONE_SIGMA
) -> SurvivalCurve:
    """Give the survival in bins, edges[i] <= value < edges[i + 1]."""
    values, passes, edges = np.asarray(values), np.asarray(passes, np.bool_), np.asarray(edges, np.float64)
    return curve_of_counts(_binned(values, edges), _binned(values[passes], edges), edges, level)


def curve_of_counts(
    n_in: np.ndarray, n_out: np.ndarray, edges: np.ndarray, level: float = ONE_SIGMA
) -> SurvivalCurve:
    """Give the survival in bins that were counted before the cut, (n,), and after it."""
    ends = [interval(out, all_of, level) for out, all_of in zip(n_out.tolist(), n_in.tolist(), strict=True)]
    low, high = np.array(ends, np.float64).reshape(-1, 2).T
    return SurvivalCurve(edges, n_in, n_out, low, high)


def beta_quantile(p: float, a: float, b: float) -> float:
    """Find what a beta distribution of `a` and `b`, both 1 or more, lies below with probability `p`."""
    low, high, x = 0.0, 1.0, a / (a + b)
    constant = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    for _ in range(200):
        excess = beta_below(x, a, b) - p
        low, high = (low, x) if excess > 0 else (x, high)
        log_density = constant + (a - 1) * math.log(x) + (b - 1) * math.log1p(-x)
        density = math.exp(log_density) if log_density > -700 else 0.0
        better = x - excess / density if density else math.nan
        if not low < better < high:
            better = (low + high) / 2
        if abs(better - x) <= 4 * _CLOSE * x:
            return better
        x = better
    return x


def beta_below(x: float, a: float, b: float) -> float:
    """Give the regularised incomplete beta function: how probably a beta distribution lies below `x`."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_below(1 - x, b, a)
    log_front = a * math.log(x) + b * math.log1p(-x)
    log_front += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(log_front) / (a * _fraction(x, a, b)) if log_front > -740 else 0.0


def _fraction(x: float, a: float, b: float) -> float:
    """Give 1 + d1 x/(1 + d2 x/(1 + ...)), by multiplying the ratios of its successive approximations."""
    value = above = 1.0
    below = 0.0
    for term in range(1, _MOST_TERMS):
        m = term // 2
        if term % 2:
            d = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))
        below = 1 / _not_zero(1 + d * x * below)
        above = _not_zero(1 + d * x / above)
        value *= above * below
        if abs(above * below - 1) < _CLOSE:
            break
    return value


def _not_zero(number: float) -> float:
    return number if abs(number) > _SMALLEST else _SMALLEST


def _counts(values: np.ndarray, bands: PeakBands) -> Counts:
    inside = [int(((values >= low) & (values < high)).sum()) for low, high in _three(bands)]
    return Counts(*inside)


def _three(bands: PeakBands) -> tuple[tuple[float, float], ...]:
    return bands.window, bands.below, bands.above


def _binned(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    inside = values[(values >= edges[0]) & (values < edges[-1])]
    return np.histogram(inside, edges)[0]
