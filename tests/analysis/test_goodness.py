import math

import numpy as np
import pytest

from pygama.analysis.goodness import (
    chi2_survival,
    deviances,
    probability,
    signed_deviances,
    upper_gamma,
)


@pytest.mark.parametrize(
    ("chi2", "ndof", "expected"),
    [
        (3.841458820694124, 1, 0.05),  # tables of χ²
        (18.307038053275146, 10, 0.05),
        (124.34211340400407, 100, 0.05),
        (63.69074, 100, 0.99837),
    ],
)
def test_the_probability_of_chi2_is_that_of_the_tables(chi2, ndof, expected):
    assert chi2_survival(chi2, ndof) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("x", [0.01, 1.0, 7.5, 300.0])
def test_two_degrees_of_freedom_fall_exponentially(x):
    assert chi2_survival(x, 2) == pytest.approx(math.exp(-x / 2), rel=1e-12)


@pytest.mark.parametrize("x", [0.001, 0.3, 1.4999, 1.5001, 40.0])
def test_one_degree_of_freedom_is_the_error_function(x):
    assert upper_gamma(0.5, x) == pytest.approx(math.erfc(math.sqrt(x)), rel=1e-11)


@pytest.mark.parametrize("n", [3, 50, 2000])
def test_whole_orders_are_sums_of_poisson_probabilities(n):
    # Q(n, x) is the probability of fewer than n counts where x are expected.
    for x in (0.5 * n, n, 1.3 * n):
        total = math.fsum(math.exp(k * math.log(x) - x - math.lgamma(k + 1)) for k in range(n))
        assert upper_gamma(float(n), x) == pytest.approx(total, rel=1e-9)


def test_nothing_is_certain_and_everything_impossible():
    assert upper_gamma(3.0, 0.0) == 1.0
    assert upper_gamma(3.0, math.inf) == 0.0
    assert math.isnan(upper_gamma(0.0, 1.0))


def test_deviances_are_those_worked_out_by_hand():
    # 2 (2 - 4 + 4 ln 2) = 1.5452; an empty bin counts twice what is expected
    found = deviances(np.array([4.0, 0.0, 3.0]), np.array([2.0, 1.5, 3.0]))
    assert found.tolist() == pytest.approx([1.545177, 3.0, 0.0], abs=1e-6)
    signed = signed_deviances(np.array([4.0, 0.0]), np.array([2.0, 1.5]))
    assert signed.tolist() == pytest.approx([1.243052, -1.732051], abs=1e-6)


@pytest.mark.parametrize("mean", [0.05, 0.3, 2.0, 15.0, 24.9, 25.1, 400.0])
def test_probabilities_of_true_models_are_spread_evenly(mean):
    rng = np.random.default_rng(int(mean * 100))
    expected = np.full(200, mean)
    draws = [
        probability(float(deviances(rng.poisson(expected), expected).sum()), expected, 0) for _ in range(600)
    ]
    # A third of 600 lies below a third, give or take 11.5; four of these are allowed.
    assert abs(sum(p < 1 / 3 for p in draws) - 200) < 46
    assert abs(sum(p > 2 / 3 for p in draws) - 200) < 46


def test_more_parameters_than_bins_have_no_probability():
    assert math.isnan(probability(1.0, np.full(4, 100.0), 5))
