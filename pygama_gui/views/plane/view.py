"""Shows two columns against each other: counts as colours, what they sum up to, single events, gates."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import QEvent, QObject, QPointF, QSignalBlocker, QSize, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QCheckBox, QLayout, QMenu, QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.linked import ALL, Axis, Counts, Cuts, Want
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.live_set import RUN, LiveSet
from pygama_gui.data.plane import (
    LOOKED_AT,
    Limits,
    Points,
    Profile,
    Scale,
    axis_of,
    keeps,
    limits_of,
    mean_profile,
    median_profile,
    points_in,
    scale_of,
    share_in_slice,
    some_of,
    suitable_bins,
)
from pygama_gui.data.selection import passing_of
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes
from pygama_gui.session.state import PROFILES, PlaneChoice, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.plane.actions import PlaneActions
from pygama_gui.views.plane.event import Chosen, EventPeek
from pygama_gui.views.plane.export import PlaneExporter
from pygama_gui.views.plane.gates import PlaneGates
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Controls, Elided, choice_box, icon_button, label
from pygama_gui.widgets.plane_plot import PlanePlot
from pygama_gui.widgets.plot import ZoomBox

LEAST_S = 0.3
"""A run under way is drawn anew this often, at most."""
MOST_POINTS = 5000
"""Fewer events in view than this are drawn one by one."""
PAN, FAR, FAR_BINS = 0.1, 0.5, 10
"""Shares of the picture that an arrow key moves it by, and bins that it moves a gate by with Shift."""
GREW = 1.1
"""Limits are looked at again when there are so many times as many rows."""
HIDDEN_COLUMNS = ("period_ns", "crate", "card", CODE, CLOCK)
ENERGIES = ("trap_max_kev", "trap_max", "energy_kev", "energy")
SHAPES = ("a_over_e", "a_max", "rise_time", "drift_time", "bl_int")
TIME = "time_s"
ENDS = {"failed": "failed", "stopped": "was stopped"}
LEAST, NARROW = 300, 560
"""A narrower view has its rarer controls in the menu alone."""


@dataclass(frozen=True, eq=False)
class Plane:
    """What was counted: of a run, in the bins of two axes. behind: of all rows, where cuts take some away."""

    live: LiveRun
    x: Axis
    y: Axis
    counts: np.ndarray
    n_chosen: int
    n_rows: int
    channel: int | None = None
    behind: np.ndarray | None = None

    @property
    def n_inside(self) -> int:
        """Counts in the bins."""
        return int(self.counts.sum())


@dataclass
class _Held:
    """Limits that were chosen, and the rows that there were then."""

    limits: Limits
    n_rows: int


class PlaneView(View):
    """Two columns against each other."""

    OWNER = "plane"
    TITLE = "Plane"
    HELP = (
        "Two columns against each other, counted as colours. Drag to the right to zoom in, to the left to "
        "zoom out; a flat band zooms one axis. The wheel zooms x, with Shift y; Ctrl-drag moves. Alt- or "
        "Shift-drag makes a gate; corners, sides and the body of the chosen gate can be dragged, Alt- or "
        "Shift-click puts a corner on a side."
    )
    SHORTCUTS = (
        ("a", "Show all"),
        ("r", "Reset axes"),
        ("x", "Autoscale x"),
        ("y", "Autoscale y"),
        ("z", "Autoscale the colours"),
        ("l", "Logarithmic or linear colours"),
        ("[", "Twice as many bins"),
        ("]", "Half as many bins"),
        ("0", "Bins that suit the counts"),
        ("+", "Zoom in"),
        ("-", "Zoom out"),
        (".", "Next channel"),
        (",", "Previous channel"),
        ("t", "Against time, or against energy"),
        ("s", "Swap the axes"),
        ("k", "A/E against energy"),
        ("e", "Show or hide the projections"),
        ("o", "Profile: none, mean, median"),
        ("Shift+U", "Normalise each slice of x"),
        ("v", "Points, or counts"),
        ("b", "Show or hide what the cuts take away"),
        ("g", "Draw a polygon"),
        ("Return", "Close the polygon"),
        ("Backspace", "Take the last corner back"),
        ("Esc", "Give up the gate, or the event"),
        ("Shift+R", "Make a rectangle"),
        ("Shift+X", "Make a range of x"),
        ("Shift+Y", "Make a range of y"),
        ("f", "Bring the gate into view"),
        ("Del", "Remove the corner or the gate"),
        ("Left", "Move the gate by a bin, or the picture"),
        ("Right", "Move the gate by a bin, or the picture"),
        ("Up", "Move the gate by a bin, or the picture"),
        ("Down", "Move the gate by a bin, or the picture"),
        ("Ctrl+Alt+S", "Save as PNG, SVG or CSV"),
        ("Ctrl+C", "Copy as CSV"),
        ("Ctrl+Alt+C", "Copy the picture"),
    )

    event_chosen = pyqtSignal(int)
    """The number of an event whose waveform is wanted."""
    waveform_asked = pyqtSignal()
    """More of the waveform of the chosen event is wanted."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.canvas = PlanePlot()
        self.plot, self.box = self.canvas.plot, self.canvas.box
        self.plot.fill_menu = self._fill_menu
        self.plane: Plane | None = None
        self.points: Points | None = None
        self.profile: Profile | None = None
        self.top: float | None = None
        """What has the strongest colour, where a person chose it."""
        self._held: dict[tuple[object, ...], _Held] = {}
        self._columns: tuple[str, ...] = ()
        self._channels: list[int] = []
        self._channel_names: list[str] = []
        self._drawn_at = -LEAST_S
        self._drawn: tuple[object, ...] = ()
        """What was drawn last, and how."""
        self._cursor: QPointF | None = None
        self._points_asked: object = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.redraw_soon)
        self.exporter = PlaneExporter(self)
        self.shown_event = EventPeek(bridge, self.plot, self._corner)
        self.shown_event.peek.opened.connect(self.waveform_asked)
        self.gates = PlaneGates(self)
        self._make_controls()
        self._lay_out()
        self.commands = PlaneActions(self)
        self.box.zoom_changed.connect(self.redraw_soon)
        self.box.sigResized.connect(self._resized)
        self.box.double_clicked.connect(self._double_clicked)
        self.box.clicked.connect(self._clicked)
        self.canvas.bar.scaled.connect(self._scale_top)
        self.canvas.bar.reset_asked.connect(self.autoscale_z)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.plot.viewport().installEventFilter(self)

    @classmethod
    def demo(cls) -> PlaneView:
        """Show a made-up run: A/E against energy."""
        view = cls(Bridge())
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001)
        view.bridge.change(changes.add_runs, [run])
        view.bridge.adopt(1, run)
        for seed in range(10):
            view.bridge.take(1, madeup.shaped_partial(4000, seed=seed + 1))
        view.count_now()
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the plane."""
        return self.commands.all

    def boxes(self) -> dict[str, ZoomBox]:
        """Give what a person can zoom."""
        return {"plane": self.box}

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        boxes = [self.y_box, self.x_box, self.channel_box, self.log_box]
        return [self.plot, *boxes, self.more_button, self.fewer_button, self.all_button]

    def _make_controls(self) -> None:
        self.y_box = choice_box("Column on the y axis", "a_over_e")
        self.x_box = choice_box("Column on the x axis", "trap_max")
        self.x_box.activated.connect(lambda at: self.choose_x(self.x_box.itemText(at)))
        self.y_box.activated.connect(lambda at: self.choose_y(self.y_box.itemText(at)))
        self.channel_box = choice_box("Channel of the plane", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        self.channel_box.hide()
        self.log_box = QCheckBox("log")
        self.log_box.setAccessibleName("Logarithmic colours")
        self.log_box.setToolTip("Logarithmic colours (L)")
        self.log_box.toggled.connect(lambda is_log: self.choose(is_log=is_log))
        self.more_button = icon_button("bins_more", "More bins in the plane ([)", lambda: self.rebin(0.5))
        self.fewer_button = icon_button("bins_fewer", "Fewer bins in the plane (])", lambda: self.rebin(2.0))
        self.all_button = icon_button("all", "Show all of the plane (A)", self.show_all)
        self.info = Elided()

    def _lay_out(self) -> None:
        against = label("against", tone="soft", px=theme.SMALL)
        boxes = (self.y_box, against, self.x_box, self.channel_box, self.log_box)
        buttons = (self.more_button, self.fewer_button, self.all_button)
        controls = Controls((*boxes, *buttons), self.info, margins=(8, 2, 8, 6))
        column = QVBoxLayout(self)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.canvas, 1)
        column.addWidget(controls)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Yield: what has no room then is in the menu."""
        return QSize(LEAST, LEAST // 2)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave out what the menu has as well where there is no room."""
        super().resizeEvent(event)
        is_wide = self.width() >= NARROW
        for widget in (self.more_button, self.fewer_button, self.log_box):
            widget.setVisible(is_wide)
        self._show_edges()
        self.shown_event.place()

    def _show_edges(self) -> None:
        is_large = self.width() >= NARROW * 0.7 and self.height() >= NARROW * 0.5
        self.canvas.show_edges(is_wanted=self.choice.has_edges and is_large)

    # What the session and the jobs bring

    @property
    def choice(self) -> PlaneChoice:
        """What the session says is to be shown."""
        return self.session.plane

    @property
    def channel(self) -> int | None:
        """The chosen channel, where the run has it."""
        live, chosen = self.bridge.live(self.session.selected), self.choice.channel
        return chosen if live is not None and chosen in live.channels else None

    @property
    def x_name(self) -> str:
        """The column on the x axis."""
        return self.choice.x or self._first(ENERGIES)

    @property
    def y_name(self) -> str:
        """The column on the y axis."""
        return self.choice.y or self._first(SHAPES, but=self.x_name)

    def _first(self, names: Sequence[str], but: str = "") -> str:
        """Give the first of the names that the run has a column of; else any column."""
        known = _numbers_of(self.bridge.live(self.session.selected))
        return next((name for name in (*names, *known) if name in known and name != but), names[0])

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change of run, cuts or choice brings."""
        before, after = old.plane, new.plane
        if old.selected != new.selected:
            self._forget()
        if (old.selected, before.x, before.y) != (new.selected, after.x, after.y):
            self.gates.give_up()
        if before.x != after.x:
            self.box.zoomed_x = False
        if before.y != after.y:
            self.box.zoomed_y = False
        if (before.x, before.y, before.channel) != (after.x, after.y, after.channel):
            self.top = None
            self.shown_event.choose(None)
        if before.is_normalised != after.is_normalised:
            self.top = None
        if (
            old.selected != new.selected
            or before != after
            or old.runs is not new.runs
            or (old.cuts, old.cut) != (new.cuts, new.cut)
        ):
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see."""
        if self.plane is None and self.session.selected in run_ids:
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Count new rows, a few times a second."""
        if self.session.selected not in run_ids:
            return
        wait_s = self._drawn_at + LEAST_S - time.monotonic()
        if wait_s <= 0 or not self.isVisible():
            self.redraw_soon()
        elif not self._later.isActive():
            self._later.start(max(round(1000 * wait_s), 1))

    def _resized(self) -> None:
        self.shown_event.place()
        self.redraw_soon()

    def _forget(self) -> None:
        self.plane, self.points, self.top = None, None, None
        self.shown_event.choose(None)
        self.box.zoomed_x = self.box.zoomed_y = False
        self.gates.inside.clear()

    # What a person does

    def choose(self, **values: Any) -> None:
        """Change what is shown."""
        self.bridge.change(changes.show_plane, replace(self.choice, **values))

    def choose_x(self, name: str) -> None:
        """Put a column on the x axis."""
        self.choose(x=name, x_width=None)

    def choose_y(self, name: str) -> None:
        """Put a column on the y axis."""
        self.choose(y=name, y_width=None)

    def swap(self) -> None:
        """Put each column on the other axis."""
        choice = self.choice
        self.choose(x=self.y_name, y=self.x_name, x_width=choice.y_width, y_width=choice.x_width)

    def show_shape(self) -> None:
        """Show A/E against energy, or what comes near to it of what the chain writes."""
        energy = self._first(ENERGIES)
        self.choose(x=energy, y=self._first(SHAPES, but=energy), x_width=None, y_width=None)

    def toggle_time(self) -> None:
        """Show y against time; against energy where it is against time."""
        is_time = self.x_name == TIME
        self.choose_x(self._first(ENERGIES, but=self.y_name) if is_time else TIME)

    def show_all(self) -> None:
        """Show the whole plane."""
        self.box.forget_zoom()

    def autoscale_x(self) -> None:
        """Show all of x."""
        self.box.zoomed_x = False
        self.redraw_soon()

    def autoscale_y(self) -> None:
        """Show all of y."""
        self.box.zoomed_y = False
        self.redraw_soon()

    def autoscale_z(self) -> None:
        """Let the strongest colour be that of the most counts."""
        self.top = None
        self.redraw_soon()

    def _scale_top(self, by: float) -> None:
        if self.plane is not None:
            self.top = max(self._scale_of(self.plane).top * by, 1e-6)
            self.redraw_soon()

    def toggle(self, name: str) -> None:
        """Switch one of the choices."""
        self.choose(**{name: not getattr(self.choice, name)})

    def next_profile(self) -> None:
        """Draw the next kind of profile, or none after the last."""
        at = PROFILES.index(self.choice.profile) if self.choice.profile in PROFILES else 0
        self.choose(profile=PROFILES[(at + 1) % len(PROFILES)])

    def toggle_style(self) -> None:
        """Draw counts where there are points, and points where there are counts."""
        self.choose(style="counts" if self.points is not None else "points")

    def rebin(self, by: float, *, x: bool = True, y: bool = True) -> None:
        """Make the bins wider or narrower, of both axes or of one."""
        if self.plane is None:
            return
        widths = {}
        for name, axis, is_wanted in (("x_width", self.plane.x, x), ("y_width", self.plane.y, y)):
            if is_wanted and 2 <= axis.n_bins / by <= 1000:
                widths[name] = by * (axis.high - axis.low) / axis.n_bins
        self.choose(**widths)

    def give_up(self) -> None:
        """Give up the gate that is being drawn or dragged; where there is none, the chosen event."""
        if self.gates.is_busy:
            self.gates.give_up()
        else:
            self.shown_event.choose(None)
            self._mark_event()

    def nudge(self, x: int, y: int, *, is_far: bool = False) -> None:
        """Move the chosen gate by a bin or ten; the picture where there is none."""
        bins = FAR_BINS if is_far else 1
        if not self.gates.nudge(bins * x, bins * y):
            share = FAR if is_far else PAN
            self.box.pan_by(share * x, share * y)

    def _choose_channel(self, index: int) -> None:
        self.choose(channel=self._channels[index - 1] if index else None)

    def next_channel(self, by: int) -> None:
        """Go to another channel; all of them come before the first."""
        if self._channels:
            places = [None, *self._channels]
            self.choose(channel=places[(places.index(self.channel) + by) % len(places)])

    def _double_clicked(self, _at: QPointF) -> None:
        if not self.gates.double_click():
            self.show_all()

    def _clicked(self, at: QPointF, keys: object) -> None:
        if self.gates.click(at, keys):
            return
        place = self.canvas.point_at(at)
        if place is None or self.points is None:
            self.gates.choose_at(at)
            return
        live = self.bridge.live(self.session.selected)
        if live is None or "event_number" not in live.columns:
            return
        row_number = int(self.points.rows[place])
        number = int(live.columns.column("event_number")[row_number])
        channel = int(live.columns.column(CODE)[row_number]) if CODE in live.columns else None
        run = int(live.columns.column(RUN)[row_number]) if isinstance(live, LiveSet) else None
        self.shown_event.choose(Chosen(self.session.selected, number, channel, run))
        self._mark_event()
        self.event_chosen.emit(number)

    def _corner(self) -> tuple[int, int]:
        """Give the upper right corner of the picture, in pixels of the plot."""
        area = self.box.sceneBoundingRect()
        corner = self.plot.mapFromScene(area.topRight())
        return corner.x(), corner.y()

    def _mark_event(self) -> None:
        """Draw a ring around the chosen event, where it is among the points."""
        live, chosen = self.bridge.live(self.session.selected), self.shown_event.chosen
        if chosen is None or self.points is None or live is None:
            self.canvas.mark_point(None)
            return
        is_it = live.columns.column("event_number")[self.points.rows] == chosen.number
        if chosen.channel is not None:
            is_it &= live.columns.column(CODE)[self.points.rows] == chosen.channel
        if chosen.run is not None and RUN in live.columns:
            is_it &= live.columns.column(RUN)[self.points.rows] == chosen.run
        found = np.flatnonzero(is_it)
        at = found[0] if len(found) else None
        self.canvas.mark_point(None if at is None else (self.points.x[at], self.points.y[at]))
        self.show_info()

    # Counting

    def redraw(self) -> None:
        """Have counted what is in view, and draw what was counted."""
        live = self.bridge.live(self.session.selected)
        self._show_columns(live)
        self._show_edges()
        why = self._why_empty(live)
        self.plot.show_hint(why)
        if why or live is None:
            self._forget_picture()
            return
        x, y = (self._axis(live, name) for name in (self.x_name, self.y_name))
        self._fit(x, y)
        wants = [Want(x, y, self.channel)]
        if self.choice.has_all and passing_of(self.session) is not None:
            wants.append(Want(x, y, self.channel, ALL))
        self.bridge.counting.count(
            self.OWNER, self.session.selected, wants, lambda counts: self._take(live, counts)
        )
        if self.plane is not None and self.plane.live is live and self._is_of_columns(self.plane):
            self._draw(self.plane)
        self._count_gates(x, y)

    def _count_gates(self, x: Axis, y: Axis) -> None:
        """Have counted what each gate lets pass."""
        names = self.gates.to_count()
        if not names:
            self.gates.take([], [])
            return
        wants = [Want(axis, None, self.channel) for axis in (x, y)]
        run_id = self.session.selected
        self.bridge.counting.count_each(
            f"{self.OWNER} gates", run_id, names, wants, lambda found: self._take_gates(run_id, names, found)
        )

    def _take_gates(self, run_id: str, names: list[str], found: Any) -> None:
        if run_id == self.session.selected and set(names) <= self.gates.shapes().keys():
            self.gates.take(names, found)
            if self.plane is not None:
                self._draw_edges(self.plane)

    def _is_of_columns(self, plane: Plane) -> bool:
        return (plane.x.column, plane.y.column) == (self.x_name, self.y_name)

    def _forget_picture(self) -> None:
        self.plane, self.points, self.profile, self._drawn = None, None, None, ()
        self.canvas.clear()
        self.info.setText("")

    def _axis(self, live: LiveRun, name: str) -> Axis:
        """Choose the bins of a column: of all that is worth seeing, or of what somebody zoomed to."""
        is_x = name == self.x_name
        limits = self._limits(live, name)
        if self.box.zoomed_x if is_x else self.box.zoomed_y:
            low, high = self.box.viewRange()[0 if is_x else 1]
            limits = Limits(low, high, limits.is_whole)
        n_values = live.n_rows if self.plane is None or live.is_on_disk else self.plane.n_chosen
        width = self.choice.x_width if is_x else self.choice.y_width
        return axis_of(name, limits, suitable_bins(n_values), width)

    def _limits(self, live: LiveRun, name: str) -> Limits:
        """Choose the limits of a column; those that were chosen before stay as long as they suit."""
        of = (id(live.samples), id(live.calibrations), live.told.tagging)
        key = (*of, name, self.channel)
        held, n_rows = self._held.get(key), len(live.columns)
        if held is not None and n_rows < GREW * held.n_rows:
            return held.limits
        n_channels = max(len(live.channels), 1)
        values = live.columns.column(name)
        if self.channel is not None:
            some = some_of(live.columns.column(CODE), n_channels * LOOKED_AT)
            values = some_of(values, n_channels * LOOKED_AT)[some == self.channel]
        found = limits_of(values)
        limits = held.limits if held is not None and keeps(held.limits, found) else found
        self._held = {one: kept for one, kept in self._held.items() if one[: len(of)] == of}
        self._held[key] = _Held(limits, n_rows)
        return limits

    def _take(self, live: LiveRun, answer: Sequence[Counts | None]) -> None:
        """Draw what was counted, unless something else is wanted by now."""
        first = answer[0]
        if first is None or first.want.y is None or live is not self.bridge.live(self.session.selected):
            return
        behind = answer[1].counts if len(answer) > 1 and answer[1] is not None else None
        want = first.want
        plane = Plane(
            live, want.x, first.want.y, first.counts, first.n_chosen, first.n_rows, want.channel, behind
        )
        if plane.channel != self.channel or not self._is_of_columns(plane):
            return
        is_first = self.plane is None
        self.plane = plane
        self._drawn_at = time.monotonic()
        self._draw(plane)
        self._ask_points(plane)
        if is_first:
            self.redraw_soon()  # the number of bins suits the number of events from now on

    def count_now(self) -> None:
        """Count and draw at once, in this thread: for pictures and rehearsals."""
        live = self.bridge.live(self.session.selected)
        if live is None:
            return
        from pygama_gui.data.linked import Counter

        axes = self._axis(live, self.x_name), self._axis(live, self.y_name)
        self._fit(*axes)
        rows = self.bridge.rows_of(self.session.selected, (self.x_name, self.y_name, CODE))
        self._take(live, Counter().count(live, rows, None, [Want(*axes, self.channel)]))

    def _ask_points(self, plane: Plane) -> None:
        """Find the single events in view, where they are few."""
        is_wanted = self.choice.style != "counts" and plane.n_inside < MOST_POINTS
        is_wanted = is_wanted and not plane.live.is_on_disk
        if not is_wanted:
            self._points_asked = None
            self._take_points(None, None)
            return
        cuts = passing_of(self.session)
        asked = (plane, cuts)
        self._points_asked = asked
        names = {plane.x.column, plane.y.column, CODE}.union(() if cuts is None else cuts.columns)
        rows, channel = self.bridge.rows_of(self.session.selected, names), self.channel
        self.bridge.compute(
            lambda: _points(rows, plane, channel, cuts),
            lambda points: self._take_points(asked, points),
            lambda: None,
        )

    def _take_points(self, asked: object, points: Points | None) -> None:
        if asked is self._points_asked and (points is not None or self.points is not None):
            self.points = points
            self.canvas.draw_points(points)
            self._mark_event()
            if self.plane is not None:
                self._draw_image(self.plane)

    # Drawing

    def _draw(self, plane: Plane) -> None:
        """Draw what was counted, unless it stands there as it is."""
        look = (plane, self.choice, self.top, self.points, self.gates.shown_inside)
        if look == self._drawn:
            return
        self._drawn = look
        self._draw_image(plane)
        self.profile = self._profile_of(plane)
        self.canvas.draw_profile(self.profile)
        self._draw_edges(plane)
        self.plot.label_axes(_with_unit(plane.x.column), _with_unit(plane.y.column))
        self.show_info()
        self.drawn.emit()

    def _draw_edges(self, plane: Plane) -> None:
        """Draw the sums of what is in view, and what the chosen gate lets pass."""
        if not self.choice.has_edges:
            return
        inside = self.gates.shown_inside
        if inside is not None and (inside.axes != (plane.x, plane.y)):
            inside = None
        for at, edge in enumerate((self.canvas.top, self.canvas.right)):
            axis = (plane.x, plane.y)[at]
            if inside is None:
                edge.draw(axis, plane.counts.sum(axis=1 - at), None)
            else:
                edge.draw(axis, inside.all_sums[at], inside.sums[at])

    def _fit(self, x: Axis, y: Axis) -> None:
        """Show all that is wanted, at once; its counts come a moment later."""
        if not self.box.zoomed_x:
            self.box.setXRange(x.low, x.high, padding=0)
        if not self.box.zoomed_y:
            self.box.setYRange(y.low, y.high, padding=0)

    def _heights(self, plane: Plane) -> np.ndarray:
        return share_in_slice(plane.counts) if self.choice.is_normalised else plane.counts

    def _scale_of(self, plane: Plane) -> Scale:
        is_log, is_share = self.choice.is_log, self.choice.is_normalised
        suited = scale_of(plane.counts, is_log=is_log, is_share=is_share)
        return suited if self.top is None else replace(suited, top=self.top)

    def _draw_image(self, plane: Plane) -> None:
        scale, is_image = self._scale_of(plane), self.points is None
        shades = scale.shades(self._heights(plane)) if is_image else None
        behind = None
        if plane.behind is not None:
            lost = plane.behind - plane.counts
            behind = scale_of(lost, is_log=True, is_share=False).shades(lost)
        self.canvas.draw_image(shades, behind, plane.x, plane.y)
        self.canvas.bar.show_scale(scale if is_image else None)

    def _profile_of(self, plane: Plane) -> Profile | None:
        if self.choice.profile == "mean":
            return mean_profile(plane.counts, plane.x, plane.y)
        if self.choice.profile == "median":
            return median_profile(plane.counts, plane.x, plane.y)
        return None

    def rehearse(self) -> None:
        """Draw a made-up plane once, unseen."""
        x, y = Axis("trap_max", 0.0, 1.0, 50), Axis("a_over_e", 0.0, 1.0, 50)
        counts = np.arange(2500).reshape(50, 50) % 7
        self._draw(Plane(LiveRun(), x, y, counts, 2500, 2500))
        self.canvas.grab()
        self._forget_picture()

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.canvas.recolor()
        for button in (self.more_button, self.fewer_button, self.all_button):
            button.setIcon(theme.icon(str(button.property("icon_name")), "text"))
        self.canvas.draw_points(self.points)
        self._mark_event()
        self._drawn = ()
        if self.plane is not None:
            self._draw(self.plane)
        self.gates.draw()
        self.shown_event.peek.update()

    # Words and controls

    def _why_empty(self, live: LiveRun | None) -> str:
        state = self.bridge.state(self.session.selected)
        if self.session.selected_run is None:
            return "Two columns of the selected run appear here, against each other."
        if why := self.bridge.data_sets.why_empty(self.session.selected):
            return why
        if state is None:
            return "No events yet. Process the run to see them."
        if live is not None and len(live.columns):
            return self._what_lacks(live)
        if not state.has_ended:
            return words.waiting_for("events", follows=state.follows)
        if state.state != "done":
            return f"No events: the run {ENDS[state.state]}."
        return "Reading the events…" if state.made_on is not None and state.rows else "No events in this run."

    def _what_lacks(self, live: LiveRun) -> str:
        lacking = [name for name in (self.x_name, self.y_name) if name not in _numbers_of(live)]
        if not lacking:
            return ""
        return f"The chain writes no {' and no '.join(dict.fromkeys(lacking))}. Choose other columns below."

    def _moved(self, at: QPointF) -> None:
        is_inside = self.box.sceneBoundingRect().contains(at)
        self._cursor = self.box.mapSceneToView(at) if is_inside else None
        self.gates.hover(self._cursor)
        self.show_info()

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Notice that the mouse has left the plot."""
        if event is not None and event.type() == QEvent.Type.Leave:
            self._cursor = None
            self.gates.hover(None)
            self.show_info()
        return False

    def show_info(self) -> None:
        """Say what is to be done next, what is under the cursor, or what is in view."""
        if self.plane is None:
            return
        if self.gates.words:
            self.info.setText(self.gates.words)
            return
        under = "" if self._cursor is None else self._under_cursor(self.plane, self._cursor)
        self.info.setText(under or self._in_view(self.plane))

    def _under_cursor(self, plane: Plane, at: QPointF) -> str:
        """Say what the bin under the cursor holds."""
        places = [
            int(np.searchsorted(axis.edges, value, side="right")) - 1
            for axis, value in ((plane.x, at.x()), (plane.y, at.y()))
        ]
        if not all(0 <= place < axis.n_bins for place, axis in zip(places, (plane.x, plane.y), strict=True)):
            return ""
        x, y = (_bin_words(axis, place) for axis, place in zip((plane.x, plane.y), places, strict=True))
        n = int(plane.counts[places[0], places[1]])
        parts = [counted(n, "event"), x, y]
        if self.choice.is_normalised:
            total = int(plane.counts[places[0]].sum())
            parts.insert(1, f"{100 * n / max(total, 1):.3g} % of the slice")
        return " · ".join(parts)

    def _in_view(self, plane: Plane) -> str:
        progress = self.bridge.data_sets.progress(self.session.selected)
        parts = [progress.words] if plane.live.is_on_disk and progress is not None else []
        parts += [f"{counted(plane.n_inside, 'event')} in view"]
        outside = plane.n_chosen - plane.n_inside
        parts += [f"{words.count(outside)} outside"] if outside else []
        cut = plane.n_rows - plane.n_chosen
        if plane.behind is not None and cut and self.channel is None:
            parts.append(f"{words.count(cut)} cut away")
        if self.choice.style == "points" and self.points is None and plane.n_inside >= MOST_POINTS:
            parts.append(f"points below {words.count(MOST_POINTS)}: zoom in")
        return " · ".join(parts)

    def _show_columns(self, live: LiveRun | None) -> None:
        names = _numbers_of(live)
        if names and names != self._columns:
            self._columns = names
            for box in (self.x_box, self.y_box):
                box.clear()
                box.addItems(names)
        self.x_box.setCurrentIndex(self.x_box.findText(self.x_name))
        self.y_box.setCurrentIndex(self.y_box.findText(self.y_name))
        self._show_channels([] if live is None else self.bridge.shown(live.channels))
        with QSignalBlocker(self.log_box):
            self.log_box.setChecked(self.choice.is_log)

    def _show_channels(self, channels: list[int]) -> None:
        names = self.bridge.names(channels)
        if channels and (channels, names) != (self._channels, self._channel_names):
            self._channels, self._channel_names = channels, names
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", *names])
            self.channel_box.setVisible(len(channels) > 1)
        chosen = self.channel
        at = 1 + self._channels.index(chosen) if chosen in self._channels and chosen is not None else 0
        self.channel_box.setCurrentIndex(at)

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self.commands.all)


def _points(rows: Any, plane: Plane, channel: int | None, cuts: Cuts | None) -> Points | None:
    found = points_in(rows, plane.x, plane.y, channel, cuts)
    return found if len(found.rows) <= 2 * MOST_POINTS else None


def _numbers_of(live: LiveRun | None) -> tuple[str, ...]:
    """Give the names of the columns that hold numbers and are worth seeing."""
    if live is None:
        return ()
    names = (name for name in live.columns.names if name not in HIDDEN_COLUMNS)
    return tuple(name for name in names if live.columns.column(name).dtype.kind in "iuf")


def _with_unit(column: str) -> str:
    unit = chain_facts.unit_of(column)
    return f"{column} ({'ADC counts' if unit == 'ADC' else unit})" if unit else column


def _bin_words(axis: Axis, place: int) -> str:
    """Write the bin of a column: its ends, or the whole number that it holds."""
    low, high = axis.edges[place], axis.edges[place + 1]
    digits = max(0, 1 - int(np.floor(np.log10(high - low))))
    return f"{axis.column} {low:.{digits}f} to {high:.{digits}f}".replace("-", "−")
