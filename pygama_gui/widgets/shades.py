"""Shows counts as colours: perceptually uniform maps that suit each theme, and the bar that explains them."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from pygama_gui.data.plane import Scale
from pygama_gui.widgets import theme, words

COLOR_MAPS = {"light": ("viridis", 0.08, 0.75), "dark": ("inferno", 0.4, 1.0)}
"""Name of the map, where it begins and ends: what is nearest to the ground would not be seen on it."""
STRIP, GAP, ROOM = 12, 5, 10
"""Width of the strip of colours, room to its numbers, and height of half a number, in pixels."""
LEAST_APART = 16
"""Numbers beside the strip stand at least so many pixels apart."""
WHEEL_STEP = 1.25


def color_table(theme_name: str) -> np.ndarray:
    """Give the colours of counts, (256, 4): of none the panel's, then a perceptually uniform map."""
    name, start, end = COLOR_MAPS[theme_name]
    table = pg.colormap.get(name).getLookupTable(start, end, 256, alpha=True)
    if theme_name == "light":
        table = table[::-1].copy()  # few counts are pale on a light ground
    table[0] = (0, 0, 0, 0)
    return table


def grey_table() -> np.ndarray:
    """Give the greys of what lies behind, (256, 4): seen, and never mistaken for a colour."""
    faint = theme.current().color("faint")
    table = np.empty((256, 4), np.uint8)
    table[:] = (faint.red(), faint.green(), faint.blue(), 0)
    table[1:, 3] = np.linspace(50, 150, 255)
    return table


class ShadeBar(QWidget):
    """The scale of the colours, with numbers; the wheel changes what has the strongest one."""

    scaled = pyqtSignal(float)
    """The top is wanted so many times as high."""
    reset_asked = pyqtSignal()

    def __init__(self, margins: tuple[int, int]) -> None:
        super().__init__()
        self._above, self._below = margins
        self.scale: Scale | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Scale of the colours")
        self.setToolTip(
            "Colours of the counts; turn the wheel to change the scale, double-click to reset (Z)"
        )

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give room for the strip and its numbers."""
        return QSize(62, 100)

    def show_scale(self, scale: Scale | None) -> None:
        """Explain a scale; None: nothing."""
        self.scale = scale if scale is not None and scale.top > 0 else None
        self.update()

    @property
    def quantity(self) -> str:
        """What the numbers are."""
        if self.scale is None:
            return ""
        return "of slice" if self.scale.is_share else "counts"

    def ticks(self) -> list[tuple[float, str]]:
        """Give places from the bottom, 0 to 1, and what stands there."""
        scale = self.scale
        if scale is None:
            return []
        values = _decades(scale) if scale.is_log else _round_steps(scale.top)
        places = scale.places(np.array(values))
        return [(float(place), self._written(value)) for place, value in zip(places, values, strict=True)]

    def _written(self, value: float) -> str:
        if self.scale is not None and self.scale.is_share:
            return f"{100 * value:.3g} %"
        return words.count(value) if value >= 1 or value == 0 else f"{value:.2g}"

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw the strip, its numbers, and below what they are."""
        if self.scale is None:
            return
        painter = QPainter(self)
        height = self.height() - self._above - self._below
        strip = QRectF(4, self._above, STRIP, height)
        painter.drawImage(strip, _strip())
        painter.setPen(theme.current().pen("line"))
        painter.drawRect(strip)
        painter.setFont(theme.font(theme.SMALL))
        painter.setPen(theme.current().color("soft"))
        last = -math.inf
        for share, text in sorted(self.ticks(), reverse=True):
            y = self._above + (1 - share) * height
            if y - last < LEAST_APART:
                continue
            last = y
            room = QRectF(4 + STRIP + GAP, y - ROOM, self.width(), 2 * ROOM)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), text)
        below = QRectF(4, self.height() - self._below + ROOM, self.width(), 2 * ROOM)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignVCenter), self.quantity)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Ask for another top."""
        if event is not None:
            event.accept()
            self.scaled.emit(WHEEL_STEP if event.angleDelta().y() > 0 else 1 / WHEEL_STEP)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Ask for the scale that suits the counts."""
        self.reset_asked.emit()


def _strip() -> QImage:
    table = color_table(theme.current().name)[:0:-1]
    image = QImage(table.tobytes(), 1, len(table), 4, QImage.Format.Format_RGBA8888)
    return image.copy()


def _decades(scale: Scale) -> list[float]:
    """Give the powers of ten, and the top where none is near to it."""
    first = math.ceil(math.log10(scale.low) - 1e-9)
    values = [10.0**n for n in range(first, math.floor(math.log10(scale.top) + 1e-9) + 1)]
    return values if values and scale.top < 1.5 * values[-1] else [*values, scale.top]


def _round_steps(top: float) -> list[float]:
    """Give round values from 0 to the top, a handful."""
    raw = top / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= raw)
    return [n * step for n in range(math.floor(top / step + 1e-9) + 1)]
