"""Saves what the waveform view shows as PNG, SVG or CSV, or copies it as a table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import pygama
from pygama_gui.data.contrast import Contrast
from pygama_gui.data.live_set import RUN
from pygama_gui.data.samples import Sample
from pygama_gui.data.shaping import Shaped, energy_source
from pygama_gui.data.waveform_files import Curve, Difference, Picture, csv_text, save
from pygama_gui.views.exporting import Saver
from pygama_gui.views.waveforms import contrast as waveform_contrast
from pygama_gui.views.waveforms.pictures import MOST_CURVES, mean_words
from pygama_gui.views.waveforms.typical import TOKENS, picked_words
from pygama_gui.widgets import theme

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

PICTURE_WORDS = {
    "traces": "waveform",
    "density": "waveform density",
    "noise": "noise spectrum",
    "inside": "waveforms inside",
    "outside": "waveforms outside",
    "difference": "waveforms inside and outside",
}


class Exporter(Saver[Picture]):
    """Puts together what is shown, and writes it aside."""

    NOTHING = "There is no waveform to save yet"

    def __init__(self, view: WaveformView) -> None:
        super().__init__(view)
        self._view = view

    def write(self, picture: Picture, path: Path) -> None:
        """Write a file, in a thread. Raises OSError."""
        save(picture, path)

    def table(self, picture: Picture) -> str:
        """Give what is shown as CSV."""
        return csv_text(picture)

    def name(self) -> str:
        """Suggest a name for the file."""
        view = self._view
        words = PICTURE_WORDS[view.choice.picture].replace(" ", "_")
        sample = view.browser.sample
        if view.choice.picture == "traces" and sample is not None and "event_number" in sample.numbers:
            run = f"_run{int(sample.numbers[RUN])}" if RUN in sample.numbers else ""
            words += f"{run}_event{int(sample.numbers['event_number'])}"
        return "_".join((*self.run_name(), words))

    def picture(self) -> Picture | None:
        """Put together what is shown; None where there is nothing."""
        kind = self._view.choice.picture
        if kind in waveform_contrast.KINDS:
            picture = self._contrast(kind)
        else:
            picture = {"density": self._density, "noise": self._noise}.get(kind, self._traces)()
        if picture is None:
            return None
        boxes = tuple(
            Curve(name, x, y, color=color or _on_paper("marker"))
            for name, x, y, color in self._view.drawn_boxes.outlines()
        )
        at = self._view.cursors.places()
        about = {**picture.about} | (
            {"cursors": self._view.reading.text().replace("   ", ", ")} if at else {}
        )
        curves = (*picture.curves, *boxes)
        return replace(picture, curves=curves, cursors=at, about=about, made=self._view.made(about))

    def _about(self, sample: Sample | None) -> dict[str, str]:
        """Say what the picture is of and how it was made."""
        view = self._view
        session, run = view.session, view.session.selected_run
        about: dict[str, str] = {}
        title = []
        if run is not None:
            about |= run.about
            title += [f"Run {about['run']}"] if "run" in about else []
        if sample is not None:
            if RUN in sample.numbers:
                about["run"] = str(int(sample.numbers[RUN]))
                title.append(f"Run {about['run']}")
            if "event_number" in sample.numbers:
                about["event"] = str(int(sample.numbers["event_number"]))
                title.append(f"event {about['event']}")
            if sample.channel is not None:
                title.append(view.bridge.names([*view.channels, sample.channel])[-1])
                about["channel"] = title[-1].removeprefix("channel ")
        if (cut := view.telling.cut_words) and sample is None:
            about["cut"] = cut
        source = energy_source(session.chain, view.calibrations) if view.choice.is_calibrated else None
        if source is not None:
            about["energy"] = "{} of {}".format(*source)
        about["chain"] = json.dumps(session.to_chain())
        about["made by"] = f"pygama {pygama.__version__}"
        return {"title": ", ".join(title), **about}

    def _traces(self) -> Picture | None:
        view, drawn = self._view, self._view.drawn_now
        if drawn is None:
            return None
        traces, hidden = drawn.traces, view.choice.hidden
        waves = {"": traces.raw, **traces.computed}
        shown = {name: y for name, y in waves.items() if name not in hidden}
        behind = _curves_of(drawn.others)
        color_of = view.traces_picture.color_on_paper
        curves = [Curve(drawn.names[name], traces.x, y, color=color_of(name)) for name, y in shown.items()]
        levels = [one for one in traces.levels if one.name not in hidden]
        (x_range, y_range) = (tuple(ends) for ends in view.plot.box.viewRange())
        return Picture(
            view.plot.labels["bottom"],
            view.plot.labels["left"],
            curves=(*curves, *behind),
            columns=(
                *_time_columns(drawn.sample, len(traces.raw)),
                *_wave_columns(shown),
                *_behind(behind, traces.x),
            ),
            about=self._about(drawn.sample) | {"heights": view.plot.labels["left"]},
            levels=tuple((one.words, one.height) for one in levels),
            points=tuple(one.point for one in levels if one.point is not None),
            instants=tuple((one.words, one.x) for one in traces.instants if one.name not in hidden),
            x_range=x_range,
            y_range=y_range,
        )

    def _density(self) -> Picture | None:
        view, density = self._view, self._view.density.picture.density
        if density is None:
            return None
        step = view.cursors.x_of(1) - view.cursors.x_of(0)
        x, y = (
            low + (np.arange(n) + 0.5) * (high - low) / n
            for (low, high), n in zip((density.x_range, density.y_range), density.counts.shape, strict=True)
        )
        at_x, at_y = np.nonzero(density.counts)
        x_range, y_range = (tuple(ends) for ends in view.plot.box.viewRange())
        return Picture(
            view.plot.labels["bottom"],
            view.plot.labels["left"],
            columns=(
                (view.plot.labels["bottom"], x[at_x] * step),
                (view.plot.labels["left"], y[at_y]),
                ("samples", density.counts[at_x, at_y]),
            ),
            about=self._about(None) | {"waveforms": str(density.n_waveforms)} | self._named(),
            curves=self._extremes(step),
            density=density,
            x_per_sample=step,
            x_range=x_range,
            y_range=y_range,
        )

    def _contrast(self, kind: str) -> Picture | None:
        view, found = self._view, self._view.contrast.found
        if found is None:
            return None
        step = (found.period_ns or 1000.0) / 1000.0
        x_label, y_label = view.plot.labels["bottom"], view.plot.labels["left"]
        sides = {"inside": found.inside, "outside": found.outside}
        curves, columns, about = [], [], self._about(None) | {"cut": waveform_contrast.cut_name(view.session)}
        for name, side in sides.items():
            if side is not None and kind in (name, "difference"):
                color = _on_paper(waveform_contrast.token_of(name, is_alone=kind == name))
                words = f"mean of {side.n_waveforms} {name}"
                curves.append(Curve(words, side.x * step, side.mean, color=color))
                columns += [(f"{name} {x_label}", side.x * step), (f"{name} mean {y_label}", side.mean)]
                about[f"waveforms {name}"] = str(side.n_waveforms)
        one = sides.get(kind)
        x_range, y_range = (tuple(ends) for ends in view.plot.box.viewRange())
        return Picture(
            x_label,
            y_label,
            (*curves, *self._extremes(step)),
            _of_one_length(columns),
            about | self._named(),
            density=None if one is None else one.density,
            difference=_difference(found) if kind == "difference" else None,
            x_per_sample=step,
            x_range=x_range,
            y_range=y_range,
        )

    def _extremes(self, step: float) -> tuple[Curve, ...]:
        """Give the waveforms that are drawn over a density."""
        shown = self._view.extremes.shown
        return tuple(
            Curve(f"event {one.event}", one.x * step, one.heights, is_behind=True, color=_on_paper(token))
            for picked, token in zip((shown.typical, shown.extreme), TOKENS.values(), strict=True)
            for one in picked
        )

    def _named(self) -> dict[str, str]:
        """Name the events of these waveforms."""
        shown = self._view.extremes.shown
        return {
            f"most {kind}": ", ".join(picked_words(one) for one in picked)
            for kind, picked in (("typical", shown.typical), ("extreme", shown.extreme))
            if picked
        }

    def _noise(self) -> Picture | None:
        view, spectra = self._view, self._view.noise.spectra
        if spectra is None:
            return None
        one, mean = spectra
        is_amplitude = view.choice.is_amplitude
        x_label, y_label = view.plot.labels["bottom"], view.plot.labels["left"]
        curves = [
            Curve(
                mean_words(mean),
                mean.frequencies[1:],
                mean.heights(is_amplitude=is_amplitude)[1:],
                color=_on_paper("accent"),
            )
        ]
        columns = [(x_label, mean.frequencies), (f"mean {y_label}", mean.heights(is_amplitude=is_amplitude))]
        if one is not None and len(one.frequencies) == len(mean.frequencies):
            heights = one.heights(is_amplitude=is_amplitude)
            color = _on_paper("faint")
            curves.append(
                Curve("this waveform", one.frequencies[1:], heights[1:], is_behind=True, color=color)
            )
            columns.append((f"this waveform {y_label}", heights))
        about = self._about(view.browser.sample)
        about |= {
            "samples": f"{mean.stretch[0]} to {mean.stretch[1] - 1}",
            "taper": mean.taper,
            "waveforms": str(mean.n_waveforms),
            "waveforms with a pulse in the baseline, left out": str(mean.n_loud),
        }
        x_range, (low, high) = view.plot.box.viewRange()
        is_log = view.choice.is_log
        return Picture(
            x_label,
            y_label,
            tuple(curves),
            tuple(columns),
            about,
            is_log=is_log,
            x_range=tuple(x_range),
            y_range=(10**low, 10**high) if is_log else (low, high),
        )


def _difference(found: Contrast) -> Difference | None:
    """Give how the sides differ, in the colours of their means."""
    if found.difference is None or found.inside is None:
        return None
    inside, outside = (
        _on_paper(waveform_contrast.token_of(name, is_alone=False)) for name in waveform_contrast.KINDS[:2]
    )
    frame = found.inside.density
    label = "inside − outside (% of the samples at that time)"
    return Difference(100 * found.difference, frame.x_range, frame.y_range, (outside, inside), label)


def _on_paper(token: str) -> str:
    """Give a colour of the window on white: that of the light theme."""
    return theme.theme("light").tokens[token]


def _of_one_length(columns: list[tuple[str, np.ndarray]]) -> tuple[tuple[str, np.ndarray], ...]:
    """Fill shorter columns up with NaN."""
    n = max((len(values) for _, values in columns), default=0)
    return tuple(
        (name, np.concatenate([values, np.full(n - len(values), np.nan)])) for name, values in columns
    )


def _curves_of(others: Shaped | None) -> list[Curve]:
    """Give the waveforms that are laid behind, sample for sample: those on the plot are thinned."""
    if others is None:
        return []
    step = (others.period_ns or 1000.0) / 1000.0
    pairs = zip(others.heights[-MOST_CURVES:], others.starts[-MOST_CURVES:], strict=True)
    return [
        Curve(f"waveform {number}", (np.arange(len(y)) - start) * step, y, is_behind=True)
        for number, (y, start) in enumerate(pairs, 2)
    ]


def _time_columns(sample: Sample, n: int) -> list[tuple[str, np.ndarray]]:
    position = np.arange(n)
    columns = [("sample", position)]
    return columns + ([("time_ns", position * sample.period_ns)] if sample.period_ns else [])


def _wave_columns(shown: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    return [(name or "waveform", y) for name, y in shown.items()]


def _behind(curves: list[Curve], x: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Give the others sample for sample; where waveforms are aligned, they have times of their own."""
    columns: list[tuple[str, np.ndarray]] = []
    for curve in curves:
        if len(curve.y) != len(x):
            continue
        name = curve.name.replace(" ", "_")
        columns += [] if np.array_equal(curve.x, x) else [(f"{name}_time", curve.x)]
        columns.append((name, curve.y))
    return columns
