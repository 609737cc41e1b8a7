"""Draws a tile for each channel: its spectrum, its figures and its state; only those that are seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PyQt5.QtCore import QPointF, QRect, QRectF, Qt, pyqtSignal
from PyQt5.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PyQt5.QtWidgets import QAbstractScrollArea, QFrame

from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import short_name
from pygama_gui.data.health import Figures, Health, Peak
from pygama_gui.views.figure_words import baseline_words, fwhm_words, rate_words
from pygama_gui.widgets import theme

LEAST_WIDTH, HEIGHT, GAP, INSIDE, LINE = 184, 142, 8, 8, 16
MOST_WIDTH, MOST_HEIGHT = 480, 320
"""Of tiles that are few: they grow to fill the room, as far as that helps to see."""
N_FIGURES = 3
ROUND = 6.0


@dataclass(frozen=True)
class Tile:
    """What one tile shows. unit: of its spectrum.

    is_late: whether state, baseline and peak are still of the cuts before; they stand in brackets then.
    is_all_late: whether all the rest is as well.
    """

    code: int
    name: str
    figures: Figures
    health: Health
    peak: Peak
    unit: str = ""
    is_late: bool = False
    is_all_late: bool = False

    @property
    def words(self) -> str:
        """Say all that the tile shows, for who does not see it."""
        why = f": {self.health.why}" if self.health.why else ""
        state = self.late(f"{self.health.state}{why}")
        return ", ".join((self.name, state, *(one for one in self.lines if one)))

    @property
    def lines(self) -> tuple[str, str, str]:
        """Write rate, baseline and width of the peak."""
        baseline, width = baseline_words(self.figures), fwhm_words(self.peak, self.unit)
        return self.counted(rate_words(self.figures)), self.late(baseline), self.late(width)

    def late(self, text: str) -> str:
        """Put in brackets what is late."""
        return f"({text})" if (self.is_late or self.is_all_late) and text else text

    def counted(self, text: str) -> str:
        """Put in brackets what is counted first, if even that is late."""
        return f"({text})" if self.is_all_late else text


class TileGrid(QAbstractScrollArea):
    """Tiles side by side. One of them is the current one, which the keys move; it need not be chosen."""

    chosen = pyqtSignal(int)
    opened = pyqtSignal(int)
    menu_asked = pyqtSignal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.tiles: Sequence[Tile] = ()
        self.current = 0
        self.chosen_code: int | None = None
        self.is_log = True
        self.n_columns, self.height_of_tile = 1, HEIGHT
        self._pictures: dict[int, tuple[object, QPixmap, Figures]] = {}
        self.n_painted = 0
        """Tiles that the last painting drew."""

    def show_tiles(self, tiles: Sequence[Tile], chosen: int | None, *, is_log: bool) -> None:
        """Show tiles, in their order; the current one stays the same channel."""
        code = self.tiles[self.current].code if self.current < len(self.tiles) else chosen
        self.tiles, self.chosen_code, self.is_log = tiles, chosen, is_log
        present = {tile.code for tile in tiles}
        self._pictures = {code: held for code, held in self._pictures.items() if code in present}
        places = [place for place, tile in enumerate(tiles) if tile.code == code]
        self.current = places[0] if places else 0
        self._describe()
        self._set_bar()
        self.viewport().update()

    # Geometry

    def _grow(self) -> None:
        """Choose how many tiles stand in a row: so that all are seen, as large as can be, where they can."""
        room_wide, room_high = self.viewport().width() + GAP, self.viewport().height() + GAP
        most = max(room_wide // (LEAST_WIDTH + GAP), 1)
        self.n_columns, self.height_of_tile, largest = most, HEIGHT, 0
        for n in range(1, min(most, len(self.tiles)) + 1):
            height = min(room_high // math.ceil(len(self.tiles) / n) - GAP, MOST_HEIGHT)
            area = height * self._width(n)
            if height >= HEIGHT and area >= largest:
                self.n_columns, self.height_of_tile, largest = n, height, area

    def _width(self, n: int) -> int:
        """Give the width of a tile where `n` stand in a row."""
        return min((self.viewport().width() + GAP) // n - GAP, MOST_WIDTH)

    def place_of(self, index: int) -> QRect:
        """Give where a tile lies in the viewport."""
        width, height = self._width(self.n_columns), self.height_of_tile
        row, column = divmod(index, self.n_columns)
        top = row * (height + GAP) - self.verticalScrollBar().value()
        return QRect(column * (width + GAP), top, width, height)

    def tile_at(self, x: int, y: int) -> int | None:
        """Give the tile at a point of the viewport."""
        row = (y + self.verticalScrollBar().value()) // (self.height_of_tile + GAP)
        column = x // (self._width(self.n_columns) + GAP)
        index = row * self.n_columns + min(column, self.n_columns - 1)
        return index if index < len(self.tiles) and self.place_of(index).contains(x, y) else None

    def _set_bar(self) -> None:
        self._grow()
        n_rows = math.ceil(len(self.tiles) / self.n_columns)
        whole = max(n_rows * (self.height_of_tile + GAP) - GAP, 0)
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep((self.height_of_tile + GAP) // 3)
        bar.setRange(0, max(whole - self.viewport().height(), 0))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Lay the tiles anew."""
        super().resizeEvent(event)
        self._set_bar()

    # Hands

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose the channel."""
        index = self.tile_at(event.x(), event.y()) if event is not None else None
        if index is not None and event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go_to(index)
            self.chosen.emit(self.tiles[index].code)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Open the channel's spectrum."""
        index = self.tile_at(event.x(), event.y()) if event is not None else None
        if index is not None:
            self.opened.emit(self.tiles[index].code)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Tell all of a tile, also why its state is what it is, and what it is for."""
        index = self.tile_at(event.x(), event.y()) if event is not None else None
        tip = "" if index is None else f"{self.tiles[index].words}\nDouble-click for its spectrum"
        self.viewport().setToolTip(tip)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Ask for the menu."""
        if event is not None:
            self.menu_asked.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Move with the arrows; choose with Enter."""
        if event is None or not self.tiles:
            super().keyPressEvent(event)
            return
        page = max(self.viewport().height() // (self.height_of_tile + GAP), 1) * self.n_columns
        keys = Qt.Key
        moves: dict[int, int] = {
            keys.Key_Left: -1,
            keys.Key_Right: 1,
            keys.Key_Up: -self.n_columns,
            keys.Key_Down: self.n_columns,
            keys.Key_PageUp: -page,
            keys.Key_PageDown: page,
            keys.Key_Home: -len(self.tiles),
            keys.Key_End: len(self.tiles),
        }
        if event.key() in moves:
            self._go_to(min(max(self.current + moves[event.key()], 0), len(self.tiles) - 1))
        elif event.key() in (keys.Key_Return, keys.Key_Enter):
            self.chosen.emit(self.tiles[self.current].code)
        else:
            super().keyPressEvent(event)

    def _go_to(self, index: int) -> None:
        self.current = index
        place, bar = self.place_of(index), self.verticalScrollBar()
        if place.top() < 0:
            bar.setValue(bar.value() + place.top())
        elif place.bottom() > self.viewport().height():
            bar.setValue(bar.value() + place.bottom() - self.viewport().height() + 1)
        self._describe()
        self.viewport().update()

    def _describe(self) -> None:
        told = self.tiles[self.current].words if self.current < len(self.tiles) else "no channel"
        self.setAccessibleDescription(told)

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw the tiles that are seen."""
        painter = QPainter(self.viewport())
        area = event.rect() if event is not None else self.viewport().rect()
        row = max((area.top() + self.verticalScrollBar().value()) // (self.height_of_tile + GAP), 0)
        self.n_painted = 0
        for index in range(row * self.n_columns, len(self.tiles)):
            place = self.place_of(index)
            if place.top() > area.bottom():
                break
            painter.drawPixmap(place.topLeft(), self._picture(index, place))
            self.n_painted += 1

    def _picture(self, index: int, place: QRect) -> QPixmap:
        """Give the picture of a tile, drawn anew only if something about it changed."""
        tile, is_current = self.tiles[index], index == self.current and self.hasFocus()
        ratio = self.devicePixelRatioF()
        late = (tile.is_late, tile.is_all_late)
        told = (id(tile.figures), tile.name, tile.health, tile.peak, tile.unit, late, self.is_log)
        size = (place.width(), place.height(), ratio)
        looks = (size, theme.current().name, tile.code == self.chosen_code, is_current)
        key = (told, looks)
        held = self._pictures.get(tile.code)
        if held is None or held[0] != key:
            picture = QPixmap(round(place.width() * ratio), round(place.height() * ratio))
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            self._draw(painter, index, QRect(0, 0, place.width(), place.height()))
            painter.end()
            # The figures are kept too, so that their id stays theirs.
            held = self._pictures[tile.code] = (key, picture, tile.figures)
        return held[1]

    def _draw(self, painter: QPainter, index: int, place: QRect) -> None:
        tile, present = self.tiles[index], theme.current()
        is_chosen = tile.code == self.chosen_code
        is_current = index == self.current and self.hasFocus()
        painter.setPen(present.pen("accent" if is_chosen or is_current else "line"))
        painter.setBrush(present.color("accent_soft" if is_chosen else "raised"))
        painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), ROUND, ROUND)
        if is_current:
            pen = present.pen("accent", Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(place).adjusted(3.5, 3.5, -3.5, -3.5), ROUND - 2, ROUND - 2)
        inside = place.adjusted(INSIDE, 6, -INSIDE, -6)
        tone = "soft" if tile.is_late or tile.is_all_late else tile.health.tone
        lamp_width = self._write(painter, inside, 0, tile.late(tile.health.words), tone, is_right=True)
        name_room = inside.adjusted(0, 0, -lamp_width - INSIDE, 0)
        bold = QFontMetrics(theme.font(theme.SMALL, bold=True))
        fits = bold.horizontalAdvance(tile.name) <= name_room.width()
        name = tile.name if fits else short_name(tile.name)
        self._write(painter, name_room, 0, name, "text", is_bold=True)
        for line, text in enumerate(tile.lines):
            self._write(painter, inside, inside.height() - (N_FIGURES - line) * LINE, text, "soft")
        spectrum = inside.adjusted(0, LINE + 4, 0, -N_FIGURES * LINE - 3)
        self._draw_spectrum(painter, tile, spectrum)

    def _write(
        self,
        painter: QPainter,
        room: QRect,
        down: int,
        text: str,
        token: str,
        *,
        is_bold: bool = False,
        is_right: bool = False,
    ) -> int:
        font = theme.font(theme.SMALL, bold=is_bold)
        painter.setFont(font)
        painter.setPen(theme.current().color(token))
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        line = QRect(room.left(), room.top() + down, room.width(), LINE)
        side = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(line, int(side | Qt.AlignmentFlag.AlignVCenter), shown)
        return metrics.horizontalAdvance(shown)

    def _draw_spectrum(self, painter: QPainter, tile: Tile, room: QRect) -> None:
        present = theme.current()
        painter.setPen(present.pen("line"))
        painter.drawLine(room.bottomLeft(), room.bottomRight())
        counts = tile.figures.counts
        if not counts.any():
            what = "no values in range" if tile.figures.n_events else "no events"
            self._write(painter, room, room.height() // 2 - LINE // 2, what, "soft")
            return
        heights = np.log10(np.maximum(counts, 0.5)) - math.log10(0.5) if self.is_log else counts.astype(float)
        y = room.bottom() - heights / heights.max() * (room.height() - 1)
        x = room.left() + np.linspace(0, room.width(), len(counts) + 1)
        points = np.column_stack((np.repeat(x, 2)[1:-1], np.repeat(y, 2)))
        painter.setPen(present.pen("soft" if tile.is_all_late else "accent"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(a, b) for a, b in points.tolist()]))
