"""Tells channels apart by their place, 'crate/card/channel', in columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pygama.errors import SettingsError

_WIDEST_LOOKUP = 1 << 20
_FAR_BACK = 0.05
"""Part of the span of times that a clock must go back to count as started anew."""
_LEAST = 100
"""Hits below which nothing is said."""
_SELDOM = 0.02
"""Part of the hits at which it may do so: more often, and the rows are not in order of time."""


def column(columns: Mapping[str, Any], name: str, what: str) -> np.ndarray:
    """Take a column by name; raises SettingsError that says what it is needed for."""
    try:
        return np.asarray(columns[name])
    except (KeyError, ValueError):
        raise SettingsError(f"{what} needs the column {name!r}, which is not among those given") from None


def places_of(columns: Mapping[str, Any], what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give for each row the number of its place, (n_rows,), and the names of the places by number.

    Columns that are not given count as 0, except 'channel', which is needed.
    """
    channel = column(columns, "channel", what)
    levels = [np.asarray(columns[name]) if name in columns else channel[:0] for name in ("crate", "card")]
    for name, values in zip(("crate", "card", "channel"), (*levels, channel), strict=True):
        _check_level(name, values, len(channel))
    code, sizes, least = _code([*levels, channel])
    values, number = _numbered(code)
    names = []
    for value in values.tolist():
        above, channel_at = divmod(value, sizes[2])
        crate, card = divmod(above, sizes[1])
        names.append(f"{crate + least[0]}/{card + least[1]}/{channel_at + least[2]}")
    return number, tuple(names)


def _check_level(name: str, values: np.ndarray, n_rows: int) -> None:
    """Raise SettingsError for what does not tell a place in each row."""
    if len(values) not in (0, n_rows):
        raise SettingsError(
            f"the column {name!r} has {len(values)} rows, and 'channel' {n_rows}; give columns of one length"
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        lost = int(np.count_nonzero(~np.isfinite(values)))
        raise SettingsError(
            f"{lost} hits have no {name} (NaN), so that their place is not known; leave them out"
        )


def _code(levels: list[np.ndarray]) -> tuple[np.ndarray, list[int], list[int]]:
    """Make one number of several, as small as possible; gives the range and the least value of each too."""
    code, sizes, least = np.zeros(len(levels[-1]), np.int64), [], []
    for values in levels:
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        sizes.append(high - low + 1)
        least.append(low)
        if sizes[-1] > 1:
            code = code * sizes[-1] + (values.astype(np.int64) - low)
    return code, sizes, least


def _numbered(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the different codes, rising, and the place of each code among them."""
    if len(code) and int(code.max()) < _WIDEST_LOOKUP:
        values = np.flatnonzero(np.bincount(code))
        if len(values) == int(code.max()) + 1:
            return values, code
        number = np.zeros(int(code.max()) + 1, np.int64)
        number[values] = np.arange(len(values))
        return values, number[code]
    values, number = np.unique(code, return_inverse=True)
    return values, number.reshape(-1)


def broken_clocks(time_s: np.ndarray, number: np.ndarray, places: tuple[str, ...]) -> dict[str, str]:
    """Say of which places the clock started anew, and where; see `why_clock_is_broken`.

    time_s, number: (n,) time and place of each hit, in the order they were recorded.
    """
    known = time_s[np.isfinite(time_s)]
    if len(known) < _LEAST or not (np.diff(known) < -_FAR_BACK * float(np.ptp(known))).any():
        return {}
    whys = {place: why_clock_is_broken(time_s[number == index]) for index, place in enumerate(places)}
    return {place: why for place, why in whys.items() if why}


def why_clock_is_broken(time_s: np.ndarray) -> str:
    """Say where the times of one channel, (n,) in the order they were recorded, start anew; '' if nowhere.

    Hits of a memory bank may come in any order, and so may rows that were shuffled. A clock that was reset or
    rolled over goes back seldom and far: the times before and after overlap, and no time can be told by them.
    """
    known = np.flatnonzero(np.isfinite(time_s))
    times = time_s[known]
    if len(times) < _LEAST:
        return ""
    far = max(_FAR_BACK * float(times.max() - times.min()), 0.0)
    steps = np.diff(times)
    back = np.flatnonzero(steps < -far) if far else np.zeros(0, np.int64)
    if (
        not len(back)
        or len(back) > max(_SELDOM * len(times), 1)
        or np.count_nonzero(steps < 0) > 3 * len(back)
    ):
        return ""
    row, seconds = int(known[back[0] + 1]), -float(steps[back[0]])
    again = f", and {len(back) - 1} times more" if len(back) > 1 else ""
    return (
        f"the clock goes back by {seconds:.6g} s at row {row}{again}: it was reset or rolled over, or "
        "several runs stand one behind the other; take each stretch by itself"
    )


def card_of(place: str) -> str:
    """Give 'crate/card' of a place."""
    return place.rpartition("/")[0]
