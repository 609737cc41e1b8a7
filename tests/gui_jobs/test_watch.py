"""New runs in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pygama.simulate import RunShape, write_run
from pygama_gui.jobs.watch import FolderWatch

RUN_RECORD_BYTES = 16


@pytest.fixture
def raw(tmp_path: Path) -> bytes:
    path = write_run(tmp_path / "made", RunShape(run_number=8, n_events=5, n_samples=100))
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path: Path, raw: bytes) -> Path:
    made = tmp_path / "daq"
    made.mkdir()
    (made / "Run7").write_bytes(raw)
    return made


def test_only_runs_that_come_later_are_new(folder: Path, raw: bytes) -> None:
    watch = FolderWatch(folder)
    assert watch.look() == []
    (folder / "Run8").write_bytes(raw)
    (folder / "notes").write_text("no run at all, but long enough")
    (folder / ".hidden").write_bytes(raw)
    assert [new.run.path.name for new in watch.look()] == ["Run8"]
    assert watch.look() == []


def test_a_run_is_taken_when_its_header_is_whole(folder: Path, raw: bytes) -> None:
    watch = FolderWatch(folder)
    watch.look()
    path = folder / "Run8"
    path.write_bytes(raw[:1000])
    assert watch.look() == []
    path.write_bytes(raw[:-RUN_RECORD_BYTES])
    [new] = watch.look()
    assert new.run.run_number == 8
    assert new.is_growing


def test_a_run_that_was_stopped_or_is_old_does_not_grow(folder: Path, raw: bytes) -> None:
    watch = FolderWatch(folder)
    watch.look()
    (folder / "Run8").write_bytes(raw)
    (folder / "Run9").write_bytes(raw[:-RUN_RECORD_BYTES])
    os.utime(folder / "Run9", (1.5e9, 1.5e9))
    assert [new.is_growing for new in watch.look()] == [False, False]


def test_a_folder_that_is_gone_raises_until_it_is_back(folder: Path, raw: bytes) -> None:
    watch = FolderWatch(folder / "later")
    with pytest.raises(FileNotFoundError):
        watch.look()


def test_runs_in_folders_inside_are_found_too(folder: Path, raw: bytes) -> None:
    (folder / "2018" / "09").mkdir(parents=True)
    (folder / "2018" / "09" / "Run6").write_bytes(raw)
    watch = FolderWatch(folder)
    assert watch.look() == []
    (folder / "2018" / "09" / "Run8").write_bytes(raw)
    (folder / "2018" / "10").mkdir()
    (folder / "2018" / "10" / "Run9").write_bytes(raw)
    assert [new.run.path.name for new in watch.look()] == ["Run8", "Run9"]
    assert watch.look() == []


def test_a_folder_that_did_not_change_is_not_read_again(
    folder: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = FolderWatch(folder)
    os.utime(folder, (1.5e9, 1.5e9))
    watch.look()
    monkeypatch.setattr(os, "scandir", lambda _folder: pytest.fail("read again"))
    assert watch.look() == []


def test_folders_that_link_into_themselves_end(folder: Path, raw: bytes) -> None:
    (folder / "again").symlink_to(folder, target_is_directory=True)
    watch = FolderWatch(folder)
    watch.look()
    (folder / "Run8").write_bytes(raw)
    assert [new.run.path.name for new in watch.look()] == ["Run8"]
