"""Tests the page that is seen while there is no run."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.views.welcome import WelcomeView


def test_the_names_of_what_can_be_done_are_whole_where_the_window_is_smallest(
    qtbot: QtBot, bridge: Bridge
) -> None:
    view = WelcomeView(bridge)
    qtbot.addWidget(view)
    view.resize(view.minimumSizeHint())
    view.show()
    qtbot.waitExposed(view)
    for choice in (view.open_choice, view.demo_choice):
        assert choice.title.width() >= choice.title.sizeHint().width()
