"""Tests how Tier files are told from others, and which of them are put together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from pygama.errors import TierFileError
from pygama.processing.run import process_run
from pygama.retrieve import select_events
from pygama.simulate import RunShape, write_run
from pygama_gui.session.state import Run
from pygama_gui.session.tier_files import is_of_raw, kind_of, kinds_of, put_together


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the files of two runs."""
    folder = tmp_path_factory.mktemp("made")
    for number in (5, 6):
        shape = RunShape(run_number=number, n_events=60, n_samples=900, pulse_at=400)
        process_run(write_run(folder / f"Run{number}", shape), output_dir=folder)
    return folder


@pytest.fixture
def taken(made: Path, tmp_path: Path):
    """Copy some of the files into a folder of the test's own."""

    def take(*names: str) -> list[Path]:
        return [Path(shutil.copy(made / name, tmp_path / name)) for name in names]

    return take


def runs_of(paths: list[Path]) -> list[Run]:
    kinds, refused = kinds_of(paths)
    assert refused == []
    return put_together(kinds)


def test_a_tier_2_file_tells_its_run_and_the_raw_file(taken) -> None:
    (path,) = taken("t2_run5.h5")
    kind = kind_of(path)
    run = kind.run
    assert (kind.tier, kind.has_events) == (2, True)
    assert (run.path, run.run_number, run.tier1, run.tier2) == (path, 5, None, path)
    assert run.raw_names == ("Run5",)
    assert not run.is_raw
    assert not run.can_be_processed


def test_a_tier_1_file_can_be_processed(taken) -> None:
    (path,) = taken("t1_run5.h5")
    run = kind_of(path).run
    assert (run.tier1, run.tier2) == (path, None)
    assert run.can_be_processed
    assert not run.is_raw


def test_both_files_of_a_run_are_one_run(taken) -> None:
    tier1, tier2 = taken("t1_run5.h5", "t2_run5.h5")
    (run,) = runs_of([tier1, tier2])
    assert (run.path, run.tier1, run.tier2) == (tier2, tier1, tier2)


@pytest.mark.parametrize("given", ["t1_run5.h5", "t2_run5.h5"])
def test_the_other_file_of_the_run_is_found_beside_it(taken, given) -> None:
    tier1, tier2 = taken("t1_run5.h5", "t2_run5.h5")
    (run,) = runs_of([tier1.with_name(given)])
    assert (run.path.name, run.tier1, run.tier2) == (given, tier1, tier2)


def test_the_same_file_twice_is_one_run(taken) -> None:
    (path,) = taken("t2_run5.h5")
    assert len(runs_of([path, path])) == 1


def test_a_file_of_another_run_beside_it_is_left_alone(taken) -> None:
    tier2, other = taken("t2_run5.h5", "t1_run6.h5")
    other.rename(other.with_name("t1_run5.h5"))
    (run,) = runs_of([tier2])
    assert run.tier1 is None


def test_a_selection_of_events_is_not_taken_for_the_whole_run(taken) -> None:
    tier1, tier2 = taken("t1_run5.h5", "t2_run5.h5")
    passing = tier1.with_name("t1_run5_passing.h5")
    select_events(tier1, tier2, "trap_max > 0", passing)
    kind = kind_of(passing)
    assert kind.tier == 1
    assert kind.identity != kind_of(tier1).identity
    (run,) = runs_of([passing])
    assert run.tier2 is None


def test_a_file_knows_the_raw_file_that_it_was_made_of(made: Path) -> None:
    kind = kind_of(made / "t2_run5.h5")
    run = Run(str(made / "Run5"), made / "Run5", 5, 0, kind.run.start_time)
    assert is_of_raw(run, kind.identity)
    assert not is_of_raw(Run(str(made / "Run6"), made / "Run6", 6), kind.identity)


def test_a_table_of_another_program_that_has_channels_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "t2_run72.h5"
    pd.DataFrame({"channel": [1, 2], "energy": [3.0, 4.0]}).to_hdf(path, key="data", format="table")
    kind = kind_of(path)
    assert (kind.tier, kind.run.run_number, kind.run.raw_names) == (2, 72, ("t2_run72.h5",))


@pytest.mark.parametrize(
    ("frame", "name", "key", "why"),
    [
        ({"energy": [3.0]}, "t2_run72.h5", "data", "t2_run72.h5 has no column 'channel'"),
        ({"channel": [1]}, "t2_run72.h5", "data", "t2_run72.h5 has no column of numbers but 'channel'"),
        ({"channel": [1], "energy": [3.0]}, "mine.h5", "data", "mine.h5 does not say its run number"),
        ({"channel": [1], "energy": [3.0]}, "t2_run72.h5", "hits", "no Tier 1 or Tier 2 file: it holds hits"),
    ],
)
def test_what_cannot_be_shown_says_why(tmp_path: Path, frame, name: str, key: str, why: str) -> None:
    pd.DataFrame(frame).to_hdf(tmp_path / name, key=key, format="table")
    with pytest.raises(TierFileError, match=why):
        kind_of(tmp_path / name)


def test_a_file_that_is_cut_short_is_refused_and_the_others_are_taken(taken) -> None:
    whole, cut = taken("t2_run5.h5", "t2_run6.h5")
    cut.write_bytes(cut.read_bytes()[:3000])
    kinds, refused = kinds_of([whole, cut])
    assert [one.path for one in kinds] == [whole]
    ((path, why),) = refused
    assert path == cut
    assert why.startswith("t2_run6.h5 cannot be read as a Tier file")


def test_a_tier_1_file_without_events_is_one_all_the_same(tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=5, n_samples=900, pulse_at=400))
    process_run(raw, output_dir=tmp_path, channels=[99])
    kind = kind_of(tmp_path / "t1_run7.h5")
    assert (kind.tier, kind.has_events) == (1, False)
