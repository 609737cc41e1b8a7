"""Tests that what threads found is handed over, in the main thread and in turns."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama_gui.machine.threads import AWAITED, KINDS, NICENESS, Threads


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
    threads._pools["compute"].submit(lambda: None).result()
    threads.close()
    qapp.processEvents()
    assert told == []


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
