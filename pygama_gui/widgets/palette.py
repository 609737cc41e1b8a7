"""Finds whatever can be done by a few letters of a name of it: a list of all actions of the menus.

It is made of the menus each time it is opened, so nothing can be missing and nothing can be wrong in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from PyQt5 import sip
from PyQt5.QtCore import QEvent, QModelIndex, QObject, QRect, QSize, Qt
from PyQt5.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QPainter
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QAction,
    QApplication,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMenuBar,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from pygama.quick_dataclass import dataclass
from pygama_gui.widgets import menu_words, theme

WIDTH, N_ROWS, ROW, TOP = 620, 12, 30, 88
BETWEEN = " › "
DEEP = 2
"""Menus around the menu that an action is in."""
_FILLING = "a all an and are as at by do for how i in is it my of on or the this to with"
FILLING = frozenset(_FILLING.split(" "))
"""Words of a sentence that need not fit."""
MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


@dataclass(frozen=True)
class Entry:
    """One action. place: the menus that it is in; keys: as they are written on this system.

    others: what it and its menus are called elsewhere.
    """

    words: str
    place: str
    keys: str
    action: QAction
    others: str = ""

    @property
    def text(self) -> str:
        """What is searched."""
        return f"{self.words} {self.place} {self.action.toolTip()}".lower()

    @property
    def is_there(self) -> bool:
        """Whether its menu still has it: a menu may be filled anew while the list stands open."""
        return not sip.isdeleted(self.action)


def entries_of(menu_bar: QMenuBar) -> list[Entry]:
    """List all actions of the menus in their order; menus that are filled when they open are filled."""
    menus = [menu for top in menu_bar.actions() if (menu := top.menu()) is not None]
    return [entry for menu in menus for entry in _entries(menu, "", "")]


def _entries(menu: QMenu, outside: str, others: str) -> Iterator[Entry]:
    menu.aboutToShow.emit()
    place = outside + plain(menu.title())
    others = f"{others} {menu_words.other_names(menu)}"
    for action in menu.actions():
        inner = action.menu()
        if inner is not None:
            yield from _entries(inner, place + BETWEEN, others)
        elif not action.isSeparator() and not menu_words.is_note(action):
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            names = f"{menu_words.other_names(action)} {others}".lower()
            yield Entry(plain(action.text()), place, keys, action, names)


def plain(text: str) -> str:
    """Give the words of an action without the marks of its letter."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def found(query: str, entries: list[Entry], near: QWidget | None = None) -> list[Entry]:
    """Give the entries that have every word of a query, the best first; all of them for an empty one.

    Words that only fill a sentence are passed over, and several that stand together in a name fit best.
    What stands deep in menus of menus, as a step of the chain, is meant by the whole of its name; by the
    beginning of it no more than a command that is called so elsewhere.

    near: what has the focus. Of those that fit equally well, what cannot be done now comes last; then that of
    the view with the focus is meant before that of another, what is to be seen before what is not, and a
    command before one of many things to choose from deep in menus of menus, such as a step of the chain.
    """
    words = query.lower().split()
    if not words:
        return sorted(entries, key=lambda entry: not entry.action.isEnabled())
    wanted = [word for word in words if word not in FILLING] or words
    ranked = []
    for entry in entries:
        ranks = [_rank(word, entry) for word in wanted]
        fits = [rank for rank in ranks if rank is not None]
        if len(fits) == len(wanted):
            depth, distance = entry.place.count(BETWEEN), _distance(entry.action, near)
            if depth >= DEEP and wanted != [_name(entry)]:
                fits = [max(rank, 1) for rank in fits]
            missing = sum(_rank(word, entry) != 0 for word in words)
            order = (distance > 0, depth >= DEEP, distance, depth, missing)
            is_named = len(words) > 1 and f" {' '.join(words)}" in f" {_name(entry)} {entry.others}"
            ranked.append((-1 if is_named else sum(fits), not entry.action.isEnabled(), order, entry))
    return [one[-1] for one in sorted(ranked, key=lambda one: one[:3])]


def _rank(word: str, entry: Entry) -> int | None:
    """Say how well a word fits: 0 begins a word of the name … 5 has letters of one; None not at all."""
    name, place = _name(entry), entry.text
    if _begins(word, name):
        return 0
    if _begins(word, entry.others):
        return 1
    if word in name:
        return 2
    if _begins(word, place):
        return 3
    if word in place or word in entry.others:
        return 4
    return 5 if any(_skips(word, part) for part in name.split()) else None


def _name(entry: Entry) -> str:
    return entry.words.lower().partition(": ")[0]  # what undo takes back is not its name


def _begins(word: str, text: str) -> bool:
    return any(part.startswith(word) for part in text.split())


def _skips(word: str, part: str) -> bool:
    """Tell whether a word is another one with letters left out, but for the first."""
    letters = iter(part)
    return len(word) > 1 and part[:1] == word[0] and all(letter in letters for letter in word)


def _distance(action: QAction, near: QWidget | None) -> int:
    """Say how far what has an action is: 0 has the focus, 1 is to be seen or is the window, 2 is not."""
    owner = action.parent()
    if not isinstance(owner, QWidget) or isinstance(owner, QMenu):
        return 1
    if near is not None and not owner.isWindow() and (owner is near or owner.isAncestorOf(near)):
        return 0
    return 1 if owner.isVisible() else 2


class Palette(QFrame):
    """A field and the actions that fit what is typed there, over the window; Esc closes it."""

    def __init__(self, window: QWidget, menu_bar: QMenuBar, *, without: QAction | None = None) -> None:
        super().__init__(window)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._had_focus = QApplication.focusWidget()
        self._entries = [entry for entry in entries_of(menu_bar) if entry.action is not without]
        self.field = QLineEdit()
        self.field.setAccessibleName("Name of a command")
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setAcceptDrops(False)
        self.field.setFont(theme.font(theme.LARGE))
        self.list = QListWidget()
        self.list.setAccessibleName("Commands that fit")
        self.list.setItemDelegate(_Row())
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._show)
        self.field.returnPressed.connect(self._do)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self._do())
        self._show("")

    def open(self) -> None:
        """Show over the window, ready to be typed in."""
        width = min(WIDTH, self.parentWidget().width() - 20)
        height = self.sizeHint().height()
        self.setGeometry((self.parentWidget().width() - width) // 2, TOP, width, height)
        self.raise_()
        self.show()
        self.field.setFocus()

    @property
    def shown(self) -> list[Entry]:
        """The entries that fit, the best first."""
        return self._shown

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give room for what fits: a dozen rows at most, or as many as the window has room for."""
        most = max((self.parentWidget().height() - TOP - 100) // ROW, 3)
        n_rows = min(max(len(self._shown), 1), N_ROWS, most)
        return QSize(WIDTH, n_rows * ROW + self.field.sizeHint().height() + 32)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Go through the list by keys while the field has the focus; close when it loses it."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in MOVES:
                QApplication.sendEvent(self.list, QKeyEvent(event))
                return True
            if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
        if event is not None and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.close()
        return super().eventFilter(watched, event)

    @property
    def _before(self) -> QWidget | None:
        """What had the focus, if it is still there."""
        return None if self._had_focus is None or sip.isdeleted(self._had_focus) else self._had_focus

    def leave(self) -> None:
        """Close, and give the focus back to where it was."""
        self.hide()
        if (before := self._before) is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.close()

    def _show(self, query: str) -> None:
        self._entries = [entry for entry in self._entries if entry.is_there]
        self._shown = found(query, self._entries, self._before)
        self.list.clear()
        for entry in self._shown:
            item = QListWidgetItem(", ".join(part for part in (entry.words, entry.place, entry.keys) if part))
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        if not self._shown:
            nothing = QListWidgetItem("Nothing can be done by this name")
            nothing.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(nothing)
        self.list.setCurrentRow(0)
        self.resize(self.width(), self.sizeHint().height())

    def _do(self) -> None:
        at = self.list.currentRow()
        if 0 <= at < len(self._shown) and self._shown[at].is_there and self._shown[at].action.isEnabled():
            action = self._shown[at].action
            self.leave()
            action.trigger()


class _Row(QStyledItemDelegate):
    """Draws one action: its mark, its words, where it is found, and its key at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  (Qt's name)
        """Give all rows one height."""
        return QSize(100, ROW)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the row."""
        if painter is None:
            return
        entry: Entry | None = index.data(Qt.ItemDataRole.UserRole)
        present = theme.current()
        if entry is None or not entry.is_there:
            _write(painter, option.rect.adjusted(10, 0, -10, 0), index.data(), "soft", px=theme.NORMAL)
            return
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(present.color("accent_soft"))
            painter.drawRoundedRect(option.rect.adjusted(0, 1, 0, -1), 5, 5)
        is_enabled = entry.action.isEnabled()
        area = option.rect.adjusted(10, 0, -10, 0)
        key_width = _write(painter, area, entry.keys, "accent" if is_enabled else "faint", is_right=True)
        words = f"✓ {entry.words}" if entry.action.isChecked() else entry.words
        area.setRight(area.right() - key_width - 16)
        used = _write(painter, area, words, "text" if is_enabled else "faint", px=theme.NORMAL)
        area.setLeft(area.left() + used + 12)
        _write(painter, area, entry.place, "soft" if is_enabled else "faint")


def _write(
    painter: QPainter,
    area: QRect,
    text: str,
    token: str,
    *,
    px: int = theme.SMALL,
    is_right: bool = False,
) -> int:
    """Write a text, cut where there is no room; gives the width that it takes."""
    font = theme.font(px)
    text = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, max(area.width(), 0))
    painter.setFont(font)
    painter.setPen(theme.current().color(token))
    side = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), text)
    return QFontMetrics(font).horizontalAdvance(text)
