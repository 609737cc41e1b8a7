"""Tests the words for what moved of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pygama_gui.data.channels import CODE
from pygama_gui.data.moves import find_move
from pygama_gui.data.slices import Series
from pygama_gui.data.trend_words import Clock, clock_start, gone_words, move_words, sentence
from pygama_gui.data.trends import Asked, Trender, Trends


def series(values: np.ndarray, error: float = 1.0, kind: str = "baseline", width: float = 60.0) -> Series:
    n = len(values)
    times = (np.arange(n) + 0.5) * width
    return Series(
        kind, kind, "ADC", times, np.full(n, width / 2), np.asarray(values, float), np.full(n, error)
    )


def test_a_move_is_told_with_its_time_and_significance() -> None:
    values = np.concatenate([np.full(10, 1000.0), np.full(10, 998.9)])
    values[::2] += 0.05
    precise = series(values, 0.1, "position")
    move = find_move(precise)
    assert move_words(precise, move, Clock(None)) == "gain −0.11 % since 600 s (24.6 σ)"
    assert move_words(precise, move, Clock(1537871000.0, 60.0)) == "gain −0.11 % since 10:33 UTC (24.6 σ)"
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
    assert words.startswith("channel 2: gain −0.1 % since 10:25 UTC (")
    assert words.endswith("; rate, baseline, noise, FWHM steady")


def test_a_peak_that_is_missing_to_the_end_is_not_called_steady() -> None:
    values = np.full(12, 100.0)
    there = replace(series(values, 0.1), kind="position")
    assert gone_words(there, Clock()) == ""
    one_lacks = replace(there, values=np.append(values[:-1], np.nan))
    assert gone_words(one_lacks, Clock()) == "", "one slice may lack it by chance"
    gone = replace(there, values=np.append(values[:-2], [np.nan, np.nan]))
    since = float(gone.times[9] + gone.half_widths[9])
    assert gone_words(gone, Clock()) == f"▲ no peak since {Clock().words(since)}"
    weak = replace(gone, values=np.where(np.arange(12) % 2, np.nan, gone.values))
    assert gone_words(weak, Clock()) == "", "half of the slices had none before"
    assert gone_words(replace(gone, kind="rate"), Clock()) == ""
    told = sentence("channel 1", Trends(Asked(), (gone, replace(there, kind="rate"))), Clock())
    assert told.startswith("channel 1: ▲ no peak since ") and told.endswith("; rate steady")


def test_a_clock_that_did_not_begin_with_the_run_gives_no_time_of_day() -> None:
    assert clock_start(1537871000, 0.8) == 1537871000.0
    assert clock_start(1537871000, 1e6) is None
    assert clock_start(0, 0.8) is None


def test_times_are_written_as_fine_as_the_slices() -> None:
    at = 14 * 3600 + 32 * 60 + 7.256
    words = [Clock(0.0, step).words(at) for step in (60.0, 1.0, 0.5, 0.05)]
    assert words == ["14:32 UTC", "14:32:07 UTC", "14:32:07.2 UTC", "14:32:07.25 UTC"]
    assert Clock(0.0, 0.01).words(59.999) == "00:00:59.99 UTC"
    words = [Clock(None, step).words(12_349.526) for step in (95.0, 9.5, 0.95, 0.02)]
    assert words == ["12\u202f350 s", "12\u202f350 s", "12\u202f349.5 s", "12\u202f349.53 s"]
    assert Clock(None, 9.6).words(9.526) == "10 s"
