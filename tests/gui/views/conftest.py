"""Gives tests of several views what they begin with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views.strip.view import StripView


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the clock on the wall be nine hours before UTC's."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


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
