"""Takes waveforms to what is looked at: without baseline, aligned, normalised, calibrated; one or many.

What the chain gives is taken from it, with its present settings; a time to align by that it does not give is
found by the same functions that it would use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pygama.analysis.calibration import Calibration
from pygama.block import Block
from pygama.errors import PygamaError
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY, Processor
from pygama.processing.processors.timing import t0, time_points
from pygama.processing.processors.transforms import asym_trap_filter
from pygama.quick_dataclass import dataclass
from pygama_gui.data.channels import codes_of
from pygama_gui.data.energies import all_energies
from pygama_gui.data.samples import Bunch
from pygama_gui.session.state import Step, WaveformChoice

RAW, SUBTRACTED = "waveform", "wf_blsub"
BASELINES = ("bl_int", "bl_avg")
ALIGNED_BY = ("tp_50", "t0")
"""Times that can be found whatever the chain gives."""
START_SHARE = 8
"""Where no step measures the baseline, it is the mean of one part in so many of the record."""
FALLBACK_NS = 10.0


@dataclass(frozen=True)
class OfRun:
    """The calibrations that hold for one run of a data set."""

    run: int
    sub_run: int
    calibrations: tuple[Calibration, ...]

    def holds(self, numbers: Mapping[str, np.ndarray]) -> np.ndarray:
        """Tell which waveforms are of this run, (n,) bool."""
        of_run = np.asarray(numbers["run"]) == self.run
        return of_run & (np.asarray(numbers["sub_run"]) == self.sub_run) if "sub_run" in numbers else of_run


@dataclass(frozen=True)
class Look:
    """How waveforms are looked at; the part of the choice that changes their samples."""

    is_above_baseline: bool = True
    aligned_by: str = ""
    is_normalised: bool = False
    is_calibrated: bool = False
    calibrations: tuple[Calibration, ...] = ()
    """Those that hold for the run; they give the energy where the chain does not."""
    of_runs: tuple[OfRun, ...] = ()
    """Those of each run of a data set, which go before the others."""

    @classmethod
    def of(
        cls, choice: WaveformChoice, calibrations: tuple[Calibration, ...], of_runs: tuple[OfRun, ...] = ()
    ) -> Look:
        """Take from what was chosen, and the calibrations that hold for the run, or for each of a set."""
        return cls(
            choice.is_above_baseline,
            choice.aligned_by,
            choice.is_normalised,
            choice.is_calibrated,
            calibrations,
            of_runs,
        )

    @property
    def needs_baseline(self) -> bool:
        """Whether heights are counted from the baseline."""
        return self.is_above_baseline or self.is_normalised or self.is_calibrated


@dataclass(frozen=True, eq=False)
class Shaped:
    """Waveforms as they are looked at. heights: (n, n_samples); starts: (n,) sample that stands at time 0.

    rows: (n,) number of each in the bunch; None: all of it, in order.
    """

    heights: np.ndarray
    starts: np.ndarray
    period_ns: float | None
    n_left_out: int = 0
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.heights)

    @property
    def rows_of_bunch(self) -> np.ndarray:
        """(n,) number of each waveform in the bunch."""
        return np.arange(len(self)) if self.rows is None else self.rows


def shape(bunch: Bunch, chain: Sequence[Step], look: Look) -> Shaped:
    """Take waveforms to a look; those whose time or factor is not known are left out."""
    made = _made_of(bunch, chain, look)
    flat = _above_baseline(bunch, made)
    heights = flat if look.needs_baseline else bunch.waveforms.astype(np.float64)
    starts = np.zeros(len(bunch))
    if look.aligned_by:
        starts = starts_of(flat, look.aligned_by, bunch.period_ns, made)
    factors = factors_of(flat, look, chain, made, bunch.numbers)
    known = np.isfinite(starts) & np.isfinite(factors)
    heights = heights[known] * factors[known, None]
    return Shaped(heights, starts[known], bunch.period_ns, int((~known).sum()), np.flatnonzero(known))


def starts_of(
    flat: np.ndarray, name: str, period_ns: float | None, made: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Give the sample at which a time lies, (n,) float; NaN where there is none.

    flat: (n, n_samples) without baseline. made: what the chain gave, (n,) each.
    """
    period = period_ns or FALLBACK_NS
    if name in made:
        return np.asarray(made[name], np.float64) / period
    if name == "t0":
        end = min(500, flat.shape[1] // 4)
        return np.asarray(t0(asym_trap_filter(flat), period, i_end=end)) / period
    return np.asarray(time_points(flat, period)[2]) / period


def factors_of(
    flat: np.ndarray,
    look: Look,
    chain: Sequence[Step],
    made: Mapping[str, np.ndarray],
    numbers: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Give what heights are multiplied by, (n,); NaN where it is not known.

    numbers: of the waveforms, (n,) each, which tell channel and run.
    """
    if look.is_normalised:
        highest = flat.max(axis=1)
        return np.divide(1.0, highest, out=np.full(len(flat), np.nan), where=highest > 0)
    source = energy_source(chain, look.calibrations) if look.is_calibrated else None
    if source is None:
        return np.ones(len(flat))
    nothing = np.full(len(flat), np.nan)
    height = np.asarray(made.get(source[1], nothing), np.float64)
    if calibration_of(chain) is None:
        energy = _energies(look, source, height, numbers)
    else:
        energy = np.asarray(made.get(source[0], nothing))
    return np.divide(energy, height, out=np.full(len(flat), np.nan), where=height > 0)


def _energies(
    look: Look, source: tuple[str, str], height: np.ndarray, numbers: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Make energies of heights (n,), each by the calibration of its run; NaN where there is none."""
    energy_column, column = source
    codes = codes_of(numbers)
    if not look.of_runs:
        return all_energies(look.calibrations, {column: height}, codes)[energy_column]
    found = np.full(len(height), np.nan)
    for one in look.of_runs:
        rows = one.holds(numbers)
        own = all_energies(one.calibrations, {column: height[rows]}, None if codes is None else codes[rows])
        if energy_column in own:
            found[rows] = own[energy_column]
    return found


def height_unit(chain: Sequence[Step], look: Look) -> str:
    """Say what heights are in: 'ADC', 'keV' where an energy is known, or empty for shares of the maximum."""
    if look.is_normalised:
        return ""
    is_energy = look.is_calibrated and energy_source(chain, look.calibrations) is not None
    return "keV" if is_energy else "ADC"


def energy_source(chain: Sequence[Step], calibrations: Sequence[Calibration]) -> tuple[str, str] | None:
    """Find an energy in keV, and the height in ADC counts of the chain that it is made of.

    What the chain gives goes before what is made of it by a calibration.
    """
    units = units_of(chain)
    made = ((one.energy_column, one.column) for one in calibrations if units.get(one.column) == "adc")
    return calibration_of(chain) or next(made, None)


def calibration_of(chain: Sequence[Step]) -> tuple[str, str] | None:
    """Find the energy in keV that the chain gives, and the height in ADC counts that it is made of."""
    units = units_of(chain)
    for step in chain:
        known = REGISTRY.get(step.step)
        if known is None or not step.enabled:
            continue
        energies = [step.outputs.get(name, name) for name, unit in known.writes if unit == "keV"]
        heights = [name for name in reads_of(step, known) if units.get(name) == "adc"]
        if energies and heights:
            return energies[0], heights[0]
    return None


def baseline_stretch(chain: Sequence[Step], n_samples: int, period_ns: float | None) -> tuple[int, int]:
    """Give the stretch that the chain measures the baseline in: first sample, and the one after the last."""
    for step in chain:
        known = REGISTRY.get(step.step)
        if known is None or not step.enabled or RAW not in reads_of(step, known):
            continue
        if {"i_start", "i_end"} <= {setting.name for setting in known.settings}:
            try:
                settings = known.check(step.settings, period_ns or FALLBACK_NS)
            except PygamaError:
                break
            return int(settings["i_start"]), min(int(settings["i_end"]), n_samples)
    return 0, min(500, n_samples)


def reads_of(step: Step, known: Processor) -> list[str]:
    """Give what a step reads, by the names in the chain."""
    return [step.inputs.get(name, name) for name, kind in known.reads if kind != "period"]


def step_that_writes(chain: Sequence[Step], name: str) -> tuple[Step, Processor] | None:
    """Find the last step that is on and writes a name; None where there is none."""
    found = None
    for step in chain:
        known = REGISTRY.get(step.step)
        if (
            known is not None
            and step.enabled
            and name in (step.outputs.get(one, one) for one, _ in known.writes)
        ):
            found = (step, known)
    return found


def units_of(chain: Sequence[Step]) -> dict[str, str]:
    """Give what the steps that are on write, with its unit."""
    return {
        step.outputs.get(name, name): unit
        for step in chain
        if step.enabled and (known := REGISTRY.get(step.step)) is not None
        for name, unit in known.writes
    }


def _made_of(bunch: Bunch, chain: Sequence[Step], look: Look) -> dict[str, np.ndarray]:
    """Run the chain where something of it is needed; nothing of a chain that cannot run."""
    if not (look.needs_baseline or look.aligned_by):
        return {}
    there = units_of(chain)
    keep = [SUBTRACTED] if SUBTRACTED in there else []
    wanted = [name for name in (*BASELINES, look.aligned_by) if name in there]
    if look.is_calibrated and (source := energy_source(chain, look.calibrations)) is not None:
        wanted += [name for name in source if name in there]
    try:
        processor = Tier1Processor.from_chain([step.to_chain() for step in chain])
        return processor.chain(outputs=wanted, keep=keep).run(_block(bunch))
    except (PygamaError, ValueError):
        return {}


def _block(bunch: Bunch) -> Block:
    """Make a block of what the card gave; what the chain makes would stand in its own way."""
    made = {name for known in REGISTRY.values() for name, _ in known.writes}
    numbers = {name: np.asarray(values) for name, values in bunch.numbers.items() if name not in made}
    numbers = {name: values for name, values in numbers.items() if values.dtype.kind in "iufb"}
    numbers["period_ns"] = np.full(len(bunch), bunch.period_ns or FALLBACK_NS)
    rows = np.empty(len(bunch), [(name, values.dtype) for name, values in numbers.items()])
    for name, values in numbers.items():
        rows[name] = values
    return Block("", rows, bunch.waveforms)


def _above_baseline(bunch: Bunch, made: Mapping[str, Any]) -> np.ndarray:
    if SUBTRACTED in made:
        return np.asarray(made[SUBTRACTED], np.float64)
    waveforms = bunch.waveforms.astype(np.float64)
    for name in BASELINES:
        if name in made:
            return waveforms - np.asarray(made[name])[:, None]
    return waveforms - waveforms[:, : max(waveforms.shape[1] // START_SHARE, 1)].mean(axis=1)[:, None]
