"""Tests that what threads found is handed over, in the main thread and in turns."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import pygama_gui.machine.threads
from pygama_gui.machine.threads import AWAITED, FREE, KINDS, NICENESS, Kind, Threads


@pytest.fixture
def threads(qapp: QApplication) -> Iterator[Threads]:
    made = Threads()
    yield made
    made.close()


def test_answers_that_come_together_are_handed_over_in_turns(
    qtbot: QtBot, qapp: QApplication, threads: Threads
) -> None:
    told: list[str] = []
    for name in ("first", "second"):
        threads.do("compute", lambda name=name: name, told.append)
    threads._send_asked()
    threads._pools["compute"].submit(lambda: None).result()
    qapp.sendPostedEvents(None, QEvent.Type.MetaCall)  # both have come back
    assert told == ["first"]
    qtbot.waitUntil(lambda: threads.are_idle)
    assert told == ["first", "second"]


def test_answers_are_handed_over_in_the_order_in_which_they_came(qtbot: QtBot, threads: Threads) -> None:
    told: list[int] = []
    for number in range(20):
        threads.do("compute", lambda number=number: number, told.append)
    qtbot.waitUntil(lambda: threads.are_idle)
    assert told == list(range(20))


def test_nothing_is_handed_over_after_the_end(qapp: QApplication, threads: Threads) -> None:
    told: list[int] = []
    for number in range(3):
        threads.do("compute", lambda number=number: number, told.append)
    threads._send_asked()
    threads._pools["compute"].submit(lambda: None).result()
    threads.close()
    qapp.processEvents()
    assert told == []


def test_what_was_asked_for_in_the_last_turn_is_not_begun_after_the_end(
    qapp: QApplication, threads: Threads
) -> None:
    begun: list[int] = []
    threads.do("compute", lambda: begun.append(1), begun.append)
    threads.close()
    qapp.processEvents()
    assert begun == []
    assert threads.are_idle


@pytest.mark.parametrize("kind", KINDS)
def test_work_begins_when_what_asked_for_it_is_done_unless_a_hand_is_followed(
    qtbot: QtBot, threads: Threads, kind: Kind
) -> None:
    begun: list[Kind] = []
    threads.do(kind, lambda: begun.append(kind), lambda _nothing: None)
    threads._pools[kind].submit(lambda: None).result()  # the thread has nothing to do
    assert begun == ([kind] if kind in FREE else [])
    qtbot.waitUntil(lambda: threads.are_idle)
    assert begun == [kind]


def test_work_of_other_kinds_waits_for_its_turn(
    qtbot: QtBot, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("ALONE_S", "AWAITED_S"):
        monkeypatch.setattr(pygama_gui.machine.threads, patience, 1e3)
    under_way = threading.Semaphore(1)

    def alone() -> bool:
        if not under_way.acquire(blocking=False):
            return False
        time.sleep(0.01)
        under_way.release()
        return True

    told: list[bool] = []
    waiting = [kind for kind in KINDS if kind not in FREE]
    for kind in waiting:
        threads.do(kind, alone, told.append)
    qtbot.waitUntil(lambda: threads.are_idle)
    assert told == [True] * len(waiting)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "compute"])
def test_nothing_waits_long_for_work_that_takes_long(qtbot: QtBot, threads: Threads, kind: Kind) -> None:
    both, told = threading.Barrier(2, timeout=20), []
    for one in ("compute", kind):
        threads.do(one, both.wait, told.append)  # ends only when the other is under way too
    qtbot.waitUntil(lambda: threads.are_idle)
    assert sorted(told) == [0, 1]


@pytest.mark.parametrize("kind", FREE)
def test_what_leaves_the_interpreter_to_others_waits_for_nobody(
    qtbot: QtBot, threads: Threads, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    monkeypatch.setattr(pygama_gui.machine.threads, "ALONE_S", 1e3)
    both, told = threading.Barrier(2, timeout=20), []
    for one in ("compute", kind):
        threads.do(one, both.wait, told.append)
    qtbot.waitUntil(lambda: threads.are_idle)
    assert sorted(told) == [0, 1]


def test_the_turns_end_when_all_is_handed_over(qtbot: QtBot, threads: Threads) -> None:
    for _ in range(3):
        threads.do("compute", lambda: None, lambda _found: None)
    qtbot.waitUntil(lambda: threads.are_idle and not threads._turn.isActive())


def test_threads_that_were_warmed_up_are_there_before_work_is_asked_for(threads: Threads) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    threads.warm_up()
    new = [thread.name for thread in threading.enumerate() if thread.ident not in before]
    assert sorted(name.rpartition("_")[0] for name in new) == sorted(KINDS)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux sets threads back one by one")
def test_threads_that_nobody_waits_for_stand_back_behind_the_loop(threads: Threads) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    ours = niceness()
    theirs = {kind: threads._pools[kind].submit(niceness).result() for kind in KINDS}
    assert {theirs.pop(kind) for kind in AWAITED} == {ours}
    assert set(theirs.values()) == {min(ours + NICENESS, 19)}
