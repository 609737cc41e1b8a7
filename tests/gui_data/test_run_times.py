"""Tests how long runs were live, against times that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama.analysis.live_time import TimeEstimate
from pygama_gui.data import run_times as module
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.run_times import RunTimes, Spell, added_times, run_times
from pygama_gui.session.codes import code_at

DEAD_S = 2e-3


def recorded(times: np.ndarray) -> np.ndarray:
    """Give which hits a channel records that is blind for `DEAD_S` after each of them."""
    kept, last = np.zeros(len(times), bool), -math.inf
    for row, time in enumerate(times.tolist()):
        if time - last >= DEAD_S:
            kept[row], last = True, time
    return kept


def hits(rate_hz: float, seconds: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, seconds, rng.poisson(rate_hz * seconds)))


def rows_of(*channels: np.ndarray, heights: np.ndarray | None = None) -> dict[str, np.ndarray]:
    times = np.concatenate(channels)
    rng = np.random.default_rng(0)
    return {
        "time_s": times,
        "channel": np.repeat(np.arange(len(channels)), [len(one) for one in channels]),
        "trap_max": rng.exponential(500, len(times)) if heights is None else heights,
    }


def of_channels(rate_hz: float = 100.0, seconds: float = 100.0) -> dict[str, np.ndarray]:
    times = [hits(rate_hz, seconds, seed) for seed in (1, 2)]
    return rows_of(*(one[recorded(one)] for one in times))


def test_time_stamps_tell_the_dead_time_that_was_put_in() -> None:
    found = run_times(of_channels(), "no records")
    rows = of_channels()
    for code in (0, 1):
        n = np.count_nonzero(rows["channel"] == code)
        one = found.of(code)
        assert one.live_s == pytest.approx(one.real_s - n * DEAD_S, abs=4 * one.live_error_s + 0.02)
        assert one.way == "time stamps"
    assert 0.80 < found.of(None).fraction < 0.87
    assert "mean of 2 channels" in found.of(None).note


def test_a_pulser_comes_before_time_stamps_and_takes_the_real_time_of_the_records() -> None:
    chance = hits(100.0, 100.0, 3)
    pulses = np.arange(1, 1000) * 0.1
    times = np.concatenate([chance, pulses])
    heights = np.concatenate([np.random.default_rng(3).exponential(300, len(chance)), np.full(999, 2000.0)])
    order = np.argsort(times)
    kept = order[recorded(times[order])]
    is_pulse = np.arange(len(times)) >= len(chance)
    share = np.count_nonzero(is_pulse[kept]) / 999
    records = TimeEstimate("run records", 101.0, 0.4)
    found = run_times(rows_of(times[kept], heights=heights[kept]), records).of(0)
    assert found.way == "pulser"
    assert found.real_s == 101.0
    assert found.fraction == pytest.approx(share, abs=0.005)


def test_too_few_events_tell_nothing_and_say_so() -> None:
    found = run_times(rows_of(hits(100.0, 100.0, 1), np.array([1.0, 2.0])), "no records")
    assert math.isfinite(found.of(0).live_s)
    assert math.isnan(found.of(1).live_s)
    assert math.isnan(found.of(None).live_s)
    assert "2 hits are too few" in found.of(None).note
    assert found.of(1).note == "2 hits are too few for a fit of intervals; 50 are needed"
    assert found.unknown == [1]


def test_why_a_channel_tells_nothing_is_its_own_reason() -> None:
    told = [
        "pulser: no channel has one",
        "0/0/2: timestamps: its clock is broken",
        "1/2/3: 7 hits have no time",
    ]
    found = module._reasons(told)
    assert found == {2: "its clock is broken", code_at("1/2/3"): "7 hits have no time"}


def test_a_live_time_is_low_beyond_its_error_and_unknown_is_not_low() -> None:
    spells = [Spell(10.0, live, 0.1, "pulser", "") for live in (9.5, 8.0, 8.95, math.nan, 5.0)]
    assert [one.is_low for one in spells] == [False, True, False, False, True]
    assert RunTimes(2, dict(enumerate(spells))).low == [4, 1]


def test_rows_without_times_tell_nothing() -> None:
    found = run_times({"channel": np.zeros(3), "trap_max": np.ones(3)}, "no records")
    assert math.isnan(found.of(None).live_s)
    assert "time_s" in found.of(None).note


def test_a_run_of_very_many_events_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    assert "too many events" in run_times(of_channels(), "no records").of(None).note


def test_the_times_of_runs_add_up_and_one_that_is_not_known_makes_the_sum_unknown() -> None:
    one = RunTimes(10, {0: Spell(10.0, 9.0, 0.3, "pulser", "a")})
    two = RunTimes(20, {0: Spell(20.0, 19.0, 0.4, "time stamps", "b")})
    both = added_times([one, two])
    assert both.n_rows == 30
    assert (both.of(0).real_s, both.of(0).live_s) == (30.0, 28.0)
    assert both.of(0).live_error_s == pytest.approx(0.5)
    assert both.of(0).way == "pulser and time stamps"
    lacking = RunTimes(20, {}, None, ("20 hits are too few",))
    assert math.isnan(added_times([one, lacking]).of(0).live_s)
    assert "too few" in added_times([one, lacking]).of(0).note


def live_run(times: RunTimes | None) -> LiveRun:
    live = LiveRun()
    live.take_columns({"time_s": np.array([0.0, 10.0]), "channel": np.zeros(2)})
    live.times = times
    return live


def test_counts_are_divided_by_the_live_time_where_it_is_known() -> None:
    assert live_run(None).seconds() == 10.0
    assert live_run(RunTimes(2, {0: Spell(10.0, 8.0, 0.1, "pulser", "")})).seconds(0) == 8.0
    assert live_run(RunTimes(2, {}, None, ("no",))).seconds() == 10.0


def test_what_came_since_counts_with_the_same_share() -> None:
    assert live_run(RunTimes(1, {0: Spell(5.0, 4.0, 0.1, "pulser", "")})).seconds() == pytest.approx(8.0)


def test_pulses_that_end_before_the_events_do_count_for_all_of_them() -> None:
    assert live_run(RunTimes(2, {0: Spell(9.0, 9.0, 0.1, "pulser", "")})).seconds() == 10.0
    assert live_run(RunTimes(2, {0: Spell(12.0, 6.0, 0.1, "pulser", "")})).seconds() == 6.0
