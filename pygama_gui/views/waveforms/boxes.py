"""Makes cuts of boxes that are drawn over waveforms: those that pass through are looked at everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QRectF, Qt
from PyQt5.QtGui import QColor

from pygama.analysis.cuts import Cut
from pygama.boxes import Box, as_box
from pygama_gui.data.cutting import free_name
from pygama_gui.data.drawn_box import NO_BASELINE, baseline_of, box_of, moved_box, outline_of, why_no_box
from pygama_gui.data.gates import Part, part_at
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
RIM = 3
"""Width of the rim in the colour of the ground around a box, in that of its line."""


@dataclass
class _Held:
    """A box under the hand: as it was when it was taken, what of it, and where it is now."""

    name: str
    box: Box
    part: Part
    start: QPointF

    def __post_init__(self) -> None:
        self.moved = self.box


class WaveformBoxes:
    """The boxes that cuts name, over one plot of waveforms."""

    def __init__(self, view: WaveformView, plot: Plot, box: BoxZoom) -> None:
        self._view, self._plot, self._box = view, plot, box
        self._drawn: dict[str, tuple[pg.PlotCurveItem, pg.TextItem]] = {}
        self._held: _Held | None = None
        self._is_ours = False
        box.box_dragged.connect(self.take)
        box.grips = self.drag
        plot.scene().sigMouseMoved.connect(self.hover)

    def begin(self) -> None:
        """Let the next drag mark a box, unless none can be marked here."""
        self._box.is_region_wanted = not (why := self._why_not())
        self._view.bridge.log(why or DRAG, "warning" if why else "info")

    def cancel(self) -> None:
        """Let a drag zoom again; a box under the hand goes back to where it was taken."""
        self._box.cancel()
        if self._held is not None:
            self._held = None
            self.draw()

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
        cuts = view.session.cuts
        name, color = (
            free_name([cut.name for cut in cuts], NAME),
            theme.free_color([cut.color for cut in cuts]),
        )
        view.bridge.change(cut_changes.add_cut, name, found.text, color)

    def _why_not(self) -> str:
        view = self._view
        if view.choice.picture == "noise" or view.browser.live is None or not view.n_samples:
            return NO_WAVEFORMS
        return why_no_box(view.look)

    # Under the hand

    def drag(self, event: Any) -> bool:
        """Move what of a box is under the hand; tells whether the drag is for that."""
        if event.isStart():
            self._is_ours = self._take_hold(event)
        held = self._held
        if held is None:
            return self._is_ours  # given up while the button was down: the rest of the drag does nothing
        by, px = self._box.mapToView(event.pos()) - held.start, self._box.viewPixelSize()[1]
        along = by.x() / self._view.x_per_sample
        held.moved = moved_box(held.box, held.part, (along, by.y()), px, self._view.n_samples)
        if event.isFinish():
            self._held = None
            if held.moved != held.box:
                self._view.bridge.change(cut_changes.edit_cut, held.name, held.moved.text)
        self.draw()
        return True

    def _take_hold(self, event: Any) -> bool:
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if not is_plain or self._box.is_region_wanted:
            return False
        start = self._box.mapToView(event.buttonDownPos())
        found = self._at(start)
        # The body of a box that is not chosen lets the drag zoom.
        if found is None or (found[1].kind == "body" and found[0] != self._view.session.cut):
            return False
        name, part = found
        self._view.bridge.change(cut_changes.choose_cut, name)
        self._held = _Held(name, self.shown()[name][1], part, start)
        return True

    def choose_at(self, at: QPointF) -> bool:
        """Choose the box at a place; tells whether there is one."""
        found = self._at(at)
        if found is not None:
            self._view.bridge.change(cut_changes.choose_cut, found[0])
        return found is not None

    def remove(self) -> None:
        """Remove the chosen box."""
        name = self._view.session.cut
        if name in self.shown():
            self._view.bridge.change(cut_changes.remove_cut, name)

    def hover(self, at: QPointF) -> None:
        """Show by the cursor what can be dragged at a place of the scene."""
        viewport = self._plot.viewport()
        is_inside = self._drawn and self._box.sceneBoundingRect().contains(at)
        found = self._at(self._box.mapSceneToView(at)) if is_inside else None
        if found is None or (found[1].kind == "body" and found[0] != self._view.session.cut):
            viewport.unsetCursor()
        else:
            is_body = found[1].kind == "body"
            viewport.setCursor(Qt.CursorShape.SizeAllCursor if is_body else Qt.CursorShape.PointingHandCursor)

    def _at(self, at: QPointF) -> tuple[str, Part] | None:
        """Give the box at a place and what of it: the chosen one first, bodies last."""
        step, (width, height) = self._view.x_per_sample, self._box.viewPixelSize()
        x_range, y_range = (tuple(ends) for ends in self._box.viewRange())
        view = ((x_range[0] / step, x_range[1] / step), (y_range[0], y_range[1]))
        shown, chosen = self.shown(), self._view.session.cut
        hit = []
        for name in sorted(shown, key=lambda name: name != chosen):
            outline = outline_of(shown[name][1])
            part = part_at(outline, (at.x() / step, at.y()), (width / step, height), view)
            hit += [] if part is None else [(name, part)]
        on_line = [one for one in hit if one[1].kind != "body"]
        return next(iter((*on_line, *hit)), None)

    # Drawing

    def shown(self) -> dict[str, tuple[Cut, Box]]:
        """Give the boxes that can be drawn here; one under the hand where the hand is."""
        view, held = self._view, self._held
        is_fit = view.choice.picture != "noise" and not why_no_box(view.look)
        shown: dict[str, tuple[Cut, Box]] = {}
        for cut in view.session.cuts if is_fit else ():
            found = as_box(cut.expression)
            if found is not None and bool(found.above) == view.look.needs_baseline:
                is_held = held is not None and held.name == cut.name
                shown[cut.name] = (cut, held.moved if held is not None and is_held else found)
        return shown

    def draw(self) -> None:
        """Draw the boxes."""
        shown = self.shown()
        for name in [name for name in self._drawn if name not in shown]:
            for item in self._drawn.pop(name):
                self._plot.removeItem(item)
        for name, (cut, found) in shown.items():
            self._draw_one(name, cut, found)

    def outlines(self) -> list[tuple[str, np.ndarray, np.ndarray, str]]:
        """Give the boxes that are drawn: name, x and y of a closed line, and the colour of its cut or ''."""
        colors = {cut.name: cut.color for cut in self._view.session.cuts}
        drawn = self._drawn.items()
        return [(name, line.xData, line.yData, colors.get(name, "")) for name, (line, _) in drawn]

    def _draw_one(self, name: str, cut: Cut, found: Box) -> None:
        if name not in self._drawn:
            line, words = pg.PlotCurveItem(), pg.TextItem(anchor=(0, 1))
            words.setFont(theme.font(theme.SMALL))
            for z, item in ((20, line), (21, words)):
                item.setZValue(z)
                self._plot.addItem(item)
            self._drawn[name] = (line, words)
        line, words = self._drawn[name]
        corners = np.array(outline_of(found).points) * (self._view.x_per_sample, 1.0)
        closed = np.vstack((corners, corners[:1]))
        color = QColor(cut.color) if cut.color else theme.current().color("marker")
        style = Qt.PenStyle.SolidLine if cut.enabled else Qt.PenStyle.DashLine
        ground = QColor(color)
        ground.setAlpha(40 if name == self._view.session.cut else 20)
        back = theme.current().color("panel")
        pen, rim = theme.thin_pen(color, style), theme.thin_pen(back)
        rim.setWidth(RIM * pen.width())  # else the line is lost in a density
        line.setData(*closed.T, pen=pen, shadowPen=rim, brush=ground, fillLevel="enclosed")
        back.setAlpha(200)
        words.fill = pg.mkBrush(back)
        words.setText(f"not {name}" if cut.inverted else name, theme.current().color("text"))
        words.setPos(*corners[3])
