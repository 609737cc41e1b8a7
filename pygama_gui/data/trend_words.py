"""Tells in words what moved of a run, when, and by how much."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from dataclasses import field

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama.utils import grouped, signed_text
from pygama_gui.data.moves import Move, find_move, gone_since
from pygama_gui.data.slices import LEAST_SLICES, Series
from pygama_gui.data.trends import OF_PEAK, Trends

SOONEST_S = 3600.0
"""A first event later than this on the run's clock shows that the clock did not begin with the run."""
WORDS = {"rate": "rate", "baseline": "baseline", "noise": "noise", "position": "gain", "width": "FWHM"}
IN_PERCENT = ("rate", "noise", "position", "width")


@dataclass(frozen=True)
class Clock:
    """Turns times of a run into words. start: Unix seconds at which the clock was 0; None: not known."""

    start: float | None = None
    step: float = field(default=1.0, compare=False)
    """Width of a slice, s: words are as fine as it is."""

    def words(self, seconds: float) -> str:
        """Write a time: '14:32 UTC' or '14:32:07.25 UTC', or '125 s' and, in steps of a minute, '130 s'."""
        if self.start is None:
            digits = -math.floor(math.log10(self.step)) if self.step > 0 else 3
            return f"{grouped(round(seconds, digits), max(digits, 0))} s"
        at = self.start + seconds + 1e-6
        pattern = "%H:%M" if self.step >= 60 else "%H:%M:%S"
        words = time.strftime(pattern, time.gmtime(at))
        if self.step >= 1:
            return f"{words} UTC"
        digits = math.ceil(-math.log10(self.step))
        return f"{words}.{math.floor(at % 1 * 10**digits):0{digits}d} UTC"


def clock_start(start_time: int, first: float) -> float | None:
    """Give when the run's clock was 0, Unix s; None where the header or the clock does not tell."""
    return float(start_time) if start_time > 0 and -1.0 <= first <= SOONEST_S else None


def gone_words(series: Series, clock: Clock) -> str:
    """Say since when a peak is missing: '▲ no peak since 14:32 UTC'; '' where it is there."""
    since = gone_since(series)
    return "" if since is None else f"▲ no peak since {clock.words(since)}"


def move_words(series: Series, move: Move | None, clock: Clock) -> str:
    """Say what moved: 'gain −0.11 % since 14:32 UTC (6.2 σ)', or that it is steady or not known."""
    what = WORDS.get(series.kind, series.name)
    if not series.is_known.any():
        return f"{what} not known"
    if int(series.is_known.sum()) < LEAST_SLICES:
        return f"{what}: too few slices to tell"
    if move is None:
        return f"{what} steady"
    if series.kind in IN_PERCENT and move.level:
        size = f"{signed_text(100 * move.size / abs(move.level), 2)} %"
    else:
        size = f"{signed_text(move.size, 3)} {series.unit}".rstrip()
    return f"{what} {size} {_when(series, move, clock)}".replace("-", "−")


def gain_words(series: Series, move: Move, unit: str, clock: Clock) -> str:
    """Say by how much a peak moved: 'gain −0.82 keV (−0.031 %) since 14:32 UTC (6.2 σ)'."""
    size = f"{signed_text(move.size, 3)} {unit}".rstrip()
    share = f" ({signed_text(100 * move.size / abs(move.level), 2)} %)" if move.level else ""
    return f"gain {size}{share} {_when(series, move, clock)}".replace("-", "−")


def _when(series: Series, move: Move, clock: Clock) -> str:
    when = f"over {_long(clock, series)}" if move.is_slope else f"since {clock.words(move.since)}"
    return f"{when} ({move.sigma:.1f} σ)"


def _long(clock: Clock, series: Series) -> str:
    known = series.times[series.is_known]
    length = float(known[-1] - known[0])
    if length >= 7200:
        return f"{_two_digits(length / 3600)} h"
    return f"{_two_digits(length / 60)} min" if length >= 120 else f"{_two_digits(length)} s"


def _two_digits(number: float) -> str:
    """Round to two digits, without an exponent: 1.8, 42, 110."""
    return f"{float(f'{number:.2g}'):g}"


def outside_words(outside: np.ndarray) -> str:
    """Say how many slices lie outside the band."""
    n = int(outside.sum())
    return "" if not n else f"{n} slice{'s' if n > 1 else ''} outside the band"


def sentence(name: str, trends: Trends, clock: Clock, unsafe: Collection[str] = ()) -> str:
    """Say what moved of all that was followed, what moved first: 'channel 2: gain −0.11 % …, rate steady'.

    unsafe: kinds of series that are not called steady, as the gain of channels that are put together.
    """
    now = [one for one in trends.series if one.is_known.any() and one.kind not in trends.late]
    told = [(find_move(one), one) for one in now]
    moved = [move_words(one, move, clock) for move, one in told if move is not None]
    still = [one for move, one in told if move is None]
    if gone := [words for one in now if (words := gone_words(one, clock))]:
        moved, unsafe = [*gone, *moved], (*unsafe, *OF_PEAK)
    calm: list[str] = []
    unsure: list[str] = []
    for one in (one for one in still if one.kind not in unsafe):
        (calm if int(one.is_known.sum()) >= LEAST_SLICES else unsure).append(WORDS.get(one.kind, one.name))
    parts = moved + ([f"{', '.join(calm)} steady"] if calm else [])
    parts += [f"too few slices to tell of {', '.join(unsure)}"] if unsure else []
    return f"{name}: {'; '.join(parts) or 'too few events to tell'}"
