"""Tests slices of time, and the rates, medians and scatters of each, with their errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama_gui.data.moves import band_of, is_outside
from pygama_gui.data.slices import (
    MAD_TO_SIGMA,
    Series,
    Slices,
    error_of_median,
    lateness,
    median_and_scatter,
    median_of,
    next_width,
    rate_of,
    scatter_of,
    suitable_width,
)


def series(values: np.ndarray, error: float = 1.0, kind: str = "baseline", width: float = 60.0) -> Series:
    n = len(values)
    times = (np.arange(n) + 0.5) * width
    return Series(
        kind, kind, "ADC", times, np.full(n, width / 2), np.asarray(values, float), np.full(n, error)
    )


def test_a_slice_counts_its_events_whatever_their_order() -> None:
    slices = Slices(np.array([25.0, 1.0, 11.0, 2.0, 12.0, 3.0]), 10.0, (0.0, 30.0))
    assert slices.counts.tolist() == [3, 2, 1, 0]
    assert [group.tolist() for group in slices.groups(np.array([6, 1, 4, 2, 5, 3]))] == [
        [1, 2, 3],
        [4, 5],
        [6],
        [],
    ]


def test_neighbours_are_joined_to_the_last_one() -> None:
    slices = Slices(np.array([5.0, 15.0, 25.0]), 10.0, (0.0, 29.0))
    groups = slices.groups(np.array([1.0, 2.0, 3.0]), 2)
    assert [group.tolist() for group in groups] == [[1.0, 2.0], [3.0]]
    times, half = slices.joined_edges(2)
    assert times.tolist() == [10.0, 25.0]
    assert half.tolist() == [10.0, 5.0]


def test_a_rate_has_the_error_of_its_count() -> None:
    times = np.concatenate([np.linspace(0, 9.9, 100), np.linspace(20, 29.9, 25)])
    rate = rate_of(Slices(times, 10.0, (0.0, 30.0)))
    assert rate.values[:3].tolist() == [10.0, 0.0, 2.5]
    assert rate.errors[:3].tolist() == [1.0, 0.1, 0.5]
    assert math.isnan(rate.values[3])  # the run ends where this slice begins


def test_a_slice_that_the_run_covers_in_part_has_the_rate_of_that_part() -> None:
    rate = rate_of(Slices(np.linspace(4.0, 9.99, 60), 10.0, (4.0, 10.0)))
    assert rate.values[0] == pytest.approx(10.0)


def test_the_newest_slice_of_a_growing_run_is_left_out() -> None:
    slices = Slices(np.array([5.0, 15.0, 21.0]), 10.0, (0.0, 21.0), is_growing=True)
    assert slices.counts.tolist() == [1, 1]


def test_so_late_come_the_latest_of_the_newest_hits() -> None:
    assert lateness(np.array([0.0, 1.0, 2.5, 1.2, 2.6])) == pytest.approx(1.3)
    assert lateness(np.array([1.0, np.nan, 2.0])) == 0.0
    assert lateness(np.array([])) == 0.0
    assert lateness(np.array([1.0, 1e9, 2.0])) == 60.0


def test_a_median_has_the_error_of_a_median() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(100.0, 2.0, 40_000)
    slices = Slices(np.repeat(np.arange(100.0), 400), 1.0, (0.0, 100.0))
    found = median_of(slices, values, "baseline", "baseline", "ADC")
    pulls = (found.values[:100] - 100.0) / found.errors[:100]
    assert found.errors[0] == pytest.approx(1.2533 * 2.0 / 20.0, rel=0.15)
    assert pulls.std() == pytest.approx(1.0, abs=0.2)
    assert found.spread == pytest.approx(2.0, rel=0.03), "events scatter more than their median"


def test_a_scatter_has_the_error_of_a_scatter() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.0, 3.0, 40_000)
    values[::50] = 1e6  # pulses on a tail do not count
    slices = Slices(np.repeat(np.arange(100.0), 400), 1.0, (0.0, 100.0))
    found = scatter_of(slices, values, "scatter", "ADC")
    assert np.nanmean(found.values) == pytest.approx(3.05, abs=0.06)
    assert (np.nanstd(found.values[:100]) / np.nanmean(found.errors[:100])) == pytest.approx(1.0, abs=0.25)


def test_one_event_of_each_channel_is_no_scatter_of_0() -> None:
    slices = Slices(np.linspace(0.0, 9.9, 100), 1.0, (0.0, 9.9))
    found = scatter_of(slices, np.full(100, 8000.0), "scatter", "ADC")
    assert np.isnan(found.values).all() and np.isnan(found.errors).all()
    assert found.note == "one event of each channel does not tell how it scatters"


def test_few_events_give_no_median_rather_than_a_wild_one() -> None:
    found = median_of(Slices(np.arange(4.0), 10.0, (0.0, 10.0)), np.arange(4.0), "column", "x", "")
    assert not found.is_known.any()
    assert math.isnan(found.spread)
    assert found.note == "too few events in every slice"


def test_widths_can_be_read_off_an_axis() -> None:
    assert suitable_width(3600.0, 10**6) == 60.0
    assert suitable_width(3600.0, 400) == 600.0  # 40 events a slice
    assert next_width(60.0, 1, 3600.0) == 120.0
    assert next_width(60.0, -1, 3600.0) == 30.0
    assert next_width(1800.0, 1, 3600.0) == 1800.0


@pytest.mark.parametrize(("k", "least", "most"), [(3.0, 0.0012, 0.0040), (4.0, 0.0, 0.0004)])
def test_so_many_slices_of_a_steady_run_lie_outside_as_is_said(k: float, least: float, most: float) -> None:
    rng = np.random.default_rng(4)
    steady = [series(rng.normal(10.0, 0.5, 60), 0.5) for _ in range(400)]
    outside = np.mean([is_outside(one, band_of([one], k)) for one in steady])
    assert least <= outside <= most


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10, 51])
def test_the_error_of_a_median_is_how_far_medians_scatter(n: int) -> None:
    medians = np.median(np.random.default_rng(n).normal(5.0, 2.0, (40_000, n)), axis=1)
    assert error_of_median(np.full(n, 2.0)) == pytest.approx(medians.std(), rel=0.04)


def test_the_error_of_no_median_is_unknown() -> None:
    assert math.isnan(error_of_median(np.array([np.nan])))


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1001, 4096])
def test_the_median_is_that_of_numpy(n: int) -> None:
    values = np.random.default_rng(n).normal(8000.0, 3.0, n)
    middle, scatter = median_and_scatter(np.append(values, np.nan))
    assert middle == np.median(values)
    assert scatter == MAD_TO_SIGMA * np.median(np.abs(values - middle))
