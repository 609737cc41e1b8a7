"""Shows two columns against each other: counts as colours, what they sum up to, single events, gates."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import QEvent, QObject, QPointF, QSize, QTimer, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QLayout, QMenu, QVBoxLayout, QWidget

from pygama.quick_dataclass import dataclass
from pygama_gui.bridge import Bridge
from pygama_gui.data.channels import CODE
from pygama_gui.data.linked import ALL, Axis, Counts, Want
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.plane import (
    Points,
    Profile,
    Scale,
    mean_profile,
    median_profile,
    scale_of,
    share_in_slice,
)
from pygama_gui.data.selection import passing_of
from pygama_gui.session import changes
from pygama_gui.session.state import PROFILES, PlaneChoice, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.plane.actions import PlaneActions
from pygama_gui.views.plane.bar import PlaneBar
from pygama_gui.views.plane.columns import ENERGIES, SHAPES, Axes, with_unit
from pygama_gui.views.plane.event import EventPeek
from pygama_gui.views.plane.export import PlaneExporter
from pygama_gui.views.plane.gates import PlaneGates
from pygama_gui.views.plane.points import SingleEvents
from pygama_gui.views.plane.telling import in_view, under_cursor, why_empty
from pygama_gui.widgets import theme
from pygama_gui.widgets.plane_plot import PlanePlot
from pygama_gui.widgets.plot import ZoomBox

LEAST_S = 0.3
"""A run under way is drawn anew this often, at most."""
PAN, FAR, FAR_BINS = 0.1, 0.5, 10
"""Shares of the picture that an arrow key moves it by, and bins that it moves a gate by with Shift."""
TIME = "time_s"
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
    n_sampled: int = 0
    """Rows of a sample by which the counts are estimated; 0 where all were counted."""

    @property
    def n_inside(self) -> int:
        """Counts in the bins."""
        return int(self.counts.sum())


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
        ("Space", "Set a corner of the polygon at the cursor"),
        ("Return", "Close the polygon"),
        ("Backspace", "Take the last corner back"),
        ("Esc", "Give up the gate, or the event"),
        ("Shift+R", "Make a rectangle"),
        ("Shift+X", "Make a range of x"),
        ("Shift+Y", "Make a range of y"),
        ("f", "Bring the gate into view"),
        ("Del", "Remove the corner or the gate"),
        ("Left", "Move the cursor of a polygon, the gate by a bin, or the picture"),
        ("Right", "Move the cursor of a polygon, the gate by a bin, or the picture"),
        ("Up", "Move the cursor of a polygon, the gate by a bin, or the picture"),
        ("Down", "Move the cursor of a polygon, the gate by a bin, or the picture"),
        ("Ctrl+Alt+S", "Save as PNG, SVG or CSV"),
        ("Ctrl+C", "Copy as CSV"),
        ("Ctrl+Alt+C", "Copy as picture"),
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
        self.profile: Profile | None = None
        self.top: float | None = None
        """What has the strongest colour, where a person chose it."""
        self.axes = Axes(self)
        self._drawn_at = -LEAST_S
        self._drawn: tuple[object, ...] = ()
        """What was drawn last, and how."""
        self._cursor: QPointF | None = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.redraw_soon)
        self.exporter = PlaneExporter(self)
        self.events = SingleEvents(self)
        self.gates = PlaneGates(self)
        self.bar = PlaneBar(self)
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

    def keys_go_to(self) -> QWidget:
        """Leave the keys with the plot when a control is clicked."""
        return self.plot

    def boxes(self) -> dict[str, ZoomBox]:
        """Give what a person can zoom."""
        return {"plane": self.box}

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [self.plot, *self.bar.stops()]

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.bar.row)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Yield: what has no room then is in the menu."""
        return QSize(LEAST, LEAST // 2)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave out what the menu has as well where there is no room."""
        super().resizeEvent(event)
        self.bar.suit(is_wide=self.width() >= NARROW)
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
    def points(self) -> Points | None:
        """The single events that are drawn, where they are few."""
        return self.events.points

    @property
    def shown_event(self) -> EventPeek:
        """The event that was chosen among the points."""
        return self.events.shown

    @property
    def x_name(self) -> str:
        """The column on the x axis."""
        return self.choice.x or self.axes.first(ENERGIES)

    @property
    def y_name(self) -> str:
        """The column on the y axis."""
        return self.choice.y or self.axes.first(SHAPES, but=self.x_name)

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
        """Say why there is nothing to see, or how far a data set on disk is counted."""
        if self.session.selected not in run_ids:
            return
        if self.plane is None:
            self.redraw_soon()
        elif self.plane.live.is_on_disk:
            self.show_info()

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
        self.plane, self.top = None, None
        self.events.forget()
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
        energy = self.axes.first(ENERGIES)
        self.choose(x=energy, y=self.axes.first(SHAPES, but=energy), x_width=None, y_width=None)

    def toggle_time(self) -> None:
        """Show y against time; against energy where it is against time."""
        is_time = self.x_name == TIME
        self.choose_x(self.axes.first(ENERGIES, but=self.y_name) if is_time else TIME)

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
            self.events.choose(None)

    def nudge(self, x: int, y: int, *, is_far: bool = False) -> None:
        """Move the chosen gate by a bin or ten; the picture where there is none."""
        bins = FAR_BINS if is_far else 1
        if not self.gates.nudge(bins * x, bins * y):
            share = FAR if is_far else PAN
            self.box.pan_by(share * x, share * y)

    def next_channel(self, by: int) -> None:
        """Go to another channel; all of them come before the first."""
        if self.bar.channels:
            places = [None, *self.bar.channels]
            self.choose(channel=places[(places.index(self.channel) + by) % len(places)])

    def _double_clicked(self, _at: QPointF) -> None:
        if not self.gates.double_click():
            self.show_all()

    def _clicked(self, at: QPointF, keys: object) -> None:
        if self.gates.click(at, keys):
            return
        if not self.events.choose_at(at):
            self.gates.choose_at(at)

    # Counting

    def redraw(self) -> None:
        """Have counted what is in view, and draw what was counted."""
        live = self.bridge.live(self.session.selected)
        self.bar.show_state(live)
        self._show_edges()
        why = why_empty(self, live)
        self.plot.show_hint(why)
        if why or live is None:
            self._forget_picture()
            return
        x, y = (self.axes.of(live, name) for name in (self.x_name, self.y_name))
        self._fit(x, y)
        wants = [Want(x, y, self.channel)]
        if self.choice.has_all and passing_of(self.session) is not None:
            wants.append(Want(x, y, self.channel, ALL))
        self.bridge.counting.count(
            self.OWNER,
            self.session.selected,
            wants,
            lambda counts: self._take(live, counts),
            takes_estimates=True,
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
        self.plane, self.events.points, self.profile, self._drawn = None, None, None, ()
        self.canvas.clear()
        self.bar.info.setText("")

    def _take(self, live: LiveRun, answer: Sequence[Counts | None]) -> None:
        """Draw what was counted, unless something else is wanted by now."""
        first = answer[0]
        if first is None or first.want.y is None or live is not self.bridge.live(self.session.selected):
            return
        behind = answer[1].counts if len(answer) > 1 and answer[1] is not None else None
        want = first.want
        plane = Plane(
            live,
            want.x,
            first.want.y,
            first.counts,
            first.n_chosen,
            first.n_rows,
            want.channel,
            behind,
            first.n_sampled,
        )
        if plane.channel != self.channel or not self._is_of_columns(plane):
            return
        self.plane = plane
        self._drawn_at = time.monotonic()
        self._draw(plane)
        self.events.ask(plane)
        if (plane.x, plane.y) != tuple(self.axes.of(live, name) for name in (self.x_name, self.y_name)):
            self.redraw_soon()  # in as many bins as suit the number of events, which is known now

    def count_now(self) -> None:
        """Count and draw at once, in this thread: for pictures and rehearsals."""
        live = self.bridge.live(self.session.selected)
        if live is None:
            return
        from pygama_gui.data.linked import Counter

        axes = self.axes.of(live, self.x_name), self.axes.of(live, self.y_name)
        self._fit(*axes)
        rows = self.bridge.rows_of(self.session.selected, (self.x_name, self.y_name, CODE))
        self._take(live, Counter().count(live, rows, None, [Want(*axes, self.channel)]))

    # Drawing

    def _draw(self, plane: Plane) -> None:
        """Draw what was counted, unless it stands there as it is."""
        look, inside = (plane, self.choice, self.top, self.points), self.gates.shown_inside
        if (*look, inside) == self._drawn:
            return
        if look != self._drawn[:-1]:  # else a gate was moved alone
            self._draw_image(plane)
            self.profile = self._profile_of(plane)
            self.canvas.draw_profile(self.profile)
        self._drawn = (*look, inside)
        self._draw_edges(plane)
        self.plot.label_axes(with_unit(plane.x.column), with_unit(plane.y.column))
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

    def draw_counts(self) -> None:
        """Draw the counts that there are: as colours, unless their events are drawn one by one."""
        if self.plane is not None:
            self._draw_image(self.plane)

    def _draw_image(self, plane: Plane) -> None:
        scale, is_image = self._scale_of(plane), self.points is None
        shades = scale.shades(self._heights(plane)) if is_image else None
        behind = None
        if plane.behind is not None:
            lost = plane.behind - plane.counts
            behind = scale_of(lost, is_log=True, is_share=False).shades(lost)
        self.canvas.draw_image(shades, behind, plane.x, plane.y)
        self.canvas.image.setOpacity(theme.ESTIMATED if plane.n_sampled else 1.0)
        self.canvas.bar.show_scale(scale if is_image else None)
        self.bar.offer_colors(are_drawn=is_image)

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
        self.events.draw()
        self._drawn = ()
        if self.plane is not None:
            self._draw(self.plane)
        self.gates.draw()
        self.shown_event.peek.update()

    # Words and controls

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
            self.bar.info.setText(self.gates.words)
            return
        is_normalised = self.choice.is_normalised
        under = short = ""
        if self._cursor is not None:
            under, short = (
                under_cursor(self.plane, self._cursor, is_normalised=is_normalised, is_short=is_short)
                for is_short in (False, True)
            )
        self.bar.info.setText(under or in_view(self, self.plane))
        self.bar.info.short = short

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self.commands.all)
