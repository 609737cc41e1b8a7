"""Follows a run in time: rate, baseline, noise and a peak in slices, with errors.

What is sorted once is followed quickly whichever rows pass the cuts. Slices are of `slices`, the peak is of
`anchors`; what moved is found by `moves` and told by `trend_words`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pygama.analysis.counting import Axis as Bins
from pygama.analysis.counting import Columns, Wanted, count, empty_tables
from pygama.analysis.groups import Groups
from pygama.quick_dataclass import dataclass
from pygama_gui.data.anchors import Anchor, Fits, at_line, find_anchor, peak_of
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.linked import Axis, Counter, Cuts, Rows, Want
from pygama_gui.data.slices import (
    KINDS,
    MOST_SLICES,
    Middles,
    Series,
    Slices,
    lateness,
    median_of,
    quick_median_of,
    quick_scatter_of,
    rate_of,
    scatter_of,
    suitable_width,
)

OF_PEAK = ("position", "width")
"""Kinds of series that are fitted, which takes most of the time."""
MOST_KNOWN = 8
"""Runs whose peaks are known: the one that is looked at, the five of a band, and two more."""
MOST_READY = 4
"""Runs and channels that are kept sorted."""
BASELINES = ("bl_int", "bl_avg", "fc_baseline")
NOISES = ("bl_rms", "noise_rms")
HEIGHTS = ("trap_max", "energy")


@dataclass(frozen=True)
class Asked:
    """What is to be followed. channel: None for all rows. width: of slices, s; None: what suits the run.

    column: a further column, '' for none. line: window of the peak in peak_column, taken where the channel
    has a peak there, or in any case if is_line_fixed; else the program looks for one. is_growing: the newest
    slices, of which hits are still to come, are left out; ends_early: so are the last ones, of which hits are
    missing.
    """

    channel: int | None = None
    width: float | None = None
    column: str = ""
    peak_column: str = ""
    line: tuple[float, float] | None = None
    is_line_fixed: bool = False
    has_peak: bool = True
    """Whether a peak is followed, which takes most of the time."""
    is_growing: bool = False
    ends_early: bool = False
    units: tuple[tuple[str, str], ...] = ()
    """(column, unit)."""

    def unit(self, column: str) -> str:
        """Give the unit of a column; empty where it is not known."""
        return dict(self.units).get(column, "")


@dataclass(frozen=True)
class Trends:
    """What was followed. span: first and last time of the rows, s."""

    asked: Asked
    series: tuple[Series, ...] = ()
    width: float = 0.0
    span: tuple[float, float] = (0.0, 0.0)
    n_rows: int = 0
    n_chosen: int = 0
    anchor: Anchor | None = None
    late: tuple[str, ...] = ()
    """Kinds of series that are still of earlier cuts."""
    n_all: int = 0
    """Rows that there are, where they are followed from files; 0: all were followed."""

    @property
    def is_whole(self) -> bool:
        """Whether all rows that there are were followed."""
        return self.n_rows >= self.n_all

    @property
    def is_line_missed(self) -> bool:
        """Whether another peak is followed than the one that was chosen, because none is clear there."""
        line, anchor = self.asked.line, self.anchor
        return line is not None and anchor is not None and (anchor.low, anchor.high) != line

    def of(self, kind: str) -> Series | None:
        """Give the series of a kind."""
        return next((one for one in self.series if one.kind == kind), None)


@dataclass(frozen=True, eq=False)
class Ready:
    """What is sorted of a run, so that it is followed quickly whichever of its rows pass the cuts.

    places: (n_rows,) slice of each row, below 0 where it is in none. groups: column -> its values by slice.
    window: rows in the window of the peak.
    """

    asked: Asked
    width: float
    n_rows: int
    places: np.ndarray
    n_slices: int
    groups: Mapping[str, Groups]
    window: tuple[Anchor, np.ndarray] | None


@dataclass(frozen=True, eq=False)
class _Levels:
    """Levels of the channels by all rows of each, (n_channels,). places: (n_rows,), whose channel it is."""

    levels: np.ndarray
    places: np.ndarray

    def count(self, chosen: np.ndarray) -> np.ndarray:
        """Count the chosen rows of each channel; chosen: (n_rows,) bool."""
        wanted = Wanted(Bins("place", 0, len(self.levels), len(self.levels)))
        tables = empty_tables([wanted])
        count(Columns({"place": self.places}), [wanted], tables, mask=chosen)
        return tables[0][: len(self.levels)]

    def mean(self, n: np.ndarray) -> float:
        """Give the mean level, weighted by how many rows of each channel there are."""
        return float(n @ self.levels / n.sum()) if n.sum() else 0.0


@dataclass(frozen=True, eq=False)
class Chosen:
    """Rows that pass cuts: passes, (n_rows,) bool; how many of them are of each slice, and of each channel.

    ready: what is sorted of the run. of_slices: those of the channel that is followed. of_levels: None where
    channels have no levels.
    """

    ready: Ready
    passes: np.ndarray
    of_slices: np.ndarray
    of_levels: np.ndarray | None


def clock_of(rows: Rows) -> np.ndarray:
    """Give the times of events, of a data set on one clock for all its runs."""
    return np.asarray(rows[CLOCK if CLOCK in rows else "time_s"], np.float64)


class _Peaks:
    """The peaks of a run that were found and fitted."""

    def __init__(self) -> None:
        self.fits = Fits()
        self.anchors: dict[Hashable, tuple[int, Anchor | None]] = {}


class Trender:
    """Follows runs; to be used in one thread at a time. It keeps fits and the peaks that it found."""

    def __init__(self) -> None:
        self._peaks: OrderedDict[Hashable, _Peaks] = OrderedDict()
        self._ready: OrderedDict[tuple[Hashable, int | None], Ready] = OrderedDict()
        self._levels: tuple[Hashable, _Levels | None] = (None, None)
        self._spans: tuple[Hashable, tuple[int, tuple[float, float]]] = (None, (0, (0.0, 0.0)))

    def follow(self, table: Hashable, rows: Rows, cuts: Cuts | None, asked: Asked) -> Trends:
        """Follow a run, (n_rows,) columns by name. table: stands for the run, as in `linked.Counter`."""
        if "time_s" not in rows or not len(rows["time_s"]):
            return Trends(asked)
        everything = clock_of(rows)
        n_known, span = self._span(table, everything)
        if not n_known:
            return Trends(asked, n_rows=len(everything))
        is_chosen = is_chosen_row(rows, cuts, asked.channel)
        width = asked.width or suitable_width(span[1] - span[0], n_known)
        width = max(width, (span[1] - span[0]) / MOST_SLICES)
        ready = self._ready.get((table, asked.channel))
        if ready is not None and (ready.asked, ready.width, ready.n_rows) == (asked, width, len(everything)):
            slices = _counted_slices(ready, is_chosen, span)
        else:
            is_open = asked.is_growing or asked.ends_early
            settled = (span[0], max(span[1] - lateness(everything), span[0])) if is_open else span
            ready, slices = None, Slices(everything[is_chosen], width, settled, is_growing=is_open)
        series, anchor = self._series(table, rows, is_chosen, slices, asked, ready)
        n_chosen = int(np.count_nonzero(is_chosen))
        return Trends(asked, tuple(series), width, span, len(everything), n_chosen, anchor)

    def choose(
        self, counter: Counter, table: Hashable, rows: Rows, cuts: Cuts | None, trends: Trends, ready: Ready
    ) -> Chosen:
        """Find for `moved` which rows pass other cuts, by what the counter knows of the cuts before.

        ready: what `ready_for` gave; later it may be another one's.
        """
        levels = self._levels_of(table, rows, first_of(BASELINES, rows), trends.asked)
        place, level = f"slice of {ready.width!r} s", "place of channel"
        rows = {**rows, place: ready.places}
        wants = [Want(Axis(place, 0.0, float(ready.n_slices), ready.n_slices), channel=trends.asked.channel)]
        if levels is not None:
            n = len(levels.levels)
            rows[level] = levels.places
            wants.append(Want(Axis(level, 0.0, float(n), n)))
        of_slices, *of_levels = (one.counts for one in counter.count(table, rows, cuts, wants) if one)
        passes = np.ones(ready.n_rows, bool) if cuts is None else counter.mask(table, rows, cuts)
        return Chosen(ready, passes, of_slices, of_levels[0] if of_levels else None)

    def moved(self, table: Hashable, rows: Rows, trends: Trends, chosen: Chosen) -> Trends:
        """Follow what was followed under other cuts, but for its peak, which stays, as one that is late.

        May be called in another thread than the rest.
        """
        ready, passes = chosen.ready, chosen.passes
        if trends.asked.channel is not None and CODE in rows:
            passes = passes & (rows[CODE] == trends.asked.channel)
        slices = Slices(np.empty(0), ready.width, trends.span)
        slices.counts = chosen.of_slices
        asked = replace(trends.asked, has_peak=False)
        series, _ = self._series(table, rows, passes, slices, asked, ready, chosen.of_levels)
        late = [one for one in trends.series if one.kind in OF_PEAK]
        return replace(
            trends,
            series=tuple(sorted([*series, *late], key=lambda one: KINDS.index(one.kind))),
            n_chosen=int(np.count_nonzero(passes)),
            late=tuple(one.kind for one in late),
        )

    def ready_for(self, table: Hashable, trends: Trends) -> Ready | None:
        """Give what is sorted of a run, if it can be followed by that under other cuts; else None."""
        ready = self._ready.get((table, trends.asked.channel))
        wanted = (trends.asked, trends.width, trends.n_rows)
        fits = ready is not None and (ready.asked, ready.width, ready.n_rows) == wanted
        return ready if fits else None

    def _span(self, table: Hashable, times: np.ndarray) -> tuple[int, tuple[float, float]]:
        """Give how many times are known, and the first and the last of them."""
        key = (table, len(times))
        if self._spans[0] != key:
            known = times[np.isfinite(times)]
            span = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
            self._spans = (key, (len(known), span))
        return self._spans[1]

    def prepare(self, table: Hashable, rows: Rows, trends: Trends) -> None:
        """Sort a run that is whole, so that it is followed quickly when its cuts are dragged."""
        asked, key = trends.asked, (table, trends.asked.channel)
        held = self._ready.get(key)
        n = len(rows["time_s"]) if "time_s" in rows else 0
        if (
            not n
            or asked.ends_early
            or (held and (held.asked, held.width, held.n_rows) == (asked, trends.width, n))
        ):
            return
        empty = Slices(np.empty(0), trends.width, trends.span)
        n_slices, places = len(empty.counts), np.full(n, -1, np.int16)
        times = clock_of(rows)
        with np.errstate(invalid="ignore"):
            found = np.floor(times / trends.width) - math.floor(trends.span[0] / trends.width)
            inside = (found >= 0) & (found < n_slices)
        places[inside] = found[inside]
        groups = {
            name: Groups(self._values(table, rows, name, asked), places, n_slices)
            for name in self._followed(rows, asked)
        }
        window = None
        if (anchor := trends.anchor) is not None:
            heights = rows[anchor.column]
            window = (anchor, np.flatnonzero((heights >= anchor.low) & (heights <= anchor.high)))
        self._ready[key] = Ready(asked, trends.width, n, places, n_slices, groups, window)
        while len(self._ready) > MOST_READY:
            self._ready.popitem(last=False)

    def _followed(self, rows: Rows, asked: Asked) -> set[str]:
        """Name the columns that medians are taken of."""
        wanted = {first_of(BASELINES, rows), first_of(NOISES, rows)}
        if asked.column in rows and rows[asked.column].dtype.kind in "iuf":
            wanted.add(asked.column)
        return wanted - {""}

    def _values(self, table: Hashable, rows: Rows, name: str, asked: Asked) -> np.ndarray:
        """Give a column; the baseline of several channels as what lies between it and its channel's level."""
        values = np.asarray(rows[name], np.float64)
        levels = self._levels_of(table, rows, name, asked)
        return values if levels is None else values - levels.levels[levels.places]

    def _levels_of(self, table: Hashable, rows: Rows, name: str, asked: Asked) -> _Levels | None:
        """Give the levels of the channels; None where they are not laid on each other."""
        if name != first_of(BASELINES, rows) or asked.channel is not None or CODE not in rows:
            return None
        key = (table, name, len(rows[name]))
        if self._levels[0] != key:
            self._levels = (key, _levels(np.asarray(rows[name], np.float64), rows[CODE]))
        return self._levels[1]

    def _series(
        self,
        table: Hashable,
        rows: Rows,
        chosen: np.ndarray,
        slices: Slices,
        asked: Asked,
        ready: Ready | None,
        of_levels: np.ndarray | None = None,
    ) -> tuple[list[Series], Anchor | None]:
        def values_of(name: str) -> np.ndarray:
            return self._values(table, rows, name, asked)[chosen]

        sorted_ones = {} if ready is None else ready.groups
        middles = {name: Middles(one, chosen) for name, one in sorted_ones.items()}

        def medians(kind: str, name: str, words: str, unit: str) -> Series:
            if name in middles:
                return quick_median_of(slices, middles[name], kind, words, unit)
            return median_of(slices, values_of(name), kind, words, unit)

        made = [rate_of(slices)]
        baseline, noise = first_of(BASELINES, rows), first_of(NOISES, rows)
        if baseline:
            unit = asked.unit(baseline) or "ADC"
            series = medians("baseline", baseline, f"baseline ({baseline})", unit)
            levels = self._levels_of(table, rows, baseline, asked)
            if levels is not None:
                of_levels = levels.count(chosen) if of_levels is None else of_levels
                series = raised(series, levels.mean(of_levels))
            made.append(series)
        if noise:
            made.append(medians("noise", noise, f"noise ({noise})", asked.unit(noise) or "ADC"))
        elif baseline in middles:
            made.append(quick_scatter_of(slices, middles[baseline], "baseline scatter", "ADC"))
        elif baseline:
            made.append(scatter_of(slices, values_of(baseline), "baseline scatter", "ADC"))
        column = asked.peak_column if asked.peak_column in rows else first_of(HEIGHTS, rows)
        anchor = None
        if column and asked.has_peak:
            anchor = self._anchor(table, rows, chosen, column, asked)
            if anchor is not None:
                key = (table, asked.channel, column)
                parts = self._in_window(rows, chosen, slices, anchor, ready)
                made += peak_of(*parts, anchor, asked.unit(column), self._peaks_of(table).fits, key)
        if asked.column and asked.column in rows and rows[asked.column].dtype.kind in "iuf":
            made.append(medians("column", asked.column, asked.column, asked.unit(asked.column)))
        return made, anchor

    def _in_window(
        self, rows: Rows, chosen: np.ndarray, slices: Slices, anchor: Anchor, ready: Ready | None
    ) -> tuple[Slices, np.ndarray]:
        """Give what the peak is fitted to; where the rows in its window are known, those alone."""
        if ready is None:
            return slices, np.asarray(rows[anchor.column][chosen], np.float64)
        if ready.window is not None and ready.window[0] == anchor:
            inside = ready.window[1]
        else:
            heights = rows[anchor.column]
            inside = np.flatnonzero((heights >= anchor.low) & (heights <= anchor.high))
        inside = inside[chosen[inside]]
        times = clock_of(rows)[inside]
        span = (float(slices.edges[0]), float(slices.edges[-1]))
        width = ready.width
        few = Slices(times, width, (span[0] + width / 2, span[1] - width / 2))
        return few, np.asarray(rows[anchor.column][inside], np.float64)

    def _anchor(
        self, table: Hashable, rows: Rows, chosen: np.ndarray, column: str, asked: Asked
    ) -> Anchor | None:
        """Take the line that was chosen; else look for one, again when there are twice as many events.

        It is looked for among all events of the channel, whatever passes the cuts, and when the run is over
        among all that came: so whoever follows the channel follows the same peak.
        """
        line = asked.line if column == asked.peak_column else None
        if line is not None and asked.is_line_fixed:
            return Anchor(column, *line)
        key = (table, asked.channel, column, line)
        anchors = self._peaks_of(table).anchors
        n, anchor = anchors.get(key, (0, None))
        its = is_chosen_row(rows, None, asked.channel)
        n_its = int(np.count_nonzero(its))
        if n_its >= 2 * max(n, 1) if asked.is_growing else n_its != n:
            anchor = _seek(rows[column], its, column, line)
            anchors[key] = (n_its, anchor)
        return anchor or _seek(rows[column], chosen, column, line)

    def _peaks_of(self, table: Hashable) -> _Peaks:
        """Give what is known of the peaks of a run; of those not followed for longest it is forgotten.

        A table that stands for a run may hold all of its rows.
        """
        known = self._peaks.setdefault(table, _Peaks())
        self._peaks.move_to_end(table)
        while len(self._peaks) > MOST_KNOWN:
            self._peaks.popitem(last=False)
        return known


def _seek(
    heights: np.ndarray, chosen: np.ndarray, column: str, line: tuple[float, float] | None
) -> Anchor | None:
    """Look for a peak to follow among the chosen events: that at the line if it is clear, or another."""
    values = np.asarray(heights[chosen], np.float64)
    anchor = None if line is None else at_line(values, column, line)
    return anchor or find_anchor(values, column)


def aligned(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Lay the levels of several channels on each other, so that their scatter is not what lies between them.

    The level is the mean without the outer twentieths: a median would jump where half of the run moved.
    """
    present = np.unique(codes)
    if len(present) < 2 or not np.isfinite(values).any():
        return values
    whole, moved = level_of(values), values.copy()
    for code in present.tolist():
        is_its = codes == code
        moved[is_its] += whole - level_of(values[is_its])
    return moved


def level_of(values: np.ndarray) -> float:
    """Give the mean without the outer twentieths; 0 where nothing is known."""
    known = np.sort(values[np.isfinite(values)])
    cut = len(known) // 20
    return float(known[cut : len(known) - cut].mean()) if len(known) else 0.0


def _levels(values: np.ndarray, codes: np.ndarray) -> _Levels | None:
    """Give the level of each channel; None where there is one channel, or nothing is known."""
    present, places = np.unique(codes, return_inverse=True)
    if len(present) < 2:
        return None
    places = places.reshape(-1).astype(np.int16)
    levels = np.array([level_of(values[places == at]) for at in range(len(present))])
    return _Levels(levels, places)


def raised(series: Series, by: float) -> Series:
    """Give values that are higher by a constant."""
    return replace(series, values=series.values + by)


def _counted_slices(ready: Ready, chosen: np.ndarray, span: tuple[float, float]) -> Slices:
    """Give the slices with how many of the chosen rows are in each, without sorting them."""
    slices = Slices(np.empty(0), ready.width, span)
    wanted = Wanted(Bins("place", 0, ready.n_slices, ready.n_slices))
    tables = empty_tables([wanted])
    count(Columns({"place": ready.places}), [wanted], tables, mask=chosen)
    slices.counts = tables[0][: ready.n_slices].astype(np.int64)
    return slices


def is_chosen_row(rows: Rows, cuts: Cuts | None, channel: int | None) -> np.ndarray:
    """Tell which rows of a channel (None: of all) pass the cuts, (n_rows,) bool."""
    n = len(rows["time_s"])
    chosen = np.ones(n, bool) if cuts is None else np.asarray(cuts.mask(rows))
    if channel is not None and CODE in rows:
        chosen = chosen & (rows[CODE] == channel)
    return chosen


def chosen_rows(rows: Rows, cuts: Cuts | None, channel: int | None) -> np.ndarray:
    """Give the places of the rows of a channel (None: all) that pass the cuts."""
    return np.flatnonzero(is_chosen_row(rows, cuts, channel))


def columns_for(names: Sequence[str], asked: Asked) -> set[str]:
    """Give the columns, of those that a run has, that are read to follow it."""
    wanted = {"time_s", CLOCK, CODE, *BASELINES, *NOISES, *HEIGHTS, asked.column, asked.peak_column}
    return wanted & set(names)


def first_of(wanted: Sequence[str], rows: Mapping[str, np.ndarray]) -> str:
    """Give the first of the names that is there and holds numbers; '' where none does."""
    return next((name for name in wanted if name in rows and rows[name].dtype.kind in "iuf"), "")
