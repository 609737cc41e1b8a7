"""Gives the pictures of the reference their form: axes on the left, a column of words on the right."""

from __future__ import annotations

import io
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

READ, WRITTEN, MEASURED = "#7B8591", "#0B6BCB", "#B04E0A"
QUIET = "#4A535E"
_WORDS = {READ: "#5B6570"}
"""Colours that words need darker than lines."""
_INCHES = (9.0, 3.6)
_DPI = 100
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.095, 0.7, 0.145, 0.865
_N_LETTERS = 35
"""That fit into the column of words."""


class Sheet:
    """A figure with axes on the left and a column of words on the right."""

    def __init__(self, title: str, n_panels: int = 1) -> None:
        from matplotlib.figure import Figure

        self.figure: Figure = Figure(figsize=_INCHES, dpi=_DPI)
        panels = self.figure.subplots(
            n_panels,
            1,
            sharex=True,
            squeeze=False,
            gridspec_kw={"left": _LEFT, "right": _RIGHT, "bottom": _BOTTOM, "top": _TOP, "hspace": 0.12},
        )
        self.panels: list[Axes] = list(panels[:, 0])
        for axes in self.panels:
            axes.tick_params(labelsize=10)
            axes.yaxis.set_label_coords(-0.112, 0.5)
        self.figure.text(_LEFT, 0.955, title, fontsize=12, weight="bold", va="center")
        self._height = _TOP

    @property
    def axes(self) -> Axes:
        """The only panel, or the first of them."""
        return self.panels[0]

    def say(self, text: str, colour: str = QUIET, *, mark: str = "") -> None:
        """Add words to the column, below what stands there."""
        colour = _WORDS.get(colour, colour)
        lines = wrap(text, _N_LETTERS - 4 if mark else _N_LETTERS)
        if mark:
            self.figure.text(_RIGHT + 0.018, self._height, mark, color=colour, fontsize=10, va="top")
        for line in lines:
            x = _RIGHT + (0.045 if mark else 0.018)
            self.figure.text(x, self._height, line, color=colour, fontsize=9, va="top")
            self._height -= 0.055
        self._height -= 0.02

    def along_samples(self, window: tuple[int, int], period_ns: float) -> None:
        """Mark the axis below in samples and the one above in microseconds."""
        self.panels[-1].set_xlim(*window)
        self.panels[-1].set_xlabel("sample")
        self.mark_above(period_ns / 1000, "µs")

    def mark_above(self, factor: float, what: str) -> None:
        """Mark the axis above in units of which `factor` make one of the axis below."""

        def there(value: Any) -> Any:
            return value * factor

        def back(value: Any) -> Any:
            return value / factor

        self.axes.tick_params(which="both", top=False)
        self.axes.secondary_xaxis("top", functions=(there, back)).tick_params(labelsize=9, pad=1)
        self.figure.text(_RIGHT, 0.955, what, fontsize=9, va="center", ha="right", color=QUIET)


def small_png(figure: Figure) -> bytes:
    """Write a figure with few colours and without a word on when or by what it was made."""
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=_DPI, metadata={"Software": None})
    Image.open(raw).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(small, "png", optimize=True)
    return small.getvalue()
