"""Finds the pulses of a test pulser among the hits of a run: they come at one interval and with one height.

In each channel, narrow bands of amplitude are searched for an interval that turns up far more often than
chance would have it. From the hits that are linked by this interval follow the period and the slow change of
its phase (two clocks never run alike), then the time of each expected pulse, and a hit at such a time is a
pulse. Where hits are so frequent that others fall into those times as well, the height must fit too.

Missing pulses do no harm: hits are counted by the number of periods between them. Heights that alternate are
one pulser, of a height that is then only a mean. Of two pulsers at one channel the clearer is found; tagging
what is left finds the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

import numpy as np

from pygama.analysis.places import broken_clocks, column, places_of
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

LEAST_PULSES = 10
"""Pulses of a channel that must be there to speak of a pulser."""

_WHAT = "finding the pulser"
_BAND = 0.004
"""Relative width of a bin in which heights are counted; three make a band."""
_MOST_BANDS = 60
_NEIGHBOURS = 8
"""How many hits of a band ahead an interval is looked for."""
_MOST_HITS = 20_000
"""Hits of a band in which the interval is looked for."""
_DRIFT = 2e-4
"""Largest relative change of the period that is followed."""
_LEAST_SCORE = 30.0
"""Surprise of an interval, in units of ln: chance reaches it in one of 10^13 intervals."""
_CERTAIN = 300.0
"""Surprise at which no other band is looked at."""
_MOST_HEIGHTS = 4
"""Heights between which a pulser may alternate."""
_STRETCH = 32
"""Pulses over which the phase is averaged."""
_CHANCE = 1e-4
"""Chance of another hit at the time of a pulse from which on its height must fit as well."""
_TO_SIGMA = 1.4826
"""From the median of absolute deviations to the standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class PulseTrain:
    """The pulser as one channel sees it.

    period_s and amplitude with their errors, of one standard deviation; amplitude_sigma and jitter_s: spread
    of single pulses. n_expected: pulses from the first to the last recorded one; n_recorded: of them, how
    many are there. efficiency: estimate of the part of recorded pulses that is tagged; false_rate_hz:
    expected rate of tagged hits that are none. by_amplitude: whether the height had to fit too.
    """

    place: str
    period_s: float
    period_error_s: float
    first_s: float
    last_s: float
    jitter_s: float
    amplitude: float
    amplitude_error: float
    amplitude_sigma: float
    n_expected: int
    n_recorded: int
    efficiency: float
    false_rate_hz: float
    by_amplitude: bool

    @property
    def recorded_fraction(self) -> tuple[float, float]:
        """Part of the expected pulses that is there, and its binomial error.

        The first and the last pulse are there by definition and are not counted.
        """
        n, k = self.n_expected - 2, self.n_recorded - 2
        if n < 1:
            return math.nan, math.nan
        # With the mean of a flat prior the error is not 0 where no pulse, or each, is missing.
        smooth = (k + 1) / (n + 2)
        return k / n, math.sqrt(smooth * (1 - smooth) / (n + 3))


@dataclass(frozen=True)
class PulserTag:
    """Which hits are pulses.

    is_pulser: (n_rows,) bool. pulse: (n_rows,) number of the period, -1 for other hits; it is counted from
    the first recorded pulse of all channels that see the same pulser, so that a pulse has one number in all
    of them, and for a pulser of another period or phase from its own first. trains: place
    'crate/card/channel' -> what is known of its pulses. without: place -> why no pulser was found there.
    """

    is_pulser: np.ndarray
    pulse: np.ndarray
    trains: dict[str, PulseTrain]
    without: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Say what was found, a line a channel."""
        lines = []
        for place, train in self.trains.items():
            part, error = train.recorded_fraction
            lines.append(
                f"{place}: period {train.period_s:.9g} ± {train.period_error_s:.2g} s, amplitude "
                f"{train.amplitude:.6g} ± {train.amplitude_sigma:.2g}, {train.n_recorded} of "
                f"{train.n_expected} pulses ({100 * part:.2f} ± {100 * error:.2f} %), "
                f"tagging efficiency {100 * train.efficiency:.2f} %, false {train.false_rate_hz:.2g} Hz"
            )
        return lines + [f"{place}: {why}" for place, why in self.without.items()]


def tag_pulser(
    columns: Mapping[str, Any], *, amplitude: str = "trap_max", resolution_s: float = 1e-8
) -> PulserTag:
    """Find the pulser in each channel and tag its hits.

    columns: of Tier 2, in any order: time_s, channel (card and crate where there are several) and the one
    named by `amplitude`. resolution_s: step of the time stamps. Raises SettingsError where no channel has a
    pulser, and says of each why.
    """
    time_s = column(columns, "time_s", _WHAT).astype(np.float64)
    height = column(columns, amplitude, _WHAT).astype(np.float64)
    number, places = places_of(columns, _WHAT)
    pulse = np.full(len(time_s), -1, np.int64)
    trains: dict[str, PulseTrain] = {}
    without: dict[str, str] = {}
    broken = broken_clocks(time_s, number, places)
    for index, place in enumerate(places):
        if place in broken:
            without[place] = broken[place]
            continue
        rows = np.flatnonzero((number == index) & np.isfinite(time_s))
        rows = rows[np.argsort(time_s[rows], kind="stable")]
        try:
            train, numbers = _find_train(place, time_s[rows], height[rows], resolution_s)
        except SettingsError as problem:
            without[place] = str(problem)
            continue
        trains[place], pulse[rows] = train, numbers
    if not trains:
        why = "; ".join(_by_reason(without)) or "there are no hits"
        raise SettingsError(
            f"no channel has a pulser ({why}); leave the pulser out, or choose another column"
        )
    _count_from_the_first(pulse, number, places, trains)
    return PulserTag(pulse >= 0, pulse, trains, without)


def _count_from_the_first(
    pulse: np.ndarray, number: np.ndarray, places: tuple[str, ...], trains: Mapping[str, PulseTrain]
) -> None:
    """Shift the numbers of channels that see the same pulser, to count from the pulse that came first."""
    first = min(trains.values(), key=lambda train: train.first_s)
    for index, place in enumerate(places):
        train = trains.get(place)
        if train is None:
            continue
        later = (train.first_s - first.first_s) / train.period_s
        is_same = abs(train.period_s / first.period_s - 1) < 1e-6 and abs(later - round(later)) < 0.01
        if is_same and round(later):
            pulse[(number == index) & (pulse >= 0)] += round(later)


def _by_reason(without: Mapping[str, str]) -> list[str]:
    """Name the channels without a pulser, those of one reason together."""
    places: dict[str, list[str]] = {}
    for place, reason in without.items():
        places.setdefault(reason, []).append(place)
    return [f"{', '.join(names)}: {reason}" for reason, names in places.items()]


@dataclass(frozen=True, slots=True)
class _Interval:
    """An interval that turns up too often. members: which hits it links."""

    period_s: float
    score: float
    rows: np.ndarray


def _find_train(
    place: str, time_s: np.ndarray, height: np.ndarray, resolution_s: float
) -> tuple[PulseTrain, np.ndarray]:
    """Find the pulses among the hits of one channel, in order of time; gives the period's number of each."""
    if len(time_s) < LEAST_PULSES:
        raise SettingsError(f"{len(time_s)} hits are too few to find a pulser, {LEAST_PULSES} are needed")
    best: _Interval | None = None
    for rows in _bands(height):
        found = _find_interval(time_s, rows, resolution_s)
        if found is not None and (best is None or found.score > best.score):
            best = found
        if best is not None and best.score > _CERTAIN:
            break
    if best is None:
        raise SettingsError("no interval turns up more often than by chance")
    phase = _Phase.of(time_s[best.rows], best.period_s)
    finer, rows = _with_pulses_between(time_s, phase, best.rows, resolution_s)
    return _tag(place, time_s, height, finer, rows, resolution_s)


def _with_pulses_between(
    time_s: np.ndarray, phase: _Phase, rows: np.ndarray, resolution_s: float
) -> tuple[_Phase, np.ndarray]:
    """Look for pulses of other heights that come evenly between those of a band: the heights alternate."""
    away = np.abs(time_s - phase.at(phase.number_near(time_s)))
    half = max(6 * _TO_SIGMA * float(np.median(away[rows])), 2 * resolution_s)
    for parts in range(_MOST_HEIGHTS, 1, -1):
        finer = _Phase(phase.numbers * parts, phase.times)
        numbers = finer.number_near(time_s)
        is_in_time = np.abs(time_s - finer.at(numbers)) <= half
        between = np.bincount(numbers[is_in_time] % parts, minlength=parts)
        if between[1:].min() >= max(LEAST_PULSES, 0.5 * between[0]):
            period = float(time_s[-1] - time_s[0]) / max(float(np.ptp(numbers)), 1.0)
            by_chance = len(time_s) * 2 * half / (period * parts)
            if between[1:].min() > 5 * by_chance + LEAST_PULSES / 2:
                return finer, np.flatnonzero(is_in_time)
    return phase, rows


def _bands(height: np.ndarray) -> Iterator[np.ndarray]:
    """Give the rows of the bands of heights that stand out most, then all rows."""
    usable = np.flatnonzero(np.isfinite(height) & (height > 0))
    if len(usable):
        bins = np.floor(np.log(height[usable]) / _BAND).astype(np.int64)
        # Empty bins at both ends, as many as are looked at beside one.
        bins += 16 - bins.min()
        counts = np.bincount(bins, minlength=int(bins.max()) + 17)
        three = np.convolve(counts, np.ones(3), mode="same")
        beside = np.convolve(counts, np.ones(31), mode="same") - three
        excess = (three - beside * 3 / 28) / np.sqrt(three + 1)
        order = np.argsort(excess, kind="stable")[::-1][: 3 * _MOST_BANDS]
        taken: list[int] = []
        for centre in order.tolist():
            if len(taken) < _MOST_BANDS and all(abs(centre - other) > 1 for other in taken):
                taken.append(centre)
                rows = usable[np.abs(bins - centre) <= 1]
                if len(rows) >= LEAST_PULSES:
                    yield rows
    yield np.arange(len(height))


def _find_interval(time_s: np.ndarray, rows: np.ndarray, resolution_s: float) -> _Interval | None:
    """Find the interval that hits of a band are apart too often for chance; None where there is none."""
    middle = max((len(rows) - _MOST_HITS) // 2, 0)
    times = time_s[rows[middle : middle + _MOST_HITS]]
    lags = np.sort(
        np.concatenate([times[k:] - times[:-k] for k in range(1, min(_NEIGHBOURS, len(times) - 1) + 1)])
    )
    lags = lags[lags > 100 * resolution_s]
    if len(lags) < LEAST_PULSES:
        return None
    half = 2 * resolution_s + _DRIFT * lags
    near = _count(lags, half)
    wide = _count(lags, 50 * half)
    chance = np.maximum((wide - near) / 49, 1 / 49)
    score = np.where(near > chance, near * np.log(near / chance) - (near - chance), 0.0)
    # Twice the period turns up as often as the period itself: the shortest of the good ones is meant.
    good = (score > _LEAST_SCORE) & (near >= max(LEAST_PULSES // 2, 0.5 * near[score > 0].max(initial=0)))
    if not good.any():
        return None
    first = int(np.argmax(good))
    within = slice(first, int(np.searchsorted(lags, lags[first] + 2 * half[first])))
    best = within.start + int(np.argmax(score[within]))
    period = float(np.median(lags[np.abs(lags - lags[best]) <= half[best]]))
    linked = rows[_linked(time_s[rows], period, resolution_s)]
    if len(linked) < LEAST_PULSES:
        return None
    return _Interval(period, float(score[best]), linked)


def _count(lags: np.ndarray, half: np.ndarray) -> np.ndarray:
    return (np.searchsorted(lags, lags + half, "right") - np.searchsorted(lags, lags - half)).astype(float)


def _linked(times: np.ndarray, period: float, resolution_s: float) -> np.ndarray:
    """Say which hits have another one to four periods away."""
    linked = np.zeros(len(times), bool)
    for periods in range(1, 5):
        half = 2 * resolution_s + _DRIFT * periods * period
        start = np.searchsorted(times, times + periods * period - half)
        stop = np.searchsorted(times, times + periods * period + half, "right")
        has = stop > start
        linked |= has
        linked[np.minimum(start[has], len(times) - 1)] = True
    return linked


@dataclass(frozen=True, slots=True)
class _Phase:
    """Time of each pulse: a smooth curve through knots, (number of the period, time)."""

    numbers: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, times: np.ndarray, period: float) -> _Phase:
        """Count the periods between linked hits and average the times over stretches.

        Hits that are no pulses are outvoted in each stretch by the median.
        """
        numbers, kept = _count_periods(times, period)
        slope, offset = _straight(numbers, times[kept])
        away = times[kept] - (offset + slope * numbers)
        knots = _stretches(numbers)
        middle = np.array([numbers[rows].mean() for rows in knots])
        shift = np.array([_middle(away[rows], numbers[rows]) for rows in knots])
        return cls(*_two_at_least(middle, offset + slope * middle + shift, slope))

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """Give the times of pulses: cubic between knots, a parabola beyond the ends."""
        x, y = self.numbers, self.times
        tangent = np.gradient(y, x, edge_order=2 if len(x) > 2 else 1)
        piece = np.clip(np.searchsorted(x, numbers) - 1, 0, len(x) - 2)
        width = x[piece + 1] - x[piece]
        u = np.clip((numbers - x[piece]) / width, 0.0, 1.0)
        rise = y[piece + 1] - y[piece]
        left, right = width * tangent[piece] - rise, rise - width * tangent[piece + 1]
        inside = y[piece] + rise * u + u * (1 - u) * (left * (1 - u) + right * u)
        return inside + self._beyond(numbers, tangent)

    def _beyond(self, numbers: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        before = np.minimum(numbers - self.numbers[0], 0.0)
        after = np.maximum(numbers - self.numbers[-1], 0.0)
        bend = np.gradient(tangent, self.numbers) if len(tangent) > 2 else np.zeros(len(tangent))
        # A stretch holds too little to say how the phase bends far beyond it.
        reach = np.where(np.maximum(-before, after) <= _STRETCH, 0.5, 0.0)
        early = tangent[0] * before + reach * bend[0] * before**2
        return early + tangent[-1] * after + reach * bend[-1] * after**2

    def number_near(self, times: np.ndarray) -> np.ndarray:
        """Give the pulse that is nearest in time."""
        x, y = self.times, self.numbers
        piece = np.clip(np.searchsorted(x, times) - 1, 0, len(x) - 2)
        slope = np.diff(y)[piece] / np.diff(x)[piece]
        return np.rint(y[piece] + slope * (times - x[piece])).astype(np.int64)


def _stretches(numbers: np.ndarray) -> list[np.ndarray]:
    """Part hits into stretches of about 32 pulses, none with a long gap in it."""
    after_gap = np.concatenate([[0], np.cumsum(np.diff(numbers) > 2 * _STRETCH)])
    knots: list[np.ndarray] = []
    for value in range(int(after_gap[-1]) + 1):
        rows = np.flatnonzero(after_gap == value)
        knots += np.array_split(rows, max(len(rows) // _STRETCH, 1))
    enough = [rows for rows in knots if len(rows) >= 4]
    return enough or knots


def _two_at_least(middle: np.ndarray, times: np.ndarray, slope: float) -> tuple[np.ndarray, np.ndarray]:
    if len(middle) > 1:
        return middle, times
    return np.array([middle[0], middle[0] + 1]), np.array([times[0], times[0] + slope])


def _middle(away: np.ndarray, numbers: np.ndarray) -> float:
    """Give the shift in the middle of a stretch: the median about a robust straight line."""
    half = len(away) // 2
    if half < 3:
        return float(np.median(away))
    run = np.median(numbers[half:]) - np.median(numbers[:half])
    tilt = (np.median(away[half:]) - np.median(away[:half])) / max(run, 1)
    return float(np.median(away - tilt * (numbers - numbers.mean())))


def _count_periods(times: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Number linked hits by periods; gives the numbers, from 0 on, and the hits that fit.

    The count begins at several hits, since any one may be no pulse, and the longest is taken.
    """
    best: tuple[np.ndarray, np.ndarray] | None = None
    for seed in np.unique(np.linspace(0, len(times) - 1, 9).astype(int)).tolist():
        after, rows_after = _walk(times[seed:], period)
        before, rows_before = _walk(times[seed::-1] * -1.0, period)
        numbers = np.concatenate([-before[:0:-1], after])
        kept = np.concatenate([seed - rows_before[:0:-1], seed + rows_after])
        if best is None or len(kept) > len(best[1]):
            best = numbers - numbers[0], kept
        if len(kept) > 0.8 * len(times):
            break
    if best is None or len(best[1]) < LEAST_PULSES or 2 * len(best[1]) < len(times):
        raise SettingsError("an interval turns up often, but the hits do not go on by it")
    return best


def _walk(times: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Count periods from the first hit on, leaving out hits that are not a whole number of them away."""
    numbers, kept = [0], [0]
    last, step, number = float(times[0]), period, 0
    for row, time in enumerate(times[1:].tolist(), start=1):
        n = round((time - last) / step)
        if n < 1 or abs((time - last) - n * step) > min(_DRIFT * (n + 0.5), 0.2) * step:
            continue
        number += n
        # The period is followed slowly, so that a hit by chance does not carry it away.
        step += 0.2 * ((time - last) / n - step)
        last = time
        numbers.append(number)
        kept.append(row)
    return np.array(numbers), np.array(kept)


def _straight(numbers: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    centre = numbers.mean()
    slope, offset = np.polyfit(numbers - centre, times - times[0], 1)
    return float(slope), float(offset - slope * centre + times[0])


def _tag(
    place: str,
    time_s: np.ndarray,
    height: np.ndarray,
    phase: _Phase,
    members: np.ndarray,
    resolution_s: float,
) -> tuple[PulseTrain, np.ndarray]:
    numbers = phase.number_near(time_s)
    away = time_s - phase.at(numbers)
    jitter = _TO_SIGMA * float(np.median(np.abs(away[members])))
    half = max(6 * jitter, 2 * resolution_s)
    period = float((phase.times[-1] - phase.times[0]) / (phase.numbers[-1] - phase.numbers[0]))
    in_time = np.abs(away) <= half
    alone = len(time_s) * 2 * half < 0.3 * np.count_nonzero(in_time) * period
    centre, sigma = _cluster(height[in_time if alone else members])
    fits = np.abs(height - centre) <= max(6 * sigma, 0.01 * abs(centre))
    span = time_s[-1] - time_s[0]
    others = (len(time_s) - np.count_nonzero(in_time & fits)) / max(span, period)
    chance = others * 2 * half
    by_amplitude = chance > _CHANCE
    tagged = _one_a_pulse(numbers, np.abs(away), in_time & (fits if by_amplitude else True))
    rows = np.flatnonzero(tagged)
    first = int(numbers[rows[0]])
    n_expected, n_recorded = int(numbers[rows[-1]]) - first + 1, len(rows)
    if n_recorded < LEAST_PULSES or n_recorded < 0.1 * n_expected:
        raise SettingsError(
            f"of {n_expected} pulses that an interval would give, only {n_recorded} are there"
        )
    ends = phase.at(numbers[rows[[0, -1]]])
    error = 2 * math.hypot(jitter, resolution_s / math.sqrt(12)) / math.sqrt(min(n_recorded, _STRETCH))
    alike = np.abs(height[rows] - centre) <= 6 * sigma
    train = PulseTrain(
        place,
        float(ends[1] - ends[0]) / max(n_expected - 1, 1),
        error * math.sqrt(2) / max(n_expected - 1, 1),
        float(time_s[rows[0]]),
        float(time_s[rows[-1]]),
        jitter,
        centre,
        sigma / math.sqrt(max(int(alike.sum()), 1)),
        sigma,
        n_expected,
        n_recorded,
        _efficiency(away, fits, half, period),
        _false_rate(time_s, fits, by_amplitude, numbers, away, half, n_expected, n_recorded, period),
        by_amplitude,
    )
    return train, np.where(tagged, numbers - first, -1)


def _cluster(heights: np.ndarray) -> tuple[float, float]:
    """Give the middle and the spread of the heights of pulses, whatever a few of them have."""
    usable = heights[np.isfinite(heights)]
    if not len(usable):
        return math.nan, math.inf
    centre = float(np.median(usable))
    return centre, _TO_SIGMA * float(np.median(np.abs(usable - centre)))


def _one_a_pulse(numbers: np.ndarray, away: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Keep, of several hits at one pulse, the one nearest in time."""
    rows = np.flatnonzero(candidates)
    order = rows[np.lexsort((away[rows], numbers[rows]))]
    is_first = np.ones(len(order), bool)
    is_first[1:] = numbers[order[1:]] != numbers[order[:-1]]
    tagged = np.zeros(len(numbers), bool)
    tagged[order[is_first]] = True
    return tagged


def _efficiency(away: np.ndarray, fits: np.ndarray, half: float, period: float) -> float:
    """Estimate how many of the pulses lie in time: hits of the right height just outside count against it."""
    inside = np.count_nonzero(fits & (np.abs(away) <= half))
    ring = fits & (np.abs(away) > half) & (np.abs(away) <= 5 * half)
    far = fits & (np.abs(away) > 0.1 * period)
    flat = np.count_nonzero(far) / (0.8 * period) * 8 * half
    outside = max(np.count_nonzero(ring) - flat, 0.0)
    return inside / (inside + outside) if inside else math.nan


def _false_rate(
    time_s: np.ndarray,
    fits: np.ndarray,
    by_amplitude: bool,
    numbers: np.ndarray,
    away: np.ndarray,
    half: float,
    n_expected: int,
    n_recorded: int,
    period: float,
) -> float:
    """Expect hits by chance at times of pulses that are missing, from the rate of hits between pulses."""
    between = np.abs(away) > 0.1 * period
    if by_amplitude:
        between &= fits
    span = max(float(time_s[-1] - time_s[0]), period)
    rate = np.count_nonzero(between) / (0.8 * span)
    missing = max(n_expected - n_recorded, 0)
    return rate * 2 * half * missing / span
