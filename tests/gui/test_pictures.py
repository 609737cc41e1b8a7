"""A picture waits for what is still being counted."""

from __future__ import annotations

from threading import Event

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from pygama_gui import pictures
from pygama_gui.bridge import Bridge


def test_a_picture_waits_for_the_threads(bridge: Bridge, qapp: QApplication, monkeypatch):
    monkeypatch.setattr(pictures, "SETTLE_S", 0.02)
    gate, came = Event(), []
    bridge.threads.do("compute", gate.wait, came.append)
    assert not bridge.threads.are_idle
    QTimer.singleShot(200, gate.set)
    pictures.settle(qapp, bridge)
    assert came == [True]
    assert bridge.threads.are_idle


def test_a_picture_is_taken_at_last_of_what_never_ends(bridge: Bridge, qapp: QApplication, monkeypatch):
    monkeypatch.setattr(pictures, "LONGEST_S", 0.05)
    gate = Event()
    bridge.threads.do("compute", gate.wait, lambda _came: None)
    pictures.settle(qapp, bridge)
    assert not bridge.threads.are_idle
    gate.set()


def test_a_picture_waits_no_longer_than_for_what_it_shows(bridge: Bridge, qapp: QApplication):
    asked = []
    pictures.settle(qapp, bridge, lambda: asked.append(True) or len(asked) == 2)
    assert len(asked) == 2
