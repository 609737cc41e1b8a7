"""A line of tabs that are all there at any width: they stand closer where there is little room."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFont, QFontMetrics, QResizeEvent
from PyQt5.QtWidgets import QTabBar

from pygama_gui.widgets import theme

PADDING, CLOSE = 13, 2
"""Beside the words of a tab, in pixels; see the style sheet, which also knows the close ones."""
LEAST_PX = 10
"""Smallest height of the words, in pixels."""


class TabLine(QTabBar):
    """Tabs with words."""

    def __init__(self, names: list[str] | tuple[str, ...]) -> None:
        super().__init__()
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setFont(theme.font(bold=True))  # room for the selected tab's bold name
        self.setUsesScrollButtons(False)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        for number, name in enumerate(names):
            self.addTab(name)
            self.setTabToolTip(number, f"{name} ({number + 1})")

    @property
    def wanted_width(self) -> int:
        """How wide all tabs are with the usual room beside their words, in pixels."""
        return self._width_of(theme.font(bold=True), PADDING)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Stand close where words would be cut otherwise, and in smaller words where that is not enough."""
        is_close = self.wanted_width > self.width()
        fonts = [theme.font(px, bold=True) for px in range(theme.NORMAL, LEAST_PX - 1, -1)]
        fitting = (font for font in fonts if self._width_of(font, CLOSE) <= self.width())
        theme.mark(self, "close", is_close)  # polishes anew, which would undo the font
        self.setFont(next(fitting, fonts[-1]))
        super().resizeEvent(event)

    def _width_of(self, font: QFont, padding: int) -> int:
        metrics = QFontMetrics(font, self)
        texts = (metrics.horizontalAdvance(self.tabText(at)) for at in range(self.count()))
        return sum(texts) + (2 * padding + 1) * self.count()
