"""Tests that what scrolls takes no more room than what is inside."""

from __future__ import annotations

from PyQt5.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.views.chain.view import WideEnough
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


def test_cards_scroll_on_their_own_only_where_the_rest_has_room(qtbot: QtBot) -> None:
    column, rest, inside = WideEnough(), QFrame(), QWidget()
    cards = [QFrame() for _ in range(5)]
    for card in cards:
        card.setFixedSize(80, 100)
    column.show_cards(cards, ())
    rest.setFixedHeight(100)
    outer = QVBoxLayout(inside)
    outer.addWidget(rest)
    outer.addWidget(column, 1)
    scrolled = Scrolled(inside, least=60, column=column)
    qtbot.addWidget(scrolled)
    scrolled.show()

    def shown() -> list[bool]:
        bars = (scrolled.verticalScrollBar(), column.verticalScrollBar())
        return [bar is not None and bar.isVisible() for bar in bars]

    for height, expected in ((300, [False, True]), (150, [True, False]), (300, [False, True])):
        scrolled.resize(140, height)
        qtbot.waitUntil(lambda expected=expected: shown() == expected)
    scrolled.resize(140, 150)
    QApplication.processEvents()
    column.scroll_to(cards[4])
    assert not cards[4].visibleRegion().isEmpty()
