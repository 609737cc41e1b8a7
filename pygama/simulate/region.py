"""Draws the values of a region of a spectrum event by event, with known answers: peaks on their background.

Nothing here knows the formulas of a fit: tails are sums of two random numbers, and a step holds the flat
values that lie below a Gaussian one, so that fits can be tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RegionTruth:
    """What a region holds on average.

    peaks: area and position of each. tail_fraction: part of the counts of a peak that come too low, by
    tail_slope on average. step: height of the step under a peak, as a part of the height of a Gaussian of its
    area. background: counts a unit at the centre, which change by `slope` of that to the high end.
    """

    low: float
    high: float
    peaks: Sequence[tuple[float, float]]
    sigma: float
    tail_fraction: float = 0.0
    tail_slope: float = 1.0
    step: float = 0.0
    background: float = 0.0
    slope: float = 0.0


def draw_region(rng: np.random.Generator, truth: RegionTruth) -> np.ndarray:
    """Draw the values of one measurement; their number is random too.

    Raises SettingsError for a slope beyond -1 and 1, where the background would be negative.
    """
    if not abs(truth.slope) <= 1:
        raise SettingsError(f"the slope of a background must lie between -1 and 1, not at '{truth.slope}'")
    parts = [_background(rng, truth)]
    for area, position in truth.peaks:
        parts += [_peak(rng, truth, area, position), _step(rng, truth, area, position)]
    return np.concatenate(parts)


def _background(rng: np.random.Generator, truth: RegionTruth) -> np.ndarray:
    n = rng.poisson(truth.background * (truth.high - truth.low))
    u = rng.uniform(-1.0, 1.0, n)
    # Of a value and its mirror image, the likelier one is kept more often.
    is_mirrored = rng.random(n) > 0.5 * (1 + truth.slope * u)
    u = np.where(is_mirrored, -u, u)
    return 0.5 * (truth.low + truth.high) + 0.5 * (truth.high - truth.low) * u


def _peak(rng: np.random.Generator, truth: RegionTruth, area: float, position: float) -> np.ndarray:
    values = rng.normal(position, truth.sigma, rng.poisson(area))
    is_in_tail = rng.random(len(values)) < truth.tail_fraction
    values[is_in_tail] -= rng.exponential(truth.tail_slope, int(is_in_tail.sum()))
    return values


def _step(rng: np.random.Generator, truth: RegionTruth, area: float, position: float) -> np.ndarray:
    height = truth.step * area / (truth.sigma * math.sqrt(2 * math.pi))
    values = rng.uniform(truth.low, truth.high, rng.poisson(height * (truth.high - truth.low)))
    return values[values < rng.normal(position, truth.sigma, len(values))]
