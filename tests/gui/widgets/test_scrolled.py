"""Tests that what scrolls takes no more room than what is inside."""

from __future__ import annotations

from PyQt5.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.scrolled import Scrolled


def test_room_is_given_back_when_something_inside_goes(qtbot: QtBot) -> None:
    inside, small, large = QWidget(), QWidget(), QWidget()
    column = QVBoxLayout(inside)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for one, height in ((small, 60), (large, 300)):
        one.setFixedSize(80, height)
        column.addWidget(one)
    scrolled = Scrolled(inside, least=120)
    qtbot.addWidget(scrolled)
    scrolled.show()
    assert (scrolled.sizeHint().height(), scrolled.minimumSizeHint().height()) == (360, 120)
    large.hide()
    QApplication.processEvents()
    assert (scrolled.sizeHint().height(), scrolled.minimumSizeHint().height()) == (60, 60)
