"""Writes numbers as people read them: grouped thousands, units, rounded to what matters."""

from __future__ import annotations

import math
import re

from pygama.utils import GROUPED_FROM, grouped

UNKNOWN = "—"
ALIKE = 1.1
"""Errors downwards and upwards with no larger ratio are told as one."""


def sampled(n_rows: int) -> str:
    """Say that something is of a sample of the rows."""
    return f"from a sample of {count(n_rows)} rows"


def count(number: float | None) -> str:
    """1234567.0 -> '1 234 567', with narrow spaces; None: not known."""
    return UNKNOWN if number is None else grouped(number)


def size(n_bytes: float | None) -> str:
    """2010030000 -> '2.01 GB'."""
    if n_bytes is None:
        return UNKNOWN
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{three_digits(n_bytes / factor)} {unit}"
    return "1 byte" if n_bytes == 1 else f"{n_bytes:.0f} bytes"


def duration(seconds: float | None) -> str:
    """95 -> '1 min 35 s'."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def three_digits(number: float) -> str:
    """Round to three digits without exponents: 2.01, 31.3, 212."""
    if number == 0 or not math.isfinite(number):
        return f"{number:g}"
    decimals = max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{number:.{min(decimals, 6)}f}" if decimals else count(number)


def with_error(value: float, error: float) -> str:
    """8162.43, 0.52 -> '8162.4 ± 0.5': the error keeps one digit, two when it begins with 1.

    What has no error, as a place that is fixed, is written to six digits and no less than whole.
    """
    if not (math.isfinite(value) and math.isfinite(error)) or error <= 0:
        return plain(value)
    exponent = math.floor(math.log10(error))
    if error / 10**exponent < 2:
        exponent -= 1
    decimals = max(0, -exponent)
    return f"{grouped(value, decimals)} ± {grouped(error, decimals)}".replace("-", "−")


def with_errors(value: float, error: float, uneven: tuple[float, float] | None) -> str:
    """3.15, 0.6, (0.51, 0.72) -> '3.2 +0.7 −0.5'.

    uneven: errors downwards and upwards, where the single one does not do; the larger one alone where they
    are alike to a tenth.
    """
    if uneven is None or not (math.isfinite(value) and all(math.isfinite(one) for one in uneven)):
        return with_error(value, error)
    least = min((one for one in uneven if one > 0), default=0.0)
    if not least:
        return with_error(value, error)
    if max(uneven) <= ALIKE * min(uneven):
        return with_error(value, max(uneven))
    exponent = math.floor(math.log10(least))
    decimals = max(0, -(exponent - 1 if least / 10**exponent < 2 else exponent))
    down, up = (grouped(one, decimals) for one in uneven)
    errors = f"± {up}" if up == down else f"+{up} −{down}"
    return f"{grouped(value, decimals)} {errors}".replace("-", "−")


_ERROR = re.compile(r" ± [\d\u202f.]+")


def without_error(text: str) -> str:
    """'8162.4 ± 0.5 ADC' -> '8162.4 ADC'."""
    return _ERROR.sub("", text)


def level(value: float) -> str:
    """8162.43 -> '8162.4', 37290.2 -> '37 290.2': a height in ADC counts."""
    return grouped(value, 1)


_UNIT = re.compile(r"(?<=\d) (?=(?:%|samples?|ns|[uµ]s|ms|s|keV|ADC|Hz|[kMGT]B|bytes?)(?!\w))")
"""The space between a number and its unit."""
_PLUS_MINUS = re.compile(r"(?<=\d) ± (?=\d)")


def together(text: str) -> str:
    """Keep numbers, their errors and their units on one line, by narrow spaces at which no line is broken."""
    return _UNIT.sub("\u202f", _PLUS_MINUS.sub("\u202f±\u202f", text))


def time_of(samples: float, period_ns: float | None) -> str:
    """400 samples at 16 ns -> '6.4 µs'; empty where the period is unknown."""
    if not period_ns:
        return ""
    ns = samples * period_ns
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= factor:
            return f"{ns / factor:.4g} {unit}"
    return f"{ns:.4g} ns"


def number(text: str) -> float:
    """Read a number typed with dot or comma; raises ValueError."""
    return float("".join(text.split()).replace(",", "."))


_MICROSECONDS = re.compile(r"(\d\s*)(?:us|\u00b5s|\u03bcs)$")
"""The micro sign, and the Greek letter that looks like it."""


def shown(value: object) -> str:
    """Write a setting as it stands in its field, '4 us' as '4 µs'; empty for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _MICROSECONDS.sub("\\1\u00b5s", value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def as_stored(text: str) -> str:
    """Write a setting that was typed as settings files have it: '4  µs' as '4 us'."""
    return _MICROSECONDS.sub(r"\1us", " ".join(text.split()))


def plain(value: float) -> str:
    """Write a number without an error: 37290.25 -> '37 290.2', 1234567.8 -> '1 234 568'."""
    if math.isfinite(value) and abs(value) >= GROUPED_FROM:
        told = grouped(value, 1 if abs(value) < 100_000 else 0).removesuffix(".0")
    else:
        told = f"{value:.6g}"
    return told.replace("-", "−")


def waiting_for(what: str, *, follows: bool) -> str:
    """Say that nothing came of a run yet; a young file that is followed has to grow a while first."""
    if follows:
        return f"Following the file: the first {what} come once enough of it was written…"
    return f"Waiting for the first {what}…"


def p_value(p: float) -> str:
    """0.0213 -> '0.021', 3e-9 -> '< 0.0001'."""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"
