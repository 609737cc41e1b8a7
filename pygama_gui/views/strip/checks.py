"""Makes the check-list of a shift report of what the strip shows."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pygama_gui.data.early_pulses import EarlyPulses
from pygama_gui.data.health import Survey
from pygama_gui.data.shift import Check, Level, Rates
from pygama_gui.data.slices import Series
from pygama_gui.views.strip.figures import Figure
from pygama_gui.widgets import words

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
) -> list[Check]:
    """Give the lines of the check-list; free: bytes of room on the disk, None where that is not known."""
    seen = {name: _text(figure) for name, figure in figures.items()}
    made = [Check("run", seen["RUN"]), Check("state", seen["STATE"])]
    is_known = math.isfinite(rates.now)
    allowed = f"{words.with_error(rates.mean, rates.mean_error)} Hz" if is_known else ""
    now = f"{words.with_error(rates.now, rates.now_error)} Hz, at the end" if is_known else ""
    is_ok = abs(rates.sigma) < FAR_OFF if is_known else None
    made += [Check("rate", now or seen["RATE"], allowed, is_ok), Check("events", seen["EVENTS"])]
    made.append(Check("live time", seen["LIVE TIME"]))
    if early is not None:
        begin = f"sample {early.end}, pulses begin at {early.begin}"
        made.append(Check("baseline until", begin, f"{early.begin} or less", is_ok=False))
    for series, level in levels.values():
        made.append(_check_of(series.name, series.unit, level))
    if survey.health:
        n_ok = sum(one.state == "ok" for one in survey.health)
        n = len(survey.health)
        made.append(Check("channels", f"{n_ok} of {n} ok", "all", n_ok == n))
    made.append(Check("errors", seen["ERRORS"], "0", seen["ERRORS"] == "0"))
    made.append(Check("queue", seen["QUEUE"] if figures["QUEUE"].has_value else "0 waiting"))
    if free is not None:
        room = words.size(LOW_DISK)
        made.append(Check("disk", seen["DISK"], f"{room} or more", free >= LOW_DISK))
    return made


def _check_of(name: str, unit: str, level: Level) -> Check:
    value = f"{words.with_error(level.value, level.error)} {unit}".rstrip()
    if level.moved:
        by = f"{level.moved:+.3g} {unit}".rstrip().replace("-", "−")
        value += f", moved by {by} ({level.sigma:.1f} σ)"
    if level.band is None:
        return Check(name, value)
    allowed = f"{words.with_error(level.band.middle, level.band.half)} {unit}".rstrip()
    return Check(name, value, f"{allowed}, from {level.band.source}", level.is_ok)


def _text(figure: Figure) -> str:
    return f"{figure.whole} {figure.remark.text()}".strip()
