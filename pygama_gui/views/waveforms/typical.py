"""Draws the most typical and the most extreme of many waveforms over their density, and names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyqtgraph as pg
from PyQt5.QtCore import Qt

from pygama.utils import NARROW_SPACE, grouped
from pygama_gui.data.typical import Extremes, Picked
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import label
from pygama_gui.widgets.plot import Plot

NOTHING = Extremes()
TOKENS = {"typical": "accent", "extreme": "text"}
PALE = 0.75
NOT_KNOWN = "number not known"


class ExtremeWaveforms:
    """The curves of both kinds, and a line of words below the plot whose events can be clicked.

    show_event: is told the number of an event, and that of its run in a data set.
    """

    def __init__(self, plot: Plot, show_event: Callable[[int, int | None], None]) -> None:
        self._plot = plot
        self.curves: dict[str, list[pg.PlotCurveItem]] = {kind: [] for kind in TOKENS}
        self.shown = NOTHING
        self.words = label(tone="soft", px=theme.SMALL)
        self.words.setAccessibleName("Most typical and most extreme waveforms")
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.words.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.words.setWordWrap(True)
        self.words.setContentsMargins(10, 0, 8, 0)
        self.words.linkActivated.connect(lambda link: show_event(*event_of(link)))
        self.words.hide()

    def show(self, extremes: Extremes, step: float) -> None:
        """Draw and name them. step: of x, a sample."""
        self.shown = extremes
        for kind, picked in (("typical", extremes.typical), ("extreme", extremes.extreme)):
            pen = theme.thin_pen(theme.mixed(TOKENS[kind], "panel", PALE))
            curves = self._of(kind, len(picked))
            for one, curve in zip(picked, curves, strict=False):
                curve.setData(one.x * step, one.heights, pen=pen, connect="finite")
            for curve in curves[len(picked) :]:
                curve.setData([], [])
        text = extremes_html(extremes)
        if text != self.words.text():
            self.words.setText(text)
        self.words.setVisible(bool(text))

    def hide(self) -> None:
        """Draw and name nothing."""
        self.show(NOTHING, 1.0)

    def _of(self, kind: str, n: int) -> list[pg.PlotCurveItem]:
        curves = self.curves[kind]
        while len(curves) < n:
            curves.append(pg.PlotCurveItem())
            curves[-1].setZValue(5 if kind == "typical" else 4)
            self._plot.addItem(curves[-1])
        return curves


def extremes_html(extremes: Extremes) -> str:
    """Name the events of both kinds, each as a link that `event_of` reads; empty where there are none."""
    tokens = theme.current().tokens
    parts = [
        f'<span style="color: {tokens[TOKENS[kind]]}">—</span> most {kind}: {_links(picked)}'
        for kind, picked in (("typical", extremes.typical), ("extreme", extremes.extreme))
        if picked
    ]
    return " &nbsp; ".join(parts)


def picked_words(one: Picked) -> str:
    """Name an event, with its run in a data set."""
    event = f"event {_number(one)}"
    return event if one.run is None else f"run {one.run} {event}"


def _number(one: Picked) -> str:
    return NOT_KNOWN if one.event is None else grouped(one.event)


def event_of(link: str) -> tuple[int, int | None]:
    """Read the number of an event, and of its run where there is one, out of a link."""
    event, _, run = link.removeprefix("event:").partition(":")
    return int(event), int(run) if run else None


def _links(picked: Sequence[Picked]) -> str:
    if not picked or picked[0].run is None:
        return "events " + ", ".join(_link(one, _number(one)) for one in picked)
    return ", ".join(_link(one, picked_words(one)) for one in picked)


def _link(one: Picked, words: str) -> str:
    if one.event is None:
        return NOT_KNOWN
    place = f"event:{one.event}" if one.run is None else f"event:{one.event}:{one.run}"
    whole = words.replace(NARROW_SPACE, "&nbsp;")  # Qt takes the narrow one in HTML for a space to break at
    return f'<a href="{place}" style="color: {theme.current().tokens["accent"]}">{whole}</a>'
