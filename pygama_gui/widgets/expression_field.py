"""Lets an expression be typed: completes names, and marks the character where something is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PyQt5.QtCore import QEvent, QPointF, QStringListModel, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPolygonF
from PyQt5.QtWidgets import QCompleter, QLineEdit

from pygama_gui.widgets import theme
from pygama_gui.widgets.own_keys import is_for_the_window

WORD = re.compile(r"[^\W\d]\w*$")
WAVE_PX = 2.0
LEAST_MARK_PX = 6.0


class ExpressionField(QLineEdit):
    """A field for an expression."""

    given_up = pyqtSignal()
    """Esc was pressed."""

    def __init__(self, name: str, words: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setAcceptDrops(False)
        self.setFont(theme.font(theme.SMALL))
        self._words = words
        self._wrong_at: int | None = None
        self._completer: QCompleter | None = None
        self.textEdited.connect(lambda _text: self._complete())
        self.editingFinished.connect(lambda: self.setModified(False))

    @property
    def wrong_at(self) -> int | None:
        """The character that is marked."""
        return self._wrong_at

    def show_problem(self, sentence: str, position: int | None = None) -> None:
        """Mark a character and say what is wrong; an empty sentence: nothing is."""
        self._wrong_at = position if sentence else None
        theme.mark(self, "wrong", bool(sentence))
        self.setToolTip(sentence)
        self.setAccessibleDescription(sentence)
        self.update()

    def go_to_problem(self) -> None:
        """Put the cursor where something is wrong."""
        if self._wrong_at is not None:
            self.setCursorPosition(min(self._wrong_at, len(self.text())))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw a wave under the character that is wrong."""
        super().paintEvent(event)
        if self._wrong_at is None:
            return
        metrics, cursor = self.fontMetrics(), self.cursorRect()
        at = min(self._wrong_at, len(self.text()))
        start = cursor.center().x() - metrics.horizontalAdvance(self.text()[: self.cursorPosition()])
        left = start + metrics.horizontalAdvance(self.text()[:at])
        word = re.match(r"\w+|.", self.text()[at:])
        width = max(metrics.horizontalAdvance(word[0]) if word else 0, LEAST_MARK_PX)
        y = cursor.bottom() - 1.0
        n = max(int(width / WAVE_PX), 3)
        wave = QPolygonF([QPointF(left + i * WAVE_PX, y + (WAVE_PX if i % 2 else 0.0)) for i in range(n)])
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.rect().adjusted(4, 2, -4, -1))
        painter.setPen(theme.current().pen("bad"))
        painter.drawPolyline(wave)

    def event(self, event: QEvent | None) -> bool:
        """Leave the window's keys to it; undo and redo while nothing is half typed or wrong."""
        if event is not None and (is_for_the_window(event) or self._undoes_elsewhere(event)):
            event.ignore()
            return False
        return super().event(event)

    def _undoes_elsewhere(self, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return False
        standard = QKeySequence.StandardKey
        is_undo = event.matches(standard.Undo) or event.matches(standard.Redo)
        return is_undo and not self.isModified() and not self.property("wrong")

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave the keys of the list of names to it; give up with Esc."""
        if event is None:
            return
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
        popup = None if self._completer is None else self._completer.popup()
        if popup is not None and popup.isVisible() and event.key() in keys:
            event.ignore()
            return
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        if event.key() == Qt.Key.Key_Space and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._complete(least=0)
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Put the list of names away."""
        super().focusOutEvent(event)
        popup = None if self._completer is None else self._completer.popup()
        if popup is not None and event is not None and event.reason() != Qt.FocusReason.PopupFocusReason:
            popup.hide()

    @property
    def _word(self) -> str:
        """The word before the cursor."""
        found = WORD.search(self.text()[: self.cursorPosition()])
        return found[0] if found else ""

    def _complete(self, least: int = 1) -> None:
        """Offer the names that begin as the word before the cursor does."""
        word = self._word
        matching = [name for name in self._words() if name.lower().startswith(word.lower()) and name != word]
        if self._completer is None:
            self._completer = QCompleter(self)
            self._completer.setWidget(self)
            self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self._completer.setModel(QStringListModel(self._completer))
            self._completer.activated[str].connect(self._take)
        popup, model = self._completer.popup(), self._completer.model()
        assert isinstance(model, QStringListModel)
        if len(word) < least or not matching:
            popup.hide()
            return
        model.setStringList(matching)
        popup.setAccessibleName("Names that fit")
        self._completer.setCompletionPrefix(word)
        area = self.cursorRect()
        area.setWidth(max(popup.sizeHintForColumn(0), 80) + 30)
        self._completer.complete(area)

    def _take(self, name: str) -> None:
        at, word = self.cursorPosition(), self._word
        text = self.text()
        self.setText(text[: at - len(word)] + name + text[at:])
        self.setCursorPosition(at - len(word) + len(name))
        self.textEdited.emit(self.text())
