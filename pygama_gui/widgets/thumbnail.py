"""Paints a small waveform before and after a step: a few microseconds of painting, not a plot each."""

from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QWidget

from pygama.quick_dataclass import dataclass
from pygama_gui.widgets import theme

HEIGHT, GAP, MARGIN = 34, 16, 2
MOST_AFTER = 0.85
"""Share of the width that the numbers of a step may take."""


@dataclass(frozen=True)
class Pictured:
    """What a thumbnail shows. before, after: (n_samples,), None where there is none. level: a height in
    `before`; at: a place in it, in samples; words: what to write where there is no wave after."""

    before: np.ndarray | None = None
    after: np.ndarray | None = None
    level: float | None = None
    at: float | None = None
    words: tuple[str, ...] = ()


class Thumbnail(QWidget):
    """The waveform before a step at the left; at the right after it, or the numbers that it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("The waveform before and after the step")
        self.pictured: Pictured | None = None
        self.hide()

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give the height."""
        return QSize(120, HEIGHT)

    def picture(self, pictured: Pictured | None) -> None:
        """Show something else, or nothing."""
        if _is_same(pictured, self.pictured):
            return
        self.pictured = pictured
        self.setVisible(pictured is not None)
        words = ", ".join(pictured.words) if pictured is not None else ""
        self.setAccessibleDescription(words)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Paint both."""
        pictured = self.pictured
        if pictured is None:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(theme.SMALL))
        first = self.width() - GAP - self.room_after(pictured)
        left = QRectF(0, MARGIN, first, self.height() - 2 * MARGIN)
        right = QRectF(first + GAP, MARGIN, self.width() - GAP - first, self.height() - 2 * MARGIN)
        if pictured.before is not None:
            self._paint_wave(painter, left, pictured.before, "trace")
            self._paint_marks(painter, left, pictured)
        painter.setPen(theme.current().color("faint"))
        painter.drawText(QRectF(first, 0, GAP, self.height()), int(Qt.AlignmentFlag.AlignCenter), "→")
        if pictured.after is not None:
            self._paint_wave(painter, right, pictured.after, "accent")
        else:
            self._paint_words(painter, right, pictured.words)

    def room_after(self, pictured: Pictured) -> float:
        """Give the width of what is after the step: half of it, or more where its words need more."""
        half, most = (self.width() - GAP) / 2, MOST_AFTER * (self.width() - GAP)
        if pictured.after is not None:
            return half
        metrics = QFontMetricsF(theme.font(theme.SMALL))
        needed = max((metrics.horizontalAdvance(text) for text in pictured.words), default=0.0) + 1
        return min(max(half, needed), most)

    def _paint_wave(self, painter: QPainter, area: QRectF, wave: np.ndarray, token: str) -> None:
        low, high = _ends(wave)
        points = thinned(wave, max(int(area.width()), 2))
        x = np.linspace(area.left(), area.right(), len(points))
        y = _heights(points, low, high, area)
        is_there = np.isfinite(y)
        painter.setPen(QPen(theme.current().color(token), 1))
        painter.drawPolyline(
            QPolygonF([QPointF(*at) for at in zip(x[is_there].tolist(), y[is_there].tolist(), strict=True)])
        )

    def _paint_marks(self, painter: QPainter, area: QRectF, pictured: Pictured) -> None:
        wave = pictured.before
        assert wave is not None
        if pictured.level is None and pictured.at is None:
            return
        painter.setPen(QPen(theme.current().color("marker"), 1))
        low, high = _ends(wave)
        if pictured.level is not None and low <= pictured.level <= high:
            y = float(_heights(np.array([pictured.level]), low, high, area)[0])
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        if pictured.at is not None and 0 <= pictured.at <= len(wave):
            x = area.left() + area.width() * pictured.at / max(len(wave) - 1, 1)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_words(self, painter: QPainter, area: QRectF, words: tuple[str, ...]) -> None:
        painter.setPen(theme.current().color("text"))
        painter.setFont(theme.font(theme.SMALL))
        metrics = painter.fontMetrics()
        n_lines = max(int(area.height() // metrics.height()), 1)
        shown = words if len(words) <= n_lines else (*words[: n_lines - 1], " · ".join(words[n_lines - 1 :]))
        top = area.center().y() - len(shown) * metrics.height() / 2
        for at, text in enumerate(shown):
            line = QRectF(area.left(), top + at * metrics.height(), area.width(), metrics.height())
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
            painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), text)


def _is_same(one: Pictured | None, other: Pictured | None) -> bool:
    """Tell whether two would be painted alike."""
    if one is None or other is None:
        return one is other
    waves = ((one.before, other.before), (one.after, other.after))
    is_same = all(a is b or (a is not None and b is not None and np.array_equal(a, b)) for a, b in waves)
    return is_same and (one.level, one.at, one.words) == (other.level, other.at, other.words)


def thinned(wave: np.ndarray, width: int) -> np.ndarray:
    """Give the least and the most of each pixel's samples in turn, (2 * width,) at most."""
    per_pixel = len(wave) // width
    if per_pixel < 2:
        return np.asarray(wave, np.float64)
    whole = np.asarray(wave[: len(wave) // per_pixel * per_pixel], np.float64).reshape(-1, per_pixel)
    return np.column_stack((whole.min(axis=1), whole.max(axis=1))).ravel()


def _ends(wave: np.ndarray) -> tuple[float, float]:
    known = wave[np.isfinite(wave)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _heights(values: np.ndarray, low: float, high: float, area: QRectF) -> np.ndarray:
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return area.bottom() - share * area.height()
