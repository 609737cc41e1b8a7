"""Writes what fits gave as rows: for the table on screen, for the clipboard, and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from pygama.analysis.fits import MIN_SIGNIFICANCE
from pygama.analysis.region_fit import FittedPeak, RegionFit
from pygama.quick_dataclass import dataclass
from pygama_gui.session.state import Fit

COLUMNS = (
    "run",
    "fit",
    "column",
    "channel",
    "peak",
    "position",
    "position_error",
    "fwhm",
    "fwhm_error",
    "fwtm",
    "fwtm_error",
    "area",
    "area_error",
    "chi2",
    "ndof",
    "p_value",
    "low",
    "high",
    "shape",
    "background",
    "note",
    *(f"{name}_error_{way}" for name in ("position", "fwhm", "fwtm", "area") for way in ("down", "up")),
)
"""The last ones are given where the likelihood is uneven, so that the single errors are not to be trusted."""


@dataclass(frozen=True)
class FitRow:
    """A peak of a fit on a run; of a fit that found none, `peak` is None and `note` says why."""

    run: str
    fit: Fit
    channel: str
    found: RegionFit | None = None
    index: int = 0
    note: str = ""

    @property
    def peak(self) -> FittedPeak | None:
        """The peak."""
        peaks = () if self.found is None or not self.found.converged else self.found.peaks
        return peaks[self.index] if self.index < len(peaks) else None

    @property
    def is_doubtful(self) -> bool:
        """Whether there is more to know of the peak than its numbers and their errors say."""
        found, peak = self.found, self.peak
        if found is None or peak is None:
            return bool(self.note)
        if peak.area_error > 0 and peak.significance <= MIN_SIGNIFICANCE:
            return True
        return any(one.is_about_peaks for one in found.doubts) if found.doubts else bool(found.note)

    def values(self) -> list[object]:
        """Give the values of `COLUMNS`; empty text for what is not known."""
        one, found, request = self.peak, self.found, self.fit.request
        head = [self.run, self.fit.name, self.fit.column, self.channel, self.index + 1]
        numbers: list[object] = [""] * 11
        if one is not None and found is not None:
            numbers = [
                one.position,
                one.position_error,
                one.fwhm,
                one.fwhm_error,
                one.fwtm,
                one.fwtm_error,
                one.area,
                one.area_error,
                found.chi2,
                found.ndof,
                found.p_value,
            ]
            numbers = [number if isinstance(number, int) else f"{number:.8g}" for number in numbers]
        ends = [f"{request.low:.8g}", f"{request.high:.8g}", request.shape, request.background, self.note]
        return [*head, *numbers, *ends, *self._uneven()]

    def _uneven(self) -> list[str]:
        """Give the errors downwards and upwards of position, widths and area; empty where one error does."""
        one = self.peak
        pairs = (
            [None] * 4
            if one is None
            else [one.position_errors, one.fwhm_errors, one.fwtm_errors, one.area_errors]
        )
        return [f"{error:.8g}" if pair is not None else "" for pair in pairs for error in pair or (0.0, 0.0)]


def as_csv(rows: Sequence[FitRow]) -> str:
    """Give rows as CSV with their names in the first line."""
    return _written(rows, ",")


def as_text(rows: Sequence[FitRow]) -> str:
    """Give rows with tabs between their values, as sheets take them."""
    return _written(rows, "\t")


def _written(rows: Sequence[FitRow], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row.values() for row in rows)
    return text.getvalue()


def drift_words(here: FittedPeak, there: FittedPeak, names: tuple[str, str], unit: str) -> str:
    """Say how a peak stands in one run against another: by how much, in parts of a thousand, how sure."""
    moved = here.position - there.position
    error = (here.position_error**2 + there.position_error**2) ** 0.5
    wider = here.fwhm - there.fwhm
    wider_error = (here.fwhm_error**2 + there.fwhm_error**2) ** 0.5
    unit = f" {unit}" if unit else ""
    share = f"{1000 * moved / there.position:+.2f} ‰".replace("-", "−")
    where = f"{_signed(moved, error)}{unit} ({share}, {_sure(moved, error)})"
    wide = f"{_signed(wider, wider_error)}{unit} ({_sure(wider, wider_error)})"
    return f"{names[0]} against {names[1]}: position {where}, FWHM {wide}"


def _signed(value: float, error: float) -> str:
    """-4.03, 0.5 -> '−4.0 ± 0.5': the error keeps one digit, two where it begins with 1."""
    if not error > 0:
        return f"{value:+.4g}".replace("-", "−")
    power = math.floor(math.log10(error))
    digits = max((error / 10**power < 2) - power, 0)
    return f"{value:+.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def _sure(value: float, error: float) -> str:
    if not error > 0:
        return "error not known"
    sigma = abs(value) / error
    return f"{sigma:.1f} σ" if sigma >= 2 else "the same within errors"
