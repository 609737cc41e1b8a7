"""The road from a raw file to both tiers, held against independent readings and calculations."""

import json
import logging
import struct
import warnings

import numpy as np
import pandas as pd
import pytest

from pygama.analysis.live_time import from_run_records
from pygama.errors import OutputError, SettingsError, Stopped
from pygama.orca.packets import RawFile
from pygama.processing.base import Tier1Processor
from pygama.processing.outputs import warnings_in
from pygama.processing.run import process_run
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.processing.windows import Tier0Options
from pygama.progress import Done, Note, Partial, Progress, Started
from pygama.storage import TierFile, TierWriter
from pygama.utils import grouped

WINDOW = {"digitizer": "ORSIS3302DecoderForEnergy", "window": "max", "n_samp": 2000, "n_blsamp": 10000}
DECODER = "ORSIS3302DecoderForEnergy"


def demo_chain():
    chain = Tier1Processor({72: {"fit_baseline": {"i_end": 8000}}})
    chain.add("fit_baseline", {"i_end": 800})
    chain.add("bl_subtract")
    chain.add("trap_filter")
    chain.add("trap_max", {"test": False})
    return chain


def windows_of(waves):
    """The rule of 2018, row by row: windows of 2000 samples around the first maximum, and the rows that
    fit.
    """
    centre = waves.argmax(axis=1)
    fits = (centre >= 1000) & (centre + 1000 <= waves.shape[1])
    return np.array([w[c - 1000 : c + 1000] for w, c in zip(waves[fits], centre[fits], strict=True)]), fits


def trap_max_of(wave):
    """The demo's chain on one waveform, by numpy.polyfit and a convolution."""
    k = np.arange(len(wave))
    slope, level = np.polyfit(k[:800], wave[:800].astype(float), 1)
    flat = wave - (level + slope * k)
    kernel = np.concatenate([np.ones(400), np.zeros(200), -np.ones(400)]) / 400
    return np.convolve(flat, kernel)[: len(wave)].max()


def test_the_cells_of_the_demo_run_and_agree_with_an_independent_calculation(plain_run, tmp_path, capsys):
    run = plain_run()
    windows, fits = windows_of(run.waves)
    ProcessTier0(run.path, verbose=True, output_dir=tmp_path, n_max=50000, settings=WINDOW)
    printed = capsys.readouterr().out
    for line in (
        "Run number: 72",
        "    1: ORSIS3302DecoderForEnergy",
        "Saving garbage: 3 of 24 total events",
        "Done.",
    ):
        assert line in printed.splitlines()
    t1_file = tmp_path / "t1_run72.h5"
    with pd.HDFStore(t1_file, "r") as store:
        assert {f"/{DECODER}", f"/{DECODER}_Garbage", "/ORSIS3302Model"} <= set(store.keys())
        storer = str(store.get_storer(DECODER))
        assert storer.startswith("frame_table  (typ->appendable,nrows->21,ncols->")
        frame = store.get(DECODER)
        assert len(store.get(f"{DECODER}_Garbage")) == 3
    assert list(frame.columns[:7]) == [
        "channel",
        "energy",
        "energy_first",
        "event_number",
        "timestamp",
        "ts_hi",
        "ts_lo",
    ]
    assert (frame[list(range(2000))].to_numpy() == windows).all()
    assert frame["event_number"].tolist() == [n for n, fit in zip(run.packet, fits, strict=True) if fit]
    assert frame["timestamp"].iloc[0] == 2**33 + 1000 * np.flatnonzero(fits)[0]
    assert (frame["ts_hi"] - frame["ts_lo"] == 19990).all()

    ProcessTier1(t1_file, demo_chain(), out_prefix="t2", out_dir=tmp_path, verbose=True, multiprocess=True,
                 settings={"fit_baseline": {"i_end": 8000}})  # fmt: skip
    printed = capsys.readouterr().out
    assert "   -- trap_max" in printed.splitlines()
    t2 = pd.read_hdf(tmp_path / "t2_run72.h5")
    wanted = [
        "channel",
        "energy",
        "energy_first",
        "event_number",
        "timestamp",
        "ts_hi",
        "bl_int",
        "bl_slope",
        "trap_max",
    ]
    assert list(t2.columns[:9]) == wanted
    expected = [trap_max_of(wave) for wave in windows]
    np.testing.assert_allclose(t2["trap_max"], expected, rtol=0, atol=1e-9 * windows.max())


def test_one_pass_gives_the_same_tables_as_the_two_steps(plain_run, tmp_path):
    run = plain_run()
    two, one = tmp_path / "two", tmp_path / "one"
    two.mkdir()
    one.mkdir()
    ProcessTier1(ProcessTier0(run.path, output_dir=two, settings=WINDOW), demo_chain(), out_dir=two)
    process_run(run.path, output_dir=one, tier0=WINDOW, processor=demo_chain())
    assert (one / "t1_run72.h5").read_bytes() == (two / "t1_run72.h5").read_bytes()
    assert (one / "t2_run72.h5").read_bytes() == (two / "t2_run72.h5").read_bytes()


def test_equal_input_makes_equal_files_with_one_core_or_all(plain_run, tmp_path):
    run = plain_run()
    files = []
    for name, multiprocess in (("a", True), ("b", False)):
        folder = tmp_path / name
        folder.mkdir()
        process_run(run.path, output_dir=folder, tier0=WINDOW, multiprocess=multiprocess)
        files.append([(folder / file).read_bytes() for file in ("t1_run72.h5", "t2_run72.h5")])
    assert files[0] == files[1]


def test_whole_waveforms_beyond_8192_samples_lie_beside_the_columns(plain_run, tmp_path):
    run = plain_run(n_rows=5)
    ProcessTier0(run.path, output_dir=tmp_path)
    with TierFile(tmp_path / "t1_run72.h5") as file:
        assert (file.table(DECODER).read().waveforms == run.waves).all()
    assert len(pd.read_hdf(tmp_path / "t1_run72.h5", DECODER)) == 5


def test_the_messages_tell_of_every_row_and_byte(plain_run, tmp_path):
    run = plain_run()
    told = []
    process_run(run.path, output_dir=tmp_path, tier0=WINDOW, tell=told.append)
    started = next(message for message in told if isinstance(message, Started))
    assert (started.run_number, started.total_bytes) == (72, run.path.stat().st_size)
    partial = [message for message in told if isinstance(message, Partial)]
    assert sum(len(message.columns["trap_max"]) for message in partial) == 21
    last = [message for message in told if isinstance(message, Progress)][-1]
    assert (last.fraction, last.packets, last.rows) == (1.0, 27, 21)
    assert isinstance(told[-1], Done)


def test_tier_1_to_tier_2_tells_every_row_and_some_waveforms(plain_run, tmp_path):
    t1 = ProcessTier0(plain_run().path, output_dir=tmp_path, settings=WINDOW)
    told = []
    t2 = ProcessTier1(t1, demo_chain(), out_dir=tmp_path, tell=told.append, report=False, n_threads=1)
    started = told[0]
    assert (started.run_number, started.total_bytes, started.decoders) == (72, t1.stat().st_size, (DECODER,))
    partials = [message for message in told if isinstance(message, Partial)]
    with TierFile(t2) as made, TierFile(t1) as source:
        trap_max, waves = made.table("data").column("trap_max"), source.table(DECODER).read().waveforms
    assert np.array_equal(np.concatenate([one.columns["trap_max"] for one in partials]), trap_max)
    (shown,) = [one for one in partials if one.waveforms is not None]
    assert np.array_equal(shown.waveforms, waves[np.arange(8) * len(waves) // 8])
    assert len(shown.waveform_rows["trap_max"]) == 8
    last = [message for message in told if isinstance(message, Progress)][-1]
    assert (last.fraction, last.rows, last.done_bytes) == (1.0, len(trap_max), t1.stat().st_size)
    assert not [message for message in told if isinstance(message, Note)]


def test_stopping_leaves_the_old_files_as_they_were(plain_run, tmp_path):
    run = plain_run()
    process_run(run.path, output_dir=tmp_path, tier0=WINDOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def stop(message):
        if isinstance(message, Progress):
            raise Stopped

    with pytest.raises(Stopped):
        process_run(run.path, output_dir=tmp_path, tell=stop)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_another_run_of_the_same_name_is_refused_with_a_suggestion(plain_run, tmp_path):
    process_run(plain_run(n_rows=4, n_samples=2000, n_edge=0).path, output_dir=tmp_path)
    other = plain_run(n_rows=4, n_samples=2000, n_edge=0, note="other").path
    with pytest.raises(OutputError, match=r"t1_run72\.1\.h5 with suffix '\.1'"):
        process_run(other, output_dir=tmp_path)
    done = process_run(other, output_dir=tmp_path, suffix=".1")
    assert [path.name for path in done.outputs] == ["t1_run72.1.h5", "t2_run72.1.h5"]


def test_a_baseline_beyond_the_record_is_refused_before_anything_is_written(plain_run, tmp_path):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    chain = Tier1Processor({"fit_baseline": {"i_end": 8000}}, default_list=True)
    with pytest.raises(SettingsError, match="i_end must be 2000 or less"):
        process_run(run.path, output_dir=tmp_path, processor=chain)
    assert [path.name for path in tmp_path.iterdir()] == [run.path.name]


def test_tier_2_says_in_plain_text_what_made_it(plain_run, tmp_path):
    run = plain_run()
    process_run(run.path, output_dir=tmp_path, tier0=WINDOW, processor=demo_chain())
    with TierFile(tmp_path / "t2_run72.h5") as file:
        texts = file.texts("data")
    assert json.loads(texts["tier0"])["window"] == "max"
    assert json.loads(texts["chain"])[0] == {"step": "fit_baseline", "settings": {"i_end": 800}}
    assert texts["run_number"] == "72"


def test_every_column_of_tier_2_can_be_asked_for(plain_run, tmp_path):
    run = plain_run()
    process_run(run.path, output_dir=tmp_path, tier0=WINDOW)
    frame = pd.read_hdf(tmp_path / "t2_run72.h5")
    for name in frame.columns:
        middle = frame[name].median()
        found = pd.read_hdf(tmp_path / "t2_run72.h5", where=f"{name} > {middle}")
        assert len(found) == (frame[name] > middle).sum()


def test_waveforms_can_be_saved_beside_tier_2(plain_run, tmp_path):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    t1 = ProcessTier0(run.path, output_dir=tmp_path)
    t2 = ProcessTier1(
        t1, Tier1Processor(default_list=True), out_dir=tmp_path, save_waves=["waveform", "wf_trap"]
    )
    with TierFile(t2) as file:
        saved = file.table("data").read()
    assert (saved.traces["wf_raw"] == run.waves).all()
    np.testing.assert_allclose(saved.traces["wf_trap"].max(axis=1), saved.rows["trap_max"], rtol=1e-6)


def test_one_pass_saves_the_waveforms_that_two_steps_save(plain_run, tmp_path):
    run, names = plain_run(n_rows=900, n_samples=2000, n_edge=3), ["waveform", "wf_trap"]
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    process_run(run.path, output_dir=one, save_waves=names)
    t1 = ProcessTier0(run.path, output_dir=two)
    ProcessTier1(t1, Tier1Processor(default_list=True), out_dir=two, save_waves=names)
    with TierFile(one / "t2_run72.h5") as left, TierFile(two / "t2_run72.h5") as right:
        expected, saved = (file.table("data").read() for file in (right, left))
        assert left.texts("data") == right.texts("data")
    assert saved.rows.tolist() == expected.rows.tolist()
    assert set(saved.traces) == {"wf_raw", "wf_trap"}
    for name, array in expected.traces.items():
        np.testing.assert_array_equal(saved.traces[name], array)


def test_a_pass_that_warned_of_nothing_leaves_no_word_of_it(plain_run, tmp_path):
    process_run(plain_run().path, output_dir=tmp_path)
    with TierFile(tmp_path / "t2_run72.h5") as file:
        assert "warnings" not in file.texts("/")


@pytest.mark.parametrize("text", ["7", "{", '{"a": 1}', "[1, null]", "[" * 5000])
def test_warnings_that_a_file_of_others_tells_in_another_way_are_none(text):
    assert warnings_in({"warnings": text}) == []


def test_a_draw_request_is_ignored_with_one_warning_when_work_is_parallel(plain_run, tmp_path, caplog):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    chain = Tier1Processor()
    for name in ("fit_baseline", "bl_subtract", "trap_filter", "trap_max"):
        chain.add(name, {"test": True})
    t1 = ProcessTier0(run.path, output_dir=tmp_path)
    with caplog.at_level(logging.WARNING):
        ProcessTier1(t1, chain, out_dir=tmp_path, multiprocess=True)
    assert len(caplog.records) == 1


def test_the_old_names_of_settings_are_understood(plain_run, tmp_path):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    chains = []
    for settings in ({"rt": 300, "ft": 100, "dt": 5}, {"rise": 300, "flat": 100}):
        chain = Tier1Processor({"trap_filter": settings}, default_list=True)
        process_run(run.path, output_dir=tmp_path, processor=chain)
        chains.append(pd.read_hdf(tmp_path / "t2_run72.h5"))
    pd.testing.assert_frame_equal(*chains)


def test_no_file_is_left_of_a_run_that_cannot_be_written(plain_run, tmp_path):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    with pytest.raises(OutputError, match="does not exist"):
        process_run(run.path, output_dir=tmp_path / "nowhere")


def test_pandas_warns_of_nothing_when_it_reads_our_files(plain_run, tmp_path):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    process_run(run.path, output_dir=tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for key in ("ORSIS3302DecoderForEnergy", "ORRunDecoderForRun", "ORSIS3302Model"):
            pd.read_hdf(tmp_path / "t1_run72.h5", key)


def test_no_tier_is_put_in_place_while_the_other_is_not_whole(plain_run, tmp_path, monkeypatch):
    run = plain_run(n_rows=4, n_samples=2000, n_edge=0)
    process_run(run.path, output_dir=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    complete = TierWriter.complete

    def complete_tier_2_alone(self):
        if self.path.name.startswith("t1"):
            raise OutputError("no room")
        complete(self)

    monkeypatch.setattr(TierWriter, "complete", complete_tier_2_alone)
    with pytest.raises(OutputError, match="no room"):
        process_run(run.path, output_dir=tmp_path, tier0={"window": "max", "n_samp": 1000})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("n_max", [-1, 1.5, float("nan"), -float("inf")])
def test_an_impossible_number_of_packets_is_refused(plain_run, tmp_path, n_max):
    run = plain_run(n_rows=1, n_samples=2000, n_edge=0)
    with pytest.raises(SettingsError, match="n_max must be a whole number of packets, 0 or more, not "):
        process_run(run.path, output_dir=tmp_path, n_max=n_max)


@pytest.mark.parametrize("options", [{"decoders": ["SIS3302"]}, {"tier0": {"digitizer": "SIS3302"}}])
def test_a_decoder_that_nobody_knows_is_refused(plain_run, tmp_path, options):
    run = plain_run(n_rows=1, n_samples=2000, n_edge=0)
    with pytest.raises(SettingsError, match="there is no decoder 'SIS3302'; "):
        process_run(run.path, output_dir=tmp_path, **options)


def test_a_window_for_a_digitizer_that_the_run_lacks_is_told(plain_run, tmp_path):
    run = plain_run(n_rows=2, n_samples=2000, n_edge=0)
    told = []
    window = {"digitizer": "ORGretina4MWaveformDecoder", "window": "max", "n_samp": 100}
    process_run(run.path, output_dir=tmp_path, tier0=window, tell=told.append)
    warnings_told = [message.text for message in told if isinstance(message, Note)]
    assert warnings_told == [
        "the window is for ORGretina4MWaveformDecoder, which this run does not have: no windows are cut"
    ]


@pytest.mark.parametrize("suffix", ["/x", "../x", "a\\b", "\0"])
def test_a_suffix_that_is_no_part_of_a_name_is_refused(plain_run, tmp_path, suffix):
    run = plain_run(n_rows=1, n_samples=2000, n_edge=0)
    with pytest.raises(OutputError, match="a suffix becomes part of a file name"):
        process_run(run.path, output_dir=tmp_path, suffix=suffix)


def test_the_suggested_suffix_takes_the_place_of_the_one_given(plain_run, tmp_path):
    process_run(plain_run(n_rows=1, n_samples=2000, n_edge=0).path, output_dir=tmp_path, suffix=".1")
    other = plain_run(n_rows=1, n_samples=2000, n_edge=0, note="other").path
    with pytest.raises(OutputError, match=r"write t1_run72\.2\.h5 with suffix '\.2'"):
        process_run(other, output_dir=tmp_path, suffix=".1")


def test_tier_1_is_not_overwritten_by_its_own_tier_2(plain_run, tmp_path):
    t1 = ProcessTier0(plain_run(n_rows=2, n_samples=2000, n_edge=0).path, output_dir=tmp_path)
    before = t1.read_bytes()
    with pytest.raises(OutputError, match=r"t1_run72\.h5 would be written over itself"):
        ProcessTier1(t1, demo_chain(), out_prefix="t1", out_dir=tmp_path)
    assert t1.read_bytes() == before


def test_a_period_that_is_no_number_is_unknown(plain_run, tmp_path):
    run = plain_run(n_rows=2, n_samples=2000, n_edge=0, clock=[1, 2])
    process_run(run.path, output_dir=tmp_path)
    assert pd.read_hdf(tmp_path / "t2_run72.h5")["period_ns"].isna().all()


def test_garbage_shorter_than_the_window_is_counted_as_garbage(plain_run, tmp_path, capsys):
    run = plain_run(n_rows=4, n_samples=1000, n_edge=0)
    ProcessTier0(run.path, verbose=True, output_dir=tmp_path, settings={"window": "max", "n_samp": 10**9})
    assert "Saving garbage: 4 of 4 total events" in capsys.readouterr().out.splitlines()
    garbage = pd.read_hdf(tmp_path / "t1_run72.h5", f"{DECODER}_Garbage")
    assert (garbage[list(range(1000))].to_numpy() == run.waves).all()


def warnings_of(path, folder, **choices):
    told = []
    process_run(path, output_dir=folder, tell=told.append, **choices)
    return [message.text for message in told if isinstance(message, Note) and message.level == "warning"]


@pytest.mark.parametrize("tiers", [(1, 2), (2,), ()])
def test_windows_that_do_not_fit_are_told(plain_run, tmp_path, tiers):
    run = plain_run()
    expected = (
        "the window of 2000 samples did not fit 3 of 24 waveforms of 32\u202f000 samples: kept apart "
        "in ORSIS3302DecoderForEnergy_Garbage, with no row in Tier 2; a smaller n_samp fits more"
    )
    assert warnings_of(run.path, tmp_path, tier0=WINDOW, tiers=tiers) == [expected]
    assert warnings_of(run.path, tmp_path, tiers=tiers) == []


@pytest.mark.parametrize("choices", [{"channels": [99]}, {"tier0": {"window": "max", "n_samp": 40000}}])
def test_an_old_tier_2_does_not_stay_beside_a_tier_1_without_events(plain_run, tmp_path, choices):
    run = plain_run(n_rows=4, n_edge=1)
    process_run(run.path, output_dir=tmp_path, tier0=WINDOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    expected = (
        r"no waveform for Tier 2, but t2_run72\.h5 is there, of an earlier pass.* Keep more of the run, move "
        r"that file away, or write t1_run72\.1\.h5 with suffix '\.1'"
    )
    with pytest.raises(OutputError, match=expected):
        process_run(run.path, output_dir=tmp_path, **choices)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    done = process_run(run.path, output_dir=tmp_path, suffix=".1", **choices)
    assert [path.name for path in done.outputs] == ["t1_run72.1.h5"]


def offsets_of(path):
    with RawFile(path) as raw:
        return np.concatenate([packets.offset[packets.key == 1] for packets in raw])


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"tiers": (3,)}, "tiers are some of (1, 2), each once, or none, not (3,)"),
        ({"tiers": (1, 1)}, "tiers are some of (1, 2), each once, or none, not (1, 1)"),
        ({"tiers": 2}, "tiers are some of (1, 2), each once, or none, not 2"),
        ({"compression": None}, "compression must be one of 'lz4', "),
        ({"skip": 5}, "skip is a list of byte offsets, as [98304], not 5"),
        ({"skip": [1.5]}, "a byte offset to skip must be a whole number, not 1.5"),
        ({"save_waves": "wf_blsub"}, "save_waves is a list of names, as ['wf_blsub'], not 'wf_blsub'"),
        ({"save_waves": [3]}, "save_waves is a list of names, as ['wf_blsub'], not [3]"),
        (
            {"save_waves": ["trap_max"]},
            "'trap_max' is one number a row, and no waveform to keep; there are wf_blsub, wf_trap, waveform",
        ),
        ({"save_waves": ["channel"]}, "'channel' is one number a row, and no waveform to keep; "),
        ({"n_threads": -3}, "n_threads must be 1 or more, or None for all cores, not -3"),
        ({"n_threads": 0}, "n_threads must be 1 or more, or None for all cores, not 0"),
        (
            {"processor": "trap_max"},
            "processor must be a Tier1Processor, or None for the default, ",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_told_in_words(plain_run, tmp_path, choices, told):
    run = plain_run(n_rows=2, n_samples=2000, n_edge=0)
    with pytest.raises(SettingsError) as refused:
        process_run(run.path, output_dir=tmp_path, **choices)
    assert str(refused.value).startswith(told)
    assert [path.name for path in tmp_path.iterdir()] == [run.path.name]


def test_tier_2_needs_a_chain_and_a_list_of_waveforms(plain_run, tmp_path):
    t1 = ProcessTier0(plain_run(n_rows=2, n_samples=2000, n_edge=0).path, output_dir=tmp_path)
    with pytest.raises(SettingsError, match="processor must be a chain, a Tier1Processor, not None"):
        ProcessTier1(t1, None, out_dir=tmp_path)
    with pytest.raises(SettingsError, match="save_waves is a list of names, as .*, not 'wf_blsub'"):
        ProcessTier1(t1, demo_chain(), out_dir=tmp_path, save_waves="wf_blsub")


def test_records_can_be_left_out_and_the_files_tell_which(plain_run, tmp_path):
    run = plain_run(n_edge=0)
    offsets = offsets_of(run.path).tolist()
    told = []
    done = process_run(run.path, output_dir=tmp_path, skip=[offsets[5], offsets[2]], tell=told.append)
    with TierFile(done.outputs[0]) as file:
        numbers = file.table(DECODER).read().rows["event_number"].tolist()
        assert json.loads(file.texts("/")["skipped_records"]) == [offsets[2], offsets[5]]
    assert numbers == [number for place, number in enumerate(run.packet) if place not in (2, 5)]
    assert len(pd.read_hdf(done.outputs[1])) == len(numbers)
    text = f"left out on request: the records at bytes {grouped(offsets[2])}, {grouped(offsets[5])}"
    assert Note(text, "warning") in told


def test_a_place_with_no_record_is_not_told_as_left_out(plain_run, tmp_path):
    run = plain_run(n_edge=0)
    offset = offsets_of(run.path).tolist()[2]
    nothing = "nothing was left out at bytes 5: no record that is decoded begins there"
    assert warnings_of(run.path, tmp_path, skip=[5]) == [nothing]
    with TierFile(tmp_path / "t2_run72.h5") as file:
        assert "skipped_records" not in file.texts("/")
    left_out = f"left out on request: the records at bytes {grouped(offset)}"
    assert warnings_of(run.path, tmp_path, skip=[5, offset]) == [left_out, nothing]
    for name in ("t1_run72.h5", "t2_run72.h5"):
        with TierFile(tmp_path / name) as file:
            assert json.loads(file.texts("/")["skipped_records"]) == [offset]


@pytest.mark.parametrize(
    ("given", "idle"),
    [({"n_samp": 100}, "n_samp does"), ({"digitizer": DECODER, "n_blsamp": 7}, "digitizer and n_blsamp do")],
)
def test_options_for_a_window_that_is_not_cut_are_told(plain_run, tmp_path, given, idle):
    run = plain_run(n_rows=2, n_samples=2000, n_edge=0)
    (told,) = warnings_of(run.path, tmp_path, tier0=given)
    assert told.startswith(f"{idle} nothing, because no window is cut")
    for complete in (None, {}, {"digitizer": None}, {"window": "none", **given}, Tier0Options(**given)):
        assert warnings_of(run.path, tmp_path, tier0=complete) == []


def test_a_part_of_the_records_can_be_taken(plain_run, tmp_path):
    run = plain_run(n_edge=0)
    offsets = offsets_of(run.path).tolist()
    done = process_run(run.path, output_dir=tmp_path, within=(offsets[3], offsets[7]))
    assert pd.read_hdf(done.outputs[1])["event_number"].tolist() == run.packet[3:7]


def test_nothing_is_read_far_behind_the_part_that_is_wanted(plain_run, tmp_path):
    run = plain_run(n_rows=10_000, n_samples=2000, n_edge=0)  # 40 MB, of which 16 are read at a time
    offsets = offsets_of(run.path).tolist()
    told = []
    process_run(run.path, output_dir=tmp_path, within=(offsets[3], offsets[7]), tell=told.append)
    assert [message.offset < 17 << 20 for message in told if isinstance(message, Progress)] == [True]


def test_without_tiers_the_work_is_done_and_nothing_is_written(plain_run, tmp_path):
    run = plain_run(n_edge=0)
    told = []
    done = process_run(run.path, output_dir=tmp_path, tiers=(), tell=told.append)
    assert (done.outputs, done.rows) == ((), len(run.packet))
    partials = [message for message in told if isinstance(message, Partial)]
    assert sum(len(partial.columns["trap_max"]) for partial in partials) == len(run.packet)
    assert [path.name for path in tmp_path.iterdir()] == [run.path.name]


def test_the_real_time_of_sub_runs_leaves_out_what_lies_between(plain_run, tmp_path):
    """A sub-run ends at 60 s; a new header and the next one follow at 100 s, which stops at 150 s."""
    run = plain_run(n_rows=2, n_samples=2000, n_edge=0)
    data = run.path.read_bytes()
    (start,) = struct.unpack("<I", data[-4:])
    header = data[: 4 * (struct.unpack("<I", data[:4])[0] & 0x3FFFF)]

    def record(flags, seconds):
        return struct.pack("<4I", 5 << 18 | 4, flags, 72, start - 60 + seconds)

    end, following, stop = record(0x10, 60), record(1 << 16 | 0x20, 100), record(1 << 16, 150)
    run.path.write_bytes(data[:-16] + end + header + following + stop)
    t1 = process_run(run.path, output_dir=tmp_path).outputs[0]
    assert from_run_records(t1).real_s == 110
