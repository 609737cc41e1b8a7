"""Follows a run in time: rate, baseline, noise and a peak in slices, with errors, and says what moved.

Every value of a slice has its own error: of counts after Poisson, of medians from the spread within the
slice, of peaks from the fit. A band says where values are expected: the median of a history and so many
times its scatter (from the median absolute deviation), never less than the errors themselves allow. What
moved is found by the step, or the straight line, that explains the slices best; the errors are stretched
where neighbouring slices scatter by more than they say.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pygama.analysis.counting import Axis as Bins
from pygama.analysis.counting import Columns, Wanted, count, empty_tables
from pygama.analysis.groups import Groups
from pygama.analysis.peaks import PeakFit, fit_peak, match_lines
from pygama.errors import SettingsError
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.linked import Axis, Counter, Cuts, Rows, Want
from pygama_gui.data.preview import suggest_line

WIDTHS = (
    *(base * 10.0**power for power in range(-3, 1) for base in (1, 2, 5)),
    *(10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0),
    *(3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0),
)
"""Widths of slices that a person can read off an axis, in s."""
N_SLICES, EVENTS_IN_SLICE = 60, 40
"""Slices that are aimed at, and events that each should have."""
MOST_SLICES = 2000
LEAST_EVENTS = 5
"""Events that a median is taken of."""
LEAST_EXPOSURE = 0.5
"""Share of a slice that the run must have covered."""
IN_PEAK, MOST_FITS = 30, 30
"""Events in the window of a peak that slices are joined for, and the most fits of a run."""
OF_PEAK = ("position", "width")
"""Kinds of series that are fitted, which takes most of the time."""
MOST_READY = 4
"""Runs and channels that are kept sorted."""
MAD_TO_SIGMA = 1.4826
MEDIAN_ERROR = math.sqrt(math.pi / 2)
"""Error of the median of n normal values, in standard deviations, times √n."""
SCATTER_ERROR = 1.167
"""Error of a standard deviation that a median absolute deviation gives, relative, times √n."""
SIGNIFICANT = 5.0
"""Standard deviations from which on something moved; every place of the step was tried."""
LEAST_SLICES = 6
THALLIUM = "Tl-208 2614.5 keV"
ANCHOR_LINES = (238.632, 583.187, 727.330, 860.557, 911.204, 2614.511)
"""Lines of the Th-228 chain, keV, by which Tl-208 is known."""
AGREE, CLEAR, HALF_WINDOW = 1e-3, 4.0, 5.0
"""How well places and energies agree, relative; areas over their errors; window in FWHM to each side."""
MOST_SOUGHT = 200_000
"""Values among which a peak is looked for, about."""
BASELINES = ("bl_int", "bl_avg", "fc_baseline")
NOISES = ("bl_rms", "noise_rms")
HEIGHTS = ("trap_max", "energy")
KINDS = ("rate", "baseline", "noise", "position", "width", "column")
SOONEST_S = 3600.0
"""A first event later than this on the run's clock shows that the clock did not begin with the run."""


@dataclass(frozen=True)
class Anchor:
    """The peak that is followed: the window around it in its column, and the name of the line."""

    column: str
    low: float
    high: float
    name: str = ""


@dataclass(frozen=True)
class Series:
    """One quantity in slices. times: middles, s; values, errors: one standard deviation, NaN where unknown.

    kind: one of KINDS. half_widths: of the slices, s. scatter: of single events within each slice, where
    it is drawn.
    """

    kind: str
    name: str
    unit: str
    times: np.ndarray
    half_widths: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    scatter: np.ndarray | None = None
    note: str = ""
    """Why there are no values, where there are none."""

    @property
    def is_known(self) -> np.ndarray:
        """(n,) bool: where there is a value."""
        return np.isfinite(self.values)


@dataclass(frozen=True)
class Band:
    """Where values are expected: middle ± half, k times the scatter of n values. source: of what."""

    middle: float
    half: float
    k: float
    n: int
    source: str = "this run"


@dataclass(frozen=True)
class Move:
    """What moved: by how much, with its error, and since when (s); a slope moves all the time.

    level: the value before it.
    """

    size: float
    error: float
    level: float
    since: float
    is_slope: bool = False

    @property
    def sigma(self) -> float:
        """Size over error."""
        return abs(self.size) / self.error if self.error > 0 else 0.0


@dataclass(frozen=True)
class Asked:
    """What is to be followed. channel: None for all rows. width: of slices, s; None: what suits the run.

    column: a further column, '' for none. line: window of the peak in peak_column, taken where the channel
    has a peak there, or in any case if is_line_fixed; else the program looks for one. is_growing: the newest
    slice is not whole yet and is left out.
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

    def of(self, kind: str) -> Series | None:
        """Give the series of a kind."""
        return next((one for one in self.series if one.kind == kind), None)


# Slices


def suitable_width(duration: float, n_events: int) -> float:
    """Choose the width of slices, s: about 60 of them, fewer where each would have too few events."""
    n = min(N_SLICES, max(n_events // EVENTS_IN_SLICE, LEAST_SLICES))
    wanted = duration / n if duration > 0 else 1.0
    return next((width for width in WIDTHS if width >= 0.999 * wanted), WIDTHS[-1])


def next_width(width: float, by: int, duration: float) -> float:
    """Give the next wider (by = 1) or narrower (-1) width that makes 2 to 2000 slices."""
    allowed = [one for one in WIDTHS if 2 <= duration / one <= MOST_SLICES] or [width]
    beyond = [one for one in allowed if (one > 1.001 * width if by > 0 else one < 0.999 * width)]
    if not beyond:
        return min(allowed, key=lambda one: abs(one - width))
    return min(beyond) if by > 0 else max(beyond)


class Slices:
    """Rows sorted into slices of equal width.

    times: (n,) s, in any order; rows without a time are left out. span: first and last time of the run.
    """

    def __init__(
        self, times: np.ndarray, width: float, span: tuple[float, float], *, is_growing: bool = False
    ) -> None:
        first, last = math.floor(span[0] / width), math.floor(span[1] / width)
        n = max(last - first + (0 if is_growing else 1), 0)
        self.edges = (first + np.arange(n + 1)) * width
        places = np.floor(times / width) - first
        inside = np.flatnonzero((places >= 0) & (places < n))
        found = places[inside].astype(np.int32 if n > 30_000 else np.int16)
        self._order = inside[np.argsort(found, kind="stable")]
        self.counts = np.bincount(found, minlength=n)[:n]
        self._ends = np.cumsum(self.counts)
        low, high = np.maximum(self.edges[:-1], span[0]), np.minimum(self.edges[1:], span[1])
        self.exposure = np.maximum(high - low, 0.0)
        """Time of each slice that the run covered, s."""
        self.is_covered = self.exposure >= LEAST_EXPOSURE * width

    @property
    def times(self) -> np.ndarray:
        """Middles of the slices, s."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def groups(self, values: np.ndarray, join: int = 1) -> list[np.ndarray]:
        """Give the values of each slice, or of so many neighbouring slices together."""
        ends = self._ends[join - 1 :: join] if join > 1 else self._ends
        if join > 1 and len(self._ends) % join:
            ends = np.append(ends, self._ends[-1])
        return np.split(values[self._order], ends[:-1]) if len(ends) else []

    def joined_edges(self, join: int) -> tuple[np.ndarray, np.ndarray]:
        """Give middles and half widths of so many neighbouring slices together."""
        starts = self.edges[:-1][::join]
        stops = np.append(self.edges[join::join], self.edges[-1])[: len(starts)]
        return (starts + stops) / 2, (stops - starts) / 2


def median_and_scatter(values: np.ndarray) -> tuple[float, float]:
    """Give the median of finite values and their robust standard deviation; NaN without any."""
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan
    middle = float(np.median(known))
    return middle, MAD_TO_SIGMA * float(np.median(np.abs(known - middle)))


# Series


def rate_of(slices: Slices) -> Series:
    """Count events a second; the error is √n, of one count where there is none."""
    ok = slices.is_covered
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(ok, slices.counts / slices.exposure, np.nan)
        errors = np.where(ok, np.sqrt(np.maximum(slices.counts, 1)) / slices.exposure, np.nan)
    return _series(slices, "rate", "rate", "Hz", values, errors)


def median_of(slices: Slices, values: np.ndarray, kind: str, name: str, unit: str) -> Series:
    """Take the median of a column in each slice."""
    found = [_median_with_error(group) for group in slices.groups(np.asarray(values, np.float64))]
    middles, errors, scatter = np.array(found, np.float64).reshape(-1, 3).T
    series = _series(slices, kind, name, unit, middles, errors)
    return replace(series, scatter=scatter) if kind == "column" else series


def scatter_of(slices: Slices, values: np.ndarray, name: str, unit: str) -> Series:
    """Take the scatter of a column from event to event in each slice, as a robust standard deviation."""
    scatters, errors = [], []
    for group in slices.groups(np.asarray(values, np.float64)):
        n = int(np.isfinite(group).sum())
        scatter = median_and_scatter(group)[1] if n >= 2 * LEAST_EVENTS else math.nan
        scatters.append(scatter)
        errors.append(scatter * SCATTER_ERROR / math.sqrt(max(n, 1)))
    return _series(slices, "noise", name, unit, np.array(scatters), np.array(errors))


class Middles:
    """Medians of values that are sorted already, by slice; chosen: (n_rows,) bool, the rows that count."""

    def __init__(self, groups: Groups, chosen: np.ndarray) -> None:
        self._groups, self._chosen = groups, chosen
        self.n, self.medians, self.deviations = groups.middles(chosen)

    def std(self, group: int) -> float:
        """Give the standard deviation of the chosen values of a slice."""
        return float(self._groups.values_of(group, self._chosen).std())


def quick_median_of(slices: Slices, middles: Middles, kind: str, name: str, unit: str) -> Series:
    """Give what `median_of` gives, of values that are sorted already."""
    is_enough = middles.n >= LEAST_EVENTS
    scatter = np.where(is_enough, MAD_TO_SIGMA * middles.deviations, np.nan)
    spread = scatter.copy()
    for group in np.flatnonzero(is_enough & (scatter == 0.0)).tolist():
        spread[group] = middles.std(group)
    errors = MEDIAN_ERROR * spread / np.sqrt(np.maximum(middles.n, 1))
    series = _series(slices, kind, name, unit, np.where(is_enough, middles.medians, np.nan), errors)
    return replace(series, scatter=scatter) if kind == "column" else series


def quick_scatter_of(slices: Slices, middles: Middles, name: str, unit: str) -> Series:
    """Give what `scatter_of` gives, of values that are sorted already."""
    scatter = np.where(middles.n >= 2 * LEAST_EVENTS, MAD_TO_SIGMA * middles.deviations, np.nan)
    errors = scatter * SCATTER_ERROR / np.sqrt(np.maximum(middles.n, 1))
    return _series(slices, "noise", name, unit, scatter, errors)


def _median_with_error(group: np.ndarray) -> tuple[float, float, float]:
    known = group[np.isfinite(group)]
    if len(known) < LEAST_EVENTS:
        return math.nan, math.nan, math.nan
    middle, scatter = median_and_scatter(known)
    spread = scatter or float(known.std())
    return middle, MEDIAN_ERROR * spread / math.sqrt(len(known)), scatter


def _series(
    slices: Slices, kind: str, name: str, unit: str, values: np.ndarray, errors: np.ndarray
) -> Series:
    half = np.full(len(values), 0.5 * (slices.edges[1] - slices.edges[0]) if len(values) else 0.0)
    note = "" if np.isfinite(values).any() else "too few events in every slice"
    return Series(kind, name, unit, slices.times, half, values, errors, note=note)


# The peak


def find_anchor(values: np.ndarray, column: str) -> Anchor | None:
    """Look for a peak to follow: Tl-208 where the lines of its chain tell it, else the highest clear one."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known) & (known > 0)]
    known = known[:: max(len(known) // MOST_SOUGHT, 1)]
    thallium = _thallium(known)
    if thallium is not None:
        half = HALF_WINDOW * thallium.fwhm
        return Anchor(column, thallium.position - half, thallium.position + half, THALLIUM)
    window = suggest_line(known)
    return None if window is None else Anchor(column, *window)


def _thallium(values: np.ndarray) -> PeakFit | None:
    """Find Tl-208 at 2614.5 keV by its ratios to two clear lines of its chain or more; else None."""
    try:
        found = match_lines(values, ANCHOR_LINES)
    except SettingsError:
        return None
    agree = [
        fit
        for fit, energy in zip(found.fits, found.energies_kev, strict=True)
        if fit.converged
        and fit.area > CLEAR * fit.area_error
        and abs(fit.position / (energy * found.scale) - 1) < AGREE
    ]
    return found.fits[-1] if len(agree) >= 3 and found.fits[-1] in agree else None


class Fits:
    """Fits of the slices that are whole: they do not change while the run grows."""

    def __init__(self) -> None:
        self._held: dict[Hashable, PeakFit] = {}

    def fit(self, key: Hashable, values: np.ndarray, low: float, high: float) -> PeakFit:
        """Fit the peak in a window."""
        inside = values[(values >= low) & (values <= high)]
        whole_key = (key, low, high, len(inside), float(inside.sum()))
        if whole_key not in self._held:
            n_bins = int(min(max(6 * math.sqrt(len(inside)), 30), 80))
            self._held[whole_key] = fit_peak(inside, (low + high) / 2, high - low, n_bins=n_bins)
        return self._held[whole_key]


def peak_of(
    slices: Slices, values: np.ndarray, anchor: Anchor, unit: str, fits: Fits, key: Hashable = None
) -> tuple[Series, Series]:
    """Fit the peak in slices, joined until each has enough events; give its position and its FWHM."""
    values = np.asarray(values, np.float64)
    inside = [((group >= anchor.low) & (group <= anchor.high)).sum() for group in slices.groups(values)]
    n, total = len(inside), int(np.sum(inside))
    n_fits = max(min(total // IN_PEAK, MOST_FITS, n), 1)
    join = max(math.ceil(n / n_fits), 1) if n else 1
    times, half = slices.joined_edges(join)
    found = [
        fits.fit((key, place), group, anchor.low, anchor.high)
        for place, group in zip(times.tolist(), slices.groups(values, join), strict=True)
    ]
    good = np.array([fit.converged for fit in found], bool)
    note = "" if good.any() else (found[0].note if found else "no slice is whole yet")

    def series(kind: str, name: str, what: str) -> Series:
        numbers = np.array([getattr(fit, what) for fit in found], np.float64)
        errors = np.array([getattr(fit, f"{what}_error") for fit in found], np.float64)
        return Series(
            kind,
            name,
            unit,
            times,
            half,
            np.where(good, numbers, np.nan),
            np.where(good, errors, np.nan),
            note=note,
        )

    name = anchor.name.partition(" ")[0] or "peak"
    return series("position", f"{name} position", "position"), series("width", f"{name} FWHM", "fwhm")


# All of it


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


class Trender:
    """Follows runs; to be used in one thread at a time. It keeps fits and the peaks that it found."""

    def __init__(self) -> None:
        self._fits = Fits()
        self._anchors: dict[Hashable, tuple[int, Anchor | None]] = {}
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
            ready, slices = None, Slices(everything[is_chosen], width, span, is_growing=asked.is_growing)
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
        """Sort a run that does not grow, so that it is followed quickly when its cuts are dragged."""
        asked, key = trends.asked, (table, trends.asked.channel)
        held = self._ready.get(key)
        n = len(rows["time_s"]) if "time_s" in rows else 0
        if not n or (held and (held.asked, held.width, held.n_rows) == (asked, trends.width, n)):
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
                series = _raised(series, levels.mean(of_levels))
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
            anchor = self._anchor(table, rows[column], chosen, column, asked)
            if anchor is not None:
                key = (table, asked.channel, column)
                parts = self._in_window(rows, chosen, slices, anchor, ready)
                made += peak_of(*parts, anchor, asked.unit(column), self._fits, key)
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
        self, table: Hashable, heights: np.ndarray, chosen: np.ndarray, column: str, asked: Asked
    ) -> Anchor | None:
        """Take the line that was chosen; else look for one, again when there are twice as many events."""
        line = asked.line if column == asked.peak_column else None
        if line is not None and asked.is_line_fixed:
            return Anchor(column, *line)
        key = (table, asked.channel, column, line)
        n, anchor = self._anchors.get(key, (0, None))
        if int(np.count_nonzero(chosen)) >= 2 * max(n, 1):
            values = np.asarray(heights[chosen], np.float64)
            anchor = None if line is None else _at_line(values, column, line)
            anchor = anchor or find_anchor(values, column)
            self._anchors[key] = (len(values), anchor)
        return anchor


def _at_line(values: np.ndarray, column: str, line: tuple[float, float]) -> Anchor | None:
    """Give the line that was chosen if there is a peak with enough events for some slices; else None."""
    fit = fit_peak(values, (line[0] + line[1]) / 2, line[1] - line[0])
    return Anchor(column, *line) if fit.converged and fit.area >= LEAST_SLICES * IN_PEAK else None


def aligned(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Lay the levels of several channels on each other, so that their scatter is not what lies between them.

    The level is the mean without the outer twentieths: a median would jump where half of the run moved.
    """
    present = np.unique(codes)
    if len(present) < 2 or not np.isfinite(values).any():
        return values
    whole, moved = _level(values), values.copy()
    for code in present.tolist():
        is_its = codes == code
        moved[is_its] += whole - _level(values[is_its])
    return moved


def _level(values: np.ndarray) -> float:
    known = np.sort(values[np.isfinite(values)])
    cut = len(known) // 20
    return float(known[cut : len(known) - cut].mean()) if len(known) else 0.0


def _levels(values: np.ndarray, codes: np.ndarray) -> _Levels | None:
    """Give the level of each channel; None where there is one channel, or nothing is known."""
    present, places = np.unique(codes, return_inverse=True)
    if len(present) < 2:
        return None
    places = places.reshape(-1).astype(np.int16)
    levels = np.array([_level(values[places == at]) for at in range(len(present))])
    return _Levels(levels, places)


def _raised(series: Series, by: float) -> Series:
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


# Bands and moves


def band_of(history: Sequence[Series], k: float, source: str = "this run") -> Band | None:
    """Say where values are expected from series of one kind; None with fewer than 3 values.

    Of a steady run whose slices scatter as their errors say, 0.2 % of its own slices lie outside at k = 3 and
    fewer than 0.01 % at k = 4 (normal values: 0.27 and 0.006 %); so one run in eight of 60 slices has one at
    k = 3. Of another run, the band of few slices knows less: 0.4 % at k = 3 of 10 slices, 1.0 % of 3. Where
    slices scatter by more than their errors, 1.3 % lie outside of a band of 20 slices at k = 3, 0.6 % of 60.
    """
    pairs = [(one.values[one.is_known], one.errors[one.is_known]) for one in history]
    values = np.concatenate([values for values, _ in pairs]) if pairs else np.empty(0)
    errors = np.concatenate([errors for _, errors in pairs]) if pairs else np.empty(0)
    if len(values) < 3:
        return None
    middle, scatter = median_and_scatter(values)
    least = float(np.median(errors[np.isfinite(errors)])) if np.isfinite(errors).any() else 0.0
    return Band(middle, k * max(scatter, least), k, len(values), source)


def is_outside(series: Series, band: Band | None) -> np.ndarray:
    """Tell which values lie outside the band by more than k times their own errors allow, (n,) bool."""
    if band is None:
        return np.zeros(len(series.values), bool)
    allowed = np.maximum(band.half, band.k * np.nan_to_num(series.errors))
    return np.nan_to_num(np.abs(series.values - band.middle)) > allowed


def find_move(series: Series) -> Move | None:
    """Find the step, or the steady drift, that explains the slices best; None where nothing moved.

    At least two slices stand on each side of a step. In steady runs of normal values none was found in 2000;
    a step in the middle by 3 errors of a slice is found in 77 of 100 runs of 20 slices, one by 2 errors in 97
    of 100 runs of 60. A step that lasts a tenth of the run needs 5 and 3 errors for 78 and 93 of 100.
    """
    ok = series.is_known & np.isfinite(series.errors)
    t, y, e = series.times[ok], series.values[ok], series.errors[ok]
    if len(y) < LEAST_SLICES or float(np.ptp(y)) == 0.0:
        return None
    e = _stretched(y, e)
    step, chi2_step = _best_step(t, y, e, float(series.half_widths[0]))
    slope, chi2_slope = _slope(t, y, e)
    best = step if chi2_step <= chi2_slope else slope
    is_real = best.is_slope or _is_lasting(t, y, best)
    return best if best.sigma >= SIGNIFICANT and is_real else None


def _is_lasting(t: np.ndarray, y: np.ndarray, step: Move) -> bool:
    """Tell a step from a few wild slices: the medians on both sides differ by half of it or more."""
    before, after = np.median(y[t < step.since]), np.median(y[t >= step.since])
    return bool((after - before) * np.sign(step.size) >= abs(step.size) / 2)


def _stretched(y: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Stretch errors until neighbours scatter as they say; never shrink them."""
    e = np.maximum(e, 1e-12 * max(float(np.abs(y).max()), 1e-300))
    pulls = np.abs(np.diff(y)) / np.hypot(e[1:], e[:-1])
    return e * max(MAD_TO_SIGMA * float(np.median(pulls)), 1.0)


def _best_step(t: np.ndarray, y: np.ndarray, e: np.ndarray, half: float) -> tuple[Move, float]:
    w = e**-2
    sw, swy, swyy = np.cumsum(w), np.cumsum(w * y), np.cumsum(w * y * y)
    k = np.arange(1, len(y) - 2)  # the last slice before the step
    w1, w2 = sw[k], sw[-1] - sw[k]
    m1, m2 = swy[k] / w1, (swy[-1] - swy[k]) / w2
    sigma = np.abs(m2 - m1) / np.sqrt(1 / w1 + 1 / w2)
    at = int(np.argmax(sigma))
    error = float(np.sqrt(1 / w1[at] + 1 / w2[at]))
    mean = swy[-1] / sw[-1]
    chi2 = float(swyy[-1] - sw[-1] * mean**2) - float(sigma[at]) ** 2
    since = float(t[k[at] + 1]) - half
    return Move(float(m2[at] - m1[at]), error, float(m1[at]), since), chi2


def _slope(t: np.ndarray, y: np.ndarray, e: np.ndarray) -> tuple[Move, float]:
    """Fit a straight line; the size is what it moved from the first slice to the last."""
    w = e**-2
    tm, ym = np.average(t, weights=w), np.average(y, weights=w)
    sxx = float((w * (t - tm) ** 2).sum())
    slope = float((w * (t - tm) * (y - ym)).sum()) / sxx
    chi2 = float((w * (y - ym - slope * (t - tm)) ** 2).sum())
    length = float(t[-1] - t[0])
    level = float(ym + slope * (t[0] - tm))
    return Move(slope * length, length / math.sqrt(sxx), level, float(t[0]), is_slope=True), chi2


# Words

WORDS = {"rate": "rate", "baseline": "baseline", "noise": "noise", "position": "gain", "width": "FWHM"}
IN_PERCENT = ("rate", "noise", "position", "width")


@dataclass(frozen=True)
class Clock:
    """Turns times of a run into words. start: Unix seconds at which the clock was 0; None: not known."""

    start: float | None = None
    step: float = field(default=1.0, compare=False)
    """Width of a slice, s: words are as fine as it is."""

    def words(self, seconds: float) -> str:
        """Write a time: '14:32' or '14:32:07.25' of UTC, or '125 s'."""
        if self.start is None:
            return f"{seconds:.4g} s"
        at = self.start + seconds + 1e-6
        pattern = "%H:%M" if self.step >= 60 else "%H:%M:%S"
        words = time.strftime(pattern, time.gmtime(at))
        if self.step >= 1:
            return words
        digits = math.ceil(-math.log10(self.step))
        return f"{words}.{math.floor(at % 1 * 10**digits):0{digits}d}"


def clock_start(start_time: int, first: float) -> float | None:
    """Give when the run's clock was 0, Unix s; None where the header or the clock does not tell."""
    return float(start_time) if start_time > 0 and -1.0 <= first <= SOONEST_S else None


def move_words(series: Series, move: Move | None, clock: Clock) -> str:
    """Say what moved: 'gain −0.11 % since 14:32 (6.2 σ)', or that it is steady or not known."""
    what = WORDS.get(series.kind, series.name)
    if not series.is_known.any():
        return f"{what} not known"
    if int(series.is_known.sum()) < LEAST_SLICES:
        return f"{what}: too few slices to tell"
    if move is None:
        return f"{what} steady"
    if series.kind in IN_PERCENT and move.level:
        size = f"{100 * move.size / abs(move.level):+.2g} %"
    else:
        size = f"{move.size:+.3g} {series.unit}".rstrip()
    when = f"over {_long(clock, series)}" if move.is_slope else f"since {clock.words(move.since)}"
    return f"{what} {size} {when} ({move.sigma:.1f} σ)".replace("-", "−")


def _long(clock: Clock, series: Series) -> str:
    known = series.times[series.is_known]
    length = float(known[-1] - known[0])
    if length >= 7200:
        return f"{_two_digits(length / 3600)} h"
    return f"{_two_digits(length / 60)} min" if length >= 120 else f"{_two_digits(length)} s"


def _two_digits(number: float) -> str:
    """Round to two digits, without an exponent: 1.8, 42, 110."""
    return f"{float(f'{number:.2g}'):g}"


def outside_words(outside: np.ndarray) -> str:
    """Say how many slices lie outside the band."""
    n = int(outside.sum())
    return "" if not n else f"{n} slice{'s' if n > 1 else ''} outside the band"


def sentence(name: str, trends: Trends, clock: Clock) -> str:
    """Say what moved of all that was followed, what moved first: 'channel 2: gain −0.11 % …, rate steady'."""
    now = [one for one in trends.series if one.is_known.any() and one.kind not in trends.late]
    told = [(find_move(one), one) for one in now]
    moved = [move_words(one, move, clock) for move, one in told if move is not None]
    still = [one for move, one in told if move is None]
    calm: list[str] = []
    unsure: list[str] = []
    for one in still:
        (calm if int(one.is_known.sum()) >= LEAST_SLICES else unsure).append(WORDS.get(one.kind, one.name))
    parts = moved + ([f"{', '.join(calm)} steady"] if calm else [])
    parts += [f"too few slices to tell of {', '.join(unsure)}"] if unsure else []
    return f"{name}: {'; '.join(parts) or 'too few events to tell'}"
