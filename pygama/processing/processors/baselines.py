"""Measures baselines where their noise matters or a pulse lies within them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pygama.errors import SettingsError
from pygama.processing.declare import Factor, Order, Sample, Values, Waves, calculator
from pygama.processing.processors.calculators import check_order, check_stretch, powers

N_PARTS = 16
"""Parts of the stretch whose means stand for it in the first, roughest line."""
N_ROUNDS = 3
SIGMA_OF_MAD = 1.4826
"""Standard deviation of normal noise over its median absolute deviation."""


@calculator(bl_rms="adc")
def baseline_rms(waveform: Waves, *, i_start: Sample = 0, i_end: Sample = 500, order: Order = 1) -> Values:
    """Measure the noise of the baseline about its own line.

    What a polynomial fitted by least squares leaves of the stretch, in ADC counts. NaN where a sample of the
    stretch is. (n_rows, n_samples) in, (n_rows,) out.

    Formula
    -------
    p(k): polynomial of the order that makes S = sum((x[k] - p(k))**2) over k = i_start .. i_end - 1 least
    bl_rms = sqrt(S / (i_end - i_start - order - 1))

    Settings
    --------
    i_start : first sample of the stretch
    i_end : the stretch ends before this sample
    order : order of the polynomial; 0 is the mean, 1 a line

    Source: definition; the residual standard deviation of least squares, NIST/SEMATECH e-Handbook, 4.4.3.1.
    """
    check_stretch(waveform.shape[1], i_start, i_end)
    check_order(order, i_end - i_start, n_spare=1)
    left = waveform[:, i_start:i_end].astype(np.float64)
    left -= left.mean(axis=1)[:, None]
    basis = orthonormal(i_start, i_end, order)
    left -= np.einsum("ik,jk->ij", np.einsum("ij,jk->ik", left, basis), basis)
    return np.sqrt(np.square(left).sum(axis=1) / (i_end - i_start - order - 1))


@calculator(bl_int="adc", bl_slope="adc/sample", bl_kept="")
def robust_baseline(
    waveform: Waves, *, i_start: Sample = 0, i_end: Sample = 500, n_sigma: Factor = 3.0
) -> tuple[Values, Values, Values]:
    """Fit a line to the baseline that does not follow a pulse within it.

    The stretch is cut into 16 parts, whose lengths differ by a sample at most; the first line is the repeated
    median of the parts' means, which nothing within less than half of them can lead away. Three times,
    samples far off the line are left out, and a line is fitted to the others by least squares; where these
    are too few for one, the line stays as it was. `bl_int` is its value at sample 0 in ADC counts, `bl_slope`
    its slope in ADC counts a sample, as `fit_baseline` gives them; `bl_kept` is the part of the samples that
    was kept, about 1 without a pulse. The foot of a tail, within the noise, still lifts the line by about
    half the noise; a tail of an earlier pulse that covers the whole stretch is followed as well as a line
    can: `bl_slope` tells of it. NaN where a sample of the stretch is not finite. (n_rows, n_samples) in,
    three times (n_rows,) out.

    Formula
    -------
    m[i], c[i] = means of x[k] and of k in part i = 1 .. 16
    bl_slope = median over i of median over j != i of (m[i] - m[j]) / (c[i] - c[j])
    bl_int = median over i of m[i] - bl_slope * c[i]
    three times:
        d[k] = abs(x[k] - bl_int - bl_slope * k) for k = i_start .. i_end - 1
        kept: all k with d[k] <= max(n_sigma * 1.4826 * median(d), 1)
        bl_int, bl_slope make sum((x[k] - bl_int - bl_slope * k)**2) over k kept least
    bl_kept = number of k kept / (i_end - i_start)

    Settings
    --------
    i_start : first sample of the stretch
    i_end : the stretch ends before this sample
    n_sigma : how many times the noise a sample may lie off the line

    Source: A. F. Siegel, Biometrika 69 (1982) 242 for the repeated median; the trimming is a definition.
    """
    check_stretch(waveform.shape[1], i_start, i_end)
    check_parts(i_start, i_end)
    stretch = waveform[:, i_start:i_end].astype(np.float64)
    stretch[~np.isfinite(stretch).all(axis=1)] = np.nan
    shift = np.median(stretch, axis=1)
    stretch -= shift[:, None]
    position = positions(i_start, i_end)
    level, slope = _repeated_medians(stretch, position)
    kept = np.ones(stretch.shape, bool)
    for _ in range(N_ROUNDS):
        distance = np.abs(stretch - (level[:, None] + slope[:, None] * position))
        noise = SIGMA_OF_MAD * np.median(distance, axis=1)
        # Of the rounded samples of a quiet baseline, more than half can lie on the line.
        kept = distance <= np.maximum(n_sigma * noise, 1.0)[:, None]
        level, slope = _line_through(stretch, position, kept, level, slope)
    at_zero = level + shift - slope * (i_start + (i_end - i_start - 1) / 2)
    return at_zero, slope, np.where(np.isnan(shift), np.nan, kept.mean(axis=1))


@lru_cache(maxsize=64)
def orthonormal(i_start: int, i_end: int, order: int) -> np.ndarray:
    """Give polynomials over the stretch that are orthogonal and of length 1, (n_samples, order + 1)."""
    return np.linalg.qr(powers(i_start, i_end, i_start, i_end, order))[0]


def check_parts(i_start: int, i_end: int) -> None:
    """Refuse a stretch that has fewer samples than parts."""
    if i_end - i_start < N_PARTS:
        raise SettingsError(f"i_end must be {i_start + N_PARTS} or more with i_start {i_start}, not {i_end}")


def positions(i_start: int, i_end: int) -> np.ndarray:
    """Give the places of the samples of a stretch about its middle."""
    return np.arange(i_end - i_start, dtype=np.float64) - (i_end - i_start - 1) / 2


def _repeated_medians(stretch: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give level at position 0 and slope of a line through the means of parts, (n_rows,) each."""
    parts = np.array_split(np.arange(len(position)), N_PARTS)
    height = np.stack([stretch[:, part].mean(axis=1) for part in parts], axis=1)
    place = np.array([position[part].mean() for part in parts])
    others = ~np.eye(N_PARTS, dtype=bool)
    rise = (height[:, :, None] - height[:, None, :])[:, others]
    slopes = (rise / (place[:, None] - place)[others]).reshape(-1, N_PARTS, N_PARTS - 1)
    slope = np.median(np.median(slopes, axis=2), axis=1)
    return np.median(height - slope[:, None] * place, axis=1), slope


def _line_through(
    stretch: np.ndarray, position: np.ndarray, kept: np.ndarray, level: np.ndarray, slope: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a line to the samples kept; where they are too few for one, the line stays as it was."""
    count = kept.sum(axis=1)
    there = np.where(kept, position, 0.0)
    height = np.where(kept, stretch, 0.0)
    centre = there.sum(axis=1) / count
    mean = height.sum(axis=1) / count
    away = np.where(kept, position - centre[:, None], 0.0)
    spread = np.square(away).sum(axis=1)
    fitted = (away * height).sum(axis=1) / spread
    good = spread > 0
    return np.where(good, mean - fitted * centre, level), np.where(good, fitted, slope)
