"""Tests the line that says what went wrong."""

from __future__ import annotations

import pytest
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
