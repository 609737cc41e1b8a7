"""Gives the shapes of peaks in germanium spectra: densities, integrals from below, derivatives and widths.

With z = (x - position) / sigma, Φ and φ the normal distribution function and density, and
s = sigma / tail_slope, the integral of a peak of one count is

    Φ(z) + tail_fraction · T(z, s),   T = ½ exp(z s + s²/2) erfc((z + s) / √2)

a Gaussian of which the share `tail_fraction` is folded with an exponential towards low values, of decay
length `tail_slope` (an exponentially modified Gaussian). The step under it is `step` times the height that
the Gaussian alone would have, on the low side, and falls as 1 - Φ(z).

Source: G. W. Phillips, K. W. Marlow, NIM 137 (1976) 525, for the parts of the shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pygama.quick_dataclass import dataclass

SQRT_2 = math.sqrt(2)
SQRT_2_PI = math.sqrt(2 * math.pi)
FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
FWTM_PER_SIGMA = 2 * math.sqrt(2 * math.log(10))
_FAR = 20.0
"""From here on erfc comes from its continued fraction, so that its product with exp cannot overflow."""
_N_FRACTIONS = 15


@dataclass(frozen=True, slots=True)
class Shape:
    """What all peaks of one kind have in common; without a tail and a step it is a Gaussian.

    sigma, tail_slope: in the unit of x. tail_fraction: share of the counts in the tail. step: height of the
    step as a share of the height of a Gaussian of the same area.
    """

    sigma: float
    tail_fraction: float = 0.0
    tail_slope: float = 1.0
    step: float = 0.0

    def density(self, x: np.ndarray, position: float) -> np.ndarray:
        """Give the density of a peak of one count at `x`, without its step."""
        z = (np.asarray(x, float) - position) / self.sigma
        gauss = (1 - self.tail_fraction) * normal_density(z) / self.sigma
        if not self.tail_fraction:
            return gauss
        return gauss + self.tail_fraction * tail_integral(z, self.sigma / self.tail_slope) / self.tail_slope

    def step_density(self, x: np.ndarray, position: float) -> np.ndarray:
        """Give the step under a peak of one count at `x`."""
        z = (np.asarray(x, float) - position) / self.sigma
        return self.step / (SQRT_2_PI * self.sigma) * normal_cdf(-z)

    def width(self, share: float = 0.5) -> float:
        """Give the full width at a share of the greatest height, tail included; 0.5: FWHM, 0.1: FWTM."""
        if not self.tail_fraction:
            return self.sigma * 2 * math.sqrt(-2 * math.log(share))
        left, _, right = self._ends(share)
        return self.sigma * (right - left)

    def width_gradient(self, share: float = 0.5) -> dict[str, float]:
        """Give the derivatives of `width` by sigma, tail_fraction and tail_slope.

        An end moves by as much as it takes to stay at the share of the greatest height.
        """
        if not self.tail_fraction:
            return {"sigma": self.width(share) / self.sigma, "tail_fraction": 0.0, "tail_slope": 0.0}
        left, top, right = self._ends(share)
        slopes = self._rise(left), self._rise(right)
        by_share = self._by_share(top, left, right)
        by_s = self._by_s(top, left, right)
        ends = [
            [(share * by[0] - at) / slope for at, slope in zip(by[1:], slopes, strict=True)]
            for by in (by_share, by_s)
        ]
        by_fraction, by_ratio = (self.sigma * (end[1] - end[0]) for end in ends)
        return {
            "sigma": right - left + by_ratio / self.tail_slope,
            "tail_fraction": by_fraction,
            "tail_slope": -by_ratio * self.sigma / self.tail_slope**2,
        }

    def _ends(self, share: float) -> tuple[float, float, float]:
        """Give where the peak crosses a share of its height, and its top between, as z."""
        low = -1.0
        while self._rise(low) < 0:
            low *= 2
        top = _crossing(lambda z: -self._rise(z), low, 0.0)
        level = share * self._height(top)
        reach = 2 * math.sqrt(-2 * math.log(share)) + 1
        low = top - reach
        while self._height(low) > level:
            low = top - 2 * (top - low)
        left = _crossing(lambda z: self._height(z) - level, low, top)
        return left, top, _crossing(lambda z: level - self._height(z), top, top + reach)

    def _height(self, z: float) -> float:
        """Give the density, times sigma, at z."""
        s = self.sigma / self.tail_slope
        return (1 - self.tail_fraction) * _bell(z) + self.tail_fraction * s * _tail_integral(z, s)

    def _rise(self, z: float) -> float:
        """Give the derivative of the height by z."""
        s = self.sigma / self.tail_slope
        of_tail = s * (s * _tail_integral(z, s) - _bell(z))
        return -(1 - self.tail_fraction) * z * _bell(z) + self.tail_fraction * of_tail

    def _by_share(self, *places: float) -> list[float]:
        """Give the derivatives of the height by tail_fraction at some z."""
        s = self.sigma / self.tail_slope
        return [s * _tail_integral(z, s) - _bell(z) for z in places]

    def _by_s(self, *places: float) -> list[float]:
        """Give the derivatives of the height by sigma / tail_slope at some z."""
        s = self.sigma / self.tail_slope
        tails = [(z, _tail_integral(z, s)) for z in places]
        return [self.tail_fraction * (tail + s * ((z + s) * tail - _bell(z))) for z, tail in tails]


def normal_density(z: np.ndarray) -> np.ndarray:
    """Give the normal density at `z`."""
    return np.exp(-0.5 * z * z) / SQRT_2_PI


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """Give the normal distribution function of `z`, 1-D, exact to the last digits on both sides."""
    return 0.5 * _erfc(-z / SQRT_2)


def tail_integral(z: np.ndarray, s: float) -> np.ndarray:
    """Give T(z, s) of the module's head for `z`, 1-D, without overflow for any s above 0."""
    b = (z + s) / SQRT_2
    is_far = b > _FAR
    near = np.minimum(b, _FAR)
    tail = 0.5 * np.exp(np.minimum(z, SQRT_2 * _FAR - s) * s + 0.5 * s * s) * _erfc(near)
    if is_far.any():
        tail[is_far] = 0.5 * np.exp(-0.5 * z[is_far] ** 2) * _scaled_erfc(b[is_far])
    return tail


def peak_integral(x: np.ndarray, area: float, position: float, shape: Shape) -> np.ndarray:
    """Give the counts of a peak and of its step below `x`, (n,); of the step up to a constant."""
    z = (x - position) / shape.sigma
    below = normal_cdf(z)
    whole = below
    if shape.tail_fraction:
        whole = whole + shape.tail_fraction * tail_integral(z, shape.sigma / shape.tail_slope)
    if shape.step:
        whole = whole + shape.step / SQRT_2_PI * (z * (1 - below) - normal_density(z))
    return area * whole


def peak_gradient(
    x: np.ndarray, area: float, position: float, shape: Shape, *, is_tailed: bool, is_stepped: bool
) -> dict[str, np.ndarray]:
    """Give the derivatives of `peak_integral` by each of its parameters, (n,) each, and itself as ''."""
    sigma, slope, fraction, step = shape.sigma, shape.tail_slope, shape.tail_fraction, shape.step
    z = (x - position) / sigma
    below, bell = normal_cdf(z), normal_density(z)
    whole, by_z = below, bell
    gradient = {}
    if is_tailed:
        s = sigma / slope
        tail = tail_integral(z, s)
        by_s = area * fraction * ((z + s) * tail - bell)
        whole = whole + fraction * tail
        by_z = by_z + fraction * (s * tail - bell)
        gradient["tail_fraction"] = area * tail
        gradient["tail_slope"] = -s / slope * by_s
    if is_stepped:
        ramp = (z * (1 - below) - bell) / SQRT_2_PI
        whole = whole + step * ramp
        by_z = by_z + step / SQRT_2_PI * (1 - below)
        gradient["step"] = area * ramp
    by_position = -area / sigma * by_z
    gradient |= {"": area * whole, "area": whole, "position": by_position, "sigma": z * by_position}
    if is_tailed:
        gradient["sigma"] = gradient["sigma"] + by_s / slope
    return gradient


def _erfc(z: np.ndarray) -> np.ndarray:
    return np.fromiter(map(math.erfc, z.tolist()), float, len(z))


def _scaled_erfc(b: np.ndarray) -> np.ndarray:
    """Give exp(b²) erfc(b) for b of `_FAR` or more, by Laplace's continued fraction."""
    fraction = b.copy()
    for k in range(_N_FRACTIONS, 0, -1):
        fraction = b + 0.5 * k / fraction
    return 1 / (math.sqrt(math.pi) * fraction)


def _bell(z: float) -> float:
    return math.exp(-0.5 * z * z) / SQRT_2_PI


def _tail_integral(z: float, s: float) -> float:
    b = (z + s) / SQRT_2
    if b <= _FAR:
        return 0.5 * math.exp(z * s + 0.5 * s * s) * math.erfc(b)
    return float(tail_integral(np.array([z]), s)[0])


def _crossing(rise: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function that is below 0 at `low` and above at `high` is 0 (the Illinois rule)."""
    f_low, f_high, side = rise(low), rise(high), 0
    for _ in range(100):
        middle = (low * f_high - high * f_low) / (f_high - f_low)
        f_middle = rise(middle)
        if f_middle > 0:
            high, f_high = middle, f_middle
            f_low = f_low / 2 if side == 1 else f_low
            side = 1
        else:
            low, f_low = middle, f_middle
            f_high = f_high / 2 if side == -1 else f_high
            side = -1
        if high - low < 1e-11 or abs(f_middle) < 1e-15:
            break
    return middle
