import dataclasses
import tracemalloc

import numpy as np
import pytest

from pygama.errors import Stopped
from pygama.progress import Progress
from pygama.simulate import RunShape, benchmark_shape, read_truth, truth_path, write_run
from pygama.simulate.crate import KEYS, UNDECLARED_KEY

SHAPE = RunShape(
    run_number=7,
    n_events=4000,
    n_samples=1200,
    seed=3,
    damaged=0.01,
    pile_up=0.05,
    rate_hz=50.0,
    cards=(8, 10),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run") / "Run7", SHAPE)


@pytest.fixture(scope="module")
def truth(run):
    return read_truth(run)


@pytest.fixture(scope="module")
def records(run, records_of):
    return records_of(run)


@pytest.fixture(scope="module")
def events(records, truth):
    """Words of the digitizer's records, (n, 610)."""
    return np.array([records[packet - 1][1] for packet in truth["packet"]])


@pytest.fixture(scope="module")
def samples(events):
    return np.ascontiguousarray(events[:, 6:-4]).view("<u2").astype(float)


@pytest.fixture(scope="module")
def good(truth):
    """Rows with one whole pulse of some height and nothing else."""
    plain = ~truth["is_pile_up"] & ~truth["is_saturated"] & (truth["damage"] == 0)
    return plain & (truth["amplitude_adc"] > 2000)


def test_packets_of_the_truth_are_the_digitizers_records(records, truth):
    assert [i + 1 for i, (key, _) in enumerate(records) if key == 1] == truth["packet"].tolist()


def test_packets_of_all_other_records_are_in_the_truth(records, truth):
    other = [(i + 1, key) for i, (key, _) in enumerate(records) if key != 1]
    assert other == list(zip(truth["other_packet"].tolist(), truth["other_key"].tolist(), strict=True))


def test_location_and_time_in_the_file_are_those_of_the_truth(events, truth):
    assert (events[:, 1] >> 16 & 31).tolist() == truth["card"].tolist()
    assert (events[:, 1] >> 8 & 255).tolist() == truth["channel"].tolist()
    high = events[:, 4].astype(np.int64) >> 16
    assert (high << 32 | events[:, 5]).tolist() == truth["timestamp"].tolist()
    assert truth["timestamp"].max() > 1 << 32


def test_undamaged_records_hold_together(events, truth):
    good = truth["damage"] == 0
    assert (events[good, -1] == 0xDEADBEEF).all()
    assert (events[good, 2] == 600).all()


def test_damaged_records_lack_their_footer_or_tell_a_wrong_length(events, truth):
    assert (truth["damage"] > 0).sum() > 10
    assert (events[truth["damage"] == 1, -1] == 0).all()
    assert (events[truth["damage"] == 2, 2] == 602).all()


def test_baselines_lie_where_the_truth_says(samples, truth, good):
    measured = samples[good, :800].mean(axis=1)
    np.testing.assert_allclose(measured, truth["baseline_adc"][good], atol=1.5)


def test_pulses_are_as_high_as_the_truth_says(samples, truth, good):
    after = (truth["t0_sample"] + truth["rise_samples"])[good]
    rows, first = samples[good], np.ceil(after).astype(int) + 1
    measured = np.array([w[i : i + 20].mean() for w, i in zip(rows, first, strict=True)])
    height = measured - truth["baseline_adc"][good]
    np.testing.assert_allclose(height / truth["amplitude_adc"][good], 1.0, atol=0.03)


def test_pulses_rise_where_the_truth_says(samples, truth, good):
    amplitude, t0 = truth["amplitude_adc"][good], truth["t0_sample"][good]
    above = samples[good] - truth["baseline_adc"][good][:, None]
    crossed = (above > 0.5 * amplitude[:, None]).argmax(axis=1)
    assert (crossed > t0).all()
    assert (crossed < t0 + truth["rise_samples"][good]).all()


def test_tails_decay_with_the_time_constant_of_the_truth(samples, truth, good):
    above = samples[good] - truth["baseline_adc"][good][:, None]
    ratio = above[:, 1180:1200].mean(axis=1) / above[:, 1080:1100].mean(axis=1)
    assert np.median(ratio) == pytest.approx(np.exp(-100 / truth["decay_samples"]), abs=2e-3)


def test_pile_up_rides_on_an_earlier_pulse(samples, truth):
    rows = truth["is_pile_up"] & (truth["earlier_by"] > 1200) & (truth["damage"] == 0)
    height = truth["earlier_adc"] * np.exp(
        -(truth["earlier_by"] - truth["t0_sample"]) / truth["decay_samples"]
    )
    start = samples[rows, :10].mean(axis=1) - truth["baseline_adc"][rows]
    np.testing.assert_allclose(start, height[rows], rtol=0.02, atol=8)


def test_saturated_records_touch_the_top_of_the_range(samples, truth):
    assert truth["is_saturated"].any()
    assert ((samples.max(axis=1) == 65535) == truth["is_saturated"]).all()


def test_runs_begin_with_a_start_and_a_heartbeat_and_end_with_a_stop(records, truth):
    assert records[0][1].tolist() == [5 << 18 | 4, 0x21, 7, SHAPE.start_time]
    assert records[1][1].tolist() == [5 << 18 | 4, 0x8, 30, SHAPE.start_time]
    stop_s = int(np.ceil(truth["timestamp"].max() * 1e-8))
    assert records[-1][1].tolist() == [5 << 18 | 4, 0, 7, SHAPE.start_time + stop_s]


def test_heartbeats_come_every_30_s(records):
    times = [words[3] - SHAPE.start_time for key, words in records if key == KEYS["run"] and words[1] == 8]
    assert times == [30 * i for i in range(len(times))]
    assert len(times) > 2


def test_slow_control_has_the_lengths_of_its_devices(records):
    lengths = {key: len(words) for key, words in records if key in (KEYS["preamp"], KEYS["hv"])}
    assert lengths == {KEYS["preamp"]: 20, KEYS["hv"]: 5 + 2 * 8}


def test_records_that_nobody_reads_are_there(records):
    keys = [key for key, _ in records]
    assert (keys.count(UNDECLARED_KEY), keys.count(KEYS["lost_data"]), keys.count(KEYS["histogram"])) == (
        3,
        2,
        6,
    )


def test_equal_shapes_give_equal_files(run, tmp_path):
    again = write_run(tmp_path / "Run7", SHAPE)
    assert again.read_bytes() == run.read_bytes()
    assert truth_path(again).read_bytes() == truth_path(run).read_bytes()


def test_another_seed_gives_another_run(run, tmp_path):
    other = write_run(tmp_path / "Run7", dataclasses.replace(SHAPE, seed=4))
    assert other.read_bytes() != run.read_bytes()


def test_a_gretina4m_run_keeps_its_14_bits(tmp_path, records_of):
    shape = RunShape(digitizer="Gretina4M", n_events=300, n_samples=2018, damaged=0.05)
    path = write_run(tmp_path / "Run1", shape)
    truth = read_truth(path)
    events = np.array([words for key, words in records_of(path) if key == 8])
    samples = np.ascontiguousarray(events[:, 17:]).view("<i2")
    assert samples.min() >= -8192
    assert samples.max() <= 8191
    assert ((events[:, 2] == 0xAAAAAAAA) == (truth["damage"] == 0)).all()
    assert (events[:, 3] & 15).tolist() == truth["channel"].tolist()


def test_a_run_without_events_is_a_run(tmp_path, records_of):
    path = write_run(tmp_path / "Run1", RunShape(n_events=0, histograms=False, undeclared=0, lost_data=0))
    assert len(read_truth(path)["packet"]) == 0
    assert [key for key, _ in records_of(path)] == [KEYS["run"], KEYS["hv"], KEYS["run"]]


def test_the_benchmark_counts_21_run_records_and_52_pulses_at_an_edge(tmp_path, records_of):
    path = write_run(tmp_path / "Run72", benchmark_shape(n_samples=100))
    records = records_of(path)
    assert len(records) == 31_404
    assert [key for key, _ in records].count(KEYS["run"]) == 21


def test_all_pulses_but_those_at_an_edge_leave_room_for_the_window(tmp_path, records_of):
    path = write_run(tmp_path / "Run72", dataclasses.replace(benchmark_shape(400), n_edge=6))
    tops = np.array([np.argmax(w[6:-4].view("<u2")) for key, w in records_of(path) if key == 1])
    fits = (tops >= 1000) & (tops + 1000 <= 32_000)
    assert np.count_nonzero(~fits) == 6


def test_progress_ends_with_all_of_it(tmp_path):
    told = []
    write_run(tmp_path / "Run1", RunShape(n_events=200), tell=told.append)
    assert all(isinstance(message, Progress) for message in told)
    assert (told[-1].fraction, told[-1].rows) == (1.0, 200)


def test_a_run_that_is_stopped_leaves_nothing(tmp_path):
    def stop(message):
        raise Stopped("stopped")

    with pytest.raises(Stopped):
        write_run(tmp_path / "Run1", RunShape(n_events=200), tell=stop)
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_run(tmp_path):
    def peak(n_events):
        tracemalloc.start()
        write_run(tmp_path / "Run1", RunShape(n_events=n_events, n_samples=16_000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small, large = peak(300), peak(1500)
    assert large - small < 4 << 20
