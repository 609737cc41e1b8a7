"""Computes energies from a calibration, row by row, and calibrations from the rows of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from pygama.analysis.calibration import (
    Calibration,
    ChannelCalibration,
    MatchedLine,
    Recipe,
    calibrate,
    place_text,
)
from pygama.analysis.curves import fit_curve
from pygama.analysis.lines import GammaLine, lines_of
from pygama.analysis.region_fit import FittedPeak
from pygama.analysis.resolution import fit_resolution
from pygama.errors import SettingsError
from pygama_gui.data.chain_facts import unit_of
from pygama_gui.data.linked import Counts

CHUNK = 65536
"""Rows that are worked on at a time: few enough to stay in the processor's cache."""
TOO_FAR = 0.01
"""A peak is taken for a line that is no farther off than this share of the energy."""
N_FINE = 32768
"""Bins that a spectrum is counted in to be calibrated, where its values are too many to be held."""
FAR_BEYOND = 2.0
"""Values farther beyond nearly all others, in the widths of what these cover, are left out of it."""
SEEN_SHARE = 0.02
"""Of the strongest line's intensity: fainter lines are not taken for a peak that a person fitted."""


def energies(calibration: Calibration, values: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    """Give energies in keV, (n,); NaN for channels without a curve.

    codes: of the channels, (n,); None where the run does not tell channels apart: one channel holds for all.
    """
    found = np.full(len(values), np.nan)
    if codes is None:
        alone = next(iter(calibration.channels.values()), None)
        if len(calibration.channels) == 1 and alone is not None and alone.curve is not None:
            found[:] = alone.curve.energy(values)
        return found
    curves = {}
    for start in range(0, len(values), CHUNK):
        here = slice(start, start + CHUNK)
        for code in np.unique(codes[here]).tolist():
            if code not in curves:
                one = calibration.channels.get(place_text(code)) if code >= 0 else None
                curves[code] = None if one is None else one.curve
            if (curve := curves[code]) is not None:
                rows = codes[here] == code
                found[here][rows] = curve.energy(values[here][rows])
    return found


def all_energies(
    calibrations: Sequence[Calibration], columns: Mapping[str, np.ndarray], codes: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Give the columns of energies that calibrations make of those that are there, name -> (n,)."""
    return {
        one.energy_column: energies(one, np.asarray(columns[one.column], float), codes)
        for one in calibrations
        if one.column in columns
    }


def calibrated(
    values: np.ndarray,
    codes: np.ndarray | None,
    wanted: Sequence[int],
    recipe: Recipe,
    *,
    column: str,
    made_from: tuple[str, ...],
) -> Calibration:
    """Calibrate channels by their codes, each by itself, from values (n,) and codes (n,) of the channels."""
    channels: dict[str, ChannelCalibration] = {}
    for code in wanted:
        own = values if codes is None else values[codes == code]
        channels[place_text(code)] = calibrate(own, recipe, unit=gain_unit(column))
    return Calibration(column, recipe, made_from, MappingProxyType(channels))


def gain_unit(column: str) -> str:
    """Give what a gain of this column counts."""
    return unit_of(column) or column


def fine_range(values: np.ndarray) -> tuple[float, float]:
    """Give the range that a spectrum is counted in to be calibrated, from some of its values.

    It holds all of them but those that lie far beyond nearly all others.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    low, high = np.quantile(known, [0.001, 0.999]).tolist()
    far = FAR_BEYOND * max(high - low, 1e-9)
    least, most = float(known[known >= low - far].min()), float(known[known <= high + far].max())
    return least, most + max(most - least, 1e-9) / N_FINE


def calibrated_counts(
    counts: Sequence[Counts],
    places: Sequence[str],
    recipe: Recipe,
    *,
    column: str,
    made_from: tuple[str, ...],
) -> Calibration:
    """Calibrate channels by their places, each from counts in fine bins."""
    channels = {
        place: calibrate(one.counts, recipe, edges=one.want.x.edges, unit=gain_unit(column))
        for place, one in zip(places, counts, strict=True)
    }
    return Calibration(column, recipe, made_from, MappingProxyType(channels))


def from_peaks(found: ChannelCalibration, peaks: Sequence[FittedPeak], recipe: Recipe) -> ChannelCalibration:
    """Lay the curve of a calibration anew through peaks that a person fitted.

    found: tells which line each peak is; a peak near none is left out.
    """
    if found.curve is None:
        return found
    lines = [line for line in (_line_at(found, peak) for peak in peaks) if line is not None]
    needed = (3 if recipe.is_quadratic else 2) - recipe.is_through_zero
    if len({line.energy_kev for line in lines}) < needed:
        why = (
            f"{len(lines)} of the fitted peaks stand where {found.source} has a line; {needed} are needed. "
            "Fit more of them, or let the button Calibrate find the lines by itself"
        )
        return ChannelCalibration(source=found.source, confidence=found.confidence, refused=why)
    try:
        curve = fit_curve(
            [line.position or 0.0 for line in lines],
            [line.position_error or 0.0 for line in lines],
            [line.energy_kev for line in lines],
            [line.energy_error_kev for line in lines],
            is_quadratic=recipe.is_quadratic,
            is_through_zero=recipe.is_through_zero,
        )
    except SettingsError as error:
        return ChannelCalibration(source=found.source, confidence=found.confidence, refused=str(error))
    lines = [_with_residual(line, curve) for line in lines]
    lines = [replace(line, is_width_used=_has_own_width(line, recipe)) for line in lines]
    narrow = [line for line in lines if line.is_width_used]
    resolution = None
    if len({line.energy_kev for line in narrow}) >= 2:
        resolution = fit_resolution(
            [line.energy_kev for line in narrow],
            [line.fwhm_kev or 0.0 for line in narrow],
            [line.fwhm_error_kev or 0.0 for line in narrow],
        )
    return replace(found, curve=curve, lines=tuple(lines), resolution=resolution, note="from fitted peaks")


def _line_at(found: ChannelCalibration, peak: FittedPeak) -> MatchedLine | None:
    """Take a peak for the strongest line that may stand there."""
    assert found.curve is not None
    energy = float(found.curve.energy(peak.position))
    slope = abs(float(found.curve.slope(peak.position)))
    reach = min(max(1.0 * slope * peak.fwhm, 1.0), TOO_FAR * max(energy, 100.0))
    lines = lines_of(found.source.split(" + "))
    strongest = max((line.intensity or 0.0 for line in lines), default=0.0)
    near = [
        line
        for line in lines
        if abs(line.energy_kev - energy) <= reach
        and (line.intensity is None or line.intensity >= SEEN_SHARE * strongest)
    ]
    if not near:
        return None
    best = max(near, key=lambda line: (line.intensity or 0.0, -abs(line.energy_kev - energy)))
    return _matched(best, peak, slope)


def _matched(line: GammaLine, peak: FittedPeak, slope: float) -> MatchedLine:
    return MatchedLine(
        line.origin,
        line.energy_kev,
        line.energy_error_kev,
        is_broad=line.is_broad,
        is_escape=line.escapes > 0,
        position=peak.position,
        position_error=peak.position_error,
        area=peak.area,
        area_error=peak.area_error,
        fwhm_kev=slope * peak.fwhm,
        fwhm_error_kev=slope * peak.fwhm_error,
        is_used=True,
    )


def _has_own_width(line: MatchedLine, recipe: Recipe) -> bool:
    return bool(line.fwhm_error_kev) and not line.is_broad and (recipe.with_escapes or not line.is_escape)


def _with_residual(line: MatchedLine, curve: Any) -> MatchedLine:
    residual = float(curve.energy(line.position)) - line.energy_kev
    error = float(
        np.hypot(float(curve.slope(line.position)) * (line.position_error or 0.0), line.energy_error_kev)
    )
    return replace(line, residual_kev=residual, residual_error_kev=error)
