"""Tests that what the workers tell and what is redrawn for it have their turns."""

from __future__ import annotations

import math

import pytest
from pytestqt.qtbot import QtBot

import pygama_gui.bridge
from pygama_gui.bridge import Bridge


class _View:
    """A view that counts how often it was drawn."""

    def __init__(self) -> None:
        self.n_drawn = 0

    def is_in_sight(self) -> bool:
        return True

    def draw_if_due(self) -> None:
        self.n_drawn += 1


@pytest.mark.parametrize(("at_once", "is_drawn"), [(math.inf, 1), (0.0, 0)])
def test_after_much_that_was_heard_views_are_drawn_in_another_turn(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, at_once: float, is_drawn: int
) -> None:
    monkeypatch.setattr(pygama_gui.bridge, "APART_S", at_once)
    bridge, view = Bridge(), _View()
    bridge.redraw_soon(view)
    bridge.timer.stop()  # this one tick alone
    bridge.tick()
    assert view.n_drawn == is_drawn
    qtbot.waitUntil(lambda: view.n_drawn == 1)
    bridge.close()
