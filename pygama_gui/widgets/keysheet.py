"""Lists all keys, from the actions themselves, so that the list cannot be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QMenuBar,
    QScrollArea,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import button, label, room_on_screen

SPELT = {".": ". (dot)", ",": ", (comma)", "-": "- (minus)", "+": "+ (plus)"}
"""Keys that are hardly seen in print."""
MOUSE = (
    ("drag to the right", "zoom into the band"),
    ("drag to the left", "zoom out"),
    ("wheel, Shift+wheel", "zoom x, zoom y"),
    ("Ctrl-drag", "move the picture"),
    ("Alt- or Shift-drag", "mark a region"),
    ("drag an end or a corner", "move that of a region, cut or fit"),
    ("Alt- or Shift-click", "put a corner on the side of a gate"),
    ("double-click", "show all"),
    ("right-click", "menu"),
)


def keys_of(menu_bar: QMenuBar) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give the keys of each menu: (menu, [(key, what it does)]).

    A menu within one whose keys work everywhere stands by itself where its own work in one panel alone.
    """
    found = []
    for action in menu_bar.actions():
        menu = action.menu()
        if menu is None:
            continue
        apart = [inner for inner in _inside(menu) if _is_of_panel(inner) and not _is_of_panel(menu)]
        parts = [(_plain(action.text()), menu), *((_plain(one.title()), one) for one in apart)]
        found += [(name, keys) for name, one in parts if (keys := list(_keys(one, without=apart)))]
    return found


def _inside(menu: QMenu) -> list[QMenu]:
    return [inner for action in menu.actions() if (inner := action.menu()) is not None]


def _is_of_panel(menu: QMenu) -> bool:
    """Tell whether the keys of a menu work only where the focus is in one panel."""
    everywhere = Qt.ShortcutContext.WindowShortcut
    keyed = [action for action in menu.actions() if not action.shortcut().isEmpty()]
    return bool(keyed) and all(action.shortcutContext() != everywhere for action in keyed)


def _keys(menu: QMenu, *, without: Sequence[QMenu] = ()) -> Iterator[tuple[str, str]]:
    for action in menu.actions():
        inner = action.menu()
        if inner is not None:
            yield from () if inner in without else _keys(inner)
        elif not action.shortcut().isEmpty():
            sequences = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()]
            keys = [SPELT.get(sequence, sequence) for sequence in sequences]
            yield " or ".join(keys), _plain(action.text()).partition(":")[0]


def _plain(text: str) -> str:
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")


class KeySheet(QDialog):
    """All keys and what the mouse does, on one page."""

    N_COLUMNS = 4

    def __init__(self, menu_bar: QMenuBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        groups = [*keys_of(menu_bar), ("Mouse on a plot", list(MOUSE))]
        frame = 2 * 24 + 4 + self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        room = room_on_screen()
        inside = self._inside(groups, self.N_COLUMNS)
        for n in range(self.N_COLUMNS - 1, 0, -1):
            if inside.sizeHint().width() + frame <= room.width():
                break
            inside = self._inside(groups, n)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        close = button("Close", "Close the list of keys")
        close.clicked.connect(self.accept)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.addWidget(scroll, 1)
        outer.addSpacing(8)
        outer.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        needed = inside.sizeHint() + QSize(frame, 20 + 16 + 8 + close.sizeHint().height() + 12)
        self.resize(needed.boundedTo(room))

    def _inside(self, groups: list[tuple[str, list[tuple[str, str]]]], n: int) -> QWidget:
        inside = QWidget()
        inside.setObjectName("inside")
        columns = QHBoxLayout(inside)
        columns.setContentsMargins(0, 0, 0, 0)
        columns.setSpacing(24)
        for part in _in_columns(groups, n):
            columns.addLayout(self._column(part))
        return inside

    def _column(self, groups: list[tuple[str, list[tuple[str, str]]]]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(6)
        for name, keys in groups:
            column.addWidget(label(name, bold=True))
            grid = QGridLayout()
            grid.setHorizontalSpacing(14)
            grid.setVerticalSpacing(3)
            for at, (key, words) in enumerate(keys):
                grid.addWidget(label(key, tone="accent", px=theme.SMALL), at, 0)
                grid.addWidget(label(words, tone="soft", px=theme.SMALL), at, 1)
            grid.setColumnStretch(1, 1)
            column.addLayout(grid)
            column.addSpacing(10)
        column.addStretch(1)
        return column


def _in_columns(
    groups: list[tuple[str, list[tuple[str, str]]]], n: int
) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """Spread groups over columns, in order, so that the longest one is as short as can be."""

    def length(column: list[tuple[str, list[tuple[str, str]]]]) -> int:
        return sum(len(keys) + 2 for _, keys in column)

    cuts = combinations(range(1, len(groups)), min(n, len(groups)) - 1)
    spread = ([groups[start:stop] for start, stop in pairwise((0, *cut, len(groups)))] for cut in cuts)
    return min(spread, key=lambda columns: max(map(length, columns)))
