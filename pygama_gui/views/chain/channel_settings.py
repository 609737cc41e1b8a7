"""Lets channels have settings of their own: a table with a line for each, and a column for each setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import QEvent, QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pygama.errors import SettingsError
from pygama.processing.channels import check_channels
from pygama.processing.declare import Processor
from pygama_gui.widgets import theme
from pygama_gui.widgets.own_keys import is_plain
from pygama_gui.widgets.parts import label
from pygama_gui.widgets.words import as_stored, shown

MOST_LINES = 6
"""Lines that are shown at once."""
CHANNEL_WIDTH, LINE_HEIGHT = 76, 24
MOST_STRETCHED = 3
"""Settings that share the width of the card; more are scrolled."""


_KEYS = Qt.Key
OPENING = (_KEYS.Key_F2, _KEYS.Key_Return, _KEYS.Key_Enter)
EMPTYING = (_KEYS.Key_Delete, _KEYS.Key_Backspace)
OWN = (*OPENING, *EMPTYING)


class Cells(QTableWidget):
    """Cells that are typed into at once: letters, digits, F2 and Del are theirs, not of views and menus."""

    def event(self, event: QEvent | None) -> bool:
        """Take a key before the actions of the window do."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and _types(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Open the cell with F2 or Return, empty it with Del."""
        item = self.currentItem()
        if event is None or item is None or self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
        elif event.key() in OPENING:
            self.editItem(item)
        elif event.key() in EMPTYING:
            item.setText("")
        else:
            super().keyPressEvent(event)


def _types(event: QKeyEvent) -> bool:
    is_text = bool(event.text()) and event.text().isprintable()
    is_f2 = event.key() == _KEYS.Key_F2 and event.modifiers() == Qt.KeyboardModifier.NoModifier
    return is_f2 or (is_plain(event) and (is_text or event.key() in OWN))


class ChannelTable(QWidget):
    """The last line is empty, for one more channel. An empty cell leaves the step's own value."""

    changed = pyqtSignal(object)
    """Place of each channel -> its settings, all of them right."""

    def __init__(self, known: Processor) -> None:
        super().__init__()
        self._known = known
        self._settings = known.settings
        self._shown: Mapping[str, Mapping[str, Any]] | None = None
        self.table = Cells(0, 1 + len(self._settings))
        self.table.setAcceptDrops(False)
        self.table.viewport().setAcceptDrops(False)
        self.table.setHorizontalHeaderLabels(["channel", *(setting.name for setting in self._settings)])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(LINE_HEIGHT)
        self.table.horizontalHeader().setFixedHeight(LINE_HEIGHT)
        self.table.horizontalHeader().setFont(theme.font(theme.SMALL))
        self.table.setFont(theme.font(theme.SMALL))
        self.table.setAccessibleName(f"Settings of single channels of {known.name}")
        self.table.setToolTip(
            "crate/card/channel, card/channel or channel; the more it says, the stronger it is"
        )
        self.table.setTabKeyNavigation(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setColumnWidth(0, CHANNEL_WIDTH)
        if len(self._settings) <= MOST_STRETCHED:
            self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        else:
            self.table.horizontalHeader().setStretchLastSection(True)
        self.table.cellChanged.connect(self._take)
        self.error = label(tone="bad", px=theme.SMALL)
        self.error.setWordWrap(True)
        self.error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(3)
        column.addWidget(self.table)
        column.addWidget(self.error)

    def show_channels(self, channels: Mapping[str, Mapping[str, Any]]) -> None:
        """Show the settings of channels, unless they are what was typed here."""
        if self._shown == channels or self.error.text():
            return
        self._shown = channels
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(channels) + 1)
            for at, (place, own) in enumerate((*channels.items(), ("", {}))):
                texts = [place, *(shown(own.get(setting.name)) for setting in self._settings)]
                for column, text in enumerate(texts):
                    self.table.setItem(at, column, QTableWidgetItem(text))
        lines = min(self.table.rowCount(), MOST_LINES)
        scroll_bar = 0 if len(self._settings) <= MOST_STRETCHED else 10
        self.table.setFixedHeight((lines + 1) * LINE_HEIGHT + 4 + scroll_bar)

    def _take(self, row: int, column: int) -> None:
        """Give on what stands in the table where all of it is right; else say what is wrong."""
        try:
            channels = self._read()
        except SettingsError as problem:
            self._complain(str(problem), row, column)
            return
        self._complain("", row, column)
        self._shown = None
        self.changed.emit(channels)

    def _read(self) -> dict[str, dict[str, Any]]:
        channels: dict[str, dict[str, Any]] = {}
        for row in range(self.table.rowCount()):
            place, *texts = (self._text(row, column) for column in range(self.table.columnCount()))
            own = {
                setting.name: setting.check(text == "true" if setting.type is bool else as_stored(text))
                for setting, text in zip(self._settings, texts, strict=True)
                if text
            }
            if own and place in channels:
                raise SettingsError(f"channel {place} stands there twice")
            if own and place:
                channels[place] = own
        check_channels(self._known, channels)
        return channels

    def _text(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        return "" if item is None else item.text().strip()

    def _complain(self, text: str, row: int, column: int) -> None:
        self.error.setText(text)
        self.error.setVisible(bool(text))
        with QSignalBlocker(self.table):
            bad, good = QColor(theme.current().tokens["bad"]), QColor(theme.current().tokens["text"])
            for at in range(self.table.rowCount()):
                for place in range(self.table.columnCount()):
                    if (item := self.table.item(at, place)) is not None:
                        is_wrong = bool(text) and (at, place) == (row, column)
                        item.setForeground(bad if is_wrong else good)
                        item.setData(Qt.ItemDataRole.ToolTipRole, text if is_wrong else None)
