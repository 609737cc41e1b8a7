"""Gives tests of several views what they begin with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views.strip.view import StripView


@pytest.fixture
def strip(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> StripView:
    """Give a strip on screen, with a run whose job tells what the test has it tell."""
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = StripView(bridge)
    qtbot.addWidget(made)
    made.resize(1200, 60)
    made.show()
    qtbot.waitExposed(made)
    return made
