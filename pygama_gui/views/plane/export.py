"""Saves the plane as PNG, SVG or CSV with how it was made, or copies its counts as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtWidgets import QApplication

import pygama
from pygama_gui.data.density import Density
from pygama_gui.data.plane import share_in_slice
from pygama_gui.data.waveform_files import Curve, Picture, csv_text, save
from pygama_gui.views.exporting import Saver

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import PlaneView


class PlaneExporter(Saver[Picture]):
    """Puts together what is shown, and writes it aside."""

    NOTHING = "There is no plane to save yet"

    def __init__(self, view: PlaneView) -> None:
        super().__init__(view)
        self._view = view

    def write(self, picture: Picture, path: Path) -> None:
        """Write a file, in a thread. Raises OSError."""
        save(picture, path)

    def table(self, picture: Picture) -> str:
        """Give the counts as CSV."""
        return csv_text(picture)

    def copy_picture(self) -> None:
        """Copy the plane as it is seen."""
        if self._view.plane is not None:
            QApplication.clipboard().setPixmap(self._view.canvas.grab())
            self._view.bridge.log("Copied the picture of the plane")

    def name(self) -> str:
        """Suggest a name for the file."""
        view = self._view
        return "_".join((*self.run_name(), view.y_name, "against", view.x_name))

    def picture(self) -> Picture | None:
        """Put together what is shown; None where there is nothing."""
        view, plane = self._view, self._view.plane
        if plane is None:
            return None
        edges = plane.x.edges, plane.y.edges
        x, y = ((part[:-1] + part[1:]) / 2 for part in edges)
        at_x, at_y = np.nonzero(plane.counts)
        is_share = view.choice.is_normalised
        shown = 100 * share_in_slice(plane.counts) if is_share else plane.counts
        labels = view.plot.labels
        profile = view.profile
        curves = (
            [] if profile is None else [Curve(f"{view.choice.profile} of the slice", profile.x, profile.y)]
        )
        about = self._about()
        ranges = [(float(low), float(high)) for low, high in view.box.viewRange()]
        for name, gate in view.gates.shapes().items():
            corners = gate.outline(*ranges)
            inside = view.gates.inside.get(name)
            words = name if inside is None else f"{name}: {inside.words}"
            curves.append(Curve(words, *np.vstack((corners, corners[:1])).T))
        return Picture(
            labels["bottom"],
            labels["left"],
            curves=tuple(curves),
            columns=(
                (plane.x.column, x[at_x]),
                (plane.y.column, y[at_y]),
                ("counts", plane.counts[at_x, at_y]),
                *((("percent of the slice", shown[at_x, at_y]),) if is_share else ()),
            ),
            about=about,
            made=view.made(about),
            density=Density(shown, (plane.x.low, plane.x.high), (plane.y.low, plane.y.high), plane.n_inside),
            density_label="percent of the slice" if is_share else "counts per bin",
            has_log_density=view.choice.is_log,
            x_range=ranges[0],
            y_range=ranges[1],
        )

    def _about(self) -> dict[str, str]:
        """Say what the picture is of and how it was made."""
        view, plane = self._view, self._view.plane
        session, run = view.session, view.session.selected_run
        assert plane is not None
        about: dict[str, str] = {}
        if run is not None:
            about |= run.about
        if view.channel is not None:
            about["channel"] = view.bridge.channel_name(view.channel)
        for axis in (plane.x, plane.y):
            about[f"bins of {axis.column}"] = f"{axis.n_bins} from {axis.low:.10g} to {axis.high:.10g}"
        about["events"] = str(plane.n_inside)
        for cut in session.cuts:
            state = ", ".join(
                word for word, is_so in (("off", not cut.enabled), ("inverted", cut.inverted)) if is_so
            )
            about[f"cut {cut.name}"] = f"{cut.expression} ({state})" if state else cut.expression
        about["chain"] = json.dumps(session.to_chain())
        about["made by"] = f"pygama {pygama.__version__}"
        title = f"{plane.y.column} against {plane.x.column}"
        if run is not None:
            title = f"{run.title}, {title}"
        return {"title": title, **about}
