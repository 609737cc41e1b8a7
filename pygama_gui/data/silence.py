"""Says which channels fell silent: how many newest events each has, and how many were to be expected.

Of a channel that gave none of the newest events all of them tell how many were to be expected: it stays
silent however much the others give. What that takes can be found while rows come by.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from pygama.quick_dataclass import dataclass

N_NEWEST, N_EARLIER = 2000, 20_000
"""Events, of all channels, in which a channel is looked for, and those before by which it is expected."""
EXPECTED = 20
"""Events that a channel must be expected to have before it is called dead, silent or quiet."""


@dataclass(frozen=True)
class Presence:
    """When a channel was there. n: its rows; last: the last of them; longest: step from one to the next.

    lasted, since: s from its earliest row to its latest, and from that one to the latest of the rows behind
    its last; NaN where times are not known.
    """

    n: int
    last: int
    longest: int
    lasted: float = math.nan
    since: float = math.nan

    def missing(self, n_all: int) -> float:
        """Give how many of its rows should have come since its last one, by its share and by its rate.

        n_all: rows of all channels. 0 where it was away as long before.
        """
        n_since = n_all - 1 - self.last
        if self.n < EXPECTED or n_since < EXPECTED or self.was_away_as_long(n_all):
            return 0.0
        by_share = self.n / max(self.last + 1 - self.n, 1) * n_since
        if math.isnan(self.lasted) or math.isnan(self.since):
            return by_share
        return min(by_share, self.n * self.since / self.lasted if self.lasted > 0 else 0.0)

    def was_away_as_long(self, n_all: int) -> bool:
        """Tell whether it is away for no more than twice the longest time before."""
        return n_all - 1 - self.last <= 2 * self.longest


def presence_of(at: np.ndarray, n_all: int, times: np.ndarray | None) -> Presence:
    """Say when a channel was there. at: places of its rows among n_all, rising; times: (n_all,) s."""
    if not len(at):
        return Presence(0, -1, 0)
    last = int(at[-1])
    longest = int(np.diff(at, prepend=-1).max())
    if times is None:
        return Presence(len(at), last, longest)
    its = times[at]
    earliest, latest = float(np.fmin.reduce(its)), float(np.fmax.reduce(its))
    since = float(np.fmax.reduce(times[last + 1 :], initial=math.nan)) - latest
    return Presence(len(at), last, longest, latest - earliest, since)


class Presences:
    """When channels were there, found while their rows come by."""

    def __init__(self, n_channels: int) -> None:
        self.n_all = 0
        self._n = np.zeros(n_channels, np.int64)
        self._last = np.full(n_channels, -1, np.int64)
        self._longest = np.zeros(n_channels, np.int64)
        self._earliest, self._latest, self._behind = np.full((3, n_channels), math.nan)
        """Of the times of its rows, and the latest of the rows behind its last."""

    def add(self, places: np.ndarray, times: np.ndarray | None) -> None:
        """Take the next rows. places: (n,) of their channels, below 0 for those of none; times: (n,) s."""
        if not len(places):
            return
        order = np.argsort(places, kind="stable")
        order = order[np.searchsorted(places[order], 0) :]
        its = places[order]
        begins = np.flatnonzero(np.diff(its, prepend=-1))
        ends = np.append(begins[1:], len(its))[: len(begins)] - 1
        which = its[begins]
        if len(which):
            self._count(which, self.n_all + order, begins, ends)
        if times is not None:
            self._time(which, times, order, begins, ends)
        self._n[which] += ends - begins + 1
        self.n_all += len(places)

    def _count(self, which: np.ndarray, rows: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> None:
        before = np.concatenate([rows[:1], rows[:-1]])
        before[begins] = self._last[which]
        self._longest[which] = np.maximum(self._longest[which], np.maximum.reduceat(rows - before, begins))
        self._last[which] = rows[ends]

    def _time(
        self, which: np.ndarray, times: np.ndarray, order: np.ndarray, begins: np.ndarray, ends: np.ndarray
    ) -> None:
        latest_from = np.append(np.fmax.accumulate(times[::-1])[::-1], math.nan)
        self._behind = np.fmax(self._behind, latest_from[0])
        if len(which):
            self._behind[which] = latest_from[order[ends] + 1]
            its = times[order]
            self._earliest[which] = np.fmin(self._earliest[which], np.fmin.reduceat(its, begins))
            self._latest[which] = np.fmax(self._latest[which], np.fmax.reduceat(its, begins))

    def of(self, place: int) -> Presence:
        """Say when a channel was there."""
        n, last, longest = (int(one[place]) for one in (self._n, self._last, self._longest))
        if not n:
            return Presence(0, -1, 0)
        latest = float(self._latest[place])
        lasted, since = latest - float(self._earliest[place]), float(self._behind[place]) - latest
        return Presence(n, last, longest, lasted, since)


def newest_of(
    late: np.ndarray,
    times: np.ndarray | None,
    codes: Sequence[int],
    n_all: int,
    presence: Callable[[int], Presence],
) -> list[tuple[int, float]]:
    """Give for each channel its newest events, and how many its share of the earlier ones lets expect.

    None of the newest where a channel fell silent after these began. late, times: channels of the last
    `N_NEWEST + N_EARLIER` rows, and their times, s. n_all: rows that there are. presence: gives, by its
    place among `codes`, when a channel was there.
    """
    found = []
    for place, (code, (new, expected)) in enumerate(zip(codes, _among_last(late, codes), strict=True)):
        if new:
            missing = presence_of(np.flatnonzero(late == code), len(late), times).missing(len(late))
            found.append((0, missing) if missing >= EXPECTED else (new, expected))
        elif expected >= EXPECTED:
            found.append((0, expected))
        else:
            known = presence(place)
            found.append((0, known.missing(n_all) if known.n else expected))
    return found


def _among_last(late: np.ndarray, codes: Sequence[int]) -> list[tuple[int, float]]:
    """Give for each channel its newest events, and how many its share of those before lets expect.

    Cards are read out by turns, a long stretch of one channel after the other: none are expected of a channel
    that was away for about as long before.
    """
    newest, earlier = late[-N_NEWEST:], late[: -N_NEWEST or None]
    if len(late) <= N_NEWEST:
        earlier = late[:0]
    counted = _count_each(newest, codes), _count_each(earlier, codes)
    scale = len(newest) / max(len(earlier), 1)

    def is_away(code: int) -> bool:
        return presence_of(np.flatnonzero(late == code), len(late), None).was_away_as_long(len(late))

    return [
        (int(new), 0.0 if not new and old and is_away(code) else float(old * scale))
        for code, new, old in zip(codes, *counted, strict=True)
    ]


def _count_each(codes_of_rows: np.ndarray, codes: Sequence[int]) -> list[int]:
    seen = dict(zip(*(one.tolist() for one in np.unique(codes_of_rows, return_counts=True)), strict=True))
    return [seen.get(code, 0) for code in codes]
