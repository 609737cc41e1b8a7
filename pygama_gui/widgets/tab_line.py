"""A line of tabs that are all there at any width: they stand closer where there is little room."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QTabBar

from pygama_gui.widgets import theme

PADDING = 13
"""Beside the words of a tab, in pixels; see the style sheet, which also knows the close ones."""


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
        metrics = self.fontMetrics()
        texts = (metrics.horizontalAdvance(self.tabText(at)) for at in range(self.count()))
        return sum(texts) + (2 * PADDING + 1) * self.count()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Stand close where words would be cut otherwise."""
        theme.mark(self, "close", self.wanted_width > self.width())
        super().resizeEvent(event)
