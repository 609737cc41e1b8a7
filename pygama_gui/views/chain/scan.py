"""Tries a grid of two settings on the sample and shows where the peak is sharpest; a click adopts a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QDialog, QGridLayout, QLineEdit, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from pygama.errors import SettingsError
from pygama.processing.declare import Setting
from pygama.tuning import Scan, Tried
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.preview import Axis
from pygama_gui.sandbox import Sandbox
from pygama_gui.session import changes
from pygama_gui.session.state import Session, Step
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import button, choice_box, label, room_on_screen, row
from pygama_gui.widgets.words import shown

N_CELLS, MOST_CELLS = 9, 25
SIZE = QSize(720, 620)
LEFT, BOTTOM, TOP, RIGHT = 64, 40, 6, 112
MAPS = {"light": "viridis", "dark": "inferno"}
MARKS = "Dot: best, ring: as good, dashes: as set now"
"""What is drawn over the cells."""
Choice = tuple[int, Setting]
Cell = tuple[int, int]


def settings_to_scan(chain: Sequence[Step]) -> list[Choice]:
    """Give the numbers that can be scanned: the place of the step, and the setting."""
    found = []
    for place, step in enumerate(chain):
        known = chain_facts.processor(step.step)
        if known is not None and step.enabled:
            found += [(place, setting) for setting in known.settings if setting.type in (int, float)]
    return found


def usual_range(setting: Setting, value: Any) -> tuple[float, float]:
    """Give a range around a value: half of it to twice that much more, within the bounds."""
    at = float(value) if isinstance(value, int | float) else float(setting.default or 10)
    low, high = 0.5 * at, 1.5 * at
    if at == 0:
        low, high = 0.0, 10.0
    low = low if setting.low is None else max(low, setting.low)
    high = high if setting.high is None else min(high, setting.high)
    return low, max(high, low)


def values_between(setting: Setting, low: float, high: float, n: int) -> tuple[Any, ...]:
    """Give `n` values from low to high as the setting takes them; fewer where they would be the same."""
    values = np.linspace(low, high, n).tolist()
    made = [round(value) if setting.type is int else float(f"{value:.5g}") for value in values]
    return tuple(dict.fromkeys(setting.check(value) for value in made))


class AxisForm(QWidget):
    """Which setting, from where to where, in how many steps."""

    changed = pyqtSignal()

    def __init__(self, name: str, axis: str) -> None:
        super().__init__()
        self.box = choice_box(f"Setting along {axis}")
        self.low, self.high = QLineEdit(), QLineEdit()
        self.number = QSpinBox()
        self.number.setRange(2, MOST_CELLS)
        self.number.setValue(N_CELLS)
        self.number.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.number.setFixedWidth(44)
        self.number.setAccessibleName(f"Number of values along {axis}")
        self.number.setToolTip(f"Number of values along {axis}")
        self.choices: list[Choice] = []
        for line, words_of in ((self.low, "First"), (self.high, "Last")):
            line.setFixedWidth(72)
            line.setAcceptDrops(False)
            line.setAlignment(Qt.AlignmentFlag.AlignRight)
            line.setAccessibleName(f"{words_of} value along {axis}")
            line.setToolTip(f"{words_of} value along {axis}")
            line.textChanged.connect(self._check)
        self.unit = label(tone="soft", px=theme.SMALL)
        self.problem = label(tone="bad", px=theme.SMALL)
        self.problem.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addLayout(
            row(self._head(name), self.box, self.low, label("to", tone="soft"), self.high, self.unit, None),
            0,
            0,
        )
        grid.addLayout(row(self.number, label("values", tone="soft")), 0, 1)
        grid.addWidget(self.problem, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    def _head(self, name: str) -> QWidget:
        made = label(name, tone="soft", px=theme.SMALL)
        made.setFixedWidth(46)
        return made

    def offer(self, chain: Sequence[Step], choices: list[Choice], at: int) -> None:
        """Offer settings, and choose one of them with the range around its present value."""
        self.choices = choices
        self.box.clear()
        self.box.addItems([f"{place + 1} {chain[place].step}.{setting.name}" for place, setting in choices])
        self.box.setCurrentIndex(at)
        self.choose(chain)

    def choose(self, chain: Sequence[Step]) -> None:
        """Fill in the range of the setting that is chosen."""
        place, setting = self.choices[self.box.currentIndex()]
        low, high = usual_range(setting, chain[place].settings.get(setting.name, setting.default))
        first, *_, last = values_between(setting, low, high, 2) * 2
        self.low.setText(shown(first))
        self.high.setText(shown(last))
        self.unit.setText(chain_facts.UNITS.get(setting.unit, setting.unit))

    def axis(self) -> Axis | None:
        """Give what is to be tried; None where a text cannot be read."""
        if not self.choices:
            return None
        place, setting = self.choices[self.box.currentIndex()]
        try:
            ends = [float(setting.check(line.text())) for line in (self.low, self.high)]
            values = values_between(setting, ends[0], ends[1], self.number.value())
        except (SettingsError, ValueError, TypeError) as problem:
            self.problem.setText(str(problem))
            return None
        if len(values) < 2:
            self.problem.setText("the range must hold two values or more")
            return None
        self.problem.setText("")
        return Axis(place, setting.name, values)

    def _check(self, _text: str = "") -> None:
        if self.choices and self.box.currentIndex() >= 0:
            self.axis()
            self.problem.setVisible(bool(self.problem.text()))
            self.changed.emit()


class Grid(QWidget):
    """The cells of a scan: colour is the resolution; marks say which are best, whatever the colours."""

    chosen = pyqtSignal(object)
    pointed = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Grid of settings")
        self.x_axis = self.y_axis = Axis(0, "", ())
        self.x_words = self.y_words = ""
        self.cells: dict[Cell, Tried | str] = {}
        self.hint = label(
            "Each cell will be one pair of these values, tried on waveforms of the run, coarse to fine. "
            "Click a cell then to adopt its settings.",
            tone="soft",
        )
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self).addWidget(self.hint)
        self.at: Cell | None = None
        self.present: Cell | None = None

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Give room for a square."""
        return QSize(560, 400)

    def begin(self, x: Axis, y: Axis, x_words: str, y_words: str) -> None:
        """Show an empty grid."""
        self.x_axis, self.y_axis, self.x_words, self.y_words = x, y, x_words, y_words
        self.cells, self.at = {}, None
        self.hint.setVisible(not x.values)
        policy = Qt.FocusPolicy
        self.setFocusPolicy(policy.StrongFocus if x.values else policy.NoFocus)  # there is no cell to go to
        self.update()

    def take(self, cell: Cell, tried: Tried | str) -> None:
        """Show one more cell."""
        self.cells[cell] = tried
        self.update()

    def good(self) -> tuple[Cell | None, set[Cell]]:
        """Give the best cell, and those as good within its error."""
        fitted = {
            cell: one for cell, one in self.cells.items() if isinstance(one, Tried) and one.fit.converged
        }
        if not fitted:
            return None, set()
        scan = Scan(
            {self.x_axis.key: self.x_axis.values, self.y_axis.key: self.y_axis.values}, tuple(fitted.values())
        )
        best, alike = scan.best, scan.as_good()
        at = next(cell for cell, one in fitted.items() if one is best)
        return at, {cell for cell, one in fitted.items() if any(one is other for other in alike)}

    def cell_at(self, at: QPointF) -> Cell | None:
        """Find the cell at a place; None outside."""
        area = self._area()
        if not self.x_axis.values or not area.contains(at):
            return None
        i = int((at.x() - area.left()) / area.width() * len(self.x_axis.values))
        j = int((area.bottom() - at.y()) / area.height() * len(self.y_axis.values))
        return min(i, len(self.x_axis.values) - 1), min(max(j, 0), len(self.y_axis.values) - 1)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Tell which cell the mouse is on."""
        if event is not None:
            self._point(self.cell_at(event.localPos()))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Choose a cell."""
        if event is not None and (cell := self.cell_at(event.localPos())) is not None:
            self._point(cell)
            self.chosen.emit(cell)

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Point at nothing."""
        if not self.hasFocus():
            self._point(None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Go from cell to cell with the arrows, adopt with Return."""
        if event is None or not self.x_axis.values:
            return
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Down: (0, -1),
            Qt.Key.Key_Up: (0, 1),
        }
        if event.key() in steps:
            i, j = self.at or self.good()[0] or (0, 0)
            by = steps[Qt.Key(event.key())] if self.at is not None else (0, 0)
            self._point(
                (
                    min(max(i + by[0], 0), len(self.x_axis.values) - 1),
                    min(max(j + by[1], 0), len(self.y_axis.values) - 1),
                )
            )
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.at is not None:
            self.chosen.emit(self.at)
        else:
            super().keyPressEvent(event)

    def _point(self, cell: Cell | None) -> None:
        if cell != self.at:
            self.at = cell
            self.pointed.emit(cell)
            self.update()

    def _area(self) -> QRectF:
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)

    def _cell_area(self, cell: Cell) -> QRectF:
        area = self._area()
        width, height = area.width() / len(self.x_axis.values), area.height() / len(self.y_axis.values)
        return QRectF(area.left() + cell[0] * width, area.bottom() - (cell[1] + 1) * height, width, height)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Paint cells, marks, axes and the scale of colours."""
        if not self.x_axis.values:
            return
        painter = QPainter(self)
        low, high = self._ends()
        colors = pg.colormap.get(MAPS[theme.current().name])
        for cell, tried in self.cells.items():
            self._paint_cell(painter, cell, tried, (low, high), colors)
        best, good = self.good()
        for cell in good:
            self._paint_mark(painter, cell, is_best=cell == best)
        self._paint_frame(painter, self.present, Qt.PenStyle.DashLine)
        self._paint_frame(painter, self.at, Qt.PenStyle.SolidLine)
        self._paint_axes(painter)
        if math.isfinite(low):
            self._paint_scale(painter, low, high, colors)

    def _ends(self) -> tuple[float, float]:
        known = [
            one.resolution for one in self.cells.values() if isinstance(one, Tried) and one.fit.converged
        ]
        return (min(known), max(known)) if known else (math.nan, math.nan)

    def _paint_cell(
        self, painter: QPainter, cell: Cell, tried: Tried | str, ends: tuple[float, float], colors: Any
    ) -> None:
        area = self._cell_area(cell).adjusted(0.5, 0.5, -0.5, -0.5)
        if isinstance(tried, str) or not tried.fit.converged:
            painter.fillRect(area, theme.current().color("grid"))
            painter.setPen(theme.current().pen("faint"))
            painter.drawLine(area.topLeft(), area.bottomRight())
            return
        painter.fillRect(area, _color(colors, tried.resolution, ends))

    def _paint_mark(self, painter: QPainter, cell: Cell, *, is_best: bool) -> None:
        """A filled dot in a ring is the best, a ring one that is as good."""
        centre, size = self._cell_area(cell).center(), 5.0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for color, width in ((QColor("#000000"), 4), (QColor("#FFFFFF"), 2)):
            painter.setBrush(QColor("#FFFFFF") if is_best else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color, width))
            painter.drawEllipse(centre, size, size)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_frame(self, painter: QPainter, cell: Cell | None, style: Qt.PenStyle) -> None:
        """Frame the present settings with dashes, the cell that is pointed at with a line."""
        if cell is None:
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        area = self._cell_area(cell).adjusted(1.5, 1.5, -1.5, -1.5)
        for color, pen in (("#000000", Qt.PenStyle.SolidLine), ("#FFFFFF", style)):
            painter.setPen(QPen(QColor(color), 4 if color == "#000000" else 2, pen))
            painter.drawRect(area)

    def _paint_axes(self, painter: QPainter) -> None:
        area = self._area()
        painter.setFont(theme.font(theme.SMALL))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme.current().pen("line"))
        painter.drawRect(area)
        painter.setPen(theme.current().color("soft"))
        metrics = painter.fontMetrics()
        room = area.width() / len(self.x_axis.values)
        widest = max(metrics.horizontalAdvance(shown(value)) for value in self.x_axis.values) + 8
        for i in range(0, len(self.x_axis.values), max(math.ceil(widest / room), 1)):
            cell = self._cell_area((i, 0))
            box = QRectF(cell.center().x() - 40, area.bottom() + 2, 80, 16)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), shown(self.x_axis.values[i]))
        every = max(math.ceil(16 / (area.height() / len(self.y_axis.values))), 1)
        for j in range(0, len(self.y_axis.values), every):
            cell = self._cell_area((0, j))
            box = QRectF(20, cell.center().y() - 8, LEFT - 26, 16)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(box, right, shown(self.y_axis.values[j]))
        box = QRectF(area.left(), area.bottom() + 19, area.width(), 18)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.x_words)
        painter.save()
        painter.translate(10, area.center().y())
        painter.rotate(-90)
        painter.drawText(
            QRectF(-area.height() / 2, -9, area.height(), 18), int(Qt.AlignmentFlag.AlignCenter), self.y_words
        )
        painter.restore()

    def _paint_scale(self, painter: QPainter, low: float, high: float, colors: Any) -> None:
        area = self._area()
        bar = QRectF(area.right() + 14, area.top() + 20, 12, area.height() - 40)
        n = 40
        for at in range(n):
            value = low + (high - low) * (at + 0.5) / n
            height = bar.height() / n
            part = QRectF(bar.left(), bar.bottom() - (at + 1) * height, bar.width(), height + 1)
            painter.fillRect(part, _color(colors, value, (low, high)))
        painter.setPen(theme.current().color("soft"))
        for y, value in ((bar.bottom(), low), (bar.top(), high)):
            painter.drawText(QPointF(bar.right() + 5, y + 4), f"{100 * value:.3f} %")
        painter.drawText(QPointF(bar.left(), area.top() + 8), "FWHM/position")


def _color(colors: Any, value: float, ends: tuple[float, float]) -> QColor:
    """Give the colour of a resolution: the sharper the brighter."""
    share = (value - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.0
    color = colors.map(1.0 - share, mode="qcolor")
    assert isinstance(color, QColor)
    return color


class ScanWindow(QDialog):
    """A grid of two settings of the chain, tried on the sample; nothing waits for it."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.sandbox = Sandbox.of(bridge)
        self.setWindowTitle("Scan two settings")
        self.setModal(False)
        self.across, self.up = AxisForm("across", "x"), AxisForm("up", "y")
        self.grid = Grid()
        self.start_button = button("Start", "Start the scan", primary=True)
        self.start_button.setAutoDefault(False)
        self.start_button.clicked.connect(lambda: self.stop() if self.sandbox.is_scanning else self.start())
        self.close_button = button("Close", "Close the scan")
        self.close_button.setAutoDefault(False)
        self.close_button.clicked.connect(self.reject)
        self.state = label(tone="soft", px=theme.SMALL)
        self.state.setWordWrap(True)
        self.about = label(px=theme.SMALL)
        self.about.setMinimumHeight(34)
        self.about.setWordWrap(True)
        self.about.setAccessibleName("The cell that is pointed at")
        for form in (self.across, self.up):
            form.box.activated.connect(lambda _at, form=form: form.choose(self.bridge.session.chain))
            form.changed.connect(self._show_state)
        self.grid.pointed.connect(self._describe)
        self.grid.chosen.connect(self.adopt)
        self.sandbox.watch(self)
        self.sandbox.cell_known.connect(self._take)
        self.sandbox.sample_changed.connect(self._show_state)
        self.sandbox.scan_ended.connect(self._ended)
        bridge.session_changed.connect(self._on_session)
        self._lay_out()
        self.resize(SIZE.boundedTo(room_on_screen()))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self.across)
        column.addWidget(self.up)
        column.addWidget(self.grid, 1)
        column.addWidget(self.about)
        line = row(self.start_button)
        line.addWidget(self.state, 1)
        line.addWidget(self.close_button)
        column.addLayout(line)

    def open_for(self, session: Session) -> str:
        """Offer the settings of the chain, those of the selected step first; gives why that cannot be."""
        choices = settings_to_scan(session.chain)
        if not choices:
            return "no step that is on has a number to scan"
        own = [at for at, (place, _) in enumerate(choices) if place == session.step]
        others = [at for at in range(len(choices)) if at not in own]
        first, second, *_ = [*own, *others, *own, *others]
        self.across.offer(session.chain, choices, first)
        self.up.offer(session.chain, choices, second)
        self.grid.begin(Axis(0, "", ()), Axis(0, "", ()), "", "")
        self.about.setText("")
        self._show_state()
        self.show()
        self.raise_()
        self.activateWindow()
        return ""

    def start(self) -> None:
        """Try the grid, coarse to fine."""
        x, y = self.across.axis(), self.up.axis()
        if x is None or y is None:
            return
        if x.key == y.key:
            self.state.setText("choose two different settings")
            return
        self.grid.begin(x, y, self._words(self.across), self._words(self.up))
        self._mark_present(self.bridge.session)
        problem = self.sandbox.scan(x, y)
        self.start_button.setText("Start" if problem else "Stop")
        self.state.setText(problem or self._progress())

    def stop(self) -> None:
        """Give up; what is known stays."""
        self.sandbox.stop_scan()

    def adopt(self, cell: Cell) -> None:
        """Take the settings of a cell: one step of undo."""
        if isinstance(self.grid.cells.get(cell), Tried):
            x, y = self.grid.x_axis, self.grid.y_axis
            values = ((x.step, x.name, x.values[cell[0]]), (y.step, y.name, y.values[cell[1]]))
            self.bridge.change(changes.adopt_settings, values)

    def done(self, result: int) -> None:
        """Close, whichever way; a scan that nobody sees ends."""
        self.sandbox.stop_scan()
        super().done(result)

    def _on_session(self, old: Session, new: Session) -> None:
        if old.chain is not new.chain and self.grid.x_axis.values:
            self._mark_present(new)

    def _mark_present(self, session: Session) -> None:
        """Frame the cell of the present settings, where there is one."""
        at = [
            _place(axis, session.chain[axis.step]) if axis.step < len(session.chain) else None
            for axis in (self.grid.x_axis, self.grid.y_axis)
        ]
        i, j = at
        self.grid.present = None if i is None or j is None else (i, j)
        self.grid.update()

    def _words(self, form: AxisForm) -> str:
        unit = form.unit.text()
        return f"{form.box.currentText()} ({unit})" if unit else form.box.currentText()

    def _take(self, cell: Cell, tried: Tried | str) -> None:
        self.grid.take(cell, tried)
        self.state.setText(self._progress())
        if self.grid.at is None:
            self._describe(None)
        elif self.grid.at == cell:
            self._describe(cell)

    @property
    def _n_cells(self) -> int:
        return len(self.grid.x_axis.values) * len(self.grid.y_axis.values)

    def _progress(self) -> str:
        return f"{len(self.grid.cells)} of {self._n_cells} cells, coarse to fine"

    def _ended(self, problem: str) -> None:
        self.start_button.setText("Start")
        done = f"{len(self.grid.cells)} of {self._n_cells} cells"
        self.state.setText(f"{done}: {problem}" if problem else f"{done}; click one to adopt it. {MARKS}")

    def _show_state(self) -> None:
        if not self.sandbox.is_scanning:
            x, y = self.across.axis(), self.up.axis()
            n = 0 if x is None or y is None else len(x.values) * len(y.values)
            n_waves = self.sandbox.n_rows
            whose = self.sandbox.words or "waveforms"
            waves = f"on {words.count(n_waves)} {whose}" if n_waves else "· no sample of waveforms yet"
            self.state.setText(f"{n} cells {waves}" if n else "")
            self.start_button.setEnabled(n > 0)

    def _describe(self, cell: Cell | None) -> None:
        best, good = self.grid.good()
        if cell is None:
            at = best
            is_whole = len(self.grid.cells) == self._n_cells
            which = "Best" if is_whole else "Best so far"
            self.about.setText(f"{which}: {self._cell_words(at)}" if at is not None else "")
        else:
            mark = " · best" if cell == best else " · as good within its error" if cell in good else ""
            self.about.setText(self._cell_words(cell) + mark)

    def _cell_words(self, cell: Cell) -> str:
        x, y = self.grid.x_axis, self.grid.y_axis
        settings = f"{x.name} {shown(x.values[cell[0]])}, {y.name} {shown(y.values[cell[1]])}"
        tried = self.grid.cells.get(cell)
        if tried is None:
            return f"{settings}: not tried yet"
        if isinstance(tried, str):
            return f"{settings}: {tried}"
        fit = tried.fit
        if not fit.converged:
            return f"{settings}: {fit.note}"
        share = words.with_error(100 * tried.resolution, 100 * tried.resolution_error)
        measure, at = self.sandbox.measure_of(self.sandbox.column), self.sandbox.line_at
        if measure.curve is not None and at is not None:
            width = words.with_error(*measure.width(fit, fit.position / at))
            return f"{settings}: FWHM {width} keV at {words.level(float(measure.shown(at)))} keV, {share} %"
        unit = chain_facts.unit_of(self.sandbox.column)
        width = words.with_error(fit.fwhm, fit.fwhm_error)
        place = words.with_error(fit.position, fit.position_error)
        return f"{settings}: FWHM {width} {unit} at {place} {unit}, {share} %"


def _place(axis: Axis, step: Step) -> int | None:
    """Find the present value of a setting among those of an axis."""
    known = chain_facts.processor(step.step)
    if known is None or axis.name not in [setting.name for setting in known.settings]:
        return None
    value = step.settings.get(axis.name, known.setting(axis.name).default)
    return axis.values.index(value) if value in axis.values else None
