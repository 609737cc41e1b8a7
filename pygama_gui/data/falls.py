"""Finds channels whose rate fell in the course of a run, for good, while that of the others did not.

A rate may fall because the source was taken away, and a share of all events because another channel grew
noisy: a channel has fallen where both did, each by a step that `moves` finds.
"""

from __future__ import annotations

import numpy as np

from pygama_gui.data.moves import find_move
from pygama_gui.data.slices import LEAST_SLICES, Series, lateness, suitable_width

LEAST_EVENTS = 100
"""Events that a channel must have."""
LEAST_FALL = 0.6
"""Part of a rate: what fell by less is not told."""


BLOCK = 65_536
"""Rows that are counted at a time: so many stay in the processor's cache."""


def falls(times: np.ndarray, places: np.ndarray, n_channels: int) -> list[float]:
    """Give by which part the rate of each channel fell; 0 where it did not, or nobody can tell.

    times: (n,) s, as they came. places: (n,) whole numbers, of the channels of the rows; below 0: of none.
    """
    known = times[np.isfinite(times)]
    nothing = [0.0] * n_channels
    if len(known) < LEAST_EVENTS:
        return nothing
    first = float(known.min())
    length = float(known.max()) - lateness(known) - first
    width = suitable_width(length, len(known))
    n = int(length // width)
    if n < LEAST_SLICES:
        return nothing
    counts = np.zeros((n_channels + 1, n + 1), np.int64)
    for start in range(0, len(times), BLOCK):
        here = slice(start, start + BLOCK)
        with np.errstate(invalid="ignore"):
            at = (times[here] - first) / width
            slices = np.where((at >= 0) & (at < n), at, n).astype(np.int64)
        groups = np.where(places[here] < 0, n_channels, places[here]).astype(np.int64)
        counts += np.bincount(groups * (n + 1) + slices, minlength=counts.size).reshape(counts.shape)
    return falls_of(counts[:, :n], width)


def falls_of(counts: np.ndarray, width: float) -> list[float]:
    """Do what `falls` does with the events of each channel, and last of all others, in slices of time.

    counts: (n_channels + 1, n_slices), in slices of so many s.
    """
    total = counts.sum(axis=0)
    middles = width * (np.arange(counts.shape[1]) + 0.5)
    there = total > 0  # where a cut leaves nothing, nobody fell
    counts, total, middles = counts[:, there], total[there], middles[there]
    return [_fall(one, total, middles, width) if one.sum() >= LEAST_EVENTS else 0.0 for one in counts[:-1]]


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
