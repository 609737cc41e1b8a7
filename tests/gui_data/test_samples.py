"""Tests how waveforms are found and read in a finished Tier 1 file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pygama.errors import TierFileError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.data.channels import CODE, codes_of
from pygama_gui.data.live import LiveColumns
from pygama_gui.data.outputs import read_columns
from pygama_gui.data.samples import EVERYTHING, Sample, Tier1Waveforms, _joint, bunch_of, joined, spread
from pygama_gui.data.selection import RangeCut, Selection


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    raw = write_run(folder / "Run12", RunShape(run_number=12, n_events=300, n_samples=1000, damaged=0))
    process_run(raw, output_dir=folder)
    return folder


@pytest.fixture(scope="module")
def columns(folder: Path) -> LiveColumns:
    made = LiveColumns()
    for part in read_columns(folder / "t2_run12.h5"):
        made.append({**part, CODE: codes_of(part)})
    return made


@pytest.fixture
def file(folder: Path, columns: LiveColumns) -> Iterator[Tier1Waveforms]:
    made = Tier1Waveforms(folder / "t1_run12.h5", columns)
    yield made
    made.close()


def middle_of(columns: LiveColumns) -> Selection:
    low, high = np.nanquantile(columns.column("trap_max"), [0.4, 0.6])
    return Selection(cut=RangeCut("trap_max", float(low), float(high)))


def test_only_waveforms_that_pass_the_cut_are_read(file: Tier1Waveforms, columns: LiveColumns) -> None:
    selection = middle_of(columns)
    rows = np.flatnonzero(selection.mask(columns))
    assert 0 < file.count(selection) == len(rows) < 300
    events = [file.sample(place, selection).numbers["event_number"] for place in range(len(rows))]
    assert events == columns.column("event_number")[rows].tolist()


def test_a_file_with_a_table_that_cannot_be_read_is_closed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Path] = []
    close = TierFile.close

    def note(self: TierFile) -> None:
        closed.append(self.path)
        close(self)

    def refuse(self: TierFile, key: str) -> None:
        raise TierFileError(f"{key} is damaged")

    monkeypatch.setattr(TierFile, "close", note)
    monkeypatch.setattr(TierFile, "table", refuse)
    with pytest.raises(TierFileError):
        Tier1Waveforms(folder / "t1_run12.h5")
    assert closed == [folder / "t1_run12.h5"]


def test_rows_are_told_by_event_and_channel_where_tables_do_not_match(
    folder: Path, columns: LiveColumns
) -> None:
    shuffled, order = LiveColumns(), np.random.default_rng(1).permutation(len(columns))[:-1]
    shuffled.append({name: columns.column(name)[order] for name in ("event_number", "trap_max", CODE)})
    file = Tier1Waveforms(folder / "t1_run12.h5", shuffled)
    selection = middle_of(columns)
    expected = set(columns.column("event_number")[order[selection.mask(shuffled)]].tolist())
    found = {file.sample(place, selection).numbers["event_number"] for place in range(file.count(selection))}
    assert found == expected
    file.close()


def test_each_event_and_channel_has_a_number_of_its_own() -> None:
    events, codes = np.meshgrid([0, 1, 2, 1_000_000], [0, 1, 2, (15 << 20) + (31 << 10) + 255])
    assert len(np.unique(_joint(events.ravel(), codes.ravel()))) == 16


def test_channels_are_found_without_reading_all_rows(folder: Path) -> None:
    file = Tier1Waveforms(folder / "t1_run12.h5")  # rows of a channel lie together there
    try:
        few, all_of_them = file.some_codes(1), file.some_codes(300)
        assert len(few) < len(all_of_them) == file.count()
        assert len(np.unique(file.some_codes(16))) == len(np.unique(all_of_them)) == 3
    finally:
        file.close()


def test_an_event_is_found_among_those_that_pass(file: Tier1Waveforms, columns: LiveColumns) -> None:
    selection = middle_of(columns)
    passing = columns.column("event_number")[selection.mask(columns)]
    assert file.place_of(int(passing[3]), selection) == 3
    assert file.place_of(int(columns.column("event_number")[~selection.mask(columns)][0]), selection) is None


@pytest.mark.parametrize("places", [range(10), [0, 1, 7, 150, 299], [299, 0]])
def test_many_waveforms_are_the_same_as_one_by_one(file: Tier1Waveforms, places: list[int]) -> None:
    bunch = file.bunch(places)
    assert bunch is not None
    one_by_one = [file.sample(place) for place in sorted(places)]
    assert (bunch.waveforms == np.stack([one.waveform for one in one_by_one])).all()
    assert bunch.numbers["event_number"].tolist() == [one.numbers["event_number"] for one in one_by_one]


def test_none_of_many_is_nothing(file: Tier1Waveforms) -> None:
    assert file.bunch([], EVERYTHING) is None


def test_all_places_are_chosen_where_all_are_wanted() -> None:
    chosen = np.concatenate(spread(230, 1000))
    assert sorted(chosen.tolist()) == list(range(230))


def test_the_first_places_come_from_all_over_the_file() -> None:
    groups = spread(100_000, 1000)
    assert sum(map(len, groups)) == 1000
    assert [len(group) for group in groups] == [100, 200, 400, 300]
    assert groups[0].max() - groups[0].min() > 50_000
    assert len(np.unique(np.concatenate(groups))) == 1000


def test_nothing_is_chosen_of_nothing() -> None:
    assert spread(0, 1000) == []


def test_waveforms_of_another_length_are_left_out() -> None:
    short, long = Sample("D", np.zeros(5), {"channel": 0}), Sample("D", np.zeros(9), {"channel": 1})
    bunch = bunch_of([short, long, long])
    assert bunch is not None
    assert bunch.waveforms.shape == (2, 9)
    other = bunch_of([short])
    assert other is not None
    assert len(joined([bunch, other])) == 2
