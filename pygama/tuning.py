"""Finds the settings of the chain that make a peak sharpest.

A sample of waveforms is kept in memory and run through the chain again for each setting; the peak is fitted
each time. The events of the peak are picked once, with the settings as they are, so that the peak is found
again when a setting moves it. What the settings that are tried do not change is computed once.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.analysis.peaks import PeakFit, fit_peak
from pygama.block import Block
from pygama.errors import SettingsError, TierFileError
from pygama.processing.base import Tier1Processor
from pygama.processing.rerun import Rerun
from pygama.processing.steps import from_file
from pygama.quick_dataclass import dataclass

if TYPE_CHECKING:
    from pygama.storage import Table, TierFile

Settings = Mapping[str, Any]
"""'step.setting' -> value, as {'trap_filter.rise': 300}; a step can also be named by its place, '3.rise'."""

N_GROUPS = 20
"""Groups of events that are left out in turn, to see how much settings differ by chance."""
SAME_EVENTS = (
    "All were tried on the same events, so that they differ less by chance than their errors say: the error "
    "of an optimum is an upper limit, and fewer may be as good"
)
"""What a scan says of its errors."""
_FAR_OFF = 3.0
"""So many standard deviations from a parabola are taken for more than chance."""
_MIN_EVENTS = 15
_MOST_VALUES = 10000
_STRETCHES = 16
"""A sample is taken from so many places of a file, since a detector may drift."""


def read_sample(
    path: Path | str, n: int = 10000, *, channel: int | None = None, digitizer: str | None = None
) -> Block:
    """Read about `n` rows with waveforms from a Tier 1 file, from all over it.

    channel: take rows of this one alone; the sample can then be smaller. digitizer: the table, the first one
    with waveforms if None. Raises TierFileError where there is nothing to take.
    """

    def of_channel(part: Block) -> Block:
        return part if channel is None else part[np.flatnonzero(part.rows["channel"] == channel)]

    sample = read_chosen(path, n, of_channel, digitizer=digitizer)
    if not len(sample):
        raise TierFileError(f"{Path(path).name}: no waveform of channel {channel} in the sample")
    return sample


def read_chosen(
    path: Path | str, n: int, choose: Callable[[Block], Block], *, digitizer: str | None = None
) -> Block:
    """Read about `n` rows as `read_sample` does, and keep what `choose` gives of each stretch of them.

    So of many rows that are read, few have to be in memory together.
    """
    if n < 1:
        raise SettingsError(f"a sample has 1 waveform or more, not {n}")
    from pygama.storage import TierFile

    with TierFile(Path(path)) as file:
        keys = [key for key in file.keys if not key.endswith(("_Garbage", "_Damaged"))]
        tables = [table for key in keys if (table := _digitizer(file, key, digitizer)) is not None]
        if not tables:
            wanted = "waveforms" if digitizer is None else f"waveforms of '{digitizer}'"
            raise TierFileError(f"{Path(path).name} has no {wanted}; is it a Tier 1 file?")
        parts = [choose(part) for part in _stretches(tables[0], n)]
    rows = np.concatenate([part.rows for part in parts])
    waveforms = [part.waveforms for part in parts if part.waveforms is not None]
    return Block(parts[0].decoder, rows, np.concatenate(waveforms))


def _digitizer(file: TierFile, key: str, wanted: str | None) -> Table | None:
    if wanted is not None and key != wanted:
        return None
    try:
        table = file.table(key)
    except TierFileError:
        return None
    return table if table.n_samples and table.n_rows else None


def _stretches(table: Table, n: int) -> Iterator[Block]:
    if n >= table.n_rows:
        yield table.read()
        return
    each = max(n // _STRETCHES, 1)
    for number in range(min(_STRETCHES, n)):
        start = number * (table.n_rows - each) // max(min(_STRETCHES, n) - 1, 1)
        yield table.read(start, start + each)


@dataclass(frozen=True, slots=True)
class Line:
    """The peak to look at, in the unit of the column and with the settings as they are."""

    around: float
    width: float
    """Of the whole window of the fit, best 5 to 15 times the FWHM."""
    column: str = "trap_max"


@dataclass(frozen=True, slots=True)
class Tried:
    """What one choice of settings gives."""

    settings: dict[str, Any]
    fit: PeakFit
    scale: float
    """How far the peak moved: its place over that with the settings as they are."""
    without: tuple[float, ...] = ()
    """The resolution with one of the groups of events left out, group by group; empty where not asked for."""

    @property
    def resolution(self) -> float:
        """FWHM over position, so that a mere change of gain changes nothing; NaN if not fitted."""
        return self.fit.fwhm / self.fit.position if self.fit.converged else math.nan

    @property
    def resolution_error(self) -> float:
        """One standard deviation of the resolution."""
        return self.fit.fwhm_error / self.fit.position if self.fit.converged else math.nan


@dataclass(frozen=True, slots=True)
class Scan:
    """A grid of settings, tried one by one, the last axis changing quickest."""

    axes: dict[str, tuple[Any, ...]]
    tried: tuple[Tried, ...]

    @property
    def best(self) -> Tried:
        """The sharpest peak; raises SettingsError if no fit converged."""
        fitted = [one for one in self.tried if one.fit.converged]
        if not fitted:
            raise SettingsError(
                "no setting of the scan gave a peak that could be fitted; widen the line's window"
            )
        return min(fitted, key=lambda one: one.resolution)

    def as_good(self) -> list[Tried]:
        """Settings that differ from the best by one standard deviation or less, the best among them.

        All are tried on the same events, so that the error of a difference is smaller than those of both; it
        is known where groups of events were left out. Elsewhere it is that of the best, which is generous.
        """
        best = self.best
        return [one for one in self.tried if one.fit.converged and _is_as_good(one, best)]

    @property
    def is_paired(self) -> bool:
        """Whether the errors of differences are known, as those of the same events."""
        return len(self.tried) > 1 and all(
            _groups(one) is not None for one in self.tried if one.fit.converged
        )

    def optimum(self, axis: str) -> tuple[float, float]:
        """Give the best value of one numeric axis, the others at their best, and its standard deviation.

        Of values with a unit, as "4 us", in that unit, which must be the same for all.

        A parabola through the resolutions near the best gives both. Where it has no lowest point within the
        axis, the best value that was tried is given, and half of the range that is as good for its deviation.
        Where values so far apart were tried that a parabola describes no more than three of them, how far
        the fourth moves its lowest point is part of the deviation. The deviation is an upper limit unless
        `is_paired`: it takes the resolutions as independent, and they are of the same events.
        """
        if (parabola := self._lowest(axis)) is not None:
            return parabola
        best, values = self.best, self._values(axis)
        good = [number_of(one.settings[axis]) for one in self.as_good() if self._differs_in(one, best, axis)]
        steps = np.diff(np.unique(values))
        return number_of(best.settings[axis]), max(
            (max(good) - min(good)) / 2, steps.min() / 2 if len(steps) else 0.0
        )

    def beyond(self, axis: str) -> str:
        """Tell where the optimum of one axis may be that was not tried: 'below' or 'above', else ''."""
        if self._lowest(axis) is not None:
            return ""
        value, values = number_of(self.best.settings[axis]), self._values(axis)
        return "below" if value == values.min() else "above" if value == values.max() else ""

    def _lowest(self, axis: str) -> tuple[float, float] | None:
        values = self._values(axis)
        parabola = _parabola(values, self._row(axis)) if len(np.unique(values)) > 3 else None
        is_inside = parabola is not None and values.min() <= parabola[0] <= values.max()
        return parabola if is_inside else None

    def _row(self, axis: str) -> list[Tried]:
        return [one for one in self.tried if one.fit.converged and self._differs_in(one, self.best, axis)]

    def _values(self, axis: str) -> np.ndarray:
        return np.array([number_of(one.settings[axis]) for one in self._row(axis)])

    def as_dict(self) -> dict[str, Any]:
        """Give all of it in plain types, for JSON; numbers that are not known are None."""
        best = self.best
        optima = {axis: self.optimum(axis) for axis in self.axes if len(self.axes[axis]) > 1}
        return {
            "tried": [_as_dict(one) for one in self.tried],
            "best": _as_dict(best),
            "optimum": {
                axis: {"value": value, "error": error, "beyond": self.beyond(axis)}
                for axis, (value, error) in optima.items()
            },
            "as_good": [one.settings for one in self.as_good()],
            "note": self._note(),
        }

    def lines(self) -> list[str]:
        """Give a table for people, with the best values and their uncertainties below."""
        widths = [
            max(len(axis), *(len(str(value)) for value in values)) for axis, values in self.axes.items()
        ]
        head = [f"{axis:>{width}}" for axis, width in zip(self.axes, widths, strict=True)]
        lines = ["  ".join([*head, f"{'position':>20}", f"{'FWHM':>18}", "FWHM / position"])]
        good, best = self.as_good(), self.best
        for one in self.tried:
            values = [
                f"{value!s:>{width}}" for value, width in zip(one.settings.values(), widths, strict=True)
            ]
            mark = "  best" if one is best else "  as good" if one in good else ""
            lines.append("  ".join([*values, _fit_words(one)]) + mark)
        lines += ["", f"Best: {_words(best.settings)}, FWHM / position {_percent(best)}"]
        for axis in self.axes:
            if len(self.axes[axis]) > 1:
                lines.append(f"Optimum of {axis}: {self._words_of_optimum(axis)}")
        lines.append(
            f"{len(good)} of {len(self.tried)} are as good within one standard deviation of the best"
        )
        lines += [self._note()] if self._note() else []
        return lines

    def _note(self) -> str:
        return SAME_EVENTS if len(self.tried) > 1 and not self.is_paired else ""

    def _words_of_optimum(self, axis: str) -> str:
        value, error = self.optimum(axis)
        if where := self.beyond(axis):
            best = self.best.settings[axis]
            return f"not found; {best} is best, the last that was tried: try values {where} it"
        return f"{value:.5g} ± {error:.3g}"

    @staticmethod
    def _differs_in(one: Tried, other: Tried, axis: str) -> bool:
        return all(one.settings[name] == other.settings[name] for name in other.settings if name != axis)


def read_axes(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Read what to try: 'trap_filter.rise=200:600:50', with the end, or 'pole_zero.tau=40 us,50 us'.

    Raises SettingsError.
    """
    axes: dict[str, list[Any]] = {}
    for name, values in map(_axis, texts):
        if name in axes:
            raise SettingsError(f"{name} is scanned twice: give all its values at once, as {name}=200,300")
        axes[name] = values
    return axes


def _axis(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    if not equals or "." not in name or not values.strip():
        raise SettingsError(f"what to try is given as trap_filter.rise=200:600:50 or =200,300, not {text!r}")
    if ":" not in values:
        return name.strip(), [_value(part) for part in values.split(",")]
    unit = values.lstrip("0123456789.:+-eE ").strip()
    try:
        first, last, step = map(float, values.removesuffix(unit).split(":"))
    except ValueError:
        raise SettingsError(f"{name}: a range is first:last:step, as 200:600:50, not {values!r}") from None
    if not (step > 0 and last >= first) or (last - first) / step > _MOST_VALUES:
        raise SettingsError(f"{name}: a range goes up in at most {_MOST_VALUES} steps, not {values!r}")
    numbers = first + step * np.arange(int((last - first) / step + 1e-9) + 1)
    return name.strip(), [_value(f"{number:.10g} {unit}") for number in numbers.tolist()]


def _value(text: str) -> Any:
    """Read a number, or leave a text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return int(number) if number.is_integer() else number


def _words(settings: Settings) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _percent(one: Tried) -> str:
    return f"{100 * one.resolution:.4f} ± {100 * one.resolution_error:.4f} %"


def _fit_words(one: Tried) -> str:
    fit = one.fit
    if not fit.converged:
        return fit.note
    position = f"{fit.position:.2f} ± {fit.position_error:.2f}"
    width = f"{fit.fwhm:.2f} ± {fit.fwhm_error:.2f}"
    return f"{position:>20}  {width:>18}  {_percent(one)}"


def _as_dict(one: Tried) -> dict[str, Any]:
    fit = one.fit
    numbers = {
        "position": fit.position,
        "position_error": fit.position_error,
        "fwhm": fit.fwhm,
        "fwhm_error": fit.fwhm_error,
        "resolution": one.resolution,
        "resolution_error": one.resolution_error,
    }
    known = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
    return {"settings": one.settings, **known, "converged": fit.converged, "note": fit.note}


def number_of(value: Any) -> float:
    """Give a value of a setting as a number, without its unit."""
    if isinstance(value, str) and (found := re.match(r"\s*([-+0-9.,eE]+)", value)):
        return float(found[1].replace(",", "."))
    return float(value)


def _is_as_good(one: Tried, best: Tried) -> bool:
    mine, others = _groups(one), _groups(best)
    error = best.resolution_error if mine is None or others is None else _jackknifed(mine - others)
    return one.resolution - best.resolution <= error


def _groups(one: Tried) -> np.ndarray | None:
    """Give the resolutions without each of the groups, (N_GROUPS,); None where they are not all known."""
    return np.array(one.without) if one.without and np.isfinite(one.without).all() else None


def _jackknifed(values: np.ndarray) -> float:
    """Give the standard deviation of what has these values with one of as many groups left out, in turn.

    Source: B. Efron, C. Stein, Ann. Statist. 9 (1981) 586.
    """
    n = len(values)
    return math.sqrt((n - 1) / n * float(((values - values.mean()) ** 2).sum()))


def _parabola(values: np.ndarray, row: Sequence[Tried]) -> tuple[float, float] | None:
    """Fit a parabola by least squares; its lowest point and the error of that, None if it has none.

    Far from its lowest point a resolution is no parabola, so the values at the ends are left out until one
    describes the others. Three it always describes, so that how far the last one left out moved the lowest
    point is an error as well. The rest is that of resolutions of the same events where each is known without
    groups of these.
    """
    *wider, (near, those) = _towards_the_best(values, row)
    found = _lowest_point(near, those)
    if found is None:
        return None
    value, error = found[0], _error_of(found, near, those)
    if len(those) > 3:
        return value, error
    before = _lowest_point(*wider[-1])
    moved = np.ptp(near) / 2 if before is None else before[0] - value
    return value, math.hypot(error, moved)


def _error_of(found: tuple[float, float], values: np.ndarray, row: Sequence[Tried]) -> float:
    """Give the error of a lowest point, from those without groups of events where these are known."""
    groups = _all_groups(row)
    lowest = [] if groups is None else [_lowest_point(values, row, y) for y in groups.T]
    known = [one[0] for one in lowest if one is not None]
    return _jackknifed(np.array(known)) if len(known) == N_GROUPS else found[1]


def _towards_the_best(values: np.ndarray, row: Sequence[Tried]) -> list[tuple[np.ndarray, list[Tried]]]:
    """Give shorter and shorter stretches of what was tried, until a parabola describes one: values and those.

    Of the two ends that which is less sharp goes first; the best and those beside it stay, and three in all.
    """
    order = np.unique(values, return_index=True)[1]
    values, those = values[order], [row[at] for at in order.tolist()]
    resolution = _resolutions(those)
    first, last, best = 0, len(those), int(np.argmin(resolution))
    stretches = [(values, those)]
    while last - first > 3 and not _is_parabola(*stretches[-1]):
        ends = [end for end in (first, last - 1) if abs(end - best) > 1]
        if max(ends, key=lambda end: resolution[end]) == first:
            first += 1
        else:
            last -= 1
        stretches.append((values[first:last], those[first:last]))
    return stretches


def _resolutions(row: Sequence[Tried]) -> np.ndarray:
    return np.array([one.resolution for one in row])


def _is_parabola(values: np.ndarray, row: Sequence[Tried]) -> bool:
    """Tell whether none lies farther from the parabola through all than chance puts it."""
    groups, errors = _all_groups(row), np.array([one.resolution_error for one in row])
    left = _beside(values, row, _resolutions(row))
    if groups is not None:
        errors = np.array(
            [_jackknifed(one) for one in np.transpose([_beside(values, row, y) for y in groups.T])]
        )
    return bool((np.abs(left) <= _FAR_OFF * errors).all())


def _beside(values: np.ndarray, row: Sequence[Tried], y: np.ndarray) -> np.ndarray:
    """Give how far each lies above the parabola through all."""
    x, coefficients, _ = _fitted(values, row, y)
    return y - np.polyval(coefficients, x)


def _all_groups(row: Sequence[Tried]) -> np.ndarray | None:
    """Give the resolutions without each of the groups, (n, N_GROUPS); None where one is not known."""
    groups = [_groups(one) for one in row]
    return None if any(group is None for group in groups) else np.array(groups)


def _fitted(
    values: np.ndarray, row: Sequence[Tried], y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a parabola in x, which goes from -1 to 1 about; gives x, the coefficients and their covariance."""
    weight = 1 / np.array([one.resolution_error for one in row])
    x = (values - values.mean()) / (np.ptp(values) / 2)
    coefficients, covariance = np.polyfit(x, y, 2, w=weight, cov="unscaled")
    return x, coefficients, covariance


def _lowest_point(
    values: np.ndarray, row: Sequence[Tried], y: np.ndarray | None = None
) -> tuple[float, float] | None:
    """Give the lowest point of the parabola through resolutions, those of `row` or others, and its error."""
    centre, span = values.mean(), np.ptp(values) / 2
    _, coefficients, covariance = _fitted(values, row, _resolutions(row) if y is None else y)
    a, b, _ = coefficients
    if a <= 0:
        return None
    slope = np.array([b / (2 * a * a), -1 / (2 * a), 0.0])
    return float(centre - span * b / (2 * a)), float(span * math.sqrt(slope @ covariance @ slope))


class Tuner:
    """Tries settings of a chain on a sample of waveforms.

    sample: rows with waveforms, kept as they are. processor: the chain and the settings to start from.
    pool: threads that share the work. Raises SettingsError if the line has too few events in the sample.
    """

    def __init__(
        self, sample: Block, processor: Tier1Processor, line: Line, *, pool: Executor | None = None
    ) -> None:
        if not 0 < line.width < math.inf:
            raise SettingsError(f"the window of the line is wider than 0, not {line.width:g}")
        self._steps = processor.to_chain(defaults=True)
        self._line = line
        steps = Tier1Processor.from_chain(self._steps).steps
        with from_file(processor.source):
            self._rerun = Rerun(sample, steps, [line.column], pool=pool)
            values = self.values({})
        self._members = np.flatnonzero(np.abs(values - line.around) < line.width / 2)
        if len(self._members) < _MIN_EVENTS:
            raise SettingsError(
                f"{len(self._members)} of {len(sample)} waveforms lie within {line.width:g} around "
                f"{line.around:g} of {line.column}: too few to tune on; take a larger sample or another line"
            )
        self._reference = float(np.median(values[self._members]))

    @property
    def n_events(self) -> int:
        """Events of the sample in the line's window, with the settings as they are."""
        return len(self._members)

    def values(self, settings: Settings) -> np.ndarray:
        """Give the line's column for all waveforms of the sample with these settings, (n_rows,)."""
        changes: dict[int, dict[str, Any]] = {}
        for name, value in settings.items():
            place, setting = self._split(name)
            changes.setdefault(place, {})[setting] = value
        return np.asarray(self._rerun.run(changes)[self._line.column], float)

    def with_settings(self, settings: Settings) -> list[dict[str, Any]]:
        """Give the chain with these settings, as settings files hold it."""
        steps = [{**entry, "settings": dict(entry.get("settings", {}))} for entry in self._steps]
        for name, value in settings.items():
            place, setting = self._split(name)
            steps[place]["settings"][setting] = value
        return Tier1Processor.from_chain(steps).to_chain()

    def _split(self, name: str) -> tuple[int, str]:
        """Find the step and the setting that a name means."""
        step, _, setting = name.rpartition(".")
        return self._place(step, name), setting

    def _place(self, step: str, name: str) -> int:
        names = [entry["step"] for entry in self._steps]
        if step.isdigit() and 1 <= int(step) <= len(names):
            return int(step) - 1
        if names.count(step) == 1:
            return names.index(step)
        why = "is in the chain more than once; give its place" if step in names else "is not in the chain"
        raise SettingsError(f"'{name}': the step '{step}' {why}; the chain is {', '.join(names)}")

    def _refuse_doubles(self, names: Sequence[str]) -> None:
        """Raise SettingsError where two names mean one setting, as trap_filter.rise and 3.rise can."""
        known: dict[tuple[int, str], str] = {}
        for name in names:
            if (other := known.setdefault(self._split(name), name)) != name:
                raise SettingsError(f"{other} and {name} are one setting: give all its values at once")

    def try_settings(self, settings: Settings) -> Tried:
        """Run the sample with these settings and fit the line where its events have gone."""
        return self._tried(settings)[0]

    def _tried(self, settings: Settings) -> tuple[Tried, np.ndarray]:
        """Try settings; gives the values of the column, (n_rows,), too."""
        values = self.values(settings)
        scale = float(np.median(values[self._members])) / self._reference
        return Tried(dict(settings), self._fit(values, scale), scale), values

    def _fit(self, values: np.ndarray, scale: float) -> PeakFit:
        return fit_peak(values, self._line.around * scale, self._line.width * abs(scale))

    def _with_groups(self, one: Tried, values: np.ndarray) -> Tried:
        """Fit again with one of N_GROUPS groups of events left out in turn."""
        if not one.fit.converged:
            return one
        group = np.arange(len(values)) % N_GROUPS
        fits = [self._fit(values[group != left_out], one.scale) for left_out in range(N_GROUPS)]
        return replace(one, without=tuple(Tried({}, fit, one.scale).resolution for fit in fits))

    def scan(self, axes: Mapping[str, Sequence[Any]]) -> Scan:
        """Try all combinations of the values of one, two or more settings.

        Groups of events are left out in turn, so that the scan knows how much settings differ by chance.
        """
        tried = tuple(self._with_groups(*self._tried(settings)) for settings in self._combinations(axes))
        return Scan({name: tuple(values) for name, values in axes.items()}, tried)

    def steps_of(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[Tried]:
        """Try the combinations one by one, for whoever wants to show or to stop them."""
        return map(self.try_settings, self._combinations(axes))

    def _combinations(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
        if not axes or any(not len(values) for values in axes.values()):
            raise SettingsError("a scan needs one setting or more, each with one value or more")
        self._refuse_doubles(list(axes))
        for values in itertools.product(*axes.values()):
            yield dict(zip(axes, values, strict=True))
