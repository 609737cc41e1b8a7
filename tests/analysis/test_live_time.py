from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pygama.analysis.live_time import (
    fit_intervals,
    from_marks,
    from_pulser,
    from_run_records,
    from_timestamps,
    live_times,
)
from pygama.analysis.pulser import tag_pulser
from pygama.errors import SettingsError, TierFileError
from pygama.processing.run import process_run
from pygama.processing.tier0 import ProcessTier0
from pygama.simulate import RunShape, read_truth, write_run
from pygama.storage import TierFile

START, HEARTBEAT, STOP = "start", "heartbeat", "stop"
SUBRUN_START, SUBRUN_END = "sub-run start", "sub-run end"


def records(*marks: tuple[str, int]) -> dict[str, np.ndarray]:
    kinds = np.array([kind for kind, _ in marks])
    return {
        "timestamp": np.array([time for _, time in marks]),
        "is_start": (kinds == START).astype(int),
        "is_stop": (kinds == STOP).astype(int),
        "is_heartbeat": (kinds == HEARTBEAT).astype(int),
        "next_heartbeat_s": np.where(kinds == HEARTBEAT, 30, -1),
        "is_subrun_start": np.isin(kinds, (START, SUBRUN_START)).astype(int),
        "is_subrun_end": (kinds == SUBRUN_END).astype(int),
    }


def recorded(times: np.ndarray, dead_s: float) -> np.ndarray:
    """Give the rows that a channel records which is blind for a while after each recorded hit."""
    kept, last = [], -np.inf
    for row, time in enumerate(times.tolist()):
        if time - last >= dead_s:
            kept.append(row)
            last = time
    return np.array(kept)


def random_times(seed: int, rate_hz: float, duration_s: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, duration_s, rng.poisson(rate_hz * duration_s)))


def test_a_run_lasts_from_start_to_stop():
    found = from_marks(records((START, 1000), (HEARTBEAT, 1030), (STOP, 1056)))
    assert found.real_s == 56
    assert found.real_error_s == pytest.approx(np.sqrt(1 / 12 + 1 / 12))
    assert np.isnan(found.live_s)
    assert "no dead time" in found.line()


def test_a_run_that_was_started_twice_is_the_sum_of_both():
    found = from_marks(records((START, 0), (STOP, 10), (START, 100), (STOP, 107)))
    assert found.real_s == 17


def test_what_lies_between_two_sub_runs_is_not_counted():
    marks = (
        (START, 0),
        (HEARTBEAT, 30),
        (SUBRUN_END, 100),
        (HEARTBEAT, 130),
        (SUBRUN_START, 160),
        (STOP, 260),
    )
    found = from_marks(records(*marks))
    assert found.real_s == 200
    assert found.real_error_s == pytest.approx(np.sqrt(4 / 12))
    assert found.note.startswith("from start to stop, 2 times; ")


def test_a_file_may_begin_and_end_with_a_sub_run():
    assert from_marks(records((SUBRUN_START, 50), (SUBRUN_END, 70))).real_s == 20
    assert from_marks(records((SUBRUN_END, 5), (SUBRUN_START, 5), (SUBRUN_END, 70), (STOP, 75))).real_s == 65


def test_a_sub_run_without_its_end_counts_to_its_last_heartbeat():
    marks = ((START, 0), (HEARTBEAT, 30), (SUBRUN_START, 100), (SUBRUN_END, 150), (SUBRUN_START, 160))
    found = from_marks(records(*marks))
    assert found.real_s == 30 + 50
    assert found.real_error_s > 30
    assert "lower limit" in found.note


def test_records_of_other_programs_may_know_no_sub_runs():
    columns = records((START, 0), (STOP, 10))
    del columns["is_subrun_start"], columns["is_subrun_end"]
    assert from_marks(columns).real_s == 10


def test_without_a_stop_the_last_heartbeat_is_a_lower_limit():
    found = from_marks(records((START, 0), (HEARTBEAT, 0), (HEARTBEAT, 30)))
    assert found.real_s == 30
    assert found.real_error_s > 30
    assert "lower limit" in found.note


@pytest.mark.parametrize(
    ("marks", "words"),
    [(((START, 0),), "its end is not known"), ((), "of no start"), (((STOP, 9),), "of no start")],
)
def test_records_that_tell_no_length_are_refused(marks, words):
    with pytest.raises(SettingsError, match=words):
        from_marks(records(*marks))


@pytest.mark.parametrize("rate_hz", [20.0, 200.0, 2000.0])
@pytest.mark.parametrize("tau_s", [1e-5, 1e-3])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_constant_dead_time_is_found(seed, tau_s, rate_hz):
    times = random_times(seed, rate_hz, 40_000 / rate_hz)
    times = times[recorded(times, tau_s)]
    fit = fit_intervals(times)
    assert fit.is_constant
    assert fit.tau_s == pytest.approx(tau_s, abs=5 * fit.tau_error_s)
    assert fit.rate_hz == pytest.approx(rate_hz, abs=5 * fit.rate_error_hz)
    assert not fit.pauses
    truth = times[-1] - times[0] - tau_s * (len(times) - 1)
    found = from_timestamps(times)
    assert found.live_s == pytest.approx(truth, abs=5 * found.live_error_s)
    assert found.live_error_s < 2 / rate_hz


def test_the_live_time_of_time_stamps_has_the_error_of_where_the_run_began_and_ended() -> None:
    rng, rate_hz, run_s = np.random.default_rng(5), 10.0, 60.0
    found = []
    for _ in range(300):
        times = np.cumsum(rng.exponential(1 / rate_hz, 1000))
        found.append(from_timestamps(times[times < run_s]))
    live, errors = (np.array([getattr(one, name) for one in found]) for name in ("live_s", "live_error_s"))
    # An interval lacks before the first hit and one behind the last: 0.1 s, exponential, each.
    assert 0.2 <= run_s - live.mean() < 0.3
    assert live.std() == pytest.approx(np.sqrt(2) * 0.1, rel=0.2)
    assert np.median(errors) == pytest.approx(live.std(), rel=0.2)


def test_errors_of_the_dead_time_are_right():
    taus = []
    for seed in range(60):
        times = random_times(seed, 100.0, 20.0)
        fit = fit_intervals(times[recorded(times, 1e-3)])
        taus.append((fit.tau_s - 1e-3) / fit.tau_error_s)
    assert abs(np.mean(taus)) < 0.5
    assert 0.5 < np.std(taus) < 1.6


def test_dead_time_that_varies_is_noticed_and_live_time_is_right_all_the_same():
    """Long intervals tell the rate, whatever makes the channel blind after a hit."""
    rng = np.random.default_rng(5)
    rate_hz, n = 500.0, 40_000
    dead = rng.choice([2e-4, 2e-3], n)
    times = np.cumsum(dead + rng.exponential(1 / rate_hz, n))
    found = from_timestamps(times)
    assert "sigma from those of a constant dead time" in found.note
    truth = times[-1] - times[0] - dead[1:].sum()
    assert found.live_s == pytest.approx(truth, rel=0.08)


def test_a_pause_is_no_live_time():
    times = random_times(3, 100.0, 100.0)
    times = times[(times < 30) | (times > 70)]
    found = from_timestamps(times)
    assert "1 pause of 40" in found.note
    assert found.real_s == pytest.approx(100, abs=0.2)
    assert found.live_s == pytest.approx(60, abs=5 * found.live_error_s + 0.1)


@pytest.mark.parametrize("seed", range(5))
def test_random_hits_have_no_pauses(seed):
    assert not fit_intervals(random_times(seed, 50.0, 1000.0)).pauses


def test_few_hits_are_refused():
    with pytest.raises(SettingsError, match="20 hits are too few"):
        from_timestamps(np.arange(20))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("tau_s", [2e-4, 2e-3])
def test_pulser_and_timestamps_give_the_live_time_that_was(tau_s, seed):
    rng = np.random.default_rng(seed)
    duration_s, rate_hz, pulser_hz = 400.0, 150.0, 10.0
    hits, pulses = random_times(seed, rate_hz, duration_s), np.arange(1, duration_s * pulser_hz) / pulser_hz
    times = np.concatenate([hits, pulses])
    is_pulse = np.arange(len(times)) >= len(hits)
    order = np.argsort(times)
    order = order[recorded(times[order], tau_s)]
    heights = np.where(is_pulse, 3000.0, 0) + np.where(
        is_pulse, rng.standard_normal(len(times)), rng.exponential(400, len(times))
    )
    columns = {
        "time_s": np.rint(times[order] * 1e8) / 1e8,
        "channel": np.zeros(len(order), int),
        "trap_max": heights[order],
    }
    live_s = duration_s - tau_s * len(order)
    found = live_times(columns)
    by_pulser, by_stamps = found.pulser["0/0/0"], found.timestamps["0/0/0"]
    print(f"truth {live_s:.3f} s\n" + "\n".join(found.lines()))
    assert by_pulser.live_s == pytest.approx(live_s, abs=4 * by_pulser.live_error_s + 0.2)
    assert by_stamps.live_s == pytest.approx(live_s, abs=5 * by_stamps.live_error_s + 0.2)
    assert found.records is None
    assert found.missing[0].startswith("run records: Tier 2 does not say when the run ended")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("run")
    shape = RunShape(n_events=4000, n_samples=1600, pulse_at=600, rate_hz=50.0, seed=9)
    raw = write_run(folder / "Run1", shape)
    return (raw, *process_run(raw, output_dir=folder).outputs)


def test_all_ways_agree_about_a_simulated_run_without_dead_time(made_up):
    raw, t1, t2 = made_up
    with TierFile(t2) as file:
        table = file.table("data")
        columns = {name: table.column(name) for name in table.columns}
    truth = read_truth(raw)
    good = truth["damage"] == 0
    last_s = truth["timestamp"].max() * 1e-8
    found = live_times(columns, tier1=t1)
    assert not found.missing
    assert found.records is not None
    assert found.records.real_s == np.ceil(last_s)
    for index, place in enumerate(("0/8/0", "0/8/1", "0/8/2")):
        stamps = found.timestamps[place]
        mine = good & (truth["channel"] == index) & ~truth["is_pulser"]
        times = truth["timestamp"][mine] * 1e-8
        assert stamps.real_s == pytest.approx(np.ptp(times), abs=1e-7)
        assert stamps.live_s == pytest.approx(stamps.real_s, abs=4 * stamps.live_error_s)
        pulser = found.pulser[place]
        assert pulser.live_s == pytest.approx(np.ceil(last_s), abs=4 * pulser.live_error_s)
    assert len(found.lines()) == 7


def test_tier_2_alone_does_not_tell_the_real_time(made_up):
    with pytest.raises(TierFileError, match="t2_run1.h5 holds no run records"):
        from_run_records(made_up[2])


def test_the_real_run_of_an_hour_lasted_an_hour(real_run, tmp_path):
    t1 = ProcessTier0(real_run("l200-p13-r007-aph-20250101T003931Z.orca"), output_dir=tmp_path)
    assert from_run_records(t1).real_s == 3600


def test_a_train_knows_its_own_span():
    times = np.arange(100.0)
    times = np.delete(times, [10, 50, 51])
    columns = {
        "time_s": times,
        "channel": np.zeros(97, int),
        "trap_max": 500 + np.random.default_rng(0).standard_normal(97),
    }
    found = from_pulser(tag_pulser(columns).trains["0/0/0"])
    assert found.real_s == 99
    assert found.live_s == pytest.approx(99 * 95 / 98)
    assert found.live_error_s == pytest.approx(99 * np.sqrt(0.96 * 0.04 / 101), rel=0.02)
    assert "97 of 100 pulses recorded" in found.note


def test_a_clock_that_starts_anew_gives_no_live_time():
    times = np.sort(np.random.default_rng(1).uniform(0, 100, 2000))
    columns = {
        "time_s": np.concatenate([times, times]),
        "channel": np.zeros(4000, int),
        "trap_max": np.random.default_rng(2).exponential(400, 4000),
    }
    found = live_times(columns)
    assert found.timestamps == {}
    assert any("0/0/0: timestamps: the clock goes back by" in line for line in found.missing)


def test_hits_without_a_time_are_told():
    times = np.sort(np.random.default_rng(1).uniform(0, 100, 2000))
    times[::100] = np.nan
    columns = {"time_s": times, "channel": np.zeros(2000, int), "trap_max": np.full(2000, 100.0)}
    assert (
        "0/0/0: 20 hits have no time, and count as if they were not recorded" in live_times(columns).missing
    )


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (np.zeros(100), "do not come at random"),
        (np.arange(100.0), "do not come at random"),
        (np.append(np.arange(99.0), np.nan), "1 hits have no time"),
    ],
)
def test_hits_that_tell_no_dead_time_are_refused(times, words):
    with pytest.raises(SettingsError, match=words):
        from_timestamps(times)


def test_the_live_time_if_hits_prolong_the_dead_time_is_told():
    tau, seconds = 1e-3, 100.0
    times = random_times(3, 100, seconds)
    live = seconds - np.minimum(np.diff(times, append=seconds + 1), tau).sum()
    found = from_timestamps(times[np.diff(times, prepend=-1) >= tau])
    told = float(found.note.partition("if hits in it prolong it, ")[2].split()[0])
    assert abs(told - live) < 3 * found.live_error_s
    assert found.live_s - live > 5 * found.live_error_s


def test_dead_time_that_the_pulses_make_is_taken_off():
    tau_s, duration_s, pulls = 2e-3, 200.0, []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        pulses = np.arange(1, duration_s * 10) / 10 + rng.uniform(0, 0.1)
        times = np.concatenate([random_times(seed, 300, duration_s), pulses])
        is_pulse = np.arange(len(times)) >= len(times) - len(pulses)
        order = np.argsort(times)
        order = order[recorded(times[order], tau_s)]
        heights = np.where(is_pulse, rng.normal(3000, 1, len(times)), rng.exponential(400, len(times)))
        columns = {"time_s": times[order], "channel": np.zeros(len(order), int), "trap_max": heights[order]}
        found = live_times(columns).pulser["0/0/0"]
        pulls.append((found.live_s - (duration_s - tau_s * len(order))) / found.live_error_s)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(len(pulls))
