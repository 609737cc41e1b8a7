"""Draws the ends of the chosen fit, to be dragged or moved by keys; the fit is redone meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg
from PyQt5.QtCore import QSignalBlocker, Qt

from pygama_gui.session import fit_changes
from pygama_gui.session.named import named
from pygama_gui.session.state import Fit
from pygama_gui.views.spectrum.ranges import ends_moved, step_of
from pygama_gui.widgets import theme
from pygama_gui.widgets.held_range import HeldRange

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.view import SpectrumView

OVER = 16.0
"""Above the region, which a fit was perhaps made of."""
LEAST_PX = 24.0
"""Ends that lie nearer to each other are not drawn: a drag between them would be for neither."""
HELD_WORDS = ("lower end of the fit", "upper end of the fit", "range of the fit")


class FitEnds:
    """The two ends of the chosen fit, where it is one of the spectrum on screen."""

    def __init__(self, view: SpectrumView) -> None:
        self._view = view
        self._fit: Fit | None = None
        self._held: int | None = None
        """What keys move, as a place in `HELD_WORDS`."""
        self.item = HeldRange(swapMode="block", brush=pg.mkBrush(None))
        self.item.movable = False  # only its ends are: a drag between them zooms
        self.item.setZValue(OVER)
        self.item.setHoverBrush(pg.mkBrush(None))
        for line in self.item.lines:
            line.setCursor(Qt.CursorShape.SizeHorCursor)
        self.item.sigTaken.connect(view.bridge.store.settle)
        self.item.sigRegionChanged.connect(self._follow)
        self.item.sigRegionChangeFinished.connect(lambda: view.bridge.store.settle())
        self.item.hide()
        view.plot.addItem(self.item)

    @property
    def is_held(self) -> bool:
        """Whether keys move an end of the fit."""
        return self._held is not None

    @property
    def held_words(self) -> str:
        """What keys move; empty where it is nothing of a fit."""
        return "" if self._held is None else HELD_WORDS[self._held]

    @property
    def shown(self) -> tuple[float, ...]:
        """Where the ends stand that are to be seen."""
        fit = self._fit if self.item.isVisible() else None
        return () if fit is None else (fit.request.low, fit.request.high)

    def draw(self, fit: Fit | None) -> None:
        """Draw the ends of a fit; None: of none."""
        if fit is None or self._fit is None or fit.name != self._fit.name:
            self._held = None
        self._fit = fit
        if fit is None:
            self.item.hide()
            return
        ends = (fit.request.low, fit.request.high)
        if not self.item.is_held:
            with QSignalBlocker(self.item):
                self.item.setRegion(ends)
        for at, line in enumerate(self.item.lines):
            is_held = self._held in (at, len(ends))
            style = Qt.PenStyle.SolidLine if is_held else Qt.PenStyle.DashLine
            line.setPen(theme.current().pen("accent", style))
            line.setHoverPen(theme.current().pen("accent"))
        self.item.setVisible(self.is_held or self._is_wide(ends))

    def _is_wide(self, ends: tuple[float, float]) -> bool:
        box = self._view.plot.box
        low, high = box.viewRange()[0]
        return (ends[1] - ends[0]) * box.width() > LEAST_PX * (high - low)

    @property
    def _present(self) -> Fit | None:
        """The fit as it is now: several keys may come before it is drawn anew."""
        return None if self._fit is None else named(self._view.session.fits, self._fit.name)

    def take_next(self) -> None:
        """Let keys move the lower end, then the upper one, then both, then none."""
        if self._fit is None:
            self._view.bridge.log("Choose a fit of this spectrum in Fits to move its ends", "warning")
            return
        following = 0 if self._held is None else self._held + 1
        self._held = following if following < len(HELD_WORDS) else None
        self._view.bridge.store.settle()  # each end that keys move is one step back
        self._view.redraw_soon()

    def give_up(self) -> bool:
        """Put the ends back where the mouse took one; tells whether it held one."""
        if was_held := self.item.let_go():
            self._view.bridge.store.give_up()
        return was_held

    def let_go(self) -> None:
        """Let keys move what they moved before."""
        self._held = None

    def nudge(self, by: float) -> None:
        """Move what keys move."""
        if (fit := self._present) is not None and self._held is not None:
            low, high = fit.request.low, fit.request.high
            self._move(fit, low + by * (self._held != 1), high + by * (self._held != 0))

    def _follow(self) -> None:
        """Give the fit the range that is under the hand, up to the peaks that are asked for."""
        if (fit := self._present) is None:
            return
        step = step_of(self._view.plot)
        low, high = ends_moved(self.item, (fit.request.low, fit.request.high), step)
        places = fit.request.positions
        if places:
            low, high = min(low, min(places) - step), max(high, max(places) + step)
        self._move(fit, low, max(high, low + step))

    def _move(self, fit: Fit, low: float, high: float) -> None:
        merge = f"range {fit.name}"
        self._view.bridge.change(fit_changes.set_fit_range, fit.name, low, high, merge=merge)
