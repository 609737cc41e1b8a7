"""Draws waveforms inside and outside of a cut: the density and mean of a side, or how the sides differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QColor

from pygama_gui.data.contrast import STRETCH, Contrast, Side, contrast
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.selection import Selection, sides_of
from pygama_gui.data.typical import Extremes
from pygama_gui.session.state import Session
from pygama_gui.views.waveforms.many import Aside, ManyWaveforms
from pygama_gui.views.waveforms.pictures import DensityPicture
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.plot import Legend, Plot

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

KINDS = ("inside", "outside", "difference")
LARGEST_PX = (800, 400)
NO_CUTS = "Make a cut first (panel Cuts): then this shows how waveforms inside and outside of it differ."


class Contrasted:
    """Brings what is needed for the picture of a cut, and draws it."""

    def __init__(self, view: WaveformView) -> None:
        self._view = view
        self.picture = ContrastPicture(view.plot)
        self.found: Contrast | None = None
        self._many = [ManyWaveforms(view.bridge, view.redraw_soon) for _ in KINDS[:2]]
        self._comparing = Aside(view.bridge, view.redraw_soon)
        self._kind: Any = None

    def draw(self, live: LiveRun, kind: str, channel: int | None) -> str:
        """Draw what is there; give what to say where nothing is."""
        session = self._view.session
        sides = sides_of(session, channel)
        if sides is None:
            self.hide()
            return NO_CUTS
        self.found = self._compare(live, sides)
        if self.found is None:
            self.picture.hide()
            are_read = live.tier1 is None or all(one.is_whole for one in self._many)
            return (
                f"No waveform is inside or outside of {cut_name(session)}."
                if are_read
                else "Reading the waveforms…"
            )
        names = (f"inside {cut_name(session)}", f"outside {cut_name(session)}")
        self.picture.draw(self.found, kind, names)
        self.picture.fit(self.found)
        return "" if self.picture.is_shown else f"No waveform is {names[kind == 'outside']}."

    def _compare(self, live: LiveRun, sides: tuple[Selection, Selection]) -> Contrast | None:
        session, look = self._view.session, self._view.look
        run_id, n = session.selected, session.waveforms.n_many
        bunches = [many.want(run_id, live, side, n) for many, side in zip(self._many, sides, strict=True)]
        kind = (live, session.cut, look)
        if live.tier1 is not None and None in bunches and not all(many.is_whole for many in self._many):
            # While others are read, those of a moment ago say nearly the same.
            return self.found if kind == self._kind else None
        self._kind = kind
        view, size, chain = self._view_range(), self._size(), session.chain
        inside, outside = bunches
        found: Contrast | None = self._comparing.get(
            kind,
            (inside, outside, view, size, chain),
            lambda: contrast(inside, outside, chain, look, view, size),
        )
        return found

    def _view_range(self) -> Any:
        """Give what a person zoomed to, in samples and heights; None where that is all."""
        box = self._view.plot.box
        period_ns = None if self.found is None else self.found.period_ns
        step = (period_ns or 1000.0) / 1000.0
        (x0, x1), (y0, y1) = box.viewRange()
        return (x0 / step, x1 / step) if box.zoomed_x else None, (y0, y1) if box.zoomed_y else None

    def _size(self) -> tuple[int, int]:
        px = self._view.plot.box.size()
        return (
            min(LARGEST_PX[0], max(int(px.width()), 1)),
            min(LARGEST_PX[1], max(int(px.height()), 1)),
        )

    def words(self, kind: str) -> str:
        """Say how many waveforms are shown."""
        if self.found is None:
            return ""
        sides = {"inside": self.found.inside, "outside": self.found.outside}
        shown = {name: side for name, side in sides.items() if kind in (name, "difference")}
        parts = [
            f"{words.count(0 if side is None else side.n_waveforms)} {name}" for name, side in shown.items()
        ]
        left_out = f", {self.found.n_left_out} left out" if self.found.n_left_out else ""
        return " · ".join(parts) + left_out

    def extremes(self, kind: str) -> Extremes:
        """Give the most typical and most extreme waveforms of the side shown; none of a difference."""
        found = self.found
        side = None if found is None else {"inside": found.inside, "outside": found.outside}.get(kind)
        return Extremes() if side is None else side.extremes

    def hide(self) -> None:
        """Draw nothing."""
        self.found = None
        self.picture.hide()


class ContrastPicture:
    """The density of one side, or the signed difference of both, with means."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self._density = DensityPicture(plot)
        self.image = pg.ImageItem()
        self.image.setZValue(-5)
        self.image.hide()
        plot.addItem(self.image)
        self.means = {name: pg.PlotCurveItem() for name in KINDS[:2]}
        for curve in self.means.values():
            curve.setZValue(6)
            plot.addItem(curve)
        self.legend = Legend(plot)
        self.legend.hide()
        self._names: tuple[str, ...] = ()
        self.is_shown = False
        self._step = 1.0

    def draw(self, found: Contrast, kind: str, names: tuple[str, str]) -> None:
        """Draw one side of a cut, or the difference of both."""
        self._step = (found.period_ns or 1000.0) / 1000.0
        sides = {"inside": found.inside, "outside": found.outside}
        shown = {name: side for name, side in sides.items() if kind in (name, "difference")}
        self.is_shown = all(side is not None for side in shown.values())
        self._density.hide()
        self.image.hide()
        side = shown.get(kind)
        if kind == "difference" and found.difference is not None and found.inside is not None:
            self._draw_difference(found.difference, found.inside)
        elif side is not None:
            self._density.draw(side.density, found.period_ns)
        self._draw_means(shown, dict(zip(sides, names, strict=True)))

    def _draw_difference(self, difference: np.ndarray, side: Side) -> None:
        most = max(float(np.abs(difference).max(initial=0.0)), 1e-12)
        shown = np.sign(difference) * np.abs(difference / most) ** STRETCH
        self.image.setLookupTable(difference_table())
        self.image.setImage(shown.astype(np.float32), autoLevels=False, levels=(-1.0, 1.0))
        (x0, x1), (y0, y1) = side.density.x_range, side.density.y_range
        self.image.setRect(QRectF(x0 * self._step, y0, (x1 - x0) * self._step, y1 - y0))
        self.image.show()

    def _draw_means(self, shown: dict[str, Side | None], names: dict[str, str]) -> None:
        entries = []
        for name, curve in self.means.items():
            side = shown.get(name)
            if side is None:
                curve.setData([], [])
                continue
            pen = theme.thin_pen(theme.current().color(token_of(name, is_alone=len(shown) == 1)))
            curve.setData(side.x * self._step, side.mean, pen=pen, connect="finite")
            entries.append((curve, f"{names[name]}: mean of {words.count(side.n_waveforms)}"))
        texts = tuple(text for _, text in entries)
        if texts != self._names:
            self._names = texts
            self.legend.clear()
            for curve, text in entries:
                self.legend.addItem(curve, text)
        self.legend.place(at_top=True)
        self.legend.setVisible(bool(entries))
        for swatch, _ in self.legend.items:
            swatch.update()

    def fit(self, found: Contrast) -> None:
        """Show all of it, unless somebody zoomed."""
        (x0, x1), y_range = found.frame
        self._density.fit((x0 * self._step, x1 * self._step), y_range)

    def hide(self) -> None:
        """Draw nothing."""
        self.is_shown = False
        self._density.hide()
        self.image.hide()
        for curve in self.means.values():
            curve.setData([], [])
        self.legend.hide()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.legend.recolor()


def token_of(side: str, *, is_alone: bool) -> str:
    """Give the colour of the mean of a side; over the density of one, what marks things is seen best."""
    return "accent" if side == KINDS[0] and not is_alone else "marker"


def cut_name(session: Session) -> str:
    """Name the cut that is looked at: the chosen one, or all that are on."""
    chosen = next((cut for cut in session.cuts if cut.name == session.cut), None)
    if chosen is None:
        return "all cuts"
    return f"not {chosen.name}" if chosen.inverted else chosen.name


def difference_table() -> np.ndarray:
    """Give the colours from what is more outside over none to what is more inside, (256, 4).

    None has no colour of its own, so that the ground and its grid are seen.
    """
    at = np.linspace(-1.0, 1.0, 256)[:, None]
    less, more = (_numbers(theme.current().color(token)) for token in ("marker", "accent"))
    return np.column_stack([np.where(at < 0, less, more), 255.0 * np.abs(at)]).round().astype(np.ubyte)


def _numbers(color: QColor) -> np.ndarray:
    return np.array([color.red(), color.green(), color.blue()], np.float64)
