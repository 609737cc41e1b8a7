"""Tests the column of cards: what was brought into view stays there until somebody scrolls."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import QAbstractSlider, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets import theme
from pygama_gui.widgets.card_column import Card, CardColumn


@pytest.fixture
def column(qtbot: QtBot, themed: object) -> CardColumn:
    made = CardColumn()
    qtbot.addWidget(made)
    cards = [QWidget() for _ in range(4)]
    for card in cards:
        card.setFixedHeight(100)
    made.show_cards(cards, [])
    made.resize(200, 250)
    made.show()
    qtbot.waitExposed(made)
    return made


def is_in_view(column: CardColumn, card: QWidget) -> bool:
    top = card.y() - column.verticalScrollBar().value()
    return top >= 0 and top + card.height() <= column.viewport().height()


def test_a_card_that_grows_after_it_was_brought_into_view_stays_there(
    qtbot: QtBot, column: CardColumn
) -> None:
    second = column.cards()[1]
    column.scroll_to(second)
    assert is_in_view(column, second)
    second.setFixedHeight(200)
    qtbot.waitUntil(lambda: second.height() == 200 and is_in_view(column, second))


def test_a_card_that_somebody_works_at_stays_where_it_is(qtbot: QtBot, column: CardColumn) -> None:
    third = column.cards()[2]
    column.scroll_to(third)
    bar = column.verticalScrollBar()
    at, most = bar.value(), bar.maximum()
    column.leave()
    third.setFixedHeight(140)
    qtbot.waitUntil(lambda: bar.maximum() > most)
    assert bar.value() == at


def test_what_somebody_scrolled_away_from_is_not_brought_back(qtbot: QtBot, column: CardColumn) -> None:
    second = column.cards()[1]
    column.scroll_to(second)
    bar = column.verticalScrollBar()
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMaximum)
    most = bar.maximum()
    second.setFixedHeight(200)
    qtbot.waitUntil(lambda: bar.maximum() > most)
    assert not is_in_view(column, second)


def test_a_card_that_is_held_at_an_edge_scrolls_to_those_out_of_view(
    qtbot: QtBot, column: CardColumn
) -> None:
    bar, room = column.verticalScrollBar(), column.viewport()
    column.drag_to(room.mapToGlobal(QPoint(20, room.height() - 2)))
    qtbot.waitUntil(lambda: bar.value() == bar.maximum())
    assert column.drop_line.y() > column.cards()[-1].y()
    assert is_in_view(column, column.drop_line)
    column.drag_to(room.mapToGlobal(QPoint(20, -40)))
    qtbot.waitUntil(lambda: bar.value() == 0)
    assert column.drop_line.y() == 0
    column.hide_drop()
    assert not column._scroller.isActive()


def test_a_card_that_is_dragged_in_the_middle_scrolls_nothing(column: CardColumn) -> None:
    column.drag_to(column.viewport().mapToGlobal(QPoint(20, 120)))
    assert not column._scroller.isActive()


def test_a_card_that_has_the_focus_is_told_from_one_that_is_selected(qtbot: QtBot, themed: object) -> None:
    around = QWidget()
    qtbot.addWidget(around)
    card, other = Card(), QLineEdit()
    card.setProperty("selected", True)
    lines = QVBoxLayout(around)
    lines.addWidget(card)
    lines.addWidget(other)
    around.resize(200, 120)
    around.show()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    size, inside = card.size(), card.contentsRect()

    def within() -> QColor:
        return card.grab().toImage().pixelColor(1, card.height() // 2)

    assert within() == theme.current().color("accent_soft")
    card.setFocus()
    qtbot.waitUntil(card.hasFocus)
    assert within() == theme.current().color("accent")
    assert (card.size(), card.contentsRect()) == (size, inside)
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    assert within() == theme.current().color("accent_soft")
