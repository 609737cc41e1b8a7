"""Calibrates spectra of germanium detectors: from peaks of a source that is known to energies in keV.

A spectrum is matched to the lines of a source (`matching`), the lines are fitted where they are expected,
neighbours together (`line_fits`), and a curve is laid through them (`curves`) and through their widths
(`resolution`). What is not certain is refused in a sentence. A calibration is plain data, kept in a file of
its own (`calibration_file`), and is applied when a Tier 2 file is read: the file stays as it is, and
`trap_max` gets `trap_max_kev` beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.curves import Curve, chi2_probability, fit_curve
from pygama.analysis.line_fits import Fit, MatchedLine, fit_lines
from pygama.analysis.matching import SURE, UNITS, Hypothesis, Match, Spectrum, match_sources
from pygama.analysis.peaks import fit_peak_counts
from pygama.analysis.resolution import ResolutionCurve, fit_resolution
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

PLACE = ("crate", "card", "channel")
_CARD, _CRATE = 1 << 10, 1 << 20

_FAR_OFF, _FAR_OFF_FWHM = 4.0, 0.25
"""A line farther off the curve of the others, in its error and theirs, and in its FWHM, is left out."""
_MOST_LEFT_OUT = 0.25
"""The part of the lines that may be left out, one of few."""
_LEFT_OUT = "off the others: left out"
_UNLIKELY = 1e-3


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to calibrate with and how.

    source: names of sources that were there together; none to find out. gain_range: least and greatest unit
    of the column a keV that is expected. is_quadratic: whether the curve may bend. is_through_zero: whether
    the value 0 has no energy; then a single line may do. min_confidence: what is less certain is refused.
    with_escapes: whether the widths of escape peaks, which are not those of lines, count for FWHM(E).
    """

    source: tuple[str, ...] = ()
    gain_range: tuple[float, float] | None = None
    is_quadratic: bool = False
    is_through_zero: bool = False
    min_confidence: float = SURE
    with_escapes: bool = False


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """The calibration of one channel, or why there is none.

    source: that was taken. confidence: 0 to 1, see `matching`. rival: what explains the spectrum second best.
    refused: empty where `curve` is there. note: what to keep in mind. made_with: tells the steps that made
    the column from others, see `pygama.processing.digest`; '' where it is not known.
    """

    curve: Curve | None = None
    lines: tuple[MatchedLine, ...] = ()
    resolution: ResolutionCurve | None = None
    source: str = ""
    confidence: float = 0.0
    rival: Hypothesis | None = None
    refused: str = ""
    note: str = ""
    made_with: str = ""


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

    @property
    def digests(self) -> dict[str, str]:
        """Tell what its channels were made with, those that it gives energies of: place -> digest or ''."""
        return {place: one.made_with for place, one in self.channels.items() if one.curve is not None}

    def with_digests(self, digests: Mapping[str, str]) -> Calibration:
        """Note what the rows of its channels were made with: place -> digest."""
        channels = {
            place: replace(one, made_with=digests.get(place, "")) for place, one in self.channels.items()
        }
        return replace(self, channels=MappingProxyType(channels))


def calibrate(
    values: Any,
    recipe: Recipe = Recipe(),
    *,
    edges: Any = None,
    fit: Fit = fit_peak_counts,
    unit: str = UNITS,
) -> ChannelCalibration:
    """Calibrate one spectrum.

    values: 1-D, one number an event, or the counts (n,) of a histogram with `edges` (n + 1,). fit: what fits
    a peak. unit: of the values. A spectrum that cannot be told gives a calibration that is `refused`; raises
    SettingsError for what is no spectrum, an unknown source or a recipe that cannot work.
    """
    spectrum = Spectrum(values, edges)
    match = match_sources(
        spectrum,
        recipe.source or None,
        gain_range=recipe.gain_range,
        min_confidence=recipe.min_confidence,
        unit=unit,
    )
    if match.refused or match.best is None:
        return _refused(match, match.refused)
    lines = fit_lines(spectrum, match.best, fit)
    return _with_curve(match, lines, recipe)


def _refused(match: Match, why: str, lines: Sequence[MatchedLine] = ()) -> ChannelCalibration:
    source = match.best.source if match.best is not None else ""
    return ChannelCalibration(
        lines=tuple(lines), source=source, confidence=match.confidence, rival=match.rival, refused=why
    )


def _with_curve(match: Match, lines: list[MatchedLine], recipe: Recipe) -> ChannelCalibration:
    needed = (3 if recipe.is_quadratic else 2) - recipe.is_through_zero
    used = [line for line in lines if line.is_used]
    if len(used) < needed:
        return _refused(match, _too_few(len(used), needed, recipe), lines)
    curve = _curve(lines, recipe)
    lines, curve = _without_far_off(lines, curve, recipe, needed)
    lines = [_of_width(_on_curve(line, curve), recipe) for line in lines]
    return ChannelCalibration(
        curve=curve,
        lines=tuple(lines),
        resolution=_resolution(lines),
        source=match.best.source if match.best is not None else "",
        confidence=match.confidence,
        rival=match.rival,
        note="; ".join(
            filter(None, (_note_of_far(lines), _note(curve, lines, recipe), _note_of_widths(lines)))
        ),
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
    """Leave out lines that lie off the curve of the others, one by one, as long as these hold it.

    Another peak than the line's can have been fitted; but a spectrum most of whose lines are off bends. That
    line goes first without which the rest goes together best: a line with a small error pulls the curve to
    itself, so that another one may seem the worst. Each keeps its residual, and a note that says so.
    """
    n_used = sum(line.is_used for line in lines)
    for _ in range(min(max(int(_MOST_LEFT_OUT * n_used), 1), n_used - needed - 1)):
        used = [i for i, line in enumerate(lines) if line.is_used]
        rest = [_curve(_without(lines, i), recipe) for i in used]
        best = min(range(len(used)), key=lambda k: rest[k].chi2)
        worst = _on_curve(lines[used[best]], rest[best])
        is_far = abs(worst.residual_kev or 0.0) > _FAR_OFF_FWHM * (worst.fwhm_kev or 0.0)
        if curve.chi2 - rest[best].chi2 < _FAR_OFF**2 or not is_far:
            break
        note = f"{worst.residual_kev or 0.0:+.2f} keV {_LEFT_OUT}"
        lines, curve = _without(lines, used[best], note), rest[best]
    return lines, curve


def _without(lines: Sequence[MatchedLine], i: int, note: str = "") -> list[MatchedLine]:
    return [replace(line, is_used=False, note=note) if k == i else line for k, line in enumerate(lines)]


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


def _of_width(line: MatchedLine, recipe: Recipe) -> MatchedLine:
    """Mark whether the width of a line counts for FWHM(E)."""
    is_width_used = line.is_used and line.is_width_used and (recipe.with_escapes or not line.is_escape)
    return replace(line, is_width_used=is_width_used)


def _resolution(lines: Sequence[MatchedLine]) -> ResolutionCurve | None:
    good = [line for line in lines if line.is_width_used]
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
    note = f"the lines scatter more than their errors: χ² {curve.chi2:.1f} of {curve.ndof}"
    if recipe.is_quadratic or sum(line.is_used for line in lines) < 4 - recipe.is_through_zero:
        return note
    bent = _curve(lines, replace(recipe, is_quadratic=True))
    return f"{note}; a parabola gives {bent.chi2:.1f} of {bent.ndof}" if bent.chi2 < curve.chi2 - 10 else note


def _note_of_far(lines: Sequence[MatchedLine]) -> str:
    """Name the lines that were left out of the curve since they lie off it."""
    far = [f"{line.name} {line.energy_kev:.1f} keV ({line.note})" for line in lines if _is_left_out(line)]
    return ", ".join(far)


def _is_left_out(line: MatchedLine) -> bool:
    return not line.is_used and line.note.endswith(_LEFT_OUT)


def _note_of_widths(lines: Sequence[MatchedLine]) -> str:
    """Say where FWHM² does not grow in a straight line; `fit_resolution` has a curve that bends."""
    curve = _resolution(lines)
    if curve is None or chi2_probability(curve.chi2, curve.ndof) > _UNLIKELY:
        return ""
    return (
        f"FWHM(E) is not to be trusted between the lines: widths scatter more than their errors, χ² "
        f"{curve.chi2:.1f} of {curve.ndof}"
    )


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
    unit: str = UNITS,
) -> Calibration:
    """Calibrate all channels of a table, each by itself.

    columns: name -> (n_rows,), with crate, card, channel and `column`, whose unit is `unit`. made_from: names
    of the runs. Raises SettingsError for a column that is not there or a recipe that cannot work.
    """
    if column not in columns:
        raise SettingsError(f"there is no column '{column}' to calibrate; there are {', '.join(columns)}")
    codes, values = codes_of(columns), np.asarray(columns[column], float)
    channels = {
        place_text(code): calibrate(values[codes == code], recipe, fit=fit, unit=unit)
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


def report(calibration: Calibration, unit: str = "") -> Iterator[str]:
    """Give the calibration as lines for people, channel by channel.

    unit: of the column; without one a gain counts the column itself, as in '14.5 trap_max/keV'.
    """
    column = calibration.column
    yield f"{calibration.energy_column} of {', '.join(calibration.made_from) or 'values'}"
    for place, one in calibration.channels.items():
        yield ""
        if one.curve is None:
            yield f"channel {place}: refused: {one.refused}"
        else:
            yield f"channel {place}: {one.source}, confidence {confidence_words(one.confidence)}"
            yield f"  {curve_words(one.curve, column, unit)}"
        yield from (f"  {line}" for line in _details(one, column, unit))


def confidence_words(confidence: float) -> str:
    """Give a confidence in percent, never rounded up to certainty."""
    return "over 99.99 %" if confidence > 0.9999 else f"{math.floor(confidence * 1e4) / 100:.2f} %"


def curve_words(curve: Curve, column: str, unit: str = "") -> str:
    """Give the formula of a curve with its errors and chi2; unit: as in `report`."""
    powers = ("", f" {column}", f" {column}²")
    terms = [
        f"({c:.8g} ± {error:.2g}){power}"
        for c, error, power in zip(curve.coefficients, curve.errors, powers, strict=False)
        if error
    ]
    gain = f"{curve.gain:.6g} ± {curve.gain_error:.2g} {unit or column}/keV"
    return f"E = {' + '.join(terms)} keV, {_fitted_words(curve)}; {gain}"


def resolution_words(curve: ResolutionCurve) -> str:
    """Give the formula of FWHM(E) with its errors and chi2."""
    names = ("", " E", " E²")
    terms = [
        f"({c:.4g} ± {error:.2g}){name}" if error else f"{c:.4g}{name}"
        for c, error, name in zip(curve.coefficients, curve.errors, names, strict=False)
    ]
    return f"FWHM² = {' + '.join(terms)} keV², {_fitted_words(curve)}"


def _fitted_words(curve: Curve | ResolutionCurve) -> str:
    if not curve.ndof:
        return "through all of them"
    told = f"χ² {curve.chi2:.1f} of {curve.ndof} (p {chi2_probability(curve.chi2, curve.ndof):.2g})"
    return f"{told}, errors × {curve.stretch:.3g}" if curve.stretch > 1 else told


def _details(one: ChannelCalibration, column: str, unit: str) -> Iterator[str]:
    if one.curve is not None:
        head = f"{column} {unit}".rstrip()
        yield f"{'line':<24}{'keV':>9}{head:>22}{'residual keV':>18}{'FWHM keV':>16}"
    for line in one.lines:
        if line.residual_kev is not None:
            yield _line_words(line)
        elif line.position is not None:
            yield f"{line.name} {line.energy_kev:.2f} keV at {_position_words(line)} {unit}".rstrip()
    unseen = [
        f"{line.name} {line.energy_kev:.1f} ({line.note})" for line in one.lines if line.position is None
    ]
    if unseen:
        yield f"left out: {', '.join(unseen)}"
    if one.resolution is not None:
        yield resolution_words(one.resolution)
    if one.rival is not None and one.curve is not None:
        yield f"second best: {one.rival.words(unit or column)}"
    if one.note:
        yield f"note: {one.note}"


def _position_words(line: MatchedLine) -> str:
    return f"{line.position:.2f} ± {line.position_error:.2f}"


def _line_words(line: MatchedLine) -> str:
    position = _position_words(line)
    residual = f"{line.residual_kev:+.3f} ± {line.residual_error_kev:.3f}"
    fwhm = f"{line.fwhm_kev:.2f} ± {line.fwhm_error_kev:.2f}"
    note = "" if line.is_used else f"  not used: {line.note}"
    note += "  its width is not used" if line.is_used and not line.is_width_used else ""
    return f"{line.name:<24}{line.energy_kev:>9.2f}{position:>22}{residual:>18}{fwhm:>16}{note}"
