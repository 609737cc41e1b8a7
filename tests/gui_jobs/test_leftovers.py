"""What a killed worker left is removed, what others hold is not."""

from __future__ import annotations

import json
import socket

import pytest

from pygama.storage.publish import Draft
from pygama_gui.jobs.leftovers import remove_leftovers, remove_orphans

HERE = socket.gethostname()


def lock_text(host: str, pid: int) -> str:
    return json.dumps({"host": host, "pid": pid, "started": "815"})


def test_the_unfinished_file_and_its_lock_are_removed(tmp_path):
    (tmp_path / "t1_run72.h5").touch()
    part, lock = tmp_path / "t1_run72.h5.part", tmp_path / "t1_run72.h5.lock"
    part.touch()
    lock.write_text(lock_text(HERE, 4711))
    assert remove_leftovers(tmp_path, 4711) == [part, lock]
    assert [path.name for path in tmp_path.iterdir()] == ["t1_run72.h5"]


def test_a_lock_that_its_worker_had_no_time_to_sign_is_removed(tmp_path):
    lock = tmp_path / "a.lock"
    lock.touch()
    made_on = lock.stat().st_mtime
    assert remove_leftovers(tmp_path, 4711, since=made_on + 1) == []
    assert remove_leftovers(tmp_path, 4711, since=made_on) == [lock]


def test_a_lock_without_an_unfinished_file_is_removed(tmp_path):
    (tmp_path / "a.lock").write_text(lock_text(HERE, 4711))
    assert remove_leftovers(tmp_path, 4711) == [tmp_path / "a.lock"]


@pytest.mark.parametrize("text", [lock_text(HERE, 815), lock_text("elsewhere", 4711), "4711", "[4711]", ""])
def test_any_other_lock_is_left(tmp_path, text):
    (tmp_path / "a.lock").write_text(text)
    assert remove_leftovers(tmp_path, 4711) == []


def test_what_a_program_that_ended_left_is_removed(tmp_path):
    lock = tmp_path / "t1_run72.h5.lock"
    lock.write_text(lock_text(HERE, 2**22 - 1))
    assert remove_orphans(tmp_path) == [lock]


def test_what_a_program_at_work_holds_is_left(tmp_path):
    draft = Draft(tmp_path / "t1_run72.h5")
    assert remove_orphans(tmp_path) == []
    draft.discard()


def test_a_folder_that_is_gone_has_nothing_left(tmp_path):
    assert remove_leftovers(tmp_path / "gone", 4711) == []
