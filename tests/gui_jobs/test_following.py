"""When a file that grows is taken for finished."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pygama.progress import Message, Note
from pygama.simulate import RunShape, write_run
from pygama_gui.jobs.following import Follower, ends_with_stop
from pygama_gui.jobs.spec import JobSpec

RUN_RECORD_BYTES = 16


class Told(list[Message]):
    """A `tell` that may be told to finish."""

    wanted = True

    def __call__(self, message: Message) -> None:
        self.append(message)

    def goes_on(self) -> bool:
        return self.wanted


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write_run(tmp_path / "Run8", RunShape(run_number=8, n_events=30, n_samples=200))


@pytest.fixture
def growing(whole: Path, tmp_path: Path) -> Path:
    path = tmp_path / "Run8.part"
    path.write_bytes(whole.read_bytes()[:-RUN_RECORD_BYTES])
    return path


def test_a_run_that_was_stopped_says_so_in_its_last_record(whole: Path, growing: Path) -> None:
    assert ends_with_stop(whole)
    assert not ends_with_stop(growing)
    assert not ends_with_stop(growing.with_name("nothing"))


def test_it_goes_on_until_the_stop_comes(whole: Path, growing: Path) -> None:
    told = Told()
    follower = Follower(JobSpec(growing, growing.parent, follow_s=60.0), told)
    assert follower()
    growing.write_bytes(whole.read_bytes())
    assert not follower()
    assert not follower(), "asked again, when the last piece has been read"
    assert told == [Note("the run was stopped; all of it is there")]


def test_it_ends_when_nothing_came_for_long(growing: Path) -> None:
    now = [0.0]
    told = Told()
    follower = Follower(JobSpec(growing, growing.parent, follow_s=60.0), told, lambda: now[0])
    assert follower()
    now[0] = 59.0
    assert follower()
    with growing.open("ab") as file:
        file.write(bytes(4))
    assert follower()
    now[0] = 118.0
    assert follower()
    now[0] = 119.0
    assert not follower()
    assert told[0].text == "nothing came for 1 min: the run is taken for finished"  # type: ignore[union-attr]


def test_a_file_that_may_be_finished_is_given_a_minute_from_its_last_write(growing: Path) -> None:
    os.utime(growing, (time.time() - 40.0,) * 2)
    now = [0.0]
    told = Told()
    spec = JobSpec(growing, growing.parent, follow_s=600.0, proof_s=60.0)
    follower = Follower(spec, told, lambda: now[0])
    assert follower()
    now[0] = 19.0
    assert follower()
    now[0] = 21.0
    assert not follower()
    assert told == [Note("its file has not grown: the run is taken for finished")]


def test_a_file_that_began_to_grow_late_is_followed_with_all_patience(growing: Path) -> None:
    now = [0.0]
    told = Told()
    spec = JobSpec(growing, growing.parent, follow_s=600.0, proof_s=60.0)
    follower = Follower(spec, told, lambda: now[0])
    assert follower()
    now[0] = 30.0
    assert follower()
    with growing.open("ab") as file:
        file.write(bytes(4))
    assert follower()
    now[0] = 629.0
    assert follower()
    now[0] = 630.5
    assert not follower()
    assert told == [Note("nothing came for 10 min: the run is taken for finished", "warning")]


def test_it_ends_on_request(growing: Path) -> None:
    told = Told()
    follower = Follower(JobSpec(growing, growing.parent, follow_s=60.0), told)
    told.wanted = False
    assert not follower()
