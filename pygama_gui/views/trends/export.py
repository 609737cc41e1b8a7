"""Saves the trends as a picture or a table, or copies their values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pygama
from pygama_gui.data.trend_pictures import Panel, TrendPicture, csv_text, save
from pygama_gui.views.exporting import Saver

if TYPE_CHECKING:
    from pygama_gui.views.trends.view import TrendsView


class TrendExporter(Saver[TrendPicture]):
    """Puts together what the trends show, and writes it aside."""

    TITLE = "Save the trends"
    NOTHING = "There are no trends to save yet"

    def __init__(self, view: TrendsView) -> None:
        super().__init__(view)
        self._view = view

    def write(self, picture: TrendPicture, path: Path) -> None:
        """Write a file, in a thread. Raises OSError."""
        save(picture, path)

    def table(self, picture: TrendPicture) -> str:
        """Give all values as CSV."""
        return csv_text(picture)

    def name(self) -> str:
        """Suggest a name for the file."""
        return "_".join((*self.run_name(), "trends"))

    def picture(self) -> TrendPicture | None:
        """Put together what is shown; None where there is nothing."""
        view = self._view
        panels = tuple(self._panel(kind) for kind, plot in view.plots.items() if view.is_shown(kind))
        if not panels:
            return None
        low, high = view.plots["rate"].box.viewRange()[0]
        about = self._about()
        return TrendPicture(
            panels,
            view.clock.start,
            (float(low), float(high)),
            view.choice.window,
            about,
            view.made(about),
        )

    def _panel(self, kind: str) -> Panel:
        view = self._view
        plot = view.plots[kind]
        low, high = plot.box.viewRange()[1]
        has_band = view.choice.has_band
        return Panel(
            view.captions[kind].text(),
            plot.lines[0].series.unit,
            tuple((line.name, line.series) for line in plot.lines),
            tuple(line.band if has_band else None for line in plot.lines),
            view.told[kind].text(),
            (float(low), float(high)),
        )

    def _about(self) -> dict[str, str]:
        """Say what the trends are of and how they were made."""
        view, session, run = self._view, self._view.session, self._view.session.selected_run
        title = "Trends" if run is None else f"{run.title}, trends"
        about = {"title": title}
        if run is not None:
            about |= run.about
        about["summary"] = view.summary.text()
        about |= {
            f"cut {cut.name}": cut.expression + ("" if cut.enabled else " (off)") for cut in session.cuts
        }
        about["chain"] = json.dumps(session.to_chain())
        return about | {"made by": f"pygama {pygama.__version__}"}
