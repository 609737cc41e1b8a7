"""Draws what each processor does to a pulse: a picture for each, for the reference.

Grey is what a step reads, blue the waveform that it writes, orange what it measures. The words of a picture
stand in a column of their own beside it, so that none lies on a line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pygama.block import Block
from pygama.processing.declare import REGISTRY
from pygama.processing.groups import GROUPS
from pygama.reference.examples import TABLE, example
from pygama.reference.pulses import ADC_PER_KEV, LINES_KEV, PERIOD_NS, Run, values_of
from pygama.reference.scenes import CHANNELS, Scene, number, scene, unit_of, with_table
from pygama.reference.sheet import MEASURED, QUIET, READ, WRITTEN, Sheet, small_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_all(folder: Path, run: Run) -> list[Path]:
    """Draw the picture of each processor of the library into a folder; gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for names in GROUPS.values():
        for name in names:
            path = folder / f"{name}.png"
            path.write_bytes(picture(name, run))
            paths.append(path)
    return paths


def picture(name: str, run: Run) -> bytes:
    """Draw the picture of one processor; gives the PNG file."""
    with _own_style():
        return small_png(drawn(name, run))


def drawn(name: str, run: Run) -> Figure:
    """Draw one processor; gives the figure."""
    with _own_style(), tempfile.TemporaryDirectory() as folder:
        return _DRAWINGS[name](name, run, Path(folder)).figure


@contextmanager
def _own_style() -> Iterator[None]:
    from matplotlib import style

    with as_file(files("pygama") / "pygama.mplstyle") as own, style.context(["default", str(own)]):
        yield


def _say_numbers(sheet: Sheet, scene: Scene, names: Sequence[str] = ()) -> None:
    for name in names or [name for name, _ in scene.processor.writes]:
        sheet.say(number(scene, name), MEASURED)


def _say_settings(sheet: Sheet, scene: Scene) -> None:
    given = ", ".join(f"{key} {value}" for key, value in example(scene.processor.name).settings.items())
    if given:
        sheet.say(given)


def _plot(sheet: Sheet, axes: Axes, scene: Scene, name: str, colour: str, verb: str) -> None:
    wave = np.asarray(scene.arrays[name], dtype=np.float64)
    axes.plot(wave, color=colour, linewidth=1.3)
    axes.set_ylabel(unit_of(name))
    sheet.say(f"{name}, {verb}", colour, mark="—")


def _around(axes: Axes, waves: Sequence[np.ndarray], window: tuple[int, int], room: float = 0.06) -> None:
    """Fit the height of the axes to what lies within the window."""
    low = min(np.nanmin(wave[window[0] : window[1]]) for wave in waves)
    high = max(np.nanmax(wave[window[0] : window[1]]) for wave in waves)
    axes.set_ylim(low - room * (high - low), high + 1.6 * room * (high - low))


Drawing = Callable[[str, Run, Path], Sheet]
_ALL = (0, 1836)
_EDGE = (780, 1000)


def _opened(name: str, run: Run, folder: Path, event: str, n_panels: int = 1) -> tuple[Sheet, Scene]:
    return Sheet(name, n_panels), scene(name, run.event(event), run, folder)


def _closed(sheet: Sheet, scene: Scene, window: tuple[int, int]) -> Sheet:
    sheet.along_samples(window, PERIOD_NS)
    _say_settings(sheet, scene)
    sheet.say(scene.run.origin)
    return sheet


def _transform(event: str = "plain", window: tuple[int, int] = _ALL, *, is_stacked: bool = False) -> Drawing:
    """Draw the waveform before and after, in one panel or in two."""

    def draw(name: str, run: Run, folder: Path) -> Sheet:
        sheet, made = _opened(name, run, folder, event, 2 if is_stacked else 1)
        after = made.processor.writes[0][0]
        _plot(sheet, sheet.panels[0], made, made.wave, READ, "read")
        _plot(sheet, sheet.panels[-1], made, after, WRITTEN, "written")
        waves = [np.asarray(made.arrays[key], np.float64) for key in (made.wave, after)]
        if is_stacked:
            for axes, wave in zip(sheet.panels, waves, strict=True):
                _around(axes, [wave], window)
        else:
            _around(sheet.axes, waves, window)
        return _closed(sheet, made, window)

    return draw


def _double_pole_zero(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "large")
    _plot(sheet, sheet.axes, made, made.wave, READ, "read")
    single = REGISTRY["pole_zero"].function(made.read("wf_blsub")[None, :], tau=5130.0)[0]
    sheet.axes.plot(single, color=READ, linewidth=1, linestyle="--")
    sheet.say("pole_zero alone, tau 5130", READ, mark="- -")
    _plot(sheet, sheet.axes, made, "wf_pz", WRITTEN, "written")
    top = float(np.max(made.arrays["wf_pz"]))
    sheet.axes.set_ylim(0.96 * top, 1.006 * top)
    sheet.say("The uppermost 4 % of the pulse")
    return _closed(sheet, made, (860, 1836))


def _baseline(event: str, window: tuple[int, int]) -> Drawing:
    """Draw the level or line that was found for the stretch before the pulse."""

    def draw(name: str, run: Run, folder: Path) -> Sheet:
        sheet, made = _opened(name, run, folder, event)
        wave = made.read("waveform")
        _plot(sheet, sheet.axes, made, "waveform", READ, "read")
        begin, end = made.settings["i_start"], made.settings["i_end"]
        sheet.axes.axvspan(begin, end, color=MEASURED, alpha=0.08, linewidth=0)
        _around(sheet.axes, [wave], (window[0], end), room=0.25)
        _BASELINES[name](sheet, made, wave, np.arange(window[1]), slice(begin, end))
        sheet.say("the stretch", MEASURED, mark="▒")
        return _closed(sheet, made, window)

    return draw


def _draw_level(sheet: Sheet, made: Scene, wave: np.ndarray, k: np.ndarray, stretch: slice) -> None:
    sheet.axes.plot(k[stretch], np.full(len(k[stretch]), made.arrays["bl_avg"]), color=MEASURED, linewidth=2)
    sheet.axes.axhline(made.arrays["bl_avg"], color=MEASURED, linewidth=1, linestyle="--")
    _say_numbers(sheet, made)


def _draw_line(sheet: Sheet, made: Scene, wave: np.ndarray, k: np.ndarray, stretch: slice) -> None:
    line = made.arrays["bl_int"] + made.arrays["bl_slope"] * k
    sheet.axes.plot(k[stretch], line[stretch], color=MEASURED, linewidth=2)
    sheet.axes.plot(k, line, color=MEASURED, linewidth=1, linestyle="--")
    sheet.axes.plot(0, line[0], "o", color=MEASURED, markersize=6, clip_on=False)
    _say_numbers(sheet, made)


def _draw_robust(sheet: Sheet, made: Scene, wave: np.ndarray, k: np.ndarray, stretch: slice) -> None:
    at_zero, slope = REGISTRY["fit_baseline"].function(
        wave[None, :], i_start=stretch.start, i_end=stretch.stop
    )
    sheet.axes.plot(k, at_zero[0] + slope[0] * k, color=READ, linewidth=1, linestyle="--")
    sheet.say("fit_baseline, misled", READ, mark="- -")
    _draw_line(sheet, made, wave, k, stretch)


def _draw_band(sheet: Sheet, made: Scene, wave: np.ndarray, k: np.ndarray, stretch: slice) -> None:
    k = k[stretch]
    line = np.polyval(np.polyfit(k, wave[stretch], 1), k)
    rms = made.arrays["bl_rms"]
    sheet.axes.fill_between(k, line - rms, line + rms, color=MEASURED, alpha=0.3, linewidth=0)
    sheet.axes.plot(k, line, color=MEASURED, linewidth=1.5)
    sheet.say("line ± bl_rms", MEASURED, mark="—")
    _say_numbers(sheet, made)


_BASELINES = {
    "avg_baseline": _draw_level,
    "fit_baseline": _draw_line,
    "robust_baseline": _draw_robust,
    "baseline_rms": _draw_band,
}


def _noise_rms(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "plain")
    wave = made.read("wf_blsub")
    _plot(sheet, sheet.axes, made, made.wave, READ, "read")
    begin, end = made.settings["i_start"], made.settings["i_end"]
    mean, rms = wave[begin:end].mean(), made.arrays["noise_rms"]
    sheet.axes.fill_between([begin, end], mean - rms, mean + rms, color=MEASURED, alpha=0.3, linewidth=0)
    sheet.axes.plot([begin, end], [mean, mean], color=MEASURED, linewidth=1.5)
    _around(sheet.axes, [wave], (begin, end), room=0.25)
    sheet.say("mean ± noise_rms", MEASURED, mark="—")
    _say_numbers(sheet, made)
    return _closed(sheet, made, (0, 860))


def _maximum(value: str, window: tuple[int, int], place: str = "") -> Drawing:
    """Mark the highest or lowest sample of the waveform that is read."""

    def draw(name: str, run: Run, folder: Path) -> Sheet:
        sheet, made = _opened(name, run, folder, "plain")
        wave = np.asarray(made.arrays[made.wave], np.float64)
        _plot(sheet, sheet.axes, made, made.wave, READ, "read")
        _around(sheet.axes, [wave], window)
        at = made.at(place) if place else float(np.argmax(wave))
        sheet.axes.plot(at, made.arrays[value], "o", color=MEASURED, markersize=7)
        _say_numbers(sheet, made)
        return _closed(sheet, made, window)

    return draw


def _wf_min(name: str, run: Run, folder: Path) -> Sheet:
    sheet = _maximum("wf_min", (0, 900), "tp_min")(name, run, folder)
    sheet.axes.set_ylim(sheet.axes.get_ylim()[0], 200)
    return sheet


def _fixed_time_pickoff(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "plain")
    wave = made.read("wf_trap")
    _plot(sheet, sheet.axes, made, made.wave, READ, "read")
    _around(sheet.axes, [wave], _ALL)
    begin, delay = made.at("t0"), made.settings["delay"]
    _time(sheet.axes, begin)
    _arrow(sheet.axes, begin, begin + delay, 0.25 * wave.max())
    sheet.axes.plot(begin + delay, made.arrays["trap_ftp"], "o", color=MEASURED, markersize=7)
    sheet.say(number(made, "t0"), MEASURED, mark="┆")
    sheet.say("delay", MEASURED, mark="↔")
    _say_numbers(sheet, made)
    return _closed(sheet, made, _ALL)


def _time(axes: Axes, at: float) -> None:
    axes.axvline(at, color=MEASURED, linewidth=1.2, linestyle="--")


def _arrow(axes: Axes, begin: float, end: float, height: float) -> None:
    axes.annotate(
        "",
        (end, height),
        (begin, height),
        arrowprops={"arrowstyle": "<->", "color": MEASURED, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.4},
    )


def _time_points(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "plain")
    wave = made.read("wf_blsub")
    _plot(sheet, sheet.axes, made, made.wave, READ, "read")
    for value, _ in made.processor.writes:
        at = made.at(value)
        sheet.axes.plot(at, np.interp(at, np.arange(len(wave)), wave), "o", color=MEASURED, markersize=6)
    _around(sheet.axes, [wave], _EDGE)
    _say_numbers(sheet, made)
    return _closed(sheet, made, _EDGE)


def _t0(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "plain")
    wave = made.read("wf_atrap")
    stretch = wave[made.settings["i_start"] : made.settings["i_end"]]
    threshold = stretch.mean() + made.settings["n_sigma"] * stretch.std()
    _plot(sheet, sheet.axes, made, made.wave, READ, "read")
    sheet.axes.axhline(threshold, color=MEASURED, linewidth=1, linestyle="--")
    sheet.axes.plot(made.at("t0"), threshold, "o", color=MEASURED, markersize=7)
    sheet.axes.set_ylim(-2 * threshold, 12 * threshold)
    sheet.say(f"threshold, {threshold:.3g} ADC", MEASURED, mark="- -")
    _say_numbers(sheet, made)
    sheet.say("The foot of the pulse, enlarged")
    return _closed(sheet, made, (600, 920))


def _between(first: str, second: str, window: tuple[int, int]) -> Drawing:
    """Draw the time between two others over the waveform that they were found in."""

    def draw(name: str, run: Run, folder: Path) -> Sheet:
        sheet, made = _opened(name, run, folder, "plain")
        wave = np.asarray(made.arrays["wf_blsub"], np.float64)
        _plot(sheet, sheet.axes, made, "wf_blsub", READ, "behind both")
        begin, end = made.at(first), made.at(second)
        for at in (begin, end):
            _time(sheet.axes, at)
        _arrow(sheet.axes, begin, end, 0.3 * wave.max())
        _around(sheet.axes, [wave], window)
        for value in (first, second):
            sheet.say(number(made, value) + ", read", MEASURED, mark="┆")
        sheet.say(number(made, name), MEASURED, mark="↔")
        return _closed(sheet, made, window)

    return draw


def _tail_slope(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "large")
    wave = made.read("wf_blsub")
    _plot(sheet, sheet.axes, made, made.wave, READ, "read")
    length = made.settings["length"]
    first = int(np.ceil(made.at("tp_99"))) + made.settings["delay"]
    middles = []
    for begin in (first, len(wave) - length):
        mean = wave[begin : begin + length].mean()
        sheet.axes.axvspan(begin, begin + length, color=MEASURED, alpha=0.12, linewidth=0)
        sheet.axes.plot([begin, begin + length], [mean, mean], color=MEASURED, linewidth=2)
        middles.append((begin + length / 2, mean))
    sheet.axes.plot(*zip(*middles, strict=True), "--", color=MEASURED, linewidth=1.2)
    _around(sheet.axes, [wave], (first, len(wave)), room=0.4)
    _time(sheet.axes, made.at("tp_99"))
    sheet.say(number(made, "tp_99"), MEASURED, mark="┆")
    sheet.say("means of the two stretches", MEASURED, mark="—")
    _say_numbers(sheet, made)
    sheet.say("The top of the pulse, enlarged")
    return _closed(sheet, made, (860, 1836))


def _saturation(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "saturated")
    wave = made.read("waveform")
    high = made.settings["high"]
    _plot(sheet, sheet.axes, made, "waveform", READ, "read")
    at_top = np.where(wave >= high, wave, np.nan)
    sheet.axes.plot(at_top, color=MEASURED, linewidth=3)
    sheet.axes.axhline(high, color=MEASURED, linewidth=1, linestyle="--")
    _around(sheet.axes, [wave], _ALL, room=0.08)
    sheet.say(f"high, {high} ADC", MEASURED, mark="- -")
    _say_numbers(sheet, made)
    return _closed(sheet, made, _ALL)


def _count_pulses(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "pile_up", 2)
    upper, lower = sheet.panels
    _plot(sheet, upper, made, "wf_blsub", READ, "behind it")
    _plot(sheet, lower, made, "wf_current", READ, "read")
    current = made.read("wf_current")
    middle = np.median(current)
    threshold = middle + made.settings["n_sigma"] * 1.4826 * np.median(np.abs(current - middle))
    lower.axhline(threshold, color=MEASURED, linewidth=1, linestyle="--")
    for axes in sheet.panels:
        _time(axes, made.at("tp_second"))
    sheet.say(f"threshold, {threshold:.3g} ADC/sample", MEASURED, mark="- -")
    _say_numbers(sheet, made)
    return _closed(sheet, made, _ALL)


def _psd(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "plain")
    quiet = values_of(run.block, ("bl_rms", "bl_slope"))
    rows = (quiet["bl_rms"] < 20) & (np.abs(quiet["bl_slope"]) < 0.02)
    spectra = REGISTRY["psd"].function(run.block[rows].waveforms, PERIOD_NS, **made.settings)
    n_stretch = made.settings["i_end"] - made.settings["i_start"]
    mhz = np.arange(spectra.shape[1]) / (n_stretch * PERIOD_NS * 1e-3)
    axes = sheet.axes
    axes.loglog(mhz[1:], np.asarray(made.arrays["psd"])[1:], color=READ, linewidth=0.9)
    axes.loglog(mhz[1:], spectra.mean(axis=0)[1:], color=WRITTEN, linewidth=1.5)
    axes.set_xlim(mhz[1], mhz[-1])
    axes.set_xlabel("MHz")
    axes.set_ylabel("ADC²/MHz")
    sheet.say("psd of one waveform", READ, mark="—")
    sheet.say(f"mean of {np.count_nonzero(rows)} waveforms", WRITTEN, mark="—")
    _say_settings(sheet, made)
    sheet.say(run.origin)
    return sheet


def _resample(name: str, run: Run, folder: Path) -> Sheet:
    stored = _multisampled(run.event("plain"), start=1100, rate=4, divisor=2)
    sheet, made = Sheet(name), scene(name, stored, run, folder)
    _plot(sheet, sheet.axes, made, "waveform", READ, "read")
    _plot(sheet, sheet.axes, made, "wf_resampled", WRITTEN, "written")
    sheet.say("presum_start 1100, presum_rate 4, presum_divisor 2: from sample 1100 on, 4 are summed to one")
    return _closed(sheet, made, _ALL)


def _multisampled(block: Block, *, start: int, rate: int, divisor: int) -> Block:
    """Sum the end of a waveform as a card does that samples it coarsely."""
    assert block.waveforms is not None
    waves = block.waveforms.astype(np.float64)
    end = start + (waves.shape[1] - start) // rate * rate
    sums = waves[:, start:end].reshape(len(waves), -1, rate).sum(axis=2) / divisor
    columns = {"presum_start": start, "presum_rate": rate, "presum_divisor": divisor}
    rows = np.zeros(len(block), [*block.rows.dtype.descr, *((name, "f8") for name in columns)])
    for name in block.rows.dtype.names or ():
        rows[name] = block.rows[name]
    for name, value in columns.items():
        rows[name] = value
    return Block(block.decoder, rows, np.concatenate([waves[:, :start], sums], axis=1))


def _a_over_e(name: str, run: Run, folder: Path) -> Sheet:
    sheet, made = _opened(name, run, folder, "plain")
    values = values_of(run.block, ("a_over_e", "n_pulses"))
    values.update(values_of(run.block, ("trap_max",)))
    rows = (values["n_pulses"] == 1) & np.isfinite(values["a_over_e"]) & (values["trap_max"] > 1000)
    axes = sheet.axes
    axes.plot(values["trap_max"][rows], values["a_over_e"][rows], ".", color=READ, markersize=3)
    axes.plot(made.arrays["trap_max"], made.arrays["a_over_e"], "o", color=MEASURED, markersize=7)
    axes.set_ylim(0, 1.25 * np.percentile(values["a_over_e"][rows], 90))
    axes.set_xlim(0, None)
    axes.set_xlabel("trap_max (ADC)")
    axes.set_ylabel("a_over_e (1/sample)")
    sheet.say(f"{np.count_nonzero(rows)} events of one pulse", READ, mark="·")
    _say_numbers(sheet, made, ("a_max", "trap_max", "a_over_e"))
    sheet.say("Single-site events lie on the band, multi-site ones below it")
    sheet.say(run.origin)
    return sheet


def _lookup(name: str, run: Run, folder: Path) -> Sheet:
    from matplotlib.transforms import Bbox

    sheet, made = _opened(name, run, folder, "plain")
    axes = sheet.axes
    axes.axis("off")
    columns = ["crate", "card", "channel", "tau"]
    cells = [[str(entry[column]) for column in columns] for entry in CHANNELS]
    place = [float(made.arrays[column]) for column in columns[:3]]
    table = axes.table(
        cells, colLabels=columns, cellLoc="center", bbox=Bbox.from_bounds(0.0, 0.12, 0.95, 0.8)
    )
    table.auto_set_font_size(False)
    table.set_fontsize(11)
    for (line, column), cell in table.get_celld().items():
        cell.set_edgecolor("#D5DAE0")
        is_here = line > 0 and [float(CHANNELS[line - 1][key]) for key in columns[:3]] == place
        if line == 0:
            cell.get_text().set_fontweight("bold")
        if is_here:
            cell.get_text().set_color(MEASURED if column == 3 else "black")
            cell.get_text().set_fontweight("bold" if column == 3 else "normal")
            cell.set_facecolor("#FBEFE6")
    axes.text(0.0, 0.02, TABLE, color=QUIET, fontsize=10, transform=axes.transAxes)
    sheet.say("crate {:g}, card {:g}, channel {:g}, read from the row".format(*place), READ)
    sheet.say(f"tau = {float(made.arrays['tau']):g}", MEASURED)
    sheet.say("looked_up, named tau by the outputs of the step")
    _say_settings(sheet, made)
    return sheet


def _calibrate(name: str, run: Run, folder: Path) -> Sheet:
    from pygama.utils import get_hist

    sheet, made = _opened(name, run, folder, "plain")
    heights = values_of(run.block, ("trap_max",))["trap_max"]
    energies = _calibrated(heights, run, folder)
    axes = sheet.axes
    edges, counts = get_hist(energies, 0, 2800, 8)
    axes.step(edges, np.maximum(counts, 0.7), color=WRITTEN, linewidth=1.1)
    axes.set_yscale("log")
    axes.set_ylim(0.7, None)
    axes.set_xlim(0, 2800)
    axes.set_xlabel("energy_kev (keV)")
    axes.set_ylabel("events in 8 keV")
    for line in LINES_KEV:
        axes.axvline(line, color=MEASURED, linewidth=1, linestyle="--")
    sheet.mark_above(ADC_PER_KEV, "trap_max (ADC)")
    sheet.say("energy_kev, written", WRITTEN, mark="—")
    sheet.say(", ".join(f"{line:g}" for line in LINES_KEV) + " keV: lines of the source", MEASURED, mark="┆")
    _say_numbers(sheet, made, ("trap_max", "energy_kev"))
    sheet.say("channels.json: energy [0, 0.06515]")
    sheet.say(f"{len(energies)} events, {run.origin.split(',')[0]}")
    return sheet


def _calibrated(heights: np.ndarray, run: Run, folder: Path) -> np.ndarray:
    table = with_table(example("calibrate"), folder).settings["table"]
    place = (run.block.rows[name] for name in ("crate", "card", "channel"))
    energies: np.ndarray = REGISTRY["calibrate"].function(heights, *place, table=table)
    return energies


_FOOT = (640, 880)
_DRAWINGS: Mapping[str, Drawing] = {
    "avg_baseline": _baseline("plain", (0, 900)),
    "fit_baseline": _baseline("tail", (0, 900)),
    "robust_baseline": _baseline("early", (0, 900)),
    "baseline_rms": _baseline("plain", (0, 900)),
    "bl_subtract": _transform(),
    "bl_subtract_polynomial": _transform("tail", is_stacked=True),
    "pole_zero": _transform(),
    "double_pole_zero": _double_pole_zero,
    "trap_filter": _transform(),
    "asym_trap_filter": _transform(window=(780, 1320)),
    "cusp_filter": _transform(),
    "zac_filter": _transform(),
    "moving_window": _transform("small", _FOOT),
    "savitzky_golay": _transform("small", _FOOT),
    "derivative": _transform(window=_EDGE, is_stacked=True),
    "current": _transform(window=_EDGE, is_stacked=True),
    "trap_max": _maximum("trap_max", _ALL),
    "fixed_time_pickoff": _fixed_time_pickoff,
    "wf_max": _maximum("wf_max", _ALL, "tp_max"),
    "wf_min": _wf_min,
    "time_points": _time_points,
    "t0": _t0,
    "rise_time": _between("tp_10", "tp_90", _EDGE),
    "drift_time": _between("t0", "tp_99", _EDGE),
    "a_max": _maximum("a_max", _EDGE),
    "a_over_e": _a_over_e,
    "tail_slope": _tail_slope,
    "noise_rms": _noise_rms,
    "psd": _psd,
    "saturation": _saturation,
    "count_pulses": _count_pulses,
    "lookup": _lookup,
    "calibrate": _calibrate,
    "resample_multisampled": _resample,
}
