from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from pygama import DataSet, dataset
from pygama.__main__ import main
from pygama.analysis.tagging import Tagging, tag_hits, tags_of, wanted_by
from pygama.errors import SettingsError
from pygama.processing.run import process_run
from pygama.retrieve import select_events
from pygama.simulate import RunShape, read_truth, write_run
from pygama.storage import TierFile

US = 1e-6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, np.ndarray]]:
    """Make a run with a pulser, dead time and coincidences; gives its files and the truth of its rows."""
    folder = tmp_path_factory.mktemp("run")
    shape = RunShape(
        n_events=6000,
        n_samples=1024,
        pulse_at=500,
        rate_hz=250.0,
        pulser_hz=5.0,
        dead_time_s=2e-3,
        coincident=0.05,
        seed=8,
    )
    raw = write_run(folder / "Run1", shape)
    t1, t2 = process_run(raw, output_dir=folder).outputs
    truth = read_truth(raw)
    good = truth["damage"] == 0
    names = ("timestamp", "channel", "is_pulser", "is_coincident")
    return t1, t2, {name: truth[name][good] for name in names}


def true_partners(truth: dict[str, np.ndarray]) -> np.ndarray:
    """Give how many hits are at the time of each, itself counted."""
    _, at, counts = np.unique(truth["timestamp"], return_inverse=True, return_counts=True)
    return counts[at]


def test_pulses_of_a_simulated_run_are_told_and_nothing_else(run):
    _, t2, truth = run
    tagged = tags_of(t2, Tagging(has_pulser=True))
    np.testing.assert_array_equal(tagged.columns["is_pulser"], truth["is_pulser"])
    assert truth["is_pulser"].sum() > 250
    assert any("tagging efficiency 100.00 %" in line for line in tagged.lines)


def test_the_pulser_is_looked_for_in_some_channels_alone(run):
    _, t2, truth = run
    tagged = tags_of(t2, Tagging(has_pulser=True, pulser_in=("0/8/0", "0/8/2")))
    wanted = truth["is_pulser"] & (truth["channel"] != 1)
    np.testing.assert_array_equal(tagged.columns["is_pulser"], wanted)
    assert tagged.pulser is not None
    assert list(tagged.pulser.trains) == ["0/8/0", "0/8/2"]
    half = tags_of(t2, Tagging(has_pulser=True, pulser_in=("0/8/0", "0/8/7")))
    assert half.missing == ("pulser: there is no channel 0/8/7",)
    assert half.missing[0] in half.lines
    with pytest.raises(SettingsError, match="channel 0/8/7, which is not there; there are 0/8/0, 0/8/1"):
        tags_of(t2, Tagging(has_pulser=True, pulser_in=("0/8/7",)))


def test_a_pulser_that_is_nowhere_is_told(run):
    _, t2, _ = run
    tagged = tags_of(t2, Tagging(has_pulser=True, amplitude="bl_slope"))
    assert not tagged.columns["is_pulser"].any()
    assert tagged.missing == tagged.lines[:1]
    assert tagged.missing[0].endswith("no hit is marked as a pulse")


def test_coincidences_of_a_simulated_run_are_those_that_were_made(run):
    _, t2, truth = run
    tagged = tags_of(t2, Tagging(has_pulser=True, window_s=US))
    partners = true_partners(truth)
    is_other = tagged.columns["multiplicity"] != partners
    n_by_chance = int(np.count_nonzero(is_other))
    expected = float(tagged.lines[-1].partition("chance makes ")[2].split()[0])
    assert n_by_chance <= 2 * (expected + 4 * np.sqrt(expected) + 1)
    assert n_by_chance < 0.02 * np.count_nonzero(partners > 1)
    assert ((partners > 1) & truth["is_coincident"]).sum() > 300
    assert (tagged.columns["n_channels"] <= tagged.columns["multiplicity"]).all()


def test_the_pulser_is_told_apart_from_other_coincidences(run):
    _, t2, truth = run
    line = tags_of(t2, Tagging(has_pulser=True, window_s=0.0)).lines[-1]
    partners = true_partners(truth)
    n_all = len(np.unique(truth["timestamp"][partners > 1]))
    n_pulser = len(np.unique(truth["timestamp"][(partners > 1) & truth["is_pulser"]]))
    assert f"two channels or more: {n_all}, {n_pulser} of them with the pulser" in line


def test_hits_of_one_event_have_its_number(run):
    _, t2, truth = run
    event = tags_of(t2, Tagging(window_s=0.0)).columns["event"]
    assert event.max() + 1 == len(np.unique(truth["timestamp"]))
    order = np.argsort(truth["timestamp"], kind="stable")
    assert (np.diff(event[order]) >= 0).all()


def made_up(time_s: list[float]) -> dict[str, np.ndarray]:
    n = len(time_s)
    return {"time_s": np.array(time_s), "channel": np.arange(n) % 2, "trap_max": np.arange(n) + 1.0}


def test_a_hit_without_a_time_belongs_to_no_event():
    tagged = tag_hits(made_up([1.0, np.nan, 1.0 + 0.5 * US]), Tagging(window_s=US))
    assert tagged.columns["event"].tolist() == [0, -1, 0]
    assert tagged.columns["multiplicity"].tolist() == [2, 0, 2]
    assert tagged.columns["n_channels"].tolist() == [1, 0, 1]
    assert tagged.lines[-1] == "1 hits have no time, and belong to no event"


def test_a_run_without_a_pulser_has_no_pulses_and_says_why():
    tagged = tag_hits(made_up([1.0, 2.5, 7.0]), Tagging(has_pulser=True))
    assert not tagged.columns["is_pulser"].any()
    assert "too few to find a pulser" in tagged.lines[0]


@pytest.mark.parametrize("lacking", ["time_s", "channel", "trap_max"])
def test_a_column_that_the_pulser_needs_and_is_not_there_is_named(lacking):
    columns = made_up([1.0, 2.0])
    del columns[lacking]
    with pytest.raises(SettingsError, match=f"needs the column '{lacking}'"):
        tag_hits(columns, Tagging(has_pulser=True))


def test_only_what_is_asked_for_is_made():
    tagging = Tagging(window_s=US, same_clock=True)
    assert wanted_by(["trap_max", "is_pulser"], tagging).names == ("is_pulser",)
    assert wanted_by(["n_channels"], tagging) == tagging
    with pytest.raises(SettingsError, match="'event' is known when events were built"):
        wanted_by(["event"], Tagging())


@pytest.mark.parametrize("window_s", [-1e-6, float("nan"), float("inf")])
def test_a_window_that_is_none_is_refused(window_s):
    with pytest.raises(SettingsError, match="0 s or longer"):
        Tagging(window_s=window_s)


def test_waveforms_of_coincidences_without_the_pulser_are_saved(run, tmp_path):
    t1, t2, truth = run
    cut = "~is_pulser & multiplicity == 2"
    tagging = Tagging(window_s=0.0, pulser_in=("0/8/0", "0/8/1", "0/8/2"))
    path = select_events(t1, t2, cut, tmp_path / "two.h5", tagging=tagging)
    wanted = ~truth["is_pulser"] & (true_partners(truth) == 2)
    with TierFile(path) as file:
        rows = file.table("ORSIS3302DecoderForEnergy").column("source_row")
        selection = json.loads(file.texts("/")["selection"])
    assert selection["window_s"] == 0.0
    assert selection["pulser_in"] == ["0/8/0", "0/8/1", "0/8/2"]
    assert "is_sliding" not in selection
    assert rows.tolist() == np.flatnonzero(wanted).tolist()


def test_a_data_set_cuts_by_what_hits_are_together(run):
    _, t2, truth = run
    data = DataSet(t2, tagging=Tagging(window_s=0.0))
    assert data.count("is_pulser") == truth["is_pulser"].sum()
    assert data.column("multiplicity").tolist() == true_partners(truth).tolist()
    with pytest.raises(SettingsError, match="'multiplicity' needs the window"):
        DataSet(t2).count("multiplicity > 1")


def test_the_commands_count_and_export_by_the_pulser_and_by_events(run, tmp_path, capsys):
    _, t2, truth = run
    spectrum, table = tmp_path / "s.csv", tmp_path / "t.csv"
    words = ["--cut", "~is_pulser & n_channels > 1", "--window", "0"]
    assert main(["spectrum", str(t2), "-o", str(spectrum), "--range", "0", "1e6", *words]) == 0
    assert main(["export", str(t2), str(table), "--columns", "time_s", "--pulser", *words]) == 0
    n = np.count_nonzero(~truth["is_pulser"] & (true_partners(truth) > 1))
    said = capsys.readouterr().out
    assert f"{n} counts in" in said
    assert f"{n} rows" in said
    assert table.read_text().splitlines()[0] == "time_s,is_pulser,event,multiplicity,n_channels"


def test_the_command_looks_for_the_pulser_in_some_channels_alone(run, tmp_path):
    _, t2, truth = run
    words = ["--columns", "channel", "--pulser", "--pulser-in", "0/8/1"]
    assert main(["export", str(t2), str(tmp_path / "t.csv"), *words]) == 0
    rows = (tmp_path / "t.csv").read_text().splitlines()[1:]
    wanted = truth["is_pulser"] & (truth["channel"] == 1)
    assert [row == "1,True" for row in rows] == wanted.tolist()


def test_the_command_tells_of_events_with_the_pulser_apart(run, capsys):
    _, t2, _ = run
    assert main(["events", str(t2), "--window", "1e-6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("0/8/0: period 0.2 ")
    assert "with the pulser" in lines[-1]


def test_the_command_finds_the_run_records_beside_the_file(run, capsys):
    _, t2, _ = run
    assert main(["live", str(t2)]) == 0
    assert "run records: real" in capsys.readouterr().out


def test_what_a_whole_run_tells_is_read_by_the_thread_that_asks(run, monkeypatch):
    _, t2, _ = run
    readers = []

    def noted(path, tagging):
        readers.append(threading.current_thread())
        return tags_of(path, tagging)

    monkeypatch.setattr(dataset, "tags_of", noted)
    data = DataSet([t2], tagging=Tagging(window_s=US))
    assert data.count("~is_pulser & n_channels == 1") > 0
    assert data.hist("trap_max", 0, 50_000, 10, cut="is_pulser")[0].sum() > 0
    assert set(readers) == {threading.current_thread()}
