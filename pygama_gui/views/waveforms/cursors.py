"""Two cursors in the waveform plot that stand on samples, and what lies between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QSignalBlocker, Qt

from pygama.utils import grouped
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.plot import Plot

NAMES = ("A", "B")
FAR = 10
"""Samples that a cursor moves with Shift."""
LONG_NS = 10_000
"""From here on a distance is told in µs as well."""


class Cursors:
    """Two vertical lines, dragged or moved by keys; one of them is the active one."""

    def __init__(self, plot: Plot, moved: Callable[[tuple[int, int]], None]) -> None:
        self._plot, self._moved = plot, moved
        self._step, self._offset = 1.0, 0.0
        self.active = 0
        self.lines = [self._line(which) for which in (0, 1)]

    def _line(self, which: int) -> pg.InfiniteLine:
        options = {"position": 0.04, "movable": False}
        line = pg.InfiniteLine(angle=90, movable=True, label=NAMES[which], labelOpts=options)
        line.label.setFont(theme.font(theme.SMALL, bold=True))
        line.setZValue(30)
        line.setCursor(Qt.CursorShape.SizeHorCursor)
        line.hide()
        line.sigDragged.connect(lambda _line: self._drag(which))
        line.sigClicked.connect(lambda *_: self.activate(which))
        self._plot.addItem(line)
        return line

    @property
    def is_shown(self) -> bool:
        """Whether they are to be seen."""
        return self.lines[0].isVisible()

    def show(self, samples: tuple[int, int], step: float, offset: float) -> None:
        """Show them at samples from time 0, on a scale as of `set_scale`."""
        self.set_scale(step, offset)
        for line, sample in zip(self.lines, samples, strict=True):
            with QSignalBlocker(line):
                line.setValue(self.x_of(sample))
            line.show()
        self._color()

    def set_scale(self, step: float, offset: float) -> None:
        """Take the scale of the x axis. step: x of one sample; offset: sample at time 0, less whole ones."""
        self._step, self._offset = step, offset

    def hide(self) -> None:
        """Hide them."""
        for line in self.lines:
            line.hide()

    def x_of(self, sample: int) -> float:
        """Give the place of a sample on the x axis."""
        return (sample - self._offset) * self._step

    def sample_at(self, x: float) -> int:
        """Give the sample nearest to a place on the x axis."""
        return round(x / self._step + self._offset)

    def activate(self, which: int) -> None:
        """Make one of them the one that keys move."""
        self.active = which
        self._color()

    def at(self) -> tuple[int, int]:
        """Give the samples that they stand at."""
        first, second = (self.sample_at(line.value()) for line in self.lines)
        return first, second

    def places(self) -> tuple[tuple[str, float], ...]:
        """Give their names and where on the x axis they stand; nothing where they are hidden."""
        return tuple(
            (name, line.value()) for name, line in zip(NAMES, self.lines, strict=True) if self.is_shown
        )

    def move_to(self, sample: int) -> None:
        """Put the active one on a sample."""
        at = list(self.at())
        at[self.active] = sample
        self._moved((at[0], at[1]))

    def _drag(self, which: int) -> None:
        self.activate(which)
        self._moved(self.at())

    def _color(self) -> None:
        present = theme.current()
        for which, line in enumerate(self.lines):
            is_active = which == self.active
            style = Qt.PenStyle.SolidLine if is_active else Qt.PenStyle.DashLine
            line.setPen(present.pen("text", style))
            line.setHoverPen(present.pen("accent", style))
            line.label.setColor(present.color("text"))
            line.label.setFormat(f"▸{NAMES[which]}" if is_active else NAMES[which])


def cursor_words(
    at: tuple[int, int],
    first: float,
    heights: np.ndarray | None,
    period_ns: float | None,
    unit: str,
) -> str:
    """Say where the cursors stand and what lies between them.

    at: samples from time 0; first: those of the first sample. heights: (n_samples,) of the waveform, None
    where there is no single one.
    """
    values = [None if heights is None else _height(heights, sample - first) for sample in at]
    parts = [
        f"{name} {_place(sample, period_ns)}"
        + ("" if value is None else f": {_grouped(value)} {unit}".rstrip())
        for name, sample, value in zip(NAMES, at, values, strict=True)
    ]
    parts.append(f"Δt {_distance(at[1] - at[0], period_ns)}")
    if values[0] is not None and values[1] is not None:
        parts.append(f"Δ {_grouped(values[1] - values[0])} {unit}".rstrip())
    return "   ".join(parts)


def _distance(n: int, period_ns: float | None) -> str:
    """Write a distance in ns and samples; a long one in µs beside."""
    told = [f"{_whole(n)} sample{'' if abs(n) == 1 else 's'}"]
    if period_ns:
        ns = n * period_ns
        beside = f" ({_grouped(ns / 1000.0, 3)} µs)" if abs(ns) >= LONG_NS else ""
        told.insert(0, f"{_whole(ns) if ns == round(ns) else _grouped(ns, 1)} ns{beside}")
    return ", ".join(told)


def _height(heights: np.ndarray, index: float) -> float | None:
    at = round(index)
    return float(heights[at]) if 0 <= at < len(heights) and np.isfinite(heights[at]) else None


def _place(sample: int, period_ns: float | None) -> str:
    return f"{_grouped(sample * period_ns / 1000.0, 3)} µs" if period_ns else f"sample {_whole(sample)}"


def _whole(number: float) -> str:
    return words.count(number).replace("-", "−")


def _grouped(number: float, decimals: int | None = None) -> str:
    if decimals is None:
        decimals = 0 if number == round(number) else (1 if abs(number) >= 10 else 3)
    return grouped(number, decimals).replace("-", "−")
