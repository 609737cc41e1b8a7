"""Counts a spectrum of Tier 2 files, and writes it or draws it for print.

A picture carries how it was made in its metadata (`pygama.storage.how_made`): files, column, cut, bins and
version.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.storage import TierFile, how_made, spectrum_files
from pygama.storage.spectrum_files import StoredSpectrum, write_spectrum
from pygama.utils import group_ticks

if TYPE_CHECKING:
    from pygama.analysis.tagging import Tagging
    from pygama.dataset import DataSet

SUFFIXES = (*spectrum_files.SUFFIXES, *how_made.SUFFIXES)
SIZE_INCHES = (8.0, 5.0)
LOG_FLOOR = 0.5
"""Where the axis of counts begins when it is logarithmic: between none and one."""
_HOLDS, _MARGIN, _LOOKED_AT = 0.001, 0.02, 2_000_000
_PLACE = ("crate", "card", "channel")
_MOST_LIVE = 5_000_000
"""Events of a file whose live time is found, at most."""


@dataclass(frozen=True)
class Spectrum:
    """Counts of a column in equal bins: counts (n,), edges (n + 1,) in `unit`; made: how, name -> value.

    files: that were counted; they tell when the run began and how long it was, where that is stored. notes:
    what was looked for in vain on the way, as a pulser. places: for each file the channels of which a cut
    let events pass, None for all. is_of_times: whether the cut chooses among times.
    """

    counts: np.ndarray
    edges: np.ndarray
    column: str
    unit: str
    made: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    places: tuple[frozenset[str] | None, ...] = ()
    is_of_times: bool = False


def count_spectrum(
    files: Sequence[Path | str],
    column: str | None = None,
    *,
    limits: tuple[float, float] | None = None,
    n_bins: int = 8192,
    cut: str | None = None,
    calibration: Path | str | None = None,
    tagging: Tagging | None = None,
) -> Spectrum:
    """Count a column of Tier 2 files together.

    column: 'trap_max' if None, or that of the calibration. limits: where the bins begin and end; None: what
    holds all but the outermost in a thousand. cut: text as in `pygama.analysis.cuts`. calibration: file; the
    column is then '<column>_kev'. Raises SettingsError for names that are not there, and for a column that
    the calibration is not of; TierFileError for files that are none.
    """
    from pygama import __version__
    from pygama.analysis.calibration_file import read_calibration
    from pygama.analysis.cuts import OF_TIME
    from pygama.analysis.cutting import selection_of
    from pygama.dataset import DataSet

    if n_bins < 1:
        raise SettingsError(f"a spectrum has 1 bin or more, not '{n_bins}'")
    held = None if calibration is None else read_calibration(calibration)
    if held is not None and column not in (None, held.column, f"{held.column}_kev"):
        raise SettingsError(
            f"the calibration {Path(str(calibration)).name} is of '{held.column}', not of '{column}': "
            "leave the column out, or choose another calibration"
        )
    name, unit = (column or "trap_max", "ADC") if held is None else (f"{held.column}_kev", "keV")
    data = DataSet(list(files), calibrations=held, tagging=tagging)
    low, high = _limits(data, name, cut) if limits is None else limits
    counts, edges = data.hist(name, low, high, n_bins, cut=cut)
    made = {
        "files": [Path(file).name for file in files],
        "column": name,
        "cut": cut or "",
        "bins": [low, high, n_bins],
        "calibration": "" if calibration is None else Path(calibration).name,
        "made by": f"pygama {__version__}",
    }
    if data.notes:
        made["notes"] = "; ".join(data.notes)
    named = frozenset() if cut is None else frozenset(selection_of(cut).columns)
    if is_of_times := not named.isdisjoint(OF_TIME):
        made["times"] = "not known: the cut chooses among times"
    paths = tuple(map(Path, files))
    places: tuple[frozenset[str] | None, ...] = ()
    if cut is not None and not named.isdisjoint(_PLACE):
        each = [DataSet([path], calibrations=held, tagging=tagging) for path in paths]
        places = tuple(_places(one, cut) for one in each)
    return Spectrum(counts, edges, name, unit, made, paths, data.notes, places, is_of_times)


def _places(data: DataSet, cut: str) -> frozenset[str]:
    """Name the channels 'crate/card/channel' that have events that pass."""
    from pygama.analysis.places import places_of

    names = [name for name in _PLACE if name in data.columns]
    blocks = data.blocks(names, cut=cut)
    return frozenset(place for block in blocks if len(block["channel"]) for place in places_of(block, "")[1])


@dataclass(frozen=True, slots=True)
class _Times:
    """Of Tier 2 files together, s, NaN where they do not say it. start_s: of the first run, unix seconds."""

    start_s: float = math.nan
    real_s: float = math.nan
    live_s: float = math.nan


def _times(spectrum: Spectrum) -> _Times:
    """Find when the first run began, how long all runs were, and how long channels were live, their mean.

    Where a cut chooses among times, nobody knows how long that was.
    """
    places = spectrum.places or (None,) * len(spectrum.files)
    found = [_times_of(path, its) for path, its in zip(spectrum.files, places, strict=True)]
    if not found:
        return _Times()
    starts, real, live = zip(*((one.start_s, one.real_s, one.live_s) for one in found), strict=True)
    if spectrum.is_of_times:
        return _Times(float(np.min(starts)))
    return _Times(float(np.min(starts)), math.fsum(real), math.fsum(live))


def _times_of(path: Path, places: frozenset[str] | None) -> _Times:
    """Find when a run began, how long it was by its records or its hits, and how much of that was live."""
    from pygama.analysis.live_time import live_times

    with TierFile(path) as file:
        start = file.texts("/").get("start_time", "")
        start_s = float(start) if start.isdecimal() and int(start) > 0 else math.nan
        table = file.table("data") if "data" in file.keys else None
        if table is None or table.n_rows > _MOST_LIVE or "time_s" not in table.columns:
            return _Times(start_s)
        heights = [name for name in ("trap_max", "energy") if name in table.columns][:1]
        names = [name for name in ("time_s", *_PLACE, *heights) if name in table.columns]
        columns = {name: table.column(name) for name in names}
    beside = path.with_name("t1_" + path.name.removeprefix("t2_"))
    tier1 = beside if beside != path and beside.is_file() else None
    try:
        found = live_times(columns, tier1=tier1, amplitude=heights[0] if heights else "trap_max")
    except SettingsError:
        return _Times(start_s)
    real_s = found.real_s()
    return _Times(start_s, real_s, real_s * found.mean_live_fraction(places))


def _limits(data: Any, name: str, cut: str | None) -> tuple[float, float]:
    """Choose where the bins begin and end by the first rows."""
    seen: list[np.ndarray] = []
    for block in data.blocks([name], cut=cut):
        values = np.asarray(block[name], float)
        seen.append(values[np.isfinite(values)])
        if sum(map(len, seen)) >= _LOOKED_AT:
            break
    values = np.concatenate([*seen, []])
    if not len(values):
        raise SettingsError(f"no event has a value of '{name}', so the range must be given")
    low, high = np.quantile(values, [_HOLDS, 1 - _HOLDS]).tolist()
    margin = _MARGIN * (high - low) or max(abs(high), 1.0) / 2
    return (0.0 if 0 <= low < 0.2 * high else low - margin), high + margin


def save_spectrum(path: Path | str, spectrum: Spectrum, *, is_log: bool = True) -> Path:
    """Write a spectrum as what the end of the name says: .csv, .spe, .n42, or a picture."""
    path = Path(path)
    if path.suffix.lower() in spectrum_files.SUFFIXES:
        low, width = float(spectrum.edges[0]), float(spectrum.edges[1] - spectrum.edges[0])
        remarks = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in spectrum.made.items()
        }
        title = ", ".join(spectrum.made.get("files", [])) or spectrum.column
        times = _times(spectrum)
        stored = StoredSpectrum(
            spectrum.counts,
            low,
            width,
            spectrum.unit,
            title,
            live_time_s=times.live_s,
            real_time_s=times.real_s,
            start_s=times.start_s,
            remarks=remarks,
        )
        return write_spectrum(path, stored)
    part = path.with_name(path.name + ".part")
    try:
        _draw(part, path.suffix.lower(), spectrum, is_log=is_log)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _draw(path: Path, suffix: str, spectrum: Spectrum, *, is_log: bool) -> None:
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rc = {"svg.fonttype": "none", "svg.hashsalt": "pygama"}
    metadata: dict[str, Any] = dict(how_made.metadata(suffix, spectrum.made))
    metadata |= {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(suffix, {})
    with style.context([Path(__file__).with_name("pygama.mplstyle"), rc]):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        floor = LOG_FLOOR if is_log else 0.0
        heights = np.maximum(spectrum.counts, floor)
        axes.stairs(heights, spectrum.edges, baseline=floor, linewidth=0.8)
        width = spectrum.edges[1] - spectrum.edges[0]
        axes.set(
            xlabel=f"{spectrum.column} ({spectrum.unit})",
            ylabel=f"counts / {width:.4g} {spectrum.unit}",
            yscale="log" if is_log else "linear",
            xlim=(spectrum.edges[0], spectrum.edges[-1]),
        )
        axes.set_ylim(bottom=floor)
        group_ticks(axes)
        figure.savefig(path, format=suffix[1:], metadata=metadata)
