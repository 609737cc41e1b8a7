"""What a worker sends and when, seen from the other end of a real pipe."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.errors import Stopped
from pygama.progress import Done, Failed, Message, Note, Partial, Progress, StoppedByRequest
from pygama_gui.jobs import telling
from pygama_gui.jobs.telling import ROOM, SAMPLE_WAVEFORMS, Teller, WaitingPartials


@dataclass
class Line:
    """A Teller, its clock and the window's end of the pipe."""

    window: Connection
    tell: Teller
    now: float = 0.0

    def arrived(self) -> list[Message]:
        messages = []
        while self.window.poll():
            messages.append(self.window.recv())
        return messages


@pytest.fixture
def line() -> Iterator[Line]:
    window, worker = multiprocessing.Pipe()
    made = Line(window, Teller(worker, clock=lambda: made.now))
    yield made
    window.close()
    worker.close()


def progress(step: int) -> Progress:
    return Progress(step, 100, step, step)


def numbers(*values: int) -> Partial:
    return Partial("Card", {"number": np.array(values)})


def values_of(partials: list[Message]) -> list[list[int]]:
    return [partial.columns["number"].tolist() for partial in partials]


def test_what_the_library_warns_of_is_told(line):
    with telling._log_told(line.tell):
        logging.getLogger("pygama.storage.publish").warning("%s: removed a lock", "t1.h5")
    logging.getLogger("pygama.storage.publish").warning("nobody hears it any more")
    assert line.arrived() == [Note("t1.h5: removed a lock", "warning")]


def test_the_first_of_each_kind_is_sent_at_once(line):
    line.tell(progress(1))
    line.tell(numbers(1))
    assert [type(message) for message in line.arrived()] == [Progress, Partial]


def test_progress_between_two_sendings_is_dropped(line):
    for step in range(5):
        line.tell(progress(step))
    line.now = 0.11
    line.tell(progress(5))
    assert line.arrived() == [progress(0), progress(5)]


def test_signs_of_life_of_a_quiet_run_are_the_rarer_the_longer_nothing_came(line):
    line.tell(progress(1))
    line.arrived()
    line.window.send(1)  # heard
    signs = []
    for tenth in range(1, 3000):
        line.now = tenth / 10
        line.tell.goes_on()
        if line.arrived():
            signs.append(line.now)
            line.window.send(len(signs) + 1)  # heard
    gaps = np.diff(signs)
    assert signs[0] == pytest.approx(1.0)
    assert gaps[:5] == pytest.approx(1.0, abs=0.11)
    assert gaps[np.searchsorted(signs, 60.0)] == pytest.approx(5.5, abs=0.5)
    assert gaps[-1] == pytest.approx(10.1, abs=0.11)


def test_partials_between_two_sendings_are_joined(line):
    for step in range(5):
        line.tell(numbers(step))
    line.now = 0.11
    line.tell(numbers(5, 6))
    assert values_of(line.arrived()) == [[0], [1, 2, 3, 4, 5, 6]]


def test_an_empty_partial_does_not_take_the_place_of_the_first(line):
    line.tell(numbers())
    line.tell(numbers(7))
    assert values_of(line.arrived()) == [[7]]


def test_what_waits_is_sent_before_the_end(line):
    for step in range(3):
        line.tell(numbers(step))
        line.tell(progress(step))
    line.tell(Done((), 3, 0.1))
    heard = line.arrived()
    assert values_of(heard[:1] + heard[2:3]) == [[0], [1, 2]]
    assert heard[3:] == [progress(2), Done((), 3, 0.1)]


def test_nothing_is_sent_after_the_end(line):
    line.tell(Done((), 3, 0.1))
    line.tell.end(Failed("too late"))
    assert line.arrived() == [Done((), 3, 0.1)]


def test_a_stop_is_raised_at_the_next_message(line):
    line.window.send("stop")
    with pytest.raises(Stopped):
        line.tell(progress(1))


def test_notes_of_the_cleaning_up_are_sent_after_a_stop(line):
    line.window.send("stop")
    with pytest.raises(Stopped):
        line.tell(progress(1))
    line.tell(Note("removed the unfinished file"))
    assert line.arrived() == [Note("removed the unfinished file")]


def test_a_job_that_is_done_when_the_stop_comes_is_done(line):
    line.window.send("stop")
    line.tell(Done((), 3, 0.1))
    assert line.arrived() == [Done((), 3, 0.1)]


def test_a_window_that_is_gone_stops_the_work(line):
    line.window.close()
    with pytest.raises(Stopped):
        line.tell(progress(1))
    line.tell.end(StoppedByRequest())


def tell_apart(line: Line, *messages: Message) -> threading.Thread:
    """Tell from another thread, as the worker does while the window goes on."""
    thread = threading.Thread(target=lambda: [line.tell(message) for message in messages])
    thread.start()
    return thread


def test_a_paused_job_waits_and_shows_what_it_has(line):
    line.tell(numbers(1))
    line.tell(numbers(2))
    line.window.send("pause")
    thread = tell_apart(line, numbers(3))
    assert values_of([line.window.recv(), line.window.recv()]) == [[1], [2]]
    assert thread.is_alive()
    line.window.send("resume")
    thread.join(10)
    assert not thread.is_alive()


def test_a_window_that_does_not_hear_is_sent_no_more_than_there_is_room_for(line):
    for step in range(100):
        line.now = step
        line.tell(numbers(step))
    assert len(line.arrived()) == ROOM


def test_what_was_held_back_arrives_once_the_window_hears_again(line):
    for step in range(100):
        line.now = step
        line.tell(numbers(step))
    line.window.send(len(line.arrived()))
    line.tell(numbers(100))
    assert values_of(line.arrived()) == [list(range(ROOM, 101))]


def test_the_work_waits_when_too_much_is_held_back(line, monkeypatch):
    monkeypatch.setattr(telling, "PENDING_BYTES", 80)
    for step in range(ROOM):
        line.tell(Note(str(step)))
    thread = tell_apart(line, *[numbers(step) for step in range(12)])  # 8 bytes each
    thread.join(0.1)
    assert thread.is_alive()
    line.window.send(len(line.arrived()))
    thread.join(10)
    line.tell(Done((), 0, 0.0))
    assert values_of(line.arrived()[:-1]) == [list(range(11)), [11]]


def test_work_that_waits_for_the_window_can_be_stopped(line):
    for step in range(ROOM):
        line.tell(Note(str(step)))
    line.window.send("stop")
    with pytest.raises(Stopped):
        line.tell(Note("one too many"))


@given(st.lists(st.lists(st.integers(0, 99), max_size=4), max_size=12))
def test_joining_keeps_every_row_in_order(blocks):
    waiting = WaitingPartials()
    for block in blocks:
        waiting.add(numbers(*block))
    joined = [value for partial in waiting.take() for value in partial.columns["number"].tolist()]
    assert joined == [value for block in blocks for value in block]


def test_decoders_and_other_columns_are_kept_apart():
    waiting = WaitingPartials()
    waiting.add(Partial("A", {"x": np.array([1])}))
    waiting.add(Partial("B", {"x": np.array([2])}))
    waiting.add(Partial("A", {"y": np.array([3])}))
    assert [(one.decoder, list(one.columns)) for one in waiting.take()] == [
        ("A", ["x"]),
        ("B", ["x"]),
        ("A", ["y"]),
    ]


def test_of_the_sample_waveforms_the_newest_are_kept_with_their_rows():
    waiting = WaitingPartials()
    for start in (0, 20, 40):
        at = np.arange(start, start + 20)
        waiting.add(Partial("A", {"x": at}, np.repeat(at[:, None], 3, axis=1), {"x": at}))
    partial = waiting.take()[0]
    np.testing.assert_array_equal(partial.waveforms[:, 0], np.arange(60 - SAMPLE_WAVEFORMS, 60))
    np.testing.assert_array_equal(partial.waveform_rows["x"], partial.waveforms[:, 0])


def test_waveforms_of_another_length_take_the_place_of_the_old():
    waiting = WaitingPartials()
    waiting.add(Partial("A", {"x": np.array([1])}, np.zeros((1, 3))))
    waiting.add(Partial("A", {"x": np.array([2])}, np.zeros((2, 5))))
    assert waiting.take()[0].waveforms.shape == (2, 5)


def test_arrays_may_be_used_again_by_the_work():
    waiting = WaitingPartials()
    row, wave = np.array([1]), np.array([[1]])
    waiting.add(Partial("A", {"x": row}, wave, {"x": row}))
    row[:] = wave[:] = 9
    partial = waiting.take()[0]
    assert (partial.columns["x"][0], partial.waveforms[0, 0], partial.waveform_rows["x"][0]) == (1, 1, 1)
