"""Says what is to be drawn of one waveform: curves, levels and times, by what the processors declare.

A value in ns that a step finds in a waveform is a time, a value in ADC counts a level, of whatever processor.
A value in ns that is made of other values only is a length of time and has no place in the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from pygama.processing.declare import REGISTRY
from pygama.quick_dataclass import dataclass
from pygama_gui.data.samples import Sample
from pygama_gui.data.shaping import (
    BASELINES,
    RAW,
    SUBTRACTED,
    Look,
    energy_source,
    factors_of,
    height_unit,
    reads_of,
    starts_of,
)
from pygama_gui.session.state import Step
from pygama_gui.widgets import words

SPREAD = "_rms"
"""Values of such names are in ADC counts, but not at such a height."""
SHARE = 0.5
"""A curve in another unit is drawn as high as this share of the waveform, or less."""


@dataclass(frozen=True)
class Level:
    """A height that a step found. point: where the curve that it was read of is so high."""

    name: str
    words: str
    height: float
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class Instant:
    """A time that a step found, in the unit of the x axis."""

    name: str
    words: str
    x: float


@dataclass(frozen=True)
class Traces:
    """What is drawn of one waveform. x in µs, or in samples where the period is not known."""

    x: np.ndarray
    raw: np.ndarray
    computed: dict[str, np.ndarray]
    scales: dict[str, float] = field(default_factory=dict)
    """What curves in another unit than ADC counts were multiplied by."""
    levels: tuple[Level, ...] = ()
    instants: tuple[Instant, ...] = ()
    is_above_baseline: bool = False
    start: float = 0.0
    """Sample that stands at x = 0."""
    unit: str = "ADC"
    """What heights are in; empty for shares of the maximum."""
    problem: str = ""
    """Why the look that was chosen is not to be had."""


@dataclass(frozen=True)
class Made:
    """One output of a step: its unit, and what the step read."""

    unit: str
    of: str
    """The first wave that was read; empty where there was none."""
    is_wave: bool = False
    is_spread: bool = False

    @property
    def marks(self) -> str:
        """What a value marks in the picture: a 'level', a 'time', or nothing."""
        if self.is_wave:
            return ""
        if self.unit == "ns" and self.of:
            return "time"
        return "level" if self.unit == "adc" and not self.is_spread else ""


def outputs_of(chain: Sequence[Step]) -> dict[str, Made]:
    """Give all that the enabled steps write, by name."""
    outputs: dict[str, Made] = {}
    for step in chain:
        known = REGISTRY.get(step.step)
        if known is None or not step.enabled:
            continue
        kinds = [kind for _, kind in known.reads if kind != "period"]
        waves = [name for name, kind in zip(reads_of(step, known), kinds, strict=True) if kind == "waves"]
        for name, unit in known.writes:
            outputs[step.outputs.get(name, name)] = Made(
                unit, waves[0] if waves else "", known.writes_waves, name.endswith(SPREAD)
            )
    return outputs


def traces_of(sample: Sample, made: Mapping[str, Any], chain: Sequence[Step], look: Look) -> Traces:
    """Say what is drawn of a waveform, of which the chain made waves and values."""
    raw = sample.waveform.astype(np.float64)
    waves = {
        name: np.asarray(value, np.float64)
        for name, value in made.items()
        if isinstance(value, np.ndarray) and value.shape == raw.shape and name != RAW
    }
    values = {name: float(value) for name, value in made.items() if np.ndim(value) == 0}
    baseline = next((values[name] for name in BASELINES if name in values), None)
    is_above = look.needs_baseline and (SUBTRACTED in waves or baseline is not None)
    outputs = outputs_of(chain)
    flat = waves[SUBTRACTED] if SUBTRACTED in waves else raw - (baseline or 0.0)
    start, known_factor, problem = _start_and_factor(flat, sample, values, chain, look)
    factor = 1.0
    if is_above:
        raw = flat
        waves.pop(SUBTRACTED, None)
        factor = known_factor if np.isfinite(known_factor) else 1.0
    unit = height_unit(chain, look) if is_above and np.isfinite(known_factor) else "ADC"
    step_x = (sample.period_ns or 1000.0) / 1000.0
    x = (np.arange(len(raw)) - start) * step_x
    scales = {
        name: scale
        for name, wave in waves.items()
        if name in outputs and outputs[name].unit != "adc" and (scale := _scale(wave, flat)) != 1.0
    }
    computed = {name: wave * (scales.get(name, 1.0) * factor) for name, wave in waves.items()}
    levels = tuple(
        _level(name, values[name], one, x, waves, (factor, unit))
        for name, one in outputs.items()
        if _is_level(name, one, values, is_above=is_above)
    )
    period = sample.period_ns or 10.0
    instants = tuple(
        Instant(name, f"{name} {_time_words(values[name], sample.period_ns)}", x_of)
        for name, one in outputs.items()
        if one.marks == "time" and np.isfinite(values.get(name, np.nan))
        for x_of in ((values[name] / period - start) * step_x,)
    )
    return Traces(x, raw * factor, computed, scales, levels, instants, is_above, start, unit, problem)


def _start_and_factor(
    flat: np.ndarray,
    sample: Sample,
    values: Mapping[str, float],
    chain: Sequence[Step],
    look: Look,
) -> tuple[float, float, str]:
    """Give the sample at time 0 and the factor of heights; what is not to be had is 0 and NaN, and said."""
    made = {name: np.array([value]) for name, value in values.items()}
    start = starts_of(flat[None, :], look.aligned_by, sample.period_ns, made)[0] if look.aligned_by else 0.0
    numbers = {name: np.array([value]) for name, value in sample.numbers.items()}
    factor = factors_of(flat[None, :], look, chain, made, numbers)[0]
    problems = []
    if not np.isfinite(start):
        problems.append(f"This waveform has no {look.aligned_by} to stand at time 0.")
    if not np.isfinite(factor):
        source = energy_source(chain, look.calibrations) if look.is_calibrated else None
        what = "no height above 0" if source is None else f"no {source[0]}"
        problems.append(f"This waveform has {what}; its heights are in ADC counts.")
    return float(start) if np.isfinite(start) else 0.0, float(factor), " ".join(problems)


def _is_level(name: str, one: Made, values: Mapping[str, float], *, is_above: bool) -> bool:
    if one.marks != "level" or not np.isfinite(values.get(name, np.nan)):
        return False
    return not (is_above and one.of == RAW)


def _level(
    name: str,
    value: float,
    one: Made,
    x: np.ndarray,
    waves: Mapping[str, np.ndarray],
    scale: tuple[float, str],
) -> Level:
    """Give a level, with the sample of the curve that is just so high; scale: factor and unit of heights."""
    factor, unit = scale
    told = f"{words.level(value * factor)} keV" if unit == "keV" else f"{words.level(value)} ADC"
    shown = f"{'baseline' if name in BASELINES else name} {told}"
    wave, point = waves.get(one.of), None
    if wave is not None and len(at := np.flatnonzero(wave == value)):
        point = (float(x[at[0]]), value * factor)
    return Level(name, shown, value * factor, point)


def _scale(wave: np.ndarray, flat: np.ndarray) -> float:
    """Give a round factor that makes a curve in another unit nearly as high as a share of the waveform."""
    finite, heights = wave[np.isfinite(wave)], flat[np.isfinite(flat)]
    most, limit = (float(np.abs(one).max(initial=0.0)) for one in (finite, heights))
    if most <= 0 or limit <= 0:
        return 1.0
    wanted = SHARE * limit / most
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(max(step * power for step in (1, 2, 5) if step * power <= wanted))


def _time_words(ns: float, period_ns: float | None) -> str:
    return f"{ns / 1000:.3f} µs" if period_ns else f"{ns / 10.0:.1f} samples"
