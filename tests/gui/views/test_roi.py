"""Tests the figures of a region against peaks made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama_gui.views.roi import measure

EDGES = np.arange(21.0)


def test_net_is_gross_less_a_flat_background() -> None:
    counts = np.full(20, 4)
    counts[10] += 100
    found = measure(EDGES, counts, 8, 13)
    assert found is not None
    assert found.gross == 120
    assert found.net == pytest.approx(100)


def test_the_error_counts_region_and_background() -> None:
    counts = np.full(20, 4)
    counts[10] += 100
    found = measure(EDGES, counts, 8, 12)
    assert found is not None
    # 4 bins inside hold 116; 2 bins a side hold 8 each: (4/2)^2 * (8/4 + 8/4) = 16
    assert found.net_error == pytest.approx(math.sqrt(116 + 16))


def test_the_centroid_is_the_middle_of_a_symmetric_peak() -> None:
    counts = np.zeros(20, int)
    counts[9:12] = (50, 100, 50)
    found = measure(EDGES, counts, 6, 15)
    assert found is not None
    assert found.centroid == pytest.approx(10.5)


def test_the_width_of_a_gaussian_is_found() -> None:
    edges = np.linspace(0, 100, 1001)
    centres = (edges[:-1] + edges[1:]) / 2
    counts = 1e5 * np.exp(-(((centres - 50) / 4) ** 2) / 2)
    found = measure(edges, counts, 30, 70)
    assert found is not None
    assert found.fwhm == pytest.approx(2.3548 * 4, rel=2e-3)


def test_the_centroid_does_not_depend_on_how_wide_the_region_is() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(500, 4, 2000), rng.uniform(0, 1000, 8000)])
    counts, edges = np.histogram(values, np.arange(0, 1001))
    narrow, wide = measure(edges, counts, 470, 530), measure(edges, counts, 300, 750)
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
        found.append(measure(edges, counts, 400, 600))
    centroids = np.array(
        [[one.centroid, one.centroid_error, one.fwhm, one.fwhm_error] for one in found if one]
    )
    scatter, mean = centroids.std(axis=0), centroids.mean(axis=0)
    assert 0.7 < mean[1] / scatter[0] < 1.5
    assert 0.7 < mean[3] / scatter[2] < 1.6


def test_a_sloping_background_leaves_no_peak() -> None:
    found = measure(EDGES, np.arange(20) * 10, 8, 13)
    assert found is not None
    assert found.net == pytest.approx(0, abs=1e-9)
    assert math.isnan(found.centroid)


def test_two_bins_are_too_narrow() -> None:
    assert measure(EDGES, np.ones(20), 8, 9.9) is None


def test_a_region_at_the_edge_has_no_net() -> None:
    found = measure(EDGES, np.ones(20, int), 0, 5)
    assert found is not None
    assert math.isnan(found.net)
