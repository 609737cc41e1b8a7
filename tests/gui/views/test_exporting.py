"""Tests where the dialog that saves what a view shows begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from pygama_gui.session import changes
from pygama_gui.views.spectrum.view import SpectrumView
from pygama_gui.views.waveforms.view import WaveformView

WAIT_MS = 30_000


@pytest.fixture
def view(qtbot: QtBot) -> WaveformView:
    made = WaveformView.demo()
    qtbot.addWidget(made, before_close_func=lambda widget: widget.bridge.close())
    made.resize(800, 500)
    made.show()
    qtbot.waitUntil(lambda: made.exporter.picture() is not None)
    return made


def begins_in(view: WaveformView) -> Path:
    view.exporter.ask()
    (dialog,) = view.findChildren(QFileDialog)
    folder = Path(dialog.directory().absolutePath())
    dialog.setParent(None)
    dialog.close()
    return folder


def test_saving_begins_in_the_folder_of_the_files_of_the_run(view: WaveformView, tmp_path: Path) -> None:
    view.bridge.change(changes.choose_output_dir, tmp_path)
    assert begins_in(view) == tmp_path


def test_saving_begins_where_a_picture_was_saved_last(
    qtbot: QtBot, view: WaveformView, tmp_path: Path
) -> None:
    view.bridge.change(changes.choose_output_dir, tmp_path)
    (elsewhere := tmp_path / "pictures").mkdir()
    view.exporter.save(view.exporter.picture(), elsewhere / "wave.csv")
    qtbot.waitUntil((elsewhere / "wave.csv").exists, timeout=WAIT_MS)
    assert begins_in(view) == elsewhere


def test_views_begin_where_any_of_them_saved_last(qtbot: QtBot, view: WaveformView, tmp_path: Path) -> None:
    other = SpectrumView(view.bridge)
    qtbot.addWidget(other)
    view.exporter.save(view.exporter.picture(), tmp_path / "wave.csv")
    qtbot.waitUntil(lambda: other.bridge.saving_folder() == tmp_path, timeout=WAIT_MS)
    assert (tmp_path / "wave.csv").exists()
