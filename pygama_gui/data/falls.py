"""Finds channels whose rate fell in the course of a run while that of the others did not: for good, or to
nothing for a while.

A rate may fall because the source was taken away, and a share of all events because another channel grew
noisy: a channel has fallen where both did, each by a step that `moves` finds.
"""

from __future__ import annotations

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.moves import find_move
from pygama_gui.data.slices import LEAST_SLICES, Series, lateness, suitable_width

LEAST_EVENTS = 100
"""Events that a channel must have."""
LEAST_FALL = 0.6
"""Part of a rate: what fell by less is not told."""


@dataclass(frozen=True)
class Pause:
    """How long a channel gave nothing, s, and how many events were to be expected of it meanwhile."""

    lasted: float = 0.0
    expected: float = 0.0


BLOCK = 65_536
"""Rows that are counted at a time: so many stay in the processor's cache."""


def falls(times: np.ndarray, places: np.ndarray, n_channels: int) -> list[float]:
    """Give by which part the rate of each channel fell; 0 where it did not, or nobody can tell.

    times, places: as in `counts_in_time`.
    """
    found = counts_in_time(times, places, n_channels)
    return [0.0] * n_channels if found is None else falls_of(*found)


def counts_in_time(times: np.ndarray, places: np.ndarray, n_channels: int) -> tuple[np.ndarray, float] | None:
    """Count the events of each channel, and last of all others, in slices; gives their width as well, s.

    times: (n,) s, as they came. places: (n,) whole numbers, of the channels of the rows; below 0: of none.
    None where there are too few to tell anything.
    """
    known = times[np.isfinite(times)]
    if len(known) < LEAST_EVENTS:
        return None
    first = float(known.min())
    length = float(known.max()) - lateness(known) - first
    width = suitable_width(length, len(known))
    n = int(length // width)
    if n < LEAST_SLICES:
        return None
    counts = np.zeros((n_channels + 1, n + 1), np.int64)
    for start in range(0, len(times), BLOCK):
        here = slice(start, start + BLOCK)
        with np.errstate(invalid="ignore"):
            at = (times[here] - first) / width
            slices = np.where((at >= 0) & (at < n), at, n).astype(np.int64)
        groups = np.where(places[here] < 0, n_channels, places[here]).astype(np.int64)
        counts += np.bincount(groups * (n + 1) + slices, minlength=counts.size).reshape(counts.shape)
    return counts[:, :n], width


def falls_of(counts: np.ndarray, width: float) -> list[float]:
    """Do what `falls` does with the events of each channel, and last of all others, in slices of time.

    counts: (n_channels + 1, n_slices), in slices of so many s.
    """
    total = counts.sum(axis=0)
    middles = width * (np.arange(counts.shape[1]) + 0.5)
    there = total > 0  # where a cut leaves nothing, nobody fell
    counts, total, middles = counts[:, there], total[there], middles[there]
    return [_fall(one, total, middles, width) if one.sum() >= LEAST_EVENTS else 0.0 for one in counts[:-1]]


def pauses_of(counts: np.ndarray, width: float) -> list[Pause]:
    """Give the longest time for which each channel gave nothing between events, beside the others.

    counts, width: as in `falls_of`. Of none where it gave nothing for half as long at another time: cards may
    be read out by turns.
    """
    total = counts.sum(axis=0)
    return [_pause(one, total, width) if one.sum() >= LEAST_EVENTS else Pause() for one in counts[:-1]]


def _pause(counts: np.ndarray, total: np.ndarray, width: float) -> Pause:
    there = np.flatnonzero(counts)
    lengths = np.diff(there) - 1
    at = int(lengths.argmax()) if len(lengths) else 0
    if not len(lengths) or 2 * np.partition(np.append(lengths, 0), -2)[-2] >= lengths[at]:
        return Pause()
    inside = slice(int(there[at]) + 1, int(there[at + 1]))
    lasted, n_lacking = int(lengths[at]), int(total[inside].sum())
    n_others = int(total[there[0] : there[-1] + 1].sum()) - n_lacking - int(counts.sum())
    by_share = n_lacking * int(counts.sum()) / max(n_others, 1)
    by_rate = lasted * int(counts.sum()) / max(int(there[-1] - there[0]) + 1 - lasted, 1)
    return Pause(lasted * width, min(by_share, by_rate))


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
