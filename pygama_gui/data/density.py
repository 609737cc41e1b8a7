"""Counts how often waveforms pass through each place of a picture."""

from __future__ import annotations

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.shaping import Shaped

SAMPLES_AT_ONCE = 1 << 18
"""Few enough that the window gets its turn between two steps."""
MARGIN = 0.03


@dataclass(frozen=True)
class Density:
    """Counts of samples, (n_x, n_y), in a frame of samples from time 0 and of heights."""

    counts: np.ndarray
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    n_waveforms: int


def full_frame(shaped: Shaped) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give the samples from time 0 and the heights that hold all waveforms, with a little room."""
    n_samples = shaped.heights.shape[1]
    if not len(shaped):
        return (-0.5, n_samples - 0.5), (0.0, 1.0)
    at_once = max(SAMPLES_AT_ONCE // max(n_samples, 1), 1)
    parts = (shaped.heights[start : start + at_once] for start in range(0, len(shaped), at_once))
    known = (part[np.isfinite(part)] for part in parts)
    ends = [(float(part.min()), float(part.max())) for part in known if len(part)] or [(0.0, 1.0)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    room = MARGIN * (high - low) or 0.5
    first, last = float(-shaped.starts.max()), float(n_samples - 1 - shaped.starts.min())
    return (first - 0.5, last + 0.5), (low - room, high + room)


def count_density(
    shaped: Shaped,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    size: tuple[int, int],
) -> Density:
    """Count samples in a frame of size (n_x, n_y) or less: no column is narrower than a sample.

    x_range: in samples from time 0. Samples outside of the frame and those that are not finite are left out.
    """
    (x0, x1), (y0, y1) = x_range, y_range
    n_x, n_y = max(min(size[0], int(np.ceil(x1 - x0))), 1), max(size[1], 1)
    counts = np.zeros(n_x * n_y, np.int64)
    n_samples = shaped.heights.shape[1]
    at_once = max(SAMPLES_AT_ONCE // max(n_samples, 1), 1)
    position = np.arange(n_samples)
    for start in range(0, len(shaped), at_once):
        heights = shaped.heights[start : start + at_once]
        x = (position - shaped.starts[start : start + at_once, None] - x0) * (n_x / (x1 - x0))
        y = (heights - y0) * (n_y / (y1 - y0))
        inside = (x >= 0) & (x < n_x) & (y >= 0) & (y < n_y)
        cell = x[inside].astype(np.intp) * n_y + y[inside].astype(np.intp)
        counts += np.bincount(cell, minlength=n_x * n_y)
    return Density(counts.reshape(n_x, n_y), x_range, y_range, len(shaped))
