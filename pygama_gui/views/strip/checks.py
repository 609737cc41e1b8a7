"""Makes the check-list of a shift report of what the strip shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pygama.utils import signed_text
from pygama_gui.data.early_pulses import EarlyPulses
from pygama_gui.data.health import Survey
from pygama_gui.data.run_times import LOW
from pygama_gui.data.shift import Check, Level, Rates
from pygama_gui.data.shift_page import MEASURED
from pygama_gui.data.slices import Series
from pygama_gui.data.trends import OF_PEAK
from pygama_gui.views.strip.figures import SIGN, Figure
from pygama_gui.views.strip.telling import SLIGHT, rate_now
from pygama_gui.widgets import words

ORDER = (
    *("run", "state", "rate", "events", "live time", "baseline", "noise", "peak position", "peak width"),
    *("channels", "errors", "queue", "disk"),
)
"""Lines of the check-list: those that have no value are there, and say so."""
LOW_DISK = 5e9
"""Bytes: less room than this is told."""
FAR_OFF = 5.0
"""Standard deviations from which on a rate is another one."""


def checks(
    figures: Mapping[str, Figure],
    rates: Rates,
    early: EarlyPulses | None,
    levels: Mapping[str, tuple[Series, Level]],
    survey: Survey,
    free: int | None,
    mean_rate: tuple[float, float],
    *,
    whose_peak: str = "",
    why: Mapping[str, str],
) -> list[Check]:
    """Give the lines of the check-list.

    free: bytes of room on the disk, None where that is not known. mean_rate: of a run that has ended, and its
    error, Hz. whose_peak: the channel whose peak is followed, where there are several. why: why something is
    not known, by the names of ORDER, as far as there is something to say.
    """
    seen = {name: _text(figure) for name, figure in figures.items()}
    made = [
        Check("run", _text(figures["RUN"], ", ")),
        Check("state", seen["STATE"], is_ok=False if figures["STATE"].is_bad else None),
    ]
    is_known = math.isfinite(rates.now)
    allowed = f"about {words.with_error(rates.mean, rates.mean_error)} Hz, as before" if is_known else ""
    now = f"{rate_now(rates)}, at the end" if is_known else ""
    is_ok = abs(rates.sigma) < FAR_OFF if is_known else None
    number, error = (rates.now, rates.now_error) if is_known else mean_rate
    if figures["RATE"].is_known:
        made.append(Check("rate", now or seen["RATE"], allowed, is_ok, number, error, "Hz", kind="rate"))
    if figures["EVENTS"].is_known:
        made.append(Check("events", seen["EVENTS"]))
    if (live := figures["LIVE TIME"]).is_known:
        value = seen["LIVE TIME"].replace(f"{SIGN} ", "")
        made.append(Check("live time", value, f"{100 * LOW:.0f} % or more", not live.matters))
    if early is not None:
        begin = f"sample {early.end}, pulses begin at {early.begin}"
        made.append(Check("baseline until", begin, f"{early.begin} or less", is_ok=False))
    for kind, (series, level) in levels.items():
        made.append(_check_of(series, level, whose_peak if kind in OF_PEAK else ""))
    if survey.health:
        n_ok = sum(one.state == "ok" for one in survey.health)
        n = len(survey.health)
        who = "" if n_ok == n else f", {figures['CHANNELS'].remark.text()}"
        made.append(Check("channels", f"{n_ok} of {n} ok{who}", "all", n_ok == n))
    made.append(Check("errors", seen["ERRORS"], "0", seen["ERRORS"] == "0"))
    made.append(Check("queue", seen["QUEUE"] if figures["QUEUE"].has_value else "0 waiting"))
    if free is not None:
        room = words.size(LOW_DISK)
        made.append(Check("disk", seen["DISK"], f"{room} or more", free >= LOW_DISK))
    return _with_unknown(made, why)


def _with_unknown(made: Sequence[Check], why: Mapping[str, str]) -> list[Check]:
    """Add what should have a value and has none, each in its place."""
    known = {name for one in made for name in (one.what, MEASURED.get(one.kind, ""))}
    lacking = [
        Check(what, why.get(what, "") or words.UNKNOWN, is_known=False) for what in ORDER if what not in known
    ]
    places = {what: at for at, what in enumerate(ORDER)}

    def place(check: Check) -> int:
        return places.get(MEASURED.get(check.kind, check.what), places["baseline"])

    return sorted([*made, *lacking], key=place)


def _check_of(series: Series, level: Level, whose: str) -> Check:
    name, unit, kind = series.name, series.unit, series.kind
    value = f"{words.with_error(level.value, level.error)} {unit}".rstrip() + (
        f" of {whose}" if whose else ""
    )
    if level.moved:
        by = f"{signed_text(level.moved, 3)} {unit}".rstrip()
        value += f", moved by {by} ({level.sigma:.1f} σ)" + (f", {SLIGHT}" if level.is_slight else "")
    if level.is_gone:
        value += ", missing at the end"
    number, error, band = level.value, level.error, level.band
    if band is None:
        is_ok = False if level.is_gone else None
        return Check(name, value, "", is_ok, number, error, unit, kind=kind)
    allowed = f"{words.with_error(band.middle, band.half)} {unit}".rstrip() + f", from {band.source}"
    ends = (band.middle - band.half, band.middle + band.half)
    return Check(name, value, allowed, level.is_ok, number, error, unit, ends, kind)


def _text(figure: Figure, between: str = " ") -> str:
    return between.join(one for one in (figure.whole, figure.remark.text()) if one)
