"""Tests the column of cards: what was brought into view stays there until somebody scrolls."""

from __future__ import annotations

import pytest
from PyQt5.QtWidgets import QAbstractSlider, QWidget
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.card_column import CardColumn


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
