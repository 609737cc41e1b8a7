"""Lists the fits and the calibration."""

from __future__ import annotations

from PyQt5.QtWidgets import QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.views.base import View
from pygama_gui.widgets.parts import label


class FitsView(View):
    """Fitted peaks and the calibration."""

    TITLE = "Fits"
    HELP = "Fitted peaks and the calibration."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        column = QVBoxLayout(self)
        column.addWidget(label(self.HELP, tone="soft"))

    @classmethod
    def demo(cls) -> FitsView:
        """Show made-up data."""
        return cls(Bridge())

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return []
