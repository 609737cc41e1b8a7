"""Shows what the settings do to the spectrum while they are moved: the old one behind the new one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, pyqtSignal
from PyQt5.QtGui import QResizeEvent, QShowEvent
from PyQt5.QtWidgets import QAction, QMenu, QVBoxLayout

from pygama_gui.bridge import Bridge
from pygama_gui.data.measure import Measure
from pygama_gui.data.preview import Asked, Bench, Compared
from pygama_gui.sandbox import Sandbox
from pygama_gui.session import changes
from pygama_gui.session.state import DEFAULT_CHAIN, DataSet, Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.views.chain.effect import SAME_PLACE, effect_words
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.parts import Elided, button, icon_button, label, link, row
from pygama_gui.widgets.plot import Entry, Plot, histogram_path, plot_actions

LEAST_HEIGHT = 90
N_FIT_POINTS = 200
OLD, NEW = 5, 10
"""Which of the two lies in front."""
ENDS = {"failed": "failed", "stopped": "was stopped"}


class PreviewView(View):
    """Two small spectra of the same waveforms: as processed, and with the settings as they are now."""

    TITLE = "Preview"
    HELP = (
        "The spectrum of a sample of this run, as it was processed (grey) and with the present settings. "
        "Click a peak to judge the settings by it; files stay as they are until the run is processed again."
    )
    SHORTCUTS = (("a", "Show the whole spectrum or the peak"), ("p", "Choose the peak that stands out"))

    process_asked = pyqtSignal()
    """The run is to be processed with the present settings."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.sandbox = Sandbox.of(bridge)
        self.found: Compared | None = None
        self.is_whole = False
        self._problem = ""
        self.plot = Plot("Preview of the spectrum", "trap_max (ADC)", "counts")
        self.plot.setMinimumHeight(LEAST_HEIGHT)
        self.plot.fill_menu = self._fill_menu
        self.plot.y_axis.setWidth(52)
        self.old_curve, self.new_curve, self.fit_curve = (pg.PlotCurveItem() for _ in range(3))
        for curve, height in ((self.old_curve, OLD), (self.new_curve, NEW), (self.fit_curve, NEW + 5)):
            curve.setZValue(height)
            self.plot.addItem(curve)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        self.plot.box.zoom_changed.connect(self.redraw_soon)
        self.plot.box.region_dragged.connect(self._choose)
        self._make_words()
        self._lay_out()
        self._actions = plot_actions(self.plot, self._entries())
        self.menu = Menu("Pre&view", self)
        self.menu.addActions(self._actions)
        self.sandbox.watch(self)
        self.sandbox.compared.connect(self._take)
        self.sandbox.sample_changed.connect(self.redraw_soon)
        self.sandbox.line_missing.connect(self._say_missing)

    @classmethod
    def demo(cls) -> PreviewView:
        """Show two made-up spectra."""
        bridge = Bridge()
        view = cls(bridge)
        run = Run("1", Path("Run9001"), 9001)
        bridge.change(changes.add_runs, [run])
        bridge.adopt(1, run)
        view._take(_made_up())
        return view

    def _entries(self) -> list[Entry]:
        return [
            ("&Whole spectrum / peak", "A", self.toggle_whole),
            ("Choose the &peak that stands out", "P", self.sandbox.suggest_line),
            ("Choose &no peak", "", lambda: self.bridge.change(changes.choose_line, None)),
        ]

    def view_actions(self) -> list[QAction]:
        """Give what can be done with the preview."""
        return self._actions

    def _make_words(self) -> None:
        self.fwhm = Elided(tone="", bold=True)
        self.fwhm.setAccessibleName("Widths of the peak before and now")
        self.change = label(tone="soft", px=theme.SMALL)
        self.change.setWordWrap(True)
        self.change.setAccessibleName("What the settings change")
        self.sample = Elided()
        self.all_button = icon_button("all", "Show the whole spectrum or the peak (A)", self.toggle_whole)
        self.all_button.setCheckable(True)
        self.again_button = button(
            "Process again", "Process the run with these settings", "Make its files again with these settings"
        )
        self.again_button.setObjectName("compact")
        self.again_button.clicked.connect(lambda: self.process_asked.emit())
        self.back_link = link(
            "As processed", "Take the settings that the run was processed with", self._go_back
        )

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        head = row(label(self.TITLE, bold=True))
        head.addWidget(self.sample, 1)
        head.addWidget(self.all_button)
        column.addLayout(head)
        column.addWidget(self.fwhm)
        column.addWidget(self.change)
        column.addWidget(self.plot, 1)
        column.addLayout(row(self.again_button, self.back_link, None))
        self.again_button.hide()
        self.back_link.hide()

    # What the session and the sandbox bring

    def on_session(self, old: Session, new: Session) -> None:
        """Follow the run and the peak."""
        if old.selected != new.selected:
            self.found, self._problem = None, ""
            self.plot.box.forget_zoom()
        if old.line != new.line:
            self.is_whole, self._problem = new.line is None, ""
            self.plot.box.forget_zoom()
        if old.spectrum.column != new.spectrum.column:  # it is told in keV then, or no longer
            self.plot.box.forget_zoom()
        if (
            old.selected != new.selected
            or old.line != new.line
            or old.chain is not new.chain
            or old.spectrum.column != new.spectrum.column
            or old.calibrations is not new.calibrations
        ):
            self.redraw_soon()

    def on_jobs(self, run_ids: set[str]) -> None:
        """Offer to process again only while the run is not under way."""
        if self.session.selected in run_ids:
            self.redraw_soon()

    def on_data(self, run_ids: set[str]) -> None:
        """Say why there is no sample, where the data that came have no waveforms."""
        if self.session.selected in run_ids and self.found is None:
            self.redraw_soon()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Let the sandbox work while the preview is seen."""
        super().showEvent(event)
        self.sandbox.look()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Thin the curves to the pixels there are."""
        super().resizeEvent(event)
        self.redraw_soon()

    def _take(self, found: Compared | None) -> None:
        self.found = found
        self.redraw_soon()

    # What a person does

    def toggle_whole(self) -> None:
        """Show the whole spectrum, or the peak."""
        self.is_whole = not self.is_whole
        self.plot.box.forget_zoom()
        self.redraw_soon()

    def _clicked(self, event: Any) -> None:
        at = event.scenePos()
        if (
            event.button() == pg.QtCore.Qt.MouseButton.LeftButton
            and self.plot.box.sceneBoundingRect().contains(at)
        ):
            self.pick(self.plot.box.mapSceneToView(at))

    def pick(self, at: QPointF) -> None:
        """Choose the peak at a place of the plot."""
        if math.isfinite(place := float(self._measure.written(at.x()))):
            self.sandbox.look_for_line(place)

    def _choose(self, low: float, high: float) -> None:
        ends = sorted(self._measure.written([low, high]).tolist())
        if all(map(math.isfinite, ends)):
            self.bridge.change(changes.choose_line, (ends[0], ends[1]))

    def _say_missing(self, at: float) -> None:
        measure = self._measure
        place = words.level(float(measure.shown(at)))
        self._problem = f"no peak could be fitted at {place} {measure.unit}".rstrip()
        self.redraw_soon()

    @property
    def _measure(self) -> Measure:
        """In what the plot is told."""
        return self.sandbox.measure_of(self.sandbox.column if self.found is None else self.found.asked.column)

    def _go_back(self) -> None:
        self.bridge.change(changes.take_chain, self.sandbox.reference)

    # Drawing

    def redraw(self) -> None:
        """Draw both spectra and say what is different."""
        found = self.found
        self.plot.show_hint("" if found is not None else self._why_empty())
        self._show_words(found)
        if found is None:
            for curve in (self.old_curve, self.new_curve, self.fit_curve):
                curve.setData([], [])
            return
        is_at_line = found.line_edges is not None and not self.is_whole
        edges = found.line_edges if is_at_line else found.edges
        old, new = (found.line_old, found.line_new) if is_at_line else (found.old, found.new)
        assert edges is not None
        fitted = self._fitted(found, edges) if is_at_line else None
        spectra, measure = [counts for counts in (old, new) if counts is not None], self._measure
        edges = measure.shown(edges)
        self._fit_view(edges, spectra, 0.0 if fitted is None else float(fitted[1].max()))
        present = theme.current()
        is_same = not found.asked.is_changed
        self._draw(self.old_curve, edges, None if is_same else old, present.pen("faint"), "line")
        self._draw(self.new_curve, edges, new, present.pen("accent"), None)
        x, heights = ([], []) if fitted is None else fitted
        self.fit_curve.setData(measure.shown(x), heights, pen=present.pen("marker"), skipFiniteCheck=True)
        name = f"{measure.name} ({measure.unit})" if measure.unit else measure.name
        if is_at_line and abs(found.scale - 1) > SAME_PLACE:
            name = f"{name}, new ÷ {found.scale:.4f}"
        self.plot.label_axes(name, "counts")
        self.drawn.emit()

    def _draw(
        self,
        curve: pg.PlotCurveItem,
        edges: np.ndarray,
        counts: np.ndarray | None,
        pen: Any,
        fill: str | None,
    ) -> None:
        if counts is None:
            curve.setData([], [])
            return
        low, high = self.plot.box.viewRange()[0]
        x, y = histogram_path(edges, counts, (low, high), max(int(self.plot.box.width()), 100))
        brush = theme.current().color(fill) if fill else None
        curve.setData(x, y, pen=pen, brush=brush, fillLevel=0.0 if fill else None, skipFiniteCheck=True)

    def _fitted(self, found: Compared, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Give the fitted peak as it lies on the bins: x and heights; None where none was fitted."""
        fit = found.new_fit
        if fit is None or not fit.converged:
            return None
        x = np.linspace(edges[0], edges[-1], N_FIT_POINTS)
        return x, fit.density(x * found.scale) * found.scale * (edges[1] - edges[0])

    def _fit_view(self, edges: np.ndarray, spectra: list[np.ndarray], top: float) -> None:
        box = self.plot.box
        if not box.zoomed_x:
            box.setXRange(float(edges[0]), float(edges[-1]), padding=0)
        if not box.zoomed_y:
            low, high = np.searchsorted(edges, box.viewRange()[0])
            tops = (counts[max(low - 1, 0) : max(high, 1)].max(initial=1) for counts in spectra)
            top = max(top, *map(float, tops), 1.0)
            box.setYRange(-0.03 * top, 1.12 * top, padding=0)

    def _show_words(self, found: Compared | None) -> None:
        self.all_button.setChecked(self.is_whole)
        self.all_button.setEnabled(found is not None)
        effect = None if found is None else effect_words(found, self._measure)
        self.fwhm.setText("" if effect is None else effect.fwhm)
        if self.fwhm.text() and found is not None:
            self.fwhm.setToolTip(f"{self.fwhm.text()}\n{self._how(found)}")
        self.fwhm.setVisible(bool(self.fwhm.text()))
        text, tone = ("", "soft") if effect is None else (effect.change, effect.tone)
        if self._problem:
            text, tone = self._problem, "warn"
        elif self.sandbox.has_few and not (found is not None and found.has_peak):
            text, tone = "Few waveforms of this channel so far; more are taken as they come", "soft"
        elif found is not None and found.asked.line is None and not found.problem:
            text = "Click a peak to see what the settings do to its width"
        self.change.setText(text)
        self.change.setVisible(bool(text))
        theme.mark(self.change, "tone", tone)
        self._show_sample(found)
        run = self.session.selected_run
        can_run = run is not None and run.can_be_processed and not self.bridge.is_active(run.run_id)
        is_changed = found is not None and self.sandbox.is_changed
        self.again_button.setVisible(is_changed and can_run)
        self.back_link.setVisible(is_changed)

    def _show_sample(self, found: Compared | None) -> None:
        text = "" if found is None else self._sample_words(found)
        if found is not None and found.n_nan:
            text += f", {words.count(found.n_nan)} without a value"
        self.sample.setText(text)
        self.sample.short = text.replace("newest waveforms", "newest")

    def _sample_words(self, found: Compared) -> str:
        """Count the waveforms and say of what they are."""
        of = self.sandbox.words or "waveforms"
        return f"{words.count(found.n)} {of if found.n != 1 else of.replace('waveforms', 'waveform', 1)}"

    def _how(self, found: Compared) -> str:
        """Say of what the widths are, since other views tell those of other events."""
        sample = self._sample_words(found)
        if self._measure.curve is None:
            return f"One fit to {sample}, before cuts and calibration"
        scale = "" if abs(found.scale - 1) <= SAME_PLACE else ", at the gain that it was made for"
        return f"One fit to {sample}, before cuts; in keV by the calibration of the run{scale}"

    def _why_empty(self) -> str:
        if (run := self.session.selected_run) is None:
            return "A sample of the selected run appears here."
        live, state = self.bridge.live(self.session.selected), self.bridge.state(self.session.selected)
        if live is None:
            return self.bridge.gone.why_unread(run) or "Process the run to try settings on it."
        if why := self.bridge.data_sets.why_no_waveforms(self.session.selected):
            return why
        if state is not None and state.state in ENDS and not len(live.columns):
            return f"No sample: the run {ENDS[state.state]}."
        if state is not None and state.has_ended and not len(live.columns):
            return "Reading the waveforms…" if state.rows else "No waveforms in this run."
        if live.tier1 is None and not isinstance(run, DataSet) and not run.can_be_processed:
            return "No sample: there is no Tier 1 file of the run."
        if state is not None and live.tier1 is None:
            ended = "No sample: the run came to no finished file."
            return ended if state.has_ended else "A sample is taken once enough waveforms came."
        if live.tier1 in self.bridge.gone:
            return f"No sample: {live.tier1.name} is not where it was."
        if why := self.sandbox.why_none:
            return f"No sample: {why}"
        return "Taking a sample of the waveforms…"

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.plot.recolor()
        self.redraw_soon()

    def _fill_menu(self, menu: QMenu) -> None:
        menu.addActions(self._actions)


def _made_up() -> Compared:
    """Compare two made-up spectra: the demo of the view."""
    from pygama.block import Block

    waves = np.stack([madeup.pulse(height, seed=at) for at, height in enumerate(madeup.heights(300))])
    rows = np.zeros(len(waves), [("channel", np.int64), ("period_ns", np.float64)])
    rows["period_ns"] = madeup.PERIOD_NS
    asked = Asked(DEFAULT_CHAIN, DEFAULT_CHAIN, "trap_max", (3300.0, 3800.0))
    return Bench(Block(madeup.DECODER, rows, waves)).compare(asked)
