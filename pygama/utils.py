"""Holds the few functions that scripts ask for by name."""

from __future__ import annotations

import math
import operator
import os
import time
from typing import Any

import numpy as np

from pygama.errors import SettingsError


def get_hist(values: Any, x_lo: float, x_hi: float, bin_width: float) -> tuple[np.ndarray, np.ndarray]:
    """Histogram values so that `plt.plot(x, y, drawstyle="steps")` draws it.

    values: anything that becomes a 1-D array; NaNs are left out. x_lo, x_hi, bin_width: in the unit of the
    values; the number of bins is the nearest whole one. Returns (x, y), each of n_bins + 1 numbers: x the bin
    edges, and y[i + 1] the counts between x[i] and x[i + 1]; y[0] is 0. The last bin includes x_hi.

    Raises ValueError for an empty range or a width that is not positive.
    """
    if not (x_hi > x_lo and bin_width > 0):
        raise ValueError(f"bins of {bin_width} from {x_lo} to {x_hi} hold nothing: x_hi must be above x_lo")
    n_bins = max(round((x_hi - x_lo) / bin_width), 1)
    numbers = np.asarray(values, float).ravel()
    counts, edges = np.histogram(numbers[~np.isnan(numbers)], bins=n_bins, range=(x_lo, x_hi))
    return edges, np.concatenate(([0], counts))


def threads_of(n_threads: int | None) -> int:
    """Give how many threads work, all cores if None; raises SettingsError for less than one."""
    if n_threads is None:
        return os.cpu_count() or 1
    if whole_number(n_threads, "n_threads") < 1:
        raise SettingsError(f"n_threads must be 1 or more, or None for all cores, not {n_threads}")
    return int(n_threads)


def whole_number(value: Any, name: str) -> int:
    """Take a whole number of any integer type; raises SettingsError."""
    try:
        return operator.index(value)
    except TypeError:
        raise SettingsError(f"{name} must be a whole number, not {value!r}") from None


NARROW_SPACE = "\u202f"
GROUPED_FROM = 10_000


def grouped(number: float, decimals: int = 0) -> str:
    """Write a number with narrow spaces between the thousands, from ten thousand on: '9999', '38 860.4'."""
    rounded = number if isinstance(number, int) else round(float(number), decimals) or 0.0  # never -0.0
    text = f"{rounded:,.{decimals}f}" if decimals or isinstance(rounded, float) else f"{rounded:,}"
    return text.replace(",", NARROW_SPACE if abs(rounded) >= GROUPED_FROM else "")


def grouped_text(text: str) -> str:
    """Group the thousands of a whole number that stands on an axis; all else stays as it is."""
    try:
        value = float(text.replace("−", "-"))
    except ValueError:
        return text
    if not (math.isfinite(value) and value == int(value) and abs(value) >= GROUPED_FROM):
        return text
    sign = text[: len(text) - len(text.lstrip("-−"))]
    return f"{sign}{grouped(abs(int(value)))}"


def group_ticks(*all_axes: Any) -> None:
    """Group the thousands on the linear axes of matplotlib's figures; their scales must be set already."""
    from matplotlib.ticker import ScalarFormatter

    class Grouped(ScalarFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return grouped_text(super().__call__(x, pos))

    for axis in (axis for axes in all_axes for axis in (axes.xaxis, axes.yaxis)):
        if type(axis.get_major_formatter()) is ScalarFormatter:  # no time, and no logarithm
            axis.set_major_formatter(Grouped(useOffset=False))


def number_text(value: float, digits: int = 6) -> str:
    """Write a number as '38 860.5': so many digits as count, no exponent, thousands apart from 10 000 on."""
    if not math.isfinite(value) or abs(value) < 1e-4:
        return f"{value:.{digits}g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = grouped(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed_text(value: float, digits: int) -> str:
    """Write a number as `number_text` does, with its sign in any case: '+220', '−0.11'."""
    return ("+" if value >= 0 else "−") + number_text(abs(value), digits)


def plural(count: int, noun: str, plural_noun: str = "") -> str:
    """Give '1 record', '2 records', '12 345 records'."""
    return f"{grouped(count)} {noun if count == 1 else plural_noun or noun + 's'}"


def utc_text(unix_s: float) -> str:
    """Write a moment as '2018-10-01 00:00:12 UTC'."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(unix_s))


def local_text(unix_s: float) -> str:
    """Write a moment by the clock on the wall: '2018-10-01 02:00:12 CEST (local time)'."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z (local time)", time.localtime(unix_s))


def distinct(values: np.ndarray) -> list[int]:
    """List the different whole numbers in an array, in order; quicker than NumPy for the few of a stretch."""
    if len(values) and (values == values[0]).all():
        return [int(values[0])]
    return sorted(set(values.tolist()))
