"""Finds channels whose rate fell in the course of a run, for good, while that of the others did not.

A rate may fall because the source was taken away, and a share of all events because another channel grew
noisy: a channel has fallen where both did, each by a step that `moves` finds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pygama_gui.data.moves import find_move
from pygama_gui.data.slices import LEAST_SLICES, Series, lateness, suitable_width

LEAST_EVENTS = 100
"""Events that a channel must have."""
LEAST_FALL = 0.6
"""Part of a rate: what fell by less is not told."""


def falls(times: np.ndarray, parts: Sequence[np.ndarray]) -> list[float]:
    """Give by which part the rate of each channel fell; 0 where it did not, or nobody can tell.

    times: (n,) s, as they came. parts: places of the rows of each channel among them.
    """
    known = times[np.isfinite(times)]
    nothing = [0.0] * len(parts)
    if len(known) < LEAST_EVENTS:
        return nothing
    first = float(known.min())
    length = float(known.max()) - lateness(known) - first
    width = suitable_width(length, len(known))
    n = int(length // width)
    if n < LEAST_SLICES:
        return nothing
    with np.errstate(invalid="ignore"):
        found = np.floor((times - first) / width)
        slices = np.where((found >= 0) & (found < n), found, n).astype(np.int64)
    total = np.bincount(slices, minlength=n + 1)[:n]
    middles = first + width * (np.arange(n) + 0.5)
    return [
        _fall(np.bincount(slices[part], minlength=n + 1)[:n], total, middles, width)
        if len(part) >= LEAST_EVENTS
        else 0.0
        for part in parts
    ]


def _fall(counts: np.ndarray, total: np.ndarray, middles: np.ndarray, width: float) -> float:
    """Give the lesser of two falls: of the rate, and of the share among all events."""
    is_as_high = np.median(counts[-3:]) > (1 - LEAST_FALL / 2) * counts.max()
    if is_as_high or counts.sum() == total.sum():
        return 0.0
    share = counts / np.maximum(total, 1)
    error_of_share = np.sqrt(np.maximum(share * (1 - share), 1 / np.maximum(total, 1)) / np.maximum(total, 1))
    by_rate = _step_down(counts / width, np.sqrt(np.maximum(counts, 1)) / width, middles, width)
    return min(by_rate, _step_down(share, error_of_share, middles, width)) if by_rate else 0.0


def _step_down(values: np.ndarray, errors: np.ndarray, middles: np.ndarray, width: float) -> float:
    move = find_move(Series("rate", "rate", "", middles, np.full(len(values), width / 2), values, errors))
    if move is None or move.is_slope or move.level <= 0:
        return 0.0
    fell = -move.size / move.level
    return fell if fell >= LEAST_FALL else 0.0
