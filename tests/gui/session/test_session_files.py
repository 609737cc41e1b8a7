"""Tests what is found in files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pygama.simulate import RunShape, write_run
from pygama_gui.session import files


def test_a_folder_gives_all_runs_in_it(tmp_path: Path, real_run: Callable[[str], Path]) -> None:
    whole = real_run("2018-9-25-Th228Run9001").read_bytes()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "Run9001").write_bytes(whole[:200_000])
    (tmp_path / "notes").write_text("nothing that a run could be")
    found = files.find_runs([tmp_path])
    assert [run.run_number for run in found.runs] == [9001]
    assert found.refused == ()


def test_a_file_that_was_named_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("nothing that a run could be, however long it may get")
    found = files.find_runs([tmp_path / "notes", tmp_path / "gone"])
    assert [path.name for path, _ in found.refused] == ["notes", "gone"]
    assert all(reason for _, reason in found.refused)


def test_a_text_that_is_named_like_hdf5_is_refused_as_what_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "t2.h5").write_text("a text, however long it may get to be")
    ((_, reason),) = files.find_runs([tmp_path / "t2.h5"]).refused
    assert reason == "t2.h5 is no HDF5 file, whatever its name says; nor is it ORCA data"


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    why = "no ORCA run and no Tier file in this folder"
    assert files.find_runs([tmp_path]).refused == ((tmp_path, why),)


def test_a_tier_file_that_is_gone_is_not_told_to_be_another_format(tmp_path: Path) -> None:
    ((_, reason),) = files.find_runs([tmp_path / "t2_run72.h5"]).refused
    assert reason == files.find_runs([tmp_path / "Run72"]).refused[0][1].replace("Run72", "t2_run72.h5")
    assert "HDF5" not in reason


def test_a_folder_without_raw_files_gives_its_tier_files(tmp_path: Path) -> None:
    for name in ("t2_run72.h5", "t1_run72.h5", "other.h5"):
        (tmp_path / name).write_bytes(files.HDF5)
    (tmp_path / "t2_run73.h5").write_bytes(b"no HDF5")
    found = files.find_runs([tmp_path])
    assert (found.runs, found.refused) == ((), ())
    assert [path.name for path in found.hdf5] == ["t1_run72.h5", "t2_run72.h5"]


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with a run, a file and a folder that nobody may open."""
    write_run(tmp_path / "Run7", RunShape(run_number=7, n_events=3))
    (tmp_path / "Run8").write_bytes(b"x" * 100)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "Run9").write_bytes(b"x" * 100)
    (tmp_path / "Run8").chmod(0)
    (tmp_path / "kept").chmod(0o400)
    if os.access(tmp_path / "Run8", os.R_OK):
        (tmp_path / "kept").chmod(0o700)
        pytest.skip("this user may open every file")
    yield tmp_path
    (tmp_path / "kept").chmod(0o700)


def test_what_may_not_be_opened_is_said_of_a_folder_beside_its_runs(closed: Path) -> None:
    found = files.find_runs([closed])
    assert [run.run_number for run in found.runs] == [7]
    assert found.refused == ((closed, "Run8 and 1 more cannot be opened (no permission)"),)


def test_a_file_or_folder_that_may_not_be_opened_says_so(closed: Path) -> None:
    (closed / "kept").chmod(0)
    reasons = [reason for _, reason in files.find_runs([closed / "kept", closed / "Run8"]).refused]
    assert reasons == [
        "cannot be opened (Permission denied)",
        "Run8 cannot be opened (Permission denied)",
    ]
