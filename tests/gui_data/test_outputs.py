"""Tests how the files of an earlier session are found and read, with files that the library wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.processing.tier1 import ProcessTier1
from pygama.progress import Note, Partial
from pygama.retrieve import select_events
from pygama.simulate import RunShape, write_run
from pygama_gui.data.outputs import find_outputs, read_columns
from pygama_gui.data.samples import Tier1Waveforms
from pygama_gui.data.selection import Selection
from pygama_gui.session.files import read_run
from pygama_gui.session.state import Run
from pygama_gui.session.tier_files import kind_of

SHAPE = RunShape(run_number=12, n_events=300, n_samples=1000, cards=(8, 9), channels=(0, 1), damaged=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("out")
    process_run(write_run(made / "Run12", SHAPE), output_dir=made)
    return made


@pytest.fixture
def run(folder: Path) -> Run:
    return read_run(folder / "Run12")


def test_the_files_of_a_run_are_found(run, folder):
    found = find_outputs(run, folder)
    assert found is not None
    assert [path.name for path in found.paths] == ["t1_run12.h5", "t2_run12.h5"]
    assert found.n_rows == 300
    assert found.raw_bytes == (folder / "Run12").stat().st_size
    gone = find_outputs(replace(run, path=folder / "gone" / "Run12"), folder)
    assert gone is not None
    assert gone.raw_bytes == 0


def test_what_a_pass_warned_of_is_found_in_its_files(run, folder, tmp_path):
    told: list[str] = []

    def tell(message):
        if isinstance(message, Note) and message.level == "warning":
            told.append(message.text)

    process_run(run.path, output_dir=tmp_path, skip=[5], tell=tell)
    found, without = find_outputs(run, tmp_path), find_outputs(run, folder)
    assert found is not None
    assert without is not None
    assert list(found.warned) == told
    assert [text for text in told if text not in without.warned] == [
        "nothing was left out at bytes 5: no record that is decoded begins there"
    ]


@pytest.mark.parametrize(
    "change",
    [{"run_number": 13}, {"sub_run": 1}, {"start_time": 5}, {"path": Path("Run12b")}, {"suffix": ".1"}],
)
def test_files_of_another_run_are_not_taken(run, folder, change):
    assert find_outputs(replace(run, **change), folder) is None


def test_a_file_that_is_damaged_is_not_taken(run, folder, tmp_path):
    whole = (folder / "t2_run12.h5").read_bytes()
    (tmp_path / "t2_run12.h5").write_bytes(whole[: len(whole) // 3])
    assert find_outputs(run, tmp_path) is None


def test_rows_without_their_waveforms_are_found(run, folder, tmp_path):
    (tmp_path / "t2_run12.h5").write_bytes((folder / "t2_run12.h5").read_bytes())
    found = find_outputs(run, tmp_path)
    assert found is not None
    assert found.tier1 is None


def test_the_rows_read_are_those_that_were_told(run, folder, tmp_path):
    told: list[np.ndarray] = []

    def tell(message):
        if isinstance(message, Partial):
            told.append(message.columns["trap_max"])

    process_run(run.path, output_dir=tmp_path, tell=tell)
    read = [columns["trap_max"] for columns in read_columns(folder / "t2_run12.h5")]
    np.testing.assert_array_equal(np.concatenate(read), np.concatenate(told))


def test_waveforms_of_one_channel_of_one_card_are_read(folder):
    file = Tier1Waveforms(folder / "t1_run12.h5")
    channels = {file.sample(place).channel for place in range(file.count())}
    assert len(channels) == 4
    assert sum(file.count(Selection(channel)) for channel in channels) == 300
    one = max(channels)
    only = Selection(one)
    assert {file.sample(place, only).channel for place in range(file.count(only))} == {one}
    file.close()


def test_a_run_without_events_is_known_by_its_tier_1_file(tmp_path):
    raw = write_run(tmp_path / "Run13", replace(SHAPE, run_number=13, n_events=0))
    process_run(raw, output_dir=tmp_path)
    found = find_outputs(read_run(raw), tmp_path)
    assert found is not None
    assert [path.name for path in found.paths] == ["t1_run13.h5"]
    assert found.n_rows == 0


def test_waveforms_that_were_not_made_into_numbers_are_no_finished_run(run, folder, tmp_path):
    (tmp_path / "t1_run12.h5").write_bytes((folder / "t1_run12.h5").read_bytes())
    assert find_outputs(run, tmp_path) is None


def test_the_tier_2_file_that_was_given_goes_first_until_the_run_is_redone(folder, tmp_path):
    given = folder / "t2_run12.h5"
    run = replace(kind_of(given).run, tier1=folder / "t1_run12.h5")
    made = ProcessTier1(folder / "t1_run12.h5", Tier1Processor(default_list=True), out_dir=tmp_path)
    first, then = find_outputs(run, tmp_path), find_outputs(replace(run, is_redone=True), tmp_path)
    assert first is not None
    assert first.paths == (folder / "t1_run12.h5", given)
    assert then is not None
    assert then.paths == (folder / "t1_run12.h5", made)
    made.unlink()
    assert find_outputs(replace(run, is_redone=True), tmp_path) == first


def test_what_was_made_of_a_tier_1_file_is_found_in_the_output_folder(folder, tmp_path):
    run = kind_of(folder / "t1_run12.h5").run
    assert find_outputs(run, tmp_path) is None
    made = ProcessTier1(run.path, Tier1Processor(default_list=True), out_dir=tmp_path)
    found = find_outputs(run, tmp_path)
    assert found is not None
    assert (found.paths, found.n_rows) == ((run.path, made), 300)


def test_tier_2_of_a_selection_is_not_taken_for_that_of_the_run(run, folder, tmp_path):
    tier1, tier2 = folder / "t1_run12.h5", folder / "t2_run12.h5"
    select_events(tier1, tier2, "trap_max > 0", passing := tmp_path / "t1_run12_passing.h5")
    ProcessTier1(passing, Tier1Processor(default_list=True), out_dir=tmp_path)
    assert find_outputs(run, tmp_path) is None
    assert find_outputs(kind_of(tier1).run, tmp_path) is None
    assert find_outputs(kind_of(passing).run, tmp_path) is not None


def test_a_given_file_that_is_gone_is_not_found(folder, tmp_path):
    run = kind_of(folder / "t2_run12.h5").run
    assert find_outputs(replace(run, tier2=tmp_path / "t2_run12.h5"), folder) is None
