"""Shows two columns against each other."""

from __future__ import annotations

from PyQt5.QtWidgets import QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.views.base import View
from pygama_gui.widgets.parts import label


class PlaneView(View):
    """Two columns against each other."""

    TITLE = "Plane"
    HELP = "Two columns against each other."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        column = QVBoxLayout(self)
        column.addWidget(label(self.HELP, tone="soft"))

    @classmethod
    def demo(cls) -> PlaneView:
        """Show made-up data."""
        return cls(Bridge())

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return []
