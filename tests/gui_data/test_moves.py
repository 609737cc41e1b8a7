"""Tests where values in time are expected, and what is said to have moved."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pygama_gui.data import moves
from pygama_gui.data.moves import band_of, find_move, is_outside
from pygama_gui.data.slices import Series
from pygama_gui.data.trend_words import Clock, move_words


def series(values: np.ndarray, error: float = 1.0, kind: str = "baseline", width: float = 60.0) -> Series:
    n = len(values)
    times = (np.arange(n) + 0.5) * width
    return Series(
        kind, kind, "ADC", times, np.full(n, width / 2), np.asarray(values, float), np.full(n, error)
    )


def test_the_band_is_the_median_and_its_scatter() -> None:
    band = band_of([series(np.array([8.0, 9.0, 10.0, 11.0, 12.0]), 0.1)], 3.0)
    assert band is not None
    assert band.middle == 10.0
    assert band.half == pytest.approx(3 * 1.4826)


def test_the_band_is_never_narrower_than_the_errors() -> None:
    band = band_of([series(np.full(10, 5.0), 0.5)], 4.0)
    assert band is not None
    assert band.half == 2.0


def test_a_value_outside_the_band_is_marked_and_its_own_error_counts() -> None:
    values = series(np.array([10.0, 10.0, 10.0, 10.0, 16.0]), 1.0)
    band = band_of([values], 4.0)
    assert is_outside(values, band).tolist() == [False, False, False, False, True]
    loose = replace(values, errors=np.full(5, 2.0))
    assert not is_outside(loose, band).any()


def test_the_band_of_another_run_fits_one_that_is_steady_as_well() -> None:
    rng = np.random.default_rng(4)
    drawn = rng.normal(10.0, 0.5, (600, 2, 20))
    outside = [is_outside(series(new, 0.5), band_of([series(past, 0.5)], 3.0)) for past, new in drawn]
    assert 0.0012 <= np.mean(outside) <= 0.0060


@pytest.mark.parametrize(
    ("n", "size", "at", "least"), [(20, 3.0, 0.5, 0.65), (60, 2.0, 0.5, 0.9), (60, 3.0, 0.9, 0.8)]
)
def test_steps_are_found_as_often_as_is_said_and_none_where_there_is_none(
    n: int, size: float, at: float, least: float
) -> None:
    rng = np.random.default_rng(5)
    steady = rng.normal(10.0, 0.5, (100, n))
    assert [find_move(series(one, 0.5)) for one in steady] == [None] * 100
    step = np.where(np.arange(n) < at * n, 0.0, 0.5 * size)
    found = [find_move(series(one + step, 0.5)) for one in steady]
    assert np.mean([one is not None for one in found]) >= least
    assert np.median([one.size for one in found if one is not None]) == pytest.approx(0.5 * size, rel=0.25)


def test_a_step_is_found_where_it_is_with_its_size_and_error() -> None:
    values = np.array([10.0, 10.1, 9.9, 10.0, 10.1, 12.0, 12.1, 11.9, 12.0, 12.0])
    move = find_move(series(values, 0.1))
    assert move is not None
    assert not move.is_slope
    assert move.since == 300.0  # the sixth slice begins then
    assert move.size == pytest.approx(1.98, abs=0.005)
    assert move.error == pytest.approx(0.1 * math.sqrt(1 / 5 + 1 / 5), rel=0.4)


def test_a_steady_drift_is_told_as_a_drift() -> None:
    move = find_move(series(100.0 + 0.5 * np.arange(20), 0.1))
    assert move is not None
    assert move.is_slope
    assert move.size == pytest.approx(0.5 * 19)


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_steady_even_if_the_errors_are_too_small(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.array([find_move(series(rng.normal(0.0, 3.0, 50), 1.0)) for _ in range(40)])
    assert sum(value is not None for value in values) <= 1


def test_a_few_wild_slices_are_no_step() -> None:
    values = np.full(30, 8000.0) + np.tile([0.1, -0.1], 15)
    values[20:22] += 50.0
    one = series(values, 0.1)
    assert find_move(one) is None
    assert is_outside(one, band_of([one], 4.0)).sum() == 2


def test_too_few_slices_tell_nothing() -> None:
    few = series(np.array([1.0, 1.0, 9.0, 9.0]), 0.1)
    assert find_move(few) is None
    assert move_words(few, None, Clock()) == "baseline: too few slices to tell"


def test_what_moved_is_found_once_for_a_series_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    find = moves._find
    monkeypatch.setattr(moves, "_find", lambda one: looked_at.append(id(one)) or find(one))
    before = len(moves._KNOWN)
    one = series(np.repeat([10.0, 20.0], 20), 0.1)
    assert find_move(one) is find_move(one)
    assert len(looked_at) == 1
    other = series(np.repeat([10.0, 30.0], 20), 0.1)
    assert find_move(other).size == pytest.approx(20.0)
    del one, other
    assert len(moves._KNOWN) == before
