"""Writes what the spectrum view shows: a picture for publication, a table, or a file of other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama.storage.spectrum_files import StoredSpectrum, write_spectrum
from pygama.utils import group_ticks
from pygama_gui.data.figures import (
    KINDS,
    ORANGE,
    SIZE_INCHES,
    Words,
    facts_text,
    kind_of,
    quoted,
    save_figure,
    whole,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SPECTRUM_KINDS = {**KINDS, "spe": "Spe spectrum", "n42": "N42 spectrum"}
LOG_FLOOR = 0.5
"""Counts that are drawn of an empty bin where the axis is logarithmic."""
MOST_BARS = 600
"""Errors that are drawn below, at most."""
MAIN, DARK, PALE, FIT = "#0072B2", "0.25", "0.72", "#D55E00"


@dataclass(frozen=True)
class Histogram:
    """Counts (n,) of the bins, with a name. factor: what they are drawn times. is_behind: drawn pale."""

    name: str
    counts: np.ndarray
    factor: float = 1.0
    is_behind: bool = False


@dataclass(frozen=True)
class FitCurve:
    """A fit: x, y and its background, as drawn; tops: (x, y, words) of its peaks."""

    x: np.ndarray
    y: np.ndarray
    background: tuple[np.ndarray, np.ndarray]
    tops: tuple[tuple[float, float, str], ...] = ()
    is_chosen: bool = False


@dataclass(frozen=True)
class Region:
    """A stretch that is measured, with what it holds."""

    low: float
    high: float
    words: str = ""


@dataclass(frozen=True)
class Below:
    """What is drawn below: values and errors (n,) between edges (n + 1,); level: that of 'the same'."""

    edges: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    level: float
    label: str


@dataclass(frozen=True)
class SpectrumPicture:
    """All that is shown: edges (n + 1,) of the bins in `unit`, and heights of `scale` a count.

    main: of the selected run. others: drawn beside it. marks: (x, words). Ranges are those on screen; of
    y in what is drawn, also where it is logarithmic. Times are NaN where they are not known. finest: edges
    and counts for other programs, where the bins on screen were chosen by what is in view.
    """

    edges: np.ndarray
    main: Histogram
    column: str
    unit: str = ""
    x_label: str = ""
    y_label: str = ""
    others: tuple[Histogram, ...] = ()
    is_main_drawn: bool = True
    scale: float = 1.0
    fits: tuple[FitCurve, ...] = ()
    regions: tuple[Region, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    below: Below | None = None
    is_log: bool = False
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)
    real_time_s: float = math.nan
    live_time_s: float = math.nan
    start_s: float = math.nan
    about: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)
    finest: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def drawn(self) -> tuple[Histogram, ...]:
        """The histograms that are seen, those behind first."""
        shown = (*((self.main,) if self.is_main_drawn else ()), *self.others)
        return tuple(sorted(shown, key=lambda one: not one.is_behind))


def save(picture: SpectrumPicture, path: Path) -> None:
    """Write a file of the kind that its name ends in, whole or not at all. Raises OSError."""
    kind = kind_of(path)
    if kind in ("spe", "n42"):
        write_spectrum(path, stored(picture))
        return
    with whole(path) as part:
        if kind == "csv":
            part.write_text(csv_text(picture), encoding="utf-8")
        else:
            save_figure(lambda: draw(picture), part, kind, picture.about, picture.made)


def png_bytes(picture: SpectrumPicture) -> bytes:
    """Draw the picture into memory."""
    out = BytesIO()
    save_figure(lambda: draw(picture), out, "png", picture.about, picture.made)
    return out.getvalue()


def stored(picture: SpectrumPicture) -> StoredSpectrum:
    """Give the main histogram for other programs; the live time is not known here and none is made up."""
    edges, counts = picture.finest or (picture.edges, picture.main.counts)
    return StoredSpectrum(
        counts,
        float(edges[0]),
        float(edges[-1] - edges[0]) / len(counts),
        picture.unit or "channel",
        title=picture.about.get("title", picture.column),
        real_time_s=picture.real_time_s,
        live_time_s=picture.live_time_s,
        start_s=picture.start_s,
        remarks={name: text for name, text in picture.about.items() if name not in ("title", "bins")},
    )


def csv_text(picture: SpectrumPicture) -> str:
    """Write the bins with the counts of all histograms, unscaled; what they are of in lines with '#'."""
    facts = dict(picture.about)
    if math.isfinite(picture.real_time_s):
        facts["real time (s)"] = f"{picture.real_time_s:.6g}"
    if math.isfinite(picture.live_time_s):
        facts["live time (s)"] = f"{picture.live_time_s:.6g}"
    facts |= {f"{one.name}, drawn times": f"{one.factor:.6g}" for one in picture.others if one.factor != 1.0}
    unit = picture.unit or "channel"
    names = [f"low_{unit}", f"high_{unit}", "counts", *(f"counts of {one.name}" for one in picture.others)]
    columns = [
        map(repr, picture.edges[:-1].tolist()),
        map(repr, picture.edges[1:].tolist()),
        *(map(str, one.counts.tolist()) for one in (picture.main, *picture.others)),
    ]
    lines = [",".join(map(quoted, names)), *map(",".join, zip(*columns, strict=True))]
    return facts_text(facts) + "\n".join(lines) + "\n"


# Drawing


def draw(picture: SpectrumPicture) -> Figure:
    """Draw the spectrum with matplotlib, in the style that is in force."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=SIZE_INCHES, layout=ConstrainedLayoutEngine(h_pad=0.03, hspace=0.0))
    FigureCanvasAgg(figure)
    if picture.below is None:
        axes = lowest = figure.add_subplot()
    else:
        axes, lowest = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1.0])
        _draw_below(lowest, picture.below, picture.x_range)
    _draw_histograms(axes, picture)
    for fit in picture.fits:
        color = FIT if fit.is_chosen or len(picture.fits) == 1 else "#E7A27A"
        axes.plot(*fit.background, color=color, linewidth=0.8, linestyle="--", zorder=5)
        axes.plot(fit.x, fit.y, color=color, linewidth=1.1, zorder=6)
    for region in picture.regions:
        axes.axvspan(region.low, region.high, facecolor=ORANGE, alpha=0.12, zorder=0.5)
        for end in (region.low, region.high):
            axes.axvline(end, color=ORANGE, linewidth=0.6, zorder=0.6)
    for x, _ in picture.marks:
        axes.axvline(x, color=ORANGE, linewidth=0.7, linestyle=":", zorder=0.7)
    axes.set(yscale="log" if picture.is_log else "linear", xlim=picture.x_range, ylim=picture.y_range)
    axes.set_ylabel(picture.y_label)
    lowest.set_xlabel(picture.x_label)
    axes.set_title(picture.about.get("title", ""), fontsize="medium")
    if len(picture.drawn) > 1:
        axes.legend(fontsize="small", loc="upper right")
    group_ticks(axes, lowest)
    if not picture.is_log and picture.y_range[1] >= 1e5:
        axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0), useMathText=True)
    _write_words(figure, axes, picture)
    return figure


def _draw_histograms(axes: Axes, picture: SpectrumPicture) -> None:
    """Draw the bins that are in view; more would only make vector files large."""
    first = max(int(np.searchsorted(picture.edges, picture.x_range[0], side="right")) - 2, 0)
    last = int(np.searchsorted(picture.edges, picture.x_range[1], side="left")) + 1
    edges = picture.edges[first : last + 1]
    if len(edges) < 2:
        return
    floor = LOG_FLOOR * picture.scale if picture.is_log else 0.0
    is_alone = len(picture.drawn) == 1
    color = DARK if picture.fits else MAIN
    for at, one in enumerate(picture.drawn):
        heights = np.maximum(one.counts[first:last] * one.factor * picture.scale, floor)
        own = PALE if one.is_behind else color if one is picture.main else f"C{_color_at(picture, one)}"
        if is_alone and not picture.fits:
            axes.stairs(heights, edges, baseline=floor, color=own, fill=True, alpha=0.12, linewidth=0)
        axes.stairs(heights, edges, baseline=floor, color=own, linewidth=0.8, label=one.name, zorder=2 + at)


def _color_at(picture: SpectrumPicture, one: Histogram) -> int:
    """Give the colour of a histogram beside the main one."""
    beside = [other.name for other in picture.others if not other.is_behind]
    return (beside.index(one.name) + picture.is_main_drawn) % 7


def _draw_below(axes: Axes, below: Below, view: tuple[float, float]) -> None:
    middles = (below.edges[1:] + below.edges[:-1]) / 2
    seen = np.isfinite(below.values) & (middles >= view[0]) & (middles <= view[1])
    axes.axhline(below.level, color="0.5", linewidth=0.7)
    if seen.sum() <= MOST_BARS:
        axes.errorbar(
            middles[seen], below.values[seen], below.errors[seen], fmt=".", ms=2.5, lw=0.6, color=MAIN
        )
    else:
        axes.stairs(
            np.where(seen, below.values, np.nan), below.edges, color=MAIN, linewidth=0.7, baseline=None
        )
    if seen.any():
        usual = float(np.median(below.errors[seen]))
        low, high = float(below.values[seen].min()), float(below.values[seen].max())
        low, high = min(low - usual, below.level), max(high + usual, below.level)
        room = 0.1 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)
    axes.set_ylabel(below.label)


def _write_words(figure: Figure, axes: Axes, picture: SpectrumPicture) -> None:
    """Write beside fits, regions and marks; what matters most has the right of way."""
    figure.draw_without_rendering()
    words = Words(axes)
    low, high = picture.x_range
    for fit in sorted(picture.fits, key=lambda one: not one.is_chosen):
        for x, y, text in fit.tops:
            if low < x < high:
                words.above(text, x, y, FIT if fit.is_chosen or len(picture.fits) == 1 else DARK)
    for region in picture.regions:
        if region.words and region.low < high and region.high > low:
            words.at_top(region.words, min(max(region.high, low), high), ORANGE)
    for x, text in picture.marks:
        if text and low < x < high:
            words.at_top(text, x, ORANGE)
