import json
import logging
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pygama.errors import OutputError
from pygama.storage.publish import Draft, Owner, this_process

PROC = Path("/proc/self/stat").exists()
"""Only Linux says when a process started and that it is a zombie."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "t1_run72.h5"


def lock_of(path, owner):
    """Leave a lock as another process would."""
    lock = path.with_name("t1_run72.h5.lock")
    lock.write_text(json.dumps({"host": owner.host, "pid": owner.pid, "started": owner.started}))
    return lock


@pytest.fixture
def ended():
    """A process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return Owner(socket.gethostname(), process.pid, "1")


def test_a_finished_part_takes_the_place_of_the_old_file(path):
    path.write_text("old")
    draft = Draft(path)
    draft.part.write_text("new")
    assert path.read_text() == "old"
    draft.publish()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_discarded_part_leaves_the_old_file(path):
    path.write_text("old")
    draft = Draft(path)
    draft.part.write_text("new")
    draft.discard()
    draft.discard()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_the_lock_says_who_writes(path):
    draft = Draft(path)
    said = json.loads(draft.lock.read_text())
    assert (said["host"], said["pid"]) == (socket.gethostname(), os.getpid())
    draft.discard()


def test_a_live_process_keeps_its_lock(path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock = lock_of(path, Owner(socket.gethostname(), process.pid))
    with pytest.raises(OutputError, match=rf"written by process {process.pid} on '.*'; wait .* delete"):
        Draft(path)
    assert lock.exists()
    process.communicate(b"\n")


def test_the_lock_of_another_computer_is_kept(path):
    lock = lock_of(path, Owner("far.away", 1))
    with pytest.raises(OutputError, match="process 1 on 'far.away'"):
        Draft(path)
    assert lock.exists()


def test_the_lock_and_part_of_a_dead_process_are_removed_with_a_line_in_the_log(path, ended, caplog):
    lock_of(path, ended)
    path.with_name("t1_run72.h5.part").write_text("unfinished")
    with caplog.at_level(logging.WARNING):
        draft = Draft(path)
    assert [record.getMessage() for record in caplog.records] == [
        "t1_run72.h5.lock: removed the lock of a process that has ended",
        "t1_run72.h5.part: removed what an earlier, unfinished attempt had left",
    ]
    assert not draft.part.exists()
    draft.discard()
    assert list(path.parent.iterdir()) == []


@pytest.mark.skipif(not PROC, reason="no /proc")
def test_another_process_of_the_same_number_does_not_keep_a_lock(path):
    now = this_process()
    lock_of(path, Owner(now.host, now.pid, str(int(now.started) - 1)))
    Draft(path).discard()


@pytest.mark.skipif(not PROC, reason="no /proc")
def test_a_killed_process_that_nobody_asked_after_does_not_keep_a_lock():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner(socket.gethostname(), process.pid, "1")
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not owner.is_alive()
    process.communicate()


def test_a_fresh_lock_without_a_name_is_kept(path):
    path.with_name("t1_run72.h5.lock").write_text("")
    with pytest.raises(OutputError, match="another program"):
        Draft(path)


def test_an_old_lock_without_a_name_is_removed(path):
    lock = path.with_name("t1_run72.h5.lock")
    lock.write_text("")
    os.utime(lock, (0, 0))
    Draft(path).discard()


def test_a_part_that_cannot_take_its_place_is_an_error_of_the_output(path):
    path.mkdir()
    (path / "x").write_text("")
    draft = Draft(path)
    draft.part.write_text("new")
    with pytest.raises(OutputError, match="cannot be written"):
        draft.publish()
    draft.discard()
    assert list(path.parent.iterdir()) == [path]
