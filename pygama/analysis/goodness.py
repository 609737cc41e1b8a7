"""Says how well counts agree with a model: likelihood ratio, its probability, and deviations bin by bin.

The likelihood ratio of Poisson counts follows the χ² distribution only where bins hold many counts. Where
they hold few, its mean and variance are those of the Poisson distributions themselves, and the probability
is taken from the scaled χ² distribution that has both.

Sources: S. Baker, R. D. Cousins, NIM 221 (1984) 437; J. S. Kaastra, A&A 605 (2017) A51 for the moments.
"""

from __future__ import annotations

import math

import numpy as np

_MANY = 25.0
"""Expected counts from which on the moments come from their expansion in 1 / counts."""
_N_TERMS = 90


def deviances(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Give each bin's part of the likelihood ratio of Baker and Cousins; their sum is its χ².

    counts, expected: (n,), expected above 0.
    """
    ratio = np.where(counts > 0, counts, 1.0) / expected
    return np.maximum(2 * (expected - counts + counts * np.log(ratio)), 0.0)


def signed_deviances(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Give how far each bin lies from what is expected, in standard deviations; above 0 for too many."""
    return np.sign(counts - expected) * np.sqrt(deviances(counts, expected))


def probability(chi2: float, expected: np.ndarray, n_free: float) -> float:
    """Give the probability of a likelihood ratio as large as `chi2` or larger, if the model is true.

    expected: (n,) counts expected in the bins. n_free: parameters that were fitted. NaN where there are
    no more bins than that.
    """
    mean, variance = (moment.sum() for moment in _moments(expected))
    mean, variance = mean - n_free, variance - 2 * n_free
    if not (mean > 0 and variance > 0):
        return math.nan
    scale = variance / (2 * mean)
    return chi2_survival(chi2 / scale, mean / scale)


def chi2_survival(chi2: float, ndof: float) -> float:
    """Give the probability that χ² of `ndof` degrees of freedom, whole or not, exceeds `chi2`."""
    return upper_gamma(0.5 * ndof, 0.5 * max(chi2, 0.0))


def upper_gamma(a: float, x: float) -> float:
    """Give the regularised upper incomplete gamma function Q(a, x); a above 0, x 0 or more.

    Source: Digital Library of Mathematical Functions, 8.7.1 and 8.9.2.
    """
    if not (a > 0 and x >= 0):
        return math.nan
    if x == 0:
        return 1.0
    if math.isinf(x):
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    return 1 - front * _series(a, x) if x < a + 1 else front * _fraction(a, x)


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    n = a
    while term > total * 1e-17:
        n += 1
        term *= x / n
        total += term
    return total


def _fraction(a: float, x: float) -> float:
    """Work out the continued fraction from the front, after Lentz."""
    b = x + 1 - a
    c, d = 1e300, 1 / b
    value = d
    for i in range(1, 100_000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _moments(expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and variance of each bin's part of the likelihood ratio, (n,) each."""
    inverse = 1 / np.maximum(expected, _MANY)
    mean, variance = 1 + inverse / 6 + inverse**2 / 6, 2 + 2 * inverse / 3 + 1.6 * inverse**2
    is_few = expected < _MANY
    if is_few.any():
        few = np.maximum(expected[is_few], 1e-300)[:, None]
        k = np.arange(_N_TERMS)
        share = np.exp(k * np.log(few) - few - _LOG_FACTORIAL)
        parts = 2 * (few - k + k * np.log(np.maximum(k, 1) / few))
        mean[is_few] = (share * parts).sum(1)
        variance[is_few] = (share * parts**2).sum(1) - mean[is_few] ** 2
    return mean, variance


_LOG_FACTORIAL = np.array([math.lgamma(k + 1) for k in range(_N_TERMS)])


def scale_factor(chi2: float, ndof: int) -> float:
    """Give what errors are to be multiplied by where points scatter more than theirs: √(χ²/ndof), else 1.

    Source: Particle Data Group, Review of Particle Physics, introduction, section 5.2.2.
    """
    return math.sqrt(max(chi2 / ndof, 1.0)) if ndof > 0 else 1.0
