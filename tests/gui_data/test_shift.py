"""Tests what a shifter notes down: rates now and before, levels beside their bands, and the report."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pygama_gui.data.headers import differences
from pygama_gui.data.shift import Check, level_of, rates, report
from pygama_gui.data.slices import Series


def series(values: list[float], error: float = 0.1) -> Series:
    n = len(values)
    times = 10.0 * np.arange(n) + 5.0
    return Series("position", "peak", "ADC", times, np.full(n, 5.0), np.array(values), np.full(n, error))


def test_the_rate_now_is_that_of_the_last_seconds_beside_the_time_before() -> None:
    times = np.concatenate([np.arange(0.0, 380.0, 0.1), np.arange(380.0, 400.01, 0.05)])
    found = rates(times)  # the last twentieth: 20 s
    assert found.now == pytest.approx(20.0, rel=0.01)
    assert found.mean == pytest.approx(10.0, rel=0.01)
    assert found.now_error == pytest.approx(math.sqrt(400) / 20, rel=0.01)
    assert found.sigma > 5


def test_hits_that_come_late_do_not_lower_the_rate_now() -> None:
    rng = np.random.default_rng(5)
    turns = [rng.uniform(at, at + 2.0, 67) for at in range(0, 300, 2) for _ in range(3)]  # of three channels
    times = np.concatenate([np.sort(one) for one in turns])
    found = [rates(times[:n]).sigma for n in range(10_000, len(times), 83)]
    assert abs(np.mean(found)) < 0.5
    assert np.abs(found).max() < 4.0


def test_a_run_that_stands_still_has_a_rate_of_0_now() -> None:
    found = rates(np.arange(0.0, 400.0, 0.1))
    still = found.silent_for(20.0)
    assert (still.now, still.now_error, still.mean) == (0.0, 0.05, found.mean)
    assert still.sigma < -5
    assert found.silent_for(2.0) is found, "20 events are missing, which may be chance"
    assert math.isnan(rates(np.array([1.0])).silent_for(20.0).now)


def test_a_clock_that_began_anew_leaves_a_rate() -> None:
    times = np.concatenate([np.arange(0.0, 100.0, 0.01), np.arange(0.0, 5.0, 0.01)])
    assert rates(times).now == pytest.approx(100.0, rel=0.2)


def test_the_mean_is_that_of_the_last_hour() -> None:
    times = np.concatenate([np.arange(0.0, 3600.0, 1.0), np.arange(3600.0, 7300.0, 0.1)])
    assert rates(times).mean == pytest.approx(10.0, rel=0.001)


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 2.0], [math.nan, 3.0]])
def test_a_run_that_just_began_has_no_rate_now(times: list[float]) -> None:
    assert math.isnan(rates(np.array(times)).now)


def test_a_level_beside_the_band_of_an_earlier_run() -> None:
    past = [series([100.0, 100.2, 99.8, 100.1, 99.9])]
    inside, outside = series([100.1] * 8), series([103.0] * 8)
    level = level_of(inside, past, 4.0, "Run 7")
    assert level is not None
    assert level.is_ok
    assert level.is_followed
    assert level.error == pytest.approx(0.1 * 0.41, rel=0.02)  # medians of 8 normal values
    level = level_of(outside, past, 4.0, "Run 7")
    assert level is not None
    assert not level.is_ok
    assert level.band is not None
    assert level.band.source == "Run 7"


def test_a_level_that_moved_is_not_well_even_inside_its_own_band() -> None:
    level = level_of(series([100.0] * 9 + [102.0] * 9), [], 4.0, "", "these runs")
    assert level is not None and level.band is not None
    assert level.band.source == "these runs"
    assert level.moved == pytest.approx(2.0)
    assert not level.is_ok


def test_a_level_that_moved_by_less_than_events_scatter_needs_no_look() -> None:
    moved = series([100.0] * 9 + [102.0] * 9)
    for spread, is_slight in ((2.5, True), (1.5, False)):
        level = level_of(replace(moved, spread=spread), [], 4.0, "")
        assert level is not None
        assert level.moved == pytest.approx(2.0)
        assert (level.is_slight, level.is_ok) == (is_slight, is_slight)
    far = level_of(replace(moved, spread=2.5), [series([90.0, 90.1, 89.9, 90.0])], 4.0, "Run 7")
    assert far is not None
    assert far.is_slight
    assert not far.is_ok, "it lies outside of the band"


def test_a_peak_that_is_there_no_more_is_not_well() -> None:
    level = level_of(series([100.0] * 8 + [math.nan] * 2), [], 4.0, "")
    assert level is not None
    assert level.is_gone and not level.is_ok


def test_one_slice_is_not_called_steady() -> None:
    level = level_of(series([100.0]), [], 4.0, "")
    assert level is not None
    assert not level.is_followed


def test_the_report_has_values_what_is_allowed_channels_and_the_header() -> None:
    before = {"ObjectInfo": {"Crates": [{"CrateNumber": 0, "Cards": [_card(120)]}]}}
    after = {"ObjectInfo": {"Crates": [{"CrateNumber": 0, "Cards": [_card(180)]}]}}
    checks = [Check("rate", "66 ± 2 Hz", "66.0 ± 0.5 Hz", True), Check("errors", "3", "0", False)]
    channels = [("channel 2", "▽ quiet", "0.2 Hz", "8000.0 ± 1.0", "a | b")]
    text = report("Run 7 · Run7", checks, channels, "Run 6", differences(before, after))
    lines = text.splitlines()
    assert lines[0] == "# Run 7 · Run7"
    assert "| rate | 66 ± 2 Hz | 66.0 ± 0.5 Hz | ✓ ok |" in lines
    assert "| errors | 3 | 0 | ▲ look |" in lines
    assert "| channel 2 | ▽ quiet | 0.2 Hz | 8000.0 ± 1.0 | a \\| b |" in lines
    assert "- crate 0 · ORSIS3302Model card 8 · thresholds ch 0: 120 → 180" in lines


def _card(threshold: int) -> dict[str, object]:
    return {"Card": 8, "Class Name": "ORSIS3302Model", "thresholds": [threshold, 64]}


@pytest.mark.parametrize(
    ("against", "found", "words"),
    [
        ("", None, "There is no earlier run"),
        ("Run 6", None, "could not be compared with that of Run 6"),
        ("Run 6", [], "As in Run 6."),
    ],
)
def test_the_report_says_why_there_is_nothing_of_the_header(
    against: str, found: list[object] | None, words: str
) -> None:
    assert words in report("Run 7", [], [], against, found)  # type: ignore[arg-type]
