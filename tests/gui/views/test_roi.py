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
