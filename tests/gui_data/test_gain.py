"""Tests that a gain that drifts is named, and one that does not is not."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pygama.simulate import RunShape
from pygama.simulate.events import draw_events
from pygama_gui.data.gain import (
    GONE_SHARE,
    N_PARTS,
    PeakInTime,
    Watch,
    find_gone,
    find_newly_gone,
    follow_peak,
    gain_trouble,
    parts_of,
)
from pygama_gui.data.health import Health, Peak, peak_of_channel, with_gain
from pygama_gui.data.trend_words import Clock

FWHM = 2.355
EDGES = np.linspace(2000 - 5 * FWHM, 2000 + 5 * FWHM, 81)
SPAN = (0.0, 1200.0)


def counts_of(seed: int, n: int, by: float = 0.0, *, is_step: bool = False, share: float = 0.7) -> np.ndarray:
    """Make a peak of n events that moves by some of its FWHM, on a flat background."""
    rng, found = np.random.default_rng([seed, n]), []
    for part in range(N_PARTS):
        when = (rng.random(rng.poisson(n / N_PARTS)) + part) / N_PARTS
        at = 2000 + by * FWHM * (when > 0.5 if is_step else when)
        behind = rng.uniform(EDGES[0], EDGES[-1], rng.poisson(share * n / N_PARTS))
        values = np.concatenate([rng.normal(at, 1.0), behind])
        found.append(np.histogram(values, EDGES)[0])
    return np.array(found)


def followed(counts: np.ndarray) -> PeakInTime | None:
    return follow_peak(counts, EDGES, np.full(N_PARTS, 10_000), SPAN)


def trouble(counts: np.ndarray) -> str:
    return gain_trouble(followed(counts), FWHM, "keV", Clock())


def channels_of(seed: int, drift: float) -> list[Peak]:
    """Fit the peaks of the three channels of a made-up run, as heights that its events have."""
    shape = RunShape(seed=seed, n_events=15_000, gain_drift=drift)
    events = draw_events(shape, np.random.default_rng(seed))
    heights = events["amplitude_adc"] + np.random.default_rng(seed + 1).normal(0, 5, len(events))
    times = events["time_s"]
    span = (float(times[0]), float(times[-1]))
    places = [np.flatnonzero(events["place"] == place) for place in range(3)]
    return [peak_of_channel(heights[one], parts_of(times[one], span), span) for one in places]


def test_the_gain_of_a_made_up_run_that_grows_is_said_to_drift_and_by_how_much() -> None:
    for peak in channels_of(3, 0.004):
        found = with_gain(Health("ok"), peak, "ADC", Clock())
        assert found.state == "drifting", peak
        assert found.why.startswith("gain +")
        assert " ADC (+0." in found.why
        assert "over " in found.why
        assert peak.in_time is not None
        move = peak.in_time.move(peak.fwhm)
        assert move is not None
        # From the middle of the first part to that of the last.
        n = peak.in_time.n_parts
        expected = 0.004 * (n - 1) / n
        assert move.size / move.level == pytest.approx(expected, abs=3 * move.error / move.level)


def test_no_gain_of_steady_made_up_runs_is_said_to_drift() -> None:
    for seed in range(10):
        for peak in channels_of(seed, 0.0):
            assert peak.in_time is not None
            assert with_gain(Health("ok"), peak, "ADC", Clock()) == Health("ok"), seed


@pytest.mark.parametrize("n", [150, 600, 5000])
def test_steady_peaks_of_few_and_many_events_are_at_rest(n: int) -> None:
    assert [trouble(counts_of(seed, n)) for seed in range(25)] == [""] * 25


def test_a_step_is_told_with_its_time_and_one_below_a_tenth_of_the_width_is_not() -> None:
    text = trouble(counts_of(1, 20_000, 0.3, is_step=True))
    told = re.fullmatch(r"gain \+([\d.]+) keV \(\+0\.03\d %\) since 600 s \(([\d.]+) σ\)", text)
    assert told is not None, text
    assert float(told[1]) == pytest.approx(0.3 * FWHM, abs=3 * float(told[1]) / float(told[2]))
    small = counts_of(1, 400_000, 0.05, is_step=True)
    found = followed(small)
    assert found is not None
    assert found.move(0.1 * FWHM) is not None  # it is there
    assert trouble(small) == ""


def test_a_peak_that_leaves_its_window_is_told_and_a_source_that_is_weaker_is_not() -> None:
    counts = counts_of(4, 6000, share=0.1)
    background = np.random.default_rng(1).poisson(0.1 * 500 / 80, counts.shape)
    away = counts.copy()
    away[4:9] = background[4:9]
    assert trouble(away).startswith("its peak is found in 7 of 12 parts of the time alone")
    counts[7:] = background[7:]
    told = re.fullmatch(r"its peak is gone since 700 s \((\d+) events, (\d+) expected\): .*", trouble(counts))
    assert told is not None, trouble(counts)
    assert float(told[2]) == pytest.approx(5 * 500, rel=0.1)
    assert float(told[1]) == pytest.approx(5 * 0.1 * 500 / 2, rel=0.2)
    n_events = np.where(np.arange(N_PARTS) < 7, 10_000, 500)
    weaker = follow_peak(counts, EDGES, n_events, SPAN)
    assert gain_trouble(weaker, FWHM, "keV", Clock()) == ""


@pytest.mark.parametrize("is_after", [True, False])
def test_a_jump_is_told_of_a_peak_of_few_events_and_a_flood_of_others_is_none(is_after: bool) -> None:
    n_events = np.full(N_PARTS, 200)
    n_told = 0
    for seed in range(20):
        counts = counts_of(seed, 100, share=0.05)
        counts[6:] = 0
        found = follow_peak(counts if is_after else counts[::-1], EDGES, n_events, SPAN)
        text = gain_trouble(found, FWHM, "keV", Clock())
        n_told += text.startswith(f"its peak is {'gone' if is_after else 'there'} since ")
        flooded = n_events * np.where(np.arange(N_PARTS) < 6, 1, 50)
        steady = follow_peak(counts_of(seed, 100, share=0.05), EDGES, flooded, SPAN)
        assert gain_trouble(steady, FWHM, "keV", Clock()) == "", seed
    assert n_told == 20


@pytest.mark.parametrize("n", [40, 100, 300, 3000])
def test_no_steady_peak_is_said_to_be_gone(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(1000):
        counts = rng.poisson(n / N_PARTS / 60, (N_PARTS, 80))
        assert find_gone(counts, counts.sum(axis=1) + rng.poisson(20, N_PARTS), SPAN) is None


def test_too_few_events_tell_nothing() -> None:
    assert followed(counts_of(1, 20)) is None
    assert gain_trouble(None, FWHM, "keV", Clock()) == ""
    found = followed(counts_of(1, 60))
    assert found is not None
    assert found.n_parts == 0
    assert gain_trouble(found, FWHM, "keV", Clock()) == ""


def heights_of(seed: int, n: int, share: float = 0.1, rate: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Make heights and times of a channel, of which a share is in the peak and the rest far and wide."""
    rng = np.random.default_rng([seed, n])
    is_peak = rng.random(n) < share
    heights = np.where(is_peak, rng.normal(2000.0, 1.0, n), rng.uniform(0.0, 3000.0, n))
    return heights, np.cumsum(rng.exponential(1 / rate, n))


def watch_of(heights: np.ndarray, times: np.ndarray) -> Watch:
    span = (float(times[0]), float(times[-1]))
    in_time = peak_of_channel(heights, parts_of(times, span), span).in_time
    assert in_time is not None
    assert in_time.watch is not None
    return in_time.watch


@pytest.mark.parametrize("n_before", [600, 3000, 20_000])
@pytest.mark.parametrize("by", [0.03, -0.01])
def test_a_gain_that_jumped_just_now_is_told_before_its_peak_is_fitted_again(
    n_before: int, by: float
) -> None:
    heights, times = heights_of(1, n_before + 600)
    watch = watch_of(heights[:n_before], times[:n_before])
    jumped = np.where(np.arange(len(heights)) < n_before, heights, heights * (1 + by))
    told = [find_newly_gone(watch, jumped[:n], times[:n]) for n in range(n_before, n_before + 600, 10)]
    n_until = next(at for at, one in enumerate(told) if one is not None) * 10
    assert n_until <= 400
    gone = told[-1]
    assert gone is not None
    assert gone.is_after
    assert abs(gone.since - times[n_before]) < 0.5 * (times[-1] - times[n_before])
    assert gone.n_found <= GONE_SHARE * gone.n_expected
    text = gain_trouble(PeakInTime(watched().series, watch=watch), FWHM, "keV", Clock(), gone)
    assert text.startswith("its peak is gone since ")
    assert find_newly_gone(watch, heights, times) is None


def watched() -> PeakInTime:
    found = followed(counts_of(1, 60))
    assert found is not None
    return found


def test_no_steady_peak_is_said_to_be_gone_just_now() -> None:
    for seed in range(60):
        n_before = (400, 1000, 5000)[seed % 3]
        heights, times = heights_of(seed, n_before + 3000, 0.15)
        watch = watch_of(heights[:n_before], times[:n_before])
        for n in range(n_before, len(heights), 100):
            assert find_newly_gone(watch, heights[:n], times[:n]) is None, (seed, n)


def test_neither_a_flood_of_noise_nor_a_falling_rate_takes_a_peak_away() -> None:
    heights, times = heights_of(5, 3000)
    watch = watch_of(heights, times)
    rng = np.random.default_rng(5)
    flood = rng.uniform(0.0, 300.0, 20_000)
    late = times[-1] + np.sort(rng.uniform(0.0, 10.0, len(flood)))
    assert find_newly_gone(watch, np.r_[heights, flood], np.r_[times, late]) is None
    slow, slow_times = heights_of(6, 300, rate=0.5)
    assert find_newly_gone(watch, np.r_[heights, slow], np.r_[times, times[-1] + slow_times]) is None


def test_the_newest_events_may_be_none_or_all_at_one_time() -> None:
    watch = Watch(1990.0, 2010.0, 100, 1000, 100.0)
    assert find_newly_gone(watch, np.empty(0), np.empty(0)) is None
    assert find_newly_gone(watch, np.zeros(1000), np.full(1000, 5.0)) is None


def test_a_worse_state_than_drifting_stays_and_a_drifting_baseline_is_told_as_well() -> None:
    peak = Peak(FWHM, in_time=followed(counts_of(1, 20_000, 0.5)))
    assert with_gain(Health("dead", "no event"), peak, "keV", Clock()) == Health("dead", "no event")
    both = with_gain(Health("drifting", "baseline +5"), peak, "keV", Clock())
    assert both.why.startswith("gain +")
    assert both.why.endswith("; baseline +5")


def test_times_are_parted_evenly_and_unknown_ones_are_in_no_part() -> None:
    times = np.array([0.0, 99.9, 100.0, 1199.0, 1200.0, 1201.0, -1.0, np.nan])
    assert parts_of(times, SPAN).tolist() == [0, 0, 1, 11, 11, -1, -1, -1]
    assert parts_of(times, (np.nan, np.nan)).tolist() == [-1] * 8
