"""Counts values in bins, checked by hand."""

from __future__ import annotations

import numpy as np

from pygama_gui.data.binning import density, histogram, range_of


def test_whole_numbers_have_a_bin_each():
    found = histogram(np.array([3, 5, 5, 5, 4]))
    assert found.edges.tolist() == [2.5, 3.5, 4.5, 5.5]
    assert found.counts.tolist() == [1, 1, 3]


def test_many_whole_numbers_share_bins_evenly():
    found = histogram(np.arange(100_000))
    assert found.counts.sum() == 100_000
    assert len(set(found.counts.tolist())) == 1


def test_what_is_no_number_is_counted_apart():
    found = histogram(np.array([1.0, np.nan, 2.0, np.inf, 1e305]))
    assert (found.counts.sum(), found.n_outside) == (2, 3)


def test_the_few_that_are_far_out_do_not_squeeze_the_rest():
    values = np.concatenate([np.linspace(0.0, 1.0, 10_001), [1e9]])
    found = histogram(values)
    assert found.edges[-1] < 3.0
    assert (found.counts.sum(), found.n_outside) == (10_001, 1)


def test_finer_bins_are_twice_as_many_with_the_same_counts():
    values = np.random.default_rng(1).normal(size=10_000)
    coarse, fine = histogram(values), histogram(values, finer=1)
    assert abs(len(fine.counts) - 2 * len(coarse.counts)) <= 1
    assert fine.counts.sum() == coarse.counts.sum() == 10_000


def test_lines_of_a_spectrum_stand_apart():
    rng = np.random.default_rng(2)
    lines = [rng.normal(at, 20.0, 300) for at in (3500.0, 8500.0, 21_300.0, 38_000.0)]
    found = histogram(np.concatenate([*lines, rng.exponential(8000.0, 3000)]))
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    highest = np.sort(middles[np.argsort(found.counts)[-4:]])
    width = found.edges[1] - found.edges[0]
    assert width < 400.0
    np.testing.assert_allclose(highest, [3500.0, 8500.0, 21_300.0, 38_000.0], atol=width)


def test_no_values_and_equal_values_have_a_range():
    assert histogram(np.array([])).counts.tolist() == [0]
    assert histogram(np.array([np.nan])).n_outside == 1
    assert range_of(np.array([0.25, 0.25])) == (0.24975, 0.25025)


def test_pairs_fall_where_they_belong():
    found = density(np.array([0, 0, 1, np.nan]), np.array([5, 6, 6, 1]))
    assert found.counts.tolist() == [[1, 1], [0, 1]]
    assert (found.x, found.y, found.n_outside) == ((-0.5, 1.5), (4.5, 6.5), 1)
