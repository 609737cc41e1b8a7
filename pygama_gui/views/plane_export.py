"""Saves the plane as PNG, SVG or CSV with how it was made, or copies its counts as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PyQt5.QtWidgets import QApplication, QFileDialog

import pygama
from pygama_gui.data.density import Density
from pygama_gui.data.plane import share_in_slice
from pygama_gui.data.waveform_files import KINDS, Curve, Picture, csv_text, save
from pygama_gui.widgets.dialogs import file_dialog

if TYPE_CHECKING:
    from pygama_gui.views.plane import PlaneView


class PlaneExporter:
    """Puts together what is shown, and writes it aside."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        self.folder = Path.home()

    def ask(self) -> None:
        """Ask for a name, whose end says the kind."""
        picture = self.picture()
        if picture is None:
            self._view.bridge.log("There is no plane to save yet", "warning")
            return
        dialog = file_dialog(self._view, "Save what is shown", self.folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([f"{words} (*.{suffix})" for suffix, words in KINDS.items()])
        dialog.setDefaultSuffix("png")
        dialog.selectFile(f"{self.name()}.png")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(chosen[:3].lower()))
        dialog.fileSelected.connect(lambda name: self.save(picture, Path(name)))
        dialog.open()

    def save(self, picture: Picture, path: Path) -> None:
        """Write a file in a thread; the log says when it is there."""
        if path.suffix.lower().removeprefix(".") not in KINDS:
            path = path.with_name(path.name + ".png")
        self.folder = path.parent
        bridge = self._view.bridge
        bridge.compute(
            lambda: save(picture, path), lambda _nothing: bridge.log(f"Saved {path}"), lambda: None
        )

    def copy(self) -> None:
        """Copy the counts as a table."""
        picture = self.picture()
        if picture is not None:
            QApplication.clipboard().setText(csv_text(picture))
            self._view.bridge.log(f"Copied {len(picture.columns[0][1])} rows as CSV")

    def copy_picture(self) -> None:
        """Copy the plane as it is seen."""
        if self._view.plane is not None:
            QApplication.clipboard().setPixmap(self._view.canvas.grab())
            self._view.bridge.log("Copied the picture of the plane")

    def name(self) -> str:
        """Suggest a name for the file."""
        view = self._view
        run = view.session.selected_run
        parts = [] if run is None else [f"run{run.run_number}"]
        return "_".join((*parts, view.y_name, "against", view.x_name))

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
            about=self._about(),
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
            about |= {"run": str(run.run_number), "file": run.path.name}
        if view.channel is not None:
            about["channel"] = view.bridge.names([view.channel])[0]
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
            title = f"Run {run.run_number}, {title}"
        return {"title": title, **about}
