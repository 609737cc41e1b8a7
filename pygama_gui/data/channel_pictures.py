"""Writes what the channels show: small spectra as a picture for publication, or figures as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama.utils import group_ticks
from pygama_gui.data.figures import facts_text, quoted, save_as
from pygama_gui.data.health import Figures, Health, Peak

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TILE_INCHES, EDGE_INCHES = (2.6, 1.75), (0.5, 0.7)
LEAST_INCHES = 5.0
WIDER = 1.3
"""How many more tiles stand beside than below each other."""
FLOOR = 0.5
MARGIN, LINE = 0.1, 0.09
"""Shares of a tile's height that are left free above the counts: at least, and for each line of words."""
COLORS = {"ok": "#0072B2", "bad": "#B00020", "warn": "#B04E0A"}
HEADS = (
    *("channel", "state", "why", "events", "rate_hz", "rate_error_hz", "baseline", "baseline_scatter"),
    *("noise", "saturated", "fwhm", "fwhm_error", "peak_position", "peak_position_error", "peak", "unit"),
)


@dataclass(frozen=True)
class Tile:
    """One channel; words: its figures for the picture; unit: of its spectrum."""

    name: str
    figures: Figures
    health: Health
    peak: Peak
    words: str = ""
    unit: str = ""


@dataclass(frozen=True)
class ChannelPicture:
    """All channels in their order. edges: (n + 1,) of the small spectra, all alike."""

    tiles: tuple[Tile, ...]
    edges: np.ndarray
    x_label: str = ""
    is_log: bool = True
    about: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)


def save(picture: ChannelPicture, path: Path) -> None:
    """Write a file of the kind that its name ends in, whole or not at all. Raises OSError."""
    save_as(path, lambda: csv_text(picture), lambda: draw(picture), picture.about, picture.made)


def csv_text(picture: ChannelPicture) -> str:
    """Write a row for each channel; what is not known is empty."""
    rows = [",".join(HEADS)]
    for tile in picture.tiles:
        one, peak = tile.figures, tile.peak
        numbers = [one.n_events, one.rate, one.rate_error, one.baseline, one.baseline_rms, one.noise]
        numbers += [one.saturated, peak.fwhm, peak.fwhm_error, peak.position, peak.position_error]
        cells = [tile.name, tile.health.state, tile.health.why, *map(_text, numbers), peak.name, tile.unit]
        rows.append(",".join(map(quoted, cells)))
    return facts_text(picture.about) + "\n".join(rows) + "\n"


def _text(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else ""


def draw(picture: ChannelPicture) -> Figure:
    """Draw a tile for each channel with matplotlib, in the style that is in force."""
    from matplotlib.figure import Figure

    n = len(picture.tiles)
    n_columns = min(max(math.ceil(math.sqrt(WIDER * n)), 1), n)
    n_rows = math.ceil(n / n_columns)
    size = [
        tile * many + edge
        for tile, many, edge in zip(TILE_INCHES, (n_columns, n_rows), EDGE_INCHES, strict=True)
    ]
    figure = Figure(figsize=(max(size[0], LEAST_INCHES), size[1]), layout="constrained")
    grid = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False)
    for axes, tile in zip(grid.flat, picture.tiles, strict=False):
        _draw_tile(axes, tile, picture)
    for at in range(n, n_rows * n_columns):
        grid.flat[at].set_axis_off()
        grid.flat[at - n_columns].tick_params(labelbottom=True)
    figure.suptitle(picture.about.get("title", ""), fontsize="medium")
    figure.supxlabel(picture.x_label, fontsize="medium")
    figure.supylabel("counts", fontsize="medium")
    return figure


def _draw_tile(axes: Axes, tile: Tile, picture: ChannelPicture) -> None:
    color = COLORS[tile.health.tone]
    floor = FLOOR if picture.is_log else 0.0
    heights = np.maximum(tile.figures.counts, floor)
    axes.stairs(heights, picture.edges, baseline=floor, fill=True, color=color, alpha=0.12, linewidth=0)
    axes.stairs(heights, picture.edges, baseline=floor, color=color, linewidth=0.7)
    top = max(float(tile.figures.counts.max(initial=0)), 1.0)
    axes.set(
        xlim=(picture.edges[0], picture.edges[-1]),
        yscale="log" if picture.is_log else "linear",
        ylim=(floor, _end_above(top, floor, tile.words, is_log=picture.is_log)),
    )
    axes.set_title(f"{tile.name}  {tile.health.words}", fontsize="small", color=color, pad=3)
    group_ticks(axes)
    axes.tick_params(labelsize="x-small")
    axes.xaxis.get_offset_text().set_fontsize("x-small")
    if tile.words:
        axes.annotate(
            tile.words, (0.97, 0.96), xycoords="axes fraction", ha="right", va="top", fontsize="xx-small"
        )


def _end_above(top: float, floor: float, words: str, *, is_log: bool) -> float:
    """Give the end of an axis at which the highest count lies below the words in the corner."""
    below = 1.0 - MARGIN - LINE * len(words.splitlines())
    return floor * (top / floor) ** (1 / below) if is_log else top / below
