"""Shows the main job on a made-up run: writes it, processes it, and finds its gamma lines in the spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pygama.errors import SettingsError

if TYPE_CHECKING:
    from pygama.analysis.peaks import LineMatch

LINES = (
    ("Tl-208", 583.187),
    ("K-40", 1460.822),
    ("Tl-208 double escape", 1592.513),
    ("Tl-208 single escape", 2103.512),
    ("Tl-208", 2614.511),
)
"""Lines of the made-up run that are looked for: name and energy in keV."""
RUN_NUMBER = 72
LEAST_EVENTS = 100
"""With fewer, there is nothing that could be taken for lines."""
_BIN_ADC = 20


def run_demo(output_dir: Path, *, n_events: int, seed: int) -> Iterator[str]:
    """Make the run, process it and fit its lines; gives the lines of a report as they come.

    Writes the raw run, both tiers and `demo_spectrum.png` to the folder, which is made if it is not there.
    """
    from pygama.analysis.peaks import match_lines
    from pygama.processing.run import process_run
    from pygama.storage import TierFile

    raw = make_demo_run(output_dir, n_events=n_events, seed=seed)
    yield f"Made {raw} ({raw.stat().st_size / 1e6:.1f} MB, seed {seed})"
    done = process_run(raw, output_dir=output_dir)
    yield f"Processed {done.rows} events in {done.elapsed_s:.2f} s"
    for path in done.outputs:
        yield f"  {path}"
    with TierFile(done.outputs[1]) as file:
        trap_max = file.table("data").column("trap_max")
    match = match_lines(trap_max, [energy for _, energy in LINES])
    yield from _table(match)
    picture = output_dir / "demo_spectrum.png"
    draw_spectrum(trap_max, match, picture)
    yield f"Spectrum: {picture}"


def make_demo_run(folder: Path, *, n_events: int, seed: int) -> Path:
    """Write the made-up run into a folder, which is made if it is not there; raises SettingsError."""
    from pygama.processing.outputs import make_folder
    from pygama.simulate import demo_shape, write_run

    if n_events < LEAST_EVENTS:
        raise SettingsError(
            f"the made-up run has {LEAST_EVENTS} events or more, so that lines can be found, not {n_events}"
        )
    shape = demo_shape(n_events, run_number=RUN_NUMBER, seed=seed)
    make_folder(folder)
    return write_run(folder / f"DemoRun{RUN_NUMBER}", shape)


def _table(match: LineMatch) -> Iterator[str]:
    yield ""
    yield f"{'line':<22}{'true keV':>10}{'fitted keV':>18}{'FWHM keV':>16}{'trap_max ADC':>16}"
    for (name, energy), fit in zip(LINES, match.fits, strict=True):
        if not fit.converged:
            yield f"{name:<22}{energy:>10.1f}   not fitted: {fit.note}"
            continue
        position = f"{fit.position / match.scale:.2f} ± {fit.position_error / match.scale:.2f}"
        fwhm = f"{fit.fwhm / match.scale:.2f} ± {fit.fwhm_error / match.scale:.2f}"
        yield f"{name:<22}{energy:>10.1f}{position:>18}{fwhm:>16}{fit.position:>16.1f}"
    yield f"scale: {match.scale:.4f} ± {match.scale_error:.4f} ADC per keV, one for all lines"
    yield ""


def draw_spectrum(trap_max: np.ndarray, match: LineMatch, path: Path) -> None:
    """Draw the spectrum with the fitted lines into a PNG."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from pygama.utils import get_hist

    with style.context(Path(__file__).with_name("pygama.mplstyle")):
        figure = Figure()
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        top = 1.1 * max(energy for _, energy in LINES) * match.scale
        x, y = get_hist(trap_max, 0, top, _BIN_ADC)
        axes.stairs(y[1:], x, baseline=0.5, fill=True, alpha=0.25)
        axes.stairs(y[1:], x, baseline=0.5, color="C0", linewidth=0.8)
        for (name, energy), fit in zip(LINES, match.fits, strict=True):
            if fit.converged:
                near = y[1:][np.abs(x[1:] - fit.position) < 10 * _BIN_ADC].max()
                text = f" {name}  {energy:.1f} keV"
                axes.text(fit.position, 1.15 * near, text, rotation=90, ha="center", va="bottom", fontsize=8)
        axes.set(
            xlabel="trap_max (ADC counts)", ylabel=f"counts / {_BIN_ADC} ADC", yscale="log", xlim=(0, top)
        )
        axes.set_ylim(0.5, 60 * y.max())
        figure.tight_layout()
        figure.savefig(path, metadata={"Software": None})
