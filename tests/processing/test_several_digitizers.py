"""Runs with several digitizers, several lengths, and digitizers that turn up late."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from pygama.block import Block
from pygama.decoders import SIS3302, Gretina4M
from pygama.errors import SettingsError
from pygama.orca.header import header_of
from pygama.orca.writer import RunWriter, run_header
from pygama.processing.base import Tier1Processor
from pygama.processing.outputs import warnings_in
from pygama.processing.run import process_run
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.processing.tier2_sink import Tier2Sink
from pygama.storage import TierFile, TierWriter

SIS, GRETINA = "ORSIS3302DecoderForEnergy", "ORGretina4MWaveformDecoder"


@pytest.fixture
def mixed_run(tmp_path):
    """Write a run record by record: ('sis', samples) or ('gretina', None)."""

    def write(kinds):
        types = {
            "ORSIS3302": {"Energy": (1, SIS)},
            "ORGretina4M": {"Gretina4M": (2, GRETINA)},
            "ORRunModel": {"Run": (3, "ORRunDecoderForRun")},
        }
        plist = run_header(run_number=8, start_time=1000, cards=[], record_types=types)
        header = header_of(plist, 0)
        with RunWriter(tmp_path / "Run8", plist) as writer:
            writer.run_start(8, 1000)
            for place, (kind, n_samples) in enumerate(kinds):
                if kind == "sis":
                    waves = np.full((1, n_samples), 100 + place, np.uint16)
                    writer.records(
                        1, SIS3302(header).encode_events({"channel": [0], "timestamp": [place]}, waves)
                    )
                else:
                    waves = np.full((1, 2018), -place, np.int16)
                    writer.records(
                        2, Gretina4M(header).encode_events({"channel": [1], "timestamp": [place]}, waves)
                    )
            writer.run_stop(2000)
        return tmp_path / "Run8"

    return write


def test_the_most_frequent_length_has_the_plain_name(mixed_run, tmp_path):
    path = mixed_run([("sis", 600), ("sis", 800), ("sis", 800), ("sis", 700)])
    ProcessTier0(path, output_dir=tmp_path)
    with TierFile(tmp_path / "t1_run8.h5") as file:
        rows = {
            key: (file.table(key).n_samples, file.table(key).n_rows)
            for key in file.keys
            if key.startswith(SIS)
        }
    assert rows == {SIS: (800, 2), f"{SIS}_600": (600, 1), f"{SIS}_700": (700, 1)}


def test_tier_2_has_all_digitizers_in_file_order_with_their_names(mixed_run, tmp_path):
    path = mixed_run([("sis", 800), ("gretina", None), ("sis", 600), ("gretina", None), ("sis", 800)])
    process_run(path, output_dir=tmp_path)
    frame = pd.read_hdf(tmp_path / "t2_run8.h5")
    assert frame["timestamp"].tolist() == [0, 1, 2, 3, 4]
    assert frame["decoder"].tolist() == [SIS, GRETINA, SIS, GRETINA, SIS]
    assert frame["bl_int"].tolist() == [100, -1, 102, -3, 104]
    assert frame["board_id"].isna().tolist() == [True, False, True, False, True]
    assert len(pd.read_hdf(tmp_path / "t2_run8.h5", where=f"decoder == '{GRETINA}'")) == 2


def test_two_steps_give_the_same_mixed_table_as_one_pass(mixed_run, tmp_path):
    path = mixed_run([("gretina", None), ("sis", 800), ("sis", 600), ("gretina", None), ("sis", 800)])
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    process_run(path, output_dir=one)
    ProcessTier1(ProcessTier0(path, output_dir=two), Tier1Processor(default_list=True), out_dir=two)
    pd.testing.assert_frame_equal(pd.read_hdf(one / "t2_run8.h5"), pd.read_hdf(two / "t2_run8.h5"))


def test_waveforms_too_short_for_the_chain_have_no_values_and_are_told_of(mixed_run, tmp_path):
    told = []
    process_run(mixed_run([("sis", 800), ("sis", 100), ("sis", 0)]), output_dir=tmp_path, tell=told.append)
    frame = pd.read_hdf(tmp_path / "t2_run8.h5")
    assert frame["trap_max"].isna().tolist() == [False, True, True]
    texts = [message.text for message in told if hasattr(message, "text")]
    assert any(text.startswith(f"1 rows of {SIS} with 100 samples have no values (NaN)") for text in texts)


def test_the_files_tell_what_the_pass_warned_of(mixed_run, tmp_path):
    raw, one, two = mixed_run([("sis", 800), ("sis", 100)]), tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    process_run(raw, output_dir=one, skip=[5])
    ProcessTier1(ProcessTier0(raw, output_dir=two), Tier1Processor(default_list=True), out_dir=two)
    of_reading = ["nothing was left out at bytes 5: no record that is decoded begins there"]
    why = "step 1, fit_baseline: i_end must be 100 or less, the length of the waveforms, not 500"
    of_chain = [f"1 rows of {SIS} with 100 samples have no values (NaN): {why}"]
    assert _warnings_of(one / "t1_run8.h5") == of_reading
    assert _warnings_of(one / "t2_run8.h5") == [*of_reading, *of_chain]
    assert _warnings_of(two / "t1_run8.h5") == []
    of_two = [text.replace(SIS, f"{SIS}_100") for text in of_chain]
    assert _warnings_of(two / "t2_run8.h5") == of_two
    ProcessTier1(one / "t1_run8.h5", Tier1Processor(default_list=True), out_dir=one, out_prefix="again")
    assert _warnings_of(one / "again_run8.h5") == [*of_reading, *of_two]


def _warnings_of(path):
    with TierFile(path) as file:
        return warnings_in(file.texts("/"))


def test_a_digitizer_that_turns_up_late_keeps_the_rows_before_it(tmp_path):
    first = np.array([(1, 10), (2, 20)], [("event_number", "i8"), ("energy", "i8")])
    late = np.array([(3, 7)], [("event_number", "i8"), ("board_id", "i8")])
    with TierWriter(tmp_path / "t2_run1.h5") as writer:
        sink = Tier2Sink(writer)
        sink.take([Block("A", first)])
        sink.take([Block("B", late)])
        sink.take([Block("A", first[:1])])
    frame = pd.read_hdf(tmp_path / "t2_run1.h5")
    assert frame["event_number"].tolist() == [1, 2, 3, 1]
    assert frame["decoder"].tolist() == ["A", "A", "B", "A"]
    assert frame["energy"].fillna(-1).tolist() == [10, 20, -1, 10]
    assert [path.name for path in tmp_path.iterdir()] == ["t2_run1.h5"]


def test_a_tier_1_file_of_waveforms_is_processed_without_the_decoders(tmp_path):
    """They cost a tenth of the start of a command."""
    rows = np.zeros(3, [("channel", "i8"), ("event_number", "i8")])
    with TierWriter(tmp_path / "t1_run5.h5") as writer:
        writer.write("ORSIS3302DecoderForEnergy", Block("", rows, np.full((3, 1500), 7, np.uint16)))
        writer.write("ORRunDecoderForRun", Block("", np.zeros(2, [("event_number", "i8")])))
    script = f"""
import sys
from pygama.processing.base import Tier1Processor
from pygama.processing.outputs import warnings_in
from pygama.processing.tier1 import ProcessTier1
ProcessTier1({str(tmp_path / "t1_run5.h5")!r}, Tier1Processor(default_list=True), out_dir={str(tmp_path)!r})
sys.exit("pygama.decoders" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
    with TierFile(tmp_path / "t2_run5.h5") as file:
        assert file.table("data").n_rows == 3


def test_waveforms_of_a_second_length_are_refused_and_no_output_is_changed(mixed_run, tmp_path):
    with pytest.raises(SettingsError, match=f"but {SIS} with 900 samples came beside {SIS} with 800 samples"):
        process_run(
            mixed_run([("sis", 800), ("sis", 900)]), output_dir=tmp_path, save_waves=["waveform", "wf_blsub"]
        )
    assert [path.name for path in tmp_path.iterdir()] == ["Run8"]


def test_waveforms_of_the_one_decoder_that_was_chosen_are_saved(mixed_run, tmp_path):
    run = mixed_run([("sis", 800), ("gretina", None), ("sis", 800)])
    process_run(run, output_dir=tmp_path, decoders=[SIS], save_waves=["waveform"])
    with TierFile(tmp_path / "t2_run8.h5") as file:
        assert file.table("data").read().traces["wf_raw"][:, 0].tolist() == [100, 102]
