"""The spectrum of a sample while settings are tried."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from pygama_gui.views.chain.preview import PreviewView


def test_the_width_says_of_which_events_it_is(qtbot: QtBot, themed: object) -> None:
    view = PreviewView.demo()
    qtbot.addWidget(view)
    view.redraw()
    assert view.fwhm.text().startswith("FWHM ")
    shown, how = view.fwhm.toolTip().split("\n")
    assert shown == view.fwhm.text()
    assert how.startswith("One fit to ")
    assert how.endswith(" waveforms, before cuts and calibration")
    view.bridge.close()


def test_the_channel_of_a_sample_is_told_where_there_is_little_room(qtbot: QtBot, themed: object) -> None:
    view = PreviewView.demo()
    qtbot.addWidget(view)
    view.sandbox.words = "newest waveforms of channel 1"
    view.redraw()
    assert view.sample.text() == "300 newest waveforms of channel 1"
    assert view.sample.short == "300 newest of channel 1"
    view.bridge.close()
