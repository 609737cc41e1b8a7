"""Tests that medians and spreads are found from counts in fine bins."""

from __future__ import annotations

import numpy as np
import pytest

from pygama_gui.data.binned import BinnedGroups, add_places, scale_of, values_like
from pygama_gui.data.slices import MAD_TO_SIGMA, MEDIAN_ERROR


def counted(values: np.ndarray, groups: np.ndarray, n_groups: int, n_blocks: int = 3) -> BinnedGroups:
    made = BinnedGroups(scale_of(values[::7]), n_groups)
    for part in np.array_split(np.arange(len(values)), n_blocks):
        made.add(groups[part], values[part])
    return made


@pytest.mark.parametrize("level", [0.0, 8000.0, -1e6])
@pytest.mark.parametrize("spread", [1e-3, 5.0, 300.0])
def test_medians_and_spreads_are_those_of_the_values_to_a_small_part_of_their_errors(
    level: float, spread: float
) -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(4), (10_000, 400, 41, 40))
    values = level + spread * (rng.normal(0, 1, len(groups)) + 0.3 * groups)
    found = counted(values, groups, 5).middles()
    assert found.n.tolist() == [10_000, 400, 41, 40, 0]
    for group in range(4):
        own = values[groups == group]
        middle = float(np.median(own))
        deviation = float(np.median(np.abs(own - middle)))
        error = MEDIAN_ERROR * MAD_TO_SIGMA * deviation / np.sqrt(len(own))
        assert found.medians[group] == pytest.approx(middle, abs=0.1 * error)
        assert found.deviations[group] == pytest.approx(deviation, abs=0.15 * error)
        assert found.std(group) == pytest.approx(own.std(), rel=0.01)
    assert np.isnan(found.medians[4])
    assert np.isnan(found.std(4))


def test_medians_of_whole_numbers_are_exact() -> None:
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(3), (1001, 200, 1))
    values = rng.poisson(12.0, len(groups)).astype(float)
    found = counted(values, groups, 3).middles()
    for group in range(3):
        own = values[groups == group]
        assert found.medians[group] == np.median(own)
        assert found.deviations[group] == np.median(np.abs(own - np.median(own)))


def test_values_far_away_are_counted_and_what_is_no_number_is_not() -> None:
    values = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 1e12, -1e12, np.nan, np.inf])
    made = BinnedGroups(scale_of(values[:5]), 1)
    made.add(np.zeros(len(values), np.int16), values)
    found = made.middles()
    assert found.n.tolist() == [7]
    assert found.medians[0] == pytest.approx(2.0, abs=0.01)


def test_a_sample_of_one_value_or_none_has_bins_as_well() -> None:
    for sample in (np.array([3.25, 3.25]), np.array([np.nan]), np.empty(0)):
        made = BinnedGroups(scale_of(sample), 1)
        made.add(np.zeros(3, np.int16), np.array([3.25, 3.25, 3.25]))
        assert made.middles().medians[0] == pytest.approx(3.25, abs=0.05)
        assert made.middles().deviations[0] == 0.0


def test_places_far_apart_are_added_as_those_close_by() -> None:
    rng = np.random.default_rng(7)
    groups, places = rng.integers(0, 2000, 500), rng.integers(0, 4096, 500)
    expected, found = np.zeros((2, 2000, 4096), np.uint32)
    np.add.at(expected, (groups, places), 1)
    add_places(found, groups, places)
    assert np.array_equal(found, expected)


def test_values_like_those_counted_lie_in_their_bins() -> None:
    counts, edges = np.array([0, 3, 0, 0, 5, 1, 0]), np.arange(8.0)
    values = values_like(counts, edges, 100)
    assert np.histogram(values, edges)[0].tolist() == counts.tolist()
    few = values_like(1000 * counts, edges, 90)
    assert len(few) == 90
    assert np.histogram(few, edges)[0].tolist() == (10 * counts).tolist()
    assert not len(values_like(np.zeros(7, int), edges, 10))
