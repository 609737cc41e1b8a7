"""Tests what is found in files and folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
    assert files.find_runs([tmp_path]).refused == ((tmp_path, "no ORCA run in this folder"),)
