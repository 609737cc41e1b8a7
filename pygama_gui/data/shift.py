"""Writes what a shifter notes down: figures with what is allowed, channels, changes of the header."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.headers import Difference
from pygama_gui.data.moves import OF_RUN, Band, band_of, find_move, gone_since
from pygama_gui.data.slices import LEAST_SLICES, Series, error_of_median, lateness

NOW_SHARE, NOW_S = 0.05, (10.0, 60.0)
"""The rate now is that of the last part of the run, of this length, s."""
HOUR = 3600.0
N_MISSED = 25.0
"""Events that must be missing before the rate now is called 0."""
MOST_DIFFERENCES = 40
MARKS = re.compile(r"[\\`*<|]|(?<!\w)_|_(?!\w)|^[#>]|&(?=#?\w+;)", re.MULTILINE)
"""What Markdown would read as a mark; an underscore within a name is none, and a list may be one."""


@dataclass(frozen=True)
class Check:
    """One line of a check-list: what, its value, what is allowed, and whether it is so (None: not known).

    number, error, unit: the value again, where it is one; NaN else. band: the ends of what is allowed.
    kind: of the quantity, as of a Series. is_known: whether there is a value; else it says why there is none.
    """

    what: str
    value: str
    allowed: str = ""
    is_ok: bool | None = None
    number: float = math.nan
    error: float = math.nan
    unit: str = ""
    band: tuple[float, float] | None = None
    kind: str = ""
    is_known: bool = True

    @property
    def verdict(self) -> str:
        """Give shape and word."""
        if not self.is_known:
            return "? not known"
        return "—" if self.is_ok is None else "✓ ok" if self.is_ok else "▲ look"


@dataclass(frozen=True)
class Rates:
    """Rates in Hz with Poisson errors, of the last seconds and of the hour before; NaN where unknown."""

    now: float = math.nan
    now_error: float = math.nan
    mean: float = math.nan
    mean_error: float = math.nan

    def silent_for(self, age_s: float) -> Rates:
        """Give the rates of a run that told no event for so long, where the mean lets expect some."""
        if not self.mean * age_s >= N_MISSED:
            return self
        return replace(self, now=0.0, now_error=1 / age_s)

    @property
    def sigma(self) -> float:
        """How far the two lie apart, in standard deviations; NaN where one is not known."""
        return (self.now - self.mean) / math.hypot(self.now_error, self.mean_error)


def rates(times: np.ndarray) -> Rates:
    """Give the rate of the newest events, and of those in the hour before. times: (n,) s, as they came.

    Cards are read out by turns, so hits come behind later ones of other channels. The newest seconds, of
    which some are still to come, are left out: as many as the latest of the newest hits was late.
    """
    known = times[np.isfinite(times)]
    if len(known) < 2:
        return Rates()
    first, last = float(known.min()), float(known.max())
    window = min(max(NOW_SHARE * (last - first), NOW_S[0]), NOW_S[1])
    last -= min(lateness(known), window)
    start = max(first, last - window - HOUR)
    before = last - window - start
    if before < window:
        return Rates()
    n_now = int(((known > last - window) & (known <= last)).sum())
    n_before = int(((known > start) & (known <= last - window)).sum())
    return Rates(
        n_now / window,
        math.sqrt(max(n_now, 1)) / window,
        n_before / before,
        math.sqrt(max(n_before, 1)) / before,
    )


@dataclass(frozen=True)
class Level:
    """What a quantity is, beside what is expected. moved: by how much, where it moved for sure; else 0.

    is_followed: whether there are enough slices to tell. is_gone: whether it is a peak that is there no more.
    is_slight: whether it moved by less than single events scatter, which nobody needs to look at.
    """

    value: float
    error: float
    band: Band | None
    is_followed: bool = False
    moved: float = 0.0
    sigma: float = 0.0
    is_gone: bool = False
    is_slight: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether it is there, stands still but for what is slight, and lies in the band."""
        inside = self.band is None or abs(self.value - self.band.middle) <= max(
            self.band.half, self.band.k * self.error
        )
        return inside and (self.is_slight or not self.moved) and not self.is_gone


def level_of(
    series: Series, history: Sequence[Series], k: float, source: str, own: str = OF_RUN
) -> Level | None:
    """Take the median of the slices, and the band of earlier runs, or of the run itself without any.

    source, own: what the band is then said to be of.
    """
    known = series.is_known
    if not known.any():
        return None
    value = float(np.median(series.values[known]))
    error = error_of_median(series.errors[known])
    band = band_of(history, k, source) if history else band_of([series], k, own)
    move = find_move(series)
    is_followed = int(known.sum()) >= LEAST_SLICES
    moved, sigma = (0.0, 0.0) if move is None else (move.size, move.sigma)
    return Level(
        value,
        error,
        band,
        is_followed,
        moved,
        sigma,
        is_gone=gone_since(series) is not None,
        is_slight=0 < abs(moved) < series.spread,
    )


def report(
    title: str,
    checks: Sequence[Check],
    channels: Sequence[tuple[str, ...]],
    against: str,
    found: Sequence[Difference] | None,
    remarks: Mapping[str, str] | None = None,
    *,
    verdict: str = "",
    warnings: Sequence[tuple[str, str]] = (),
) -> str:
    """Write the report as Markdown.

    channels: (name, state, rate, baseline, why) of each. against: the run that the header is compared with,
    '' where there is none. found: what differs; None where the headers could not be read. remarks: by the
    names of checks. warnings: (when, what) of each.
    """
    lines = [f"# {plain(title)}", "", *((plain(verdict), "") if verdict else ())]
    said = {name: text.strip() for name, text in (remarks or {}).items() if text.strip()}
    heads = ("", "value", "allowed", "", "remark") if said else ("", "value", "allowed", "")
    rows = [(one.what, one.value, one.allowed, one.verdict, said.get(one.what, "")) for one in checks]
    lines += _table(heads, [row[: len(heads)] for row in rows])
    if channels:
        lines += ["", "## Channels", ""]
        lines += _table(("channel", "state", "rate", "baseline", "remark"), channels)
    if warnings:
        lines += ["", "## Warnings", "", *_table(("when", "what"), warnings)]
    first, *others = header_lines(against, found)
    lines += ["", "## Header", "", plain(first)]
    lines += ["", *(f"- {plain(one)}" for one in others)] if others else []
    return "\n".join(lines) + "\n"


def header_lines(against: str, found: Sequence[Difference] | None) -> list[str]:
    """Say what differs from the header of the run `against`: a sentence, and a line for each difference."""
    if not against:
        return ["There is no earlier run in the list to compare the header with."]
    if found is None:
        return [f"The header could not be compared with that of {against}."]
    if not found:
        return [f"As in {against}."]
    left = len(found) - MOST_DIFFERENCES
    more = [f"and {left} more"] if left > 0 else []
    return [f"Changed since {against}:", *(one.sentence for one in found[:MOST_DIFFERENCES]), *more]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(plain(cell) for cell in cells) + " |"


def plain(text: str) -> str:
    """Write a text so that Markdown shows it as it is: no mark ends a cell, a line or a name."""
    return MARKS.sub(r"\\\g<0>", text).replace("\n", " ")
