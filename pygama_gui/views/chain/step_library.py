"""Lets a person find a processor by typing, and add it: summary, reads → writes and settings of each."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt5.QtCore import QEvent, QModelIndex, QObject, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QFontMetrics, QKeyEvent, QPainter, QPen, QStandardItem, QStandardItemModel
from PyQt5.QtWidgets import (
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pygama.processing.declare import Processor
from pygama_gui.data import chain_facts
from pygama_gui.data.wiring import plain_reads
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import button, label, link, row
from pygama_gui.widgets.words import shown, together

KNOWN_ROLE = Qt.ItemDataRole.UserRole + 1
ITEM_HEIGHT, HEAD_HEIGHT, PADDING, LINE = 62, 26, 8, 17
MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


def found(text: str) -> list[tuple[str, list[Processor]]]:
    """Find processors in which all words of a text occur, by kind; the best first where a text is given."""
    sought = text.casefold().replace("_", " ").split()
    by_kind = chain_facts.processors_by_kind()
    if not sought:
        return list(by_kind.items())
    rated = [
        (rate, kind, known)
        for kind, processors in by_kind.items()
        for known in processors
        if (rate := _rate(known, kind, sought)) is not None
    ]
    kinds: dict[str, list[Processor]] = {}
    for _, kind, known in sorted(rated, key=lambda one: one[0]):
        kinds.setdefault(kind, []).append(known)
    return list(kinds.items())


def _rate(known: Processor, kind: str, sought: list[str]) -> tuple[int, int] | None:
    """Say how far a processor is from what is sought by its worst word, then by all; None: one is nowhere."""
    name = known.name.replace("_", " ")
    names = " ".join([*(one for one, _ in known.writes), *plain_reads(known)]).replace("_", " ").casefold()
    settings = " ".join(f"{setting.name} {setting.about}" for setting in known.settings)
    rest = f"{kind} {known.summary} {settings}".casefold()
    rates = []
    for word in sought:
        places = [name == word, name.startswith(word), word in name, word in names, word in rest]
        if not any(places):
            return None
        rates.append(places.index(True))
    return max(rates), sum(rates)


def settings_words(known: Processor) -> str:
    """List the settings of a processor with their defaults: 'rise 400 samples · flat 200 samples'."""
    parts = []
    for setting in known.settings:
        value = f"{shown(setting.default) or 'automatic'} {setting.unit}".strip()
        parts.append(f"{setting.name} {value}")
    return " · ".join(parts) if parts else "no settings"


def reads_words(known: Processor) -> str:
    """Say what a processor reads and writes."""
    return f"{', '.join(plain_reads(known))} → {', '.join(name for name, _ in known.writes)}"


class StepLibrary(QWidget):
    """All processors: type to search, arrows to choose, Return to add, Esc to close."""

    chosen = pyqtSignal(str)
    closed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Library of steps")
        self.search = QLineEdit()
        self.search.setAcceptDrops(False)
        self.search.setClearButtonEnabled(True)
        self.search.setPlaceholderText("Search: name, output, what it does")
        self.search.setAccessibleName("Search the library of steps")
        for clear in self.search.findChildren(QToolButton):
            clear.setAccessibleName("Clear the search")
        self.search.textChanged.connect(lambda _text: self._fill())
        self.search.installEventFilter(self)
        self.model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Delegate(self.list))
        self.list.setAccessibleName("Steps that can be added")
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.activated.connect(self._add)
        self.list.installEventFilter(self)
        self.list.selectionModel().currentChanged.connect(lambda now, _before: self._describe(now))
        self.about = label(tone="soft", px=theme.SMALL)
        self.about.setWordWrap(True)
        self.about.setAccessibleName("About the step")
        self.add_button = button("Add", "Add the step to the chain", "Add the step (Return)", primary=True)
        self.add_button.clicked.connect(lambda: self._add(self.list.currentIndex()))
        self.close_link = link("Close", "Close the library (Esc)", self.closed.emit)
        self._lay_out()
        self._fill()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addWidget(self.about)
        column.addLayout(row(self.add_button, None, self.close_link))

    def begin(self) -> None:
        """Get ready to be typed in."""
        self.search.clear()
        self._fill()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def renew(self) -> None:
        """List what there is now."""
        self._fill()

    @property
    def current(self) -> Processor | None:
        """The processor that is marked."""
        known = self.list.currentIndex().data(KNOWN_ROLE)
        return known if isinstance(known, Processor) else None

    def names(self) -> list[str]:
        """Give the names of what is listed, in order."""
        return [known.name for known in self._listed()]

    def _listed(self) -> Iterator[Processor]:
        for at in range(self.model.rowCount()):
            known = self.model.item(at).data(KNOWN_ROLE)
            if isinstance(known, Processor):
                yield known

    def _fill(self) -> None:
        self.model.clear()
        for kind, processors in found(self.search.text()):
            head = QStandardItem(kind)
            head.setFlags(Qt.ItemFlag.NoItemFlags)
            self.model.appendRow(head)
            for known in processors:
                item = QStandardItem(known.name)
                item.setData(known, KNOWN_ROLE)
                item.setToolTip(together(known.summary))
                words = f"{known.name}: {known.summary} {reads_words(known)}"
                item.setData(words, Qt.ItemDataRole.AccessibleTextRole)
                self.model.appendRow(item)
        self.add_button.setEnabled(self.model.rowCount() > 0)
        if self.model.rowCount() > 1:
            self.list.setCurrentIndex(self.model.index(1, 0))
            self.list.scrollToTop()
        else:
            self.about.setText(f"No step has all of ‘{self.search.text()}’. Try fewer words.")

    def _describe(self, index: QModelIndex) -> None:
        known = index.data(KNOWN_ROLE)
        if isinstance(known, Processor):
            self.about.setText(together(f"{known.summary}\n{settings_words(known)}"))

    def _add(self, index: QModelIndex) -> None:
        known = index.data(KNOWN_ROLE)
        if isinstance(known, Processor):
            self.chosen.emit(known.name)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Let arrows choose and Return add while the text is being typed."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._add(self.list.currentIndex())
                return True
            if watched is self.search and event.key() in MOVES:
                self._move(event.key())
                return True
            if watched is self.list and event.text().strip() and event.text().isprintable():
                self.search.setFocus()
                self.search.setText(self.search.text() + event.text())
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Close with Esc."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _move(self, key: int) -> None:
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -5, Qt.Key.Key_PageDown: 5}[
            Qt.Key(key)
        ]
        rows = [at for at in range(self.model.rowCount()) if self.model.item(at).data(KNOWN_ROLE)]
        now = self.list.currentIndex().row()
        if rows:
            at = rows.index(now) + by if now in rows else 0
            self.list.setCurrentIndex(self.model.index(rows[min(max(at, 0), len(rows) - 1)], 0))


class _Delegate(QStyledItemDelegate):
    """Paints a processor in three lines: its name, what it does, what it reads and writes."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  (Qt's name)
        return QSize(120, ITEM_HEIGHT if index.data(KNOWN_ROLE) else HEAD_HEIGHT)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        if painter is None:
            return
        painter.save()
        known = index.data(KNOWN_ROLE)
        if isinstance(known, Processor):
            self._paint_step(painter, option, known)
        else:
            painter.setFont(theme.font(theme.CAPTION, bold=True))
            painter.setPen(theme.current().color("soft"))
            area = option.rect.adjusted(2, 0, 0, -4)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignBottom), str(index.data()).upper())
        painter.restore()

    def _paint_step(self, painter: QPainter, option: QStyleOptionViewItem, known: Processor) -> None:
        present = theme.current()
        area = option.rect.adjusted(0, 1, -2, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(present.color("accent_soft"))
            painter.setPen(QPen(present.color("accent"), 1))
            painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        lines = (
            (known.name, "text", True),
            (together(known.summary), "text", False),
            (reads_words(known), "soft", False),
        )
        for at, (text, token, is_name) in enumerate(lines):
            font = theme.font(theme.NORMAL if is_name else theme.SMALL, bold=is_name)
            painter.setFont(font)
            painter.setPen(present.color(token))
            width = area.width() - 2 * PADDING
            line = QRect(area.x() + PADDING, area.y() + 4 + at * LINE, width, LINE)
            text = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), text)
