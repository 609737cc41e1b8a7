"""Says how each channel does: its figures, and one word for its state, with the reason.

A channel is compared with the others and with itself earlier, never with a fixed level: dead has no events
while the others have, silent had some and has none of late, quiet has far fewer than they, noisy far more
events or far more noise than they or than itself earlier, saturated a share of events at the end of the
range, drifting a baseline that left the place where it began, or a gain that did. Quiet is also one whose
rate fell in the course of the run, or that gave nothing for a while.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.peaks import PeakFit, fit_peak
from pygama.quick_dataclass import dataclass
from pygama.utils import grouped, signed_text
from pygama_gui.data.anchors import BINS_OF_FIT, find_anchor
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.falls import Pause, counts_in_time, falls_of, pauses_of
from pygama_gui.data.gain import N_PARTS, Gone, PeakInTime, follow_peak, gain_trouble
from pygama_gui.data.linked import Cuts, Rows
from pygama_gui.data.silence import EXPECTED, N_EARLIER, N_NEWEST, Presence, newest_of, presence_of
from pygama_gui.data.slices import MEDIAN_ERROR, median_and_scatter
from pygama_gui.data.trend_words import Clock
from pygama_gui.data.trends import BASELINES, HEIGHTS, NOISES, chosen_rows, first_of
from pygama_gui.session.codes import CARD, CRATE

STATES = ("dead", "silent", "saturated", "noisy", "quiet", "drifting", "ok")
"""What is worst comes first."""
MARKS = dict(zip(STATES, "✕✕■▲▽◆✓", strict=True))
TONES = dict.fromkeys(STATES, "warn") | {"dead": "bad", "silent": "bad", "ok": "ok"}
N_BINS = 128
"""Bins of a small spectrum."""
MUCH, NOISIER = 10.0, 4.0
"""How many times the rate, and the noise, of the typical channel is far above it."""
N_JUST_NOW, LEAST_STRETCH, MOST_STRETCHES = 80, 200, 10
"""Events of a channel whose noise is that of now, and those of a stretch that it is compared with."""
LOUDER = 2.5
"""So many times the noise of the calmest stretch is louder than by chance."""
SATURATED_SHARE, LEAST_SATURATED = 0.02, 5
"""Share, and number, of events at the end of the range."""
PILE, NEAR = 1e-3, 0.02
"""Parts of the range, from its top down, in which events pile up, and in which they are compared."""
PILE_OVER, LEAST_PILED = 20.0, 8
"""A pile is so many times as dense as the events below it, and holds as many events or more."""
EQUAL, MOST_OF_STEPS = 0.01, 0.5
"""Steps between the events of a pulser are equal to so much; so large a share of them is, at least."""
DRIFT_SIGMA, DRIFT_SCATTERS = 5.0, 5.0
"""A drift is this significant, and this many times the scatter of single events."""
LEAST_FOR_DRIFT = 30
"""Events in a third of the run."""

MOST_IN_TABLE = 1_000_000
"""Codes between the least and the greatest that a table is made for."""

NO_LOUDNESS: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True)
class Figures:
    """What is known of one channel; NaN where it is not. Rates in Hz, heights in the unit of the columns.

    baseline_rms: scatter of the baseline from event to event; noise: median of the noise column.
    saturated: events at the end of the range. moved: how far the baseline is in the last third of the run
    from where it was in the first, with its error and the scatter of single events. louder: how many times
    the noise just now is that of the calmest stretch before. newest, expected: events among the newest rows,
    and how many the share of the earlier rows lets expect. counts: (N_BINS,). fell: part by which the rate
    fell in the course of the run, beside the others; paused: the longest time that it gave nothing between.
    """

    code: int
    n_events: int = 0
    rate: float = math.nan
    rate_error: float = math.nan
    baseline: float = math.nan
    baseline_rms: float = math.nan
    noise: float = math.nan
    saturated: int = 0
    moved: float = math.nan
    moved_error: float = math.nan
    moved_scatter: float = math.nan
    louder: float = math.nan
    newest: int = 0
    expected: float = 0.0
    counts: np.ndarray = field(default_factory=lambda: np.zeros(N_BINS, np.int64))
    fell: float = 0.0
    paused: Pause = Pause()


@dataclass(frozen=True)
class Health:
    """The state of one channel, one of STATES, and why."""

    state: str
    why: str = ""

    @property
    def words(self) -> str:
        """Give shape and word: '▲ noisy'."""
        return f"{MARKS[self.state]} {self.state}"

    @property
    def tone(self) -> str:
        """Give the tone that goes with it."""
        return TONES[self.state]


@dataclass(frozen=True)
class Survey:
    """All channels of a run. column: of the spectra; edges: (N_BINS + 1,). duration: s."""

    figures: tuple[Figures, ...] = ()
    health: tuple[Health, ...] = ()
    column: str = ""
    edges: np.ndarray = field(default_factory=lambda: np.linspace(0.0, 1.0, N_BINS + 1))
    duration: float = math.nan
    first: float = math.nan
    """Time of the first event, s."""
    n_rows: int = 0
    baseline_column: str = ""
    noise_column: str = ""
    is_recounted: bool = False
    """Whether events, rates and spectra alone are of the present cuts, and all else of earlier ones."""
    is_late: bool = False
    """Whether all of it is of earlier cuts."""
    n_all: int = 0
    """Rows that there are, where they come block by block."""

    @property
    def codes(self) -> list[int]:
        """The channels."""
        return [one.code for one in self.figures]

    @property
    def is_whole(self) -> bool:
        """Whether all rows that there are were looked at."""
        return self.n_rows >= self.n_all


@dataclass(frozen=True)
class Peak:
    """The peak of a channel: FWHM and position with errors; NaN where there is none."""

    fwhm: float = math.nan
    fwhm_error: float = math.nan
    position: float = math.nan
    position_error: float = math.nan
    name: str = ""
    """Of the line, where it is known."""
    in_time: PeakInTime | None = field(default=None, compare=False)
    """Where it was in parts of the time; None where there is too little to tell."""


# The survey


def survey(
    rows: Rows,
    cuts: Cuts | None,
    codes: Sequence[int],
    column: str,
    loudness: Mapping[int, float] = NO_LOUDNESS,
) -> Survey:
    """Look at all channels in one pass over the rows.

    codes: the channels to tell of, with or without rows. column: of the spectra; the first known height
    where the run does not have it. loudness: by code, how many times its noise just now is that of its
    calmest time, as far as waveforms tell.
    """
    if CODE not in rows or not codes:
        return Survey()
    shown = column if first_of([column], rows) else first_of(HEIGHTS, rows)
    chosen = _chosen(rows, cuts)
    places = _places_of(rows[CODE][chosen], np.asarray(codes))
    order, ends = _by_channel(places, len(codes))
    parts = np.split(order, ends[:-1])
    groups = [chosen[part] for part in parts]
    first, duration, middle_times = _times(rows, chosen)
    edges = shared_edges(rows[shown][chosen]) if shown else np.linspace(0.0, 1.0, N_BINS + 1)
    newest = _newest(rows, chosen, codes, parts)
    names = (first_of(BASELINES, rows), first_of(NOISES, rows))
    figures = [
        _figures(code, rows, group, duration, middle_times, (shown, edges), names, seen, loudness.get(code))
        for code, group, seen in zip(codes, groups, newest, strict=True)
    ]
    if clock := clock_name(rows):
        in_time = counts_in_time(np.asarray(rows[clock][chosen], np.float64), places, len(codes))
        figures = figures if in_time is None else with_course(figures, *in_time)
    return Survey(tuple(figures), judge(figures), shown, edges, duration, first, len(rows[CODE]), *names)


def with_course(figures: Sequence[Figures], counts: np.ndarray, width: float) -> list[Figures]:
    """Add how the rates went in the course of a run. counts, width: as in `falls.falls_of`."""
    courses = zip(figures, falls_of(counts, width), pauses_of(counts, width), strict=True)
    return [replace(one, fell=fell, paused=pause) for one, fell, pause in courses]


def _chosen(rows: Rows, cuts: Cuts | None) -> np.ndarray:
    if cuts is None:
        return np.arange(len(rows[CODE]))
    return np.flatnonzero(cuts.mask(rows)) if "time_s" not in rows else chosen_rows(rows, cuts, None)


def _by_channel(places: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort rows by channel: places of the rows of the first channel, of the next …, and where each ends."""
    order = np.argsort(places, kind="stable")
    n_of_others, *counts = np.bincount(places + 1, minlength=n + 1).tolist()
    return order[n_of_others:], np.cumsum(counts)


def _places_of(codes_of_rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Give the place of each row's channel among some, -1 for others; (n_rows,) int16."""
    low, high = int(codes.min()), int(codes.max())
    if high - low >= MOST_IN_TABLE:
        ranks = np.argsort(codes, kind="stable")
        found = ranks[np.minimum(np.searchsorted(codes, codes_of_rows, sorter=ranks), len(codes) - 1)]
        return np.where(codes[found] == codes_of_rows, found, -1).astype(np.int16)
    # A look into a table takes a tenth of the time of a search; what lies outside has the last place.
    table = np.full(high - low + 2, -1, np.int16)
    table[codes[::-1] - low] = np.arange(len(codes), dtype=np.int16)[::-1]
    places = codes_of_rows - low
    places[(places < 0) | (places > high - low)] = high - low + 1
    return table[places.astype(np.intp, copy=False)]


def _times(rows: Rows, chosen: np.ndarray) -> tuple[float, float, tuple[float, float]]:
    """Give when the rows begin and how long they last, s; where the first third ends, the last one begins."""
    name = clock_name(rows)
    times = rows[name][chosen] if name else np.empty(0)
    ends = ends_of(times)
    third = (ends[1] - ends[0]) / 3
    return ends[0], duration_of(times), (ends[0] + third, ends[1] - third)


def duration_of(times: np.ndarray) -> float:
    """Give how long it is from the first of some times to the last, s; NaN where that is not known or 0."""
    first, last = ends_of(times)
    return (last - first) or math.nan


def ends_of(times: np.ndarray) -> tuple[float, float]:
    """Give the first and the last of some times, s; NaN with fewer than two."""
    times = times[np.isfinite(times)]
    return (float(times.min()), float(times.max())) if len(times) > 1 else (math.nan, math.nan)


def rate_with_error(n: int, duration: float) -> tuple[float, float]:
    """Give a rate and its error, that of one event where there is none."""
    return n / duration, math.sqrt(max(n, 1)) / duration


def clock_name(rows: Rows) -> str:
    """Name the column of times; of a data set, the one that goes on from run to run. '' without times."""
    if "time_s" not in rows:
        return ""
    return CLOCK if CLOCK in rows else "time_s"


def shared_edges(values: np.ndarray) -> np.ndarray:
    """Choose bins that hold nearly all values of all channels."""
    known = values[:: max(len(values) // 100_000, 1)].astype(np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return np.linspace(0.0, 1.0, N_BINS + 1)
    low, high = np.quantile(known, [0.001, 0.999]).tolist()
    low = 0.0 if 0 <= low < 0.2 * high else low
    # A hair above, for what piles up at the high end: an upper edge belongs to the next bin.
    high = math.nextafter(high, math.inf) if high > low else low + 1.0
    return np.linspace(low, high, N_BINS + 1)


def _newest(
    rows: Rows, chosen: np.ndarray, codes: Sequence[int], parts: Sequence[np.ndarray]
) -> list[tuple[int, float]]:
    """Give what `newest_of` does; parts: places of the rows of each channel among those chosen."""
    clock, late = clock_name(rows), chosen[-N_NEWEST - N_EARLIER :]

    def presence(place: int) -> Presence:
        times = np.asarray(rows[clock][chosen], np.float64) if clock else None
        return presence_of(parts[place], len(chosen), times)

    times = np.asarray(rows[clock][late], np.float64) if clock else None
    return newest_of(rows[CODE][late], times, codes, len(chosen), presence)


def _figures(
    code: int,
    rows: Rows,
    group: np.ndarray,
    duration: float,
    thirds: tuple[float, float],
    shown: tuple[str, np.ndarray],
    names: tuple[str, str],
    seen: tuple[int, float],
    loudness: float | None,
) -> Figures:
    n = len(group)
    column, edges = shown
    heights = np.asarray(rows[column].take(group), np.float64) if column else np.empty(0)
    baselines = np.asarray(rows[names[0]].take(group), np.float64) if names[0] else np.empty(0)
    clock = clock_name(rows)
    times = rows[clock].take(group) if clock else np.empty(0)
    noises = np.asarray(rows[names[1]].take(group), np.float64) if names[1] else np.empty(0)
    slopes = np.asarray(rows[SLOPE].take(group), np.float64) if SLOPE in rows else np.empty(0)
    return Figures(
        code,
        n,
        *rate_with_error(n, duration),
        *median_and_scatter(baselines),
        median_and_scatter(noises)[0],
        count_saturated(
            {name: rows[name].take(group) for name in SATURATION if name in rows}, heights, times
        ),
        *moved(times, baselines, thirds),
        float(np.fmax(louder(noises, 0) if names[1] else louder(slopes, 1), loudness or math.nan)),
        *seen,
        _counts_in(heights, edges),
    )


def _counts_in(heights: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count heights in bins of equal width, of which each has its lower edge alone."""
    # Given as a range, NumPy computes the bins in place of a search for each value, and finds the same ones.
    span = (float(edges[0]), float(edges[-1]))
    return np.histogram(heights[heights < span[1]], len(edges) - 1, span)[0]


SLOPE = "bl_slope"
"""Scatters as the noise does, where no column tells the noise itself."""
SATURATION = ("is_saturated", "n_sat_high", "n_sat_low")


def count_saturated(
    columns: Mapping[str, np.ndarray], heights: np.ndarray, times: np.ndarray | None = None
) -> int:
    """Count events at the end of the range: by the chain's own columns, else those piled at the top.

    times: of the events, (n,); a pile that comes at equal steps is the line of a pulser.
    """
    if columns:
        return int(is_flagged(columns).sum())
    return int(are_piled(heights, times).sum())


def are_piled(heights: np.ndarray, times: np.ndarray | None = None) -> np.ndarray:
    """Tell which events pile up at the top, as those of a channel beyond its range do; (n,) bool.

    times: as in `count_saturated`.
    """
    top = float(heights[np.isfinite(heights)].max(initial=0.0))
    none = np.zeros(len(heights), bool)
    if top <= 0:
        return none
    at_top, near = (heights >= (1 - depth) * top for depth in (PILE, NEAR))
    if times is not None and len(times) == len(heights) and are_pulsed(times[at_top]):
        return none
    return at_top if in_pile(int(at_top.sum()), int(near.sum())) else none


def at_end_of_range(rows: Rows, column: str) -> np.ndarray:
    """Tell which events are at the end of the range by their values of a column, (n_rows,) bool.

    By the chain's own columns where it has them, else those piled at the top of their channel, or of all
    channels where each alone has too few.
    """
    heights = np.asarray(rows[column], np.float64)
    if flags := {name: rows[name] for name in SATURATION if name in rows}:
        return is_flagged(flags)
    clock = clock_name(rows)
    times = np.asarray(rows[clock], np.float64) if clock else None
    found = are_piled(heights, times)
    for code in np.unique(rows[CODE]) if CODE in rows else ():
        own = np.flatnonzero(rows[CODE] == code)
        found[own] |= are_piled(heights[own], None if times is None else times[own])
    return found


COLUMNS_OF_RANGE = (CODE, CLOCK, "time_s", *SATURATION)
"""What `at_end_of_range` reads beside the column, where it is there."""


def is_flagged(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Tell which events are at the end of the range by the chain's own columns, one or more; (n,) bool."""
    flags = [np.nan_to_num(np.asarray(values, np.float64)) > 0 for values in columns.values()]
    return np.logical_or.reduce(flags)


def in_pile(n_top: int, n_near: int) -> int:
    """Give the events that pile up at the top, 0 where that is no pile; n_near: those near it and at it.

    Below it there may be more than were seen: a few events of a line at the top of a spectrum are no pile.
    """
    below = n_near - n_top
    most = below + 2 * math.sqrt(below + 1)
    is_pile = n_top >= LEAST_PILED and n_top / PILE > PILE_OVER * most / (NEAR - PILE)
    return n_top if is_pile else 0


def are_pulsed(times: np.ndarray) -> bool:
    """Tell whether events come at equal steps of time, one or several, as those of a pulser do.

    Those beyond the range come by chance, so that hardly one step is equal to another.
    """
    steps = np.diff(np.sort(times[np.isfinite(times)]))
    if len(steps) < LEAST_PILED - 1 or (middle := float(np.median(steps))) <= 0:
        return False
    n = np.rint(steps / middle)
    is_equal = (n >= 1) & (np.abs(steps - n * middle) <= EQUAL * middle)
    return float(is_equal.mean()) > MOST_OF_STEPS


def moved(times: np.ndarray, values: np.ndarray, thirds: tuple[float, float]) -> tuple[float, float, float]:
    """Give how far the median of the last third of the run lies from that of the first.

    With its error, and the scatter of single values in the two.
    """
    unknown = (math.nan, math.nan, math.nan)
    if not len(times) or len(times) != len(values) or not math.isfinite(thirds[0]):
        return unknown
    parts = [values[times < thirds[0]], values[times > thirds[1]]]
    parts = [part[np.isfinite(part)] for part in parts]
    first, last = ((*median_and_scatter(part), len(part)) for part in parts)
    return move_between(first, last)


def move_between(
    first: tuple[float, float, int], last: tuple[float, float, int]
) -> tuple[float, float, float]:
    """Do what `moved` does with median, scatter and number of the values of the two thirds."""
    (a, sa, na), (b, sb, nb) = first, last
    if min(na, nb) < LEAST_FOR_DRIFT:
        return math.nan, math.nan, math.nan
    error = MEDIAN_ERROR * math.hypot(sa / math.sqrt(na), sb / math.sqrt(nb))
    return b - a, error, math.hypot(sa, sb) / math.sqrt(2)


def louder(values: np.ndarray, which: int) -> float:
    """Give how many times the level of the newest values is that of the calmest stretch before; NaN with few.

    which: the level is the median of the values (0), or their scatter (1).
    """
    known = values[np.isfinite(values)]
    now, before = known[-N_JUST_NOW:], known[: -N_JUST_NOW or None]
    n = min(len(before) // LEAST_STRETCH, MOST_STRETCHES)
    if not n:
        return math.nan
    calm = min(median_and_scatter(stretch)[which] for stretch in np.array_split(before, n))
    return median_and_scatter(now)[which] / calm if calm > 0 else math.nan


# The judgement


def judge(figures: Sequence[Figures]) -> tuple[Health, ...]:
    """Say how each channel does beside the others."""
    return tuple(_judged(one, [other for other in figures if other is not one]) for one in figures)


def _judged(one: Figures, others: Sequence[Figures]) -> Health:
    for find in (_dead, _silent, _saturated, _noisy, _quiet, _drifting):
        why = find(one, others)
        if why:
            return Health(find.__name__.lstrip("_"), why)
    return Health("ok")


def _dead(one: Figures, others: Sequence[Figures]) -> str:
    typical = _typical([other.n_events for other in others if other.n_events])
    if one.n_events or not typical >= EXPECTED:
        return ""
    return f"no event, the typical channel has {typical:.0f}"


def _silent(one: Figures, others: Sequence[Figures]) -> str:
    if one.newest or not one.expected >= EXPECTED:
        return ""
    return f"none of the newest events, where {grouped(round(one.expected))} were expected"


def _saturated(one: Figures, others: Sequence[Figures]) -> str:
    share = one.saturated / max(one.n_events, 1)
    if one.saturated < LEAST_SATURATED or share < SATURATED_SHARE:
        return ""
    return f"{100 * share:.2g} % of the events at the end of the range"


def _noisy(one: Figures, others: Sequence[Figures]) -> str:
    """Tell by its own noise earlier, else beside the others: two of them must have events."""
    if one.louder > LOUDER:
        return f"noise {one.louder:.1f} times what it was earlier in the run"
    others = [other for other in others if other.n_events]
    if len(others) < 2:
        return ""
    typical = max(_typical([other.n_events for other in others]), EXPECTED)
    if one.n_events > MUCH * typical:
        return f"{one.n_events / typical:.0f} times the events of the typical channel"
    for what, of in (("noise", attrgetter("noise")), ("baseline scatter", _scatter_at_rest)):
        known = [of(other) for other in others if math.isfinite(of(other))]
        level = _typical(known)
        if len(known) >= 2 and level > 0 and of(one) > NOISIER * level:
            return f"{what} {of(one) / level:.1f} times that of the typical channel"
    return ""


def _scatter_at_rest(one: Figures) -> float:
    """Give the scatter of the baseline without what it moved by: that is a drift, or another run of a set."""
    at_rest = one.moved_scatter
    return min(one.baseline_rms, at_rest) if math.isfinite(at_rest) else one.baseline_rms


def _quiet(one: Figures, others: Sequence[Figures]) -> str:
    """Tell by its own rate earlier, else beside the others."""
    if one.fell:
        return f"its rate fell by {_share(one.fell)}, that of the others did not"
    if one.paused.expected >= EXPECTED:
        missing = f"{grouped(round(one.paused.expected))} were expected"
        return f"no event for {_lasting(one.paused.lasted)} in between, where {missing}"
    known = [other.n_events for other in others if other.n_events]
    typical = _typical(known)
    if len(known) >= 2 and typical >= EXPECTED and one.n_events < typical / MUCH:
        return f"{_share(one.n_events / typical)} of the events of the typical channel"
    return ""


def _lasting(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _share(part: float) -> str:
    return f"{100 * part:.2g} %"


def _drifting(one: Figures, others: Sequence[Figures]) -> str:
    if not (math.isfinite(one.moved) and one.moved_error > 0):
        return ""
    size = abs(one.moved)
    if size < DRIFT_SIGMA * one.moved_error or size < DRIFT_SCATTERS * one.moved_scatter:
        return ""
    return f"baseline {signed_text(one.moved, 3)} from the first third of the run to the last".replace(
        "-", "−"
    )


def _typical(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else 0.0


# Peaks, and what should be there


def peak_of_channel(
    values: np.ndarray, parts: np.ndarray | None = None, span: tuple[float, float] = (0.0, 0.0)
) -> Peak:
    """Fit the peak that trends follow: Tl-208 where it is known, else the highest clear one.

    parts: (n,), in which part of a span of time each value is, as `gain.parts_of` gives them; the peak is
    followed through these.
    """
    values = np.asarray(values, np.float64)
    known = values[np.isfinite(values)]
    anchor = find_anchor(known, "")
    if anchor is None:
        return Peak()
    fit = fit_peak(known, (anchor.low + anchor.high) / 2, anchor.high - anchor.low)
    if not fit.converged:
        return Peak()
    in_time = None
    if parts is not None:
        edges, span_of_bins = np.linspace(anchor.low, anchor.high, BINS_OF_FIT + 1), (anchor.low, anchor.high)
        its = [values[parts == part] for part in range(N_PARTS)]
        counts = np.array([np.histogram(one, BINS_OF_FIT, span_of_bins)[0] for one in its])
        n_events = np.array([int(np.isfinite(one).sum()) for one in its])
        in_time = follow_peak(counts, edges, n_events, span, anchor.name)
    return peak_by_fit(fit, anchor.name, in_time)


def peak_by_fit(fit: PeakFit, name: str, in_time: PeakInTime | None) -> Peak:
    """Give the peak that was fitted."""
    return Peak(fit.fwhm, fit.fwhm_error, fit.position, fit.position_error, name, in_time)


def with_gain(found: Health, peak: Peak, unit: str, clock: Clock, newly_gone: Gone | None = None) -> Health:
    """Name a gain that drifts, beside a baseline that does; whatever is worse stays."""
    trouble = gain_trouble(peak.in_time, peak.fwhm, unit, clock, newly_gone)
    if not trouble or found.state not in ("ok", "drifting"):
        return found
    return Health("drifting", "; ".join(one for one in (trouble, found.why) if one))


def enabled_channels(plist: Mapping[str, Any]) -> list[int]:
    """Give the codes of the channels that the header of a run says are switched on.

    Of cards whose header says it by channel: SIS3302 (trigger masks) and Gretina4M (list 'Enabled').
    """
    codes: list[int] = []
    for crate in plist.get("ObjectInfo", {}).get("Crates", ()):
        for card in crate.get("Cards", ()):
            base = CRATE * int(crate.get("CrateNumber", 0)) + CARD * int(card.get("Card", 0))
            codes += [base + channel for channel in _enabled_on(card)]
    return sorted(codes)


def cards_of(plist: Mapping[str, Any]) -> frozenset[int]:
    """Give the cards in crates that the header of a run tells of, each as the code of its channel 0."""
    return frozenset(
        CRATE * int(crate.get("CrateNumber", 0)) + CARD * int(card.get("Card", 0))
        for crate in plist.get("ObjectInfo", {}).get("Crates", ())
        for card in crate.get("Cards", ())
    )


def _enabled_on(card: Mapping[str, Any]) -> Iterable[int]:
    kind = str(card.get("Class Name", ""))
    if kind == "ORSIS3302Model":
        mask = int(card.get("internalTriggerEnabledMask", 0)) | int(card.get("externalTriggerEnabledMask", 0))
        return [channel for channel in range(8) if mask >> channel & 1]
    enabled = card.get("Enabled")
    if kind == "ORGretina4MModel" and isinstance(enabled, list | tuple):
        return [channel for channel, is_on in enumerate(enabled) if is_on]
    return []
