from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pygama import __version__, retrieve
from pygama.__main__ import main
from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.calibration_file import write_calibration
from pygama.analysis.curves import Curve
from pygama.analysis.tagging import Tagging
from pygama.block import Block
from pygama.errors import OutputError, SettingsError, Stopped, TierFileError
from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.processing.tier1 import ProcessTier1
from pygama.progress import Done, Message, Note
from pygama.retrieve import select_events
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile, TierWriter

CARD = "ORSIS3302DecoderForEnergy"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Tier 1 and Tier 2 of a simulated run."""
    folder = tmp_path_factory.mktemp("run")
    shape = RunShape(run_number=4, seed=4, n_events=700, n_samples=1600, pulse_at=600, damaged=0.01)
    t1, t2 = process_run(write_run(folder / "Run4", shape), output_dir=folder).outputs
    return t1, t2


def high(columns) -> np.ndarray:
    return columns["trap_max"] > 20_000


def passing(t2: Path) -> pd.DataFrame:
    frame = pd.read_hdf(t2)
    return frame[frame["trap_max"] > 20_000]


def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(retrieve, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(retrieve, "_STEP", 1)


@pytest.mark.parametrize("multiprocess", [False, True])
def test_the_waveforms_of_events_that_pass_are_those_of_tier_1(run, multiprocess, tmp_path, monkeypatch):
    small_blocks(monkeypatch)
    out = select_events(*run, high, tmp_path / "high.h5", multiprocess=multiprocess)
    old, new = pd.read_hdf(run[0], CARD), pd.read_hdf(out, CARD)
    expected = old[old["event_number"].isin(passing(run[1])["event_number"])]
    assert 20 < len(expected) < len(old) / 2
    assert new["source_row"].tolist() == expected.index.tolist()
    pd.testing.assert_frame_equal(
        new.drop(columns="source_row").reset_index(drop=True), expected.reset_index(drop=True)
    )


def test_tier_2_of_the_new_file_is_the_old_one_after_the_cut(run, tmp_path):
    out = select_events(*run, high, tmp_path / "high.h5")
    t2 = ProcessTier1(out, Tier1Processor({}, default_list=True), out_dir=tmp_path)
    new, expected = pd.read_hdf(t2), passing(run[1])
    pd.testing.assert_frame_equal(new[list(expected.columns)], expected.reset_index(drop=True))
    assert "source_row" in new


def test_it_says_how_it_was_made(run, tmp_path):
    out = select_events(*run, high, tmp_path / "high.h5")
    with TierFile(out) as file, TierFile(run[0]) as source:
        texts, before = file.texts("/"), source.texts("/")
    made = json.loads(texts.pop("selection"))
    assert texts == before
    assert (made["cut"], made["tier1"], made["tier2"]) == ("high", run[0].name, run[1].name)
    assert made["pygama_version"] == __version__
    assert [step["step"] for step in made["chain"]][-1] == "trap_max"


def test_run_records_slow_control_and_cards_go_along(run, tmp_path):
    out = select_events(*run, high, tmp_path / "high.h5")
    with TierFile(out) as file, TierFile(run[0]) as source:
        assert set(file.keys) == set(source.keys) - {f"{CARD}_Damaged"}
    for key in ("ORSIS3302Model", "ORRunDecoderForRun"):
        pd.testing.assert_frame_equal(pd.read_hdf(out, key), pd.read_hdf(run[0], key))


def test_a_selection_can_be_selected_from_and_keeps_the_first_row_numbers(run, tmp_path):
    once = select_events(*run, high, tmp_path / "high.h5")
    t2 = ProcessTier1(once, Tier1Processor({}, default_list=True), out_dir=tmp_path)
    twice = select_events(once, t2, lambda columns: columns["channel"] == 1, tmp_path / "one.h5")
    first, second = pd.read_hdf(once, CARD), pd.read_hdf(twice, CARD)
    assert second["source_row"].tolist() == first["source_row"][first["channel"] == 1].tolist()
    with TierFile(twice) as file:
        assert json.loads(file.texts("/")["selection"])["before"]["cut"] == "high"


def test_tier_2_of_a_selection_does_not_replace_that_of_the_run(run, tmp_path):
    out = select_events(*run, high, tmp_path / "high.h5")
    before = run[1].read_bytes()
    with pytest.raises(OutputError, match="holds run 4 with no selection of its events"):
        ProcessTier1(out, Tier1Processor({}, default_list=True), out_dir=run[1].parent)
    assert run[1].read_bytes() == before


def test_the_same_selection_is_written_again_another_is_not_replaced(run, tmp_path):
    out = select_events(*run, high, tmp_path / "high.h5")
    before = out.read_bytes()
    select_events(*run, high, out)
    assert out.read_bytes() == before
    with pytest.raises(OutputError, match="is not this selection"):
        select_events(*run, lambda columns: columns["channel"] == 1, out)
    notes = tmp_path / "notes.txt"
    notes.write_text("not a Tier file")
    with pytest.raises(OutputError, match="is not this selection"):
        select_events(*run, high, notes)
    with pytest.raises(OutputError, match="written over itself"):
        select_events(*run, high, run[0])


def test_rows_of_one_record_are_told_apart(tmp_path, monkeypatch):
    """Some cards write several events into one record, and a block can end within it."""
    small_blocks(monkeypatch)
    events = np.array([1, 1, 1, 3, 7, 7])
    for name, key, columns in (("t1", "ORGretina4MWaveformDecoder", "channel"), ("t2", "data", "trap_max")):
        rows = np.zeros(6, [("event_number", "i8"), (columns, "f8")])
        rows["event_number"], rows[columns] = events, np.arange(6)
        waves = np.arange(12, dtype="u2").reshape(6, 2) if name == "t1" else None
        with TierWriter(tmp_path / f"{name}_run1.h5", chunk_rows=2) as writer:
            writer.write(key, Block(key, rows, waves))
            writer.set_texts("/", {"run_number": "1"})
    out = select_events(
        tmp_path / "t1_run1.h5",
        tmp_path / "t2_run1.h5",
        lambda columns: np.isin(columns["trap_max"], [1, 2, 5]),
        tmp_path / "some.h5",
    )
    with TierFile(out) as file:
        block = file.table("ORGretina4MWaveformDecoder").read()
    assert block.rows["channel"].tolist() == [1, 2, 5]
    assert block.waveforms[:, 0].tolist() == [2, 4, 10]


def test_files_of_different_runs_are_refused(run, tmp_path):
    shape = RunShape(run_number=5, n_events=10, n_samples=1600, pulse_at=600)
    _, other = process_run(write_run(tmp_path / "Run5", shape), output_dir=tmp_path).outputs
    with pytest.raises(TierFileError, match="not of one run: their run number differs"):
        select_events(run[0], other, high, tmp_path / "high.h5")


def test_rows_that_tier_1_lacks_are_told(run, tmp_path):
    with TierFile(run[1]) as file:
        rows, texts = file.table("data").read().rows, file.texts("/")
    rows["event_number"] += 100_000
    with TierWriter(tmp_path / "t2.h5") as writer:
        writer.write("data", Block("data", rows))
        writer.set_texts("/", texts)
    with pytest.raises(TierFileError, match=r"only 0 of these"):
        select_events(run[0], tmp_path / "t2.h5", high, tmp_path / "high.h5")
    assert not list(tmp_path.glob("high.h5*"))


def test_a_cut_that_nothing_passes_writes_nothing(run, tmp_path):
    with pytest.raises(SettingsError, match="no event of .* passes the cut 'nothing'; nothing was written"):

        def nothing(columns):
            return columns["trap_max"] < -1e9

        select_events(*run, nothing, tmp_path / "none.h5")
    assert not list(tmp_path.iterdir())


def test_a_stopped_selection_leaves_nothing(run, tmp_path):
    def stop(message: Message) -> None:
        raise Stopped("stopped")

    with pytest.raises(Stopped):
        select_events(*run, high, tmp_path / "high.h5", tell=stop)
    assert not list(tmp_path.iterdir())


def test_the_end_is_told(run, tmp_path):
    told: list[Message] = []
    out = select_events(*run, high, tmp_path / "high.h5", tell=told.append)
    (done,) = [message for message in told if isinstance(message, Done)]
    assert done.outputs == (out,)
    assert done.rows == done.counts[CARD] == len(passing(run[1]))


def test_a_pulser_that_is_not_found_is_told(run, tmp_path):
    told: list[Message] = []
    cut, tagging = "trap_max > 20000 & ~is_pulser", Tagging(amplitude="bl_slope")
    select_events(*run, cut, tmp_path / "high.h5", tagging=tagging, tell=told.append)
    notes = [one for one in told if isinstance(one, Note)]
    assert [one.level for one in notes] == ["warning"]
    assert "t2_run4.h5: pulser: " in notes[0].text


@pytest.fixture
def calibration(tmp_path):
    """A calibration of channel 0 alone, 0.05 keV for each ADC count."""
    curve = Curve((0.0, 0.05), ((0.0, 0.0), (0.0, 0.0)))
    channels = {"0/8/0": ChannelCalibration(curve=curve)}
    path = tmp_path / "cal.json"
    write_calibration(path, Calibration("trap_max", channels=channels))
    return path


def test_a_cut_may_ask_for_energies(run, tmp_path, calibration, monkeypatch, capsys):
    small_blocks(monkeypatch)
    frame = pd.read_hdf(run[1])
    expected = frame.loc[(frame["channel"] == 0) & (frame["trap_max"] > 20_000), "event_number"].tolist()
    assert 5 < len(expected) < len(passing(run[1]))
    out = tmp_path / "high.h5"
    words = ["--cut", "trap_max_kev > 1000", "-o", str(out)]
    assert main(["select", *map(str, run), *words, "--calibration", str(calibration)]) == 0
    assert pd.read_hdf(out, CARD)["event_number"].tolist() == expected
    with TierFile(out) as file:
        made = json.loads(file.texts("/")["selection"])
    assert (made["cut"], made["calibration"]) == ("trap_max_kev > 1000", "cal.json")
    calibration.write_text(calibration.read_text().replace("0.05", "0.06"))
    assert main(["select", *map(str, run), *words, "--calibration", str(calibration)]) == 1
    assert "is there already and is not this selection" in capsys.readouterr().err
    assert main(["select", *map(str, run), "--cut", "trap_max_kev > 1000", "-o", str(tmp_path / "b.h5")]) == 1
    assert "no column 'trap_max_kev'; energies need a calibration" in capsys.readouterr().err


def test_energies_are_exported_and_cut_on(run, tmp_path, calibration, capsys):
    table, words = tmp_path / "t.csv", ["--cut", "trap_max_kev > 1000 & ~is_pulser", "--columns", "trap_max"]
    assert main(["export", str(run[1]), str(table), *words, "--calibration", str(calibration)]) == 0
    written, frame = pd.read_csv(table), pd.read_hdf(run[1])
    heights = frame.loc[(frame["channel"] == 0) & (frame["trap_max"] > 20_000), "trap_max"]
    assert written["trap_max"].tolist() == pytest.approx(heights.tolist())
    assert written["trap_max_kev"].tolist() == pytest.approx((0.05 * heights).tolist())
    assert main(["export", str(run[1]), str(tmp_path / "u.csv"), *words]) == 1
    assert "no column 'trap_max_kev'; energies need a calibration" in capsys.readouterr().err
    assert not (tmp_path / "u.csv").exists()


def test_the_command_selects(run, tmp_path, capsys):
    out = tmp_path / "high.h5"
    assert main(["select", *map(str, run), "--cut", "trap_max > 20000", "-o", str(out)]) == 0
    assert f"{len(passing(run[1]))} events" in capsys.readouterr().out
    assert len(pd.read_hdf(out, CARD)) == len(passing(run[1]))
