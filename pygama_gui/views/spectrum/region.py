"""Draws the region of a spectrum that a person marked, with what it holds written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pyqtgraph as pg
from PyQt5.QtCore import QSignalBlocker

from pygama.analysis.regions import Region
from pygama_gui.views.spectrum.room import Room, words_item, write
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.held_range import HeldRange
from pygama_gui.widgets.plot import Plot

FAINT, BRIGHT = 38, 60
"""Of 255: how much of the region's colour is seen, and under the mouse."""


class RegionMark:
    """The band of the region with its words. `moved` is called while it is dragged, `set_down` at the end."""

    def __init__(
        self,
        plot: Plot,
        moved: Callable[[float, float], None],
        set_down: Callable[[float, float], None],
    ) -> None:
        self.item = HeldRange(swapMode="none")
        self.item.setZValue(15)
        self.item.hide()
        for line in self.item.lines:
            line.setCursor(pg.QtCore.Qt.CursorShape.SizeHorCursor)
        self.item.sigRegionChanged.connect(lambda: moved(*map(float, self.item.getRegion())))
        self.item.sigRegionChangeFinished.connect(lambda: set_down(*map(float, self.item.getRegion())))
        plot.addItem(self.item)
        self.words = words_item(plot, 20)
        self.words.setFont(theme.font(theme.NORMAL))
        self.words.hide()

    def hide(self) -> None:
        """Show no region."""
        self.item.hide()
        self.words.hide()

    def show(self, roi: tuple[float, float]) -> None:
        """Show a region."""
        self._color()
        with QSignalBlocker(self.item):
            self.item.setRegion(roi)
        self.item.show()
        self.words.show()

    def write(self, text: str, roi: tuple[float, float], room: Room) -> None:
        """Write beside the region, on the side where there is room; nothing where it is out of view."""
        if roi[1] < room.left or roi[0] > room.right:
            self.words.hide()
            return
        write(self.words, text, "marker")
        needed = self.words.boundingRect().width() * room.per_x
        is_left = roi[1] + needed > room.right and roi[0] - needed > room.left
        top = room.top - 6 * room.per_y
        room.place(self.words, roi[0] - needed if is_left else roi[1], top, is_beside=True)

    def _color(self) -> None:
        color = theme.current().color("marker")
        pen = theme.current().pen("marker")
        for line in self.item.lines:
            line.setPen(pen)
            line.setHoverPen(pen)
        for alpha, brush in ((FAINT, self.item.setBrush), (BRIGHT, self.item.setHoverBrush)):
            color.setAlpha(alpha)
            brush(color)


def region_words(found: Region | None, unit: str) -> str:
    """Say what a region holds."""
    if found is None:
        return "too narrow"
    first = f"gross {words.grouped(found.gross, 0)}"
    if not math.isfinite(found.net):
        return f"{first}\nno net: {found.why_no_net}"
    first += f"   net {words.with_error(found.net, found.net_error)}"
    if not math.isfinite(found.centroid):
        return f"{first}\nno peak"
    second = f"centroid {words.with_error(found.centroid, found.centroid_error)} {unit}".rstrip()
    if found.fwhm_error < found.fwhm:
        second += f"\nFWHM {words.with_error(found.fwhm, found.fwhm_error)} {unit}".rstrip()
    return f"{first}\n{second}"


def all_region_words(found: Region | None, unit: str) -> str:
    """Say in one line what a region holds, with the width at a tenth and the rate, where they are known."""
    told = [region_words(found, unit).replace("\n", ", ").replace("   ", ", ")]
    if found is not None and found.fwtm_error < found.fwtm:
        told.append(f"FWTM {words.with_error(found.fwtm, found.fwtm_error)} {unit}".rstrip())
    if found is not None and math.isfinite(found.rate):
        told.append(f"{words.with_error(found.rate, found.rate_error)} counts/s")
    return ", ".join(told)
