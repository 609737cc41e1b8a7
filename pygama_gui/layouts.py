"""Arranges the window: named layouts, what a person moved in each of them, and the way back.

A layout says which panels are seen, how large they are and which pictures stand between them. Whatever a
person moves belongs to the layout that is in use, and is there again when it is chosen the next time.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PyQt5 import sip
from PyQt5.QtCore import QByteArray, QEvent, QObject, QPoint, QRect, Qt, QTimer
from PyQt5.QtWidgets import QDockWidget

from pygama.quick_dataclass import dataclass
from pygama_gui.session import changes
from pygama_gui.session.state import DEFAULT_LAYOUT, SHIFT_LAYOUT, Arrangement, Session

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

VERSION = 1
"""Of Qt's own record of panels; another one is not restored."""
LOOK_AFTER_MS = 400
USUAL_SIZE = (1480, 900)
"""Of a window, in pixels; in a smaller one the panels are smaller as well."""
NARROW = 1240
"""Less wide than this, in pixels, what is at the bottom is as wide as the window."""
FRAME, TITLE_BAR = 4, 32
"""About what a window manager puts around a window, in pixels."""
Area = Qt.DockWidgetArea
MOVES = (
    QEvent.Type.Resize,
    QEvent.Type.Move,
    QEvent.Type.Show,
    QEvent.Type.Hide,
    QEvent.Type.WindowStateChange,
)


@dataclass(frozen=True)
class Layout:
    """docks: panels that are seen -> width at a side, height at the bottom, in pixels.

    Of panels that lie on each other the first one is in front. split: shares of waveforms and spectrum in
    the overview.
    """

    name: str
    about: str
    docks: Mapping[str, int]
    split: tuple[int, int]
    tab: int = 0


LAYOUTS = (
    Layout(DEFAULT_LAYOUT, "Runs, pictures and settings", {"runs": 292, "settings": 332}, (540, 460)),
    Layout("Tune", "The chain with room for its sliders, and both pictures", {"settings": 470}, (500, 500)),
    Layout("Inspect", "Runs, pictures, cuts and fits", {"runs": 250, "cuts": 360, "fits": 360}, (420, 580)),
    Layout(
        SHIFT_LAYOUT,
        "Runs, a large spectrum, the log and the shift page",
        {"runs": 250, "log": 150},
        (420, 580),
    ),
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}


class Layouts(QObject):
    """Shows the layout of the session, and notes in the session what a person moves."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._first = window.saveState(VERSION)
        self._shown: Arrangement | None = None
        """The arrangement as the program made it; None until everything rests."""
        self._opened: frozenset[str] = frozenset()
        """Panels that the program opened."""
        self._is_noting = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_AFTER_MS)
        self._timer.timeout.connect(self.note)
        for watched in (window, *self._docks().values()):
            watched.installEventFilter(self)
        window.split.splitterMoved.connect(lambda _at, _index: self._timer.start())

    def choose(self, name: str) -> None:
        """Go to a layout, with its pictures."""
        self.note()
        self._window.bridge.change(changes.choose_layout, name)
        self._window.bridge.change(changes.choose_tab, BY_NAME[name].tab)

    def reset(self) -> None:
        """Put all panels where the present layout has them."""
        self._timer.stop()
        self._window.bridge.change(changes.arrange, _text(self._window.saveGeometry()), None)
        self._show_built_in(self._present(self._window.bridge.session))

    def restore(self, session: Session) -> None:
        """Show the window and its panels as the session says."""
        if session.geometry:
            self._window.restoreGeometry(_bytes(session.geometry))
        self._arrange(session)

    def keep_on_screen(self) -> None:
        """Make the window no larger than its screen, which may be another one than when it was noted."""
        window = self._window
        screen = window.screen()
        if screen is None or window.isMaximized() or window.isFullScreen():
            return
        fitted = fitted_in(window.geometry(), screen.availableGeometry())
        if fitted != window.geometry():
            window.setGeometry(fitted)
            if window.bridge.session.layout not in window.bridge.session.arrangements:
                self._show_built_in(self._present(window.bridge.session))

    def share_corners(self) -> None:
        """Let panels at the bottom reach below those at the sides where they have too little room between."""
        is_narrow = self._window.width() < NARROW
        bottom, left, right = Area.BottomDockWidgetArea, Area.LeftDockWidgetArea, Area.RightDockWidgetArea
        self._window.setCorner(Qt.Corner.BottomLeftCorner, bottom if is_narrow else left)
        self._window.setCorner(Qt.Corner.BottomRightCorner, bottom if is_narrow else right)

    def on_session(self, old: Session, new: Session) -> None:
        """Show another layout, or the arrangement that an opened session brought."""
        if self._is_noting:
            return
        if old.geometry != new.geometry and new.geometry:
            self._window.restoreGeometry(_bytes(new.geometry))
            self.keep_on_screen()
        if old.layout != new.layout or old.arrangements != new.arrangements:
            self._arrange(new)

    def note(self) -> None:
        """Note in the session where everything stands, if it was moved."""
        self._timer.stop()
        if not self._window.isVisible():
            return
        present = self._arrangement()
        if self._shown is None:  # what a person opened before everything rested is not the program's
            self._shown = present if self._open() == self._opened else Arrangement()
        session = self._window.bridge.session
        held = session.arrangements.get(session.layout) if present == self._shown else present
        self._is_noting = True
        self._window.bridge.change(changes.arrange, _text(self._window.saveGeometry()), held)
        self._is_noting = False

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Look at where everything stands when something was moved and rests."""
        if sip.isdeleted(self._window) or sip.isdeleted(self):
            return False
        if event is not None and event.type() in MOVES and self._window.isVisible():
            self._timer.start()
        return super().eventFilter(watched, event)

    def _arrange(self, session: Session) -> None:
        held = session.arrangements.get(session.layout)
        if held is None or not self._window.restoreState(_bytes(held.docks), VERSION):
            self._show_built_in(self._present(session))
            return
        self._window.split.restoreState(_bytes(held.split))
        self._window.split.turn()
        self.share_corners()
        self._shown, self._opened = None, self._open()

    def _show_built_in(self, layout: Layout) -> None:
        window = self._window
        window.restoreState(self._first, VERSION)
        for name, dock in self._docks().items():
            dock.setVisible(name in layout.docks)
        there = self._docks()
        sizes = {there[name]: size for name, size in layout.docks.items() if name in there}
        narrow, low = min(window.width() / USUAL_SIZE[0], 1.0), min(window.height() / USUAL_SIZE[1], 1.0)
        for way, areas, share in (
            (Qt.Orientation.Horizontal, (Area.LeftDockWidgetArea, Area.RightDockWidgetArea), narrow),
            (Qt.Orientation.Vertical, (Area.BottomDockWidgetArea, Area.TopDockWidgetArea), low),
        ):
            docks = [dock for dock in sizes if window.dockWidgetArea(dock) in areas]
            window.resizeDocks(docks, [round(sizes[dock] * share) for dock in docks], way)
        for dock in reversed(sizes):
            dock.raise_()
        window.split.setSizes(list(layout.split))
        self.share_corners()
        self._shown, self._opened = None, self._open()

    def _open(self) -> frozenset[str]:
        """Name the panels that are open, those that lie behind others too."""
        return frozenset(name for name, dock in self._docks().items() if not dock.isHidden())

    def _present(self, session: Session) -> Layout:
        return BY_NAME.get(session.layout, LAYOUTS[0])

    def _docks(self) -> dict[str, QDockWidget]:
        return {dock.objectName().lower(): dock for dock in self._window.findChildren(QDockWidget)}

    def _arrangement(self) -> Arrangement:
        window = self._window
        return Arrangement(_text(window.saveState(VERSION)), _text(window.split.saveState()))


def fitted_in(place: QRect, room: QRect) -> QRect:
    """Shrink and move a window until all of it lies on a screen, with its frame."""
    inner = room.adjusted(FRAME, TITLE_BAR, -FRAME, -FRAME)
    size = place.size().boundedTo(inner.size())
    left = min(max(place.left(), inner.left()), inner.right() + 1 - size.width())
    top = min(max(place.top(), inner.top()), inner.bottom() + 1 - size.height())
    return QRect(QPoint(left, top), size)


def _text(data: QByteArray) -> str:
    return base64.b64encode(bytes(data)).decode()


def _bytes(text: str) -> QByteArray:
    """Read base64; what is none gives nothing, which Qt does not restore."""
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except ValueError:
        return QByteArray()
