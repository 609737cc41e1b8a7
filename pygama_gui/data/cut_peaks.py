"""Chooses the peaks in which survival is shown: the region, fitted peaks, lines of the calibration."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from pygama.analysis.efficiency import FAR_FWHM, WINDOW_FWHM, PeakBands, peak_bands
from pygama.analysis.region_fit import FittedPeak, RegionFit
from pygama.utils import number_text
from pygama_gui.data.chain_facts import unit_of
from pygama_gui.data.tally import Peak, peak_of_region
from pygama_gui.session.calibration_changes import calibrations_of, of_channel
from pygama_gui.session.state import Fit, Session

MOST = 8
TWO_ELECTRONS = 2 * 510.99895
THALLIUM = 2614.511
ESCAPES = (THALLIUM - TWO_ELECTRONS, THALLIUM - TWO_ELECTRONS / 2, THALLIUM)
"""Double escape, single escape and full energy of Tl-208, keV: a cut on pulse shapes keeps the first of them,
whose events are in one place of the detector, rather than the second."""
NAMES = ("DEP", "SEP", "FEP")
N_LINES = 3
"""Lines of other sources that are taken, those of the highest energy."""


def peaks_of(
    session: Session, fitted: Iterable[tuple[Fit, RegionFit]], columns: Collection[str]
) -> tuple[Peak, ...]:
    """Give the peaks, the region first; fitted: what came out of fits on the run. columns: of the run."""
    spectrum, found = session.spectrum, list[Peak]()
    region = None if spectrum.roi is None else peak_of_region(spectrum.column, *spectrum.roi)
    found += [region] if region is not None else []
    for fit, outcome in fitted:
        found += [
            Peak(fit.column, _bands_of(together, unit_of(fit.column)), fit.channel)
            for together in _groups(outcome)
        ]
    for line in _lines(session, columns):
        if not any(_is_same(line, one) for one in found):
            found.append(line)
    return tuple(one for one in found if one.column in columns)[:MOST]


def _groups(outcome: RegionFit) -> list[list[FittedPeak]]:
    """Part the peaks of a fit; those of which one lies in the bands of another are together."""
    known = [
        peak
        for peak in outcome.peaks
        if outcome.converged and peak.fwhm > 0 and math.isfinite(peak.position + peak.fwhm)
    ]
    groups: list[list[FittedPeak]] = []
    for peak in sorted(known, key=lambda one: one.position):
        before = groups[-1][-1] if groups else None
        apart = (WINDOW_FWHM + FAR_FWHM) * max(peak.fwhm, 0.0 if before is None else before.fwhm)
        if before is not None and peak.position - before.position < apart:
            groups[-1].append(peak)
        else:
            groups.append([peak])
    return groups


def _bands_of(together: Sequence[FittedPeak], unit: str) -> PeakBands:
    """Give window and bands of a peak, or of several that overlap: what survives of one is not told apart."""
    name = " + ".join(number_text(peak.position, 5) for peak in together)
    fwhm = max(peak.fwhm for peak in together)
    return peak_bands(f"{name} {unit}".rstrip(), together[0].position, fwhm, together[-1].position)


def _lines(session: Session, columns: Collection[str]) -> list[Peak]:
    """Give the lines of the calibration that holds for the run, with widths by its resolution."""
    for one in calibrations_of(session, session.selected_run):
        known = of_channel(one, None)
        if one.energy_column in columns and known is not None and known.resolution is not None:
            widths = known.resolution
            if any(abs(line.energy_kev - THALLIUM) < 1 for line in known.lines):
                named = list(zip(NAMES, ESCAPES, strict=True))
            else:
                energies = sorted({line.energy_kev for line in known.lines})[-N_LINES:]
                named = [(f"{energy:.5g} keV", energy) for energy in energies]
            return [
                Peak(one.energy_column, peak_bands(name, energy, float(widths.fwhm(energy))))
                for name, energy in named
                if float(widths.fwhm(energy)) > 0
            ]
    return []


def _is_same(line: Peak, other: Peak) -> bool:
    """Tell whether a line is that of another peak: the middle of its window lies in the other's."""
    low, high = other.bands.window
    return line.column == other.column and low <= sum(line.bands.window) / 2 < high
