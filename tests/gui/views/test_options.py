"""Tests the form of the options of Tier 0."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views.options import OptionsView


def test_a_window_that_no_worker_could_cut_is_refused_in_the_field(qtbot: QtBot, themed: object) -> None:
    view = OptionsView.demo()
    qtbot.addWidget(view)
    field = view.form.fields["n_samp"]
    assert isinstance(field.control, QLineEdit)
    view.show()
    field.control.setFocus()
    qtbot.waitUntil(field.control.hasFocus)
    field.control.selectAll()
    qtbot.keyClicks(field.control, "1501")
    assert field.error == "n_samp must be an even number of samples, not 1501"
    assert view.session.tier0["n_samp"] == 150
    qtbot.keyClick(field.control, Qt.Key.Key_Return)
    assert (field.error, field.control.text()) == ("", "2000")
    assert view.session.tier0.get("n_samp", 2000) == 2000


def test_a_digitizer_of_other_electronics_is_shown_although_the_run_has_none(
    qtbot: QtBot, themed: object
) -> None:
    view = OptionsView.demo()
    qtbot.addWidget(view, before_close_func=lambda widget: widget.bridge.close())
    view.show()
    view.redraw()
    before = view.form.fields["digitizer"].control
    view.bridge.change(changes.set_tier0, "digitizer", "ORFlashCamADCWaveformDecoder")
    qtbot.waitUntil(lambda: view.form.fields["digitizer"].control is not before)
    box = view.form.fields["digitizer"].control
    assert isinstance(box, QComboBox)
    assert box.currentText() == "ORFlashCamADCWaveformDecoder"
    view.bridge.change(changes.reset_tier0, "digitizer")
    view.redraw()
    assert view.form.fields["digitizer"].control is box  # the focus stays where it is
    assert box.currentText() == "automatic"


def test_the_options_say_that_they_are_not_for_tier_files(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    view = OptionsView(bridge)
    qtbot.addWidget(view)
    bridge.change(changes.add_runs, [a_run()])
    assert view.remark.isHidden()
    bridge.change(changes.add_runs, [tier := Run("t2", Path("t2"), 72, tier2=Path("t2"))])
    bridge.change(changes.select_run, tier.run_id)
    assert not view.remark.isHidden()
