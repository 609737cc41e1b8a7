"""Draws single events of the plane where they are few, and the one that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PyQt5.QtCore import QPointF

from pygama_gui.data.channels import CODE
from pygama_gui.data.linked import Cuts
from pygama_gui.data.live_set import RUN, LiveSet
from pygama_gui.data.plane import Points, points_in
from pygama_gui.data.selection import passing_of
from pygama_gui.views.plane.event import Chosen, EventPeek

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import Plane, PlaneView

MOST_POINTS = 5000
"""Fewer events in view than this are drawn one by one."""
EVENT = "event_number"


class SingleEvents:
    """The points of one plane, and the chosen event with its waveform in the corner."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        self.points: Points | None = None
        self._asked: object = None
        self.shown = EventPeek(view.bridge, view.plot, self._corner)
        self.shown.peek.opened.connect(view.waveform_asked)

    def ask(self, plane: Plane) -> None:
        """Find the single events in view, where they are few."""
        view = self._view
        is_wanted = view.choice.style != "counts" and plane.n_inside < MOST_POINTS
        if not is_wanted or plane.live.is_on_disk:
            self._asked = None
            self._take(None, None)
            return
        cuts, channel = passing_of(view.session), view.channel
        asked = (plane, cuts)
        self._asked = asked
        names = {plane.x.column, plane.y.column, CODE}.union(() if cuts is None else cuts.columns)
        rows = view.bridge.rows_of(view.session.selected, names)
        view.bridge.compute(
            lambda: _points(rows, plane, channel, cuts),
            lambda points: self._take(asked, points),
            lambda: None,
        )

    def _take(self, asked: object, points: Points | None) -> None:
        if asked is self._asked and (points is not None or self.points is not None):
            self.points = points
            self.draw()
            self._view.draw_counts()

    def draw(self) -> None:
        """Draw the points in the colours of the present theme."""
        self._view.canvas.draw_points(self.points)
        self.mark()

    def choose_at(self, at: QPointF) -> bool:
        """Choose the event whose point was clicked; False where no point is there."""
        view = self._view
        place = view.canvas.point_at(at)
        if place is None or self.points is None:
            return False
        live = view.bridge.live(view.session.selected)
        if live is None or EVENT not in live.columns:
            return True
        row = int(self.points.rows[place])
        number = int(live.columns.column(EVENT)[row])
        channel = int(live.columns.column(CODE)[row]) if CODE in live.columns else None
        run = int(live.columns.column(RUN)[row]) if isinstance(live, LiveSet) else None
        self.choose(Chosen(view.session.selected, number, channel, run))
        view.event_chosen.emit(number)
        return True

    def choose(self, chosen: Chosen | None) -> None:
        """Show the waveform of an event and a ring around its point; of none with None."""
        self.shown.choose(chosen)
        self.mark()

    def mark(self) -> None:
        """Draw a ring around the chosen event, where it is among the points."""
        view, chosen = self._view, self.shown.chosen
        live = view.bridge.live(view.session.selected)
        if chosen is None or self.points is None or live is None:
            view.canvas.mark_point(None)
            return
        is_it = live.columns.column(EVENT)[self.points.rows] == chosen.number
        if chosen.channel is not None:
            is_it &= live.columns.column(CODE)[self.points.rows] == chosen.channel
        if chosen.run is not None and RUN in live.columns:
            is_it &= live.columns.column(RUN)[self.points.rows] == chosen.run
        found = np.flatnonzero(is_it)
        at = found[0] if len(found) else None
        view.canvas.mark_point(None if at is None else (self.points.x[at], self.points.y[at]))
        view.show_info()

    def forget(self) -> None:
        """Show no events any more: those of another run are wanted."""
        self.points = None
        self.shown.choose(None)

    def _corner(self) -> tuple[int, int]:
        """Give the upper right corner of the picture, in pixels of the plot."""
        view = self._view
        corner = view.plot.mapFromScene(view.box.sceneBoundingRect().topRight())
        return corner.x(), corner.y()


def _points(rows: Any, plane: Plane, channel: int | None, cuts: Cuts | None) -> Points | None:
    found = points_in(rows, plane.x, plane.y, channel, cuts)
    return found if len(found.rows) <= 2 * MOST_POINTS else None
