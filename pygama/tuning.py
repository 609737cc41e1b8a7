"""Finds the settings of the chain that make a peak sharpest.

A sample of waveforms is kept in memory and run through the chain again for each setting; the peak is fitted
each time. The events of the peak are picked once, with the settings as they are, so that the peak is found
again when a setting moves it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from pygama.analysis.peaks import PeakFit, fit_peak
from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.base import Tier1Processor

Settings = Mapping[str, Any]
"""'step.setting' -> value, as {'trap_filter.rise': 300}; a step can also be named by its place, '3.rise'."""

_MIN_EVENTS = 15


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
        """Settings whose resolution is within one standard deviation of the best, the best among them."""
        best = self.best
        limit = best.resolution + best.resolution_error
        return [one for one in self.tried if one.fit.converged and one.resolution <= limit]

    def optimum(self, axis: str) -> tuple[float, float]:
        """Give the best value of one numeric axis, the others at their best, and its standard deviation.

        A parabola through the resolutions gives both. Where it has no lowest point within the axis, the best
        value that was tried is given, and half of the range that is as good for its deviation.
        """
        best = self.best
        row = [one for one in self.tried if one.fit.converged and self._differs_in(one, best, axis)]
        values = np.array([float(one.settings[axis]) for one in row])
        parabola = _parabola(values, row) if len(row) > 3 else None
        if parabola is not None and values.min() <= parabola[0] <= values.max():
            return parabola
        good = [float(one.settings[axis]) for one in self.as_good() if self._differs_in(one, best, axis)]
        steps = np.diff(np.unique(values))
        return float(best.settings[axis]), max(
            (max(good) - min(good)) / 2, steps.min() / 2 if len(steps) else 0.0
        )

    @staticmethod
    def _differs_in(one: Tried, other: Tried, axis: str) -> bool:
        return all(one.settings[name] == other.settings[name] for name in other.settings if name != axis)


def _parabola(values: np.ndarray, row: Sequence[Tried]) -> tuple[float, float] | None:
    """Fit a parabola by least squares; its lowest point and the error of that, None if it has none."""
    y = np.array([one.resolution for one in row])
    weight = 1 / np.array([one.resolution_error for one in row])
    centre, span = values.mean(), np.ptp(values) / 2
    x = (values - centre) / span
    coefficients, covariance = np.polyfit(x, y, 2, w=weight, cov="unscaled")
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
        self._sample = sample
        self._steps = processor.to_chain(defaults=True)
        self._line = line
        self._pool = pool
        values = self.values({})
        self._members = np.flatnonzero(np.abs(values - line.around) < line.width / 2)
        if len(self._members) < _MIN_EVENTS:
            raise SettingsError(
                f"{len(self._members)} of {len(sample)} waveforms lie within {line.width:g} around "
                f"{line.around:g} of {line.column}: too few to tune on; take a larger sample or another line"
            )
        self._reference = float(np.median(values[self._members]))

    def values(self, settings: Settings) -> np.ndarray:
        """Give the line's column for all waveforms of the sample with these settings, (n_rows,)."""
        processor = Tier1Processor.from_chain(self._with(settings))
        chain = processor.chain(outputs=[self._line.column])
        return np.asarray(chain.run(self._sample, pool=self._pool)[self._line.column], float)

    def _with(self, settings: Settings) -> list[dict[str, Any]]:
        steps = [{**entry, "settings": dict(entry.get("settings", {}))} for entry in self._steps]
        for name, value in settings.items():
            step, _, setting = name.rpartition(".")
            steps[self._place(step, name)]["settings"][setting] = value
        return steps

    def _place(self, step: str, name: str) -> int:
        names = [entry["step"] for entry in self._steps]
        if step.isdigit() and 1 <= int(step) <= len(names):
            return int(step) - 1
        if names.count(step) == 1:
            return names.index(step)
        why = "is in the chain more than once; give its place" if step in names else "is not in the chain"
        raise SettingsError(f"'{name}': the step '{step}' {why}; the chain is {', '.join(names)}")

    def try_settings(self, settings: Settings) -> Tried:
        """Run the sample with these settings and fit the line where its events have gone."""
        values = self.values(settings)
        members = values[self._members]
        scale = float(np.median(members)) / self._reference
        fit = fit_peak(values, self._line.around * scale, self._line.width * abs(scale))
        return Tried(dict(settings), fit, scale)

    def scan(self, axes: Mapping[str, Sequence[Any]]) -> Scan:
        """Try all combinations of the values of one, two or more settings."""
        return Scan({name: tuple(values) for name, values in axes.items()}, tuple(self.steps_of(axes)))

    def steps_of(self, axes: Mapping[str, Sequence[Any]]) -> Iterator[Tried]:
        """Try the combinations one by one, for whoever wants to show or to stop them."""
        if not axes or any(not len(values) for values in axes.values()):
            raise SettingsError("a scan needs one setting or more, each with one value or more")
        for values in itertools.product(*axes.values()):
            yield self.try_settings(dict(zip(axes, values, strict=True)))
