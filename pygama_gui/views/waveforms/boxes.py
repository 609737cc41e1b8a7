"""Makes cuts of boxes that are drawn over waveforms: those that pass through are looked at everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor

from pygama.analysis.cuts import Cut
from pygama.boxes import Box, as_box
from pygama_gui.data.cutting import free_name
from pygama_gui.data.drawn_box import NO_BASELINE, baseline_of, box_of, why_no_box
from pygama_gui.session import cut_changes
from pygama_gui.widgets import theme
from pygama_gui.widgets.box_zoom import BoxZoom
from pygama_gui.widgets.plot import Plot

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

NAME = "box1"
DRAG = "Drag over the waveforms to mark a box; Esc gives up"
NO_WAVEFORMS = "No waveforms are shown to draw a box over"
BEYOND = "The box lies beyond the record"


class WaveformBoxes:
    """The boxes that cuts name, over one plot of waveforms."""

    def __init__(self, view: WaveformView, plot: Plot, box: BoxZoom) -> None:
        self._view, self._plot, self._box = view, plot, box
        self._drawn: dict[str, tuple[pg.PlotCurveItem, pg.TextItem]] = {}
        box.box_dragged.connect(self.take)

    def begin(self) -> None:
        """Let the next drag mark a box, unless none can be marked here."""
        self._box.is_region_wanted = not (why := self._why_not())
        self._view.bridge.log(why or DRAG, "warning" if why else "info")

    def cancel(self) -> None:
        """Let a drag zoom again."""
        self._box.cancel()

    def take(self, drawn: QRectF) -> None:
        """Make a cut of a box in the units of the axes."""
        view = self._view
        live = view.browser.live
        if (why := self._why_not()) or live is None:
            view.bridge.log(why or NO_WAVEFORMS, "warning")
            return
        above = baseline_of(view.session.chain, live.columns.names, view.look)
        if above is None:
            view.bridge.log(NO_BASELINE, "warning")
            return
        per_sample = view.x_per_sample
        width, height = self._box.viewPixelSize()
        x_range = (drawn.left() / per_sample, drawn.right() / per_sample)
        n_samples = view.n_samples
        found = box_of(above, x_range, (drawn.top(), drawn.bottom()), (width / per_sample, height), n_samples)
        if found is None:
            view.bridge.log(BEYOND, "warning")
            return
        name = free_name([cut.name for cut in view.session.cuts], NAME)
        view.bridge.change(cut_changes.add_cut, name, found.text)

    def _why_not(self) -> str:
        view = self._view
        if view.choice.picture == "noise" or view.browser.live is None or not view.n_samples:
            return NO_WAVEFORMS
        whose = view.session.selected
        return view.bridge.data_sets.why_not(whose, "what passes through a box") or why_no_box(view.look)

    # Drawing

    def draw(self) -> None:
        """Draw the boxes that cuts name, where heights and times are those of the boxes."""
        view = self._view
        is_fit = view.choice.picture != "noise" and not why_no_box(view.look)
        shown: dict[str, tuple[Cut, Box]] = {}
        for cut in view.session.cuts if is_fit else ():
            found = as_box(cut.expression)
            if found is not None and bool(found.above) == view.look.needs_baseline:
                shown[cut.name] = (cut, found)
        for name in [name for name in self._drawn if name not in shown]:
            for item in self._drawn.pop(name):
                self._plot.removeItem(item)
        for name, (cut, found) in shown.items():
            self._draw_one(name, cut, found)

    def outlines(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Give the boxes that are drawn: name, x and y of a closed line."""
        return [(name, line.xData, line.yData) for name, (line, _) in self._drawn.items()]

    def _draw_one(self, name: str, cut: Cut, found: Box) -> None:
        if name not in self._drawn:
            line, words = pg.PlotCurveItem(), pg.TextItem(anchor=(0, 1))
            words.setFont(theme.font(theme.SMALL))
            for z, item in ((20, line), (21, words)):
                item.setZValue(z)
                self._plot.addItem(item, ignoreBounds=True)
            self._drawn[name] = (line, words)
        line, words = self._drawn[name]
        step = self._view.x_per_sample
        x0, x1 = (found.first - 0.5) * step, (found.last + 0.5) * step
        color = QColor(cut.color) if cut.color else theme.current().color("marker")
        style = Qt.PenStyle.SolidLine if cut.enabled else Qt.PenStyle.DashLine
        ground = QColor(color)
        ground.setAlpha(40 if name == self._view.session.cut else 20)
        line.setData(
            np.array([x0, x1, x1, x0, x0]),
            np.array([found.low, found.low, found.high, found.high, found.low]),
            pen=theme.thin_pen(color, style),
            brush=ground,
            fillLevel="enclosed",
        )
        back = theme.current().color("panel")
        back.setAlpha(200)
        words.fill = pg.mkBrush(back)
        words.setText(f"not {name}" if cut.inverted else name, theme.current().color("text"))
        words.setPos(x0, found.high)
