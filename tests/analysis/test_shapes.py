import math
from dataclasses import replace

import numpy as np
import pytest

from pygama.analysis.shapes import Shape, normal_cdf, peak_gradient, peak_integral, tail_integral

HPGE = Shape(sigma=2.0, tail_fraction=0.3, tail_slope=3.0, step=0.02)
SHAPES = [HPGE, Shape(1.0, 0.9, 8.0, 0.1), Shape(5.0, 0.05, 1.5, 0.0), Shape(1.0, 0.2, 0.04, 0.5)]


def test_the_normal_distribution_function_is_known_on_both_sides():
    # Tables: 0.8413447460685429 at 1; 6.220960574271784e-16 at -8
    assert normal_cdf(np.array([0.0, 1.0])).tolist() == pytest.approx([0.5, 0.8413447460685429], rel=1e-14)
    assert normal_cdf(np.array([-8.0]))[0] == pytest.approx(6.220960574271784e-16, rel=1e-12)


@pytest.mark.parametrize("s", [1e-3, 0.3, 2.0, 19.0, 40.0, 1e4])
def test_the_tail_goes_over_from_one_formula_to_the_other_without_a_step(s):
    # Where (z + s) / sqrt(2) is 20, erfc gives way to a continued fraction; sT - φ is the slope of T.
    z = 20 * math.sqrt(2) - s + np.array([-1e-9, 1e-9])
    below, above = tail_integral(z, s)
    assert below == pytest.approx(above, rel=1e-7)
    assert np.isfinite(tail_integral(np.linspace(-100, 100, 401), s)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_density_is_the_slope_of_the_integral(shape):
    x = np.linspace(-60, 20, 80_001)
    slope = np.gradient(peak_integral(x, 100.0, 1.0, shape), x)
    whole = 100 * (shape.density(x, 1.0) + shape.step_density(x, 1.0))
    assert np.abs(slope - whole)[5:-5].max() < 2e-3


@pytest.mark.parametrize("shape", SHAPES)
def test_a_peak_holds_its_area(shape):
    x = np.array([-500.0, 500.0])
    below = peak_integral(x, 70.0, 1.0, replace(shape, step=0.0))
    assert below.tolist() == pytest.approx([0.0, 70.0], abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["area", "position", "sigma", "tail_fraction", "tail_slope", "step"])
def test_derivatives_are_the_changes_of_the_integral(shape, name):
    x = np.linspace(-30, 15, 91)
    values = {"area": 50.0, "position": 0.7, "shape": shape}
    by = 1e-6

    def moved(sign):
        if name in values:
            return peak_integral(x, **(values | {name: values[name] + sign * by}))
        at = replace(shape, **{name: getattr(shape, name) + sign * by})
        # A share of 0 turns the tail or the step off, and its derivative with it.
        return peak_integral(x, **(values | {"shape": at}))

    expected = (moved(1) - moved(-1)) / (2 * by)
    found = peak_gradient(x, 50.0, 0.7, shape, is_tailed=True, is_stepped=True)
    assert found[name] == pytest.approx(expected, rel=2e-5, abs=2e-6 * np.abs(expected).max())
    assert found[""] == pytest.approx(peak_integral(x, **values), rel=1e-12)


def test_the_widths_of_a_gaussian_are_those_of_the_books():
    assert Shape(10.0).width(0.5) == pytest.approx(23.5482, abs=1e-4)
    assert Shape(10.0).width(0.1) == pytest.approx(42.9193, abs=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_widths_are_those_of_the_drawn_curve(shape, share):
    x = np.linspace(-80, 40, 1_200_001)
    curve = shape.density(x, 0.0)
    above = x[curve >= share * curve.max()]
    assert shape.width(share) == pytest.approx(above[-1] - above[0], abs=3e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("name", ["sigma", "tail_fraction", "tail_slope"])
def test_derivatives_of_widths_are_their_changes(shape, share, name):
    by = 1e-5 * getattr(shape, name)
    low, high = (replace(shape, **{name: getattr(shape, name) + sign * by}).width(share) for sign in (-1, 1))
    assert shape.width_gradient(share)[name] == pytest.approx((high - low) / (2 * by), rel=1e-4, abs=1e-6)


def test_a_step_is_as_high_as_it_says_below_and_gone_above():
    low, high = HPGE.step_density(np.array([-100.0, 100.0]), 0.0)
    assert low == pytest.approx(0.02 / (2.0 * math.sqrt(2 * math.pi)))
    assert high == pytest.approx(0.0, abs=1e-12)
