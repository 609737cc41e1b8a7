"""Tests the one word for the state of a channel: cases from arrays and from made-up runs."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from pygama.orca.packets import read_header
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.data.channels import CODE, codes_of
from pygama_gui.data.health import (
    LOUDER,
    PILE,
    Figures,
    _by_channel,
    _counts_in,
    _places_of,
    at_end_of_range,
    count_saturated,
    enabled_channels,
    judge,
    louder,
    moved,
    peak_of_channel,
    survey,
)
from pygama_gui.data.outputs import read_columns


def states(*counts: int) -> list[str]:
    return [one.state for one in judge([Figures(code, n) for code, n in enumerate(counts)])]


def test_a_channel_without_events_is_dead_where_the_others_have_enough() -> None:
    assert states(0, 500, 480) == ["dead", "ok", "ok"]
    assert states(0, 500) == ["dead", "ok"]
    assert states(0, 7, 9) == ["ok", "ok", "ok"]
    assert states(0, 0) == ["ok", "ok"]


def test_a_channel_with_far_fewer_events_than_the_others_is_quiet() -> None:
    assert states(49, 500, 520) == ["quiet", "ok", "ok"]
    assert states(60, 500, 520) == ["ok", "ok", "ok"]


def test_a_channel_that_is_only_slower_is_quiet_and_no_alarm() -> None:
    figures = [Figures(0, 500), Figures(1, 520), Figures(2, 40, newest=1, expected=30.0)]
    assert judge(figures)[2].words == "▽ quiet"
    assert judge(figures)[2].tone == "warn"
    silent = Figures(2, 40, newest=0, expected=30.0)
    assert judge([*figures[:2], silent])[2].words == "✕ silent"


def test_a_channel_with_far_more_events_than_the_others_is_noisy() -> None:
    assert states(5100, 500, 500, 0) == ["noisy", "ok", "ok", "dead"]
    assert states(5100, 500) == ["ok", "ok"]  # nobody can say which of the two is wrong


def test_the_only_channel_that_has_events_is_not_called_noisy_for_that() -> None:
    assert states(5100, 0, 0) == ["ok", "dead", "dead"]
    assert states(5100, 0, 500, 0) == ["ok", "dead", "ok", "dead"]


def test_a_channel_with_far_more_noise_is_noisy_and_says_how_much() -> None:
    figures = [Figures(code, 100, noise=6.0) for code in range(3)] + [Figures(3, 100, noise=30.0)]
    found = judge(figures)
    assert [one.state for one in found] == ["ok", "ok", "ok", "noisy"]
    assert found[3].why == "noise 5.0 times that of the typical channel"
    assert found[3].words == "▲ noisy"


def test_a_baseline_that_moved_is_a_drift_and_no_noise() -> None:
    calm = [Figures(code, 500, baseline_rms=1.5, moved_scatter=1.5) for code in range(3)]
    stepped = Figures(3, 500, baseline_rms=12.0, moved=24.0, moved_error=0.1, moved_scatter=1.6)
    loud = Figures(4, 500, baseline_rms=12.0, moved=0.1, moved_error=0.5, moved_scatter=11.0)
    assert [one.state for one in judge([*calm, stepped, loud])] == ["ok", "ok", "ok", "drifting", "noisy"]


def test_a_channel_that_gives_nothing_any_more_is_silent_which_is_an_alarm() -> None:
    codes = np.concatenate([np.arange(6000) % 4, np.arange(3000) % 3])
    found = survey({CODE: codes}, None, [0, 1, 2, 3], "trap_max")
    assert [one.state for one in found.health] == ["ok", "ok", "ok", "silent"]
    assert (found.health[3].words, found.health[3].tone) == ("✕ silent", "bad")
    assert found.health[3].why == "none of the newest events, where 429 were expected"


@pytest.mark.parametrize("n_after", [3000, 19_500, 21_900, 25_000, 60_000])
def test_a_silent_channel_stays_silent_however_much_the_others_give(n_after: int) -> None:
    rng = np.random.default_rng(8)
    codes = np.concatenate([rng.integers(0, 4, 20_000), rng.integers(0, 3, n_after)])
    times = 0.01 * np.arange(len(codes))
    for rows in ({CODE: codes}, {CODE: codes, "time_s": times}):
        states = [one.state for one in survey(rows, None, [0, 1, 2, 3], "trap_max").health]
        assert states == ["ok", "ok", "ok", "silent"]


def test_a_channel_that_comes_in_bursts_is_not_silent_between_them() -> None:
    burst, others = np.full(50, 3), np.random.default_rng(9).integers(0, 3, 30_000)
    codes = np.concatenate([burst, others, burst, others, burst, others])
    states = [one.state for one in survey({CODE: codes}, None, [0, 1, 2, 3], "trap_max").health]
    assert states[3] != "silent"


def four_channels(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Give rows of four channels that have events by chance, a quarter of a second apart on the average."""
    times = np.cumsum(rng.exponential(0.0625, n))
    return {CODE: rng.integers(0, 4, n), "time_s": times, "bl_slope": rng.normal(0.0, 1e-3, n)}


def test_a_channel_that_fell_silent_is_told_within_seconds() -> None:
    rows = four_channels(6000, np.random.default_rng(4))
    silent_at = rows["time_s"][-1] - 10.0
    keep = (rows[CODE] != 2) | (rows["time_s"] < silent_at)
    found = survey({name: values[keep] for name, values in rows.items()}, None, [0, 1, 2, 3], "trap_max")
    assert [one.state for one in found.health] == ["ok", "ok", "silent", "ok"]
    assert re.fullmatch(r"none of the newest events, where [34]\d were expected", found.health[2].why)


def test_a_burst_of_one_channel_makes_no_other_silent() -> None:
    rows = four_channels(6000, np.random.default_rng(5))
    burst = {CODE: np.ones(300, int), "time_s": rows["time_s"][-1] + np.linspace(0.0, 0.5, 300)}
    rows = {name: np.concatenate([rows[name], burst[name]]) for name in burst}
    assert {one.state for one in survey(rows, None, [0, 1, 2, 3], "trap_max").health} == {"ok"}


def test_a_channel_whose_noise_rose_is_noisy_within_seconds_and_stays_so() -> None:
    rows = four_channels(12_000, np.random.default_rng(6))
    for seconds in (20.0, 500.0):
        is_loud = (rows[CODE] == 1) & (rows["time_s"] > rows["time_s"][-1] - seconds)
        loud = rows | {"bl_slope": np.where(is_loud, 5.0, 1.0) * rows["bl_slope"]}
        found = survey(loud, None, [0, 1, 2, 3], "trap_max").health
        assert [one.state for one in found] == ["ok", "noisy", "ok", "ok"]
        assert re.fullmatch(r"noise [4-7]\.\d times what it was earlier in the run", found[1].why)


def test_the_noise_itself_is_compared_where_a_column_tells_it() -> None:
    rows = four_channels(6000, np.random.default_rng(7))
    noise = np.where((rows[CODE] == 3) & (rows["time_s"] > rows["time_s"][-1] - 30.0), 12.0, 4.0)
    found = survey(rows | {"bl_rms": noise}, None, [0, 1, 2, 3], "trap_max").health
    assert found[3].why == "noise 3.0 times what it was earlier in the run"


def test_waveforms_tell_that_a_channel_grew_loud_where_its_columns_do_not() -> None:
    rows = four_channels(2000, np.random.default_rng(7))
    found = survey(rows, None, [0, 1, 2, 3], "trap_max", {2: 4.6, 3: 1.1}).health
    assert [one.state for one in found] == ["ok", "ok", "noisy", "ok"]
    assert found[2].why == "noise 4.6 times what it was earlier in the run"


def test_noise_that_stays_as_it_is_is_not_called_louder_by_chance() -> None:
    rng = np.random.default_rng(8)
    assert max(louder(rng.normal(0.0, 1.0, 2080), 1) for _ in range(2000)) < LOUDER
    assert math.isnan(louder(rng.normal(0.0, 1.0, 279), 1))


def test_channels_that_are_read_out_by_turns_are_not_silent_meanwhile() -> None:
    turn = np.repeat([0, 1, 2], 2500)
    for n in range(8000, 22_500, 700):
        found = survey({CODE: np.tile(turn, 3)[:n]}, None, [0, 1, 2], "trap_max")
        assert [one.state for one in found.health] == ["ok", "ok", "ok"], n
    silent = np.concatenate([np.tile(turn, 2), np.repeat([0, 1] * 4, 2500)])
    assert survey({CODE: silent}, None, [0, 1, 2], "trap_max").health[2].state == "silent"


def test_events_at_the_end_of_the_range_are_counted_by_the_chain_s_column() -> None:
    flags = {"is_saturated": np.array([1, 0, 0, 1]), "n_sat_low": np.array([0, 0, 3, 0])}
    assert count_saturated(flags, np.arange(4.0)) == 3


def test_without_such_a_column_events_that_pile_up_at_the_top_are_counted() -> None:
    rng = np.random.default_rng(1)
    falling = rng.exponential(5000.0, 5000)
    assert count_saturated({}, falling) == 0
    assert count_saturated({}, np.minimum(falling, 15_000.0)) == int((falling >= 14_985.0).sum())


def test_events_at_the_end_of_the_range_are_those_at_the_top_of_their_channel() -> None:
    heights = np.random.default_rng(3).exponential(5000.0, 6000)
    codes = np.arange(6000) % 2
    tops = np.where(codes, 15_000.0, 12_000.0)
    rows = {"trap_max": np.minimum(heights, tops), CODE: codes}
    at_end = at_end_of_range(rows, "trap_max")
    assert at_end.sum() > 200
    assert np.array_equal(at_end, rows["trap_max"] >= (1 - PILE) * tops)
    flagged = at_end_of_range(rows | {"is_saturated": (heights > 20_000.0)}, "trap_max")
    assert np.array_equal(flagged, heights > 20_000.0)


def test_a_line_at_the_top_of_few_events_is_no_pile() -> None:
    rng = np.random.default_rng(2)
    piled = [count_saturated({}, rng.normal(11_500.0, 12.0, 12)) for _ in range(2000)]
    assert np.mean(np.array(piled) > 0) < 0.02


def test_a_channel_is_saturated_from_two_parts_in_a_hundred() -> None:
    found = judge(
        [Figures(0, 1000, saturated=19), Figures(1, 1000, saturated=20), Figures(2, 10, saturated=4)]
    )
    assert [one.state for one in found] == ["ok", "saturated", "quiet"]
    assert found[1].why == "2 % of the events at the end of the range"


def test_a_baseline_that_left_its_place_drifts() -> None:
    rng = np.random.default_rng(2)
    times = np.linspace(0.0, 90.0, 3000)
    values = rng.normal(8000.0, 1.0, 3000) + 12.0 * times / 90.0
    size, error, scatter = moved(times, values, (30.0, 60.0))
    assert size == pytest.approx(8.0, abs=0.2)  # from the middle of one third to that of the other
    assert error == pytest.approx(1.2533 * math.hypot(1.5, 1.5) / math.sqrt(1000), rel=0.2)
    (found,) = judge([Figures(0, 3000, moved=size, moved_error=error, moved_scatter=scatter / 2)])
    assert found.state == "drifting"
    assert found.why.startswith("baseline +8")


def test_a_steady_baseline_does_not_drift() -> None:
    rng = np.random.default_rng(3)
    figures = []
    for code in range(50):
        moves = moved(np.linspace(0, 90, 3000), rng.normal(8000.0, 3.0, 3000), (30.0, 60.0))
        figures.append(Figures(code, 3000, 1.0, 0.1, 8000.0, 3.0, math.nan, 0, *moves))
    assert {one.state for one in judge(figures)} == {"ok"}


def test_what_is_worst_is_told() -> None:
    figures = [Figures(code, 500) for code in range(3)]
    both = Figures(3, 9000, saturated=4000, moved=100.0, moved_error=1.0, moved_scatter=1.0)
    assert judge([*figures, both])[3].state == "saturated"


def test_figures_are_those_of_the_rows_of_the_channel() -> None:
    rows = {
        CODE: np.array([7, 5, 7, 7, 5, 9]),
        "time_s": np.array([0.0, 1.0, 2.0, 3.0, 4.0, 2.0]),
        "bl_int": np.array([10.0, 99.0, 12.0, 14.0, 99.0, 0.0]),
        "trap_max": np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    }
    found = survey(rows, None, [5, 7, 8], "trap_max")
    assert [one.n_events for one in found.figures] == [2, 3, 0]
    assert found.duration == 4.0
    assert [one.rate for one in found.figures] == [0.5, 0.75, 0.0]
    assert found.figures[1].baseline == 12.0
    assert found.figures[1].baseline_rms == pytest.approx(2 * 1.4826)
    assert [int(one.counts.sum()) for one in found.figures] == [2, 3, 0]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """A run with one in five events over the range, and a baseline that wanders."""
    folder = tmp_path_factory.mktemp("health")
    shape = RunShape(
        n_events=3000, n_samples=1200, pulse_at=500, channels=(0, 1, 2, 3), overflow=0.2, rate_hz=10
    )
    raw = write_run(folder / "Run1", shape)
    process_run(raw, output_dir=folder)
    columns = next(read_columns(folder / "t2_run1.h5"))
    return raw, {**columns, CODE: codes_of(columns)}  # type: ignore[dict-item]


def test_a_made_up_run_with_pulses_over_the_range_is_saturated(
    made_up: tuple[Path, dict[str, np.ndarray]],
) -> None:
    raw, rows = made_up
    found = survey(rows, None, enabled_channels(read_header(raw).plist), "trap_max")
    assert len(found.figures) == 4
    assert {one.state for one in found.health} == {"saturated"}


def test_a_made_up_run_whose_baseline_wanders_drifts(made_up: tuple[Path, dict[str, np.ndarray]]) -> None:
    _, rows = made_up
    rows = {**rows, "is_saturated": np.zeros(len(rows[CODE]))}
    found = survey(rows, None, np.unique(rows[CODE]).tolist(), "trap_max")
    assert "drifting" in {one.state for one in found.health}
    assert {one.state for one in found.health} <= {"drifting", "ok"}


def test_a_channel_that_is_switched_on_and_silent_is_dead(
    made_up: tuple[Path, dict[str, np.ndarray]],
) -> None:
    raw, rows = made_up
    codes = enabled_channels(read_header(raw).plist)
    silent = {name: values[rows[CODE] != codes[2]] for name, values in rows.items()}
    found = survey(silent, None, codes, "trap_max")
    assert found.health[2].state == "dead"
    assert found.health[2].words == "✕ dead"


def test_the_peak_of_a_channel_has_its_width_and_error() -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(9000.0, 10.0, 2000), rng.uniform(500.0, 12_000.0, 3000)])
    peak = peak_of_channel(values)
    assert abs(peak.fwhm - 23.55) < 4 * peak.fwhm_error
    assert math.isnan(peak_of_channel(values[:0]).fwhm)


@pytest.mark.parametrize("codes", [[3, 4, 9], [9, 3, 4], [70_000, 3, 5_000_000], [0]])
def test_rows_are_put_together_by_channel_in_their_order(codes: list[int]) -> None:
    rows = np.random.default_rng(3).choice([-1, 2, 6, 12, *codes], 500)
    order, ends = _by_channel(_places_of(rows, np.array(codes)), len(codes))
    parts = np.split(order, ends[:-1])
    for code, part in zip(codes, parts, strict=True):
        np.testing.assert_array_equal(part, np.flatnonzero(rows == code))
    assert (_by_channel(np.empty(0, np.int16), len(codes))[1] == 0).all()


def test_small_spectra_are_counted_in_the_bins_that_are_told() -> None:
    edges = np.linspace(0.0, 12_345.6, 129)
    heights = np.concatenate([edges, np.random.default_rng(4).uniform(-100.0, 13_000.0, 5000), [np.nan]])
    expected = np.histogram(heights[heights < edges[-1]], edges)[0]
    np.testing.assert_array_equal(_counts_in(heights, edges), expected)


def test_rows_without_a_time_behind_the_last_of_a_channel_are_no_trouble() -> None:
    codes = np.concatenate([np.arange(6000) % 4, np.arange(30_000) % 3])
    times = 0.01 * np.arange(len(codes))
    times[6000:] = np.nan
    found = survey({CODE: codes, "time_s": times}, None, [0, 1, 2, 3], "trap_max").health
    assert found[3].state == "silent"
