"""Tries the chain on a sample of the selected run while settings are moved; no job and no file knows of it.

One thing at a time goes to the thread that computes, the most urgent first: the two spectra, then the
waveform before and after each step, then what steps cost, then the next cell of a scan. While one is under
way only the newest wish is kept, so a slider is never followed by a queue.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from PyQt5.QtWidgets import QWidget

from pygama.errors import FileGone, PygamaError
from pygama_gui.bridge import Bridge
from pygama_gui.data import preview
from pygama_gui.data.channels import CODE
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.measure import Measure
from pygama_gui.data.preview import Asked, Axis, Bench, Chained, Compared, Facts, GridScan, Sampled
from pygama_gui.data.samples import Sample
from pygama_gui.data.wiring import value_units
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import curve_of, raw_column
from pygama_gui.session.state import DataSet, Session

LOAD_AFTER_MS = 400
"""A finished file is sampled a little later, when its waveforms are on screen."""
MOST_OF_PLACE = 0.2
"""A region wider than this share of where it stands is not that of a peak."""
LEAST_LIVE, LIVE_EVERY_S = 40, 4.0
"""While a run grows, its newest waveforms are taken as a sample so often, once there are so many of all."""
MUCH_MORE = 2
"""So many times as many waveforms may show a peak, or another channel, that was not to be seen before."""
INNER = 0.25
"""A peak nearer to an end of its window than this share of it belongs to another window."""

Line = tuple[float, float] | None


class Sandbox(QObject):
    """What the chain makes of a sample of the selected run."""

    compared = pyqtSignal(object)
    """A `Compared`, or None where there is no sample."""
    facts_known = pyqtSignal(object)
    traced = pyqtSignal(object)
    """Name -> array or number: what the chain makes of the present waveform."""
    cell_known = pyqtSignal(object, object)
    """(i, j) of a scan, and a `Tried` or a text."""
    scan_ended = pyqtSignal(str)
    """Empty where the scan is whole, or what went wrong."""
    sample_changed = pyqtSignal()
    line_missing = pyqtSignal(float)
    """No peak could be fitted at this place."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.last: Compared | None = None
        self._newest: tuple[str, Compared] | None = None
        """The run and what was compared last, also where its waveforms are not there any more."""
        self.facts: Facts | None = None
        self.traces: dict[str, Any] = {}
        self.present: Sample | None = None
        self.words = ""
        """What the sample is."""
        self.why_none = ""
        """Why no sample could be read of the file, where it could not."""
        self._sampled: tuple[tuple[Any, ...], Sampled] | None = None
        """Waveforms of which data the sample is, and it: of one channel, else peaks of other gains smear."""
        self._watchers: list[QWidget] = []
        self._bench: Bench | None = None
        self._is_from_file = False
        """Whether the sample is of the whole run: in its newest waveforms no peak may stand out yet."""
        self._key: tuple[Any, ...] = ()
        """Of which waveforms the sample is, or the one that is being read."""
        self._of_all: tuple[tuple[Any, ...], int | None] = ((), None)
        """Of which waveforms, and of which channel, the sample was where no channel was chosen."""
        self._live_at = 0.0
        self._live_taken: tuple[int, int | None] | None = None
        """Rows and channel of the newest waveforms that were taken."""
        self._references: dict[str, Chained] = {}
        self._is_busy = False
        self._sought: float | None = None
        self._is_line_sought = False
        self._is_line_old = False
        """Whether the peak was chosen in another run, and may not be there in this one."""
        self._lines: dict[tuple[str, str], Line] = {}
        """The peak of each run and column that were looked at."""
        self._chosen: dict[str, Line] = {}
        """The peak that was last chosen in each column, for runs not looked at yet."""
        self._suggested: set[tuple[Any, ...]] = set()
        self._n_sought_in = 0
        """Waveforms of the sample in which a peak was looked for last."""
        self._traced: tuple[Any, ...] = ()
        self._facts_of: tuple[Any, ...] = ()
        self._facts_left: Iterator[Facts] | None = None
        self._scan: GridScan | None = None
        self._cells: Iterator[Any] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOAD_AFTER_MS)
        self._timer.timeout.connect(self._load)
        bridge.session_changed.connect(self._on_session)
        bridge.data_grew.connect(self._on_data)
        bridge.started.connect(self._on_started)

    @classmethod
    def of(cls, bridge: Bridge) -> Sandbox:
        """Give the one sandbox of a bridge."""
        there = bridge.findChild(cls)
        return there if isinstance(there, cls) else cls(bridge)

    # Who looks, and at what

    def watch(self, widget: QWidget) -> None:
        """Work while this widget is seen."""
        self._watchers.append(widget)
        widget.destroyed.connect(lambda: self._watchers.remove(widget))

    def look(self) -> None:
        """Do what is due, because somebody looks again."""
        self._choose_sample()
        self._go_on()

    @property
    def _is_seen(self) -> bool:
        return any(widget.isVisible() for widget in self._watchers)

    @property
    def session(self) -> Session:
        """The present session."""
        return self.bridge.session

    @property
    def n_rows(self) -> int:
        """Waveforms of the sample; 0 where there is none."""
        return 0 if self._bench is None else len(self._bench.block)

    @property
    def has_few(self) -> bool:
        """Whether the sample has few waveforms yet, and more are taken as the run goes on."""
        return not self._is_from_file and 0 < self.n_rows < LEAST_LIVE

    @property
    def column(self) -> str:
        """The column that is compared: that of the spectrum where the chain gives it, or its last height."""
        units = value_units(self.session.chain)
        wanted = shown_column(self.session)
        if wanted in units or not units:
            return wanted
        heights = [name for name, unit in units.items() if unit in ("adc", "keV")]
        return (heights or list(units))[-1]

    def measure_of(self, column: str) -> Measure:
        """Give in what a column is told: keV as the spectrum, where the channel of the sample has a curve.

        Waveforms of several channels together have none.
        """
        session, run = self.session, self.session.selected_run
        if session.spectrum.column == column or shown_column(session) != column or self._sampled is None:
            return Measure(column)
        live, code = self.bridge.live(session.selected), self._sampled[1].code
        if code is None and live is not None:
            if len(live.channels) > 1:
                return Measure(column)
            code = next(iter(live.channels), None)
        of = run.members[0].run if isinstance(run, DataSet) else run
        return Measure(column, curve_of(session, of, column, code))

    @property
    def line_at(self) -> float | None:
        """Where the chosen peak, or else its window, stands by the chain that the run was processed with."""
        if (line := self.session.line) is None:
            return None
        fit = None if self.last is None or self.last.asked.line != line else self.last.old_fit
        return fit.position if fit is not None and fit.converged else (line[0] + line[1]) / 2

    @property
    def reference(self) -> Chained:
        """The chain that the present one is compared with: the one that the run was processed with."""
        return self._references.get(self.session.selected, self.session.chain)

    @property
    def is_changed(self) -> bool:
        """Whether the chain is another one than the run was processed with."""
        return self.asked.is_changed

    def show_waveform(self, sample: Sample | None) -> None:
        """Make this the waveform that cards show before and after their step."""
        if sample is not self.present:
            self.present = sample
            self._go_on()

    def look_for_line(self, at: float) -> None:
        """Choose the peak near a place."""
        self._is_line_old = False
        self._sought = at
        self._go_on()

    def suggest_line(self) -> None:
        """Choose the peak that tells most of the resolution."""
        self._is_line_old = False
        self._is_line_sought = True
        self._go_on()

    # The sample

    def _on_session(self, old: Session, new: Session) -> None:
        if old.selected != new.selected:
            self.present, self._traced = None, ()
            self._take_traces({})
        before, now = shown_column(old), shown_column(new)
        if (old.selected, before) != (new.selected, now):
            self._follow_line(old, new)
        elif old.line != new.line:
            self._is_line_old = False
            self._chosen[now] = new.line
            if new.line is None:  # no peak is wanted
                self._suggested |= {(new.selected, now, is_whole) for is_whole in (False, True)}
        if old.spectrum.roi != new.spectrum.roi and (line := raw_region(new)) is not None and is_narrow(line):
            self.bridge.change(changes.choose_line, line)
        if self._scan is not None and old.chain is not new.chain and not self._is_scanned(new):
            self.stop_scan()
        if (old.selected, old.spectrum.channel) != (new.selected, new.spectrum.channel):
            self._choose_sample()
        if old.chain is not new.chain or old.line != new.line or before != now:
            self._go_on()

    def _follow_line(self, old: Session, new: Session) -> None:
        """Take the peak that was chosen in this run and column, or try the one that was chosen last."""
        before, now = (old.selected, shown_column(old)), (new.selected, shown_column(new))
        if not self._is_line_old:
            self._lines[before] = old.line
        self._chosen.setdefault(before[1], old.line)
        line = new.line if old.line != new.line else self._lines.get(now, self._chosen.get(now[1]))
        self._is_line_old = line is not None and self._lines.get(now) != line
        if line != new.line:
            self._choose_quietly(line)

    def _choose_quietly(self, line: Line) -> None:
        """Choose a peak for this run, which says nothing of what is wanted in others."""
        is_old, chosen, suggested = self._is_line_old, dict(self._chosen), set(self._suggested)
        self.bridge.change(changes.choose_line, line)
        self._is_line_old, self._chosen, self._suggested = is_old, chosen, suggested

    def _on_started(self, run_ids: set[str]) -> None:
        if self.session.selected in run_ids:
            self._carry_line()
        for run_id in run_ids:
            self._references[run_id] = self.session.chain
        self._go_on()

    def _carry_line(self) -> None:
        """Put the peak where the chain moves it that becomes the one to compare with."""
        (run_id, last), line = self._newest or ("", None), self.session.line
        if last is None or line is None or not last.has_peak:
            return
        if (run_id, last.asked) == (self.session.selected, self.asked):
            self._choose_quietly((last.scale * line[0], last.scale * line[1]))

    def _on_data(self, run_ids: set[str]) -> None:
        if self.session.selected in run_ids and self._is_seen:
            self._choose_sample()

    def _choose_sample(self) -> None:
        """Find out which sample is wanted, and get it."""
        if not self._is_seen:
            return
        live = self.bridge.live(self.session.selected)
        if live is None:
            self._forget()
        elif live.tier1 is None:
            self._take_ring(live)
        elif (key := (id(live.samples), live.tier1, self.session.spectrum.channel)) != self._key:
            if self._is_there(key, live):
                self._key = key  # what is being read of another channel is not wanted any more
                self._timer.stop()
            else:
                self._timer.start()

    def _is_there(self, key: tuple[Any, ...], live: LiveRun) -> bool:
        """Tell whether the sample that is shown is the one that would be read from the file."""
        if self._bench is None or not self._is_from_file or self._sampled is None or self._key[:2] != key[:2]:
            return False
        code = self._sampled[1].code
        if len(live.channels) < 2:
            return code is None
        wanted = self._of_all[1] if key[2] is None and self._of_all[0] == key[:2] else key[2]
        return code is not None and code == wanted

    def _take_ring(self, live: LiveRun) -> None:
        """Take the newest waveforms of one channel, however few: of several gains peaks smear."""
        now = time.monotonic()
        is_other = self._key[:1] != (id(live.samples),)
        taken = (len(live.columns), self.session.spectrum.channel)
        if not is_other and self._live_taken == taken:
            return
        if len(live.samples) < LEAST_LIVE or (now - self._live_at < LIVE_EVERY_S and not is_other):
            if is_other:
                self._forget()
            return
        channel = self._channel_of_ring(live)
        samples = live.samples.of(None) if channel is None else live.samples.gather(channel)
        self._live_at, self._live_taken = now, taken
        block = preview.sample_of_ring(samples)
        if block is None:  # of the channel that was chosen no waveform came yet
            self._forget()
        self._key = (id(live.samples),)
        if block is None:
            return
        mixed = preview.sample_of_ring(live.samples.of(None)) or block
        of = "".join(f" of {name}" for name in self._whose(channel))
        self._take(Sampled(block, mixed, channel), f"newest waveforms{of}")
        self._seek_in_more(is_other=is_other)

    def _seek_in_more(self, *, is_other: bool) -> None:
        """Look for a peak again where none stood out in the few waveforms that there were."""
        if not is_other and self.n_rows < MUCH_MORE * self._n_sought_in:
            return
        self._n_sought_in = self.n_rows
        of = (self.session.selected, self.column)
        if (*of, True) not in self._suggested:  # else none is wanted
            self._suggested.discard((*of, False))
            self._go_on()

    def _channel_of_ring(self, live: LiveRun) -> int | None:
        """Give the channel whose newest waveforms are taken: that of before, unless another one is chosen.

        Where that has few, one with more than twice as many goes before it. None where there is one alone.
        """
        chosen = self.session.spectrum.channel
        if chosen in live.channels or len(live.channels) < 2:
            return chosen if len(live.channels) > 1 else None
        n_each = Counter(one.channel for one in live.samples.of(None))
        shown = [code for code in self.bridge.shown(live.channels) if n_each[code]]
        most = max(shown, key=lambda code: n_each[code], default=None)
        data, before = self._sampled or ((), None)
        if before is None or before.code not in shown or most is None or data != (id(live.samples),):
            return most
        has_enough = len(before.block) >= LEAST_LIVE or MUCH_MORE * n_each[before.code] >= n_each[most]
        return before.code if has_enough else most

    def _load(self) -> None:
        live = self.bridge.live(self.session.selected)
        if live is None or live.tier1 is None:
            return
        channel = self.session.spectrum.channel
        key = (id(live.samples), live.tier1, channel)
        run_id, tier1 = self.session.selected, live.tier1
        self._key = key
        is_known, made_with = run_id in self._references, live.chain or None
        shown = self.bridge.shown(live.channels) if len(live.channels) > 1 else []
        codes = live.columns.column(CODE) if CODE in live.columns else live.some_codes

        def read() -> tuple[Sampled | str, Chained | None]:
            reference = None if is_known else made_with or preview.chain_of_file(_tier2_beside(tier1))
            try:
                return preview.sample_of_file(tier1, *_chosen_or_most(channel, shown, codes)), reference
            except FileGone:
                raise
            except (PygamaError, OSError) as error:
                return str(error), reference

        self.bridge.in_background(
            read, lambda found: self._take_read(run_id, key, *found), lambda: self._lose(key)
        )

    def _lose(self, key: tuple[Any, ...]) -> None:
        """Have no sample, and look for one when somebody looks again: the file is gone, as was told."""
        if key == self._key:
            self._forget()
            self.compared.emit(None)

    def _take_read(
        self, run_id: str, key: tuple[Any, ...], found: Sampled | str, reference: Chained | None
    ) -> None:
        if reference is not None:
            self._references.setdefault(run_id, reference)
        if key != self._key:
            return
        if isinstance(found, str) or not len(found.block):
            self._forget()
            self._key, self.why_none = key, found if isinstance(found, str) else ""
            self.sample_changed.emit()
        else:
            if key[2] is None:
                self._of_all = (key[:2], found.code)
            self._take(found, self._words_of(run_id, found.code), is_from_file=True)

    def _whose(self, code: int | None) -> list[str]:
        """Name the channel of a sample, or all where a run with several is mixed; nothing of one alone."""
        if code is not None:
            return [self.bridge.channel_name(code)]
        live = self.bridge.live(self.session.selected)
        return ["all channels"] if live is not None and len(live.channels) > 1 else []

    def _words_of(self, run_id: str, code: int | None) -> str:
        """Say where the waveforms are from; of a data set, those of its first run are taken."""
        run = self.session.run(run_id)
        of = [run.members[0].run.title] if isinstance(run, DataSet) else []
        of += self._whose(code)
        return f"waveforms of {', '.join(of) or 'the run'}"

    def _take(self, sampled: Sampled, words: str, *, is_from_file: bool = False) -> None:
        (data, before), self._sampled = self._sampled or ((), sampled), (self._key[:1], sampled)
        if data == self._key[:1] and before.code != sampled.code and self.session.line is not None:
            self._is_line_old = True  # the peaks of another detector may stand elsewhere
        self._bench, self.words, self._is_from_file = Bench(sampled.block, sampled.mixed), words, is_from_file
        self.last, self.facts, self._facts_of, self._facts_left = None, None, (), None
        self.stop_scan()
        self.sample_changed.emit()
        self._go_on()

    def _forget(self) -> None:
        had_one, self.why_none = self._bench is not None, ""
        self._bench, self.last, self.facts, self._facts_left, self._key = None, None, None, None, ()
        self.stop_scan()
        if had_one:
            self.sample_changed.emit()
            self.compared.emit(None)

    def forget_results(self) -> None:
        """Compute all anew, because processors are others than before."""
        if self._bench is not None and self._sampled is not None:
            self._take(self._sampled[1], self.words, is_from_file=self._is_from_file)
        self._traced = ()

    # What is computed

    @property
    def asked(self) -> Asked:
        """What is to be compared now."""
        return Asked(self.session.chain, self.reference, self.column, self.session.line)

    def _go_on(self) -> None:
        """Give the most urgent piece of work to the thread, unless it has one."""
        if self._is_busy or not self._is_seen:
            return
        for choose in (self._seek_line, self._compare, self._trace, self._measure, self._try_cell):
            if choose():
                return

    def _compute(self, work: Callable[[], Any], then: Callable[[Any], None]) -> bool:
        self._is_busy = True
        self.bridge.compute(work, lambda found: self._came_back(then, found), self._failed)
        return True

    def _came_back(self, then: Callable[[Any], None], found: Any) -> None:
        self._is_busy = False
        then(found)
        self._go_on()

    def _failed(self) -> None:
        """Let the banner say what nobody foresaw; the next change tries again."""
        self._is_busy = False

    def _seek_line(self) -> bool:
        bench, asked = self._bench, self.asked
        if bench is None:
            self._sought = None
            return False
        if (at := self._sought) is not None:
            self._sought = None
            return self._compute(lambda: bench.line_at(asked, at), lambda line: self._take_line(line, at))
        key = (self.session.selected, asked.column, self._is_from_file)
        if self._is_line_sought or (asked.line is None and key not in self._suggested):
            self._is_line_sought = False
            self._suggested.add(key)
            return self._compute(
                lambda: bench.suggested_line(asked), lambda line: self._take_line(line, None)
            )
        return False

    def _take_line(self, line: Line, at: float | None) -> None:
        """Take a peak that was looked for. at: where; None: the one that stands out was."""
        if not self._is_line_old:
            if line is not None:
                self.bridge.change(changes.choose_line, line)
            elif at is not None:
                self.line_missing.emit(at)
        elif line is not None or at is not None or self._is_from_file:
            self._is_line_old = False
            if line is not None or at is None:
                self._choose_quietly(line)

    def _compare(self) -> bool:
        bench, asked = self._bench, self.asked
        if bench is None or (self.last is not None and self.last.asked == asked):
            return False
        return self._compute(lambda: bench.compare(asked), lambda found: self._take_compared(bench, found))

    def _take_compared(self, bench: Bench, found: Compared) -> None:
        if bench is not self._bench:
            return
        if self._is_line_old:
            self._check_line(found)
        self.last, self._newest = found, (self.session.selected, found)
        self.compared.emit(found)

    def _check_line(self, found: Compared) -> None:
        """Look whether the peak that was chosen in another run stands in its window in this one."""
        fit = next((one for one in (found.old_fit, found.new_fit) if one is not None and one.converged), None)
        if fit is None:
            self._is_line_sought = True  # another detector: its peaks stand elsewhere
            return
        low, high = fit.window
        margin = INNER * (high - low)
        if fit.position < low + margin or fit.position > high - margin:
            self._sought = fit.position  # another gain: the window comes along
        else:
            self._is_line_old = False

    def _trace(self) -> bool:
        sample = self.present or self._first_sample()
        wanted = (id(sample), self.session.chain)
        if sample is None or self._traced == wanted:
            return False
        chain = self.session.chain
        self._traced = wanted

        def take(traces: dict[str, Any]) -> None:
            if self._traced == wanted:  # else it is of a run that was left meanwhile
                self._take_traces(traces)

        return self._compute(lambda: preview.trace(chain, sample), take)

    def _first_sample(self) -> Sample | None:
        live = self.bridge.live(self.session.selected)
        samples = [] if live is None else live.samples.of(None)
        return samples[-1] if samples else None

    def _take_traces(self, traces: dict[str, Any]) -> None:
        self.traces = traces
        self.traced.emit(traces)

    def _measure(self) -> bool:
        bench, chain = self._bench, self.session.chain
        if bench is None:
            return False
        if self._facts_of != (id(bench), chain):
            self._facts_of = (id(bench), chain)
            self._facts_left = bench.facts(chain)
        left = self._facts_left
        if left is None:
            return False
        return self._compute(lambda: next(left, None), lambda facts: self._take_facts(left, facts))

    def _take_facts(self, left: Iterator[Facts], facts: Facts | None) -> None:
        if left is not self._facts_left:
            return
        if facts is None or facts.is_whole:
            self._facts_left = None
        if facts is not None and facts.is_whole:
            self.facts = facts
            self.facts_known.emit(facts)

    # A scan

    def scan(self, x: Axis, y: Axis) -> str:
        """Begin a scan of two settings; gives what is missing for it, or nothing."""
        if self._bench is None:
            return "there is no sample of waveforms; process the run first"
        if self.session.line is None:
            return "no peak is chosen; click one in the preview"
        self._scan = GridScan(self._bench.whole, self.asked, x, y)
        self._cells = self._scan.cells()
        self._go_on()
        return ""

    def stop_scan(self) -> None:
        """Give up the scan; what is known stays on screen."""
        if self._cells is not None:
            self._cells = None
            self.scan_ended.emit("stopped")
        self._scan = None

    @property
    def is_scanning(self) -> bool:
        """Whether a scan is under way."""
        return self._cells is not None

    def _is_scanned(self, session: Session) -> bool:
        """Whether a chain differs from the scanned one in nothing but the two settings."""
        scan = self._scan
        if scan is None or len(session.chain) != len(scan.chain):
            return False
        axes = {(scan.x.step, scan.x.name), (scan.y.step, scan.y.name)}
        return all(
            _without(one, at, axes) == _without(other, at, axes)
            for at, (one, other) in enumerate(zip(session.chain, scan.chain, strict=True))
        )

    def _try_cell(self) -> bool:
        cells = self._cells
        if cells is None:
            return False

        def work() -> Any:
            try:
                return next(cells, None)
            except PygamaError as error:
                return str(error)

        return self._compute(work, lambda found: self._take_cell(cells, found))

    def _take_cell(self, cells: Iterator[Any], found: Any) -> None:
        if cells is not self._cells:
            return
        if found is None or isinstance(found, str):
            self._cells = None
            self.scan_ended.emit(found or "")
        else:
            self.cell_known.emit(*found)


def _without(step: Any, at: int, axes: set[tuple[int, str]]) -> Any:
    """Give what of a step a scan leaves alone."""
    kept = {name: value for name, value in step.settings.items() if (at, name) not in axes}
    return step.step, kept, step.enabled, dict(step.inputs), dict(step.outputs), dict(step.channels)


def shown_column(session: Session) -> str:
    """Give the column of the spectrum; of energies, the one that they are made of, as the chain writes it."""
    return raw_column(session, session.spectrum.column)


def raw_region(session: Session) -> tuple[float, float] | None:
    """Give the region of the spectrum in the unit of what the chain writes; None where there is none."""
    shown, column = session.spectrum, shown_column(session)
    if shown.roi is None or shown.column == column:
        return shown.roi
    curve = curve_of(session, session.selected_run, column, shown.channel)
    if curve is None:
        return None
    low, high = sorted(curve.value(shown.roi).tolist())
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def is_narrow(region: tuple[float, float]) -> bool:
    """Tell whether a region may be that of one peak; a wide one is there to be counted or cut."""
    low, high = region
    return 0 < high - low < MOST_OF_PLACE * 0.5 * (low + high)


def _tier2_beside(tier1: Path) -> Path:
    return tier1.with_name(tier1.name.replace("t1_", "t2_", 1))


def _chosen_or_most(chosen: int | None, shown: list[int], codes: np.ndarray) -> tuple[int | None, float]:
    """Give the channel to take a sample of, and its share of the rows: the chosen one, or that with most.

    None, which takes all, of a run with one channel alone or with few waveforms of each. codes: of the
    channels of all rows, or of some from all over the file, (n_rows,).
    """
    counts = {code: int(np.count_nonzero(codes == code)) for code in shown}
    if chosen is not None and counts.get(chosen):
        return chosen, counts[chosen] / len(codes)
    most = max(counts, key=lambda code: counts[code], default=None)
    if most is None or counts[most] < LEAST_LIVE:
        return None, 1.0
    return most, counts[most] / len(codes)
