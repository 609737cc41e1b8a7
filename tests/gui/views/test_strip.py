"""Tests the status strip: what it says of channels, and that it fits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.strip import StripView


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> StripView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = StripView(bridge)
    qtbot.addWidget(made)
    made.resize(1200, 60)
    made.show()
    qtbot.waitExposed(made)
    return made


def channels(view: StripView, *codes: np.ndarray) -> tuple[str, str]:
    for part in codes:
        partial = madeup.partial(len(part), n_waveforms=1)
        partial.columns["channel"] = part
        view.bridge.take(1, partial)
    view.redraw()
    figure = view.figures["CHANNELS"]
    return figure.value.text(), figure.remark.text()


def test_channels_that_all_have_events_are_well(view: StripView) -> None:
    assert channels(view, np.arange(6000) % 4) == ("✓ 4", "with events")


def test_a_channel_without_new_events_is_quiet(view: StripView) -> None:
    assert channels(view, np.arange(6000) % 4, np.arange(3000) % 3) == ("▲ 4", "channel 3 quiet")


def test_a_channel_with_far_more_events_than_the_others_is_noisy(view: StripView) -> None:
    codes = np.full(4000, 2)
    codes[::40] = np.arange(100) % 5
    assert channels(view, codes) == ("▲ 5", "channel 2 noisy")


def test_a_channel_that_is_rare_is_not_called_quiet(view: StripView) -> None:
    codes = np.zeros(8000, int)
    codes[0] = 1
    assert channels(view, codes) == ("✓ 2", "with events")


def test_a_narrow_strip_keeps_all_values_and_drops_remarks(view: StripView) -> None:
    channels(view, np.arange(6000) % 4)
    assert view.figures["RUN"].remark.isVisible()
    view.resize(700, 60)
    assert not view.figures["RUN"].remark.isVisible()
    assert all(figure.value.isVisible() for name, figure in view.figures.items() if name != "DISK")


def test_a_run_without_events_says_none(view: StripView) -> None:
    view.bridge.take(1, madeup.end(0))
    view.redraw()
    assert view.figures["EVENTS"].value.text() == "0"


def test_no_figure_jumps_while_another_counts(view: StripView) -> None:
    channels(view, np.arange(2000) % 4)
    before = view.figures["RATE"].minimumWidth()
    view.figures["RATE"].show_value("1 Hz")
    view._fit()
    assert view.figures["RATE"].minimumWidth() == before
