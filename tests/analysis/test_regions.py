"""Tests the figures of a region against peaks made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama.analysis.regions import measure_region
from pygama.errors import SettingsError

EDGES = np.arange(21.0)


def test_net_is_gross_less_a_flat_background() -> None:
    counts = np.full(20, 4)
    counts[10] += 100
    found = measure_region(counts, EDGES, 8, 13)
    assert found is not None
    assert found.gross == 120
    assert found.net == pytest.approx(100)


def test_the_error_counts_region_and_background() -> None:
    counts = np.full(20, 4)
    counts[10] += 100
    found = measure_region(counts, EDGES, 8, 12)
    assert found is not None
    # 4 bins inside hold 116; 2 bins a side hold 8 each: (4/2)^2 * (8/4 + 8/4) = 16
    assert found.net_error == pytest.approx(math.sqrt(116 + 16))


def test_the_centroid_is_the_middle_of_a_symmetric_peak() -> None:
    counts = np.zeros(20, int)
    counts[9:12] = (50, 100, 50)
    found = measure_region(counts, EDGES, 6, 15)
    assert found is not None
    assert found.centroid == pytest.approx(10.5)


def test_the_width_of_a_gaussian_is_found() -> None:
    edges = np.linspace(0, 100, 1001)
    centres = (edges[:-1] + edges[1:]) / 2
    counts = 1e5 * np.exp(-(((centres - 50) / 4) ** 2) / 2)
    found = measure_region(counts, edges, 30, 70)
    assert found is not None
    assert found.fwhm == pytest.approx(2.3548 * 4, rel=2e-3)


def test_the_centroid_does_not_depend_on_how_wide_the_region_is() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(500, 4, 2000), rng.uniform(0, 1000, 8000)])
    counts, edges = np.histogram(values, np.arange(0, 1001))
    narrow, wide = measure_region(counts, edges, 470, 530), measure_region(counts, edges, 300, 750)
    assert narrow is not None
    assert wide is not None
    assert abs(narrow.centroid - wide.centroid) < 2 * narrow.centroid_error
    assert abs(narrow.centroid - 500) < 3 * narrow.centroid_error


def test_errors_of_centroid_and_width_are_as_large_as_the_scatter() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(200):
        values = np.concatenate([rng.normal(500, 10, 900), rng.uniform(300, 700, 300)])
        counts, edges = np.histogram(values, np.arange(300, 701, 4))
        found.append(measure_region(counts, edges, 400, 600))
    centroids = np.array(
        [[one.centroid, one.centroid_error, one.fwhm, one.fwhm_error] for one in found if one]
    )
    scatter, mean = centroids.std(axis=0), centroids.mean(axis=0)
    assert 0.7 < mean[1] / scatter[0] < 1.5
    assert 0.7 < mean[3] / scatter[2] < 1.6


def test_a_sloping_background_leaves_no_peak() -> None:
    found = measure_region(np.arange(20) * 10, EDGES, 8, 13)
    assert found is not None
    assert found.net == pytest.approx(0, abs=1e-9)
    assert math.isnan(found.centroid)


def test_two_bins_are_too_narrow() -> None:
    assert measure_region(np.ones(20), EDGES, 8, 9.9) is None


def test_a_region_at_the_edge_has_no_net() -> None:
    found = measure_region(np.ones(20, int), EDGES, 0, 5)
    assert found is not None
    assert math.isnan(found.net)


def test_the_width_at_a_tenth_is_found() -> None:
    edges = np.linspace(0, 100, 1001)
    centres = (edges[:-1] + edges[1:]) / 2
    found = measure_region(1e5 * np.exp(-(((centres - 50) / 4) ** 2) / 2), edges, 30, 70)
    assert found is not None
    assert found.fwtm == pytest.approx(4.2919 * 4, rel=2e-3)


def test_the_background_is_what_the_sides_tell() -> None:
    counts = np.full(20, 4)
    counts[10] += 100
    found = measure_region(counts, EDGES, 8, 12)
    assert found is not None
    assert (found.background, found.background_error) == pytest.approx((16, 4))
    assert found.gross_error == pytest.approx(math.sqrt(116))


def test_the_rate_is_net_counts_a_second() -> None:
    counts = np.full(20, 4)
    counts[10] += 100
    found = measure_region(counts, EDGES, 8, 12, live_time_s=50)
    assert found is not None
    assert (found.rate, found.rate_error) == pytest.approx((2.0, math.sqrt(132) / 50))
    without = measure_region(counts, EDGES, 8, 12)
    assert without is not None
    assert math.isnan(without.rate)


def test_no_live_time_is_refused() -> None:
    with pytest.raises(SettingsError, match="live time must be above 0 s, not '0'"):
        measure_region(np.ones(20), EDGES, 8, 12, live_time_s=0)


def test_errors_of_the_width_at_a_tenth_are_as_large_as_the_scatter() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(150):
        values = np.concatenate([rng.normal(500, 10, 20_000), rng.uniform(300, 700, 2000)])
        one = measure_region(*np.histogram(values, np.arange(300, 701, 4)), 430, 570)
        assert one is not None
        found.append((one.fwtm, one.fwtm_error))
    widths, errors = np.array(found).T
    assert 0.6 < errors.mean() / widths.std() < 1.6
    assert widths.mean() == pytest.approx(42.92, rel=0.02)


def test_net_counts_lie_around_the_truth_by_their_error() -> None:
    rng = np.random.default_rng(4)
    pulls = []
    for _ in range(300):
        values = np.concatenate(
            [rng.normal(500, 10, rng.poisson(300)), rng.uniform(300, 700, rng.poisson(800))]
        )
        one = measure_region(*np.histogram(values, np.arange(300, 701, 4)), 460, 540)
        assert one is not None
        pulls.append((one.net - 300) / one.net_error)
    assert abs(np.mean(pulls)) < 0.2
    assert 0.86 < np.std(pulls) < 1.14
