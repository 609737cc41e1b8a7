"""Pictures of many waveforms at once: how dense they lie, and the mean spectrum of their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygama_gui.data.density import Density, count_density, full_frame
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.noise import NoiseSpectrum, noise_spectrum
from pygama_gui.data.samples import Bunch, Sample, bunch_of
from pygama_gui.data.shaping import Shaped, shape
from pygama_gui.data.typical import Extremes, extremes_of
from pygama_gui.views.waveforms.many import Aside, ManyWaveforms
from pygama_gui.views.waveforms.pictures import DensityPicture, NoisePicture
from pygama_gui.widgets import words

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

DENSITY_PX = (800, 400)
"""Size of a density image, at most."""


class Dense:
    """Counts the density of many waveforms aside, and draws it."""

    def __init__(self, view: WaveformView, many: ManyWaveforms) -> None:
        self._view, self._many = view, many
        self.picture = DensityPicture(view.plot)
        self._shaping = Aside(view.bridge, view.redraw_soon)
        self._counting = Aside(view.bridge, view.redraw_soon)
        self._n_left_out = 0

    def draw(self, live: LiveRun) -> tuple[Extremes, float | None] | None:
        """Draw what is there; give the extremes and the period in ns. None while all is still being read."""
        view = self._view
        bunch = self._many.want(view.session.selected, live, view.browser.selection, view.choice.n_many)
        found = None if bunch is None else self._count(bunch)
        if found is None:
            self.picture.hide()
            return None
        shaped, frame, extremes, density = found
        step = (shaped.period_ns or 1000.0) / 1000.0
        (x0, x1), y_range = frame
        self.picture.fit((x0 * step, x1 * step), y_range)
        self.picture.draw(density, shaped.period_ns)
        self._n_left_out = shaped.n_left_out
        return extremes, shaped.period_ns

    def hide(self) -> None:
        """Draw nothing."""
        self.picture.hide()

    def words(self) -> str:
        """Say how many waveforms are counted."""
        density = self.picture.density
        if density is None:
            return ""
        left_out = f", {self._n_left_out} left out" if self._n_left_out else ""
        n = self._view.browser.n
        return f"{words.count(density.n_waveforms)} of {words.count(n)} waveforms{left_out}"

    def _count(self, bunch: Bunch) -> tuple[Shaped, Any, Extremes, Density] | None:
        """Count the density of waveforms aside; give what there is of it."""
        view = self._view
        chain, look, kind = view.session.chain, view.look, view.kind

        def shape_all() -> tuple[Shaped, Any, Extremes]:
            shaped = shape(bunch, chain, look)
            return shaped, full_frame(shaped), extremes_of(bunch, chain, look, shaped)

        found = self._shaping.get(kind, (bunch, chain), shape_all)
        if found is None:
            return None
        shaped, frame, extremes = found
        x_range, y_range = self._view_frame(shaped, frame)
        px = view.plot.box.size()
        size = (min(DENSITY_PX[0], max(int(px.width()), 1)), min(DENSITY_PX[1], max(int(px.height()), 1)))
        density = self._counting.get(
            kind, (shaped, x_range, y_range, size), lambda: count_density(shaped, x_range, y_range, size)
        )
        return None if density is None else (shaped, frame, extremes, density)

    def _view_frame(self, shaped: Shaped, frame: Any) -> Any:
        """Give the frame to count in: what a person zoomed to, or all of it."""
        box, step = self._view.plot.box, (shaped.period_ns or 1000.0) / 1000.0
        (x0, x1), (y0, y1) = box.viewRange()
        x_range = (x0 / step, x1 / step) if box.zoomed_x else frame[0]
        return x_range, (y0, y1) if box.zoomed_y else frame[1]


class Noisy:
    """Averages the noise spectra of many waveforms aside, and draws them with that of the one shown."""

    def __init__(self, view: WaveformView, many: ManyWaveforms) -> None:
        self._view, self._many = view, many
        self.picture = NoisePicture(view.plot)
        self._averaging = Aside(view.bridge, view.redraw_soon)
        self.spectra: tuple[NoiseSpectrum | None, NoiseSpectrum] | None = None
        """That of the waveform shown and the mean of many, where they are drawn."""

    def draw(self, live: LiveRun, sample: Sample) -> bool:
        """Draw what is there; False while nothing is read yet."""
        view = self._view
        chain, is_whole = view.session.chain, view.choice.is_whole_record
        bunch = self._many.want(view.session.selected, live, view.browser.selection, view.choice.n_many)
        mean: NoiseSpectrum | None = None
        if bunch is not None:
            mean = self._averaging.get(
                (view.kind, is_whole),
                (bunch, chain),
                lambda: noise_spectrum(bunch, chain, is_whole_record=is_whole),
            )
        if mean is None:
            self.picture.hide()
            return False
        alone = bunch_of([sample])
        one = None if alone is None else noise_spectrum(alone, chain, is_whole_record=is_whole)
        self.spectra = (one, mean)
        choice = view.choice
        x_label, y_label = noise_labels(mean, is_amplitude=choice.is_amplitude)
        view.plot.label_axes(x_label, y_label, y_label)
        self.picture.draw(one, mean, is_amplitude=choice.is_amplitude, is_log=choice.is_log)
        return True

    def hide(self) -> None:
        """Draw nothing."""
        self.spectra = None
        self.picture.hide()


def noise_labels(spectrum: NoiseSpectrum, *, is_amplitude: bool) -> tuple[str, str]:
    """Name the axes of a noise spectrum, with their units."""
    unit = "MHz" if spectrum.is_period_known else "1/sample"
    x_label = f"frequency ({unit})"
    if is_amplitude:
        return x_label, "noise (ADC / √MHz)" if spectrum.is_period_known else "noise (ADC · √samples)"
    return x_label, "noise power (ADC² / MHz)" if spectrum.is_period_known else "noise power (ADC² · samples)"
