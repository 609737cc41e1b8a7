"""Calibrates spectra of germanium detectors: from peaks of a source that is known to energies in keV.

A spectrum is matched to the lines of a source (`matching`), the lines are fitted where they are expected, a
curve is laid through them (`curves`) and their widths (`resolution`). What is not certain is refused in a
sentence. A calibration is plain data, kept in a file of its own (`calibration_file`), and is applied when a
Tier 2 file is read: the file stays as it is, and `trap_max` gets `trap_max_kev` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.curves import Curve, chi2_probability, fit_curve
from pygama.analysis.lines import GammaLine, lines_of
from pygama.analysis.matching import SURE, Hypothesis, Match, Spectrum, match_sources, on_off_ratio
from pygama.analysis.peaks import PeakFit, fit_peak_counts
from pygama.analysis.resolution import ResolutionCurve, fit_resolution
from pygama.errors import SettingsError

Fit = Callable[[np.ndarray, np.ndarray], PeakFit]
"""Fits the one peak of a histogram: counts (n,) and edges (n + 1,)."""

PLACE = ("crate", "card", "channel")
_CARD, _CRATE = 1 << 10, 1 << 20

_N_BINS = 60
_FAINTEST = 0.01
"""Lines with less of the strongest one's intensity are not looked for."""
_NEAR_FWHM = 3.0
"""Lines nearer than so many FWHM disturb each other."""
_STRONG_NEIGHBOUR, _WEAK_NEIGHBOUR = 0.3, 0.02
_MIN_AREA, _MIN_AREA_WEAK = 3.0, 5.0
"""In units of its error, of a main line and of others."""
_MIN_RATIO = 3.0
"""Logarithm of the likelihood ratio of a peak, below which a line that need not be there is not fitted."""
_FAR_OFF = 5.0
_MOST_LEFT_OUT = 0.25
_UNLIKELY = 1e-3


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to calibrate with and how.

    source: names of sources that were there together; none to find out. gain_range: least and greatest unit
    of the column a keV that is expected. is_quadratic: whether the curve may bend. is_through_zero: whether
    the value 0 has no energy; then a single line may do. min_confidence: what is less certain is refused.
    """

    source: tuple[str, ...] = ()
    gain_range: tuple[float, float] | None = None
    is_quadratic: bool = False
    is_through_zero: bool = False
    min_confidence: float = SURE


@dataclass(frozen=True, slots=True)
class MatchedLine:
    """A line and the peak that is taken for it; errors are of one standard deviation.

    disturbed_kev: how far a line beside it may move the peak. position: in the unit of the column.
    residual_kev: of the curve at the position, less the line's energy; residual_error_kev: what the fit of
    the peak, the line's own error and its neighbours allow. is_used: whether the curve was fitted to it; if
    not, `note` says why. Numbers that are not known are None.
    """

    name: str
    energy_kev: float
    energy_error_kev: float
    disturbed_kev: float = 0.0
    is_broad: bool = False
    position: float | None = None
    position_error: float | None = None
    area: float | None = None
    area_error: float | None = None
    fwhm_kev: float | None = None
    fwhm_error_kev: float | None = None
    residual_kev: float | None = None
    residual_error_kev: float | None = None
    is_used: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """The calibration of one channel, or why there is none.

    source: that was taken. confidence: 0 to 1, see `matching`. rival: what explains the spectrum second best.
    refused: empty where `curve` is there. note: what to keep in mind.
    """

    curve: Curve | None = None
    lines: tuple[MatchedLine, ...] = ()
    resolution: ResolutionCurve | None = None
    source: str = ""
    confidence: float = 0.0
    rival: Hypothesis | None = None
    refused: str = ""
    note: str = ""


NO_CHANNELS: Mapping[str, ChannelCalibration] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one column, channel by channel.

    made_from: names of the runs. channels: by place, as '0/8/2': crate, card, channel.
    """

    column: str
    recipe: Recipe = Recipe()
    made_from: tuple[str, ...] = ()
    channels: Mapping[str, ChannelCalibration] = field(default_factory=lambda: NO_CHANNELS)

    @property
    def energy_column(self) -> str:
        """The name of the column of energies that it gives."""
        return f"{self.column}_kev"


def calibrate(
    values: Any, recipe: Recipe = Recipe(), *, edges: Any = None, fit: Fit = fit_peak_counts
) -> ChannelCalibration:
    """Calibrate one spectrum.

    values: 1-D, one number an event, or the counts (n,) of a histogram with `edges` (n + 1,). fit: what fits
    a peak. A spectrum that cannot be told gives a calibration that is `refused`; raises SettingsError for
    what is no spectrum, an unknown source or a recipe that cannot work.
    """
    spectrum = Spectrum(values, edges)
    match = match_sources(
        spectrum,
        recipe.source or None,
        gain_range=recipe.gain_range,
        min_confidence=recipe.min_confidence,
    )
    if match.refused or match.best is None:
        return _refused(match, match.refused)
    lines = _fit_lines(spectrum, match.best, fit)
    return _with_curve(match, lines, recipe)


def _refused(match: Match, why: str, lines: Sequence[MatchedLine] = ()) -> ChannelCalibration:
    source = match.best.source if match.best is not None else ""
    return ChannelCalibration(
        lines=tuple(lines), source=source, confidence=match.confidence, rival=match.rival, refused=why
    )


@dataclass(frozen=True, slots=True)
class _Sought:
    """A line that is looked for, and what is known of its surroundings."""

    line: GammaLine
    is_main: bool
    disturbed_kev: float
    note: str


def _fit_lines(spectrum: Spectrum, best: Hypothesis, fit: Fit) -> list[MatchedLine]:
    """Fit the main lines in wide windows, and then all of them in windows that suit their widths."""
    lines = _lines_sought(best.source)
    first = {}
    for line in lines:
        if line.energy_kev in best.found:
            half = 10.0 + 0.004 * line.energy_kev
            found = _fit_at(spectrum, best.gain * line.energy_kev, best.gain * half, fit)
            if found.converged and abs(found.position / best.gain - line.energy_kev) < half / 2:
                first[line.energy_kev] = found
    if not first:
        return []
    width = _widths(first, best.gain)
    where = _places(first, best.gain)
    sought = [
        _Sought(line, line.energy_kev in best.found, *_disturbance(line, lines, width(line.energy_kev)))
        for line in lines
    ]
    return [_matched(one, spectrum, where, width, best.gain, fit) for one in sought]


def _lines_sought(source: str) -> list[GammaLine]:
    sought: dict[tuple[str, float], GammaLine] = {}
    for name in source.split(" + "):
        lines = lines_of(name)
        strongest = max((line.intensity or 0.0 for line in lines), default=0.0)
        for line in lines:
            if line.intensity is None or line.intensity >= _FAINTEST * strongest:
                sought[line.origin, line.energy_kev] = line
    return sorted(sought.values(), key=lambda line: line.energy_kev)


def _fit_at(spectrum: Spectrum, position: float, half: float, fit: Fit) -> PeakFit:
    counts, edges = spectrum.window(position - half, position + half, _N_BINS)
    if len(counts) < 8:
        return PeakFit(
            (position - half, position + half), len(counts), note="fewer than 8 bins lie in the window"
        )
    return fit(counts, edges)


def _widths(fits: Mapping[float, PeakFit], gain: float) -> Callable[[float], float]:
    """Give the FWHM in keV that is expected of an energy: noise and statistics through what was fitted."""
    energies = np.array(list(fits))
    widths = np.array([one.fwhm for one in fits.values()]) / gain
    errors = np.array([one.fwhm_error for one in fits.values()]) / gain
    # the square of a usual width, as much wider as the lines are
    weight = (widths / np.maximum(errors, 1e-3 * widths)) ** 2
    factor = float(np.average(widths / _usual_fwhm(energies), weights=weight))
    return lambda energy: factor * float(_usual_fwhm(np.array(energy)))


def _usual_fwhm(energy_kev: np.ndarray) -> np.ndarray:
    return np.sqrt(1.0 + 0.0032 * energy_kev)


def _places(fits: Mapping[float, PeakFit], gain: float) -> Callable[[float], float]:
    """Give where an energy is expected: on a straight line through the peaks, or on that through zero."""
    if len(fits) < 2:
        energy, one = next(iter(fits.items()))
        return lambda other: other * one.position / energy
    positions = [one.position for one in fits.values()]
    # of half a keV: the main lines weigh the same, whatever their counts
    curve = fit_curve(positions, [0.5 * gain] * len(fits), list(fits))
    return lambda energy: float(curve.value(energy))


def _disturbance(line: GammaLine, lines: Sequence[GammaLine], fwhm_kev: float) -> tuple[float, str]:
    """Say how far a line may be moved by its neighbours, in keV, and why it is no good at all."""
    if line.is_broad and not line.escapes:
        return 0.0, "broad"
    moved = [0.0]
    for other in lines:
        apart = abs(other.energy_kev - line.energy_kev)
        if other is line or apart > _NEAR_FWHM * fwhm_kev or not line.intensity or not other.intensity:
            continue
        ratio = other.intensity / line.intensity
        if ratio > _STRONG_NEIGHBOUR:
            return 0.0, f"too near {other.energy_kev:.1f} keV"
        if ratio > _WEAK_NEIGHBOUR:
            moved.append(apart * ratio / (1 + ratio))
    return math.hypot(*moved), ""


def _matched(
    sought: _Sought,
    spectrum: Spectrum,
    where: Callable[[float], float],
    width: Callable[[float], float],
    gain: float,
    fit: Fit,
) -> MatchedLine:
    line = sought.line
    plain = MatchedLine(
        line.origin,
        line.energy_kev,
        line.energy_error_kev,
        sought.disturbed_kev,
        is_broad=line.is_broad,
        note=sought.note,
    )
    if sought.note:
        return plain
    place, fwhm = where(line.energy_kev), width(line.energy_kev)
    if not sought.is_main and _stands_out(spectrum, place, gain * fwhm) < _MIN_RATIO:
        return replace(plain, note="not seen")
    found = _fit_at(spectrum, place, gain * 4.5 * fwhm * (1.5 if line.is_broad else 1.0), fit)
    note = _what_is_wrong(found, place, fwhm * gain, sought)
    if not found.converged:
        return replace(plain, note=note)
    return replace(
        plain,
        position=found.position,
        position_error=found.position_error,
        area=found.area,
        area_error=found.area_error,
        fwhm_kev=found.fwhm / gain,
        fwhm_error_kev=found.fwhm_error / gain,
        is_used=not note,
        note=note,
    )


def _stands_out(spectrum: Spectrum, place: float, fwhm: float) -> float:
    """Give the logarithm of the likelihood ratio of a peak at a place, against the counts beside it."""
    below = spectrum.below(place + fwhm * np.array([-3.0, -1.0, 1.0, 3.0]))
    left, inside, right = np.diff(below)
    return float(on_off_ratio(np.array([inside]), np.array([left + right]), 2.0)[0])


def _what_is_wrong(found: PeakFit, place: float, fwhm: float, sought: _Sought) -> str:
    if not found.converged:
        return "not seen"
    if found.area < (_MIN_AREA if sought.is_main else _MIN_AREA_WEAK) * found.area_error:
        return f"faint: {found.area:.0f} ± {found.area_error:.0f} counts"
    if abs(found.position - place) > fwhm + 3 * found.position_error:
        return "not where it is expected"
    spread = 3 * found.fwhm_error
    if not 0.5 * fwhm - spread < found.fwhm < (4.0 if sought.line.is_broad else 2.0) * fwhm + spread:
        return f"its width, {found.fwhm / fwhm:.2g} times that expected, is not that of a line"
    return ""


def _with_curve(match: Match, lines: list[MatchedLine], recipe: Recipe) -> ChannelCalibration:
    needed = (3 if recipe.is_quadratic else 2) - recipe.is_through_zero
    used = [line for line in lines if line.is_used]
    if len(used) < needed:
        return _refused(match, _too_few(len(used), needed, recipe), lines)
    curve = _curve(lines, recipe)
    lines, curve = _without_far_off(lines, curve, recipe, needed)
    lines = [_on_curve(line, curve) for line in lines]
    return ChannelCalibration(
        curve=curve,
        lines=tuple(lines),
        resolution=_resolution(lines),
        source=match.best.source if match.best is not None else "",
        confidence=match.confidence,
        rival=match.rival,
        note=_note(curve, lines, recipe),
    )


def _too_few(n: int, needed: int, recipe: Recipe) -> str:
    kind = "parabola" if recipe.is_quadratic else "line"
    through = " through zero" if recipe.is_through_zero else ""
    lines = "1 line has" if n == 1 else f"{n} lines have"
    helps = "name a second source or take more events"
    if not recipe.is_through_zero:
        helps += ", or ask for a curve through zero"
    return f"{lines} a peak that can be fitted, but a {kind}{through} needs {needed}: {helps}"


def _curve(lines: Sequence[MatchedLine], recipe: Recipe) -> Curve:
    used = [line for line in lines if line.is_used]
    return fit_curve(
        [line.position or 0.0 for line in used],
        [line.position_error or 0.0 for line in used],
        [line.energy_kev for line in used],
        [math.hypot(line.energy_error_kev, line.disturbed_kev) for line in used],
        is_quadratic=recipe.is_quadratic,
        is_through_zero=recipe.is_through_zero,
    )


def _without_far_off(
    lines: list[MatchedLine], curve: Curve, recipe: Recipe, needed: int
) -> tuple[list[MatchedLine], Curve]:
    """Leave out lines that lie off the curve, one by one, as long as they are few and the rest holds them.

    Another peak than the line's can have been fitted; but a spectrum most of whose lines are off bends.
    """
    n_used = sum(line.is_used for line in lines)
    for _ in range(min(int(_MOST_LEFT_OUT * n_used), n_used - needed - 1)):
        off = [_on_curve(line, curve) for line in lines]
        worst = max(range(len(off)), key=lambda i: _pull(off[i]))
        if _pull(off[worst]) < _FAR_OFF or abs(off[worst].residual_kev or 0.0) < 0.25 * (
            off[worst].fwhm_kev or 0.0
        ):
            break
        note = f"{abs(off[worst].residual_kev or 0.0):.2f} keV off the others: left out"
        lines = [
            replace(line, is_used=False, note=note) if i == worst else line for i, line in enumerate(lines)
        ]
        curve = _curve(lines, recipe)
    return lines, curve


def _pull(line: MatchedLine) -> float:
    if not line.is_used or line.residual_kev is None or not line.residual_error_kev:
        return 0.0
    return abs(line.residual_kev) / line.residual_error_kev


def _on_curve(line: MatchedLine, curve: Curve) -> MatchedLine:
    """Give the line with its residual, and its width by the slope of the curve there."""
    if line.position is None or line.position_error is None:
        return line
    slope = float(curve.slope(line.position))
    scale = slope / (line.energy_kev / line.position) if line.energy_kev else 1.0
    return replace(
        line,
        residual_kev=float(curve.energy(line.position)) - line.energy_kev,
        residual_error_kev=math.hypot(slope * line.position_error, line.energy_error_kev, line.disturbed_kev),
        fwhm_kev=(line.fwhm_kev or 0.0) * scale,
        fwhm_error_kev=(line.fwhm_error_kev or 0.0) * scale,
    )


def _resolution(lines: Sequence[MatchedLine]) -> ResolutionCurve | None:
    good = [line for line in lines if line.is_used and not line.is_broad and line.fwhm_error_kev]
    if len(good) < 2:
        return None
    return fit_resolution(
        [line.energy_kev for line in good],
        [line.fwhm_kev or 0.0 for line in good],
        [math.hypot(line.fwhm_error_kev or 0.0, line.disturbed_kev / 2) for line in good],
    )


def _note(curve: Curve, lines: Sequence[MatchedLine], recipe: Recipe) -> str:
    if chi2_probability(curve.chi2, curve.ndof) > _UNLIKELY:
        return ""
    note = f"the lines scatter more than their errors: chi2 {curve.chi2:.1f} of {curve.ndof}"
    if recipe.is_quadratic or sum(line.is_used for line in lines) < 4 - recipe.is_through_zero:
        return note
    bent = _curve(lines, replace(recipe, is_quadratic=True))
    return f"{note}; a parabola gives {bent.chi2:.1f} of {bent.ndof}" if bent.chi2 < curve.chi2 - 10 else note


def codes_of(columns: Mapping[str, Any]) -> np.ndarray:
    """Give one whole number a row for crate, card and channel, (n_rows,).

    Raises SettingsError where a column is missing: channels of different cards would be taken for one.
    """
    for name in PLACE:
        if name not in columns:
            raise SettingsError(f"calibrating needs the column '{name}', to tell the channels apart")
    crate, card, channel = (np.asarray(columns[name]).astype(np.int64) for name in PLACE)
    return crate * _CRATE + card * _CARD + channel


def place_text(code: int) -> str:
    """Give the place of a channel as '0/8/2'."""
    return f"{code // _CRATE}/{code % _CRATE // _CARD}/{code % _CARD}"


def calibrate_channels(
    columns: Mapping[str, Any],
    recipe: Recipe = Recipe(),
    *,
    column: str = "trap_max",
    made_from: Sequence[str] = (),
    fit: Fit = fit_peak_counts,
) -> Calibration:
    """Calibrate all channels of a table, each by itself.

    columns: name -> (n_rows,), with crate, card, channel and `column`. made_from: names of the runs. Raises
    SettingsError for a column that is not there or a recipe that cannot work.
    """
    if column not in columns:
        raise SettingsError(f"there is no column '{column}' to calibrate; there are {', '.join(columns)}")
    codes, values = codes_of(columns), np.asarray(columns[column], float)
    channels = {
        place_text(code): calibrate(values[codes == code], recipe, fit=fit)
        for code in np.unique(codes).tolist()
    }
    return Calibration(column, recipe, tuple(made_from), MappingProxyType(channels))


def apply(calibration: Calibration, columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Give the column of energies, as {'trap_max_kev': (n_rows,) float64 in keV}.

    NaN for channels without a curve. columns: as for `calibrate_channels`; raises SettingsError where one is
    missing.
    """
    if calibration.column not in columns:
        raise SettingsError(
            f"the calibration is of '{calibration.column}', which is not among the columns "
            f"{', '.join(columns)}"
        )
    values, codes = np.asarray(columns[calibration.column], float), codes_of(columns)
    energy = np.full(len(values), np.nan)
    for code in np.unique(codes).tolist():
        one = calibration.channels.get(place_text(code))
        if one is not None and one.curve is not None:
            rows = codes == code
            energy[rows] = one.curve.energy(values[rows])
    return {calibration.energy_column: energy}


def read_columns(
    path: Path | str, names: Sequence[str] | None = None, *, key: str = "data"
) -> dict[str, Any]:
    """Read single-valued columns of a Tier 2 file, all if None; raises TierFileError."""
    from pygama.storage import TierFile

    with TierFile(Path(path)) as file:
        table = file.table(key)
        return {name: table.column(name) for name in (table.columns if names is None else names)}


def read_together(paths: Sequence[Path | str], names: Sequence[str], *, key: str = "data") -> dict[str, Any]:
    """Read columns of several Tier 2 files as if they were one; raises TierFileError."""
    parts = [read_columns(path, names, key=key) for path in paths]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def read_calibrated(path: Path | str, calibration: Calibration, *, key: str = "data") -> dict[str, Any]:
    """Read all single-valued columns of a Tier 2 file and the energies beside them, name -> (n_rows,).

    The file is not changed. Raises TierFileError, and SettingsError where it lacks the column, or has one of
    the name that the energies get.
    """
    columns = read_columns(path, key=key)
    if calibration.energy_column in columns:
        raise SettingsError(
            f"{Path(path).name} has a column '{calibration.energy_column}' of its own; "
            "leave it out of the chain, or calibrate another column"
        )
    return columns | apply(calibration, columns)


def report(calibration: Calibration) -> Iterator[str]:
    """Give the calibration as lines for people, channel by channel."""
    column = calibration.column
    yield f"{calibration.energy_column} of {', '.join(calibration.made_from) or 'values'}"
    for place, one in calibration.channels.items():
        yield ""
        if one.curve is None:
            yield f"channel {place}: refused: {one.refused}"
        else:
            yield f"channel {place}: {one.source}, confidence {confidence_words(one.confidence)}"
            yield f"  {curve_words(one.curve, column)}"
        yield from (f"  {line}" for line in _details(one, column))


def confidence_words(confidence: float) -> str:
    """Give a confidence in percent, never rounded up to certainty."""
    return "over 99.99 %" if confidence > 0.9999 else f"{math.floor(confidence * 1e4) / 100:.2f} %"


def curve_words(curve: Curve, column: str) -> str:
    """Give the formula of a curve with its errors and chi2."""
    errors = [math.sqrt(curve.covariance[k][k]) for k in range(len(curve.coefficients))]
    powers = ("", f" {column}", f" {column}²")
    terms = [
        f"({c:.8g} ± {error:.2g}){power}"
        for c, error, power in zip(curve.coefficients, errors, powers, strict=False)
        if error
    ]
    gain = f"{curve.gain:.6g} ± {curve.gain_error:.2g} a keV"
    return f"E = {' + '.join(terms)} keV, {_fitted_words(curve)}; {gain}"


def _fitted_words(curve: Curve | ResolutionCurve) -> str:
    return f"chi2 {curve.chi2:.1f} of {curve.ndof}" if curve.ndof else "through all of them"


def _details(one: ChannelCalibration, column: str) -> Iterator[str]:
    if one.curve is not None:
        yield f"{'line':<24}{'keV':>9}{column:>22}{'residual keV':>18}{'FWHM keV':>16}"
    for line in one.lines:
        if line.residual_kev is not None:
            yield _line_words(line)
        elif line.position is not None:
            yield f"{line.name} {line.energy_kev:.2f} keV at {line.position:.2f} ± {line.position_error:.2f}"
    unseen = [
        f"{line.name} {line.energy_kev:.1f} ({line.note})" for line in one.lines if line.position is None
    ]
    if unseen:
        yield f"left out: {', '.join(unseen)}"
    if one.resolution is not None:
        names = ("", " E", " E²")
        terms = [f"{c:.4g}{name}" for c, name in zip(one.resolution.coefficients, names, strict=False)]
        yield f"FWHM² = {' + '.join(terms)} keV², {_fitted_words(one.resolution)}"
    if one.rival is not None and one.curve is not None:
        yield f"second best: {one.rival.words()}"
    if one.note:
        yield f"note: {one.note}"


def _line_words(line: MatchedLine) -> str:
    position = f"{line.position:.2f} ± {line.position_error:.2f}"
    residual = f"{line.residual_kev:+.3f} ± {line.residual_error_kev:.3f}"
    fwhm = f"{line.fwhm_kev:.2f} ± {line.fwhm_error_kev:.2f}"
    note = f"  not used: {line.note}" if not line.is_used else ""
    return f"{line.name:<24}{line.energy_kev:>9.2f}{position:>22}{residual:>18}{fwhm:>16}{note}"
