"""Gives every view what it has in common: a title, help, keys, a demo, and drawing only when seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import QAction, QDockWidget, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.session.pictured import made_of
from pygama_gui.session.state import Session
from pygama_gui.widgets.own_keys import OwnKeys
from pygama_gui.widgets.plot import ZoomBox


class View(QWidget):
    """One panel. Subclasses draw in `redraw`, which is called on the tick and never while hidden."""

    TITLE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    SHORTCUTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """(key, what it does) of keys that work while the view has the focus."""

    drawn = pyqtSignal()
    """Data of a run were put on screen."""
    sight_asked = pyqtSignal()
    """The panel is to come to the front: something is done in it."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.setAccessibleName(self.TITLE)
        self.setAccessibleDescription(self.HELP)
        self._is_due = True
        self._own_keys: OwnKeys | None = None
        bridge.session_changed.connect(self.on_session)
        bridge.jobs_changed.connect(self.on_jobs)
        bridge.data_grew.connect(self.on_data)

    @classmethod
    def demo(cls) -> View:
        """Make the view with made-up data."""
        raise NotImplementedError

    @property
    def session(self) -> Session:
        """The present session."""
        return self.bridge.session

    def view_actions(self) -> Iterable[QAction]:
        """Give what the view can do, for the menus."""
        return ()

    def keys_go_to(self) -> QWidget | None:
        """Give the plot that keeps the focus when a control is clicked; None where the control takes it."""
        return None

    def boxes(self) -> Mapping[str, ZoomBox]:
        """Give what a person can zoom, by names that stand in pictures."""
        return {}

    def made(self, about: Mapping[str, str]) -> dict[str, Any]:
        """Say how a picture of the view is made, so that it can be brought back. about: words for people."""
        return made_of(self.session, about, {name: box.zoom_taken for name, box in self.boxes().items()})

    def on_session(self, old: Session, new: Session) -> None:
        """React to a change of the session."""

    def on_jobs(self, run_ids: set[str]) -> None:
        """React to news from jobs."""

    def on_data(self, run_ids: set[str]) -> None:
        """React to new rows and waveforms."""

    def come_to_sight(self) -> None:
        """Ask for the panel to come to the front where it is hidden, as behind another one."""
        if self.visibleRegion().isEmpty():  # what lies behind another panel is 'visible' to Qt
            self.sight_asked.emit()

    def recolor(self) -> None:
        """Take the colours of the present theme."""

    def redraw(self) -> None:
        """Draw what is due."""

    def redraw_soon(self) -> None:
        """Draw on the next tick, or when it comes to sight."""
        self._is_due = True
        if self.is_in_sight():
            self.bridge.redraw_soon(self)

    def is_in_sight(self) -> bool:
        """Tell whether it is shown, and in no dock that lies behind another one: that is 'visible' to Qt."""
        around: QWidget | None = self
        while around is not None and not isinstance(around, QDockWidget):
            around = around.parentWidget()
        return self.isVisible() and (around is None or not around.visibleRegion().isEmpty())

    def come_up(self) -> None:
        """Draw what became due behind another panel."""
        if self.is_in_sight():
            self.draw_if_due()

    def draw_if_due(self) -> None:
        """Draw now what is due."""
        if self._is_due:
            self._is_due = False
            self.redraw()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw what became due while hidden."""
        super().showEvent(event)
        if self._own_keys is None:
            self._own_keys = OwnKeys(self, self.keys_go_to())
        self.draw_if_due()
