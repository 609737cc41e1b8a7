"""Says how the gain of channels and the positions of lines have moved from one calibration to another."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pygama.analysis.calibration import Calibration, ChannelCalibration, MatchedLine
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Drift:
    """How far something moved, relative to where it was, and the standard deviation of that.

    place: of the channel, as '0/8/2'. energy_kev: of the line; None for the gain.
    """

    place: str
    energy_kev: float | None
    name: str
    shift: float
    error: float

    @property
    def significance(self) -> float:
        """The shift in standard deviations, above 0."""
        return abs(self.shift) / self.error if self.error > 0 else math.inf * bool(self.shift)

    def words(self, channel: str = "") -> str:
        """Say it in one line. channel: its name; else it is told by its place."""
        what = "the gain" if self.energy_kev is None else f"{self.energy_kev:.1f} keV ({self.name})"
        percent, error = 100 * self.shift, 100 * self.error
        digits, whose = _digits(error), channel or f"channel {self.place}"
        return (
            f"{whose}: {what} moved by {percent:+.{digits}f} % ± {error:.{digits}f} "
            f"({self.significance:.1f} sigma)"
        )


def _digits(error: float) -> int:
    """Give the decimals that show one digit of an error that matters, two where the first is a 1."""
    if not error > 0:
        return 3
    power = math.floor(math.log10(error))
    return min(max((error / 10**power < 1.95) - power, 0), 9)


def compare(old: Calibration, new: Calibration) -> tuple[Drift, ...]:
    """Compare what both calibrations have: of each channel the gain, then each line, in order of energy.

    Raises SettingsError for calibrations of different columns.
    """
    if old.column != new.column:
        raise SettingsError(
            f"calibrations of '{old.column}' and of '{new.column}' cannot be compared: "
            "they are not of one column"
        )
    places = [place for place in old.channels if place in new.channels]
    return tuple(
        drift for place in places for drift in _of_channel(place, old.channels[place], new.channels[place])
    )


def _of_channel(place: str, old: ChannelCalibration, new: ChannelCalibration) -> Iterator[Drift]:
    if old.curve is None or new.curve is None:
        return
    yield Drift(
        place,
        None,
        "gain",
        *_moved(old.curve.gain, old.curve.gain_error, new.curve.gain, new.curve.gain_error),
    )
    before = {(line.name, line.energy_kev): line for line in old.lines if line.is_used}
    for line in new.lines:
        known = before.get((line.name, line.energy_kev))
        if line.is_used and known is not None:
            yield Drift(place, line.energy_kev, line.name, *_moved(*_position(known), *_position(line)))


def _position(line: MatchedLine) -> tuple[float, float]:
    return line.position or math.nan, line.position_error or math.nan


def _moved(before: float, before_error: float, after: float, after_error: float) -> tuple[float, float]:
    ratio = after / before
    return ratio - 1, abs(ratio) * math.hypot(before_error / before, after_error / after)


def report(old: Calibration, new: Calibration, *, min_sigma: float = 3.0) -> Iterator[str]:
    """Say what moved by `min_sigma` standard deviations or more, and what cannot be compared.

    Raises SettingsError for calibrations of different columns, and a `min_sigma` that is no significance.
    """
    if not 0 <= min_sigma < math.inf:
        raise SettingsError(f"the least significance is 0 sigma or more, not {min_sigma:g}")
    drifts = compare(old, new)
    moved = [drift for drift in drifts if drift.significance >= min_sigma]
    yield from (drift.words() for drift in moved)
    for place in sorted({*old.channels, *new.channels}):
        here = [name for name, one in (("before", old), ("after", new)) if _is_calibrated(one, place)]
        if len(here) < 2:
            yield f"channel {place}: not compared: " + (
                f"calibrated only {here[0]}" if here else "not calibrated"
            )
    n_channels = len({drift.place for drift in drifts})
    channels = "1 channel" if n_channels == 1 else f"{n_channels} channels"
    yield (
        f"{channels} compared, {len(drifts)} positions and gains; "
        f"{len(moved)} moved by {min_sigma:g} sigma or more"
    )


def _is_calibrated(calibration: Calibration, place: str) -> bool:
    one = calibration.channels.get(place)
    return one is not None and one.curve is not None
