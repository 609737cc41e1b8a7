"""Windows against the rule of 2018, worked out by hand."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.decoders.base import Damaged, Decoded, Samples, Trace
from pygama.errors import SettingsError
from pygama.processing.kernels import windows, windows_plain
from pygama.processing.windows import Tier0Options, cut_windows, read_options

NO_DAMAGE = Damaged(np.zeros(0), np.zeros(0), np.zeros(0), [], [])


def decoded(waves, oldest=None, valid=None, trace_lengths=None):
    """Rows whose samples are the given lists, one behind the other."""
    source = np.array([sample for wave in waves for sample in wave], np.uint16)
    count = np.array([len(wave) for wave in waves], np.int64)
    first = np.concatenate(([0], np.cumsum(count)[:-1])).astype(np.int64)
    rows = np.zeros(len(waves), [("event_number", "i8"), ("timestamp", "i8"), ("period_ns", "f8")])
    rows["event_number"] = np.arange(1, len(waves) + 1)
    rows["period_ns"] = 10.0
    samples = Samples(source, first, count, oldest, valid)
    traces = {}
    if trace_lengths is not None:
        lengths = np.array(trace_lengths, np.int64)
        start = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.int64)
        traces["energy_waveform"] = Trace(np.arange(lengths.sum(), dtype=np.uint32), start, lengths)
    return Decoded("X", rows, samples, traces, NO_DAMAGE)


def ramp_to(peak, length=20):
    wave = [100] * length
    wave[peak] = 200
    return wave


def test_whole_waveforms_are_kept_when_no_window_is_asked_for():
    cut = cut_windows(decoded([[1, 2], [3, 4]]), Tier0Options(), None)
    assert cut.blocks[2,].waveforms.tolist() == [[1, 2], [3, 4]]
    assert cut.garbage == {}


def test_waveforms_of_different_length_make_blocks_of_their_own():
    cut = cut_windows(decoded([[1, 2], [3, 4, 5, 6], [7, 8]]), Tier0Options(), None)
    assert {shape: block.rows["event_number"].tolist() for shape, block in cut.blocks.items()} == {
        (2,): [1, 3],
        (4,): [2],
    }


def test_a_window_lies_around_the_first_maximum():
    cut = cut_windows(decoded([ramp_to(10)]), Tier0Options(window="max", n_samp=4), None)
    block = cut.blocks[4,]
    assert block.waveforms.tolist() == [[100, 100, 200, 100]]
    assert (block.rows["ts_lo"][0], block.rows["ts_hi"][0]) == (80, 110)


@pytest.mark.parametrize(("peak", "fits"), [(1, False), (2, True), (18, True), (19, False)])
def test_a_window_that_does_not_fit_is_garbage(peak, fits):
    cut = cut_windows(decoded([ramp_to(peak)]), Tier0Options(window="max", n_samp=4), None)
    assert bool(cut.garbage) != fits
    assert bool(cut.blocks) == fits


def test_garbage_keeps_the_clipped_window():
    garbage = cut_windows(decoded([ramp_to(19)]), Tier0Options(window="max", n_samp=4), None).garbage[4,]
    assert garbage.decoder == "X_Garbage"
    assert garbage.waveforms.tolist() == [[100, 100, 200, 0]]
    assert garbage.rows["n_window"].tolist() == [3]


def test_waveforms_shorter_than_the_window_are_garbage_of_their_own_length():
    cut = cut_windows(decoded([[1, 2], [3, 4, 5, 6]]), Tier0Options(window="max", n_samp=1_000_000), None)
    assert {shape: block.waveforms.shape for shape, block in cut.garbage.items()} == {
        (2,): (1, 2),
        (4,): (1, 4),
    }


def test_garbage_keeps_its_further_traces():
    rows = decoded([ramp_to(19), ramp_to(10)], trace_lengths=[2, 3])
    garbage = cut_windows(rows, Tier0Options(window="max", n_samp=4), None).garbage
    assert garbage[4, 2].traces["energy_waveform"].tolist() == [[0, 1]]


def test_the_time_point_is_where_the_pulse_reaches_half_its_height():
    wave = [100] * 10 + [120, 149, 150, 180, 200] + [200] * 5
    cut = cut_windows(decoded([wave]), Tier0Options(window="tp", n_samp=4, n_blsamp=10), None)
    assert cut.blocks[4,].waveforms.tolist() == [[120, 149, 150, 180]]


def test_the_time_point_takes_a_sloping_baseline_off():
    slope = [100 + 2 * k for k in range(20)]
    wave = [level + (50 if k >= 15 else 0) for k, level in enumerate(slope)]
    cut = cut_windows(decoded([wave]), Tier0Options(window="tp", n_samp=4, n_blsamp=10), None)
    assert cut.blocks[4,].rows["ts_lo"].tolist() == [130]


def test_a_window_for_another_digitizer_is_not_cut_here():
    options = Tier0Options(digitizer="Y", window="max", n_samp=4)
    assert list(cut_windows(decoded([ramp_to(10)]), options, None).blocks) == [(20,)]


def test_a_ring_is_unrolled_from_its_oldest_sample():
    samples = decoded([[5, 6, 7, 1, 2, 3, 4, 9]], np.array([3]), np.array([7]))
    assert cut_windows(samples, Tier0Options(), None).blocks[8,].waveforms.tolist() == [
        [1, 2, 3, 4, 5, 6, 7, 0]
    ]


def test_a_window_of_a_ring_is_cut_from_the_unrolled_samples():
    samples = decoded([[50, 6, 7, 1, 2, 3, 4, 5]], np.array([3]), np.array([8]))
    block = cut_windows(samples, Tier0Options(window="max", n_samp=4), None).blocks[4,]
    assert block.waveforms.tolist() == [[4, 5, 50, 6]]


def test_further_traces_go_with_their_rows():
    cut = cut_windows(decoded([[1, 2], [3, 4], [5, 6]], trace_lengths=[1, 2, 1]), Tier0Options(), None)
    assert cut.blocks[2, 1].traces["energy_waveform"].tolist() == [[0], [3]]
    assert cut.blocks[2, 2].traces["energy_waveform"].tolist() == [[1, 2]]


def test_a_pool_changes_nothing():
    rng = np.random.default_rng(5)
    rows = decoded(rng.integers(0, 65536, (3000, 2000)).tolist())
    options = Tier0Options(window="max", n_samp=1000)
    alone = cut_windows(rows, options, None)
    with ThreadPoolExecutor(2) as pool:
        together = cut_windows(rows, options, pool)
    assert (alone.blocks[1000,].waveforms == together.blocks[1000,].waveforms).all()
    assert (alone.garbage[1000,].rows == together.garbage[1000,].rows).all()


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.lists(st.integers(-32768, 32767), min_size=1, max_size=1100), min_size=1, max_size=4),
    n_line=st.integers(1, 50),
    is_signed=st.booleans(),
)
def test_the_compiled_kernels_do_as_the_plain_ones(data, n_line, is_signed):
    samples = np.array([value for wave in data for value in wave], np.int16)
    source = samples if is_signed else samples.view(np.uint16)
    count = np.array([len(wave) for wave in data], np.int64)
    first = (np.cumsum(count) - count).astype(np.int64)
    found = []
    for kernel in (windows, windows_plain):
        peak, half = np.empty(len(count), np.int64), np.empty(len(count), np.int64)
        kernel.first_maximum(source, first, count, peak)
        kernel.half_height(source, first, count, n_line, half)
        waves = np.empty((len(count), int(count.min())), source.dtype)
        kernel.gather(source, first, waves)
        found.append((peak.tolist(), half.tolist(), waves.tolist()))
    assert found[0] == found[1]


def test_an_odd_window_is_refused():
    with pytest.raises(SettingsError, match="n_samp must be an even number of samples, not 5"):
        Tier0Options(window="max", n_samp=5)


def test_an_unknown_option_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match="no setting 'windw'; it has digitizer, window"):
        read_options({"windw": "max"})


def test_lengths_in_time_become_samples_by_the_sampling_period_and_the_window_an_even_number():
    options = read_options({"window": "tp", "n_samp": "1 us", "n_blsamp": "0.4 us"})
    assert (options.n_samp, options.n_blsamp) == ("1 us", "0.4 us")
    for period, n_samp, n_blsamp in ((10.0, 100, 40), (8.0, 126, 50), (16.0, 62, 25)):
        found = options.in_samples(np.full(3, period))
        assert (found.n_samp, found.n_blsamp) == (n_samp, n_blsamp)


def test_a_window_in_time_is_that_of_as_many_samples():
    in_time, in_samples = (
        cut_windows(
            decoded([ramp_to(10), ramp_to(3), ramp_to(12)]),
            read_options({"window": "max", "n_samp": length}),
            None,
        )
        for length in ("80 ns", 8)
    )
    assert in_time.blocks.keys() == in_samples.blocks.keys()
    for shape, block in in_samples.blocks.items():
        np.testing.assert_array_equal(in_time.blocks[shape].waveforms, block.waveforms)


@pytest.mark.parametrize(
    ("periods", "reason"),
    [
        ((10.0, math.nan, math.nan), "n_samp is '4 us', but the sampling period is unknown"),
        ((10.0, 20.0, 10.0), "n_samp is '4 us', but the channels sample every 10 ns and 20 ns; give it in"),
        ((math.nan, math.nan, math.nan), "n_samp is '4 us', but the sampling period is unknown"),
    ],
)
def test_a_window_in_time_is_refused_where_no_single_period_is_known(periods, reason):
    options = read_options({"window": "max", "n_samp": "4 us"})
    with pytest.raises(SettingsError, match=reason):
        options.in_samples(np.array(periods))


def test_a_time_too_short_for_a_window_is_refused():
    options = read_options({"window": "max", "n_samp": "4 ns"})
    with pytest.raises(SettingsError, match="n_samp must be 2 samples or more"):
        options.in_samples(np.full(2, 10.0))


def test_the_options_of_the_demo_are_understood():
    options = read_options(
        {"digitizer": "ORSIS3302DecoderForEnergy", "window": "max", "n_samp": 2000, "n_blsamp": 10000}
    )
    assert options.cuts("ORSIS3302DecoderForEnergy")
    assert not options.cuts("ORGretina4MWaveformDecoder")
