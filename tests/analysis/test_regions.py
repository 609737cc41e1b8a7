"""Tests the figures of a region against peaks made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama.analysis.regions import CUT_AWAY, measure_region
from pygama.analysis.shapes import Shape
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


@pytest.mark.parametrize("within", [(40.0, 60.0), (40.0, 100.0), (0.0, 62.0)])
def test_where_a_cut_takes_a_side_away_there_is_no_net(within) -> None:
    counts, edges = np.full(100, 10.0), np.arange(101.0)
    counts[(edges[:-1] < within[0]) | (edges[1:] > within[1])] = 0
    found = measure_region(counts, edges, 40.0, 60.0, within=within)
    assert found.gross == 200
    assert np.isnan([found.net, found.centroid, found.fwhm, found.rate]).all()
    assert found.why_no_net == CUT_AWAY


def test_a_cut_that_leaves_part_of_the_sides_leaves_the_net_counts() -> None:
    counts, edges = np.full(100, 10.0), np.arange(101.0)
    counts[45:55] += 100
    cut = counts.copy()
    cut[:34], cut[67:] = 0, 0
    whole = measure_region(counts, edges, 40.0, 60.0)
    found = measure_region(cut, edges, 40.0, 60.0, within=(34.0, 67.0))
    assert (found.net, found.gross) == (whole.net, whole.gross) == (1000, 1200)
    assert found.net_error > whole.net_error


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


def test_a_slope_is_no_peak_where_there_is_little_room_on_one_side() -> None:
    # Two bins are left of the region and five right of it; 10 counts more from bin to bin.
    found = measure_region(np.arange(30) * 10, np.arange(31.0), 2, 12)
    assert found is not None
    assert found.net == pytest.approx(0, abs=1e-9)
    assert found.gross == sum(range(20, 120, 10))


def test_the_error_weighs_the_side_that_is_known_less() -> None:
    counts = np.full(30, 4)
    found = measure_region(counts, np.arange(31.0), 1, 11)
    assert found is not None
    # 1 bin left, 5 right, 10 inside: half way between is 0.5 + (i + 0.5 - 5) / 13 in the middle of 13 bins
    way = (np.arange(10) + 1.0) / 13
    expected = math.sqrt(4 * (1 - way).sum() ** 2 + 20 * (way.sum() / 5) ** 2)
    assert found.background_error == pytest.approx(expected)


def test_the_background_slopes_under_the_peak_too() -> None:
    counts = np.arange(30) * 10.0
    counts[12:15] += (500, 1000, 500)
    found = measure_region(counts, np.arange(31.0), 8, 19)
    assert found is not None
    assert found.centroid == pytest.approx(13.5)
    assert found.net == pytest.approx(2000)


def _toys(n_counts: float, bin_width: float, background: float, n: int = 100) -> list[tuple[float, ...]]:
    """Give FWHM and centroid, each with its error, of Gaussians of sigma 1 at 0."""
    rng, edges, found = np.random.default_rng(8), np.arange(-30, 30 + bin_width / 2, bin_width), []
    for _ in range(n):
        values = rng.normal(0, 1, rng.poisson(n_counts)), rng.uniform(-30, 30, rng.poisson(60 * background))
        one = measure_region(np.histogram(np.concatenate(values), edges)[0], edges, -5, 5)
        assert one is not None
        found.append((one.fwhm - 2.3548, one.fwhm_error, one.fwtm - 4.2919, one.fwtm_error))
        found[-1] += (one.centroid, one.centroid_error)
    return found


@pytest.mark.parametrize(
    ("n_counts", "bin_width", "background"),
    [(100, 0.3, 1), (100, 0.1, 1), (1000, 0.05, 1), (1000, 0.3, 50), (1000, 1.0, 5), (20000, 0.2, 10)],
)
def test_widths_and_centroid_are_right_within_their_errors(n_counts, bin_width, background):
    found = np.array(_toys(n_counts, bin_width, background))
    for what in range(3):
        pulls = found[:, 2 * what] / found[:, 2 * what + 1]
        assert np.isfinite(pulls).all()
        assert abs(pulls.mean()) < 0.5
        assert 0.75 < pulls.std() < 1.35


def test_a_tail_makes_the_widths_that_its_shape_has():
    shape, edges = Shape(2.0, 0.2, 3.0), np.arange(0, 200.5, 0.25)
    centres = (edges[:-1] + edges[1:]) / 2
    found = measure_region(1e6 * 0.25 * shape.density(centres, 100.0) + 5, edges, 75, 125)
    assert found is not None
    assert found.fwhm == pytest.approx(shape.width(0.5), rel=0.01)
    assert found.fwtm == pytest.approx(shape.width(0.1), rel=0.01)


def test_a_narrow_peak_in_a_wide_region_is_found():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(2614, 1.5, 800), rng.uniform(0, 4000, 20000)])
    counts, edges = np.histogram(values, np.linspace(0, 4000, 8001))
    found = measure_region(counts, edges, 2000, 3000)
    assert found is not None
    assert abs(found.fwhm - 2.3548 * 1.5) < 3 * found.fwhm_error < 1
    assert abs(found.centroid - 2614) < 3 * found.centroid_error < 1


def test_bins_may_be_of_different_widths():
    edges = np.concatenate([np.arange(0, 50), np.arange(50, 101, 5)]).astype(float)
    found = measure_region(10 * np.diff(edges), edges, 40, 70)
    assert found is not None
    assert found.net == pytest.approx(0, abs=1e-9)
    assert found.gross == pytest.approx(10 * 30)


def test_counts_below_zero_are_refused():
    with pytest.raises(SettingsError, match="counts, which are not below 0"):
        measure_region(np.full(20, -5), EDGES, 8, 13)


def test_no_counts_have_the_error_of_one():
    found = measure_region(np.zeros(20), EDGES, 8, 13)
    assert found is not None
    # 5 bins; 2 a side, of which each tells (1/2) a bin, and half of 5 such make the background
    assert found.net_error == pytest.approx(math.sqrt(1 + 2 * (5 / 2 / 2) ** 2))
    assert found.gross_error == 1.0
    assert math.isnan(found.fwhm)


def test_what_is_in_one_bin_alone_has_no_width():
    counts = np.zeros(20)
    counts[10] = 100
    found = measure_region(counts, EDGES, 6, 15)
    assert found is not None
    assert math.isnan(found.fwhm)
    assert found.centroid == pytest.approx(10.5)


def test_what_a_sample_holds_is_as_many_times_as_much_with_its_errors() -> None:
    counts = np.full(30, 10)
    counts[8:13] += [10, 40, 80, 40, 10]
    of_sample = measure_region(counts, np.arange(31.0), 6, 15, live_time_s=10.0)
    assert of_sample is not None
    found = of_sample.scaled(40.0)
    assert (found.gross, found.net) == (40 * of_sample.gross, 40 * of_sample.net)
    assert found.net_error / found.net == pytest.approx(of_sample.net_error / of_sample.net)
    assert found.rate == 40 * of_sample.rate
    assert (found.centroid_error, found.fwhm_error) == (of_sample.centroid_error, of_sample.fwhm_error)
