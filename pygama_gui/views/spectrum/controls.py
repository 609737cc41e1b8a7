"""Makes the row of controls below a spectrum, and keeps it as the session and the run say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QSignalBlocker
from PyQt5.QtWidgets import QCheckBox, QMenu, QWidget

from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.live_run import LiveRun
from pygama_gui.widgets.parts import Controls, Elided, choice_box, icon_button

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.view import SpectrumView

N_TOGETHER = 2
"""Entries of the channel box that are not one channel: all of them, and each for itself."""
HIDDEN_COLUMNS = ("period_ns", "crate", "card", CODE, CLOCK)


class SpectrumControls:
    """Column, channel, log, rate, bins, other runs, and a line of words."""

    def __init__(self, view: SpectrumView) -> None:
        self._view = view
        self._columns: tuple[str, ...] = ()
        self.channels: list[int] = []
        self._channel_names: list[str] = []
        self.column_box = choice_box("Column of the spectrum", view.choice.column)
        self.column_box.activated.connect(lambda at: view.choose_column(self.column_box.itemText(at)))
        self.channel_box = choice_box("Channel of the spectrum", "all channels")
        self.channel_box.activated.connect(self.choose_channel)
        self.channel_box.hide()
        self.log_box = _check("log", "Logarithmic counts", "L")
        self.log_box.toggled.connect(lambda is_log: view.choose(is_log=is_log))
        self.rate_box = _check("rate", "Rate density, as counts/keV/s, by the live time", "Shift+Y")
        self.rate_box.toggled.connect(lambda is_rate: view.choose(is_rate=is_rate))
        self.more_button = icon_button("bins_more", "More bins ([)", lambda: view.rebin(0.5))
        self.fewer_button = icon_button("bins_fewer", "Fewer bins (])", lambda: view.rebin(2.0))
        self.all_button = icon_button("all", "Show all (A)", view.show_all)
        self.compare_button = icon_button("compare", "Compare with other runs", self._compare)
        self._compare_menu: QMenu | None = None
        self.info = Elided()

    def row(self, compare_menu: QMenu) -> Controls:
        """Give the row."""
        self._compare_menu = compare_menu
        return Controls(self.stops(), self.info, margins=(8, 2, 8, 6))

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        boxes = [self.column_box, self.channel_box, self.log_box, self.rate_box]
        return [*boxes, self.more_button, self.fewer_button, self.all_button, self.compare_button]

    def _compare(self) -> None:
        """Offer the other runs."""
        if self._compare_menu is not None:
            at = self.compare_button
            self._compare_menu.popup(at.mapToGlobal(at.rect().topLeft()))

    def choose_channel(self, index: int) -> None:
        """Take an entry of the channel box."""
        is_one = index >= N_TOGETHER
        self._view.choose(
            channel=self.channels[index - N_TOGETHER] if is_one else None, is_apart=index == N_TOGETHER - 1
        )

    def next_channel(self, by: int) -> None:
        """Go to another entry of the channel box."""
        if self.channels:
            at = self.channel_box.currentIndex() + by
            self.choose_channel(at % (len(self.channels) + N_TOGETHER))

    def show(self, live: LiveRun | None) -> None:
        """Offer the columns and channels of a run, and show what is chosen."""
        bridge, choice = self._view.bridge, self._view.choice
        channels = [] if live is None else bridge.shown(live.channels)
        self._offer_columns(() if live is None else _columns_of(live))
        self._offer_channels(channels, bridge.names(channels))
        self.column_box.setCurrentIndex(self.column_box.findText(choice.column))
        self.channel_box.setCurrentIndex(self._place_of_channel())
        for box, is_on in ((self.log_box, choice.is_log), (self.rate_box, choice.is_rate)):
            with QSignalBlocker(box):
                box.setChecked(is_on)

    def _offer_columns(self, names: tuple[str, ...]) -> None:
        if names and names != self._columns:
            self._columns = names
            self.column_box.clear()
            self.column_box.addItems(names)

    def _offer_channels(self, channels: list[int], names: list[str]) -> None:
        if channels and (channels, names) != (self.channels, self._channel_names):
            self.channels, self._channel_names = channels, names
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", "each channel", *names])
            self.channel_box.setVisible(len(channels) > 1)

    def _place_of_channel(self) -> int:
        chosen = self._view.channel
        if chosen is not None and chosen in self.channels:
            return self.channels.index(chosen) + N_TOGETHER
        return int(self._view.is_apart)


def _columns_of(live: LiveRun) -> tuple[str, ...]:
    names = (name for name in live.columns.names if name not in HIDDEN_COLUMNS)
    return tuple(name for name in names if live.columns.column(name).dtype.kind in "biuf")


def _check(text: str, name: str, key: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setAccessibleName(name)
    box.setToolTip(f"{name} ({key})")
    return box
