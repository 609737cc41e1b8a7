"""Puts what is known of a run into the few words for which the strip has room."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import numpy as np

from pygama.utils import signed_text
from pygama_gui.data import health
from pygama_gui.data.run_times import LOW, RunTimes
from pygama_gui.data.shift import Level, Rates
from pygama_gui.data.slices import known_scatter, median_and_scatter
from pygama_gui.jobs.board import JobState, age_tone, counted, date_of, how_far
from pygama_gui.session.state import Run
from pygama_gui.views.strip.figures import NOT_FOUND, SIGN
from pygama_gui.widgets import words

N_BASELINE = 20_000
"""Rows, the newest, that the baseline is taken over."""
N_NAMED = 2
"""Channels that are named; more are counted."""
MOST_REASONS = 10
"""Channels that are told of under the mouse, each with what ails it."""
LONGEST_NOTE = 300
"""Characters of a tooltip that says why something is not known."""
MEANS_LOW = f"Less than {100 * LOW:.0f} % is low: what came in the rest of the time was not recorded"
STATES = {
    "waiting": ("■ WAITING", "soft"),
    "running": ("▶ PROCESSING", "accent"),
    "paused": ("■ PAUSED", "warn"),
    "done": ("✓ DONE", "ok"),
    "failed": ("✕ FAILED", "bad"),
    "stopped": ("■ STOPPED", "soft"),
}
LIVE_STATES = {"running": ("● LIVE", "ok"), "done": ("✓ FINISHED", "ok")}
FROZEN = ("■ FROZEN", "bad")
DAY_LETTERS = len("2018-10-01")
SLIGHT = "less than single events scatter"
"""What is said of a move that nobody needs to look at."""


def members_words(runs: Sequence[Run]) -> str:
    """Say how many runs a data set has and when they began: '4 runs, begun 2018-10-01 19:38 to 21:03 UTC'."""
    n, starts = counted(len(runs), "run"), sorted(one.start_time for one in runs if one.start_time > 0)
    if not starts:
        return n
    first, last = (date_of(one) for one in (starts[0], starts[-1]))
    if first == last:
        return f"{n}, begun {first}"
    is_same_day = first[:DAY_LETTERS] == last[:DAY_LETTERS]
    return f"{n}, begun {first.removesuffix(' UTC')} to {last[DAY_LETTERS + 1 :] if is_same_day else last}"


def live_time_words(
    times: RunTimes, channel: int | None, name: Callable[[int], str]
) -> tuple[str, str, str, str]:
    """Say which part of the time was live, and by which way: '98.72 %', 'by pulser', and the tones.

    '?' where it is not known, and why. channel: None for all, of which those with a low one are named.
    """
    found = times.of(channel)
    if not found.is_known:
        return NOT_FOUND, why_no_live_time(times, channel, name), "", "soft"
    value = f"{100 * found.fraction:.2f} %"
    if found.is_low:
        return value, f"{SIGN} low, by {found.way}", "", "warn"
    if channel is None and times.low:
        worst = f"{name(times.low[0])} {100 * times.channels[times.low[0]].fraction:.0f} %"
        return value, f"{SIGN} {worst}{_and_more(times.low)}", "", "warn"
    return value, f"by {found.way}", "", "soft"


def why_no_live_time(times: RunTimes, channel: int | None, name: Callable[[int], str]) -> str:
    """Say in a few words why the live time is not known, and of which channels."""
    lacking = times.unknown if channel is None else [channel]
    if not lacking:
        return first_reason(times.of(channel).note)
    why = first_reason(times.of(lacking[0]).note)
    if channel is not None or len(times.channels) == 1:
        return why
    who = "any channel" if len(lacking) == len(times.channels) else name(lacking[0]) + _and_more(lacking)
    return f"not of {who}: {why}"


def _and_more(codes: Sequence[int]) -> str:
    return f" and {len(codes) - 1} more" if len(codes) > 1 else ""


def live_time_tip(times: RunTimes, channel: int | None, name: Callable[[int], str]) -> str:
    """Say in words how the live time was found, or why it is not known and what would tell it."""
    found = times.of(channel)
    if found.is_known:
        live = words.with_error(found.live_s, found.live_error_s)
        lines = [f"{live} s of {found.real_s:.6g} s were live, found by {found.way}", found.note]
        lines += [MEANS_LOW] if found.is_low or (channel is None and times.low) else []
        low = times.low if channel is None and len(times.channels) > 1 else []
        lines += [f"{name(code)}: {100 * times.channels[code].fraction:.2f} %" for code in low[:MOST_REASONS]]
    else:
        lines = [f"The live time is not known: {_in_short(found.note)}", _would_tell()]
    if times.records is not None:
        lines.append(times.records.line())
    return "\n".join(lines)


def _would_tell() -> str:
    from pygama.analysis.live_time import (
        LEAST_HITS,  # reads files too, which the window does not need to start
    )

    return f"A pulser would tell it, or {LEAST_HITS} events or more of each channel that come at random"


def first_reason(note: str) -> str:
    """Keep the first clause of a note, without the channels that are listed in it."""
    return re.sub(r" \([^()]*\)", "", note).partition("; ")[0]


def _in_short(note: str) -> str:
    """Leave out what is said of each further channel: whole clauses, as many as can be read at a glance."""
    if len(note) <= LONGEST_NOTE:
        return note
    end = note.rfind("; ", 0, LONGEST_NOTE)
    return f"{note[: end if end > 0 else LONGEST_NOTE]}; …"


def state_words(state: JobState) -> tuple[str, str]:
    if state.follows and state.state in LIVE_STATES:
        return FROZEN if state_age_tone(state) == "bad" else LIVE_STATES[state.state]
    return STATES[state.state]


def state_remark(state: JobState) -> str:
    if state.follows and state.state == "running":
        if state.age_s is None:
            return ""
        age = words.duration(state.age_s)
        match state_age_tone(state):
            case "warn":
                return f"{SIGN} no event for {age}"
            case "bad":
                return f"no event for {age}"
        return f"newest {age} old"
    if state.made_on is not None:
        return f"on {date_of(state.made_on)}"
    if state.state == "running" and state.eta_s is not None and state.done_bytes:
        return f"{100 * state.fraction:.0f} %, {words.duration(state.eta_s)} left"
    if state.state == "done":
        return f"in {words.duration(state.elapsed_s)}"
    if state.state in ("paused", "stopped", "failed") and state.done_bytes:
        return how_far(state)
    return ""


def state_age_tone(state: JobState) -> str:
    """Give the tone for the age of the newest event of a run; 'soft' of one that is not followed."""
    tone = age_tone(state.age_s) if state.follows and state.state == "running" else "ok"
    return "soft" if tone == "ok" else tone


def channels_words(
    found: health.Survey, names: list[str], n_ignored: int = 0, n_absent: int = 0
) -> tuple[str, str, str, str]:
    """Say how many channels there are, and which of them are not well: value, remark, tones.

    n_absent: detectors of the channel map on cards that the run does not have. A few of a state are
    named, as 'channel 2 SILENT'; more are counted.
    """
    told = []
    for state in health.STATES[:-1]:
        its = [name for name, one in zip(names, found.health, strict=True) if one.state == state]
        if its:
            who = ", ".join(its) if len(its) <= N_NAMED else f"{len(its)} channels"
            told.append(f"{health.MARKS[state]} {who} {state.upper()}")
    if not told:
        others = ((n_ignored, "ignored"), (n_absent, "not in this run"))
        remark = ", ".join(("all ok", *(f"{n} {words}" for n, words in others if n)))
        return f"✓ {len(names)}", remark, "ok", "soft"
    n_ill = sum(one.state != "ok" for one in found.health)
    is_alarm = any(one.tone == "bad" for one in found.health)
    tone = "bad" if is_alarm else "warn"
    return f"{'✕' if is_alarm else '▲'} {n_ill} not ok", ", ".join(told), tone, tone


def reasons(found: health.Survey, names: list[str]) -> list[str]:
    """Say of each channel that is not well why it is not; of many, of the first ones."""
    pairs = zip(names, found.health, strict=True)
    ill = [f"{name} {one.state}: {one.why}" for name, one in pairs if one.state != "ok"]
    n_more = len(ill) - MOST_REASONS
    return [*ill[:MOST_REASONS], f"and {n_more} more: see Channels"] if n_more > 0 else ill


def beside(unit: str, level: Level | None) -> tuple[str, str, str]:
    """Give remark and tones for a level beside what is expected of it."""
    if level is None:
        return "", "", "soft"
    moved = f"moved {signed_text(level.moved, 3)} {unit}" if level.moved else ""
    if moved and not level.is_slight:
        return f"▲ {moved}", "", "warn"
    if not level.is_ok and level.band is not None:
        return f"▲ outside the band of {level.band.source}", "", "warn"
    if moved:
        return moved, "", "soft"
    return "steady" if level.is_followed else "", "", "soft"


def place_words(place: Level, unit: str) -> str:
    """Say where the peak lies."""
    return f"at {words.with_error(place.value, place.error)} {unit}".rstrip()


def gain_words(place: Level, unit: str) -> str:
    """Say where the peak lies, and whether it moved."""
    if place.is_gone:
        return "no peak any more"
    at = place_words(place, unit)
    if place.moved and place.value:
        return f"gain {signed_text(100 * place.moved / place.value, 2)} %"
    if not place.is_ok and place.band is not None:
        return f"{at}, outside the band of {place.band.source}"
    return "gain steady" if place.is_followed else at


def mean_and_spread(values: np.ndarray) -> tuple[str, str]:
    """Give the median and the scatter of the newest values; both robust against pulses on a tail."""
    newest = np.asarray(values[-N_BASELINE:], np.float64)
    middle, scatter = median_and_scatter(newest)
    if not math.isfinite(middle):
        return words.UNKNOWN, ""
    scatter = float(known_scatter(scatter))
    spread = f" ± {words.level(scatter)}" if math.isfinite(scatter) else ""
    return f"{words.level(middle)}{spread}", "ADC"


def mean_rate(times: np.ndarray) -> tuple[float, float]:
    """Give the mean rate of events whose times (s) are these, and its error, Hz; NaN where not known."""
    known = times[np.isfinite(times)]
    return rate_over(len(known), float(known.max() - known.min()) if len(known) > 1 else 0.0)


def rate_over(n_events: int, span: float) -> tuple[float, float]:
    """Give the rate of so many events in a span (s), and its error, Hz; NaN where not known."""
    if n_events < 2 or span <= 0:
        return math.nan, math.nan
    return (n_events - 1) / span, math.sqrt(n_events - 1) / span


def rate_now(rates: Rates) -> str:
    """Write the rate of now with its error; of a run that stands still, 0."""
    return f"{words.with_error(rates.now, rates.now_error)} Hz" if rates.now else "0 Hz"


def rate_text(rate: float) -> str:
    """Write a rate."""
    if not math.isfinite(rate):
        return words.UNKNOWN
    return f"{words.count(rate)} Hz" if rate >= 100 else f"{rate:.3g} Hz"
