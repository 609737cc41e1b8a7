"""Saves the spectrum as a picture, a table or a file of other programs, or copies it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QApplication

import pygama
from pygama.analysis.region_fit import RegionFit
from pygama_gui.data import chain_facts
from pygama_gui.data.selection import chooses_times, passing_of
from pygama_gui.data.spectrum_pictures import (
    SPECTRUM_KINDS,
    FitCurve,
    Histogram,
    Region,
    SpectrumPicture,
    csv_text,
    png_bytes,
    save,
)
from pygama_gui.session.calibration_changes import KEV, calibrations_of, raw_column
from pygama_gui.views.exporting import Saver
from pygama_gui.views.spectrum.fit_curves import Scale, goodness_words, peak_words
from pygama_gui.views.spectrum.region import region_words
from pygama_gui.widgets import words

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.drawing import Picture
    from pygama_gui.views.spectrum.view import SpectrumView


class SpectrumExporter(Saver[SpectrumPicture]):
    """Puts together what the spectrum shows, and writes it aside."""

    KINDS = SPECTRUM_KINDS
    TITLE = "Save the spectrum"
    NOTHING = "There is no spectrum to save yet"

    def __init__(self, view: SpectrumView) -> None:
        super().__init__(view)
        self._view = view

    def write(self, picture: SpectrumPicture, path: Path) -> None:
        """Write a file, in a thread. Raises OSError."""
        save(picture, path)

    def table(self, picture: SpectrumPicture) -> str:
        """Give the bins as CSV."""
        return csv_text(picture)

    def name(self) -> str:
        """Suggest a name for the file: run, column and channel."""
        view = self._view
        parts = [*self.run_name(), view.choice.column]
        if view.channel is not None:
            parts.append(view.bridge.channel_name(view.channel))
        return "_".join(parts).replace(" ", "").replace("/", "-")

    def copy_picture(self) -> None:
        """Copy the picture as it would be saved; it is drawn in a thread."""
        picture = self.picture()
        if picture is None:
            self._view.bridge.log(self.NOTHING, "warning")
        else:
            self._view.bridge.compute(lambda: png_bytes(picture), self._take_png, lambda: None)

    def _take_png(self, data: bytes) -> None:
        QApplication.clipboard().setImage(QImage.fromData(data, "PNG"))
        self._view.bridge.log("Copied the picture of the spectrum")

    def picture(self) -> SpectrumPicture | None:
        """Put together what is shown; None where there is nothing."""
        view, drawn = self._view, self._view.picture
        live = view.bridge.live(view.session.selected)
        if drawn is None or live is None:
            return None
        unit, is_log = chain_facts.unit_of(view.choice.column), view.choice.is_log
        (left, right), (bottom, top) = view.plot.box.viewRange()
        run = view.session.selected_run
        about = self._about(drawn)
        of_part = chooses_times(passing_of(view.session))
        is_known = not of_part and live.times is not None
        live_s = live.times.of(view.channel).live_s if is_known and live.times is not None else math.nan
        live_s = live.seconds(view.channel) if math.isfinite(live_s) else math.nan
        real_s = math.nan if of_part else np.nanmax([live.duration_s, live_s])
        return SpectrumPicture(
            edges=drawn.edges,
            main=Histogram(self._main_name(), drawn.counts),
            column=view.choice.column,
            unit=unit,
            x_label=view.plot.labels["bottom"],
            y_label=view.plot.labels["left"],
            others=self._others(drawn),
            is_main_drawn=not view.is_apart,
            scale=drawn.unit,
            fits=tuple(self._fit(fit, drawn, is_chosen) for fit, is_chosen in view.peaks.shown_fits()),
            regions=self._regions(unit),
            marks=self._marks(unit),
            below=view.drawing.below(drawn),
            is_log=is_log,
            x_range=(float(left), float(right)),
            y_range=(10**bottom, 10**top) if is_log else (bottom, top),
            real_time_s=float(real_s) or math.nan,
            live_time_s=live_s,
            start_s=float(run.start_time) if run is not None and run.start_time else math.nan,
            about=about,
            made=view.made(about),
            finest=view.fine_bins() if view.choice.width is None else None,
        )

    def _main_name(self) -> str:
        view = self._view
        name = view.bridge.name_of(view.session.selected)
        return f"{name}, passing the cuts" if view.counting.passing.are_cuts_on else name

    def _others(self, drawn: Picture) -> tuple[Histogram, ...]:
        behind = () if drawn.of_all is None else (Histogram("all events", drawn.of_all, is_behind=True),)
        return (*behind, *(Histogram(one.name, one.counts, one.scale) for one in drawn.over))

    def _fit(self, fit: RegionFit, drawn: Picture, is_chosen: bool) -> FitCurve:  # noqa: FBT001
        unit = chain_facts.unit_of(self._view.choice.column)
        scale = Scale(drawn.edges, drawn.unit, False, unit)
        low, high = float(fit.edges[0]), float(fit.edges[-1])
        x, y = scale.path(fit.density, low, high)
        tops = []
        for peak in fit.peaks:
            told = peak_words(peak, unit)
            told += f"\n{goodness_words(fit)}" if is_chosen and peak is fit.peaks[0] else ""
            top = max(float(np.interp(peak.position, x, y)), _highest(drawn, peak.position, peak.fwhm))
            tops.append((peak.position, top, told))
        return FitCurve(x, y, scale.path(fit.background, low, high), tuple(tops), is_chosen)

    def _regions(self, unit: str) -> tuple[Region, ...]:
        view, roi = self._view, self._view.choice.roi
        marked = [] if roi is None else [Region(*roi, region_words(view.measured(roi), unit))]
        return (*marked, *(Region(one.low, one.high, one.name) for one in view.peaks.kept()))

    def _marks(self, unit: str) -> tuple[tuple[float, str], ...]:
        view = self._view
        marks = [(x, f"{words.level(x)} {unit}".rstrip()) for x in view.choice.markers]
        return (*marks, *view.peaks.gamma_lines())

    def _about(self, drawn: Picture) -> dict[str, str]:
        """Say what the spectrum is of and how it was made."""
        view, session = self._view, self._view.session
        run, column = session.selected_run, view.choice.column
        about: dict[str, str] = {}
        if run is not None:
            about |= run.about
        about["column"] = column
        if view.channel is not None:
            about["channel"] = view.bridge.channel_name(view.channel)
        low, high, n_bins = float(drawn.edges[0]), float(drawn.edges[-1]), len(drawn.counts)
        about["bins"] = f"{n_bins} from {low:.10g} to {high:.10g}"
        raw = raw_column(session, column)
        for one in calibrations_of(session, run) if column.endswith(KEV) else ():
            if one.column == raw:
                sources = sorted({held.source for held in one.channels.values() if held.source})
                about["calibration"] = f"{one.column} with {', '.join(sources) or 'lines'}"
        for cut in session.cuts:
            state = [word for word, is_so in (("off", not cut.enabled), ("inverted", cut.inverted)) if is_so]
            about[f"cut {cut.name}"] = cut.expression + (f" ({', '.join(state)})" if state else "")
        about["chain"] = json.dumps(session.to_chain())
        about["made by"] = f"pygama {pygama.__version__}"
        title = [run.title] if run is not None else []
        title += [column, *([about["channel"]] if "channel" in about else [])]
        return {"title": ", ".join(title), **about}


def _highest(drawn: Picture, x: float, reach: float) -> float:
    """Give how high the highest bin near a place is drawn."""
    ends = np.searchsorted(drawn.edges, [x - reach, x + reach])
    first, last = max(int(ends[0]) - 1, 0), int(ends[1])
    counts = drawn.counts if drawn.of_all is None else drawn.of_all
    return float(counts[first:last].max(initial=0)) * drawn.unit
