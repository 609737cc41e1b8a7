"""Tests what is computed from the bins of spectra."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data import spectra


def test_joined_bins_hold_the_same_counts() -> None:
    assert spectra.joined(np.array([1, 2, 3, 4]), 2).tolist() == [3, 7]


def test_a_difference_has_the_errors_of_both() -> None:
    found = spectra.difference(np.array([100.0, 0.0, 0.0]), np.array([16.0, 4.0, 0.0]), 0.5)
    assert found.values[:2].tolist() == [92.0, -2.0]
    assert found.errors[:2] == pytest.approx([np.sqrt(100 + 4), 1.0])
    assert np.isnan(found.values[2]) and np.isnan(found.errors[2])


def test_a_ratio_says_nothing_where_one_has_no_counts() -> None:
    found = spectra.ratio(np.array([100.0, 0.0, 5.0]), np.array([25.0, 4.0, 0.0]), 2.0)
    assert (found.values[0], found.errors[0]) == pytest.approx((2.0, 2.0 * np.sqrt(0.01 + 0.04)))
    assert np.isnan(found.values[1:]).all()


def test_the_ratio_of_two_samples_of_one_spectrum_scatters_by_its_errors() -> None:
    rng = np.random.default_rng(7)
    mine, theirs = rng.poisson(400.0, 4000), rng.poisson(800.0, 4000)
    found = spectra.ratio(mine, theirs, 0.5)
    pulls = (found.values - 1.0) / found.errors
    assert float(pulls.std()) == pytest.approx(1.0, abs=0.05)


def test_bins_are_joined_by_powers_of_two_and_some_are_left() -> None:
    assert [spectra.power_of_two(wanted, 64) for wanted in (0.1, 1.4, 3.1, 1e9)] == [1, 1, 4, 8]
