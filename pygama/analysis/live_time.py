"""Says how long a run was, and how much of that a channel could record: real time and live time.

There are three ways, and each knows something else.

- Run records tell when the run began and ended, in whole seconds; of dead time they know nothing.
- Time stamps: the intervals of hits that come at random are a dead time plus an exponential, if each
  recorded hit makes the channel blind for the same while (a non-paralyzable dead time). The shortest interval
  then gives the dead time, and live time is the span less one dead time for each hit. Pauses, intervals that
  chance does not make, count as dead.
- A pulser: the part of its pulses that is recorded is the part of time that the channel was live.

Nothing is made up: what a way does not know is NaN, and its note says so.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pygama.analysis.places import broken_clocks, column, places_of
from pygama.analysis.pulser import PulserTag, PulseTrain, tag_pulser
from pygama.errors import SettingsError, TierFileError
from pygama.quick_dataclass import dataclass
from pygama.storage import TierFile

RUN_RECORDS = "ORRunDecoderForRun"
"""The table of Tier 1 that holds run records."""

LEAST_HITS = 50
"""Hits that a fit of intervals needs."""

_WHAT = "the live time"
_WHOLE_SECONDS = 1 / math.sqrt(6)
"""Standard deviation of the difference of two times that were cut to whole seconds."""
_NO_CHANCE = math.log(1e9)
_BINS = 20
_MOST_SIGMA = 4.0
"""How far the intervals may be from an exponential."""


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """Real and live time in seconds by one method, with errors of one standard deviation; NaN: not known.

    note: a word about how they were found, and what is missing. dead_time_s: that each hit makes, where it is
    the same for all.
    """

    method: str
    real_s: float
    real_error_s: float
    live_s: float = math.nan
    live_error_s: float = math.nan
    note: str = ""
    dead_time_s: float = math.nan

    @property
    def dead_fraction(self) -> float:
        """Part of the real time in which nothing could be recorded."""
        return 1 - self.live_s / self.real_s if self.real_s > 0 else math.nan

    def line(self) -> str:
        """Say it in one line."""
        live = "not known"
        if math.isfinite(self.live_s):
            live = f"{self.live_s:.6g} ± {self.live_error_s:.2g} s (dead {100 * self.dead_fraction:.3g} %)"
        real = f"real {self.real_s:.6g} ± {self.real_error_s:.2g} s, live {live}"
        return f"{self.method}: {real}; {self.note}"


def from_run_records(tier1: Path | str) -> TimeEstimate:
    """Read the real time of a run from the run records in its Tier 1 file.

    Tier 2 keeps when the run began, but not when it ended. Raises TierFileError where there are no records
    that say it.
    """
    path = Path(tier1)
    with TierFile(path) as file:
        if RUN_RECORDS not in file.keys:
            raise TierFileError(
                f"{path.name} holds no run records (no table '{RUN_RECORDS}'), so it does not say how long "
                "the run was; give the Tier 1 file, made with this decoder"
            )
        table = file.table(RUN_RECORDS)
        # At once: a column alone unpacks all rows each time.
        rows = table.read(0, table.n_rows).rows
    try:
        return from_marks({name: rows[name] for name in table.columns})
    except SettingsError as problem:
        raise TierFileError(f"{path.name}: {problem}") from problem


def from_marks(columns: Mapping[str, Any]) -> TimeEstimate:
    """Add up the times from start to stop; columns: of run records, in their order.

    A sub-run starts and ends as a run does: what lies between two of them is not counted. Where an end is
    missing, the time goes to the last heartbeat before the next start and is a lower limit. Raises
    SettingsError where nothing tells a beginning or an end.
    """
    names = ("timestamp", "is_start", "is_stop", "is_heartbeat", "next_heartbeat_s")
    times, starts, stops, beats, following = (column(columns, name, "the real time") for name in names)
    starts = starts.astype(bool) | _marked(columns, "is_subrun_start", len(times))
    stops = stops.astype(bool) | _marked(columns, "is_subrun_end", len(times))
    spans: list[tuple[int, float]] = []
    is_cut = False
    begins = np.flatnonzero(starts).tolist()
    for begin, following_begin in pairwise([*begins, len(times)]):
        within = slice(begin + 1, following_begin)
        if (ends := np.flatnonzero(stops[within])).size:
            spans.append((int(times[within][ends[0]]) - int(times[begin]), 0.0))
            continue
        is_cut = True
        if (last := np.flatnonzero(beats[within])[-1:]).size:
            beyond = max(int(following[within][last[0]]), 0)
            spans.append((int(times[within][last[0]]) - int(times[begin]), beyond**2))
    if not spans:
        raise SettingsError(
            "a run start has neither a stop nor a heartbeat after it: its end is not known"
            if is_cut
            else "the run records tell of no start, so the length of the run is not known"
        )
    note = "from start to stop" if len(spans) == 1 else f"from start to stop, {len(spans)} times"
    if is_cut:
        note = "there is no run stop: to the last heartbeat, a lower limit"
    variance = math.fsum(_WHOLE_SECONDS**2 + beyond for _, beyond in spans)
    real = float(sum(seconds for seconds, _ in spans))
    return TimeEstimate(
        "run records", real, math.sqrt(variance), note=f"{note}; run records tell no dead time"
    )


def _marked(columns: Mapping[str, Any], name: str, n_rows: int) -> np.ndarray:
    """Give a mark that files of other programs may lack, (n_rows,) bool."""
    return np.asarray(columns[name]).astype(bool) if name in columns else np.zeros(n_rows, bool)


@dataclass(frozen=True, slots=True)
class DeadTime:
    """What intervals tell of one channel. rate_hz: of hits while the channel is live; tau_s: dead time a hit.

    pauses: (begin, end) of intervals that chance does not make. deviation: how far the intervals are from a
    dead time plus an exponential, in standard deviations; is_constant: whether that is near enough.
    """

    rate_hz: float
    rate_error_hz: float
    tau_s: float
    tau_error_s: float
    pauses: tuple[tuple[float, float], ...]
    deviation: float
    is_constant: bool


def fit_intervals(time_s: Any) -> DeadTime:
    """Find rate, dead time and pauses from the times of hits of one channel, in any order.

    Of n intervals the shortest is by (mean - shortest)/n longer than the dead time, on average; that is taken
    off, and is the error too. Where the intervals do not follow an exponential, rate and dead time come from
    those longer than the median alone, whose excess has the mean 1/rate whatever happens at short ones, if a
    hit that is lost does not make the dead time longer. Raises SettingsError for too few hits, hits without a
    time, and hits that do not come at random.
    """
    times = np.sort(np.asarray(time_s, np.float64))
    if not np.isfinite(times).all():
        raise SettingsError(f"{int((~np.isfinite(times)).sum())} hits have no time: leave them out")
    if len(times) < LEAST_HITS:
        raise SettingsError(f"{len(times)} hits are too few for a fit of intervals; {LEAST_HITS} are needed")
    intervals = np.diff(times)
    limit = float(np.median(intervals)) / math.log(2) * (math.log(len(intervals)) + _NO_CHANCE)
    is_pause = intervals > limit
    pauses = tuple(zip(times[:-1][is_pause].tolist(), times[1:][is_pause].tolist(), strict=True))
    usual = intervals[~is_pause]
    n, mean, shortest = len(usual), float(usual.mean()), float(usual.min())
    excess = mean - shortest
    tau = max(shortest - excess / n, 0.0)
    rate = 1 / max(mean - tau, 1e-300)
    deviation = _deviation(usual, tau, rate)
    if deviation <= _MOST_SIGMA:
        return DeadTime(rate, rate / math.sqrt(n), tau, excess / n, pauses, deviation, True)
    middle = float(np.median(usual))
    tail = usual[usual > middle]
    if not len(tail) or not tail.mean() - middle > 1e-9 * middle:
        raise SettingsError("the hits do not come at random: half of their intervals and more are alike")
    rate = 1 / float(tail.mean() - middle)
    error = rate / math.sqrt(len(tail))
    return DeadTime(rate, error, max(mean - 1 / rate, 0.0), error / rate**2, pauses, deviation, False)


def _deviation(intervals: np.ndarray, tau: float, rate: float) -> float:
    """Compare intervals with the exponential in bins of equal content; chi-square, as standard deviations.

    Source of the cube-root approximation: E. B. Wilson, M. M. Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684.
    """
    n_bins = min(_BINS, len(intervals) // 10)
    part = 1 - np.exp(-rate * np.maximum(intervals - tau, 0.0))
    counts = np.bincount(np.minimum((part * n_bins).astype(int), n_bins - 1), minlength=n_bins)
    expected = len(intervals) / n_bins
    chi2, ndof = float(((counts - expected) ** 2 / expected).sum()), n_bins - 2
    spread = 2 / (9 * ndof)
    return ((chi2 / ndof) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)


def from_timestamps(time_s: Any, *, n_others: int = 0) -> TimeEstimate:
    """Estimate real and live time of one channel from the times of its hits, which come at random.

    A pulser does not: leave its pulses out and count them in `n_others`, for each made the channel dead as
    well. Both times are from the first hit to the last, and longer by about two intervals in truth: one
    before and one behind, each of them uncertain by itself, so that sqrt(2) intervals are an error of both.
    No hit is taken to prolong the dead time of another; where the other way would give another live time, the
    note says which. Raises SettingsError as `fit_intervals` does.
    """
    times = np.asarray(time_s, np.float64)
    fit = fit_intervals(times)
    span, n = float(times.max() - times.min()), len(times) - 1
    interval = 1 / fit.rate_hz
    paused = sum(end - begin - interval for begin, end in fit.pauses)
    note = f"from the first hit to the last; {_pauses_words(len(fit.pauses), paused)}"
    if fit.is_constant:
        dead = (n + n_others) * fit.tau_s
        error = (n + n_others) * fit.tau_error_s
        note += f"dead time a hit {fit.tau_s:.3g} ± {fit.tau_error_s:.2g} s"
        live = span - paused - dead
        prolonged = _live_if_prolonged(n + n_others, fit.tau_s, span - paused)
        if abs(prolonged - live) > error:
            note += f"; if hits in it prolong it, {prolonged:.6g} s were live"
    else:
        live = min(n * interval, span - paused)
        error = n * interval * fit.rate_error_hz / fit.rate_hz
        note += (
            f"intervals are {fit.deviation:.1f} sigma from those of a constant dead time, so the rate of "
            "long intervals alone is used, which is right if no hit prolongs a dead time"
        )
    span_error = math.sqrt(2) * interval
    error = math.hypot(error, math.sqrt(len(fit.pauses)) * interval, span_error)
    tau = fit.tau_s if fit.is_constant else math.nan
    return TimeEstimate("timestamps", span, span_error, live, error, note, tau)


def _live_if_prolonged(n: int, tau_s: float, seconds: float) -> float:
    """Give the live time of n recorded hits whose dead times hits in them prolong; NaN where there is none.

    Of hits of rate r then r exp(-r tau) are recorded; of the two solutions the lower one is taken.
    """
    recorded = n * tau_s / seconds
    if not 0 < recorded < 1 / math.e:
        return math.nan
    of_all = recorded
    for _ in range(200):
        of_all = recorded * math.exp(of_all)
    return seconds * recorded / of_all


def _pauses_words(n: int, seconds: float) -> str:
    return f"{n} pause{'s' if n > 1 else ''} of {seconds:.4g} s in all; " if n else ""


def from_pulser(
    train: PulseTrain, real: TimeEstimate | None = None, *, dead_time_s: float = math.nan
) -> TimeEstimate:
    """Estimate the live time of a channel from the part of the pulses that it recorded.

    real: the real time it is a part of; None: the time from the first recorded pulse to the last. Pulses
    before the first and behind the last cannot be missed. dead_time_s: that each pulse itself makes, which
    no other pulse can tell of; NaN where it is not known.
    """
    part, error = train.recorded_fraction
    span, span_error = train.last_s - train.first_s, train.jitter_s * math.sqrt(2)
    if real is not None:
        span, span_error = real.real_s, real.real_error_s
    note = f"{train.n_recorded} of {train.n_expected} pulses recorded, {100 * part:.3f} ± {100 * error:.2g} %"
    own = 0.0 if math.isnan(dead_time_s) else train.n_recorded * dead_time_s
    live_error = math.hypot(error * span, part * span_error)
    return TimeEstimate("pulser", span, span_error, part * span - own, live_error, note, dead_time_s)


@dataclass(frozen=True)
class LiveTimes:
    """All that is known. records: of the run; timestamps and pulser: place 'crate/card/channel' -> estimate.

    missing: what could not be found, and why. tag: the pulser, None where there is none.
    """

    records: TimeEstimate | None
    timestamps: dict[str, TimeEstimate]
    pulser: dict[str, TimeEstimate]
    missing: list[str] = field(default_factory=list)
    tag: PulserTag | None = None

    def mean_live_fraction(self, places: Collection[str] | None = None) -> float:
        """Give the part of the time that channels were live, their mean; NaN if it is not known of one.

        places: of the channels 'crate/card/channel' that count; None: all.
        """
        known = {**self.timestamps, **self.pulser}
        unknown = {text.partition(": ")[0] for text in self.missing} - known.keys()
        wanted = (
            {*known, *(place for place in unknown if place.count("/") == 2)} if places is None else places
        )
        if not wanted or not known.keys() >= set(wanted):
            return math.nan
        return 1 - math.fsum(known[place].dead_fraction for place in wanted) / len(wanted)

    def real_s(self) -> float:
        """Give how long the run was, s: by its records, or from the first to the last hit of a channel.

        By what knows it better, if they agree; else the records: hits may have stopped before the end.
        """
        of_hits = max(
            (*self.timestamps.values(), *self.pulser.values()), key=lambda one: one.real_s, default=None
        )
        if self.records is None or of_hits is None:
            known = self.records or of_hits
            return math.nan if known is None else known.real_s
        apart = abs(self.records.real_s - of_hits.real_s)
        is_agreed = apart < 3 * math.hypot(self.records.real_error_s, of_hits.real_error_s)
        is_hits = is_agreed and of_hits.real_error_s < self.records.real_error_s
        return of_hits.real_s if is_hits else self.records.real_s

    def lines(self) -> list[str]:
        """Say all of it, a line an estimate."""
        lines = [] if self.records is None else [self.records.line()]
        for place, estimate in (*self.timestamps.items(), *self.pulser.items()):
            lines.append(f"{place}: {estimate.line()}")
        return lines + self.missing


def live_times(
    columns: Mapping[str, Any],
    *,
    tier1: Path | str | None = None,
    amplitude: str = "trap_max",
    tag: PulserTag | None = None,
) -> LiveTimes:
    """Find real and live times in every way that there is.

    columns: of Tier 2: time_s, channel, card, crate and the one named by `amplitude`, by which the pulser is
    found. tier1: the file with the run records. tag: the pulser, where it is known already.
    """
    missing: list[str] = []
    records = None
    try:
        if tier1 is None:
            raise TierFileError(
                "Tier 2 does not say when the run ended: give the Tier 1 file for the run records"
            )
        records = from_run_records(tier1)
    except TierFileError as problem:
        missing.append(f"run records: {problem}")
    time_s = column(columns, "time_s", _WHAT).astype(np.float64)
    number, places = places_of(columns, _WHAT)
    if tag is None:
        try:
            tag = tag_pulser(columns, amplitude=amplitude)
        except SettingsError as problem:
            missing.append(f"pulser: {problem}")
    is_pulser = np.zeros(len(time_s), bool) if tag is None else tag.is_pulser
    timestamps: dict[str, TimeEstimate] = {}
    broken = broken_clocks(time_s, number, places)
    for index, place in enumerate(places):
        mine = (number == index) & np.isfinite(time_s)
        if place in broken:
            missing.append(f"{place}: timestamps: {broken[place]}")
            continue
        n_lost = int(np.count_nonzero((number == index) & ~np.isfinite(time_s)))
        if n_lost:
            missing.append(f"{place}: {n_lost} hits have no time, and count as if they were not recorded")
        try:
            estimate = from_timestamps(time_s[mine & ~is_pulser], n_others=int((mine & is_pulser).sum()))
        except SettingsError as problem:
            missing.append(f"{place}: timestamps: {problem}")
        else:
            timestamps[place] = estimate
    pulser = {}
    for place, train in () if tag is None else tag.trains.items():
        own = timestamps[place].dead_time_s if place in timestamps else math.nan
        pulser[place] = from_pulser(train, records, dead_time_s=own)
    return LiveTimes(records, timestamps, pulser, missing, tag)
