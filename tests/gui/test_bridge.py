"""Tests that what the workers tell and what is redrawn for it have their turns."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

import pygama_gui.bridge
from pygama.channel_map import Channel
from pygama.progress import Done, Failed, Message, Partial, Progress, StoppedByRequest
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.codes import code_at
from pygama_gui.session.state import ChannelMap, Run


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


@pytest.mark.parametrize(
    ("told", "ending", "n_rows"),
    [
        (5000, Failed("the worker was ended", ended_after=7), 300),
        (100, Failed("the worker was ended", ended_after=7), 300),
        (100, StoppedByRequest(), 300),
        (5000, Done((), 5000, 1.0), 5000),
    ],
)
def test_a_job_that_came_to_no_end_has_as_many_rows_as_were_handed_over(
    qtbot: QtBot, told: int, ending: Message, n_rows: int
) -> None:
    bridge, run = Bridge(), Run("a", Path("Run7"), 7)
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.take(1, Progress(10, 20, told, told))
    bridge.take(1, Partial("Card", {"trap_max": np.arange(300.0)}))
    bridge.take(1, ending)
    assert bridge.state("a").rows == n_rows
    bridge.close()


def test_a_channel_is_named_as_among_those_of_its_run(bridge: Bridge, a_run: Callable[..., Run]) -> None:
    run, detectors = a_run(), (Channel(0, 5, 1, "V01"), Channel(0, 9, 0, "old", ignore=True))
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    bridge.data[run.run_id].channels = [code_at(place) for place in ("0/5/0", "0/5/1", "0/9/0")]
    assert bridge.channel_name(code_at("0/5/0")) == "card 5 channel 0"
    bridge.change(changes.take_channel_map, ChannelMap(channels=detectors))
    assert bridge.channel_name(code_at("0/5/1"), run.run_id) == "V01"
    assert bridge.channel_name(code_at("0/5/0")) == "channel 0", "the other card is ignored"
