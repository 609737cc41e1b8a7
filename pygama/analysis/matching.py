"""Tells which source and which gain explain a spectrum that is not calibrated, and how sure that is.

A hypothesis is a source and a gain (unit of the values a keV). Its score is the logarithm of a likelihood
ratio: for each line, how much better a peak on a flat background explains the counts at its place and beside
it than the background alone, with a limit to what one line may count for, a price for strong lines that are
missing, and one for areas that do not go with the intensities. The confidence is the share of the best
hypothesis in the sum of exp(score) of all that were tried, of every source and gain, and of chance: as if
each had been as likely before, except that sources and gains nobody named count less. Values are taken to be
proportional to energy within the width of the windows, some keV.

A strong line that is missing speaks against a source as much as one that is there speaks for it: how many
counts it should have follows from the lines that were found, their intensities and an efficiency that is
known only loosely, the better the nearer in energy the lines are. Lines beyond the range of the values, or
below where they begin, are not missed.

Source of the likelihood ratio: T.-P. Li, Y.-Q. Ma, Astrophys. J. 272 (1983) 317.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np

from pygama.analysis.lines import GammaLine, Source, source_of, sources
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

MIN_VALUES = 30
"""With fewer values above 0, nothing is matched."""
SURE = 0.99
"""The confidence that is asked for where nothing else is said."""
UNITS = "units"
"""What a gain counts a keV where nobody says of what the values are."""

_STEP = 2e-4
_MOST_FOR_A_LINE = 12.0
_PRICE_OF_A_LINE = 1.0
_PRICE_MISSING = 2.0
"""Of a line that is not there, whatever the others have: at most."""
_MOST_FOR_AN_ABSENCE = 12.0
"""Of a line that is not there although the others say that it would be seen: at most."""
_EFFICIENCY_POWER, _EFFICIENCY_SPREAD = -0.8, 0.5
"""Efficiency against energy as a power law, give or take."""
_AREA_SPREAD = 0.15
"""So far, relative, areas of lines of one energy are off beside their errors: neighbours, edges."""
_ABSORBED_BELOW_KEV, _ABSORPTION_SPREAD = 200.0, 2.0
"""Below this energy what lies before a detector may take a line away, by that power more or less."""
_BACKGROUND_SPREAD = 0.03
"""So well is the background below a line known from both its sides."""
_UNSEEN_PART = 0.002
"""The part of all values that may lie below a line which then counts as below the threshold."""
_ENOUGH = 8.0
"""A score that is enough for a source that another one surpasses at the same gain."""
_PRICE_BEYOND = 1.5
_MOST_FOR_A_WEAK_LINE = 4.0
_UNNAMED_SOURCE = 2.0
_UNEXPECTED_GAIN = 6.0
_INDEPENDENT = 0.003
"""Gains that differ by so much, relative, are different trials."""
_SAME_GAIN = 0.02
"""At most so far apart, relative, are two gains that are taken for the same."""
_MAIN = 0.25
"""Lines of this part of the strongest one's intensity or more are its main lines."""
_WEAK = 0.03
_WRONG = np.linspace(0.0, 5.0, 51)
"""So many errors too high may a prediction be."""
_N_BEST = 12
_WIDTHS = (1.0, 2.2)
"""Windows that are tried, in units of a good detector's."""

_N_LOG_N = np.arange(1 << 15, dtype=float)
_N_LOG_N[1:] *= np.log(_N_LOG_N[1:])


class Spectrum:
    """Values, or counts in bins, to be matched and fitted.

    values: 1-D, one number an event; NaNs and values that are not above 0 are left out. Or counts (n,) with
    edges (n + 1,), rising. Raises SettingsError for what is neither.
    """

    def __init__(self, values: Any, edges: Any = None) -> None:
        if edges is None:
            numbers = np.asarray(values, float).ravel()
            self._numbers = np.sort(numbers[np.isfinite(numbers) & (numbers > 0)])
            self._edges = self._cumulated = np.empty(0)
            self.n = float(len(self._numbers))
            return
        counts, edges = np.asarray(values, float), np.asarray(edges, float)
        if edges.ndim != 1 or counts.shape != (len(edges) - 1,) or len(counts) < 8:
            raise SettingsError(
                "a histogram needs 8 bins or more and one edge more than counts, "
                f"not counts of shape '{counts.shape}' and edges of shape '{edges.shape}'"
            )
        if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
            raise SettingsError("the edges of a histogram must be numbers that rise")
        if not (np.isfinite(counts).all() and (counts >= 0).all()):
            raise SettingsError("the counts of a histogram must be numbers of 0 or more")
        self._edges, self._counts = edges, counts
        self._cumulated = np.concatenate([[0.0], np.cumsum(counts)])
        self._numbers = np.empty(0)
        self.n = float(np.interp(np.inf, edges, self._cumulated) - np.interp(0.0, edges, self._cumulated))

    def below(self, x: np.ndarray) -> np.ndarray:
        """Count the values below each `x`, (n,) in any order; within a bin in proportion.

        Whole numbers, unless the bins of a histogram are cut.
        """
        if len(self._edges):
            return np.interp(x, self._edges, self._cumulated)
        return np.searchsorted(self._numbers, x)

    def below_evenly(self, start: float, step: float, n: int) -> np.ndarray:
        """Count the values below `n` places that lie evenly in the logarithm, (n,)."""
        if len(self._edges):
            return self.below(np.exp(start + step * np.arange(n)))
        first = np.floor((np.log(self._numbers) - start) / step).astype(np.int64) + 1
        return np.cumsum(np.bincount(np.clip(first, 0, n), minlength=n + 1)[:n])

    def quantile(self, part: float) -> float:
        """Give the value that `part` of all values above 0 lie below."""
        if len(self._edges):
            start = self._cumulated[-1] - self.n
            return float(np.interp(start + part * self.n, self._cumulated, self._edges))
        return float(np.quantile(self._numbers, part))

    def window(self, low: float, high: float, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
        """Give counts and edges between two values; of a histogram the bins as they are."""
        if not len(self._edges):
            first, last = np.searchsorted(self._numbers, [low, high])
            return np.histogram(self._numbers[first:last], bins=n_bins, range=(low, high))
        first = int(np.searchsorted(self._edges, low))
        last = int(np.searchsorted(self._edges, high, side="right")) - 1
        return self._counts[first:last], self._edges[first : last + 1]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A source and a gain that may explain a spectrum.

    gain: unit of the values a keV. found: energies of the main lines that stand out. n_main: how many main
    lines there are. score: logarithm of a likelihood ratio against chance.
    """

    source: str
    gain: float
    score: float
    found: tuple[float, ...] = ()
    n_main: int = 0

    def words(self, unit: str = UNITS) -> str:
        """Say it in a few words; unit: of the values."""
        found = f"{len(self.found)} of {self.n_main} main lines"
        return f"{self.source} at {self.gain:.5g} {unit}/keV ({found})"


@dataclass(frozen=True, slots=True)
class _Expected:
    """What is expected of the gain, in units a keV."""

    gain_range: tuple[float, float] | None
    unit: str

    def words(self) -> str:
        """Write the range."""
        low, high = self.gain_range or (0.0, math.inf)
        return f"{low:.5g} to {high:.5g} {self.unit}/keV"

    def advice(self) -> str:
        """Say what can be done about the gain: to give one, or to correct that which was given."""
        if self.gain_range is None:
            return "give an expected gain"
        return f"correct the gain that was expected ({self.words()})"


@dataclass(frozen=True, slots=True)
class Match:
    """What explains a spectrum best, and what second best.

    rival: the best one at another gain. confidence: 0 to 1. refused: why nothing is proposed, and what would
    help; empty where `best` can be taken.
    """

    best: Hypothesis | None
    rival: Hypothesis | None
    confidence: float
    refused: str = ""


def match_sources(
    spectrum: Spectrum,
    source: str | Sequence[str] | None = None,
    *,
    gain_range: tuple[float, float] | None = None,
    min_confidence: float = SURE,
    unit: str = UNITS,
) -> Match:
    """Find the source and the gain that explain a spectrum best.

    source: its name, several that were there together, or None to try all that are known. gain_range: least
    and greatest unit a keV that is expected. unit: of the values, as `refused` names it, which says why a
    spectrum cannot be told: that is no error. Raises SettingsError for a source that is not known or has no
    lines, and for a range that is none.
    """
    wanted = _wanted(source)
    _check_range(gain_range)
    if spectrum.n < MIN_VALUES:
        return Match(
            None,
            None,
            0.0,
            f"{spectrum.n:.0f} value{'' if spectrum.n == 1 else 's'} above 0: too few to find lines in",
        )
    grid = _Grid(spectrum, gain_range)
    tried = [one for lines in _sets(wanted) for one in grid.best_of(lines)]
    return _judge(tried, wanted, _Expected(gain_range, unit), min_confidence)


def _wanted(source: str | Sequence[str] | None) -> tuple[Source, ...]:
    names = [] if source is None else [source] if isinstance(source, str) else list(source)
    wanted = tuple(source_of(name) for name in dict.fromkeys(names))
    for one in wanted:
        if not one.lines:
            raise SettingsError(
                f"the source '{one.name}' has no line of a known energy; "
                "name another that was there as well, without it"
            )
    return wanted


def _check_range(gain_range: tuple[float, float] | None) -> None:
    if gain_range is None:
        return
    low, high = gain_range
    if not (0 < low < high and math.isfinite(high)):
        raise SettingsError(
            f"an expected gain lies between two numbers above 0 that rise, not '{gain_range}'"
        )


@dataclass(frozen=True, slots=True)
class _Set:
    """Lines of one hypothesis: main lines, which should be there, and weak ones, which may be."""

    name: str
    main: tuple[GammaLine, ...]
    weak: tuple[GammaLine, ...]
    together: tuple[tuple[int, ...], ...] = field(default=())
    """Places of main lines that are of one source, so that their areas go together."""


def _sets(wanted: Sequence[Source]) -> Iterator[_Set]:
    """Give what is asked for, and each source by itself as a rival."""
    names = {one.name for one in wanted}
    if wanted:
        yield _set_of(wanted)
    yield from (_set_of([one]) for one in sources() if one.lines and {one.name} != names)


def _set_of(together: Sequence[Source]) -> _Set:
    main: list[GammaLine] = []
    weak: list[GammaLine] = []
    groups: list[tuple[int, ...]] = []
    for source in together:
        strongest = max((line.intensity or 0.0 for line in source.lines), default=0.0)
        first = len(main)
        for line in sorted(source.lines, key=lambda line: -(line.intensity or 0.0)):
            if any(
                abs(line.energy_kev - other.energy_kev) < _half_width(line.energy_kev) * 2 for other in main
            ):
                continue
            if not strongest or (line.intensity or 0.0) >= _MAIN * strongest:
                main.append(line)
            elif line.escapes or (line.intensity or 0.0) >= _WEAK * strongest:
                weak.append(line)
        groups.append(tuple(range(first, len(main))))
    return _Set(_name_of(together), tuple(main), tuple(weak), tuple(groups))


def _half_width(energy_kev: float) -> float:
    """Half the width of a window, in keV, that holds a peak of a good germanium detector."""
    return 2.0 + 0.0008 * energy_kev


class _Grid:
    """Counts below places that lie evenly in the logarithm, so that a gain is a shift."""

    def __init__(self, spectrum: Spectrum, gain_range: tuple[float, float] | None) -> None:
        self._bulk = spectrum.quantile(0.98)
        self._bottom = spectrum.quantile(_UNSEEN_PART)
        self._top = min(spectrum.quantile(1.0), 1.5 * spectrum.quantile(0.999))
        self._range = gain_range
        self._spectrum = spectrum
        self._start = math.log(1e-4 * self._bulk)
        n = int((math.log(30 * self._top) - self._start) / _STEP)
        self._below = spectrum.below_evenly(self._start, _STEP, n)

    def best_of(self, lines: _Set) -> list[Hypothesis]:
        """Give the gains at which the lines stand out most, none near another; expected ones apart."""
        log_gain, score, sharp = self._scores(lines)
        if self._range is None:
            return self._tops(lines, log_gain, score, sharp)
        low, high = np.searchsorted(log_gain, np.log(self._range))
        inside = np.zeros(len(log_gain), bool)
        inside[low:high] = True
        expected = self._tops(lines, log_gain[inside], score[inside], sharp[inside]) if inside.any() else []
        apart = np.where(inside, -np.inf, score - _UNEXPECTED_GAIN)
        return expected + self._tops(lines, log_gain, apart, sharp)

    def _scores(self, lines: _Set) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give gains (their logarithms), scores, and what tells gains of equal score apart, each (n,).

        The last, 0 to 1, is the sum of the ratios without a limit: where strong lines count for the most they
        may, it says in which of the windows that hold them they stand in the middle.
        """
        low, high = self._gains(lines)
        first = math.floor(math.log(low) / _STEP)
        n = math.ceil(math.log(high) / _STEP) - first + 1
        log_gain = _STEP * (first + np.arange(n))
        score, sharp = np.zeros(n), np.zeros(n)
        for line in lines.main:
            ratios = self._likelihood_ratios(line.energy_kev, first, n)
            score += self._of_main(line, log_gain, ratios.max(axis=0))
            sharp += np.maximum(ratios, 0.0).sum(axis=0)
        for line in lines.weak:
            ratio = self._likelihood_ratios(line.energy_kev, first, n).max(axis=0) - 2 * _PRICE_OF_A_LINE
            score += np.clip(ratio, 0.0, _MOST_FOR_A_WEAK_LINE)
        return log_gain, score, sharp / max(float(sharp.max()), 1.0)

    def _tops(
        self, lines: _Set, log_gain: np.ndarray, score: np.ndarray, sharp: np.ndarray
    ) -> list[Hypothesis]:
        trials = max((log_gain[-1] - log_gain[0]) / _INDEPENDENT, 1.0)
        return [
            self._hypothesis(lines, float(score[i]) - math.log(trials), math.exp(log_gain[i]))
            for i in _peaks_of(score + sharp)
        ]

    def _gains(self, lines: _Set) -> tuple[float, float]:
        """Most values lie below 8 times the highest line, and the two lowest main lines are in range."""
        energies = sorted(line.energy_kev for line in lines.main)
        low = self._bulk / (8 * energies[-1])
        high = max(1.05 * self._top / energies[min(1, len(energies) - 1)], 1.01 * low)
        if self._range is not None:
            low, high = min(low, self._range[0]), max(high, self._range[1])
        # what the grid can hold
        floor = 1.2e-4 * self._bulk / energies[0]
        roof = 25 * self._top / energies[-1]
        return max(low, floor), max(min(high, roof), 1.01 * max(low, floor))

    def _of_main(self, line: GammaLine, log_gain: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        most = _MOST_FOR_A_LINE - _PRICE_OF_A_LINE
        beyond = log_gain + math.log(line.energy_kev) > math.log(self._top)
        return np.where(beyond, -_PRICE_BEYOND, np.clip(ratio - _PRICE_OF_A_LINE, -_PRICE_MISSING, most))

    def _likelihood_ratios(self, energy: float, first: int, n: int) -> np.ndarray:
        """Logarithms of the ratio for a peak at an energy, (n_widths, n gains from a place on)."""
        halves = [width * _half_width(energy) / energy for width in _WIDTHS]
        return np.array([self._ratio(energy, half, first, n) for half in halves if 3.5 * half < 0.9])

    def _ratio(self, energy: float, half: float, first: int, n: int) -> np.ndarray:
        def below(factor: float) -> np.ndarray:
            at = round((math.log(energy * (1 + factor * half)) - self._start) / _STEP) + first
            return self._below[_clipped(at, n, len(self._below))]

        inside = below(1) - below(-1)
        # the higher side for both, so that an edge is no peak
        beside = 2 * np.maximum(below(3.5) - below(1.5), below(-1.5) - below(-3.5))
        return on_off_ratio(inside, beside, 2.0)

    def _hypothesis(self, lines: _Set, score: float, gain: float) -> Hypothesis:
        """Weigh areas too; what chance explains better anyway is left as it is."""
        areas = np.array([self._area(line.energy_kev, gain) for line in lines.main])
        in_range = [self._bottom < gain * line.energy_kev < self._top for line in lines.main]
        for group in lines.together if score > 0 else ():
            seen = [i for i in group if in_range[i]]
            score -= _price_of_areas([lines.main[i] for i in seen], areas[seen, :2])
            score -= _price_of_absences([lines.main[i] for i in seen], areas[seen])
        found = [
            line.energy_kev
            for line, (area, error, _) in zip(lines.main, areas, strict=True)
            if area > 3 * error
        ]
        return Hypothesis(lines.name, gain, score, tuple(sorted(found)), len(lines.main))

    def _area(self, energy: float, gain: float) -> tuple[float, float, float]:
        """Counts above what lies beside, their error, and the background's, in the wider window."""
        half = _WIDTHS[-1] * _half_width(energy) / energy
        edges = gain * energy * (1 + half * np.array([-3.5, -1.5, -1.0, 1.0, 1.5, 3.5]))
        below = self._spectrum.below(edges)
        inside, beside = below[3] - below[2], below[5] - below[4] + below[1] - below[0]
        return float(inside - beside / 2), float(math.sqrt(inside + beside / 4 + 1.0)), float(beside / 2)


def _clipped(start: int, n: int, length: int) -> np.ndarray | slice:
    if start >= 0 and start + n <= length:
        return slice(start, start + n)
    return np.clip(np.arange(start, start + n), 0, length - 1)


def on_off_ratio(inside: np.ndarray, beside: np.ndarray, exposure: float) -> np.ndarray:
    """Give the logarithm of the likelihood ratio of a peak, (n,); negative where there is a dip.

    inside: counts at the place. beside: counts in a stretch `exposure` times as long.
    Source: Li and Ma, equation 17, whose square it halves.
    """
    total = inside + beside
    ratio = _times_logarithm(inside) + _times_logarithm(beside) - _times_logarithm(total)
    ratio += math.log(1 + exposure) * total - math.log(exposure) * beside
    np.maximum(ratio, 0.0, out=ratio)  # of counts that go with the exposure, up to rounding
    return np.where(inside * exposure >= beside, ratio, -ratio)


def _times_logarithm(counts: np.ndarray) -> np.ndarray:
    """Give n log n, 0 at 0; of whole numbers from a table where that holds them, which is much quicker."""
    if counts.dtype.kind == "i" and counts.size and counts.max() < len(_N_LOG_N):
        return _N_LOG_N[counts]
    return counts * np.log(np.maximum(counts, 1e-300))


def _peaks_of(score: np.ndarray) -> list[int]:
    """Give places of the highest values that nothing near them surpasses, the highest first."""
    left = score.copy()
    places: list[int] = []
    near = int(2.5 * _INDEPENDENT / _STEP)
    for _ in range(5 * _N_BEST):
        i = int(np.argmax(left))
        if len(places) == _N_BEST or not np.isfinite(left[i]):
            break
        around = slice(max(i - near, 0), i + near + 1)
        if score[i] >= score[around].max():
            places.append(i)
        left[around] = -np.inf
    return places


def _price_of_areas(lines: Sequence[GammaLine], areas: np.ndarray) -> float:
    """Say how badly areas go with intensities, at an efficiency that falls as a power of the energy.

    The power is that of `_price_of_absences`, and each area is trusted to half of it: detectors differ.
    """
    known = [
        (
            math.log(line.energy_kev),
            math.log(max(area, error) / line.intensity),
            min(error / max(area, error), 0.7),
        )
        for line, (area, error) in zip(lines, areas, strict=True)
        if line.intensity
    ]
    if len(known) < 2:
        return 0.0
    x, y, relative = np.array(known).T
    weight = 1 / np.hypot(relative, 0.5)
    design = np.stack([np.ones_like(x), x - x.mean()], axis=1) * weight[:, None]
    design = np.vstack([design, [0.0, 1 / _EFFICIENCY_SPREAD]])
    target = np.append(y * weight, _EFFICIENCY_POWER / _EFFICIENCY_SPREAD)
    solution, *_ = np.linalg.lstsq(design, target, rcond=None)
    chi2 = float(((design @ solution - target) ** 2).sum())
    return min(chi2 / 2, 3.0 * len(known))


def _price_of_absences(lines: Sequence[GammaLine], areas: np.ndarray) -> float:
    """Say how much speaks against lines of one source that are not there although others of it are.

    areas: (n, 3): area, its error and the background below. Each line that stands out predicts the area of
    each other one, with a relative error that grows with what lies between their energies; these are taken
    together. A line that holds less is priced by half the squares of what it lacks, in its error, and of how
    far the prediction must be wrong, where the sum of both is least.
    """
    known = [i for i, line in enumerate(lines) if line.intensity]
    if len(known) < 2:
        return 0.0
    energy = np.array([lines[i].energy_kev for i in known])
    intensity = np.array([lines[i].intensity for i in known])
    area, error, below = areas[known].T
    stands_out = area > 3 * error
    price = 0.0
    for i in range(len(known)):
        others = stands_out & (np.arange(len(known)) != i)
        if not others.any():
            continue
        apart = np.log(energy[i] / energy[others])
        predicted = np.log(area[others] * intensity[i] / intensity[others]) + _EFFICIENCY_POWER * apart
        absorbed = _ABSORPTION_SPREAD * max(math.log(_ABSORBED_BELOW_KEV / energy[i]), 0.0)
        variance = (
            _AREA_SPREAD**2 + (_EFFICIENCY_SPREAD * apart) ** 2 + (error[others] / area[others]) ** 2
        ) + absorbed**2
        best = int(np.argmin(variance))
        # the error of the nearest, not that of the mean: what is not known is common to all
        mean = float(np.average(predicted, weights=1 / variance))
        spread = math.sqrt(float(variance[best]))
        lacks = (np.exp(mean - spread * _WRONG) - area[i]) / math.hypot(
            error[i], _BACKGROUND_SPREAD * below[i]
        )
        price += min(float((np.maximum(lacks, 0.0) ** 2 / 2 + _WRONG**2 / 2).min()), _MOST_FOR_AN_ABSENCE)
    return price


def _judge(
    tried: Sequence[Hypothesis],
    wanted: Sequence[Source],
    expected: _Expected,
    min_confidence: float,
) -> Match:
    """Take the best hypothesis, weigh it against those at other gains, and say what speaks against it."""
    name = _name_of(wanted)
    in_order = sorted(
        (replace(one, score=one.score - _UNNAMED_SOURCE * (name not in ("", one.source))) for one in tried),
        key=lambda one: -one.score,
    )
    top = in_order[0]
    if top.score <= 0 or not top.found:
        return Match(None, None, 0.0, _nothing_found(name, expected))
    named = (one for one in in_order if one.source == name and _goes_with(one, top))
    best = next(named, top)
    others = [one for one in in_order if not _is_same_gain(one, top)]
    weights = np.exp(np.array([one.score for one in others] + [0.0]) - top.score)
    confidence = float(1 / (1 + weights.sum()))
    if confidence < min_confidence and name not in ("", best.source):
        best, others, confidence = _of_source(name, in_order)
    unsure = (
        ""
        if confidence >= min_confidence
        else _why_unsure(best, others, (confidence, min_confidence), expected)
    )
    refused = unsure or _why_not(best, top, name, expected)
    rival = others[0] if others and others[0].score > 0 else None
    return Match(best, rival, confidence, refused)


def _of_source(name: str, in_order: Sequence[Hypothesis]) -> tuple[Hypothesis, list[Hypothesis], float]:
    """Give the best hypothesis of a source, those at other gains, and its confidence."""
    best = next(one for one in in_order if one.source == name)
    others = [one for one in in_order if not _is_same_gain(one, best)]
    weights = np.exp(np.array([one.score for one in others] + [0.0]) - best.score)
    return best, others, float(1 / (1 + weights.sum()))


def _name_of(together: Sequence[Source]) -> str:
    return " + ".join(source.name for source in together)


def _is_same_gain(one: Hypothesis, other: Hypothesis) -> bool:
    """Tell whether two hypotheses mean the same peaks: the lowest line of the second lies in one window."""
    lowest = min(other.found, default=1e6)
    near = min(max(_WIDTHS[-1] * _half_width(lowest) / lowest, _INDEPENDENT), _SAME_GAIN)
    return abs(math.log(one.gain / other.gain)) < near


def _goes_with(named: Hypothesis, top: Hypothesis) -> bool:
    """Tell whether what was asked for holds beside a better explanation, at its gain and by its own lines."""
    is_near = abs(math.log(named.gain / top.gain)) < 2 * _INDEPENDENT
    n_needed = max(2, (named.n_main + 1) // 2)
    return named is top or (is_near and named.score > _ENOUGH and len(named.found) >= n_needed)


def _nothing_found(name: str, expected: _Expected) -> str:
    of = f"of {name}" if name else "of any source that is known"
    return f"no lines {of} stand out from the background; take more events, or {expected.advice()}"


def _why_not(best: Hypothesis, top: Hypothesis, name: str, expected: _Expected) -> str:
    if name and (best.source != name or best.score <= 0):
        return (
            f"this does not look like {name}: {top.words(expected.unit)} explains it better; "
            f"name that source as well if it was there, or {expected.advice()}"
        )
    low, high = expected.gain_range or (0.0, math.inf)
    if not low <= best.gain <= high:
        times = best.gain / math.sqrt(low * high)
        return (
            f"the lines of {best.source} stand at {best.gain:.5g} {expected.unit}/keV, "
            f"{times:.3g} times the gain that was expected ({expected.words()}); correct it if that is right"
        )
    return ""


def _why_unsure(
    best: Hypothesis,
    others: Sequence[Hypothesis],
    confidence: tuple[float, float],
    expected: _Expected,
) -> str:
    """Say why a hypothesis is not certain; confidence: what it has, and what was wanted."""
    advice = f"take more events, or {expected.advice()}"
    if best.n_main == 1 or len(best.found) < 2:
        found = "no line" if not best.found else "only one line"
        return (
            f"{found} of {best.source} stands out, and a single line could stand anywhere: "
            f"name a second source that was there, {advice}"
        )
    rival = next((one for one in others if one.score > 0), None)
    against = f"it could also be {rival.words(expected.unit)}" if rival else "it could also be chance"
    has, wanted = (100 * one for one in confidence)
    doubt = f"is not certain ({has:.0f} %, {wanted:.4g} % wanted)"
    return f"{best.words(expected.unit)} {doubt}: {against}; {advice}"
