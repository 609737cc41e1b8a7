"""Tests the line that says what went wrong."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint, QRect
from PyQt5.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.banner import Banner


@pytest.mark.usefixtures("themed")
def test_the_buttons_go_below_the_words_where_there_is_no_room_beside_them(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.say("The worker was ended by signal 9", remedies=[("Find the record", lambda: None)])
    banner.resize(900, 60)
    qtbot.waitUntil(lambda: banner.words.geometry().right() < banner.close_button.x())
    banner.resize(500, 90)
    qtbot.waitUntil(lambda: banner.words.geometry().bottom() < banner.close_button.y())
    assert banner.words.width() > 400


def test_remedies_go_into_a_line_of_their_own_in_a_narrow_banner(qtbot: QtBot, themed: object) -> None:
    window, banner = QWidget(), Banner()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(banner)
    window.show()
    remedies = [("Skip this record and go on", lambda: None), ("Process the run again", lambda: None)]
    banner.say("The worker was ended by signal 11.", "details", remedies=remedies)
    least = banner.minimumSizeHint().width()
    assert least < 300
    window.resize(least, 240)
    QApplication.processEvents()
    QApplication.processEvents()
    buttons = [one for one in banner.findChildren(QPushButton) if one.isVisible()]
    assert len(buttons) == 5
    for one in buttons:
        assert one.width() >= one.sizeHint().width()
        assert banner.rect().contains(QRect(one.mapTo(banner, QPoint()), one.size()))
    assert banner.act_buttons[0].mapTo(banner, QPoint()).y() < banner.close_button.mapTo(banner, QPoint()).y()


@pytest.mark.usefixtures("themed")
def test_the_next_deed_lets_a_warning_go_and_keeps_what_tells_of_a_loss(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.say("mine.json is no settings file", level="warning")
    banner.let_go()
    assert banner.isHidden()
    banner.say("Run 1 may need 3 GB", level="warning", remedies=[("Go on", lambda: None)])
    banner.let_go()
    assert banner.words.text().startswith("Run 1 may need")
    banner.say("The worker was ended by signal 9")
    banner.let_go()
    assert banner.words.text() == "The worker was ended by signal 9  (1 earlier in the log)"
    banner.dismiss()
    assert banner.isHidden()


@pytest.mark.usefixtures("themed")
def test_what_tells_of_a_loss_comes_back_from_below_a_warning(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    asked: list[str] = []
    remedies = [("Go on", lambda: asked.append("go on"))]
    banner.say("The worker was ended by signal 9", "details", remedies=remedies, about="run 1")
    for name in ("mine", "yours"):
        banner.say(f"{name}.json is no settings file", level="warning")
    assert not banner.act_buttons[0].isVisibleTo(banner)
    banner.let_go()
    assert banner.words.text() == "The worker was ended by signal 9"
    assert banner.details.toPlainText() == "details"
    banner.act_buttons[0].click()
    assert asked == ["go on"]
    banner.say("mine.json is no settings file", level="warning")
    banner.dismiss_about({"run 1"})
    assert banner.words.text().startswith("mine.json")
    banner.let_go()
    assert banner.isHidden()
