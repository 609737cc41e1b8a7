"""The row of controls below the plane: columns, channel, colours, bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QSignalBlocker
from PyQt5.QtWidgets import QCheckBox, QWidget

from pygama_gui.data.live_run import LiveRun
from pygama_gui.views.plane.columns import numbers_of
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import Controls, Elided, choice_box, icon_button, label

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import PlaneView

LOG, NO_COLORS = "Logarithmic colours (L)", "So few events are drawn one by one: they have no colours"


class PlaneBar:
    """The controls of one plane."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        self._columns: tuple[str, ...] = ()
        self.channels: list[int] = []
        self._names: list[str] = []
        self.y = choice_box("Column on the y axis", "a_over_e")
        self.x = choice_box("Column on the x axis", "trap_max")
        self.x.activated.connect(lambda at: view.choose_x(self.x.itemText(at)))
        self.y.activated.connect(lambda at: view.choose_y(self.y.itemText(at)))
        self.channel = choice_box("Channel of the plane", "all channels")
        self.channel.activated.connect(self._choose_channel)
        self.channel.hide()
        self.log = QCheckBox("log")
        self.log.setAccessibleName("Logarithmic colours")
        self.log.setToolTip(LOG)
        self.log.toggled.connect(lambda is_log: view.choose(is_log=is_log))
        self.more = icon_button("bins_more", "More bins in the plane ([)", lambda: view.rebin(0.5))
        self.fewer = icon_button("bins_fewer", "Fewer bins in the plane (])", lambda: view.rebin(2.0))
        self.all = icon_button("all", "Show all of the plane (A)", view.show_all)
        self.info = Elided()
        against = label("against", tone="soft", px=theme.SMALL)
        boxes = (self.y, against, self.x, self.channel, self.log)
        self.row = Controls((*boxes, self.more, self.fewer, self.all), self.info, margins=(8, 2, 8, 6))

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.y, self.x, self.channel, self.log, self.more, self.fewer, self.all]

    def suit(self, *, is_wide: bool) -> None:
        """Leave out what the menu has as well where there is no room."""
        for widget in (self.more, self.fewer, self.log):
            widget.setVisible(is_wide)

    def offer_colors(self, *, are_drawn: bool) -> None:
        """Let the scale of colours be chosen where there are any, and say why not."""
        if self.log.hasFocus() and not are_drawn:
            self._view.plot.setFocus()
        self.log.setEnabled(are_drawn)
        self.log.setToolTip(LOG if are_drawn else NO_COLORS)

    def show_state(self, live: LiveRun | None) -> None:
        """Offer the columns and channels that the run has, and show what is chosen."""
        names = numbers_of(live)
        if names and names != self._columns:
            self._columns = names
            for box in (self.x, self.y):
                box.clear()
                box.addItems(names)
        self.x.setCurrentIndex(self.x.findText(self._view.x_name))
        self.y.setCurrentIndex(self.y.findText(self._view.y_name))
        self._show_channels([] if live is None else self._view.bridge.shown(live.channels))
        with QSignalBlocker(self.log):
            self.log.setChecked(self._view.choice.is_log)

    def _show_channels(self, channels: list[int]) -> None:
        names = self._view.bridge.names(channels)
        if channels and (channels, names) != (self.channels, self._names):
            self.channels, self._names = channels, names
            self.channel.clear()
            self.channel.addItems(["all channels", *names])
            self.channel.setVisible(len(channels) > 1)
        chosen = self._view.channel
        at = 1 + self.channels.index(chosen) if chosen in self.channels and chosen is not None else 0
        self.channel.setCurrentIndex(at)

    def _choose_channel(self, index: int) -> None:
        self._view.choose(channel=self.channels[index - 1] if index else None)
