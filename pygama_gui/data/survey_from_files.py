"""Looks at the channels of a data set whose rows are too many to be held, from counts in fine bins.

What is counted takes memory by channels and bins, not by rows. Events, rates, spectra and events at the end
of the range are those that the rows themselves would give, levels and scatters differ by less than a fine
bin, and peaks are found and fitted in bins that are as fine. Where bins lie is chosen by the sample that a
data set on disk holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pygama.analysis.counting import Axis, Columns, Wanted, count, empty_tables
from pygama.quick_dataclass import dataclass
from pygama_gui.data.anchors import FineCounts
from pygama_gui.data.binned import FAR, MOST_FINE, BinnedMiddles, scale_of
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.energies import fine_range
from pygama_gui.data.gain import N_PARTS, follow_peak, parts_of
from pygama_gui.data.health import (
    N_BINS,
    NEAR,
    PILE,
    SATURATION,
    Figures,
    Peak,
    Survey,
    are_pulsed,
    in_pile,
    is_flagged,
    judge,
    move_between,
    peak_by_fit,
    rate_with_error,
    shared_edges,
    with_course,
)
from pygama_gui.data.linked import Cuts, Rows, n_of
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.silence import N_EARLIER, N_NEWEST, Presences, newest_of
from pygama_gui.data.slices import LEAST_SLICES, MAD_TO_SIGMA, n_of_slices
from pygama_gui.data.trends import BASELINES, HEIGHTS, NOISES, first_of

MOST_CELLS, LEAST_BINS = 12_000_000, 64
"""Bins of all channels together in which peaks are found, of 4 bytes each, and the fewest of a channel."""
N_PEAK = 32_768
"""Bins in which the peak of a channel is found and fitted, at most."""
MOST_CELLS_OF_LEVELS = 4_000_000
"""Bins of all channels together in which medians are found, of each column, at most."""
N_SLICES, BINS_OF_SLICE = 120, 256
"""Slices of the time in which it is seen whether a baseline moves, at most, and bins of each."""
WHOLE_SLICES = [n for n in range(LEAST_SLICES, N_SLICES) if N_SLICES % n == 0]
"""Numbers of slices that are whole ones of these joined."""
LEAST_SAMPLE = 100
"""Rows that pass the cuts by which bins are chosen; with fewer, by all rows of the sample."""
STEP_OF_TOP, N_OF_TOP = 1e-5, 2100
"""Bins, relative to the height, in which events near the top are counted as they come by; all of `NEAR`."""
N_TIMES = 1000
"""Of so many of the last events at the top it is asked whether they come at equal steps of time."""
TIMELESS = N_PARTS
"""Part of the rows that have no time."""


class GatheredSurvey:
    """Looks at channels while their rows come by, in one thread at a time.

    codes: the channels to tell of, with or without rows. column: of the spectra; the first known height
    where the data set does not have it.
    """

    def __init__(self, live: LiveSet, cuts: Cuts | None, codes: Sequence[int], column: str) -> None:
        wanted = {CODE, CLOCK, "time_s", column, *HEIGHTS, *BASELINES, *NOISES, *SATURATION}
        names = wanted & set(live.columns.names)
        read = names | (set() if cuts is None else cuts.columns)
        self.columns = frozenset(read)
        sample: Rows = {name: live.columns.column(name) for name in read if name in live.columns}
        self._cuts, self._codes, self._n_all, self._n_rows = cuts, list(codes), live.n_rows, 0
        self._order = np.argsort(self._codes, kind="stable")
        self._rising = np.asarray(self._codes, np.int64)[self._order]
        self._others: set[int] = set()
        self._newest, self._times_of_newest = np.empty(0, np.int64), np.empty(0)
        self._presences = Presences(len(self._codes))
        self._ends = (math.inf, -math.inf)
        self._has_times = CLOCK in sample
        self._span = (0.0, sum(last - first for first, last in live.spans if first <= last))
        sample = self._chosen_of(sample)
        self._shown = column if first_of([column], sample) else first_of(HEIGHTS, sample)
        self._names = (first_of(BASELINES, sample), first_of(NOISES, sample))
        self._flags = [name for name in SATURATION if name in sample]
        self._make_counts(sample)

    def _chosen_of(self, sample: Rows) -> Rows:
        """Give the rows of the sample by which bins are chosen."""
        if self._cuts is None:
            return sample
        passes = np.asarray(self._cuts.mask(sample))
        if np.count_nonzero(passes) < LEAST_SAMPLE:
            return sample
        return {name: values[passes] for name, values in sample.items()}

    def _make_counts(self, sample: Rows) -> None:
        n, places = len(self._codes), self._places(sample[CODE])
        heights = np.asarray(sample[self._shown], np.float64) if self._shown else np.empty(0)
        self._edges = shared_edges(heights)
        self._events = np.zeros(n, np.int64)
        self._spectra = _Table(n, N_BINS, float(self._edges[0]), float(self._edges[-1]))
        self._flagged = np.zeros(n, np.int64)
        self._tops = [_TopCounts() for _ in self._codes] if self._shown and not self._flags else []
        n_peak = max(min(N_PEAK, MOST_CELLS // (n * (N_PARTS + 1))), LEAST_BINS)
        self._peaks = _Table(n * (N_PARTS + 1), n_peak, *fine_range(heights))
        n_level = max(min(MOST_FINE, MOST_CELLS_OF_LEVELS // n), LEAST_BINS)
        self._levels = [_Levels(sample[name], places, n, n_level) if name else None for name in self._names]
        self._n_slices = max(min(N_SLICES, MOST_CELLS_OF_LEVELS // (n * BINS_OF_SLICE)), N_PARTS)
        self._moves = None
        if self._names[0] and self._has_times:
            self._moves = _Levels(sample[self._names[0]], places, n, BINS_OF_SLICE, self._n_slices)
        self._in_time = _Table(n + 1, N_SLICES, 0.0, self._span[1]) if self._span[1] > 0 else None

    def _places(self, codes: np.ndarray) -> np.ndarray:
        """Give which channel rows are of, -1 where it is none that is told of; (n,) int64."""
        at = np.minimum(np.searchsorted(self._rising, codes), len(self._rising) - 1)
        return np.where(self._rising[at] == codes, self._order[at], -1)

    def add(self, rows: Rows) -> None:
        """Look at the next rows."""
        self._n_rows += n_of(rows)
        if CODE not in rows:
            return
        places = self._places(rows[CODE])
        self._others.update(code for code in np.unique(rows[CODE][places < 0]).tolist() if code >= 0)
        if self._cuts is not None:
            which = np.flatnonzero(self._cuts.mask(rows))
            rows, places = {name: values[which] for name, values in rows.items()}, places[which]
        times = np.asarray(rows[CLOCK], np.float64) if self._has_times else None
        self._presences.add(places, times)
        self._newest = np.concatenate([self._newest, rows[CODE]])[-N_NEWEST - N_EARLIER :]
        if times is not None:
            self._times_of_newest = np.concatenate([self._times_of_newest, times])[-N_NEWEST - N_EARLIER :]
            known = times[np.isfinite(times)]
            first, last = self._ends
            self._ends = (min(first, known.min(initial=math.inf)), max(last, known.max(initial=-math.inf)))
        self._events += np.bincount(places[places >= 0], minlength=len(self._events))
        if self._in_time is not None and times is not None:
            self._in_time.add(np.where(places < 0, len(self._codes), places), times)
        self._add_heights(rows, places, times)
        self._add_levels(rows, places, times)

    def _add_heights(self, rows: Rows, places: np.ndarray, times: np.ndarray | None) -> None:
        if self._flags:
            is_flagged_row = is_flagged({name: rows[name] for name in self._flags})
            self._flagged += np.bincount(places[is_flagged_row & (places >= 0)], minlength=len(self._flagged))
        if not self._shown:
            return
        heights = np.asarray(rows[self._shown], np.float64)
        self._spectra.add(places, heights)
        for at, top in enumerate(self._tops):
            its = places == at
            top.add(heights[its], None if times is None else times[its])
        parts = np.full(len(places), TIMELESS)
        if times is not None:
            found = parts_of(times, self._span)
            parts = np.where(found < 0, TIMELESS, found)
        self._peaks.add(np.where(places < 0, -1, places * (N_PARTS + 1) + parts), heights)

    def _add_levels(self, rows: Rows, places: np.ndarray, times: np.ndarray | None) -> None:
        for name, levels in zip(self._names, self._levels, strict=True):
            if levels is not None:
                levels.add(places, np.asarray(rows[name], np.float64))
        if self._moves is not None and times is not None and self._span[1] > 0:
            with np.errstate(invalid="ignore"):
                inside = (times >= 0) & (times <= self._span[1])
                at = np.where(inside, times, 0.0) * (self._n_slices / self._span[1])
            slices = np.minimum(at.astype(np.int64), self._n_slices - 1)
            baselines = np.asarray(rows[self._names[0]], np.float64)
            self._moves.add(np.where(inside, places, -1), baselines, slices)

    def found(self, *, is_whole: bool = True) -> FoundSurvey:
        """Give what is known so far; without what peaks are fitted to while rows are to come."""
        first, last = self._ends if self._ends[0] < self._ends[1] else (math.nan, math.nan)
        duration = last - first
        times = self._times_of_newest if self._has_times else None
        newest = newest_of(self._newest, times, self._codes, self._presences.n_all, self._presences.of)
        figures = [
            replace(self._figures(at, duration, (first, last)), newest=new, expected=expected)
            for at, (new, expected) in enumerate(newest)
        ]
        if is_whole and self._in_time is not None:
            figures = with_course(figures, *self._course(self._in_time))
        survey = Survey(
            tuple(figures),
            judge(figures),
            self._shown,
            self._edges,
            duration,
            first,
            self._n_rows,
            *self._names,
            n_all=self._n_all,
        )
        others = tuple(sorted(self._others))
        if not is_whole or not self._shown:
            return FoundSurvey(survey, others)
        return FoundSurvey(survey, others, CountedPeaks(tuple(self._codes), self._peaks, self._span))

    def _figures(self, at: int, duration: float, ends: tuple[float, float]) -> Figures:
        n = int(self._events[at])
        baseline, noise = ((math.nan, math.nan) if one is None else one.middle(at) for one in self._levels)
        return Figures(
            self._codes[at],
            n,
            *rate_with_error(n, duration),
            *baseline,
            noise[0],
            self._tops[at].saturated if self._tops else int(self._flagged[at]),
            *self._moved(at, ends),
            counts=self._spectra.counts[at].astype(np.int64),
        )

    def _course(self, in_time: _Table) -> tuple[np.ndarray, float]:
        """Give the events of each channel in slices that have enough of all, and their width, s."""
        counts = in_time.counts.astype(np.int64)
        n = min(WHOLE_SLICES, key=lambda n: abs(n - n_of_slices(int(counts.sum()))))
        return counts.reshape(len(counts), n, -1).sum(axis=2), self._span[1] / n

    def _moved(self, at: int, ends: tuple[float, float]) -> tuple[float, float, float]:
        """Compare the baseline of the first third with that of the last, to the nearest slices."""
        if self._moves is None or not math.isfinite(ends[0]):
            return math.nan, math.nan, math.nan
        width, third = self._span[1] / self._n_slices, (ends[1] - ends[0]) / 3
        until, since = (round(one / width) for one in (ends[0] + third, ends[1] - third))
        return move_between(self._moves.joined(at, 0, until), self._moves.joined(at, since, self._n_slices))


@dataclass(frozen=True, eq=False)
class FoundSurvey:
    """What was found. others: channels that have rows and were not asked for; peaks: once all rows came."""

    survey: Survey
    others: tuple[int, ...] = ()
    peaks: CountedPeaks | None = None


class CountedPeaks:
    """Heights of channels in fine bins and parts of the time, in which their peaks are fitted."""

    def __init__(self, codes: tuple[int, ...], table: _Table, span: tuple[float, float]) -> None:
        self._codes, self._table, self._span = codes, table, span

    def peak(self, code: int) -> Peak:
        """Do what `health.peak_of_channel` does."""
        first = self._codes.index(code) * (N_PARTS + 1)
        groups = slice(first, first + N_PARTS + 1)
        fine = FineCounts(self._table.counts[groups], self._table.low, self._table.high)
        anchor = fine.total().find_anchor("")
        if anchor is None:
            return Peak()
        fit = fine.total().fit(anchor.low, anchor.high)
        if not fit.converged:
            return Peak()
        counts, edges = fine.window(anchor.low, anchor.high)
        n_events = self._table.n_known(groups)
        in_time = None
        if self._span[1] > 0:
            in_time = follow_peak(counts[:N_PARTS], edges, n_events[:N_PARTS], self._span, anchor.name)
        return peak_by_fit(fit, anchor.name, in_time)


class _Table:
    """Counts of values by group in equal bins; those of other groups, and beyond the bins, stand aside."""

    def __init__(self, n_groups: int, n_bins: int, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._wanted = Wanted(Axis("group", 0.0, float(n_groups), n_groups), Axis("value", low, high, n_bins))
        (self._table,) = empty_tables([self._wanted])
        self.counts = self._table[:n_groups, :n_bins]
        """(n_groups, n_bins)."""

    def add(self, groups: np.ndarray, values: np.ndarray) -> None:
        """Count values; groups: (n,) whole numbers, those below 0 are of none."""
        count(Columns({"group": groups, "value": values}), [self._wanted], [self._table])

    def n_known(self, groups: slice) -> np.ndarray:
        """Give how many values of groups are numbers, in the bins or beyond them."""
        return self._table[groups, :-1].sum(axis=1, dtype=np.int64)


class _Levels:
    """Counts of a column by channel, and by slice of the time, in bins that suit each channel."""

    def __init__(
        self, sample: np.ndarray, places: np.ndarray, n: int, n_bins: int, n_slices: int = 1
    ) -> None:
        everything = scale_of(sample, n_bins)
        groups = [sample[places == at] for at in range(n)]
        self._scales = [scale_of(one, n_bins) if np.isfinite(one).any() else everything for one in groups]
        self._middles = np.array([one.middle for one in self._scales])
        self._spreads = np.array([one.spread for one in self._scales])
        self._are_whole = np.array([one.is_whole for one in self._scales])
        self._n_bins, self._n_slices = n_bins, n_slices
        self._table = _Table(n * n_slices, n_bins, 0.0, float(n_bins))

    def add(self, places: np.ndarray, values: np.ndarray, slices: np.ndarray | int = 0) -> None:
        """Count values; places: (n,) of the channels, below 0 for those of none."""
        away = values - self._middles[places]
        found = (np.arcsinh(away / self._spreads[places]) + FAR) * (self._n_bins / (2 * FAR))
        if self._are_whole.any():
            found = np.where(self._are_whole[places], away, found)
        found = np.clip(found, 0.0, self._n_bins - 0.5)
        found[~np.isfinite(values)] = np.nan
        self._table.add(np.where(places < 0, -1, places * self._n_slices + slices), found)

    def middle(self, at: int) -> tuple[float, float]:
        """Give median and robust standard deviation of a channel."""
        return self.joined(at, 0, self._n_slices)[:2]

    def joined(self, at: int, first: int, stop: int) -> tuple[float, float, int]:
        """Give median, robust standard deviation and number of the values of a channel in some slices."""
        counts = self._table.counts[at * self._n_slices + first : at * self._n_slices + stop]
        found = BinnedMiddles(counts.sum(axis=0, dtype=np.int64)[np.newaxis], self._scales[at])
        return float(found.medians[0]), MAD_TO_SIGMA * float(found.deviations[0]), int(found.n[0])


class _TopCounts:
    """Counts heights near their top while they come by; the top rises with them."""

    def __init__(self) -> None:
        self._top = 0.0
        self._highest = 0
        """Number of the bin that the top lies in: bins grow with the height."""
        self._counts = np.zeros(N_OF_TOP, np.int64)
        self._newest = np.empty((2, 0))
        """Heights and times of the last events near the top."""

    def add(self, heights: np.ndarray, times: np.ndarray | None = None) -> None:
        """Count heights; those that are not above 0 do not count. times: of the events."""
        is_near = (heights >= (1 - NEAR) * self._top) & (heights > 0) & np.isfinite(heights)
        near = heights[is_near]
        if not len(near):
            return
        self._rise(float(near.max()))
        if times is not None:
            newer = np.stack([near, times[is_near]])
            newer = newer[:, newer[0] >= (1 - PILE) * self._top]
            self._newest = np.concatenate([self._newest, newer], axis=1)[:, -N_TIMES:]
        depths = self._highest - _bin_of_top(near)
        self._counts += np.bincount(depths[depths < N_OF_TOP], minlength=N_OF_TOP)

    def _rise(self, top: float) -> None:
        if top <= self._top:
            return
        highest = int(_bin_of_top(np.array([top]))[0])
        by = min(highest - self._highest, N_OF_TOP) if self._top > 0 else N_OF_TOP
        self._counts = np.concatenate([np.zeros(by, np.int64), self._counts[: N_OF_TOP - by]])
        self._top, self._highest = top, highest

    @property
    def saturated(self) -> int:
        """Events that pile up at the top."""
        if self._top <= 0 or are_pulsed(self._newest[1, self._newest[0] >= (1 - PILE) * self._top]):
            return 0
        ends = self._highest - _bin_of_top(np.array([(1 - PILE) * self._top, (1 - NEAR) * self._top]))
        return in_pile(*(int(self._counts[: end + 1].sum()) for end in ends.tolist()))


def _bin_of_top(heights: np.ndarray) -> np.ndarray:
    return np.floor(np.log(heights) / STEP_OF_TOP).astype(np.int64)
