"""Shows a range that is dragged, all of it or its ends; a drag can be given up while the mouse holds it."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PyQt5.QtCore import pyqtSignal


class HeldRange(pg.LinearRegionItem):
    """pyqtgraph's range, which says when it is taken, and lets go before the button is up."""

    sigTaken = pyqtSignal()  # noqa: N815  (as pyqtgraph names the others)
    """A drag moves it for the first time; comes before sigRegionChanged is heard elsewhere."""

    def __init__(self, **options: Any) -> None:
        super().__init__((0, 1), **options)
        self._is_taken = False
        self.sigRegionChanged.connect(self._tell_taken)
        self.sigRegionChangeFinished.connect(self._put_down)

    @property
    def is_held(self) -> bool:
        """Whether the mouse holds it."""
        return self.moving or any(line.moving for line in self.lines)

    def let_go(self) -> bool:
        """Follow the mouse no longer; tells whether it did. The range stands where it was dragged to."""
        was_held, self._is_taken = self.is_held, False
        self.moving = False
        for line in self.lines:
            line.moving = False
        return was_held

    def _tell_taken(self) -> None:
        if self.is_held and not self._is_taken:
            self._is_taken = True
            self.sigTaken.emit()

    def _put_down(self) -> None:
        self._is_taken = False
