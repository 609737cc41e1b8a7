"""Shows rate, baseline, noise and a peak against time, with the band they are expected in, and what moved."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QCursor, QResizeEvent
from PyQt5.QtWidgets import QAction, QMenu, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from pygama.analysis.cuts import range_cut
from pygama_gui.bridge import Bridge
from pygama_gui.data.channels import CLOCK, CODE
from pygama_gui.data.cutting import free_name
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.moves import Band, band_of
from pygama_gui.data.slices import KINDS, Series, next_width
from pygama_gui.data.trend_words import Clock, clock_start
from pygama_gui.data.trends import Trends
from pygama_gui.session import changes, cut_changes
from pygama_gui.session.state import Run, Session, TrendsChoice
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.following import Following, asked_of, history
from pygama_gui.views.trends import telling
from pygama_gui.views.trends.export import TrendExporter
from pygama_gui.views.trends.plot import TIMES_PX, Line, TimeLine, TrendPlot
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import Controls, Elided, Wrapped, button, choice_box, icon_button, label, row
from pygama_gui.widgets.plot import ZOOM_OUT, Entry, ZoomBox, plot_actions
from pygama_gui.widgets.scrolled import Scrolled

N_TOGETHER = 2
"""Entries of the channel box that are not one channel: all of them, and each for itself."""
HIDDEN_COLUMNS = ("period_ns", "crate", "card", "channel", "time_s", "event_number", CODE, CLOCK)
REFERENCES = {"no band": None, "band of this run": 0, "of the last run": 1, "of the last 5 runs": 5}
"""What the band can be made of -> how many earlier runs."""
BANDS = (3.0, 4.0, 5.0)
PAN, FAR = 0.1, 5
ROOM = 0.02
REST_PX = 80
"""Height of what is no trend and no line of times, about."""
LEAST_TREND = 64
"""Height of a trend's picture, in pixels; where there is less room for all of them they scroll."""
WHOLE, LINES_OF_SUMMARY = 12, 5
"""Lines at most of the words of a trend, which scroll with it, and of what moved in all."""
LATE = 0.4
"""Opacity of what is still of the cuts before, while an edge is dragged."""
SHOW_MARKED, REMOVE_MARK = "Bring the marked time into &view", "R&emove the mark"
CUT_MARKED = "Make a &cut of the marked time"


class TrendsView(View):
    """What moved during the run."""

    TITLE = "Trends"
    HELP = (
        "Rate, baseline, noise and a peak against the run's clock, with errors, and the band in which they "
        "are expected. Drag to the right to zoom in, to the left to zoom out; Alt- or Shift-drag to mark a "
        "stretch of time, which can be dragged; a cut of it goes along."
    )
    SHORTCUTS = (
        ("a", "Show all"),
        ("r", "Reset axes"),
        ("x", "Autoscale x"),
        ("y", "Autoscale y"),
        ("[", "Twice as many slices"),
        ("]", "Half as many slices"),
        ("0", "Slices that suit the run"),
        ("b", "Show or hide the band"),
        ("+", "Zoom in"),
        ("-", "Zoom out"),
        ("f", "Bring the marked time into view"),
        ("Esc", "Put back a time that is dragged, give up marking one"),
        ("Del", "Remove the mark"),
        (".", "Next channel"),
        (",", "Previous channel"),
        ("Ctrl+Alt+S", "Save as picture or table"),
        ("Ctrl+C", "Copy as CSV"),
        ("Left", "Move the mark by a slice, or the picture"),
        ("Right", "Move the mark by a slice, or the picture"),
    )

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._following = Following(self)
        self._columns: tuple[str, ...] = ()
        self.channels_offered: list[int] = []
        self._channel_names: list[str] = []
        self.shown: list[tuple[str, Trends]] = []
        self.bands: dict[tuple[str, str], Band | None] = {}
        self._clock = Clock()
        self._window_before = self.choice.window
        """Where the marked time stood when the mouse took it."""
        self._make_plots()
        self._make_controls()
        self._lay_out()
        self.exporter = TrendExporter(self)
        self._actions = plot_actions(self, self._entries())
        by_words = {action.text(): action for action in self._actions}
        self.band_actions = {k: by_words[band_words(k)] for k in BANDS}
        for action in self.band_actions.values():
            action.setCheckable(True)
        self._marked_actions = [by_words[text] for text in (SHOW_MARKED, REMOVE_MARK, CUT_MARKED)]
        self._offer_marked()

    @classmethod
    def demo(cls) -> TrendsView:
        """Show a made-up run of which the gain moved."""
        bridge = Bridge()
        view = cls(bridge)
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001, 0, 1537871000)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(1, run)
        for message in madeup.messages(run.path, n_rows=2000):
            bridge.take(1, message)
        bridge.take(1, madeup.end())
        bridge.change(changes.show_trends, replace(view.choice, window=(6.0, 8.0)))
        view.redraw_soon()
        return view

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the trends."""
        return self._actions

    def boxes(self) -> dict[str, ZoomBox]:
        """Give what a person can zoom."""
        return {f"trend of the {kind}": plot.box for kind, plot in self.plots.items()}

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        boxes = [self.channel_box, self.column_box, self.band_box]
        buttons = [self.more_button, self.fewer_button, self.all_button, self.cut_button]
        return [*self.plots.values(), *boxes, *buttons]

    def _entries(self) -> list[Entry]:
        return [
            ("Show &all | unzoom reset zoom out home full view whole range", "A", self.show_all),
            ("&Reset axes | zoom default", "R", self.show_all),
            ("Autoscale &x | fit range limits zoom", "X", self.autoscale_x),
            ("Autoscale &y | fit range limits zoom height", "Y", self.autoscale_y),
            None,
            ("&More slices | rebin bins finer", "[", lambda: self.slice_anew(-1)),
            ("&Fewer slices | rebin bins coarser", "]", lambda: self.slice_anew(1)),
            ("A&utomatic slices", "0", lambda: self._change(width=None)),
            (
                "Show / hide the &band | reference limits alarm",
                "B",
                lambda: self._change(has_band=not self.choice.has_band),
            ),
            *((band_words(k), "", partial(self._set_band, k=k)) for k in BANDS),
            None,
            ("Zoom &in | closer magnify", "+", lambda: self._zoom(1 / ZOOM_OUT)),
            ("Zoom &out | wider", "-", lambda: self._zoom(ZOOM_OUT)),
            None,
            ("Move to the left", "Left", lambda: self.nudge(-1)),
            ("Move to the right", "Right", lambda: self.nudge(1)),
            ("Move far to the left", "Shift+Left", lambda: self.nudge(-10)),
            ("Move far to the right", "Shift+Right", lambda: self.nudge(10)),
            None,
            ("&Next channel", ".", lambda: self._next_channel(1)),
            ("&Previous channel", ",", lambda: self._next_channel(-1)),
            None,
            ("Mark a &time | window range select period", "Shift+R", self._begin_window),
            ("&Give up marking | cancel abort", "Esc", self._end_marking),
            (SHOW_MARKED, "F", self.show_window),
            (REMOVE_MARK, "Del", lambda: self._change(window=None)),
            (CUT_MARKED, "", self.cut_window),
            None,
            (
                "&Save the trends… | export picture image plot figure screenshot print pdf png svg csv",
                "Ctrl+Alt+S",
                self.exporter.ask,
            ),
            ("Copy as CSV | clipboard export data table", "Ctrl+C", self.exporter.copy),
        ]

    def _make_plots(self) -> None:
        self.plots = {kind: TrendPlot(kind) for kind in KINDS}
        self.times = TimeLine()
        self.times.follow(self.plots["rate"].box)
        self.times.hide()
        self.captions = {kind: label(px=theme.SMALL, bold=True) for kind in KINDS}
        self.told = {kind: Wrapped() for kind in KINDS}
        for told in self.told.values():
            told.most_lines = WHOLE
        for plot in self.plots.values():
            plot.fill_menu = self._fill_menu
            plot.box.zoom_changed.connect(lambda plot=plot: self._share_zoom(plot))
            plot.box.region_dragged.connect(lambda low, high: self._change(window=(low, high)))
            plot.window.sigTaken.connect(self._take_window)
            plot.window_moved.connect(lambda low, high: self._move_window((low, high)))
            plot.window_set_down.connect(self.bridge.store.settle)
            plot.box.double_clicked.connect(lambda _at: self.show_all())
            plot.scene().sigMouseMoved.connect(lambda at, plot=plot: self._point_at(plot, at))

    def _make_controls(self) -> None:
        self.summary = Wrapped(px=theme.NORMAL, tone="")
        self.summary.most_lines = LINES_OF_SUMMARY
        self.key = label(px=theme.SMALL)
        self.key.setTextFormat(Qt.TextFormat.RichText)
        self.key.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.key.setContentsMargins(12, 0, 8, 0)
        self.key.hide()
        self.hint = label(tone="soft")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.channel_box = choice_box("Channel of the trends", "all channels")
        self.channel_box.activated.connect(self._choose_channel)
        self.column_box = choice_box("Further column", "no further column")
        self.column_box.activated.connect(self._choose_column)
        self.band_box = choice_box("What the band is made of", *REFERENCES)
        self.band_box.activated.connect(self._choose_band)
        self.more_button = icon_button("bins_more", "More slices ([)", lambda: self.slice_anew(-1))
        self.fewer_button = icon_button("bins_fewer", "Fewer slices (])", lambda: self.slice_anew(1))
        self.all_button = icon_button("all", "Show all (A)", self.show_all)
        self.cut_button = button("Make a cut", "Make a cut of the marked time")
        self.cut_button.clicked.connect(lambda _checked=False: self.cut_window())
        self.info = Elided()

    def _lay_out(self) -> None:
        buttons = (self.more_button, self.fewer_button, self.all_button)
        boxes = (self.channel_box, self.column_box, self.band_box, *buttons)
        controls = Controls(boxes, QWidget(), margins=(8, 2, 8, 6))
        self.marked = QWidget()
        line = row(self.info, self.cut_button)
        line.setStretch(0, 1)
        line.setContentsMargins(12, 0, 8, 0)
        self.marked.setLayout(line)
        self.marked.hide()
        top = row(self.summary)
        top.setContentsMargins(12, 4, 8, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self.key)
        column.addWidget(self.hint, 1)
        self._rows: dict[str, QWidget] = {}
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        for kind, plot in self.plots.items():
            holder = QWidget()
            inner = QVBoxLayout(holder)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.setSpacing(0)
            words = row(self.captions[kind], self.told[kind], spacing=6)
            words.setAlignment(self.captions[kind], Qt.AlignmentFlag.AlignTop)
            words.setStretch(1, 1)
            words.setContentsMargins(12, 2, 8, 0)
            inner.addLayout(words)
            inner.addWidget(plot, 1)
            self._column.addWidget(holder, 1)
            holder.hide()
            self._rows[kind] = holder
        self._area = Scrolled(inside, least=LEAST_TREND)
        self._area.hide()
        self._area.room_changed.connect(self._line_up_times)
        column.addWidget(self._area, 1)
        column.addWidget(self.times)
        column.addWidget(self.marked)
        column.addWidget(controls)

    # What the session and the jobs bring

    @property
    def clock(self) -> Clock:
        """What turns times of the run into words."""
        return self._clock

    def is_shown(self, kind: str) -> bool:
        """Tell whether there is a trend of a kind on screen."""
        return any(trends.of(kind) is not None for _, trends in self.shown)

    @property
    def choice(self) -> TrendsChoice:
        """What the session says is to be shown."""
        return self.session.trends

    @property
    def _channel(self) -> int | None:
        live = self.bridge.live(self.session.selected)
        return self.choice.channel if live is not None and self.choice.channel in live.channels else None

    @property
    def is_apart(self) -> bool:
        """Whether each channel is drawn for itself."""
        return self.choice.is_apart and len(self.channels_offered) > 1

    def on_session(self, old: Session, new: Session) -> None:
        """Draw what a change brings; another run is seen whole."""
        if old.selected != new.selected:
            self._forget_zoom()
        elif (old.trends.channel, old.trends.is_apart) != (new.trends.channel, new.trends.is_apart):
            for plot in self.plots.values():
                plot.box.zoomed_y = False
        self._offer_marked()
        self.redraw_soon()

    def _offer_marked(self) -> None:
        """Offer what is done with a marked time only where there is one."""
        for action in self._marked_actions:
            action.setEnabled(self.choice.window is not None)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Share the height anew where words need another number of lines."""
        super().resizeEvent(event)
        self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Say why there is nothing to see; follow the last slice of a run that ended."""
        state = self.bridge.state(self.session.selected)
        if self.session.selected in run_ids and (not self.shown or (state is not None and state.has_ended)):
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Follow new rows."""
        if self.session.selected in run_ids:
            self.redraw_soon()

    # What a person does

    def show_all(self) -> None:
        """Show the whole run."""
        self._forget_zoom()
        self.redraw_soon()

    def autoscale_x(self) -> None:
        """Show all of the time."""
        for plot in self.plots.values():
            plot.box.zoomed_x = False
        self.redraw_soon()

    def autoscale_y(self) -> None:
        """Show all values that are in view."""
        for plot in self.plots.values():
            plot.box.zoomed_y = False
        self.redraw_soon()

    def slice_anew(self, by: int) -> None:
        """Make the slices wider (1) or narrower (-1)."""
        if self.shown:
            trends = self.shown[0][1]
            width = self.choice.width or trends.width
            self._change(width=next_width(width, by, trends.span[1] - trends.span[0]))

    def nudge(self, slices: int) -> None:
        """Move the marked time by some slices; the picture where nothing is marked."""
        window = self.choice.window
        if window is None:
            by = PAN * slices / max(abs(slices), 1) * (1 if abs(slices) == 1 else FAR)
            self.plots["rate"].box.pan(by)
        elif self.shown:
            by = slices * self.shown[0][1].width
            self._move_window((window[0] + by, window[1] + by))

    def show_window(self) -> None:
        """Bring the marked time into view."""
        if self.choice.window is not None:
            low, high = self.choice.window
            box = self.plots["rate"].box
            box.setXRange(2 * low - high, 2 * high - low, padding=0)
            box.zoomed_x = True
            self._share_zoom(self.plots["rate"])

    def cut_window(self) -> None:
        """Make a cut of the marked time."""
        if self.choice.window is None:
            self.bridge.log("Mark a stretch of time first: Alt- or Shift-drag over a trend", "warning")
            return
        make_cut(self.bridge, window_text(self.choice.window))

    def _begin_window(self) -> None:
        for plot in self.plots.values():
            plot.box.is_region_wanted = True
        self.marked.show()
        self.cut_button.hide()
        self.info.setText("Drag over a trend to mark a stretch of time; Esc gives up")

    def _take_window(self) -> None:
        self.bridge.store.settle()
        self._window_before = self.choice.window

    def _end_marking(self) -> None:
        """Put the marked time back where the mouse took it, or let a drag zoom again."""
        if any(plot.window.let_go() for plot in self.plots.values()):
            self.bridge.store.give_up()
            self._change(window=self._window_before)
        for plot in self.plots.values():
            plot.box.cancel()
        self.redraw_soon()

    def _zoom(self, factor: float) -> None:
        self.plots["rate"].box.zoom(factor)

    def _change(self, **values: Any) -> None:
        if "window" in values:
            for plot in self.plots.values():
                plot.box.is_region_wanted = False
        self.bridge.change(changes.show_trends, replace(self.choice, **values))

    def _set_band(self, k: float | None = None, n_reference: int | None = None) -> None:
        """Choose how wide the band is, or what it is made of; this can be undone, unlike a look."""
        choice = self.choice
        k = choice.k if k is None else k
        n_reference = choice.n_reference if n_reference is None else n_reference
        self.bridge.change(changes.set_band, k, n_reference)

    def _move_window(self, window: tuple[float, float]) -> None:
        """Move the marked time; a cut of it goes along, and all views with the cut."""
        before = self.choice.window
        self._change(window=window)
        for cut in self.session.cuts:
            if before is not None and cut.expression == window_text(before):
                text = window_text(window)
                self.bridge.change(cut_changes.edit_cut, cut.name, text, merge=f"cut {cut.name}")

    def _choose_channel(self, at: int) -> None:
        channel = self.channels_offered[at - N_TOGETHER] if at >= N_TOGETHER else None
        self._change(channel=channel, is_apart=at == N_TOGETHER - 1)

    def _next_channel(self, by: int) -> None:
        if len(self.channels_offered) > 1:
            at = self.channel_box.currentIndex() + by
            self._choose_channel(at % (len(self.channels_offered) + N_TOGETHER))

    def _choose_band(self, at: int) -> None:
        n = list(REFERENCES.values())[at]
        if n is None:
            self._change(has_band=False)
        else:
            self._set_band(n_reference=n)

    def _choose_column(self, at: int) -> None:
        self._change(column=self.column_box.itemText(at) if at else "")

    def _forget_zoom(self) -> None:
        for plot in self.plots.values():
            plot.box.zoomed_x = plot.box.zoomed_y = False

    def _share_zoom(self, plot: TrendPlot) -> None:
        """Let all trends show the time that one of them shows."""
        for other in self.plots.values():
            other.box.zoomed_x = plot.box.zoomed_x
            if other is not plot and plot.box.zoomed_x:
                other.box.setXRange(*plot.box.viewRange()[0], padding=0)
        self.redraw_soon()

    # Drawing

    def redraw(self) -> None:
        """Draw what was followed so far, and have the rest followed."""
        live = self.bridge.live(self.session.selected)
        self._show_controls(live)
        self.shown = self._followed(live)
        has_any = any(trends.series for _, trends in self.shown)
        self.hint.setVisible(not has_any)
        self.hint.setText("" if has_any else telling.why_empty(self, live))
        if not has_any:
            self._show_nothing()
            return
        self._set_clock()
        self._fit_time()
        self._draw_all()
        self._show_words()
        self._share_height([kind for kind in KINDS if self.is_shown(kind)])
        self.drawn.emit()

    def _followed(self, live: LiveRun | None) -> list[tuple[str, Trends]]:
        if live is None or not len(live.columns):
            return []
        channels: list[int | None] = [self._channel]
        if self.is_apart:
            channels = list(self.channels_offered[: telling.MOST_APART])
        asks = [asked_of(self.bridge, self.session.selected, channel) for channel in channels]
        found = self._following.want(live, asks)
        return [
            (self._name_of(channel), trends)
            for channel, trends in zip(channels, found, strict=True)
            if trends is not None
        ]

    def _name_of(self, channel: int | None) -> str:
        if channel is None:
            return self._channel_names[0] if len(self.channels_offered) == 1 else "all channels"
        known = dict(zip(self.channels_offered, self._channel_names, strict=True))
        return known.get(channel, "channel")

    def _set_clock(self) -> None:
        run, trends = self.session.selected_run, self.shown[0][1]
        start = clock_start(run.start_time if run is not None else 0, trends.span[0])
        self._clock = Clock(start, trends.width)

    def _fit_time(self) -> None:
        spans = [trends.span for _, trends in self.shown]
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        room = ROOM * (high - low) or 0.5
        for plot in self.plots.values():
            if not plot.box.zoomed_x:
                plot.box.setXRange(low - room, high + room, padding=0)

    def _draw_all(self) -> None:
        shown = [kind for kind in KINDS if self.is_shown(kind)]
        self.bands = {}
        for kind, plot in self.plots.items():
            self._rows[kind].setVisible(kind in shown)
            if kind not in shown:
                continue
            lines = [line for name, trends in self.shown if (line := self._line(name, trends, kind))]
            plot.time_axis.start = self._clock.start
            plot.draw(lines, lines[0].series.unit, has_band=self.choice.has_band)
            plot.frame.setOpacity(LATE if any(kind in one.late for _, one in self.shown) else 1.0)
            plot.show_window(self.choice.window)
            plot.setAccessibleDescription(self.told[kind].text())
        self.times.show_times(self._clock.start, telling.time_words(self))

    def _share_height(self, shown: list[str]) -> None:
        """Give room for the lines of words: curves are as high."""
        least = max((self.height() - REST_PX - TIMES_PX) // len(shown), 40)
        for kind, holder in self._rows.items():
            told = self.told[kind]
            more = told.sizeHint().height() - told.fontMetrics().lineSpacing()
            self._column.setStretchFactor(holder, least + more)
            self.plots[kind].setMinimumHeight(LEAST_TREND)
        self._area.show()
        self.times.show()

    def _line_up_times(self) -> None:
        """Put the times below the trends where a bar to scroll them takes room at their right, too."""
        self.times.leave_room(self._area.width() - self._area.viewport().width())

    def _line(self, name: str, trends: Trends, kind: str) -> Line | None:
        series = trends.of(kind)
        if series is None:
            return None
        band = self._band(trends, series)
        self.bands[name, kind] = band
        return Line(name, series, band)

    def _band(self, trends: Trends, series: Series) -> Band | None:
        n = self.choice.n_reference
        if not n:
            return band_of([series], self.choice.k)
        known = history(self.bridge, self._following, trends, n)
        past = [one for _, other in known if (one := other.of(series.kind)) is not None]
        return band_of(past, self.choice.k, ", ".join(name for name, _ in known))

    # Words and controls

    def _show_words(self) -> None:
        for kind in KINDS:
            found = [(name, trends, one) for name, trends in self.shown if (one := trends.of(kind))]
            if found:
                self.captions[kind].setText(found[0][2].name)
                self.told[kind].setText(telling.words_of(self, found))
                self.plots[kind].setAccessibleDescription(self.told[kind].text())
        self.summary.setText(telling.summary(self))
        self.key.setVisible(self.is_apart)
        self.key.setText(
            "&nbsp;&nbsp; ".join(telling.key(at, name) for at, (name, _) in enumerate(self.shown))
        )
        self._show_info()

    def _show_info(self) -> None:
        if any(plot.box.is_region_wanted for plot in self.plots.values()):
            return
        window = self.choice.window
        self.marked.setVisible(window is not None)
        self.cut_button.setVisible(window is not None)
        if window is not None:
            low, high = (self._clock.words(end) for end in window)
            length = words.duration(window[1] - window[0])
            self.info.setText(f"Marked: {low} to {high}, {length}")

    def _point_at(self, plot: TrendPlot, at: Any) -> None:
        """Tell the value under the mouse, with local time beside UTC."""
        if not plot.lines or not plot.box.sceneBoundingRect().contains(at):
            return
        x = plot.box.mapSceneToView(at).x()
        line = plot.lines[0]
        known = np.flatnonzero(line.series.is_known)
        if not len(known):
            return
        place = known[int(np.argmin(np.abs(line.series.times[known] - x)))]
        value = words.with_error(float(line.series.values[place]), float(line.series.errors[place]))
        name = f"{line.name} " if len(plot.lines) > 1 else ""
        text = f"{name}{line.series.name} {value} {line.series.unit}".rstrip()
        QToolTip.showText(
            QCursor.pos(), f"{telling.both_times(self, float(line.series.times[place]))}\n{text}", plot
        )

    def _show_nothing(self) -> None:
        self._area.hide()
        self.times.hide()
        self.summary.setText("")
        self.key.hide()
        self.marked.hide()

    def _show_controls(self, live: LiveRun | None) -> None:
        channels = [] if live is None else self.bridge.shown(live.channels)
        names = self.bridge.names(channels)
        if (channels, names) != (self.channels_offered, self._channel_names):
            self.channels_offered, self._channel_names = channels, names
            self.channel_box.clear()
            self.channel_box.addItems(["all channels", "each channel", *names])
        self.channel_box.setVisible(len(channels) > 1)
        chosen = self._channel
        at = channels.index(chosen) + N_TOGETHER if chosen in channels else int(self.is_apart)
        self.channel_box.setCurrentIndex(at)
        columns = (
            ()
            if live is None
            else tuple(
                name
                for name in live.columns.names
                if name not in HIDDEN_COLUMNS and live.columns.column(name).dtype.kind in "iuf"
            )
        )
        if columns != self._columns:
            self._columns = columns
            self.column_box.clear()
            self.column_box.addItems(["no further column", *columns])
        self.column_box.setCurrentIndex(max(self.column_box.findText(self.choice.column), 0))
        made_of = list(REFERENCES.values())
        n = self.choice.n_reference if self.choice.has_band else None
        self.band_box.setCurrentIndex(made_of.index(n) if n in made_of else 1)
        for k, action in self.band_actions.items():
            action.setChecked(k == self.choice.k)

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self._actions)

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        for plot in (*self.plots.values(), self.times):
            plot.recolor()
        self.redraw_soon()


def band_words(k: float) -> str:
    """Name a width of the band, in robust standard deviations of the slices that it is made of."""
    return f"Band of ± &{k:g} σ"


def window_text(window: tuple[float, float]) -> str:
    """Write a stretch of time as a cut, to six digits."""
    low, high = (float(f"{end:.6g}") for end in window)
    return range_cut("time_s", low, high)


def make_cut(bridge: Bridge, text: str) -> None:
    """Add a cut, under a name and in a colour that are free."""
    cuts = bridge.session.cuts
    name = free_name([cut.name for cut in cuts], "time")
    color = theme.free_color([cut.color for cut in cuts])
    bridge.change(cut_changes.add_cut, name, text, color)
    bridge.log(f"Made the cut {name}: {text}")
