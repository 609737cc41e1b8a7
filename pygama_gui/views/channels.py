"""Shows a small spectrum and figures of each channel."""

from __future__ import annotations

from PyQt5.QtWidgets import QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.views.base import View
from pygama_gui.widgets.parts import label


class ChannelsView(View):
    """All channels at a glance."""

    TITLE = "Channels"
    HELP = "A small spectrum and figures of each channel."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        column = QVBoxLayout(self)
        column.addWidget(label(self.HELP, tone="soft"))

    @classmethod
    def demo(cls) -> ChannelsView:
        """Show made-up data."""
        return cls(Bridge())

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return []
