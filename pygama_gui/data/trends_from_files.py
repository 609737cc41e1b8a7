"""Follows a data set in time whose rows are too many to be held: block by block, from counts in fine bins.

What is counted takes memory by slices and bins, not by rows. Rates are those that the rows themselves would
give, medians and scatters those to a tenth of their error, and the peak is fitted to the same window in bins
that are as fine. Ranges, and the levels that lay the baselines of the channels on each other, are taken from
the sample that a data set on disk holds: the baseline of all channels together can differ by half an error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pygama_gui.data.anchors import BINS_OF_FIT, Anchor, FineCounts, at_line, peak_of_counts
from pygama_gui.data.binned import MOST_FINE, BinnedGroups, add_places, scale_of
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.energies import fine_range
from pygama_gui.data.linked import Cuts, Rows
from pygama_gui.data.live_set import LiveSet
from pygama_gui.data.slices import (
    MOST_SLICES,
    Slices,
    quick_median_of,
    quick_scatter_of,
    rate_of,
    suitable_width,
)
from pygama_gui.data.trends import (
    BASELINES,
    HEIGHTS,
    NOISES,
    Asked,
    Trends,
    columns_for,
    first_of,
    level_of,
    raised,
)

MOST_CELLS = 8_000_000
"""Bins of all slices of one quantity together, of all that is asked at once; each takes 4 bytes."""
N_PEAK = 32_768
"""Bins in which a peak is found and fitted, at most."""
LEAST_BINS = 64


class GatheredTrends:
    """What is asked of a data set on disk, followed while its rows come by, in one thread at a time."""

    def __init__(self, live: LiveSet, cuts: Cuts | None, asks: Sequence[Asked]) -> None:
        names = set[str]().union(*(columns_for(live.columns.names, asked) for asked in asks))
        sample = {name: live.columns.column(name) for name in names if name in live.columns}
        self._has_times = CLOCK in sample
        self.columns = frozenset(names) | (frozenset() if cuts is None else cuts.columns)
        self._cuts, self._n_all, self._n_rows = cuts, live.n_rows, 0
        duration = sum(last - first for first, last in live.spans if first <= last)
        most = MOST_CELLS // len(asks)
        has_cuts = cuts is not None
        self._parts = [
            _Followed(asked, sample, duration, live.n_rows, most, has_cuts=has_cuts) for asked in asks
        ]

    def add(self, rows: Rows) -> None:
        """Follow the next rows."""
        n = len(next(iter(rows.values())))
        self._n_rows += n
        if not self._has_times:
            return
        passes = np.ones(n, bool) if self._cuts is None else np.asarray(self._cuts.mask(rows))
        for part in self._parts:
            part.add(rows, passes)

    def found(self, *, is_whole: bool = True) -> list[Trends]:
        """Give what is known so far; without the peak, and up to the newest time, while rows are to come."""
        if not self._has_times:
            return [Trends(part.asked, n_rows=self._n_rows, n_all=self._n_all) for part in self._parts]
        return [part.trends(self._n_rows, self._n_all, is_whole=is_whole) for part in self._parts]


@dataclass(eq=False)
class _Levels:
    """Levels of the channels, and how many rows of each were chosen."""

    codes: np.ndarray
    levels: np.ndarray
    counts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.codes), np.int64)

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Say which channel rows are of; a channel that the sample lacks counts as the one beside it."""
        return np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)

    def mean(self) -> float:
        """Give the mean level, weighted by the chosen rows."""
        return float(self.counts @ self.levels / self.counts.sum()) if self.counts.sum() else 0.0


class _Followed:
    """One of the things that are asked."""

    def __init__(
        self, asked: Asked, sample: Rows, duration: float, n_rows: int, most_cells: int, *, has_cuts: bool
    ) -> None:
        self.asked = asked
        self._sample = _of_channel(sample, asked.channel)
        self._span = (0.0, duration)
        self._newest = -math.inf
        self._n_chosen = 0
        width = asked.width or suitable_width(duration, n_rows)
        self._width = max(width, duration / MOST_SLICES) or 1.0
        self._slices = Slices(np.empty(0), self._width, self._span)
        n = len(self._slices.counts)
        self._baseline, self._noise = first_of(BASELINES, sample), first_of(NOISES, sample)
        self._levels = self._levels_of(sample)
        n_bins = max(min(MOST_FINE, most_cells // n), LEAST_BINS)
        self._further = first_of((asked.column,), sample)
        medians = {self._baseline, self._noise, self._further} - {""}
        self._binned = {
            name: BinnedGroups(scale_of(self._leveled(name, self._sample), n_bins), n) for name in medians
        }
        self._peak_column = self._column_of_peak(sample)
        self._chosen = self._chosen_anchor()
        self._fine = self._make_fine(n, most_cells)
        self._uncut = None  # counts of all rows of the channel, where cuts leave some of them out
        if has_cuts and self._chosen is None and self._fine is not None:
            self._uncut = replace(self._fine, counts=np.zeros_like(self._fine.counts[:1]))

    def _column_of_peak(self, rows: Rows) -> str:
        if not self.asked.has_peak:
            return ""
        return self.asked.peak_column if self.asked.peak_column in rows else first_of(HEIGHTS, rows)

    def _levels_of(self, sample: Rows) -> _Levels | None:
        """Find the levels of the channels where several are followed together."""
        if not self._baseline or self.asked.channel is not None or CODE not in sample:
            return None
        codes, values = sample[CODE], np.asarray(sample[self._baseline], np.float64)
        present = np.unique(codes)
        if len(present) < 2:
            return None
        return _Levels(present, np.array([level_of(values[codes == code]) for code in present.tolist()]))

    def _leveled(self, name: str, rows: Rows, which: np.ndarray | None = None) -> np.ndarray:
        values = np.asarray(rows[name] if which is None else rows[name][which], np.float64)
        if name != self._baseline or self._levels is None:
            return values
        codes = rows[CODE] if which is None else rows[CODE][which]
        return values - self._levels.levels[self._levels.places(codes)]

    def _chosen_anchor(self) -> Anchor | None:
        """Give the line that was chosen, where it is to be followed in any case or is clear in the sample."""
        line, column = self.asked.line, self._peak_column
        if line is None or not column or column != self.asked.peak_column:
            return None
        if self.asked.is_line_fixed:
            return Anchor(column, *line)
        return at_line(np.asarray(self._sample[column], np.float64), column, line)

    def _make_fine(self, n_slices: int, most_cells: int) -> FineCounts | None:
        """Choose the bins of the peak: those of its window where that is given, else of the whole range."""
        if not self._peak_column:
            return None
        if self._chosen is not None:
            counts = np.zeros((n_slices, BINS_OF_FIT), np.uint32)
            return FineCounts(counts, self._chosen.low, self._chosen.high)
        low, high = fine_range(self._sample[self._peak_column])
        n_bins = max(min(N_PEAK, most_cells // n_slices), LEAST_BINS)
        return FineCounts(np.zeros((n_slices, n_bins), np.uint32), low, high)

    def add(self, rows: Rows, passes: np.ndarray) -> None:
        """Count rows; passes: (n,) bool."""
        is_its = np.ones(len(passes), bool)
        if self.asked.channel is not None and CODE in rows:
            is_its = rows[CODE] == self.asked.channel
        passes = passes & is_its
        self._n_chosen += int(np.count_nonzero(passes))
        clock = rows[CLOCK]
        with np.errstate(invalid="ignore"):
            places = np.floor(clock / self._width) - math.floor(self._span[0] / self._width)
            is_inside = (places >= 0) & (places < len(self._slices.counts))
        which = np.flatnonzero(passes & is_inside)
        if self._uncut is not None:
            heights = np.asarray(rows[self._peak_column][is_its & is_inside], np.float64)
            self._add_to_peak(self._uncut, np.zeros(len(heights), np.int32), heights)
        self._newest = max(self._newest, float(np.nanmax(clock, initial=-math.inf)))
        places = places[which].astype(np.int32)
        self._slices.counts += np.bincount(places, minlength=len(self._slices.counts))
        if self._levels is not None:
            at = self._levels.places(rows[CODE][passes])
            self._levels.counts += np.bincount(at, minlength=len(self._levels.codes))
        for name, groups in self._binned.items():
            groups.add(places, self._leveled(name, rows, which))
        if self._fine is not None:
            self._add_to_peak(self._fine, places, np.asarray(rows[self._peak_column][which], np.float64))

    def _add_to_peak(self, fine: FineCounts, places: np.ndarray, values: np.ndarray) -> None:
        inside = (values >= fine.low) & (values < fine.high)
        n_bins = fine.counts.shape[1]
        bins = ((values[inside] - fine.low) * (n_bins / (fine.high - fine.low))).astype(np.int32)
        add_places(fine.counts, places[inside], np.minimum(bins, n_bins - 1))

    def trends(self, n_rows: int, n_all: int, *, is_whole: bool) -> Trends:
        """Give the series so far; see `GatheredTrends.found`."""
        slices, asked = self._slices, self.asked
        if not is_whole:
            slices = Slices(np.empty(0), self._width, self._span)
            slices.counts = self._slices.counts
            slices.is_covered &= slices.edges[1:] <= self._newest
        middles = {name: groups.middles() for name, groups in self._binned.items()}
        made = [rate_of(slices)]
        if self._baseline:
            unit, words = asked.unit(self._baseline) or "ADC", f"baseline ({self._baseline})"
            series = quick_median_of(slices, middles[self._baseline], "baseline", words, unit)
            made.append(series if self._levels is None else raised(series, self._levels.mean()))
        if self._noise:
            words = f"noise ({self._noise})"
            made.append(
                quick_median_of(
                    slices, middles[self._noise], "noise", words, asked.unit(self._noise) or "ADC"
                )
            )
        elif self._baseline:
            made.append(quick_scatter_of(slices, middles[self._baseline], "baseline scatter", "ADC"))
        anchor = self._anchor() if is_whole else None
        if anchor is not None and self._fine is not None:
            made += peak_of_counts(slices, self._fine, anchor, asked.unit(self._peak_column))
        if further := self._further:
            made.append(quick_median_of(slices, middles[further], "column", further, asked.unit(further)))
        return Trends(
            asked, tuple(made), self._width, self._span, n_rows, self._n_chosen, anchor, n_all=n_all
        )

    def _anchor(self) -> Anchor | None:
        if self._fine is None or self._chosen is not None:
            return self._chosen
        line = self.asked.line if self._peak_column == self.asked.peak_column else None
        found = None if self._uncut is None else self._uncut.total().find_anchor(self._peak_column, line)
        return found or self._fine.total().find_anchor(self._peak_column, line)


def _of_channel(rows: Rows, channel: int | None) -> Rows:
    if channel is None or CODE not in rows:
        return rows
    is_its = rows[CODE] == channel
    return {name: values[is_its] for name, values in rows.items()}
