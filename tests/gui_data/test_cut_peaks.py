"""Tests the choice of the peaks in which survival is shown."""

from __future__ import annotations

import numpy as np
import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration, MatchedLine
from pygama.analysis.curves import Curve
from pygama.analysis.fit_request import FitRequest
from pygama.analysis.fits import fit_region
from pygama.analysis.region_fit import RegionFit
from pygama.analysis.resolution import ResolutionCurve, fit_resolution
from pygama_gui.data.cut_peaks import peaks_of
from pygama_gui.session.state import Fit, Session, SpectrumChoice

COLUMNS = ("energy", "energy_kev")


def a_fit(at: float = 2614.5) -> tuple[Fit, RegionFit]:
    rng = np.random.default_rng(4)
    edges = np.linspace(at - 40, at + 40, 161)
    values = np.concatenate([rng.normal(at, 2, 5000), rng.uniform(at - 40, at + 40, 2000)])
    request = FitRequest(at - 40, at + 40, (at,))
    return Fit("one", "energy_kev", request), fit_region(np.histogram(values, edges)[0], edges, request)


def resolution() -> ResolutionCurve:
    energies = np.array([239.0, 583.0, 911.0, 2614.5])
    return fit_resolution(energies, np.sqrt(1 + 0.002 * energies), np.full(4, 0.01))


def calibrated(energies: list[float]) -> Session:
    lines = tuple(MatchedLine(f"{energy}", energy, 0.01) for energy in energies)
    curve = Curve((0.0, 1.0), ((1.0, 0.0), (0.0, 1e-6)))
    known = ChannelCalibration(curve, lines, resolution())
    return Session(calibrations=(Calibration("energy", channels={"0/0/0": known}),))


def test_the_region_comes_first_and_a_fitted_peak_has_bands_by_its_width() -> None:
    fit, found = a_fit()
    session = Session(spectrum=SpectrumChoice(column="energy", roi=(10.0, 20.0)), fits=(fit,))
    region, peak = peaks_of(session, [(fit, found)], COLUMNS)
    assert region.bands.name == "region"
    assert region.bands.window == (10.0, 20.0)
    position, fwhm = found.peaks[0].position, found.peaks[0].fwhm
    assert peak.column == "energy_kev"
    assert peak.bands.window == (position - 1.5 * fwhm, position + 1.5 * fwhm)
    assert fwhm == pytest.approx(2.355 * 2, rel=0.1)


def test_lines_that_overlap_are_counted_together() -> None:
    rng = np.random.default_rng(5)
    edges = np.linspace(20_900, 21_700, 401)
    places, sigma = (21_236.0, 21_334.0), 16.0
    values = np.concatenate(
        [rng.normal(at, sigma, 3000) for at in places] + [rng.uniform(20_900, 21_700, 800)]
    )
    request = FitRequest(20_900, 21_700, places)
    found = fit_region(np.histogram(values, edges)[0], edges, request)
    (peak,) = peaks_of(Session(), [(Fit("two", "trap_max", request), found)], ("trap_max",))
    assert peak.bands.name.replace("\u202f", "") in ("21236 + 21334 ADC", "21236 + 21335 ADC")
    first, last = (one.position for one in found.peaks)
    fwhm = found.peaks[0].fwhm
    assert peak.bands.window == pytest.approx((first - 1.5 * fwhm, last + 1.5 * fwhm))
    assert peak.bands.above[0] == pytest.approx(last + 2 * fwhm)
    beside = [np.sum((values >= low) & (values < high)) for low, high in (peak.bands.below, peak.bands.above)]
    assert max(beside) < 150


def test_lines_far_apart_are_counted_each_by_itself() -> None:
    rng = np.random.default_rng(6)
    edges = np.linspace(900, 1300, 401)
    values = np.concatenate([rng.normal(at, 4.0, 3000) for at in (1000, 1200)])
    request = FitRequest(900, 1300, (1000.0, 1200.0))
    found = fit_region(np.histogram(values, edges)[0], edges, request)
    assert len(peaks_of(Session(), [(Fit("two", "trap_max", request), found)], ("trap_max",))) == 2


def test_a_calibration_by_thallium_gives_both_escape_peaks_and_full_energy() -> None:
    session = calibrated([583.187, 2614.511])
    found = peaks_of(session, [], COLUMNS)
    assert [one.bands.name for one in found] == ["DEP", "SEP", "FEP"]
    middles = [sum(one.bands.window) / 2 for one in found]
    assert middles == pytest.approx([1592.51, 2103.51, 2614.51], abs=0.01)
    assert {one.column for one in found} == {"energy_kev"}


def test_a_line_that_is_fitted_is_not_shown_twice() -> None:
    found = peaks_of(calibrated([583.187, 2614.511]), [a_fit()], COLUMNS)
    assert [one.bands.name for one in found] == ["2614.5 keV", "DEP", "SEP"]


def test_other_sources_give_their_highest_lines() -> None:
    found = peaks_of(calibrated([121.78, 344.28, 778.9, 1408.0]), [], COLUMNS)
    assert [one.bands.name for one in found] == ["344.28 keV", "778.9 keV", "1408 keV"]


def test_a_run_without_the_column_shows_none() -> None:
    assert peaks_of(calibrated([2614.511]), [a_fit()], ("energy",)) == ()
