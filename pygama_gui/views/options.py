"""Shows the options of Tier 0 as a form that is made from their declaration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt5.QtWidgets import QComboBox, QVBoxLayout

from pygama.errors import SettingsError
from pygama.processing.declare import Setting, settings_of
from pygama.processing.windows import Tier0Options, read_options
from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import Run, Session
from pygama_gui.views import madeup
from pygama_gui.views.base import View
from pygama_gui.widgets import theme
from pygama_gui.widgets.form import Form
from pygama_gui.widgets.parts import label, row

DIGITIZER_MARKS = ("Waveform", "ForEnergy")


class OptionsView(View):
    """What can be chosen when raw data become Tier 1."""

    TITLE = "Tier 0"
    HELP = "What is cut out of the raw records for the Tier 1 file. The next run that is started takes it."

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        self.remark = label("for raw files alone", tone="soft", px=theme.SMALL)
        self.remark.setToolTip("Of a Tier file, what is kept of the raw records is settled")
        self.column.addLayout(row(label(self.TITLE, bold=True), self.remark, None))
        self._digitizers: tuple[str, ...] = ()
        self._period_ns: float | None = None
        self.form = self._make_form()
        self._show()

    @classmethod
    def demo(cls) -> OptionsView:
        """Show the form with a window chosen."""
        bridge = Bridge()
        bridge.change(
            changes.add_runs, [Run("1", Path("Run72"), 72, decoders=(madeup.DECODER, "ORRunDecoderForRun"))]
        )
        bridge.change(changes.set_tier0, "window", "max")
        return cls(bridge)

    def on_session(self, old: Session, new: Session) -> None:
        """Show the options of the session."""
        is_other = old.tier0.get("digitizer") != new.tier0.get("digitizer")
        if old.selected != new.selected or old.runs is not new.runs or is_other:
            self.redraw_soon()
        if old.tier0 is not new.tier0 or old.selected != new.selected or old.runs is not new.runs:
            self._show()

    def on_data(self, run_ids: set[str]) -> None:
        """Learn the sampling period from the first waveforms that come."""
        if self.session.selected in run_ids and self._period_of_run() != self._period_ns:
            self._show()

    def redraw(self) -> None:
        """Offer the digitizers of the run: a field made anew has no part in the turn in which a run comes."""
        self._offer_digitizers()

    def _make_form(self) -> Form:
        self._digitizers = self._digitizers_of_run()
        form = Form(tuple(self._offered(setting) for setting in settings_of(Tier0Options)))
        form.edited.connect(self._edit)
        form.reset_asked.connect(lambda name: self.bridge.change(changes.reset_tier0, name))
        form.settled.connect(self.bridge.store.settle)
        self.column.insertWidget(1, form)
        return form

    def _offered(self, setting: Setting) -> Setting:
        """Offer the digitizers of the run as choices."""
        if setting.name != "digitizer" or not self._digitizers:
            return setting
        chosen = self.session.tier0.get("digitizer")
        offered = dict.fromkeys((*self._digitizers, *([chosen] if chosen else [])))
        return replace(setting, choices=tuple(offered))

    def _digitizers_of_run(self) -> tuple[str, ...]:
        run = self.session.selected_run
        names = () if run is None else run.decoders
        return tuple(name for name in names if any(mark in name for mark in DIGITIZER_MARKS))

    def _offer_digitizers(self) -> None:
        chosen, box = self.session.tier0.get("digitizer"), self.form.fields["digitizer"].control
        is_offered = not chosen or not isinstance(box, QComboBox) or box.findText(chosen) >= 0
        if self._digitizers_of_run() == self._digitizers and is_offered:
            return
        self._digitizers = self._digitizers_of_run()
        for setting in settings_of(Tier0Options):
            if setting.name == "digitizer":
                self.form.renew_field(self._offered(setting))
        self._show()

    def _edit(self, name: str, value: Any) -> None:
        """Take an option, unless no worker could take it with the others."""
        try:
            read_options({**self.session.tier0, name: value})
        except SettingsError as error:
            if name in str(error):
                self.form.fields[name].refuse(str(error))
                return
        self.bridge.change(changes.set_tier0, name, value, merge=f"tier0 {name}")

    def _period_of_run(self) -> float | None:
        live = self.bridge.live(self.session.selected)
        return None if live is None else live.samples.record[0]

    def _show(self) -> None:
        run = self.session.selected_run
        self.remark.setVisible(run is not None and not run.is_raw)
        self._period_ns = self._period_of_run()
        self.form.show_values(self.session.tier0, period_ns=self._period_ns)
        is_cut = self.session.tier0.get("window", "none") != "none"
        for name, field in self.form.fields.items():
            if name not in ("window", "digitizer"):
                field.setVisible(is_cut)
