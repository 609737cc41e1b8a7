import math

import numpy as np
import pytest

from pygama.analysis.peaks import (
    FWHM_PER_SIGMA,
    first_guess,
    fit_peak,
    fit_peak_counts,
    match_lines,
)
from pygama.errors import SettingsError

CENTRE, SIGMA = 1003.0, 6.0
LINES = (238.632, 583.187, 1460.822, 2614.511)


def toy(rng, n_peak, n_background, low=900.0, high=1100.0):
    """A peak on a background twice as high at the low end as at the high end."""
    u = rng.random(n_background)
    background = low + (high - low) * (2 - np.sqrt(4 - 3 * u))
    return np.concatenate([rng.normal(CENTRE, SIGMA, rng.poisson(n_peak)), background])


def spectrum(rng, scale, n_line=300):
    """Lines on a falling background, with a strong peak that is no line."""
    lines = [rng.normal(energy, 0.7 + 0.0004 * energy, n_line) for energy in LINES]
    other = [rng.exponential(400.0, 3000) + 40, rng.normal(3000.0, 0.5, 800)]
    return scale * np.concatenate([*lines, *other])


@pytest.mark.parametrize("n_peak", [60, 1000])
def test_errors_say_how_far_fits_lie_from_the_truth(n_peak):
    rng = np.random.default_rng(n_peak)
    truth = {"position": CENTRE, "fwhm": SIGMA * FWHM_PER_SIGMA, "area": n_peak}
    fits = [fit_peak(toy(rng, n_peak, n_peak), 1000.0, 200.0, n_bins=60) for _ in range(100)]
    assert all(fit.converged for fit in fits)
    for name, value in truth.items():
        pulls = [(getattr(fit, name) - value) / getattr(fit, name + "_error") for fit in fits]
        assert abs(np.mean(pulls)) < 0.4, name
        assert 0.75 < np.std(pulls) < 1.3, name


def test_chi2_is_as_large_as_the_degrees_of_freedom():
    rng = np.random.default_rng(7)
    fits = [fit_peak(toy(rng, 2000, 4000), 1000.0, 200.0) for _ in range(20)]
    assert fits[0].ndof == 95
    assert pytest.approx(np.mean([fit.chi2 for fit in fits]), rel=0.15) == 95


def test_bins_as_wide_as_the_peak_do_not_widen_it():
    fit = fit_peak(toy(np.random.default_rng(8), 20_000, 5000), 1000.0, 200.0, n_bins=16)
    assert pytest.approx(fit.fwhm, rel=0.03) == SIGMA * FWHM_PER_SIGMA


def test_counts_and_values_give_the_same_fit():
    values = toy(np.random.default_rng(9), 500, 500)
    counts, edges = np.histogram(values, bins=100, range=(900, 1100))
    assert fit_peak(values, 1000.0, 200.0) == fit_peak_counts(counts, edges)


def test_the_fitted_curve_holds_as_many_counts_as_the_histogram():
    values = toy(np.random.default_rng(10), 2000, 2000)
    fit = fit_peak(values, 1000.0, 200.0)
    x = np.linspace(900, 1100, 4001)
    assert len(values) == pytest.approx(fit.density(x).mean() * 200, rel=0.01)


def test_the_background_is_that_of_both_ends():
    # 20000 counts over 200, twice as many at the low end: 133.3 and 66.7 a unit
    fit = fit_peak(toy(np.random.default_rng(11), 3000, 20_000), 1000.0, 200.0)
    assert pytest.approx([fit.background_low, fit.background_high], rel=0.05) == [133.3, 66.7]


def test_nans_and_values_outside_are_left_out():
    values = toy(np.random.default_rng(12), 500, 500)
    more = np.concatenate([values, [math.nan, math.inf, -math.inf, 0.0, 1e9]])
    assert fit_peak(values, 1000.0, 200.0) == fit_peak(more, 1000.0, 200.0)


def test_too_few_counts_give_a_fit_that_says_so():
    fit = fit_peak(np.full(14, 1000.0), 1000.0, 200.0)
    assert not fit.converged
    assert fit.note == "14 counts between 900 and 1100: too few to fit"


def test_a_background_without_a_peak_is_not_taken_for_one():
    rng = np.random.default_rng(13)
    found = [fit_peak(rng.uniform(900, 1100, 500), 1000.0, 200.0, n_bins=40).converged for _ in range(20)]
    assert sum(found) <= 4


def test_a_peak_without_background_is_fitted():
    fit = fit_peak(np.random.default_rng(14).normal(CENTRE, SIGMA, 400), 1000.0, 200.0)
    assert fit.converged
    assert pytest.approx(fit.position, abs=4 * SIGMA / 20) == CENTRE


@pytest.mark.parametrize("width", [0.0, -5.0, math.nan, math.inf])
def test_a_window_without_width_is_refused(width):
    with pytest.raises(SettingsError, match="positive width"):
        fit_peak([1.0, 2.0], 1.0, width)


def test_edges_that_do_not_fit_the_counts_are_refused():
    with pytest.raises(SettingsError, match="one rising edge more"):
        fit_peak_counts(np.ones(20), np.arange(20))


def test_the_first_guess_lies_near_the_peak():
    counts, edges = np.histogram(toy(np.random.default_rng(15), 500, 500), bins=100, range=(900, 1100))
    area, position, sigma, _, _ = first_guess(counts, edges)
    assert pytest.approx(area, rel=0.3) == 500
    assert pytest.approx(position, abs=4) == CENTRE
    assert pytest.approx(sigma, rel=0.5) == SIGMA


@pytest.mark.parametrize("scale", [0.37, 1.0, 14.7, 1234.5])
def test_lines_are_found_at_any_scale(scale):
    match = match_lines(spectrum(np.random.default_rng(16), scale), LINES)
    assert scale == pytest.approx(match.scale, rel=3e-4)
    assert match.n_found == 4


def test_fits_stand_in_the_order_of_the_energies_given():
    match = match_lines(spectrum(np.random.default_rng(17), 10.0), LINES[::-1])
    assert pytest.approx([match.fits[0].position, match.fits[3].position], rel=1e-3) == [26145.11, 2386.32]


def test_a_line_that_is_not_there_is_told_and_does_not_spoil_the_scale():
    match = match_lines(spectrum(np.random.default_rng(18), 10.0), (*LINES, 1332.5))
    assert not match.fits[4].converged
    assert pytest.approx(match.scale, rel=3e-4) == 10.0


def test_matching_without_values_is_refused():
    with pytest.raises(SettingsError, match="values above 0"):
        match_lines([0.0, -1.0, math.nan], LINES)


def test_matching_without_energies_is_refused():
    with pytest.raises(SettingsError, match="energies above 0"):
        match_lines(np.ones(100), ())


@pytest.mark.parametrize("background", [1, 3, 10, 50])
def test_few_windows_without_a_peak_give_one(background):
    rng, edges = np.random.default_rng(7), np.linspace(0.0, 100.0, 101)
    fits = [fit_peak_counts(rng.poisson(background, 100), edges) for _ in range(100)]
    assert sum(fit.converged for fit in fits) <= 6
    assert any(fit.note.startswith("no peak: ") for fit in fits)
    assert any(fit.note.endswith(", as chance alone gives somewhere in a window") for fit in fits)


def test_a_small_peak_that_lowers_chi2_by_much_is_one():
    rng, edges = np.random.default_rng(8), np.linspace(0.0, 100.0, 101)
    n_found = 0
    for _ in range(100):
        peak, _ = np.histogram(rng.normal(50.0, 3.0, 60), edges)
        fit = fit_peak_counts(peak + rng.poisson(10, 100), edges)
        n_found += fit.converged and abs(fit.position - 50.0) < 5.0
    assert n_found >= 85
