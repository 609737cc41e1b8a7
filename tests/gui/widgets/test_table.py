"""Tests that a table of a few rows shows what it has room for, whole."""

from __future__ import annotations

import pytest
from PyQt5.QtWidgets import QTableWidgetItem
from pytestqt.qtbot import QtBot

from pygama_gui.widgets.table import error_below, quiet_table


def test_a_column_comes_back_only_where_its_head_has_room(qtbot: QtBot, themed: object) -> None:
    table = quiet_table("Regions", ("Region", "Net", "A long head of a column"), (2,))
    qtbot.addWidget(table)
    table.setRowCount(1)
    for at, text in enumerate(("7810", "24", "8")):
        table.setItem(0, at, QTableWidgetItem(text))
    table.show()
    shown = {}
    for width in (100, 170, 500):
        table.resize(width, 200)
        shown[width] = not table.isColumnHidden(2)
        assert table.horizontalHeader().length() <= table.viewport().width() or not shown[width]
    assert shown == {100: False, 170: False, 500: True}
    head = table.horizontalHeader()
    assert table.columnWidth(2) >= head.sectionSizeHint(2)


def test_a_chosen_row_that_grows_stays_whole_in_view(qtbot: QtBot, themed: object) -> None:
    table = quiet_table("Fitted peaks", ("Fit", "Position"))
    qtbot.addWidget(table)
    table.setRowCount(40)
    for row in range(40):
        for at, text in enumerate((f"{row}", "13 246")):
            table.setItem(row, at, QTableWidgetItem(text))
    table.resize(200, 300)
    table.show()
    table.make_room()
    table.setCurrentCell(39, 0)
    table.item(39, 1).setText("14 counts between\n57388.9 and 57655.2:\ntoo few to fit")
    table.make_room()
    place = table.visualRect(table.currentIndex())
    qtbot.waitUntil(lambda: table.visualRect(table.currentIndex()).bottom() < table.viewport().height())
    assert place.height() > 2 * table.rowHeight(0)


def test_a_name_that_is_wrapped_makes_its_row_as_high(qtbot: QtBot, themed: object) -> None:
    table = quiet_table("Fitted peaks", ("Fit", "Position"))
    qtbot.addWidget(table)
    table.setRowCount(2)
    for row, name in enumerate(("8478 ADC", "21 236 + 21 334 ADC")):
        table.setItem(row, 0, QTableWidgetItem(name))
        table.setItem(row, 1, QTableWidgetItem("21 235.6\n± 0.3"))
    table.resize(150, 300)
    table.show()
    table.make_room()
    lines = table.fontMetrics().lineSpacing()
    assert table.rowHeight(1) > table.rowHeight(0)
    assert table.rowHeight(1) > 3 * lines
    table.resize(500, 300)
    assert table.rowHeight(1) == table.rowHeight(0)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("3510.1 ± 1.1", ["3510.1", "± 1.1"]),
        ("117 +27 −29", ["117", "+27", "−29"]),
        ("−0.7 +0.4 −0.2", ["−0.7", "+0.4", "−0.2"]),
        ("—", ["—"]),
    ],
)
def test_errors_stand_below_their_value(text: str, lines: list[str]) -> None:
    assert error_below(text).split("\n") == lines
