"""Tests what covers the window while files are held over it."""

from __future__ import annotations

import pytest
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.veil import DropVeil


@pytest.mark.usefixtures("themed")
def test_nothing_shines_through_behind_the_words(qtbot: QtBot) -> None:
    behind, beside = set(), set()
    for ground in ("black", "white"):
        window = QWidget()
        qtbot.addWidget(window)
        window.setStyleSheet(f"QWidget#window {{ background: {ground}; }}")
        window.setObjectName("window")
        window.resize(600, 300)
        veil = DropVeil(window)
        window.show()
        qtbot.waitExposed(window)
        veil.cover("Drop to add the runs")
        qtbot.waitUntil(lambda words=veil.words: words.width() > 100)
        picture = window.grab().toImage()
        corner = veil.mapTo(window, veil.words.geometry().topLeft())
        behind.add(QColor(picture.pixel(corner)).name())
        beside.add(QColor(picture.pixel(60, 60)).name())
    assert len(behind) == 1
    assert len(beside) == 2
