"""Writes what the waveform view shows as a picture for publication (PNG, SVG) or as a table (CSV)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama.utils import group_ticks
from pygama_gui.data.contrast import STRETCH
from pygama_gui.data.figures import (
    GREY,
    ORANGE,
    SIZE_INCHES,
    facts_text,
    number_texts,
    quoted,
    save_as,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pygama_gui.data.density import Density

POINT = 4.0
"""Size of a point, in points of type."""
N_COLORS = 255
"""Of a difference: an odd number, so that none is white."""
LINE, LETTER, GAP = 0.045, 0.0105, 0.012
"""Height of a line of words, width of a letter, and room between, as shares of the axes."""


@dataclass(frozen=True)
class Curve:
    """One curve with its name. is_behind: drawn thin and pale, as one of many. color: None: the style's."""

    name: str
    x: np.ndarray
    y: np.ndarray
    is_behind: bool = False
    color: str | None = None


@dataclass(frozen=True, eq=False)
class Difference:
    """How two densities in one frame differ, (n_x, n_y).

    x_range: in samples; colors: of what is less and of what is more; label: says what they stand for.
    """

    values: np.ndarray
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    colors: tuple[str, str]
    label: str


@dataclass(frozen=True)
class Picture:
    """All that is shown.

    columns: (name, (n,) values) of the table; about: what it is of, name -> text; made: what brings the view
    back, as JSON (see `session.pictured`).
    """

    x_label: str
    y_label: str
    curves: tuple[Curve, ...] = ()
    columns: tuple[tuple[str, np.ndarray], ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)
    levels: tuple[tuple[str, float], ...] = ()
    instants: tuple[tuple[str, float], ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    """Where curves are as high as levels that were read of them."""
    cursors: tuple[tuple[str, float], ...] = ()
    """Name and x of each; what lies between them stands in `about`."""
    density: Density | None = None
    x_per_sample: float = 1.0
    density_label: str = ""
    """What the colours of the density stand for; empty: samples of its waveforms."""
    has_log_density: bool = True
    difference: Difference | None = None
    is_log: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None


def csv_text(picture: Picture) -> str:
    """Write the table: what it is of in lines that begin with '#', the names of columns, then the rows."""
    out = io.StringIO()
    out.write(facts_text(picture.about))
    for name, value in (*picture.levels, *picture.instants):
        out.write(f"# marked: {name} at {value:.10g}\n")
    out.write(",".join(quoted(name) for name, _ in picture.columns) + "\n")
    for row in zip(*(number_texts(values) for _, values in picture.columns), strict=True):
        out.write(",".join(row) + "\n")
    return out.getvalue()


def save(picture: Picture, path: Path) -> None:
    """Write a file of the kind that its name ends in; a reader never sees half of it. Raises OSError."""
    save_as(path, lambda: csv_text(picture), lambda: draw(picture), picture.about, picture.made)


def draw(picture: Picture) -> Figure:
    """Draw a picture with matplotlib, in the style that is in force."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    if picture.density is not None:
        _draw_density(figure, axes, picture, picture.density)
    if picture.difference is not None:
        _draw_difference(figure, axes, picture.difference, picture.x_per_sample)
    _draw_curves(axes, picture)
    axes.set_xlabel(picture.x_label)
    axes.set_ylabel(picture.y_label)
    if picture.cursors:
        figure.supxlabel(picture.about["cursors"].replace(", Δt", "\nΔt"), fontsize="small")
    axes.set_title(picture.about.get("title", ""), fontsize="medium")
    if picture.is_log:
        axes.set_yscale("log")
    group_ticks(axes)
    if picture.x_range is not None:
        axes.set_xlim(picture.x_range)
    if picture.y_range is not None:
        axes.set_ylim(picture.y_range)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")
    return figure


def _draw_curves(axes: Axes, picture: Picture) -> None:
    behind = [curve for curve in picture.curves if curve.is_behind]
    for curve in behind:
        name = curve.name if len(behind) == 1 else None  # of many, a legend would be all names
        axes.plot(curve.x, curve.y, label=name, color=curve.color or GREY, linewidth=0.5, alpha=0.5, zorder=1)
    for curve in picture.curves:
        if not curve.is_behind:
            axes.plot(curve.x, curve.y, label=curve.name, color=curve.color, linewidth=1.0)
    _mark(axes, picture)


def _mark(axes: Axes, picture: Picture) -> None:
    """Draw levels and times with their words, which never lie over each other."""
    (x0, x1), (y0, y1) = picture.x_range or axes.get_xlim(), picture.y_range or axes.get_ylim()
    inside = "axes fraction"
    ground = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    style: dict[str, Any] = {"color": ORANGE, "fontsize": "small", "bbox": ground, "annotation_clip": False}
    ends: list[tuple[float, float]] = []
    for name, height in sorted(picture.levels, key=lambda one: one[1]):
        axes.axhline(height, color=ORANGE, linewidth=0.8, linestyle="--")
        at = (height - y0) / (y1 - y0)
        if 0 <= at <= 1:
            right = min((left for there, left in ends if abs(there - at) < LINE), default=1.0) - GAP
            axes.annotate(name, (right, at + GAP / 2), xycoords=inside, ha="right", va="bottom", **style)
            ends.append((at, right - LETTER * len(name)))
    rows: list[float] = []
    for name, x in sorted(picture.instants, key=lambda one: one[1]):
        axes.axvline(x, color=ORANGE, linewidth=0.8, linestyle=":")
        at = (x - x0) / (x1 - x0)
        if 0 <= at <= 1:
            row = next((row for row, end in enumerate(rows) if end < at), len(rows))
            rows[row : row + 1] = [at + GAP + LETTER * len(name)]
            axes.annotate(name, (at + GAP / 2, 0.98 - LINE * row), xycoords=inside, va="top", **style)
    if picture.points:
        xs, ys = zip(*picture.points, strict=True)
        axes.plot(xs, ys, "o", color=ORANGE, markersize=POINT, zorder=3)
    for name, x in picture.cursors:
        axes.axvline(x, color="black", linewidth=0.8)
        if x0 <= x <= x1:
            spot = ((x - x0) / (x1 - x0) + GAP / 2, 0.02)
            axes.annotate(
                name, spot, xycoords=inside, va="bottom", fontsize="small", weight="bold", bbox=ground
            )


def _draw_density(figure: Figure, axes: Axes, picture: Picture, density: Density) -> None:
    from matplotlib.colors import LogNorm, Normalize

    counts = np.ma.masked_equal(density.counts.T, 0)
    (x0, x1), (y0, y1) = density.x_range, density.y_range
    extent = (x0 * picture.x_per_sample, x1 * picture.x_per_sample, y0, y1)
    is_counts = density.counts.dtype.kind in "iu"
    most = max(density.counts.max(initial=0), 2 if is_counts else 1e-9)
    least = 1 if is_counts else most / 1000
    norm = LogNorm(least, most) if picture.has_log_density else Normalize(0, most)
    image = axes.imshow(
        counts, origin="lower", aspect="auto", extent=extent, norm=norm, interpolation="none", cmap="viridis"
    )
    label = picture.density_label or f"samples of {density.n_waveforms} waveforms"
    figure.colorbar(image, ax=axes, label=label)


def _draw_difference(figure: Figure, axes: Axes, difference: Difference, step: float) -> None:
    """Draw a difference as the window does: none has no colour, and small ones are seen."""
    from matplotlib.colors import FuncNorm, LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    values = difference.values.T
    (x0, x1), (y0, y1) = difference.x_range, difference.y_range
    most = max(float(np.abs(values).max(initial=0.0)), 1e-9)
    less, more = difference.colors
    image = axes.imshow(
        values,
        origin="lower",
        aspect="auto",
        extent=(x0 * step, x1 * step, y0, y1),
        norm=FuncNorm((_stretched(STRETCH), _stretched(1 / STRETCH)), -most, most),
        interpolation="none",
        cmap=LinearSegmentedColormap.from_list("difference", (less, "white", more), N_COLORS),
    )
    figure.colorbar(image, ax=axes, label=difference.label, ticks=MaxNLocator(5, symmetric=True))


def _stretched(power: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.sign(values) * np.abs(values) ** power
