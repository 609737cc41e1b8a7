from __future__ import annotations

import numpy as np
import pytest

from pygama.analysis.pulser import PulserTag, tag_pulser
from pygama.errors import SettingsError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, read_truth, write_run
from pygama.simulate.spectrum import Resolution, draw_energies
from pygama.storage import TierFile

TICK_S = 1e-8


def made_up(
    seed: int,
    *,
    rate_hz: float = 100.0,
    period_s: float = 1.0,
    duration_s: float = 600.0,
    drift: float = 0.0,
    jitter_s: float = 0.0,
    missing: float = 0.0,
    dead_s: float = 0.0,
    gap_s: tuple[float, float] | None = None,
    height: float = 3000.0,
    sigma: float = 2.0,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Make hits of one channel: random ones, falling in height, and pulses. Gives columns and is_pulser.

    drift: relative change of the period in the course of the run. dead_s: after each recorded hit.
    """
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate_hz * duration_s)
    number = np.arange(1, int(duration_s / period_s))
    pulses = number * period_s * (1 + drift * number * period_s / duration_s)
    pulses = (pulses + jitter_s * rng.standard_normal(len(number)))[rng.random(len(number)) >= missing]
    time_s = np.concatenate([rng.uniform(0, duration_s, n), pulses])
    heights = np.concatenate(
        [40 + rng.exponential(400, n), height + sigma * rng.standard_normal(len(pulses))]
    )
    is_pulser = np.arange(len(time_s)) >= n
    order = np.argsort(time_s)
    if gap_s is not None:
        order = order[(time_s[order] < gap_s[0]) | (time_s[order] > gap_s[1])]
    if dead_s:
        order = order[alive(time_s[order], dead_s)]
    time_s = np.rint(time_s[order] / TICK_S) * TICK_S
    columns = {"time_s": time_s, "channel": np.zeros(len(time_s), int), "trap_max": heights[order]}
    return columns, is_pulser[order]


def alive(times: np.ndarray, dead_s: float) -> list[int]:
    """Give the hits that are recorded where each of them makes the channel blind for a while."""
    kept, last = [], -np.inf
    for row, time in enumerate(times.tolist()):
        if time - last >= dead_s:
            kept.append(row)
            last = time
    return kept


def efficiency_and_false(tag: PulserTag, is_pulser: np.ndarray) -> tuple[float, float]:
    """Give the part of the pulses that is tagged, and the part of the other hits that is."""
    return tag.is_pulser[is_pulser].mean(), tag.is_pulser[~is_pulser].mean()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("rate_hz", "pulser_hz", "n_events", "pile_up"),
    [(50.0, 1.0, 3000, 0.02), (400.0, 5.0, 6000, 0.2), (5.0, 2.0, 1500, 0.5)],
)
def test_the_pulser_of_a_simulated_run_is_tagged(
    seed, rate_hz, pulser_hz, n_events, pile_up, tmp_path, record_property
):
    shape = RunShape(
        seed=seed,
        n_events=n_events,
        rate_hz=rate_hz,
        pulser_hz=pulser_hz,
        pile_up=pile_up,
        n_samples=1600,
        pulse_at=600,
    )
    raw = write_run(tmp_path / "Run1", shape)
    t2 = process_run(raw, output_dir=tmp_path, tiers=(2,)).outputs[-1]
    with TierFile(t2) as file:
        table = file.table("data")
        columns = {name: table.column(name) for name in table.columns}
    truth = read_truth(raw)
    is_pulser = truth["is_pulser"][np.searchsorted(truth["packet"], columns["event_number"])]
    assert is_pulser.sum() > 50
    tag = tag_pulser(columns)
    efficiency, false = efficiency_and_false(tag, is_pulser)
    print(f"seed {seed}, {rate_hz} Hz, pulser {pulser_hz} Hz: {efficiency:.5f} tagged, {false:.2g} false")
    assert efficiency > 0.999
    assert false < 1e-4
    assert len(tag.trains) == len(shape.places)
    for train in tag.trains.values():
        assert train.period_s == pytest.approx(1 / pulser_hz, abs=5 * train.period_error_s)


HARD = {
    "as it should be": {},
    "the clocks drift apart": {"drift": 1e-5},
    "half of the pulses are missing": {"missing": 0.5},
    "four of five pulses are missing": {"missing": 0.8},
    "dead time": {"dead_s": 2e-3},
    "a gap": {"gap_s": (100.0, 250.0)},
    "a gap and drift": {"gap_s": (100.0, 250.0), "drift": 1e-5},
    "jitter": {"jitter_s": 1e-5},
    "among other hits, wide": {"height": 200.0, "sigma": 5.0, "jitter_s": 1e-6, "rate_hz": 500.0},
    "slow": {"period_s": 30.0},
    "fast and drifting": {"period_s": 0.1, "drift": 1e-4},
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("case", HARD)
def test_a_pulser_that_is_not_so_plain_is_tagged(case, seed):
    columns, is_pulser = made_up(seed, **HARD[case])
    tag = tag_pulser(columns)
    efficiency, false = efficiency_and_false(tag, is_pulser)
    print(f"{case}, seed {seed}: {efficiency:.5f} tagged, {false:.2g} false")
    assert efficiency > 0.99
    assert false < 1e-4


@pytest.mark.parametrize("gain_drift", [0.02, 0.05, 0.1])
def test_a_pulser_whose_height_drifts_is_found_among_lines_that_drift_as_well(gain_drift):
    columns, is_pulser = made_up(3, rate_hz=30, duration_s=400)
    rng = np.random.default_rng(3)
    energies = Resolution().smear(rng, draw_energies(rng, len(is_pulser))[0])
    energies[is_pulser] = 3000.0
    columns["trap_max"] = energies * (1 + gain_drift * columns["time_s"] / 400)
    assert np.array_equal(tag_pulser(columns).is_pulser, is_pulser)


def test_rows_may_come_in_any_order():
    columns, is_pulser = made_up(1)
    order = np.random.default_rng(0).permutation(len(is_pulser))
    shuffled = {name: values[order] for name, values in columns.items()}
    assert np.array_equal(tag_pulser(shuffled).is_pulser, is_pulser[order])


def test_channels_have_heights_of_their_own_and_one_may_be_without():
    parts = [made_up(1, height=3000.0)[0], made_up(2, height=900.0)[0], made_up(3, period_s=1e9)[0]]
    columns = {
        name: np.concatenate([part[name] for part in parts]) for name in ("time_s", "channel", "trap_max")
    }
    columns["channel"] = np.repeat([0, 1, 5], [len(part["time_s"]) for part in parts])
    tag = tag_pulser(columns)
    assert list(tag.trains) == ["0/0/0", "0/0/1"]
    assert tag.trains["0/0/1"].amplitude == pytest.approx(900, abs=1)
    assert list(tag.without) == ["0/0/5"]


def test_missing_pulses_are_counted():
    columns, is_pulser = made_up(4, missing=0.3)
    train = tag_pulser(columns).trains["0/0/0"]
    numbers = np.rint(columns["time_s"][is_pulser])
    assert train.n_recorded == len(numbers)
    assert train.n_expected == numbers[-1] - numbers[0] + 1
    part, error = train.recorded_fraction
    assert part == pytest.approx(0.7, abs=4 * error)
    assert error == pytest.approx(np.sqrt(0.7 * 0.3 / 600), rel=0.1)


def test_pulse_numbers_count_periods():
    columns, is_pulser = made_up(4, missing=0.3)
    numbers = np.rint(columns["time_s"][is_pulser])
    assert np.array_equal(tag_pulser(columns).pulse[is_pulser], numbers - numbers[0])


def test_a_pulse_has_one_number_in_all_channels():
    """The second channel misses the first pulses."""
    columns, is_pulser = made_up(4, missing=0.3)
    later = columns["time_s"] > 20
    both = {name: np.concatenate([values, values[later]]) for name, values in columns.items()}
    both["channel"][len(later) :] = 1
    pulse = tag_pulser(both).pulse
    assert np.array_equal(pulse[len(later) :], pulse[: len(later)][later])
    assert (pulse[: len(later)][is_pulser] >= 0).all()


def test_the_error_of_the_period_is_right():
    trains = [tag_pulser(made_up(seed, rate_hz=20.0, jitter_s=1e-6)[0]).trains["0/0/0"] for seed in range(40)]
    pulls = np.array([(train.period_s - 1.0) / train.period_error_s for train in trains])
    assert abs(pulls.mean()) < 0.8
    assert 0.4 < pulls.std() < 1.7


@pytest.mark.parametrize("seed", range(12))
def test_gamma_lines_are_no_pulser(seed):
    columns, _ = made_up(seed, period_s=1e9, rate_hz=(1.0, 10.0, 100.0, 500.0)[seed % 4])
    rng = np.random.default_rng(seed)
    in_line = rng.random(len(columns["time_s"])) < 0.3
    columns["trap_max"][in_line] = 1460.8 + rng.standard_normal(int(in_line.sum()))
    with pytest.raises(SettingsError, match=r"no channel has a pulser \(0/0/0: "):
        tag_pulser(columns)


def test_channels_without_a_pulser_for_one_reason_are_named_together():
    time_s = np.random.default_rng(0).uniform(0, 100, 300)
    columns = {"time_s": time_s, "channel": np.arange(300) % 3, "trap_max": 100 + time_s}
    with pytest.raises(SettingsError, match=r"\(0/0/0, 0/0/1, 0/0/2: no interval turns up"):
        tag_pulser(columns)


def test_a_run_without_hits_has_no_pulser():
    columns = {"time_s": np.zeros(0), "channel": np.zeros(0, int), "trap_max": np.zeros(0)}
    with pytest.raises(SettingsError, match="there are no hits"):
        tag_pulser(columns)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(SettingsError, match="finding the pulser needs the column 'trap_max'"):
        tag_pulser({"time_s": np.zeros(3), "channel": np.zeros(3, int)})


def test_the_report_says_what_was_found():
    (line,) = tag_pulser(made_up(1)[0]).lines()
    assert line.startswith("0/0/0: period 1 ± ")
    assert "599 of 599 pulses" in line


def joined(*runs):
    columns = {name: np.concatenate([run[0][name] for run in runs]) for name in runs[0][0]}
    return columns, np.concatenate([run[1] for run in runs])


def test_a_clock_that_starts_anew_is_refused_and_not_folded():
    columns, _ = joined(made_up(1), made_up(2))
    with pytest.raises(SettingsError, match=r"the clock goes back by 599\.\d+ s at row 60607"):
        tag_pulser(columns)


def test_a_clock_that_rolls_over_is_refused():
    columns, _ = made_up(1)
    with pytest.raises(SettingsError, match="and 12 times more: it was reset or rolled over"):
        tag_pulser(columns | {"time_s": np.mod(columns["time_s"], 2**32 * TICK_S)})


def test_rows_in_any_order_are_no_broken_clock():
    columns, is_pulser = made_up(1)
    order = np.random.default_rng(0).permutation(len(is_pulser))
    tag = tag_pulser({name: values[order] for name, values in columns.items()})
    assert efficiency_and_false(tag, is_pulser[order]) == (1.0, 0.0)


@pytest.mark.parametrize("n_heights", [2, 3])
def test_heights_that_alternate_are_one_pulser(n_heights):
    columns, is_pulser = made_up(1)
    rows = np.flatnonzero(is_pulser)
    height = columns["trap_max"].copy()
    for k in range(1, n_heights):
        height[rows[k::n_heights]] -= 700.0 * k
    tag = tag_pulser(columns | {"trap_max": height})
    assert efficiency_and_false(tag, is_pulser) == (1.0, 0.0)
    assert tag.trains["0/0/0"].period_s == pytest.approx(1.0, rel=1e-6)


def test_of_two_pulsers_the_second_is_found_in_what_is_left():
    first, second = made_up(1), made_up(5, rate_hz=1e-9, period_s=0.73, height=1800.0)
    n_first = len(first[1])
    columns, _ = joined(first, second)
    order = np.argsort(columns["time_s"])
    columns = {name: values[order] for name, values in columns.items()}
    of_second = order >= n_first
    tag = tag_pulser(columns)
    left = ~tag.is_pulser
    again = tag_pulser({name: values[left] for name, values in columns.items()})
    periods = {round(one.trains["0/0/0"].period_s, 6) for one in (tag, again)}
    assert periods == {1.0, 0.73}
    found = np.zeros(len(left), bool)
    found[left] = again.is_pulser
    both = tag.is_pulser | found
    assert both[of_second].mean() == 1.0


@pytest.mark.parametrize("seed", range(12))
def test_pulsers_of_random_scenes_are_tagged(seed):
    rng = np.random.default_rng([seed, 8])
    scene = {
        "rate_hz": float(np.exp(rng.uniform(0, 6))),
        "period_s": float(np.exp(rng.uniform(-3, 1))),
        "duration_s": 200.0,
        "drift": float(rng.choice([0, 1e-6, 3e-5])),
        "jitter_s": float(rng.choice([0, 1e-7, 1e-6])),
        "missing": float(rng.choice([0, 0.05, 0.4])),
        "dead_s": float(rng.choice([0, 1e-4, 1e-3])),
        "height": float(rng.uniform(100, 4000)),
    }
    columns, is_pulser = made_up(seed, **scene)
    tag = tag_pulser(columns)
    (train,) = tag.trains.values()
    n_false = np.count_nonzero(tag.is_pulser & ~is_pulser)
    assert tag.is_pulser[is_pulser].mean() > 0.99
    assert n_false <= 2 + 4 * train.false_rate_hz * scene["duration_s"]
