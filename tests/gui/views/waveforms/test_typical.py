"""Tests how the most typical and the most extreme waveforms are drawn, named and gone to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from pygama.utils import grouped
from pygama_gui.bridge import Bridge
from pygama_gui.data.typical import Extremes, Picked
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.waveforms.typical import event_of, extremes_html, picked_words
from pygama_gui.views.waveforms.view import WaveformView
from pygama_gui.widgets import theme

WAIT_MS = 60_000
N = 14
ODD = 9
"""The waveform that is turned upside down."""


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> Iterator[WaveformView]:
    """A view of a run under way with one odd waveform among many."""
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    message = madeup.partial(N, n_waveforms=N)
    for at in range(N):
        message.waveforms[at] = madeup.pulse(3000.0 + 500 * at, seed=at)
    message.waveforms[ODD] = message.waveforms[ODD][::-1]
    message.waveform_rows["trap_max"][:] = message.columns["trap_max"][:] = 3000.0 + 500 * np.arange(N)
    bridge.take(1, message)
    made = WaveformView(bridge)
    qtbot.addWidget(made)
    made.resize(900, 420)
    made.show()
    qtbot.waitExposed(made)
    made.browser.begin_anew()
    yield made


def shown(qtbot: QtBot, view: WaveformView, picture: str) -> list[int]:
    """Show a picture and wait for its words; give the events that are named."""
    view.choose(picture=picture)

    def are_there() -> bool:
        view.bridge.tick()
        return view.extremes.words.isVisible()

    qtbot.waitUntil(are_there, timeout=WAIT_MS)
    return [int(number) for number in re.findall(r'href="event:(\d+)"', view.extremes.words.text())]


def event_number(view: WaveformView, at: int) -> int:
    live = view.browser.live
    assert live is not None
    return int(live.samples.of(None)[at].numbers["event_number"])


def test_five_of_each_kind_are_drawn_and_named_over_the_density(qtbot: QtBot, view: WaveformView) -> None:
    named = shown(qtbot, view, "density")
    assert len(set(named)) == 10
    assert named[5] == event_number(view, ODD)
    drawn = [curve for curves in view.extremes.curves.values() for curve in curves if len(curve.xData)]
    assert len(drawn) == 10


def test_a_click_on_an_event_shows_its_waveform(qtbot: QtBot, view: WaveformView) -> None:
    named = shown(qtbot, view, "density")
    view.extremes.words.linkActivated.emit(f"event:{named[5]}")
    view.redraw()
    assert view.choice.picture == "traces"
    assert view.sample is not None
    assert view.sample.numbers["event_number"] == named[5]
    assert not view.extremes.words.isVisible()


def test_an_event_outside_of_the_cut_is_shown_though_it_does_not_pass(
    qtbot: QtBot, view: WaveformView
) -> None:
    view.bridge.change(cut_changes.add_cut, "few", "trap_max > 9000")
    named = shown(qtbot, view, "outside")
    view.show_event(named[5])
    view.redraw()
    assert view.sample is not None
    assert view.sample.numbers["event_number"] == named[5]
    assert not view.choice.is_only_passing


def test_an_event_that_passes_leaves_the_choice_of_events_alone(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "most", "trap_max > 0")
    view.show_event(shown(qtbot, view, "inside")[0])
    assert view.choice.is_only_passing


def test_they_are_taken_away_and_shown_again_by_a_key(qtbot: QtBot, view: WaveformView) -> None:
    shown(qtbot, view, "density")
    view.toggle_extremes()
    view.redraw()
    assert not view.extremes.words.isVisible()
    assert not any(len(curve.xData) for curves in view.extremes.curves.values() for curve in curves)
    view.toggle_extremes()
    assert len(shown(qtbot, view, "density")) == 10


def test_a_picture_that_is_saved_has_them_and_names_their_events(qtbot: QtBot, view: WaveformView) -> None:
    named = shown(qtbot, view, "density")
    picture = view.exporter.picture()
    assert picture is not None
    assert picture.about["most extreme"].startswith(f"event {grouped(named[5])}, event")
    behind = [curve for curve in picture.curves if curve.is_behind]
    tokens = theme.theme("light").tokens
    assert [one.color for one in behind] == [tokens["accent"]] * 5 + [tokens["text"]] * 5


def test_a_single_waveform_has_none(qtbot: QtBot, view: WaveformView) -> None:
    shown(qtbot, view, "density")
    view.choose(picture="traces")
    view.redraw()
    assert not view.extremes.words.isVisible()


def test_numbers_of_events_have_grouped_thousands_and_links_have_not() -> None:
    one = Picked(np.arange(2.0), np.zeros(2), 0.1, 16_051)
    assert picked_words(one) == "event 16\u202f051"
    told = extremes_html(Extremes((one,), ()))
    assert 'href="event:16051"' in told and ">16&nbsp;051</a>" in told


def test_a_link_says_the_event_and_the_run_of_a_data_set() -> None:
    assert event_of("event:12") == (12, None)
    assert event_of("event:12:9001") == (12, 9001)
