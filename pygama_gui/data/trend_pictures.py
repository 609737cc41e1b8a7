"""Writes what the trends show: panels as a picture for publication, or all values as a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama.utils import group_ticks
from pygama_gui.data.figures import (
    ORANGE,
    SIZE_INCHES,
    facts_text,
    quoted,
    save_as,
)
from pygama_gui.data.moves import Band, is_outside
from pygama_gui.data.slices import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES, REST_INCHES = 1.45, 0.9
"""Height of a trend, and of the title and the times together."""
LINE = 115
"""Letters of what is said of a trend that stand in one line."""
MOST_BARS = 400
LEAST_CLOCK_S = 10.0
"""A run that is shorter is drawn against the seconds of its clock, not against the time of day."""
PATTERNS = ((600.0, "%H:%M:%S"), (86_400.0, "%H:%M"), (432_000.0, "%d %b %H:%M"))
"""Of times, up to a length of what is seen, s."""
HEADS = ("trend", "channel", "time_s", "half_width_s", "value", "error", "unit", "outside")
BAND, WARN = "#009E73", "#B00020"


@dataclass(frozen=True)
class Panel:
    """One quantity: the series of each channel by its name, with its band; words: what moved."""

    title: str
    unit: str
    series: tuple[tuple[str, Series], ...]
    bands: tuple[Band | None, ...]
    words: str = ""
    y_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class TrendPicture:
    """All that is shown. start: Unix seconds at which the run's clock was 0, None where it is not known."""

    panels: tuple[Panel, ...]
    start: float | None = None
    x_range: tuple[float, float] = (0.0, 1.0)
    window: tuple[float, float] | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)


def save(picture: TrendPicture, path: Path) -> None:
    """Write a file of the kind that its name ends in, whole or not at all. Raises OSError."""
    save_as(path, lambda: csv_text(picture), lambda: draw(picture), picture.about, picture.made)


def csv_text(picture: TrendPicture) -> str:
    """Write a row for each value; where there is a band, 'outside' tells whether the value lies outside."""
    rows = [",".join(HEADS)]
    for panel in picture.panels:
        for (name, series), band in zip(panel.series, panel.bands, strict=True):
            outside = is_outside(series, band)
            for at in range(len(series.times)):
                numbers = (series.times[at], series.half_widths[at], series.values[at], series.errors[at])
                told = "" if band is None else "yes" if outside[at] else "no"
                cells = [series.name, name, *(f"{value:.10g}" for value in numbers), series.unit, told]
                rows.append(",".join(map(quoted, cells)))
    return facts_text(picture.about) + "\n".join(rows) + "\n"


def draw(picture: TrendPicture) -> Figure:
    """Draw the trends with matplotlib, in the style that is in force."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    n = len(picture.panels)
    size = (SIZE_INCHES[0], max(PANEL_INCHES * n + REST_INCHES, 3.0))
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.03, hspace=0.0))
    axes = figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0]
    is_clock = picture.start is not None and picture.x_range[1] - picture.x_range[0] >= LEAST_CLOCK_S
    for one, panel in zip(axes, picture.panels, strict=True):
        _draw_panel(one, panel, picture, is_clock=is_clock)
    figure.align_ylabels(list(axes))
    axes[0].set_xlim(*_moments(np.array(picture.x_range), picture, is_clock=is_clock))
    _label_time(axes[-1], picture, is_clock=is_clock)
    figure.suptitle(picture.about.get("title", ""), fontsize="medium")
    if len(picture.panels[0].series) > 1:
        axes[0].legend(fontsize="x-small", ncols=4, loc="best")
    return figure


def _draw_panel(axes: Axes, panel: Panel, picture: TrendPicture, *, is_clock: bool) -> None:
    n_values = sum(len(series.times) for _, series in panel.series)
    for at, ((name, series), band) in enumerate(zip(panel.series, panel.bands, strict=True)):
        x = _moments(series.times, picture, is_clock=is_clock)
        outside, color = is_outside(series, band), f"C{at % 7}"
        axes.plot(x, series.values, color=color, linewidth=0.6, alpha=0.5)
        known = series.is_known
        if n_values <= MOST_BARS:
            axes.errorbar(
                x[known], series.values[known], series.errors[known], fmt="none", ecolor=color, elinewidth=0.7
            )
        inside = known & ~outside
        axes.plot(x[inside], series.values[inside], ".", color=color, markersize=3.5, label=name)
        axes.plot(x[outside], series.values[outside], "v", color=WARN, markersize=5.0)
        if band is not None and len(panel.series) == 1:
            axes.axhspan(
                band.middle - band.half, band.middle + band.half, color=BAND, alpha=0.12, linewidth=0
            )
            axes.axhline(band.middle, color=BAND, linewidth=0.7, linestyle="--")
    if picture.window is not None:
        axes.axvspan(
            *_moments(np.array(picture.window), picture, is_clock=is_clock),
            color=ORANGE,
            alpha=0.12,
            linewidth=0,
        )
    if panel.y_range is not None:
        axes.set_ylim(panel.y_range)
    axes.set_ylabel(panel.unit or panel.title, fontsize="small")
    lines = textwrap.wrap(f"{panel.title}: {panel.words}" if panel.words else panel.title, LINE)
    axes.set_title("\n".join(lines), fontsize="x-small", loc="left", pad=2)
    group_ticks(axes)
    axes.tick_params(labelsize="small")


def _moments(seconds: np.ndarray, picture: TrendPicture, *, is_clock: bool) -> np.ndarray:
    """Give days as matplotlib counts them where the time of day is known, seconds of the run's clock else."""
    return (np.asarray(seconds) + (picture.start or 0.0)) / 86_400 if is_clock else np.asarray(seconds)


def _label_time(axes: Axes, picture: TrendPicture, *, is_clock: bool) -> None:
    if not is_clock:
        axes.set_xlabel("run clock (s)")
        return
    from matplotlib.dates import AutoDateLocator, DateFormatter

    locator = AutoDateLocator(tz=UTC, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    span = picture.x_range[1] - picture.x_range[0]
    pattern = next((one for most, one in PATTERNS if span < most), "%d %b")
    axes.xaxis.set_major_formatter(DateFormatter(pattern, tz=UTC))
    low = picture.x_range[0]
    times = [series.times[0] for panel in picture.panels for _, series in panel.series if len(series.times)]
    # What is seen begins a little before the first event, which may be the day before.
    day = datetime.fromtimestamp((picture.start or 0.0) + max(low, min(times, default=low)), UTC)
    axes.set_xlabel(f"UTC, {day:%Y-%m-%d}")
