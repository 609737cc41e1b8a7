"""Tests that two pictures keep their shares."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.picture_pair import LOW, WIDE, PicturePair


@pytest.fixture
def pair(qtbot: QtBot) -> PicturePair:
    pictures = QWidget(), QWidget()
    for one in pictures:
        one.setMinimumSize(50, 20)
    made = PicturePair(*pictures, (540, 460))
    qtbot.addWidget(made)
    made.resize(WIDE + 100, LOW + 200)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.mark.parametrize("hidden", [0, 1])
def test_a_picture_that_is_hidden_while_they_turn_keeps_its_share(
    qtbot: QtBot, pair: PicturePair, hidden: int
) -> None:
    before = pair.sizes()
    picture = pair.widget(hidden)
    assert picture is not None
    picture.hide()
    qtbot.waitUntil(lambda: pair.sizes()[hidden] == 0)
    pair.resize(WIDE + 100, LOW - 100)
    assert pair.orientation() == Qt.Orientation.Horizontal
    pair.resize(WIDE + 100, LOW + 200)
    picture.show()
    qtbot.waitUntil(lambda: pair.sizes()[hidden] > 0)
    assert pair.sizes() == before
    assert min(before) > 200
