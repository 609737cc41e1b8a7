"""Builds events: hits of several channels that belong together in time become one.

The rule of the field, and ours: a window opens at the first hit, and each hit that comes no later than its
width belongs to it, the one at its very end included; the next hit after it opens the next window. With
`sliding`, each hit opens the window anew, so that an event ends at the first pause longer than the window.

Hits may come in any order: cards are read out channel by channel, a memory bank at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pygama.analysis.places import broken_clocks, card_of, column, places_of
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

_WHAT = "building events"
_FEW = 32
"""Stretches below which they are gone through one by one."""
_AT_ONCE = 1 << 16
"""Hits of such a stretch that are looked at between two turns of other threads."""


@dataclass(frozen=True)
class Events:
    """Hits put together.

    event: (n_hits,) number of the event of each hit, as the hits were given; multiplicity: (n_hits,) how many
    hits that event has. table: name -> (n_events,), in order of time: time_s of the first hit, duration_s to
    the last, multiplicity, n_channels, first_place, and, of the column that was to be summed, sum and
    greatest. order: hits in order of time; start: (n_events + 1,) where each event begins in it. place:
    (n_hits,) index in `places`, the names 'crate/card/channel'.
    """

    event: np.ndarray
    multiplicity: np.ndarray
    table: dict[str, np.ndarray]
    order: np.ndarray
    start: np.ndarray
    place: np.ndarray
    places: tuple[str, ...]
    window_s: float
    is_sliding: bool

    def __len__(self) -> int:
        return len(self.start) - 1

    def hits_of(self, event: int) -> np.ndarray:
        """Give the hits of an event, as the numbers of the rows that were given, in order of time."""
        return self.order[self.start[event] : self.start[event + 1]]

    def channels_of(self, event: int) -> tuple[str, ...]:
        """Name the channels of an event, in order of time, each once."""
        return tuple(dict.fromkeys(self.places[place] for place in self.place[self.hits_of(event)].tolist()))

    def coincidences(self) -> int:
        """Count the events with two channels or more."""
        return int(np.count_nonzero(self.table["n_channels"] > 1))

    def accidentals(self, real_s: float, chosen: np.ndarray | None = None) -> Accidentals:
        """Estimate how many coincidences chance makes, from the rates of the channels in `real_s` seconds.

        chosen: (n_hits,) which hits count, as those that are no pulses of a pulser; None: all.
        """
        place = self.place if chosen is None else self.place[chosen]
        counts = np.bincount(place, minlength=len(self.places))
        return accidentals(counts, real_s, self.window_s, sliding=self.is_sliding)


@dataclass(frozen=True, slots=True)
class Accidentals:
    """Coincidences by chance: rate, and number with its error of one standard deviation."""

    rate_hz: float
    expected: float
    error: float


def build_events(
    columns: Mapping[str, Any],
    window_s: float,
    *,
    sliding: bool = False,
    summed: str | None = None,
    same_clock: bool = False,
    offsets_s: Mapping[str, float] | None = None,
) -> Events:
    """Put hits together that lie within `window_s`.

    columns: of Tier 2, in any order: time_s, channel (card and crate where there are several) and the one
    named by `summed`, an energy. sliding: see above. Cards that count time each for itself cannot be
    compared: with hits of several cards say `same_clock=True` if one clock drives all, or give `offsets_s`,
    'crate/card' -> seconds that are added to its times.

    Raises SettingsError where clocks are not known to agree, and for a window that is none.
    """
    if not (window_s >= 0 and math.isfinite(window_s)):
        raise SettingsError(f"a window is 0 s or longer, not '{window_s}'")
    time_s = column(columns, "time_s", _WHAT).astype(np.float64)
    if not np.isfinite(time_s).all():
        lost = int(np.count_nonzero(~np.isfinite(time_s)))
        raise SettingsError(f"{lost} hits have no time (NaN), so that they have no event; leave them out")
    place, places = places_of(columns, _WHAT)
    _check_lengths(columns, ("time_s", "channel", *(() if summed is None else (summed,))))
    for name, why in broken_clocks(time_s, place, places).items():
        raise SettingsError(f"{name}: {why}")
    time_s = _on_one_clock(time_s, place, places, same_clock, offsets_s)
    # Hits come in banks, each in order of time: a sort that merges such stretches is the quickest.
    order = np.argsort(time_s, kind="stable")
    times = time_s[order]
    start = window_starts(times, window_s, sliding=sliding)
    sizes = np.diff(start)
    of_sorted = np.repeat(np.arange(len(sizes)), sizes)
    event, multiplicity = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    event[order], multiplicity[order] = of_sorted, np.repeat(sizes, sizes)
    energy = None if summed is None else column(columns, summed, _WHAT).astype(np.float64)[order]
    table = _table(times, start, place[order], energy)
    return Events(event, multiplicity, table, order, start, place, places, window_s, sliding)


def _check_lengths(columns: Mapping[str, Any], names: Sequence[str]) -> None:
    lengths = {name: len(column(columns, name, _WHAT)) for name in names}
    if len(set(lengths.values())) > 1:
        words = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise SettingsError(f"columns of hits have one length, not {words} rows; give all of each hit")


def _on_one_clock(
    time_s: np.ndarray,
    place: np.ndarray,
    places: tuple[str, ...],
    same_clock: bool,
    offsets_s: Mapping[str, float] | None,
) -> np.ndarray:
    cards = tuple(dict.fromkeys(card_of(name) for name in places))
    if len(cards) < 2 or (same_clock and offsets_s is None):
        return time_s
    if offsets_s is None:
        raise SettingsError(
            f"the cards {', '.join(cards)} may each count time for itself: say same_clock=True "
            "(--same-clock) if one clock drives them all, or give the seconds to add to each as "
            "offsets_s={'crate/card': seconds}"
        )
    unknown = [card for card in cards if card not in offsets_s]
    if unknown and not same_clock:
        raise SettingsError(
            f"offsets_s says nothing of card {unknown[0]}; give it, as 0.0 where it needs none"
        )
    return time_s + np.array([offsets_s.get(card_of(name), 0.0) for name in places])[place]


def window_starts(times: np.ndarray, window: float, *, sliding: bool = False) -> np.ndarray:
    """Give where events begin among sorted times, and behind them their end, (n_events + 1,).

    times: (n,), rising, in any unit, whole numbers or floats; window: in the same unit.
    """
    n = len(times)
    if n == 0:
        return np.zeros(1, np.int64)
    apart = np.ones(n, bool)
    apart[1:] = times[1:] > times[:-1] + window
    starts = np.flatnonzero(apart)
    if not sliding:
        # Stretches without a pause that are longer than the window hold several events.
        ends = np.append(starts[1:], n)
        long = np.flatnonzero(times[ends - 1] > times[starts] + window)
        _open_windows(apart, times, starts[long], ends[long], window)
        starts = np.flatnonzero(apart)
    return np.append(starts, n)


def _open_windows(
    apart: np.ndarray, times: np.ndarray, starts: np.ndarray, ends: np.ndarray, window: float
) -> None:
    """Mark where windows open within stretches: one after the other in each, all stretches side by side."""
    while len(starts) > _FEW:
        starts = np.searchsorted(times, times[starts] + window, "right")
        inside = starts < ends
        starts, ends = starts[inside], ends[inside]
        apart[starts] = True
    for start, stop in zip(starts.tolist(), ends.tolist(), strict=True):
        part = times[start:stop]
        at = 0
        while at < len(part):
            first = at
            here = part[first : first + _AT_ONCE]
            following = np.searchsorted(part, here + window, "right").tolist()
            while at < first + len(here):
                apart[start + at] = True
                at = following[at - first]


def _table(
    times: np.ndarray, start: np.ndarray, place: np.ndarray, energy: np.ndarray | None
) -> dict[str, np.ndarray]:
    first, sizes = start[:-1], np.diff(start)
    table = {
        "time_s": times[first],
        "duration_s": times[start[1:] - 1] - times[first],
        "multiplicity": sizes,
        "n_channels": _distinct(place, start, sizes),
        "first_place": place[first],
    }
    if energy is not None:
        none = np.zeros(0)
        table["sum"] = np.add.reduceat(energy, first) if len(first) else none
        table["greatest"] = np.maximum.reduceat(energy, first) if len(first) else none
    return table


def _distinct(place: np.ndarray, start: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Count the different channels of each event."""
    counts = np.ones(len(sizes), np.int64)
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return counts
    lengths = sizes[several]
    event = np.repeat(np.arange(len(several)), lengths)
    hits = np.arange(len(event)) + np.repeat(start[several] - np.cumsum(lengths) + lengths, lengths)
    n_places = int(place.max()) + 1
    pairs = np.sort(event * n_places + place[hits])
    is_new = np.append(True, pairs[1:] != pairs[:-1])
    counts[several] = np.bincount(pairs[is_new] // n_places, minlength=len(several))
    return counts


def accidentals(counts: Any, real_s: float, window_s: float, *, sliding: bool = False) -> Accidentals:
    """Estimate the coincidences of two channels or more that chance makes.

    counts: hits of each channel in `real_s` seconds, taken as independent and evenly spread; true
    coincidences among them make the estimate an upper one. A window is opened at the rate R/(1 + R w), R
    being the rate of all channels and w the window; it stays with its channel i when no hit of another comes
    in it, exp(-(R - r_i) w). With a sliding window the chance to stay is e/(1 - (1 - e) r_i/R), e =
    exp(-R w), and windows are opened at the rate R e. Raises SettingsError without a time.
    """
    if not real_s > 0:
        raise SettingsError(f"rates need a time above 0 s, not '{real_s}'")
    rates = np.asarray(counts, float) / real_s
    total = float(rates.sum())
    if total == 0:
        return Accidentals(0.0, 0.0, 0.0)
    if sliding:
        pause = math.exp(-total * window_s)
        opened, alone = total * pause, pause / (1 - (1 - pause) * rates / total)
    else:
        opened, alone = total / (1 + total * window_s), np.exp(-(total - rates) * window_s)
    rate = opened * float((rates / total * (1 - alone)).sum())
    return Accidentals(rate, rate * real_s, math.sqrt(rate * real_s))
