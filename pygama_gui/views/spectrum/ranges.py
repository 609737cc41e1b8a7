"""Draws the cuts that are ranges of the column a spectrum shows; their edges can be dragged.

An edge that is dragged rewrites the text of its cut, and all views follow; the whole drag is one step back.
"""

from __future__ import annotations

import html
import math
from dataclasses import replace

import pyqtgraph as pg
from PyQt5.QtCore import QSignalBlocker, Qt
from PyQt5.QtGui import QBrush, QColor

from pygama.analysis.cuts import Cut, RangeOf, as_range
from pygama_gui.bridge import Bridge
from pygama_gui.session import cut_changes
from pygama_gui.views.base import View
from pygama_gui.widgets import theme
from pygama_gui.widgets.held_range import HeldRange
from pygama_gui.widgets.plot import Plot

BEHIND, BEFORE = 8.0, 17.0
"""Heights of a range: those of the chosen cut lie over the region, which a cut was perhaps made of."""
FAINT, CHOSEN = 26, 52
"""Of 255: how much of a cut's colour is seen, and of the chosen one's."""
STEPS_A_PIXEL = 2.0
"""Ends are written no finer than this."""
WORDS_PX = 22
OWNER = "spectrum"
"""How the spectrum calls itself where it has something counted."""


class CutRanges:
    """The ranges of one spectrum."""

    def __init__(self, view: View, plot: Plot) -> None:
        self._view, self._plot = view, plot
        self._bands: dict[str, Band] = {}
        view.bridge.session_changed.connect(self._on_session)

    @property
    def bands(self) -> dict[str, Band]:
        """The bands by the names of their cuts."""
        return self._bands

    def _on_session(self, old: object, new: object) -> None:
        before, now = ((one.cuts, one.cut) for one in (old, new))  # type: ignore[attr-defined]
        if before != now:
            self._view.redraw_soon()

    def draw(self, column: str) -> None:
        """Draw the ranges of a column."""
        session = self._view.session
        shown = {cut.name: (cut, found) for cut in session.cuts if (found := _range_of(cut, column))}
        for name in [name for name in self._bands if name not in shown]:
            self._bands.pop(name).remove()
        for at, (name, (cut, found)) in enumerate(shown.items()):
            if name not in self._bands:
                self._bands[name] = Band(self._view.bridge, self._plot, name)
            self._bands[name].draw(cut, found, at, is_chosen=name == session.cut)

    def ends(self) -> list[float]:
        """Give where the ends stand that can be dragged."""
        return [end for band in self._bands.values() for end in band.ends]

    def give_up(self) -> bool:
        """Put the end of a range back where the mouse took it; tells whether it held one."""
        return any(band.give_up() for band in self._bands.values())

    def hide(self) -> None:
        """Draw nothing."""
        for name in list(self._bands):
            self._bands.pop(name).remove()


class Band:
    """One range, from edge to edge, with the name of its cut."""

    def __init__(self, bridge: Bridge, plot: Plot, name: str) -> None:
        self._bridge, self._plot, self._name = bridge, plot, name
        self._range: RangeOf | None = None
        self.item = HeldRange(swapMode="block")
        self.item.setZValue(BEHIND)
        self.item.movable = False  # only its edges are: a drag between them zooms, however wide it is
        for line in self.item.lines:
            line.setCursor(Qt.CursorShape.SizeHorCursor)
        self.item.sigTaken.connect(bridge.store.settle)
        self.item.sigRegionChanged.connect(self._follow)
        self.item.sigRegionChangeFinished.connect(self._set_down)
        self.words = pg.TextItem(anchor=(0, 1))
        self.words.setFont(theme.font(theme.SMALL))
        self.words.setZValue(BEHIND + 1)
        plot.addItem(self.item)
        plot.addItem(self.words)

    def remove(self) -> None:
        """Take it away."""
        with QSignalBlocker(self.item):
            self._plot.removeItem(self.item)
        self._plot.removeItem(self.words)

    @property
    def ends(self) -> list[float]:
        """Where its ends stand, those that there are."""
        ends = () if self._range is None else (self._range.low, self._range.high)
        return [end for end in ends if math.isfinite(end)]

    def give_up(self) -> bool:
        """Put an end back where the mouse took it; tells whether it held one."""
        if was_held := self.item.let_go():
            self._bridge.store.give_up()
            self._set_down()
        return was_held

    def draw(self, cut: Cut, found: RangeOf, at: int, *, is_chosen: bool) -> None:
        """Draw it. at: its number among those drawn, for the place of its name."""
        self._range = found
        (low, high), (bottom, top) = self._plot.box.viewRange()
        far = high - low
        ends = (found.low, found.high)
        shown = [
            low - far if math.isinf(ends[0]) else ends[0],
            high + far if math.isinf(ends[1]) else ends[1],
        ]
        if not self.item.is_held:
            with QSignalBlocker(self.item):
                self.item.setRegion(shown)
        for line, end in zip(self.item.lines, ends, strict=True):
            line.setVisible(math.isfinite(end))
        self.item.setZValue(BEFORE if is_chosen else BEHIND)
        self._color(cut, is_chosen=is_chosen)
        per_px = (top - bottom) / max(self._plot.box.height(), 1.0)
        self.words.setPos(min(max(shown[0], low), high), bottom + (4 + WORDS_PX * at) * per_px)
        self._write(cut)

    def _color(self, cut: Cut, *, is_chosen: bool) -> None:
        color = _color_of(cut)
        style = Qt.PenStyle.SolidLine if cut.enabled else Qt.PenStyle.DashLine
        pen = theme.thin_pen(color, style)
        for line in self.item.lines:
            line.setPen(pen)
            line.setHoverPen(pen)
        for alpha, put in (
            (CHOSEN if is_chosen else FAINT, self.item.setBrush),
            (CHOSEN, self.item.setHoverBrush),
        ):
            brush = QBrush(color)
            # Hatched is what does not pass.
            brush.setStyle(Qt.BrushStyle.BDiagPattern if cut.inverted else Qt.BrushStyle.SolidPattern)
            seen = QColor(color)
            seen.setAlpha(min(3 * alpha, 255) if cut.inverted else alpha)
            brush.setColor(seen)
            put(brush if cut.enabled else QBrush(Qt.BrushStyle.NoBrush))
        self.item.update()  # pyqtgraph takes a brush and draws with it when something else moves

    def _write(self, cut: Cut) -> None:
        name = ("not " if cut.inverted else "") + cut.name + ("" if cut.enabled else " (off)")
        square = f'<span style="color:{_color_of(cut).name()}">■</span>'
        text = theme.current().tokens["text"]
        self.words.setHtml(f'{square} <span style="color:{text}">{html.escape(name)}</span>')
        ground = theme.current().color("panel")
        ground.setAlpha(200)
        self.words.fill = pg.mkBrush(ground)

    def _follow(self) -> None:
        """Write the range that is under the hand into the cut."""
        if self._range is None:
            return
        bridge = self._bridge
        bridge.counting.serve_first(OWNER)
        bridge.change(cut_changes.choose_cut, self._name)
        bridge.change(
            cut_changes.edit_cut, self._name, self._dragged(self._range).text, merge=f"cut {self._name}"
        )

    def _dragged(self, found: RangeOf) -> RangeOf:
        """Give the range that is under the hand; an end that was not there stays away."""
        step = step_of(self._plot)
        low, high = ends_moved(self.item, (found.low, found.high), step)
        if math.isinf(found.low):
            return replace(found, high=high)
        if math.isinf(found.high):
            return replace(found, low=low)
        return replace(found, low=low, high=max(high, low + step))

    def _set_down(self) -> None:
        self._bridge.store.settle()
        self._bridge.counting.serve_first("")


def _range_of(cut: Cut, column: str) -> RangeOf | None:
    found = as_range(cut.expression)
    return found if found is not None and found.column == column else None


def _color_of(cut: Cut) -> QColor:
    return QColor(cut.color) if QColor.isValidColor(cut.color) else theme.current().color("marker")


def step_of(plot: Plot) -> float:
    """Give how finely a place is written that was dragged: a power of ten below half a pixel."""
    low, high = plot.box.viewRange()[0]
    step = (high - low) / max(plot.box.width(), 1.0) / STEPS_A_PIXEL
    return 10.0 ** math.floor(math.log10(step)) if step > 0 else 1.0


def ends_moved(item: pg.LinearRegionItem, before: tuple[float, float], step: float) -> tuple[float, float]:
    """Give where the ends of a range are, rounded to a step; one that was not moved stays as it was."""
    low, high = (
        end if end == was else _rounded(end, step)
        for end, was in zip(map(float, item.getRegion()), before, strict=True)
    )
    return min(low, high), max(low, high)


def _rounded(value: float, step: float) -> float:
    decimals = max(0, -math.floor(math.log10(step) + 0.5))
    return round(round(value / step) * step, decimals)
