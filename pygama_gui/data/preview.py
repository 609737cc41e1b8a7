"""Runs the chain on a sample of a run's waveforms, again and again, to show what a setting does to a peak.

The sample stays in memory; what a moved setting does not touch is computed once. Both spectra are of the
same events, so their widths rise and fall together: the error of the change takes that into account.
"""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from pygama.analysis.peaks import FWHM_PER_SIGMA, PeakFit, fit_peak
from pygama.block import Block
from pygama.errors import PygamaError, SettingsError
from pygama.processing.base import Tier1Processor
from pygama.processing.chain import Chain
from pygama.processing.declare import REGISTRY
from pygama.processing.profile import Profile
from pygama.processing.rerun import Rerun
from pygama.processing.steps import Step as LibraryStep
from pygama.quick_dataclass import dataclass
from pygama.tuning import Line, Tried, Tuner, read_chosen, read_sample
from pygama_gui.data import chain_facts
from pygama_gui.data.channels import codes_of
from pygama_gui.data.early_pulses import early_pulses
from pygama_gui.data.samples import Sample
from pygama_gui.data.wiring import made_names, outputs_of, runnable, value_units
from pygama_gui.session.saved import chain_of
from pygama_gui.session.state import Step

MOST_ROWS = 10_000
LEAST_ROWS = 1000
QUICK_S, TOO_SLOW = 0.15, 2.0
"""A chain that takes so many times as long for a moved setting gets fewer waveforms, but not below that."""
MOST_BYTES = 64_000_000
"""Of the raw samples of a sample."""
MOST_READ = 4.0
"""So many times as many waveforms are read at most where those of one channel are wanted."""
N_FACTS, FACTS_AT_ONCE = 2000, 250
"""Waveforms that costs and NaNs are taken from, and how many of them at a stretch."""
N_BINS, N_SOUGHT_BINS = 400, 1500
LEAST_LINE_BINS, MOST_LINE_BINS, BINS_BY_ROOT = 24, 100, 4.0
"""A peak is drawn in so many bins, more where there are more events."""
LEAST_IN_PEAK, CLEARLY_OUT = 15, 5.0
"""Counts of a peak that is taken by itself, and standard deviations above what is beside it."""
WINDOW_IN_FWHM = 10.0
N_COMPARED = 3
"""Peaks of those that tell most whose widths are compared."""
MUCH_NARROWER = 2.0
"""So many times as wide as one above it no line is: that of annihilation is 1.6 times as wide as others."""
MUCH_CLEARER = 1.5
"""Of areas over their errors: two equal peaks together reach 1.41 times that of one."""
CLEAR = 2.0
"""Standard deviations from which on a change is called one."""
_STEP_NUMBER = re.compile(r"step (\d+), ")
_MAD = 1.4826

Chained = tuple[Step, ...]


@dataclass(frozen=True)
class Sampled:
    """Waveforms of one channel, or of all where its code is None; mixed: some of all channels."""

    block: Block
    mixed: Block
    code: int | None = None


def sample_of_file(tier1: Path, channel: int | None, share: float = 1.0) -> Sampled:
    """Read a sample from all over a finished Tier 1 file.

    channel: its code; None takes all, as does one that has no waveform there. share: part of the waveforms
    that are its own, about: where that is small more of them are read. Raises TierFileError where there is
    nothing to take.
    """
    from pygama.storage import TierFile

    with TierFile(tier1) as file:
        lengths = [_n_samples(file, key) for key in file.keys]
    longest = max([*lengths, 1])
    n, mixed = min(MOST_ROWS, max(MOST_BYTES // (2 * longest), 100)), []

    def its_own(part: Block) -> Block:
        mixed.append(part[np.arange(min(len(part), FACTS_AT_ONCE))])
        return part[np.flatnonzero(_codes(part) == channel)]

    if channel is not None:
        own = read_chosen(tier1, int(n * min(1 / share, MOST_READ)), its_own)
        if len(own):
            own = own if len(own) <= n else own[np.linspace(0, len(own) - 1, n).astype(np.intp)]
            return Sampled(own, _together(mixed), channel)
    block = read_sample(tier1, n)
    return Sampled(block, block)


def _together(parts: Sequence[Block]) -> Block:
    waves = [part.waveforms for part in parts if part.waveforms is not None]
    return Block(parts[0].decoder, np.concatenate([part.rows for part in parts]), np.concatenate(waves))


def _n_samples(file: Any, key: str) -> int:
    return int(file.table(key).n_samples or 0) if not key.endswith(("_Garbage", "_Damaged")) else 0


def _codes(block: Block) -> np.ndarray:
    codes = codes_of({name: block.rows[name] for name in block.rows.dtype.names or ()})
    return np.full(len(block), -1) if codes is None else codes


def sample_of_ring(samples: Sequence[Sample]) -> Block | None:
    """Put the newest waveforms of a run together, those like the last one; None where there are none."""
    if not samples:
        return None
    last = samples[-1]
    alike = [
        one for one in samples if _shape(one) == _shape(last) and one.numbers.keys() == last.numbers.keys()
    ]
    made = made_names()
    names = [name for name, value in last.numbers.items() if name not in made and np.ndim(value) == 0]
    rows = np.zeros(len(alike), [(name, np.float64) for name in names])
    for at, one in enumerate(alike):
        rows[at] = tuple(float(one.numbers[name]) for name in names)
    return Block(last.decoder, rows, np.stack([one.waveform for one in alike]))


def _shape(sample: Sample) -> tuple[Any, ...]:
    return sample.decoder, sample.waveform.shape, sample.waveform.dtype


def chain_of_file(tier2: Path) -> Chained | None:
    """Give the chain that a Tier 2 file was made with; None where it does not say."""
    from pygama.processing.settings import read_settings

    try:
        return chain_of(read_settings(tier2).get("chain", []))
    except PygamaError:
        return None


@dataclass(frozen=True)
class Asked:
    """What is to be compared: a column of the chain with that of the reference, at a line (low, high)."""

    chain: Chained
    reference: Chained
    column: str
    line: tuple[float, float] | None

    @property
    def is_changed(self) -> bool:
        """Whether the chain does something else than the reference."""
        return chain_facts.written_out(self.chain) != chain_facts.written_out(self.reference)


@dataclass(frozen=True)
class Compared:
    """Two spectra of the same events, and a peak of them.

    edges, old, new: the whole spectra; line_edges, line_old, line_new: around the peak, the new values over
    `scale`. old and new are None where the chain gives no such column. change: of FWHM over position, new
    over old less 1, with its error. n: events of the sample.
    """

    asked: Asked
    n: int
    edges: np.ndarray
    old: np.ndarray | None
    new: np.ndarray | None
    line_edges: np.ndarray | None = None
    line_old: np.ndarray | None = None
    line_new: np.ndarray | None = None
    old_fit: PeakFit | None = None
    new_fit: PeakFit | None = None
    scale: float = 1.0
    change: float = math.nan
    change_error: float = math.nan
    n_nan: int = 0
    problem: str = ""

    @property
    def has_peak(self) -> bool:
        """Whether a peak was fitted at the line with one of the chains."""
        return any(fit is not None and fit.converged for fit in (self.old_fit, self.new_fit))

    @property
    def sigmas(self) -> float:
        """How many standard deviations the change is; NaN where it is not known."""
        return abs(self.change) / self.change_error if self.change_error > 0 else math.nan


@dataclass
class Facts:
    """What steps cost and how many waveforms they give no number for; by the place of the step, from 0 on."""

    chain: Chained
    n_rows: int = 0
    n_nan: dict[int, int] = field(default_factory=dict)
    first_nan: dict[int, str] = field(default_factory=dict)
    """Words for the first waveform that a step, given numbers, gives none for."""
    nan_event: dict[int, int] = field(default_factory=dict)
    """Number of the event that this waveform is of, where it is known."""
    failed: dict[int, str] = field(default_factory=dict)
    costs: dict[int, float] = field(default_factory=dict)
    """µs a waveform, each step for itself."""
    is_whole: bool = False
    early: dict[int, str] = field(default_factory=dict)
    """What is said of a baseline that is measured within the pulses."""


def library_steps(chain: Chained) -> list[LibraryStep]:
    """Give the steps as the library has them; raises SettingsError."""
    return list(Tier1Processor.from_chain([step.to_chain() for step in chain]).steps)


def trace(chain: Chained, sample: Sample) -> dict[str, Any]:
    """Run what can be run of a chain on one waveform, up to the step that fails: name -> array or number."""
    written = {name for step in chain for name in outputs_of(step)} | made_names()
    columns = {
        name: float(value)
        for name, value in sample.numbers.items()
        if np.ndim(value) == 0 and not isinstance(value, str) and name not in written
    }
    period = sample.period_ns or 10.0
    steps = [step.to_chain() for step in runnable(chain)]
    for n in range(len(steps), 0, -1):
        try:
            made = Tier1Processor.from_chain(steps[:n])
            traced = made.trace(sample.waveform, period, columns | {"period_ns": period})
        except (PygamaError, ValueError):
            continue
        return {"waveform": sample.waveform, **traced}
    return {"waveform": sample.waveform}


class Bench:
    """A sample, and what the chain made of it last. Belongs to the thread that computes."""

    def __init__(self, block: Block, mixed: Block | None = None) -> None:
        self.whole = self.block = block
        self._mixed = mixed
        """Waveforms of all channels, for what is told of the steps."""
        self._slow_by = 1.0
        self._key: tuple[Any, ...] = ()
        self._base: Chained = ()
        self._last: Chained = ()
        self._rerun: Rerun | None = None
        self._prepared: frozenset[int] = frozenset()
        self._old: tuple[tuple[Any, ...], np.ndarray | None] | None = None
        self._old_fit: tuple[tuple[Any, ...], PeakFit] | None = None

    # The column

    def values(self, chain: Chained, column: str) -> np.ndarray:
        """Give a column for all waveforms, (n_rows,); raises SettingsError or StepFailed."""
        key = (column, tuple(_structure(step) for step in chain))
        if key != self._key or self._rerun is None:
            self._rebase(chain, column)
            self._key = key
        changed = self._changed(chain)
        if len(changed) > 1:  # the step that moves now is another one than before
            self._rebase(self._last, column)
            changed = self._changed(chain)
        if len(changed) > 1:
            self._rebase(chain, column)
            changed = {}
        assert self._rerun is not None
        began = time.thread_time()
        found = self._rerun.run(changed)[column]
        if changed and self._prepared == frozenset(changed):
            self._slow_by = (time.thread_time() - began) / QUICK_S
        self._last, self._prepared = chain, frozenset(changed)
        return np.asarray(found, np.float64)

    def _rebase(self, chain: Chained, column: str) -> None:
        self._rerun, self._prepared = Rerun(self.block, library_steps(chain), [column]), frozenset()
        self._base = self._last = chain

    def _changed(self, chain: Chained) -> dict[int, dict[str, Any]]:
        return {
            place: step_settings(step)
            for place, (step, base) in enumerate(zip(chain, self._base, strict=True))
            if step.enabled and step.settings != base.settings
        }

    # Two spectra

    def compare(self, asked: Asked) -> Compared:
        """Run the chain, and compare its column with that of the reference.

        Where a slow chain could not follow a slider, fewer of the waveforms are taken from now on.
        """
        self._thin()
        old = self._old_values(asked)
        new, problem = self.new_values(asked)
        both = [values[np.isfinite(values)] for values in (old, new) if values is not None]
        edges = _edges_for(np.concatenate([np.empty(0), *both]))
        found = Compared(
            asked,
            len(self.block),
            edges,
            _counted(old, edges),
            _counted(new, edges),
            n_nan=0 if new is None else int((~np.isfinite(new)).sum()),
            problem=problem,
        )
        return found if asked.line is None else self._at_line(found, old, new)

    def _thin(self) -> None:
        n = max(int(len(self.block) / self._slow_by), min(LEAST_ROWS, len(self.block)))
        if self._slow_by > TOO_SLOW and n < len(self.block):
            self.block = self.whole[np.linspace(0, len(self.whole) - 1, n).astype(np.intp)]
            self._rerun, self._old, self._old_fit = None, None, None
        self._slow_by = 1.0

    def new_values(self, asked: Asked) -> tuple[np.ndarray | None, str]:
        """Give the column by the chain, or None and why there is none."""
        steps = runnable(asked.chain)
        if asked.column not in value_units(steps):
            return None, f"the chain gives no {asked.column} now"
        try:
            return self.values(steps, asked.column), ""
        except PygamaError as error:
            return None, str(error)

    def _old_values(self, asked: Asked) -> np.ndarray | None:
        key = (asked.reference, asked.column)
        if self._old is None or self._old[0] != key:
            steps = runnable(asked.reference)
            try:
                found = Chain(library_steps(steps), outputs=[asked.column]).run(self.block)
                self._old = (key, np.asarray(found[asked.column], np.float64))
            except PygamaError:
                self._old = (key, None)
        return self._old[1]

    def _at_line(self, found: Compared, old: np.ndarray | None, new: np.ndarray | None) -> Compared:
        assert found.asked.line is not None
        low, high = found.asked.line
        anchor = old if old is not None else new
        if anchor is None:
            return found
        members = np.flatnonzero((anchor >= low) & (anchor <= high))
        scale = 1.0 if old is None or new is None else _scale(old, new, members)
        n_bins = min(max(int(BINS_BY_ROOT * math.sqrt(len(members))), LEAST_LINE_BINS), MOST_LINE_BINS)
        edges = np.linspace(low, high, n_bins + 1)
        old_fit = None if old is None else self._fit_old(found.asked, old)
        new_fit = None if new is None else fit_peak(new, (low + high) / 2 * scale, (high - low) * scale)
        change, error = _change(old_fit, new_fit, old, new, members, scale)
        return Compared(
            found.asked,
            found.n,
            found.edges,
            found.old,
            found.new,
            edges,
            _counted(old, edges),
            _counted(None if new is None else new / scale, edges),
            old_fit,
            new_fit,
            scale,
            change,
            error,
            found.n_nan,
            found.problem,
        )

    def _fit_old(self, asked: Asked, old: np.ndarray) -> PeakFit:
        key = (asked.reference, asked.column, asked.line)
        if self._old_fit is None or self._old_fit[0] != key:
            assert asked.line is not None
            low, high = asked.line
            self._old_fit = (key, fit_peak(old, (low + high) / 2, high - low))
        return self._old_fit[1]

    def line_at(self, asked: Asked, at: float) -> tuple[float, float] | None:
        """Find the window of the peak near a place; None where no peak can be fitted there."""
        values = self.anchor(asked)
        return None if values is None else peak_window(values, at)

    def suggested_line(self, asked: Asked) -> tuple[float, float] | None:
        """Find the window of a peak to begin with; None where none stands out."""
        values = self.anchor(asked)
        return None if values is None else line_to_judge_by(values)

    def anchor(self, asked: Asked) -> np.ndarray | None:
        """Give the column in whose scale the line is told: that of the reference, where it has one."""
        old = self._old_values(asked)
        return old if old is not None else self.new_values(asked)[0]

    # What steps cost

    def facts(self, chain: Chained) -> Iterator[Facts]:
        """Measure what each step costs and how often it gives no number, some waveforms at a time."""
        facts = Facts(chain)
        steps = runnable(chain)
        profile = Profile()
        waves = self.block if self._mixed is None else self._mixed
        n = min(N_FACTS, len(waves))
        try:
            # With all that they write wanted, no step goes into a kernel together with others.
            apart = Chain(
                library_steps(steps),
                outputs=[name for step in steps if step.enabled for name in outputs_of(step)],
                profile=profile,
            )
            for start in range(0, n, FACTS_AT_ONCE):
                block = waves[start : min(start + FACTS_AT_ONCE, n)]
                _count_nan(facts, steps, apart.run(block), block)
                facts.n_rows += len(block)
                if start == 0:
                    facts.early = _early(steps, waves)
                facts.costs = {
                    int(number[1]) - 1: cost.us_a_row
                    for cost in profile.costs
                    if (number := _STEP_NUMBER.match(cost.label))
                }
                facts.is_whole = start + FACTS_AT_ONCE >= n
                yield facts
        except PygamaError as error:
            number = _STEP_NUMBER.match(str(error))
            if number:
                facts.failed[int(number[1]) - 1] = str(error)[number.end() :]
        facts.is_whole = True
        yield facts


def _early(steps: Chained, block: Block) -> dict[int, str]:
    """Name the steps that measure the baseline within the pulses, and what to do."""
    if block.waveforms is None:
        return {}
    found = {
        place: early_pulses(step, block.waveforms, _period_of(block)) for place, step in enumerate(steps)
    }
    return {place: one.words for place, one in found.items() if one is not None}


def _period_of(block: Block) -> float | None:
    if "period_ns" not in (block.rows.dtype.names or ()) or not len(block):
        return None
    period = float(block.rows["period_ns"][0])
    return period if period > 0 else None


def _scale(old: np.ndarray, new: np.ndarray, members: np.ndarray) -> float:
    """Give how much higher the same events are now; 1 where that cannot be told."""
    known = members[np.isfinite(new[members])]
    if not len(known):
        return 1.0
    scale = float(np.median(new[known]) / np.median(old[known]))
    return scale if math.isfinite(scale) and scale > 0 else 1.0


def _structure(step: Step) -> tuple[Any, ...]:
    parts = (step.inputs, step.outputs, step.channels)
    return (
        step.step,
        step.enabled,
        *(repr(sorted((key, str(value)) for key, value in part.items())) for part in parts),
    )


def step_settings(step: Step) -> dict[str, Any]:
    """Give all settings of a step, those left alone too."""
    return LibraryStep(step.step).processor.check(step.settings)


def _edges_for(values: np.ndarray) -> np.ndarray:
    if not len(values):
        return np.linspace(0.0, 1.0, N_BINS + 1)
    low, high = np.quantile(values, [0.002, 0.998]).tolist()
    room = 0.03 * (high - low) or max(abs(high), 1.0)
    return np.linspace(low - room, high + room, N_BINS + 1)


def _counted(values: np.ndarray | None, edges: np.ndarray) -> np.ndarray | None:
    return None if values is None else np.histogram(values, edges)[0]


def _count_nan(facts: Facts, steps: Chained, made: Mapping[str, np.ndarray], block: Block) -> None:
    """Count the waveforms for which a step gives no number though what it reads has some."""
    blank = {
        name: ~np.isfinite(array).all(axis=-1) if array.ndim == 2 else ~np.isfinite(array)
        for name, array in made.items()
    }
    before = np.zeros(len(block), bool)
    for place, step in enumerate(steps):
        if not step.enabled:
            continue
        known = REGISTRY[step.step]
        for (declared, _), name in zip(known.writes, outputs_of(step), strict=True):
            own = blank[name] & ~before & (declared not in known.rare)
            facts.n_nan[place] = facts.n_nan.get(place, 0) + int(own.sum())
            if own.any() and place not in facts.first_nan:
                row = int(own.argmax())
                facts.first_nan[place] = f"no {name}, first in {_event_words(block, row)}"
                if "event_number" in (block.rows.dtype.names or ()):
                    facts.nan_event[place] = int(block.rows["event_number"][row])
            before |= own


def _event_words(block: Block, row: int) -> str:
    names = block.rows.dtype.names or ()
    if "event_number" not in names:
        return f"waveform {row + 1} of the sample"
    words = f"event {block.rows['event_number'][row]:.0f}"
    return f"{words}, channel {block.rows['channel'][row]:.0f}" if "channel" in names else words


def _change(
    old_fit: PeakFit | None,
    new_fit: PeakFit | None,
    old: np.ndarray | None,
    new: np.ndarray | None,
    members: np.ndarray,
    scale: float,
) -> tuple[float, float]:
    """Give the change of FWHM over position and its error, for fits of the same events.

    The logarithms of two widths measured on the same events, whose values correlate by r, correlate by r²
    (for Gaussians). r is from how far events move against each other, which the background does not spoil.
    """
    if old_fit is None or new_fit is None or old is None or new is None:
        return math.nan, math.nan
    if not (old_fit.converged and new_fit.converged):
        return math.nan, math.nan
    wide, narrow = old_fit.fwhm / old_fit.position, new_fit.fwhm / new_fit.position
    a, b = old_fit.fwhm_error / old_fit.fwhm, new_fit.fwhm_error / new_fit.fwhm
    sigma_old, sigma_new = old_fit.fwhm / FWHM_PER_SIGMA, new_fit.fwhm / scale / FWHM_PER_SIGMA
    bin_width = (old_fit.window[1] - old_fit.window[0]) / old_fit.n_bins
    r = correlation(old[members], new[members] / scale, sigma_old, sigma_new, bin_width)
    ratio = narrow / wide
    return ratio - 1, ratio * math.sqrt(max(a * a + b * b - 2 * r * r * a * b, 0.0))


def correlation(
    x: np.ndarray, y: np.ndarray, sigma_x: float, sigma_y: float, bin_width: float = 0.0
) -> float:
    """Give how two measurements of the same events correlate, from the spread of their difference, 0 to 1.

    bin_width: of the histograms that are fitted; where in a bin an event lies is lost in both. Never more
    than the ratio of the widths: the wider one has a spread of its own.
    """
    difference = (y - x)[np.isfinite(y - x)]
    if not len(difference):
        return 0.0
    spread = _MAD * float(np.median(np.abs(difference - np.median(difference))))
    r = (sigma_x**2 + sigma_y**2 - spread**2 - bin_width**2 / 6) / (2 * sigma_x * sigma_y)
    return min(max(r, 0.0), sigma_x / sigma_y, sigma_y / sigma_x)


def peak_window(values: np.ndarray, at: float) -> tuple[float, float] | None:
    """Find the peak near a place, and the window that suits it; None where none can be fitted.

    The narrowest window is taken in which there is one. Where the events of a broad peak lie a little closer
    together by chance, a narrow window shows a peak too: a wider one that stands out far better goes before.
    """
    known = values[np.isfinite(values)]
    best: PeakFit | None = None
    for share in (0.01, 0.02, 0.04, 0.08) if len(known) else ():
        fit = fit_peak(known, at, max(share * abs(at), 1e-9))
        if not fit.converged:
            continue
        again = fit_peak(known, fit.position, WINDOW_IN_FWHM * fit.fwhm)
        if again.converged and again.fwhm < 2 * fit.fwhm and (best is None or _is_far_better(again, best)):
            best = again
    if best is None:
        return None
    half = WINDOW_IN_FWHM / 2 * best.fwhm
    return best.position - half, best.position + half


def _is_far_better(wide: PeakFit, narrow: PeakFit) -> bool:
    """Tell whether a peak around a narrow one stands out more than two of these beside each other."""
    is_around = abs(wide.position - narrow.position) < wide.fwhm
    return is_around and wide.area / wide.area_error > MUCH_CLEARER * narrow.area / narrow.area_error


def suggest_line(values: np.ndarray) -> tuple[float, float] | None:
    """Find the peak that tells most: far up and with many events; None where none stands out.

    The width of a peak grows with its place, and its error shrinks with the root of its events; a pulser of
    a few dozen events far above all lines tells less than a line with hundreds.
    """
    return next(_standing_out(values), None)


def line_to_judge_by(values: np.ndarray) -> tuple[float, float] | None:
    """Find the peak that tells most of the resolution; None where none stands out.

    The peak of a pulser has the width of the noise alone. It is told by that, since lines get wider with
    their energy, and taken only where there is no other peak.
    """
    found = list(itertools.islice(_standing_out(values), N_COMPARED))
    lines = [one for one in found if not _is_pulser(one, found)]
    return next(iter((*lines, *found)), None)


def _standing_out(values: np.ndarray) -> Iterator[tuple[float, float]]:
    """Give the windows of the peaks that stand out, first those that tell most."""
    known = values[np.isfinite(values)]
    if len(known) < LEAST_IN_PEAK:
        return
    low, high = np.quantile(known, [0.01, 0.999]).tolist()
    counts, edges = np.histogram(known, N_SOUGHT_BINS, (low, high + 0.02 * (high - low)))
    around = np.convolve(counts, np.ones(5), "same")
    wide = (np.convolve(counts, np.ones(31), "same") - around) * 5 / 26
    excess = (around - wide) / np.sqrt(wide + 4)
    stands_out = (excess > CLEARLY_OUT) & (around >= LEAST_IN_PEAK)
    centres = (edges[:-1] + edges[1:]) / 2
    telling = np.where(stands_out, centres * np.sqrt(np.maximum(around - wide, 0)), -np.inf)
    found: list[tuple[float, float]] = []
    beside = 5 * (edges[1] - edges[0])  # so far counts reach into `around`
    for at in np.argsort(-telling)[: np.count_nonzero(stands_out)].tolist():
        place = float(centres[at])
        if any(begin - beside <= place <= end + beside for begin, end in found):
            continue
        if (window := peak_window(known, place)) is not None:
            found.append(window)
            yield window


def _is_pulser(window: tuple[float, float], others: Sequence[tuple[float, float]]) -> bool:
    """Tell whether a peak is far narrower than one below it, which no line of a detector is."""
    low, high = window
    return any(below < low and end - below > MUCH_NARROWER * (high - low) for below, end in others)


# A scan


def coarse_to_fine(n: int, m: int) -> list[tuple[int, int]]:
    """Give the cells of a grid of n by m, so that the whole of it is covered early."""
    step = 1
    while step < max(n, m) / 2:
        step *= 2
    seen: dict[tuple[int, int], None] = {}
    while step:
        for i in range(0, n, step):
            for j in range(0, m, step):
                seen.setdefault((i, j))
        step //= 2
    return list(seen)


@dataclass(frozen=True)
class Axis:
    """One setting of a scan: its step, from 0 on, its name, and the values to try."""

    step: int
    name: str
    values: tuple[Any, ...]

    @property
    def key(self) -> str:
        """How the library names it."""
        return f"{self.step + 1}.{self.name}"


class GridScan:
    """A grid of two settings; `cells` tries one after the other. Belongs to the thread that computes.

    asked: the chain to begin with, and the line, which lies where the reference puts it.
    """

    def __init__(self, block: Block, asked: Asked, x: Axis, y: Axis) -> None:
        self.chain, self.x, self.y = asked.chain, x, y
        self._block, self._asked = block, asked

    def cells(self) -> Iterator[tuple[tuple[int, int], Tried | str]]:
        """Try the cells coarse to fine; a text where a cell cannot be. Raises SettingsError at first."""
        processor = Tier1Processor.from_chain([step.to_chain() for step in runnable(self.chain)])
        tuner = Tuner(self._block, processor, self._line())
        for i, j in coarse_to_fine(len(self.x.values), len(self.y.values)):
            settings = {self.x.key: self.x.values[i], self.y.key: self.y.values[j]}
            try:
                yield (i, j), tuner.try_settings(settings)
            except SettingsError as error:
                yield (i, j), str(error)

    def _line(self) -> Line:
        """Give the line where the chain puts it: other settings than those of the reference may move it."""
        assert self._asked.line is not None
        low, high = self._asked.line
        bench = Bench(self._block)
        old, new = bench.anchor(self._asked), bench.new_values(self._asked)[0]
        scale = 1.0
        if old is not None and new is not None:
            scale = _scale(old, new, np.flatnonzero((old >= low) & (old <= high)))
        return Line((low + high) / 2 * scale, (high - low) * scale, self._asked.column)
