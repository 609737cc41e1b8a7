"""Tests what is said of a run in time: slices, errors, bands, and what moved."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pygama.analysis.cuts import Cut
from pygama.analysis.peaks import FWHM_PER_SIGMA
from pygama_gui.data import trends as trends_module
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import joined
from pygama_gui.data.linked import Counter
from pygama_gui.data.trends import (
    THALLIUM,
    Asked,
    Clock,
    Series,
    Slices,
    Trender,
    band_of,
    clock_start,
    find_anchor,
    find_move,
    is_outside,
    median_of,
    move_words,
    next_width,
    rate_of,
    scatter_of,
    sentence,
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


def test_a_median_has_the_error_of_a_median() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(100.0, 2.0, 40_000)
    slices = Slices(np.repeat(np.arange(100.0), 400), 1.0, (0.0, 100.0))
    found = median_of(slices, values, "baseline", "baseline", "ADC")
    pulls = (found.values[:100] - 100.0) / found.errors[:100]
    assert found.errors[0] == pytest.approx(1.2533 * 2.0 / 20.0, rel=0.15)
    assert pulls.std() == pytest.approx(1.0, abs=0.2)


def test_a_scatter_has_the_error_of_a_scatter() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.0, 3.0, 40_000)
    values[::50] = 1e6  # pulses on a tail do not count
    slices = Slices(np.repeat(np.arange(100.0), 400), 1.0, (0.0, 100.0))
    found = scatter_of(slices, values, "scatter", "ADC")
    assert np.nanmean(found.values) == pytest.approx(3.05, abs=0.06)
    assert (np.nanstd(found.values[:100]) / np.nanmean(found.errors[:100])) == pytest.approx(1.0, abs=0.25)


def test_few_events_give_no_median_rather_than_a_wild_one() -> None:
    found = median_of(Slices(np.arange(4.0), 10.0, (0.0, 10.0)), np.arange(4.0), "column", "x", "")
    assert not found.is_known.any()
    assert found.note == "too few events in every slice"


def test_widths_can_be_read_off_an_axis() -> None:
    assert suitable_width(3600.0, 10**6) == 60.0
    assert suitable_width(3600.0, 400) == 600.0  # 40 events a slice
    assert next_width(60.0, 1, 3600.0) == 120.0
    assert next_width(60.0, -1, 3600.0) == 30.0
    assert next_width(1800.0, 1, 3600.0) == 1800.0


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


@pytest.mark.parametrize(("k", "least", "most"), [(3.0, 0.0012, 0.0040), (4.0, 0.0, 0.0004)])
def test_so_many_slices_of_a_steady_run_lie_outside_as_is_said(k: float, least: float, most: float) -> None:
    rng = np.random.default_rng(4)
    steady = [series(rng.normal(10.0, 0.5, 60), 0.5) for _ in range(400)]
    outside = np.mean([is_outside(one, band_of([one], k)) for one in steady])
    assert least <= outside <= most


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


def test_what_lies_between_channels_is_not_scatter() -> None:
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 3, 30_000)
    times = np.sort(rng.uniform(0.0, 100.0, 30_000))
    values = rng.normal(8000.0, 2.0, 30_000) + 500.0 * codes + 40.0 * (times > 50.0)
    trends = Trender().follow("run", {"time_s": times, CODE: codes, "bl_int": values}, None, Asked(width=5.0))
    baseline, noise = trends.of("baseline"), trends.of("noise")
    assert baseline is not None
    assert noise is not None
    assert np.nanmedian(noise.values) == pytest.approx(2.0, rel=0.1)
    move = find_move(baseline)
    assert move is not None
    assert move.since == 50.0
    assert move.size == pytest.approx(40.0, abs=0.5)


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


def test_a_move_is_told_with_its_time_and_significance() -> None:
    values = np.concatenate([np.full(10, 1000.0), np.full(10, 998.9)])
    values[::2] += 0.05
    precise = series(values, 0.1, "position")
    move = find_move(precise)
    assert move_words(precise, move, Clock(None)) == "gain −0.11 % since 600 s (24.6 σ)"
    assert move_words(precise, move, Clock(1537871000.0, 60.0)) == "gain −0.11 % since 10:33 (24.6 σ)"
    assert move_words(precise, None, Clock()) == "gain steady"


def test_how_long_a_slope_took_is_told_without_an_exponent() -> None:
    slope = series(np.linspace(100.0, 109.0, 20), 0.1)
    slope = replace(slope, times=np.linspace(0.0, 112.0, 20))
    move = find_move(slope)
    assert move is not None
    assert move.is_slope
    assert " over 110 s " in move_words(slope, move, Clock())


def test_the_sentence_says_what_moved_first_and_what_is_steady() -> None:
    rng = np.random.default_rng(4)
    times = np.sort(rng.uniform(0.0, 600.0, 60_000))
    height = rng.normal(5000.0, 4.0, 60_000)
    height[times > 300.0] *= 0.999
    rows = {
        "time_s": times,
        CODE: np.full(60_000, 2),
        "bl_int": rng.normal(8000.0, 3.0, 60_000),
        "trap_max": height,
    }
    asked = Asked(channel=2, width=10.0, line=(4950.0, 5040.0), peak_column="trap_max")
    trends = Trender().follow("run", rows, None, asked)
    words = sentence("channel 2", trends, Clock(1537870800.0, 60.0))
    assert words.startswith("channel 2: gain −0.1 % since 10:25 (")
    assert words.endswith("; rate, baseline, noise, FWHM steady")


def test_the_peak_has_position_and_width_with_errors() -> None:
    rng = np.random.default_rng(3)
    rows = {"time_s": rng.uniform(0.0, 100.0, 20_000), "trap_max": rng.normal(700.0, 2.0, 20_000)}
    asked = Asked(width=10.0, line=(680.0, 720.0), peak_column="trap_max")
    trends = Trender().follow("run", rows, None, asked)
    position, width = trends.of("position"), trends.of("width")
    assert position is not None
    assert width is not None
    assert np.abs((position.values - 700.0) / position.errors).max() < 4
    assert position.errors == pytest.approx(2.0 / math.sqrt(2000), rel=0.1)
    assert np.abs(width.values - 2.0 * FWHM_PER_SIGMA).max() < 4 * width.errors.max()


def test_the_thallium_line_is_known_by_its_chain() -> None:
    rng = np.random.default_rng(5)
    lines = [rng.normal(14.7 * kev, 12.0, 400) for kev in (238.632, 583.187, 911.204, 2614.511)]
    values = np.concatenate([*lines, rng.uniform(500.0, 42_000.0, 3000)])
    anchor = find_anchor(values, "trap_max")
    assert anchor is not None
    assert anchor.name == THALLIUM
    assert anchor.low < 14.7 * 2614.511 < anchor.high


def test_a_peak_that_no_chain_explains_has_no_name() -> None:
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.normal(9000.0, 10.0, 2000), rng.uniform(500.0, 12_000.0, 3000)])
    anchor = find_anchor(values, "trap_max")
    assert anchor is not None
    assert anchor.name == ""
    assert anchor.low < 9000.0 < anchor.high


def test_only_rows_of_the_channel_that_pass_the_cuts_are_followed() -> None:
    class Late:
        columns = frozenset({"time_s"})

        def mask(self, columns: dict[str, np.ndarray]) -> np.ndarray:
            return columns["time_s"] >= 50.0

    rows = {"time_s": np.arange(100.0), CODE: np.arange(100) % 2}
    trends = Trender().follow("run", rows, Late(), Asked(channel=1, width=10.0))
    assert trends.n_chosen == 25
    assert trends.series[0].values.tolist()[:9] == [0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("times", [[], [math.nan], [3.0]])
def test_a_run_with_hardly_an_event_is_followed_without_fuss(times: list[float]) -> None:
    trends = Trender().follow("run", {"time_s": np.array(times)}, None, Asked())
    assert sentence("all channels", trends, Clock()) == "all channels: too few events to tell"


def test_a_clock_that_did_not_begin_with_the_run_gives_no_time_of_day() -> None:
    assert clock_start(1537871000, 0.8) == 1537871000.0
    assert clock_start(1537871000, 1e6) is None
    assert clock_start(0, 0.8) is None


@pytest.mark.parametrize("channel", [None, 1])
@pytest.mark.parametrize("has_noise", [True, False])
def test_a_sorted_run_is_followed_to_the_same_numbers_whichever_rows_pass(
    channel: int | None, has_noise: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(6)
    n = 6000
    rows = {
        "time_s": rng.permutation(np.sort(rng.uniform(3.0, 600.0, n))),
        CODE: rng.integers(0, 3, n),
        "bl_int": rng.normal(8000.0, 3.0, n).round(1),
        "trap_max": np.concatenate([rng.normal(2000.0, 5.0, n // 2), rng.uniform(0, 4000, n // 2)]),
        "further": rng.integers(0, 4, n).astype(np.float32),
    }
    rows["bl_int"] += 50.0 * rows[CODE]
    rows["bl_int"][::17], rows["time_s"][::101] = np.nan, np.nan
    if has_noise:
        rows["bl_rms"] = rng.gamma(4.0, 1.0, n)
    asked = Asked(channel=channel, width=10.0, column="further")
    quick, plain = Trender(), Trender()
    first = joined((Cut("a", "trap_max < 3000"),))
    base, counter = quick.follow("run", rows, first, asked), Counter()
    assert quick.ready_for("run", base) is None
    quick.prepare("run", rows, base)
    ready = quick.ready_for("run", base)
    assert ready is not None
    plain.follow("run", rows, first, asked)
    for text in ("trap_max < 3000", "trap_max < 2900 & bl_int > 7990", "further == 2", "time_s > 900"):
        cuts = joined((Cut("a", text),))
        expected = plain.follow("run", rows, cuts, asked)
        with monkeypatch.context() as patch:
            for name in ("median_of", "scatter_of"):
                patch.setattr(trends_module, name, lambda *_args: pytest.fail("values were sorted again"))
            found = quick.follow("run", rows, cuts, asked)
            moved = quick.moved("run", rows, base, quick.choose(counter, "run", rows, cuts, base, ready))
        assert found.anchor == expected.anchor is not None
        assert (found.n_chosen, found.span) == (expected.n_chosen, expected.span)
        for one, other in zip(found.series, expected.series, strict=True):
            assert (one.kind, one.name, one.unit) == (other.kind, other.name, other.unit)
            for what in ("times", "half_widths", "values", "errors"):
                assert np.array_equal(getattr(one, what), getattr(other, what), equal_nan=True), (
                    text,
                    one.kind,
                    what,
                )
        assert (moved.late, moved.n_chosen) == (("position", "width"), expected.n_chosen)
        for one, other in zip(moved.series, expected.series, strict=True):
            if one.kind in moved.late:
                assert one is base.of(one.kind)
                continue
            assert (one.kind, one.name, one.unit) == (other.kind, other.name, other.unit)
            for what in ("times", "half_widths", "values", "errors"):
                assert np.array_equal(getattr(one, what), getattr(other, what), equal_nan=True)


def test_times_are_written_as_fine_as_the_slices() -> None:
    at = 14 * 3600 + 32 * 60 + 7.256
    words = [Clock(0.0, step).words(at) for step in (60.0, 1.0, 0.5, 0.05)]
    assert words == ["14:32", "14:32:07", "14:32:07.2", "14:32:07.25"]
    assert Clock(0.0, 0.01).words(59.999) == "00:00:59.99"
