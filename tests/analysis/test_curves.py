import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.curves import Curve, chi2_probability, fit_curve
from pygama.errors import SettingsError


def test_a_line_goes_through_two_points_and_has_the_errors_they_give_it():
    # slope 0.5; errors of 0.1 and 0.2 keV over 200 units: sqrt(0.01 + 0.04) / 200
    curve = fit_curve([100, 300], [0, 0], [51, 151], [0.1, 0.2])
    assert pytest.approx(curve.coefficients) == (1.0, 0.5)
    assert curve.ndof == 0
    assert math.sqrt(curve.covariance[1][1]) == pytest.approx(math.sqrt(0.05) / 200)
    # at the points, the error is that of the point
    assert pytest.approx(curve.energy_error([100, 300]).tolist()) == [0.1, 0.2]


def test_the_error_of_a_position_counts_by_the_slope():
    curve = fit_curve([100, 300], [0.2, 0.4], [51, 151])
    assert pytest.approx(curve.energy_error([100, 300]).tolist()) == [0.1, 0.2]


def test_a_curve_through_zero_is_the_weighted_mean_of_the_slopes():
    # slopes 0.5 and 0.6, each with an error of 0.01: mean 0.55 give or take 0.01 / sqrt(2)
    curve = fit_curve([100, 200], [0, 0], [50, 120], [1, 2], is_through_zero=True)
    assert pytest.approx(curve.coefficients) == (0.0, 0.55)
    assert math.sqrt(curve.covariance[1][1]) == pytest.approx(0.01 / math.sqrt(2))
    assert pytest.approx(curve.chi2) == 2 * 5**2
    assert curve.ndof == 1
    assert float(curve.energy_error(0.0)) == 0.0


def test_chi2_and_covariance_are_those_of_least_squares_by_hand():
    # equal errors of 1: slope 1, offset 1/3, residuals 1/3, -2/3, 1/3
    curve = fit_curve([-1, 0, 1], [0, 0, 0], [9, 11, 11], 1.0)
    assert pytest.approx(curve.coefficients) == (31 / 3, 1.0)
    assert pytest.approx(curve.chi2) == 2 / 3
    assert np.array(curve.covariance) == pytest.approx(np.diag([1 / 3, 1 / 2]))


def test_a_parabola_goes_through_three_points():
    curve = fit_curve([0, 10_000, 20_000], [1, 1, 1], [2, 1002, 2102], is_quadratic=True)
    assert pytest.approx(curve.coefficients) == (2.0, 0.095, 5e-7)


def test_positions_that_scatter_by_their_errors_give_pulls_of_one():
    rng = np.random.default_rng(3)
    energies = np.array([200.0, 600.0, 1500.0, 2600.0])
    exact, errors = 1.0 + 14.5 * energies, np.array([1.0, 1.0, 2.0, 3.0])
    curves = [fit_curve(exact + errors * rng.standard_normal(4), errors, energies) for _ in range(400)]
    at = 1.0 + 14.5 * 1000.0
    errors_of_fit = [float(curve.energy_error(at)) / curve.stretch for curve in curves]
    pulls = [(float(curve.energy(at)) - 1000.0) / e for curve, e in zip(curves, errors_of_fit, strict=True)]
    assert abs(np.mean(pulls)) < 0.2
    assert 0.9 < np.std(pulls) < 1.1
    assert 1.8 < np.mean([curve.chi2 for curve in curves]) < 2.2


@given(
    st.floats(-50, 50),
    st.floats(1e-6, 1e3),
    st.floats(-0.1, 0.1),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_the_value_of_an_energy_has_that_energy(offset, gain, bend, parts):
    top = 3000 / gain
    curve = Curve((offset, gain, bend * gain / top), ((0.0,) * 3,) * 3)
    x = top * np.array(parts)
    assert pytest.approx(curve.value(curve.energy(x)), rel=1e-6, abs=1e-9 * top) == x
    assert (curve.slope(x) > 0).all()


def test_an_energy_that_the_curve_never_reaches_has_no_value():
    curve = Curve((0.0, 1.0, -0.001), ((0.0,) * 3,) * 3)  # at most 250 keV
    assert math.isnan(curve.value(300.0))


def test_the_gain_is_the_inverse_of_the_slope_with_its_error():
    curve = Curve((0.0, 0.5), ((0.0, 0.0), (0.0, 0.01**2)))
    assert (curve.gain, curve.gain_error) == pytest.approx((2.0, 0.04))


def test_values_that_are_not_numbers_have_no_energy():
    assert np.isnan(Curve((0.0, 0.5), ((0.0, 0.0), (0.0, 0.0))).energy([math.nan, 2.0])).tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("n", "options"), [(1, {}), (2, {"is_quadratic": True}), (0, {"is_through_zero": True})]
)
def test_fewer_lines_than_coefficients_are_refused(n, options):
    with pytest.raises(SettingsError, match="lines or more"):
        fit_curve(np.arange(1.0, n + 1), np.ones(n), np.arange(1.0, n + 1), **options)


def test_errors_of_zero_are_refused():
    with pytest.raises(SettingsError, match="errors above 0"):
        fit_curve([1, 2], [0, 1], [1, 2])


@pytest.mark.parametrize(
    ("chi2", "ndof"),
    [(3.8415, 1), (5.9915, 2), (7.8147, 3), (9.4877, 4), (11.0705, 5), (18.307, 10), (19.6751, 11)],
)
def test_the_probability_of_chi2_is_that_of_the_tables(chi2, ndof):
    assert chi2_probability(chi2, ndof) == pytest.approx(0.05, abs=2e-6)


def test_nothing_is_unlikely_where_nothing_can_vary():
    assert chi2_probability(0.0, 0) == 1.0


def test_many_degrees_of_freedom_are_no_surprise():
    assert chi2_probability(2000.0, 2000) == pytest.approx(0.4958, abs=1e-4)


def test_lines_that_scatter_more_than_their_errors_make_errors_larger():
    x, y, half = [100.0, 200.0, 300.0], [100.0, 200.3, 300.0], [0.05, 0.05, 0.05]
    curve = fit_curve(x, half, y)
    assert (curve.chi2, curve.ndof) == pytest.approx((24.0, 1), rel=0.01)  # 0.1, 0.2, 0.1 keV off
    assert curve.stretch == pytest.approx(math.sqrt(24.0), rel=0.01)
    assert curve.errors[1] == pytest.approx(curve.stretch * math.sqrt(curve.covariance[1][1]))
    assert curve.gain_error == pytest.approx(curve.errors[1] / curve.coefficients[1] ** 2)
    larger = fit_curve(x, [0.5, 0.5, 0.5], y)
    assert larger.stretch == 1.0


def test_a_line_through_two_points_has_their_errors():
    assert fit_curve([100.0, 200.0], [0.1, 0.1], [100.0, 200.0]).stretch == 1.0
