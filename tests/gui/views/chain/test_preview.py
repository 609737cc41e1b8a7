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
