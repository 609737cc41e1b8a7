"""Measures where a peak above its background is, and how wide at a share of its height, without a fit.

Heights are read from the peak smoothed by a Gaussian, so that no single bin is taken for the top: the fewer
counts, the more. What the smoothing and the bins add to the width is taken off again in quadrature, which is
right for a Gaussian and near it for others. Every figure is a function of the counts, and its error is that
of its derivatives by each of them: bins that decide two things are not counted twice.
"""

from __future__ import annotations

import math

import numpy as np

from pygama.analysis.shapes import FWHM_PER_SIGMA, SQRT_2_PI
from pygama.quick_dataclass import dataclass

REACH = 1.5
"""Half of the stretch around the centroid that makes it, in full widths at half maximum."""
_SMOOTHING, _FOR_COUNTS, _LESS_BY = 0.7, 300.0, 1 / 6
"""Standard deviation of the smoothing in that of the peak, for so many counts, and how it falls with more."""
_LEAST_SMOOTHING = 0.7
"""In bins."""
_STEPS, _REACH_SIGMA = 4, 5.0
"""Places in a standard deviation of the smoothing that are looked at, and how far a bin reaches."""
_AT_ONCE = 12
_LONGER, _STRETCH, _AROUND = 1.3, 2.8, 4.0
"""How stretches that are tried grow, how long the best is and how far from it the top is, in sigma."""
_N_ROUNDS = 12
_NEAR_SIGMA, _NEAR_PLACE = 0.02, 1e-3
NAN = float("nan")


@dataclass(frozen=True)
class Net:
    """Counts in bins from which a background is taken off; (n,) each.

    x: centres of the bins; width: of each; counts: net; variance: of the gross counts. ways: how the
    background of each bin follows from m numbers, (m, n); spreads: the variances of these, (m,).
    """

    x: np.ndarray
    width: np.ndarray
    counts: np.ndarray
    variance: np.ndarray
    ways: np.ndarray
    spreads: np.ndarray

    def error(self, by_counts: np.ndarray) -> float:
        """Give the error of what changes by so much for one more count in each bin, (n,)."""
        own = float((by_counts**2 * self.variance).sum())
        return math.sqrt(own + float(((self.ways @ by_counts) ** 2 * self.spreads).sum()))

    def bin_at(self, x: float) -> float:
        """Give the width of the bin at a place."""
        return float(self.width[int(np.abs(self.x - x).argmin())])


class Peak:
    """The highest peak of a region from low to high."""

    def __init__(self, net: Net, low: float, high: float) -> None:
        self.net, self.low, self.high = net, low, high
        self.is_inside = (net.x >= low) & (net.x <= high)
        counts = (float(net.counts[self.is_inside].sum()) / net.error(self.is_inside.astype(float))) ** 2
        self._sought = self._seek()
        self._share = _SMOOTHING * (_FOR_COUNTS / max(counts, _FOR_COUNTS)) ** _LESS_BY

    def widths(self, shares: tuple[float, ...]) -> list[tuple[float, float]]:
        """Give the full widths at shares of the height, with their errors.

        NaN where the peak runs out of the region, or is hardly wider than a bin.
        """
        sigma = self._sigma()
        if math.isnan(sigma):
            return [(NAN, NAN)] * len(shares)
        smooth = self._smoothed(sigma)
        return [self._width(smooth, share) for share in shares]

    def centroid(self, fwhm: float) -> tuple[float, float]:
        """Give the mean position and its error, from what lies around it; of all where the width is NaN."""
        net, is_near, is_all = self.net, self.is_inside, not math.isfinite(fwhm)
        place = NAN if is_all else self._top(_Smooth(net, fwhm / FWHM_PER_SIGMA))
        total = NAN
        for _ in range(_N_ROUNDS):
            if not is_all:
                is_near = self.is_inside & (np.abs(net.x - place) <= REACH * fwhm)
            total, before = float(net.counts[is_near].sum()), place
            if not total > 0:
                return NAN, NAN
            place = float((net.counts * net.x)[is_near].sum()) / total
            if is_all or abs(place - before) < _NEAR_PLACE * fwhm:
                break
        return place, net.error(np.where(is_near, net.x - place, 0.0) / total)

    def _seek(self) -> tuple[float, float]:
        """Find where counts stand out most, over stretches of all lengths, and the sigma that this suits."""
        net = self.net
        inside = np.flatnonzero(self.is_inside)
        first, n = int(inside[0]), len(inside)
        sums = [np.concatenate(([0.0], np.cumsum(one[inside]))) for one in (net.counts, net.variance)]
        best, found = 0.0, (first, n)
        length = 1
        while length <= n // 2:
            net_sum, variance = (one[length:] - one[:-length] for one in sums)
            stands_out = net_sum / np.sqrt(variance + 1.0)
            at = int(stands_out.argmax())
            if stands_out[at] > best:
                best, found = float(stands_out[at]), (first + at, length)
            length = max(length + 1, int(length * _LONGER))
        at, length = found
        stretch = slice(at, at + length)
        return float(net.x[stretch].mean()), float(net.width[stretch].sum()) / _STRETCH

    def _sigma(self) -> float:
        """Find the standard deviation of a Gaussian as wide as the peak; NaN where there is none."""
        sigma = self._sought[1]
        for _ in range(_N_ROUNDS):
            smooth = self._smoothed(sigma)
            width, before = self._width(smooth, 0.5)[0], sigma
            if math.isfinite(width):
                sigma = width / FWHM_PER_SIGMA
                if abs(sigma - before) < _NEAR_SIGMA * sigma:
                    return sigma
            elif smooth.sigma > self._share * sigma:
                return NAN  # smoothed by bins alone
            else:
                sigma /= 2
        return sigma

    def _smoothed(self, sigma: float) -> _Smooth:
        least = _LEAST_SMOOTHING * self.net.bin_at(0.5 * (self.low + self.high))
        return _Smooth(self.net, max(self._share * sigma, least))

    def _top(self, smooth: _Smooth) -> float:
        place, sigma = self._sought
        reach = _AROUND * max(sigma, smooth.sigma)
        low, high = max(self.low, place - reach), min(self.high, place + reach)
        grid = np.linspace(low, high, max(math.ceil((high - low) / smooth.sigma * _STEPS), 2) + 1)
        return float(grid[smooth.heights(grid).argmax()])

    def _width(self, smooth: _Smooth, share: float) -> tuple[float, float]:
        """Give the width at a share of the height, less what smoothing and bins add, with its error."""
        net, top = self.net, self._top(smooth)
        level = share * smooth.height(top)
        ends, moved = [], np.zeros(len(net.x))
        for way, limit in ((-1, self.low), (1, self.high)):
            end = smooth.crossing(top, limit, level)
            slope = smooth.slope(end) if math.isfinite(end) else 0.0
            if not level > 0 or slope * way >= 0:
                return NAN, NAN
            moved -= way * (smooth.weights(end) - share * smooth.weights(top)) / slope
            ends.append(end)
        bin_width, width = net.bin_at(top), ends[1] - ends[0]
        true = width**2 - 8 * math.log(1 / share) * (smooth.sigma**2 + bin_width**2 / 12)
        if true < (bin_width / 2) ** 2:
            return NAN, NAN
        return math.sqrt(true), net.error(moved) * width / math.sqrt(true)


class _Smooth:
    """A peak, smoothed by a Gaussian of a standard deviation."""

    def __init__(self, net: Net, sigma: float) -> None:
        self.net, self.sigma = net, sigma

    def weights(self, at: float) -> np.ndarray:
        """Give how the height at a place follows from each bin, (n,)."""
        z = (self.net.x - at) / self.sigma
        return np.exp(-0.5 * z * z) / (SQRT_2_PI * self.sigma)

    def height(self, at: float) -> float:
        """Give the height at a place."""
        return float(self.weights(at) @ self.net.counts)

    def slope(self, at: float) -> float:
        """Give the slope at a place."""
        return float((self.weights(at) * (self.net.x - at)) @ self.net.counts) / self.sigma**2

    def heights(self, at: np.ndarray) -> np.ndarray:
        """Give the heights at places, (k,), from the bins that reach there."""
        x, counts, reach = self.net.x, self.net.counts, _REACH_SIGMA * self.sigma
        first, last = np.searchsorted(x, at - reach), np.searchsorted(x, at + reach)
        asked = first[:, None] + np.arange(int((last - first).max(initial=1)))
        place = np.minimum(asked, len(x) - 1)
        z = (x[place] - at[:, None]) / self.sigma
        bells = np.where(asked < last[:, None], np.exp(-0.5 * z * z), 0.0)
        return (bells * counts[place]).sum(axis=1) / (SQRT_2_PI * self.sigma)

    def crossing(self, top: float, limit: float, level: float) -> float:
        """Find where heights first fall below a level on the way from the top to a limit; NaN: nowhere."""
        step = math.copysign(self.sigma / _STEPS, limit - top)
        n_left, before = max(math.ceil((limit - top) / step), 1), top
        while n_left > 0:
            grid = before + step * np.arange(min(n_left, _AT_ONCE) + 1)
            grid = np.clip(grid, min(top, limit), max(top, limit))
            heights = self.heights(grid)
            below = np.flatnonzero(heights[1:] < level)
            if len(below):
                i = int(below[0])
                share = (heights[i] - level) / (heights[i] - heights[i + 1])
                return float(grid[i] + share * (grid[i + 1] - grid[i]))
            before, n_left = float(grid[-1]), n_left - _AT_ONCE
        return NAN
