"""Draws gates over a plane: cuts that have a shape in it, under the hand, and those that are being drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, QRectF, Qt, QTimer
from PyQt5.QtGui import QColor

from pygama.analysis.cuts import Cut, RangeOf, range_cut
from pygama.quick_dataclass import dataclass
from pygama_gui.data.cutting import free_name
from pygama_gui.data.gates import (
    GRIP_PX,
    Band,
    Gate,
    Part,
    Polygon,
    corners_text,
    gate_of,
    part_at,
    rectangle,
    top_of,
)
from pygama_gui.data.linked import Axis
from pygama_gui.machine.counting import WithAndWithout
from pygama_gui.session import cut_changes
from pygama_gui.widgets import theme, words

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import PlaneView

HANDLE_PX = 7
N_PLACES = 6
"""Places below each other that are tried for the words of a gate."""
TEXT_SHARE = 0.5
SEND_MS = 40
"""While a gate is dragged, the cut follows this often."""
CURSOR_STEPS = 100
"""Steps of the arrows across what is in view."""
SHAPES = ("polygon", "rectangle", "x", "y")
"""What a new gate can be; 'x' and 'y' are ranges."""

OF_OTHERS = " of what passes the other cuts"


@dataclass(frozen=True, eq=False)
class Inside:
    """Events that a gate lets pass, of those that pass all other cuts, and the sums of both along x and y."""

    n: int
    n_all: int
    axes: tuple[Axis, Axis]
    sums: tuple[np.ndarray, np.ndarray]
    all_sums: tuple[np.ndarray, np.ndarray]
    has_others: bool = False
    """Whether other cuts are on."""

    @property
    def words(self) -> str:
        """The count, its share, and what that is of."""
        if not self.n_all:
            return "the other cuts let none pass" if self.has_others else "no events"
        share = f"{words.count(self.n)} · {words.three_digits(100 * self.n / self.n_all)} %"
        return f"{share}{OF_OTHERS}" if self.has_others else share


class _Drawn:
    """What one gate is drawn with."""

    def __init__(self, add: Callable[[Any], None]) -> None:
        self.line = pg.PlotCurveItem()
        self.handles = pg.ScatterPlotItem(size=HANDLE_PX, symbol="s", pxMode=True)
        self.handles.mouseClickEvent = lambda event: event.ignore()
        self.label = pg.TextItem(anchor=(0, 1))
        self.label.setFont(theme.font(theme.SMALL))
        for z, item in ((20, self.line), (21, self.handles), (22, self.label)):
            item.setZValue(z)
            add(item)

    @property
    def items(self) -> tuple[Any, ...]:
        return self.line, self.handles, self.label


@dataclass
class _Held:
    """A gate under the hand: as it was when it was taken, and what of it."""

    name: str
    gate: Gate
    part: Part
    start: QPointF
    merge: str


class PlaneGates:
    """The gates of a plane."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        self._plot, self._box = view.plot, view.box
        self._drawn: dict[str, _Drawn] = {}
        self.inside: dict[str, Inside] = {}
        self.mode = ""
        """The shape that is being drawn, of `SHAPES`; empty: none."""
        self.draft: list[tuple[float, float]] = []
        self._draft_items = _Drawn(self._add)
        self._written: list[QRectF] = []
        """Where words of gates stand, in the units of the axes."""
        self._cursor: QPointF | None = None
        self._held: _Held | None = None
        self._moved: dict[str, Gate] = {}
        self._was_closed = False
        self._is_ours = False
        self._send = QTimer(view)
        self._send.setSingleShot(True)
        self._send.setInterval(SEND_MS)
        self._send.timeout.connect(self._send_moved)
        self._box.grips = self.drag
        self._box.band_dragged.connect(self._take_band)
        self._box.sigRangeChanged.connect(lambda *_: self.draw())
        self._hide(self._draft_items)

    def _add(self, item: Any) -> None:
        self._plot.addItem(item)

    # Which gates there are

    @property
    def _names(self) -> tuple[str, str]:
        return self._view.x_name, self._view.y_name

    def shapes(self) -> dict[str, Gate]:
        """Give the gates by the names of their cuts, in their order; one under the hand where the hand is."""
        found = {cut.name: gate_of(cut.expression, *self._names) for cut in self._view.session.cuts}
        return {name: gate for name, gate in (found | self._moved).items() if gate is not None}

    @property
    def chosen(self) -> str:
        """The name of the chosen cut, where it is a gate here."""
        name = self._view.session.cut
        return name if name in self.shapes() else ""

    def _cut(self, name: str) -> Cut:
        return next(cut for cut in self._view.session.cuts if cut.name == name)

    # Drawing a new one

    @property
    def is_busy(self) -> bool:
        """Whether a gate is being drawn or dragged."""
        return bool(self.mode) or self._held is not None

    def begin(self, mode: str) -> None:
        """Begin a new gate of a shape."""
        self.give_up()
        self.mode = mode
        if mode == "polygon":
            self._cursor = self._cursor or self._middle
        else:
            self._box.is_region_wanted = True
            self._box.region_along = mode if mode in ("x", "y") else ""
        self.draw()
        self._view.show_info()

    def give_up(self) -> None:
        """End drawing; nothing was made. A gate under the hand goes back to where it was taken."""
        self.mode, self.draft = "", []
        self._box.region_along = ""
        self._box.cancel()
        if self._held is not None:
            self._held = None
            self._send.stop()
            self._view.bridge.store.give_up()
            self._end_drag()
        self.draw()
        self._view.show_info()

    def click(self, at: QPointF, keys: Any) -> bool:
        """Set a corner, or put one on a side; tells whether the click was for that."""
        self._was_closed = False
        if self.mode == "polygon":
            if len(self.draft) > 2 and self._is_near(at, self.draft[0]):
                self.close()
                self._was_closed = True
            else:
                self.draft.append((at.x(), at.y()))
                self.draw()
                self._view.show_info()
            return True
        # Many window managers keep Alt for themselves.
        wanted = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
        return bool(keys & wanted) and self._insert(at)

    def set_corner(self) -> None:
        """Set a corner where the cursor is, which the arrows move."""
        if self.mode != "polygon":
            self.begin("polygon")
            return
        self._cursor = self._cursor or self._middle
        self.draft.append((self._cursor.x(), self._cursor.y()))
        self.draw()
        self._view.show_info()

    @property
    def _middle(self) -> QPointF:
        return QPointF(self._box.viewRect().center())

    def _move_cursor(self, x: int, y: int) -> None:
        """Move the cursor by some steps, of which a hundred go across what is in view; it stays in view."""
        at, seen = self._cursor or self._middle, self._box.viewRect()
        left, low = min(seen.left(), seen.right()), min(seen.top(), seen.bottom())
        width, height = abs(seen.width()), abs(seen.height())
        new_x = at.x() + x * width / CURSOR_STEPS
        new_y = at.y() + y * height / CURSOR_STEPS
        self._cursor = QPointF(min(max(new_x, left), left + width), min(max(new_y, low), low + height))
        self._draw_draft()

    def double_click(self) -> bool:
        """Close the polygon; tells whether the double click was for that."""
        if self.mode == "polygon":
            self.close()
            return True
        return self._was_closed

    def close(self) -> None:
        """Make a cut of the corners that were set; fewer than three are given up."""
        corners = [one for one, after in itertools.zip_longest(self.draft, self.draft[1:]) if one != after]
        self.give_up()
        if len(corners) > 2:
            self._make(Polygon(tuple(corners)))

    def take_back(self) -> None:
        """Take the last corner back that was set."""
        if self.draft:
            self.draft.pop()
            self.draw()
            self._view.show_info()

    def _take_band(self, band: QRectF) -> None:
        along = self._box.region_along
        self.give_up()
        x, y = (band.left(), band.right()), (band.top(), band.bottom())
        if along:
            px = self._box.viewPixelSize()[0 if along == "x" else 1]
            of = RangeOf(*((self._names[0], *x) if along == "x" else (self._names[1], *y)))
            self._make(Band(0 if along == "x" else 1, of).rounded(px, px))
        else:
            self._make(rectangle(x, y))

    def _make(self, gate: Gate) -> None:
        cuts = self._view.session.cuts
        gate = gate.rounded(*self._box.viewPixelSize())
        if isinstance(gate, Band):
            text = range_cut(gate.of.column, gate.of.low, gate.of.high)
        else:
            text = gate.text(*self._names)
        color = theme.free_color([cut.color for cut in cuts])
        name = free_name([cut.name for cut in cuts])
        self._view.bridge.change(cut_changes.add_cut, name, text, color)

    # Under the hand

    def _at(self, at: QPointF) -> tuple[str, Part] | None:
        """Give the gate at a place and what of it: the chosen one first, bodies last."""
        view = tuple(tuple(ends) for ends in self._box.viewRange())
        px = self._box.viewPixelSize()
        shapes = self.shapes()
        order = sorted(shapes, key=lambda name: name != self.chosen)
        found = [(name, part_at(shapes[name], (at.x(), at.y()), px, (view[0], view[1]))) for name in order]
        hit = [(name, part) for name, part in found if part is not None]
        on_line = [one for one in hit if one[1].kind != "body"]
        return next(iter((*on_line, *hit)), None)

    def name_at(self, at: QPointF) -> str:
        """Give the name of the gate at a place; empty where there is none."""
        found = self._at(at)
        return "" if found is None else found[0]

    def choose_at(self, at: QPointF) -> bool:
        """Choose the gate at a place; tells whether there is one."""
        name = self.name_at(at)
        if name:
            self._view.bridge.change(cut_changes.choose_cut, name)
        return bool(name)

    def drag(self, event: Any) -> bool:
        """Move what of a gate is under the hand; tells whether the drag is for that."""
        if event.isStart():
            self._is_ours = self._take(event)
        held = self._held
        if held is None:
            return self._is_ours  # given up while the button was down: the rest of the drag does nothing
        by = self._box.mapToView(event.pos()) - held.start
        moved = held.gate.moved(held.part, (by.x(), by.y()))
        width, height = self._box.viewPixelSize()
        moved = moved.rounded(width, height, held.gate)
        self._moved = {held.name: moved}
        self.draw()
        if event.isFinish():
            self._send_moved()
            self._held = None
            self._end_drag()
        elif not self._send.isActive():
            self._send.start()
        return True

    def _take(self, event: Any) -> bool:
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        if not is_plain or self.mode:
            return False
        start = self._box.mapToView(event.buttonDownPos())
        found = self._at(start)
        # The body of a gate that is not chosen lets the drag zoom.
        if found is None or (found[1].kind == "body" and found[0] != self.chosen):
            return False
        name, part = found
        self._view.bridge.store.settle()
        self._view.bridge.change(cut_changes.choose_cut, name)
        self._view.bridge.counting.serve_first(self._view.OWNER)
        self._held = _Held(name, self.shapes()[name], part, start, f"gate {name}")
        return True

    def _send_moved(self) -> None:
        """Let the cut follow the hand."""
        self._send.stop()
        merge = "" if self._held is None else self._held.merge
        for name, gate in self._moved.items():
            text = gate.text(*self._names)
            self._view.bridge.change(cut_changes.edit_cut, name, text, merge=merge)

    def _end_drag(self) -> None:
        self._moved = {}
        self._view.bridge.counting.serve_first("")
        self._view.bridge.store.settle()
        self._view.redraw_soon()

    def nudge(self, x: int, y: int) -> bool:
        """Move the cursor of a polygon, or the chosen gate by some bins; tells whether there is one."""
        if self.mode == "polygon":
            self._move_cursor(x, y)
            return True
        name, plane = self.chosen, self._view.plane
        if not name or plane is None:
            return False
        steps = [(axis.high - axis.low) / axis.n_bins for axis in (plane.x, plane.y)]
        moved = self.shapes()[name].moved(Part("body"), (x * steps[0], y * steps[1]))
        text = moved.rounded(*self._box.viewPixelSize()).text(*self._names)
        self._view.bridge.change(cut_changes.edit_cut, name, text, merge=f"nudge {name}")
        return True

    def _insert(self, at: QPointF) -> bool:
        found = self._at(at)
        if found is None or found[1].kind != "side":
            return False
        name, part = found
        gate = self.shapes()[name]
        if not isinstance(gate, Polygon):
            return False
        width, height = self._box.viewPixelSize()
        corner = gate.with_corner(part.number, (at.x(), at.y())).rounded(width, height, gate)
        self._view.bridge.change(cut_changes.edit_cut, name, corner.text(*self._names))
        self._view.bridge.change(cut_changes.choose_cut, name)
        return True

    def remove(self) -> None:
        """Remove the corner under the cursor, else the gate under it, else the chosen one."""
        found = None if self._cursor is None else self._at(self._cursor)
        if found is not None and found[1].kind == "corner":
            name, part = found
            gate = self.shapes()[name]
            if isinstance(gate, Polygon) and len(gate.points) > 3:
                text = gate.without_corner(part.number).text(*self._names)
                self._view.bridge.change(cut_changes.edit_cut, name, text)
                return
        name = found[0] if found is not None else self.chosen
        if name:
            self._view.bridge.change(cut_changes.remove_cut, name)

    def show_chosen(self) -> None:
        """Bring the chosen gate into view, or the first."""
        shapes = self.shapes()
        name = self.chosen or next(iter(shapes), "")
        if not name:
            return
        gate, box = shapes[name], self._box
        if isinstance(gate, Band):
            ends = [gate.of.low, gate.of.high]
            if all(map(math.isfinite, ends)):
                (box.setXRange if gate.axis == 0 else box.setYRange)(*ends, padding=0.5)
                box.mark_zoomed(x=gate.axis == 0, y=gate.axis == 1)
            return
        corners = gate.outline(*box.viewRange())
        box.setXRange(*corners[:, 0][[corners[:, 0].argmin(), corners[:, 0].argmax()]], padding=0.5)
        box.setYRange(*corners[:, 1][[corners[:, 1].argmin(), corners[:, 1].argmax()]], padding=0.5)
        box.mark_zoomed(x=True, y=True)

    def hover(self, at: QPointF | None) -> None:
        """Follow the mouse: the line to the next corner, and a cursor that says what can be dragged."""
        self._cursor = at
        if self.mode == "polygon":
            self._draw_draft()
        viewport = self._plot.viewport()
        if self.mode:
            viewport.setCursor(Qt.CursorShape.CrossCursor)
            return
        found = None if at is None else self._at(at)
        if found is None or (found[1].kind == "body" and found[0] != self.chosen):
            viewport.unsetCursor()
        else:
            is_body = found[1].kind == "body"
            viewport.setCursor(Qt.CursorShape.SizeAllCursor if is_body else Qt.CursorShape.PointingHandCursor)

    @property
    def words(self) -> str:
        """What is to be done next; empty where nothing is being drawn."""
        if self.mode == "polygon":
            return corners_text(self.draft)
        along = {"rectangle": "over the plane", "x": "along x", "y": "along y"}.get(self.mode)
        return f"Drag {along} to make a gate; Esc gives up" if along else ""

    def _is_near(self, at: QPointF, corner: tuple[float, float]) -> bool:
        width, height = self._box.viewPixelSize()
        return math.hypot((at.x() - corner[0]) / width, (at.y() - corner[1]) / height) <= 2 * GRIP_PX

    # Counting

    def to_count(self) -> list[str]:
        """Give the names of the gates that are to be counted: the one under the hand, else all."""
        return list(self.shapes()) if self._held is None else [self._held.name]

    def take(self, names: Sequence[str], found: Sequence[WithAndWithout]) -> None:
        """Keep what was counted with and without each gate, along x and along y."""
        there = self.shapes()
        self.inside = {name: one for name, one in self.inside.items() if name in there}
        for name, (inside, everything) in zip(names, found, strict=True):
            pairs = [(one, other) for one, other in zip(inside, everything, strict=True) if one and other]
            if len(pairs) == 2:
                (x, all_x), (y, all_y) = pairs
                axes, sums = (x.want.x, y.want.x), (x.counts, y.counts)
                others = any(cut.enabled and cut.name != name for cut in self._view.session.cuts)
                self.inside[name] = Inside(
                    x.n_chosen, all_x.n_chosen, axes, sums, (all_x.counts, all_y.counts), others
                )
        self.draw()

    @property
    def shown_inside(self) -> Inside | None:
        """What the chosen gate lets pass."""
        return self.inside.get(self.chosen)

    # Drawing

    def draw(self) -> None:
        """Draw all gates that there are, and the one that is being drawn."""
        shapes = self.shapes()
        for name in [name for name in self._drawn if name not in shapes]:
            for item in self._drawn.pop(name).items:
                self._plot.removeItem(item)
        self._written = []
        for name, gate in sorted(shapes.items(), key=lambda one: one[0] != self.chosen):
            if name not in self._drawn:
                self._drawn[name] = _Drawn(self._add)
            self._draw_one(self._drawn[name], self._cut(name), gate)
        self._draw_draft()

    def _draw_one(self, drawn: _Drawn, cut: Cut, gate: Gate) -> None:
        color = QColor(cut.color) if cut.color else theme.current().color("marker")
        style = Qt.PenStyle.SolidLine if cut.enabled else Qt.PenStyle.DashLine
        x, y = (tuple(ends) for ends in self._box.viewRange())
        corners = gate.outline(x, y)
        closed = np.vstack((corners, corners[:1]))
        ground = QColor(color)
        is_chosen = cut.name == self.chosen
        ground.setAlpha(36 if is_chosen else 16)
        pen = theme.thin_pen(color, style)
        drawn.line.setData(*closed.T, pen=pen, brush=ground, fillLevel="enclosed")
        has_handles = is_chosen and isinstance(gate, Polygon)
        handles = corners if has_handles else np.empty((0, 2))
        drawn.handles.setData(*handles.T, brush=color, pen=theme.current().pen("panel"))
        inside = self.inside.get(cut.name)
        name = f"not {cut.name}" if cut.inverted else cut.name
        told = f"{name}\n{inside.words}" if inside is not None else name
        drawn.label.setText(told, _readable(color))
        if drawn.label.boundingRect().width() > self._box.width():
            drawn.label.setText(told.replace(OF_OTHERS, f"\n{OF_OTHERS.strip()}"), _readable(color))
        back = theme.current().color("panel")
        back.setAlpha(200)
        drawn.label.fill = pg.mkBrush(back)
        is_seen = bool((corners[:, 0].max() >= x[0]) & (corners[:, 0].min() <= x[1]))
        drawn.label.setVisible(is_seen)
        if is_seen:
            self._place_label(drawn.label, corners, x, y)

    def _handles_seen(self) -> np.ndarray:
        """Give the corners that can be taken, (n, 2): those of the chosen gate."""
        gate = self.shapes().get(self.chosen)
        x, y = (tuple(ends) for ends in self._box.viewRange())
        return gate.outline(x, y) if isinstance(gate, Polygon) else np.empty((0, 2))

    def _place_label(
        self, label: pg.TextItem, corners: np.ndarray, x: Sequence[float], y: Sequence[float]
    ) -> None:
        """Put the words beside the upper right corner, within the view.

        They go to the left or farther down where they would lie over a corner that can be taken, or over
        the words of another gate, if there is room.
        """
        right, top = top_of(corners, (x[0], x[1]), (y[0], y[1]))
        per_x, per_y = self._box.viewPixelSize()
        area, gap = label.boundingRect(), HANDLE_PX * per_y
        width, height = area.width() * per_x, area.height() * per_y
        feet = [top, top - height, *(top - gap - k * height for k in range(1, N_PLACES))]
        begun = [left for left in (right, right - width) if left + width <= x[1]] or [right - width]
        places = [
            QRectF(max(min(left, x[1] - width), x[0]), foot, width, height)
            for foot in feet
            if foot + height <= y[1]
            for left in begun
        ]
        place = next((one for one in places if self._is_free(one)), places[0])
        self._written.append(place)
        label.setAnchor((0, 1))
        label.setPos(place.left(), place.top())

    def _is_free(self, place: QRectF) -> bool:
        """Whether words may stand in a place."""
        per_x, per_y = self._box.viewPixelSize()
        grip = 0.5 * HANDLE_PX * np.array([per_x, per_y])
        low, high = (place.left(), place.top()) - grip, (place.right(), place.bottom()) + grip
        corners = self._handles_seen()
        is_over_corner = bool(((corners > low) & (corners < high)).all(axis=1).any())
        return not (is_over_corner or any(place.intersects(other) for other in self._written))

    def _draw_draft(self) -> None:
        drawn = self._draft_items
        cursor = [] if self._cursor is None else [(self._cursor.x(), self._cursor.y())]
        if self.mode != "polygon" or not (self.draft or cursor):
            self._hide(drawn)
            return
        line = corners = np.array([*self.draft, *cursor])
        drawn.line.setData(*line.T, pen=theme.current().pen("marker"))
        drawn.handles.setData(*corners.T, brush=theme.current().color("marker"), pen=None)
        for item in (drawn.line, drawn.handles):
            item.show()

    def _hide(self, drawn: _Drawn) -> None:
        for item in drawn.items:
            item.hide()


def _readable(color: QColor) -> QColor:
    """Mix a colour with that of text: words in a bright colour cannot be read on every ground."""
    text = theme.current().color("text")
    pairs = ((color.red(), text.red()), (color.green(), text.green()), (color.blue(), text.blue()))
    red, green, blue = (round((1 - TEXT_SHARE) * one + TEXT_SHARE * other) for one, other in pairs)
    return QColor(red, green, blue)
