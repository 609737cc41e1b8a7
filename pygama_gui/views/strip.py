"""Answers 'is the detector well?' in one line of measured numbers."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PyQt5.QtCore import QSize
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.data.channels import CODE
from pygama_gui.jobs.board import JobState
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.parts import label

N_BASELINE = 20_000
"""Rows, the newest, that the baseline is taken over."""
N_NEWEST = 2000
"""Rows, the newest, in which a channel is looked for."""
N_EXPECTED, NOISY = 20, 10
SIDE, SPACING, REMARK_GAP = 14, 22, 5
DISPENSABLE = ("RUN", "RATE", "DISK", "BASELINE", "STATE", "CHANNELS", "EVENTS")
"""Figures in the order in which they give up their remarks where there is no room."""
BASELINES = ("bl_int", "bl_avg")
LOW_DISK = 5e9
EVERY_S = 0.25
"""Figures that change more often cannot be read."""

STATES = {
    "waiting": ("■ WAITING", "soft"),
    "running": ("▶ PROCESSING", "accent"),
    "paused": ("■ PAUSED", "warn"),
    "done": ("✓ DONE", "ok"),
    "failed": ("✕ FAILED", "bad"),
    "stopped": ("■ STOPPED", "soft"),
}

LIVE_STATES = {"running": ("● LIVE", "ok"), "done": ("✓ FINISHED", "ok")}
OLD_S, STALE_S = 10.0, 60.0
"""Ages of the newest event of a run that is followed, in s, above which it is told in another tone."""


class Figure(QWidget):
    """A caption with a value and a remark."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self.caption = label(caption, tone="soft", px=theme.CAPTION, bold=True)
        self.value = label(words.UNKNOWN, px=theme.LARGE, bold=True)
        self.remark = label(tone="soft", px=theme.SMALL)
        line = QHBoxLayout()
        line.setSpacing(REMARK_GAP)
        line.addWidget(self.value)
        line.addWidget(self.remark)
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addLayout(line)
        self.width_with_remark = self.width_alone = 0
        self.show_value(words.UNKNOWN)

    def show_value(self, value: str, remark: str = "", tone: str = "", remark_tone: str = "soft") -> None:
        """Show a value."""
        self.value.setText(value)
        self.remark.setText(remark)
        theme.mark(self.value, "tone", tone)
        theme.mark(self.remark, "tone", remark_tone)
        self.setAccessibleName(f"{self.caption.text()}: {value} {remark}".strip())
        self.setToolTip(f"{value} {remark}".strip())
        self._take_room()

    def forget_room(self) -> None:
        """Take no more room than the present value needs."""
        self.width_with_remark = self.width_alone = 0
        self._take_room()

    def _take_room(self) -> None:
        """Note the room that is needed; it only grows, so that no figure jumps while another one counts."""
        value, remark = self.value.sizeHint().width(), self.remark.sizeHint().width()
        alone = max(value, self.caption.sizeHint().width())
        both = max(alone, value + REMARK_GAP + remark) if self.remark.text() else alone
        self.width_alone = max(self.width_alone, alone)
        self.width_with_remark = max(self.width_with_remark, both, self.width_alone)

    def show_remark(self, *, is_wanted: bool) -> None:
        """Show or hide the remark, and take the room for it."""
        self.remark.setVisible(is_wanted and bool(self.remark.text()))
        width = self.width_with_remark if is_wanted else self.width_alone
        if width != self.minimumWidth():
            self.setMinimumWidth(width)


class _Narrow(QFrame):
    """A frame that may be narrower than what is in it."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Ask for the height alone."""
        return QSize(200, super().minimumSizeHint().height())


class StripView(View):
    """The status strip; always visible."""

    TITLE = "Status"
    HELP = "How the selected run stands: state, rate, baseline, channels, and room on the disk."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self._free: int | None = None
        self._kind: str | None = None
        self._drawn_at = 0.0
        captions = ("RUN", "STATE", "RATE", "EVENTS", "BASELINE", "CHANNELS", "DISK")
        self.figures = {caption: Figure(caption) for caption in captions}
        frame = _Narrow()
        frame.setObjectName("bar")
        line = QHBoxLayout(frame)
        line.setContentsMargins(SIDE, 6, SIDE, 7)
        line.setSpacing(SPACING)
        for figure in self.figures.values():
            line.addWidget(figure)
        line.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        bridge.disk_known.connect(self._take_disk)
        self._run_id = ""

    @classmethod
    def demo(cls) -> StripView:
        """Show a run under way."""
        bridge = Bridge()
        view = cls(bridge)
        run = Run("1", Path("2018-9-25-Th228Run9001"), 9001, 0, 1537871000, 3_746_840)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(1, run)
        for message in madeup.messages(run.path):
            bridge.take(1, message)
        bridge.disk_known.emit(212_000_000_000)
        view.redraw_soon()
        return view

    def on_session(self, old: Session, new: Session) -> None:
        """Show another run."""
        is_other_run = old.selected != new.selected or old.runs is not new.runs
        if is_other_run or old.channel_map is not new.channel_map:
            self.redraw_soon()
        if old.output_dir != new.output_dir:
            self.bridge.look_at_disk()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Show how the job stands: a new state at once, new figures a few times a second."""
        if self.session.selected not in run_ids:
            return
        state = self.bridge.state(self.session.selected)
        kind, now = None if state is None else state.state, time.monotonic()
        if kind != self._kind or now - self._drawn_at >= EVERY_S:
            self._kind, self._drawn_at = kind, now
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Show figures of the rows: a few times a second, and the last ones."""
        state = self.bridge.state(self.session.selected)
        if state is not None and state.has_ended and self.session.selected in run_ids:
            self.redraw_soon()
        else:
            self.on_jobs(run_ids)

    def redraw(self) -> None:
        """Show all figures."""
        run = self.session.selected_run
        run_id = "" if run is None else run.run_id
        if run_id != self._run_id:
            self._run_id = run_id
            for figure in self.figures.values():
                figure.show_value(words.UNKNOWN)
                figure.forget_room()
        if run is not None:
            self._show_run(run)
        self._show_disk()
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show as many remarks as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide remarks, the least important ones first, until all values have room."""
        room = self.width() - 2 * SIDE - SPACING * (len(self.figures) - 1)
        shown = [figure for figure in self.figures.values() if not figure.isHidden()]
        needed = sum(figure.width_with_remark for figure in shown)
        hidden: set[str] = set()
        for caption in DISPENSABLE:
            if needed <= room:
                break
            figure = self.figures[caption]
            needed -= figure.width_with_remark - figure.width_alone
            hidden.add(caption)
        for caption, figure in self.figures.items():
            figure.show_remark(is_wanted=caption not in hidden)

    def _show_run(self, run: Run) -> None:
        state = self.bridge.state(run.run_id)
        began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.start_time)) if run.start_time > 0 else ""
        self.figures["RUN"].show_value(str(run.run_number), began)
        if run.start_time > 0:
            local = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(run.start_time))
            self.figures["RUN"].setToolTip(f"{run.path}\nbegan at {local} (local time)")
        self._show_state(state)
        self._show_rate(run, state)
        self._show_data(run)

    def _show_state(self, state: JobState | None) -> None:
        if state is None:
            self.figures["STATE"].show_value("■ READY", "not processed", "soft")
            self.figures["EVENTS"].show_value(words.UNKNOWN)
            return
        value, tone = _state_words(state)
        is_other = self.figures["STATE"].value.text() != value
        self.figures["STATE"].show_value(value, _state_remark(state), tone, _age_tone(state))
        if is_other:
            self.figures["STATE"].forget_room()
        is_known = state.rows or state.state == "done"
        self.figures["EVENTS"].show_value(words.count(state.rows) if is_known else words.UNKNOWN)

    def _show_rate(self, run: Run, state: JobState | None) -> None:
        """Show the detector's rate, by the cards' own clock, and how quickly the file is read."""
        live = self.bridge.live(run.run_id)
        rate = words.UNKNOWN
        if live is not None and "time_s" in live.columns:
            rate = _mean_rate(live.columns.column("time_s"))
        is_read = state is not None and state.bytes_per_s
        remark = f"read at {words.size(state.bytes_per_s)}/s" if state is not None and is_read else ""
        self.figures["RATE"].show_value(rate, remark)

    def _show_data(self, run: Run) -> None:
        live = self.bridge.live(run.run_id)
        baseline = next((name for name in BASELINES if live is not None and name in live.columns), None)
        if live is None or baseline is None:
            self.figures["BASELINE"].show_value(words.UNKNOWN)
        else:
            self.figures["BASELINE"].show_value(*_mean_and_spread(live.columns.column(baseline)))
        if live is None or CODE not in live.columns:
            self.figures["CHANNELS"].show_value(words.UNKNOWN)
        else:
            told = _channels_words(live.columns.column(CODE), live.channels, self.bridge)
            self.figures["CHANNELS"].show_value(*told)

    def _take_disk(self, free: int | None) -> None:
        self._free = free
        self._show_disk()
        self._fit()

    def _show_disk(self) -> None:
        self.figures["DISK"].setVisible(self._free is not None)
        if self._free is None:
            self.figures["DISK"].show_value(words.UNKNOWN)
        else:
            is_low = self._free < LOW_DISK
            value = ("▲ " if is_low else "") + words.size(self._free)
            self.figures["DISK"].show_value(value, "free", "warn" if is_low else "")


def _state_words(state: JobState) -> tuple[str, str]:
    if state.follows and state.state in LIVE_STATES:
        return LIVE_STATES[state.state]
    return STATES[state.state]


def _age_tone(state: JobState) -> str:
    """Give the tone for the age of the newest event."""
    age_s = state.age_s if state.follows and state.state == "running" else None
    if age_s is None or age_s <= OLD_S:
        return "soft"
    return "warn" if age_s <= STALE_S else "bad"


def _state_remark(state: JobState) -> str:
    if state.follows and state.state == "running":
        return "" if state.age_s is None else f"newest {words.duration(state.age_s)} old"
    if state.made_on is not None:
        return f"on {time.strftime('%Y-%m-%d %H:%M', time.localtime(state.made_on))}"
    if state.state == "running" and state.eta_s is not None and state.done_bytes:
        return f"{100 * state.fraction:.0f} %, {words.duration(state.eta_s)} left"
    if state.state == "done":
        return f"in {words.duration(state.elapsed_s)}"
    if state.state in ("paused", "stopped", "failed") and state.done_bytes:
        return f"at {100 * state.fraction:.0f} %"
    return ""


def _channels_words(codes: np.ndarray, everything: list[int], bridge: Bridge) -> tuple[str, str, str, str]:
    """Say how many channels there are, and which of them are quiet or noisy now: value, remark, tones.

    Quiet: of the newest events none, where by its share of the earlier ones there should be 20 or more.
    Noisy: ten times the events of the typical channel.
    """
    channels = bridge.shown(everything)
    newest = codes[-N_NEWEST:]
    earlier = codes[: -N_NEWEST or None][-N_BASELINE:]
    counts = {code: int((newest == code).sum()) for code in channels}
    expected = {code: (earlier == code).sum() * len(newest) / max(len(earlier), 1) for code in channels}
    quiet = [code for code in channels if not counts[code] and expected[code] >= N_EXPECTED]
    typical = max(float(np.median(list(counts.values()))) if counts else 0.0, N_EXPECTED)
    noisy = [code for code in channels if counts[code] > NOISY * typical and len(channels) > 2]
    remarks = [_which(quiet, channels, "quiet", bridge), _which(noisy, channels, "noisy", bridge)]
    remark = ", ".join(remark for remark in remarks if remark)
    if remark:
        return f"▲ {len(channels)}", remark, "warn", "warn"
    n_ignored = len(everything) - len(channels)
    ignored = f", {n_ignored} ignored" if n_ignored else ""
    return f"✓ {len(channels)}", f"with events{ignored}", "ok", "soft"


def _which(some: list[int], channels: list[int], how: str, bridge: Bridge) -> str:
    if not some:
        return ""
    if len(some) > 1:
        return f"{len(some)} {how}"
    return f"{bridge.names([*channels, some[0]])[-1]} {how}"


def _mean_and_spread(values: np.ndarray) -> tuple[str, str]:
    """Give the median and the spread of the newest values; both robust against pulses on a tail."""
    recent = values[-N_BASELINE:]
    recent = recent[np.isfinite(recent)]
    if not len(recent):
        return words.UNKNOWN, ""
    low, middle, high = np.quantile(recent, [0.25, 0.5, 0.75])
    return f"{middle:.1f} ± {(high - low) / 1.349:.1f}", "ADC"


def _mean_rate(times: np.ndarray) -> str:
    """Give the mean rate of events whose times (s) are these."""
    known = times[np.isfinite(times)]
    span = float(known.max() - known.min()) if len(known) > 1 else 0.0
    if span <= 0:
        return words.UNKNOWN
    rate = (len(known) - 1) / span
    return f"{words.count(rate)} Hz" if rate >= 100 else f"{rate:.3g} Hz"
