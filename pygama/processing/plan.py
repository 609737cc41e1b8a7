"""Turns a chain of steps into work on blocks of waveforms: bind, prune, fuse, run.

`bind` checks every step against what is there before it and tries the steps on one made-up waveform, so
that nothing is found out halfway through a file. What nobody asked for is pruned; runs of steps that have a
compiled kernel are fused where nobody wants what lies between. `run` works in blocks of rows that stay in
the processor's cache and lets each array go after its last reader.

A step reads the array it names, or the latest version of it: after `pole_zero`, which declares
`replaces="wf_blsub"`, a step that reads wf_blsub gets wf_pz, unless its `inputs` say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import field, replace
from functools import cached_property
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.errors import PygamaError, SettingsError
from pygama.processing.declare import REGISTRY, Kind
from pygama.processing.kernels import memory
from pygama.processing.kernels.chain import FUSIONS, Fusion, takes
from pygama.processing.kernels.twins import twin
from pygama.processing.profile import Profile
from pygama.processing.steps import Step, named, nearest
from pygama.quick_dataclass import dataclass

_WAVE_BYTES = 1 << 20
"""Of one transformed waveform array: a few fit the processor's cache, and calls are few beside the work."""
_RAW_BYTES = 1 << 20
"""Of raw samples that several kernels read one after another."""
_MAX_BLOCK_ROWS = 256
_HEAD_ROWS = 64
"""Rows that show what comes of the others, before a pool takes those."""
_PART_SAMPLES = 1 << 20
"""Samples that are worth a task of their own in a pool, or a kernel's call."""

Arrays = dict[str, np.ndarray]


class StepFailed(PygamaError):
    """A step raised an error or did not give what it declares."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A step, or several in one, ready to run."""

    label: str
    processors: tuple[str, ...]
    settings: tuple[Mapping[str, Any], ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    writes_waves: bool
    call: Callable[..., Any]

    def run(self, arrays: Mapping[str, np.ndarray], n_rows: int) -> Arrays:
        """Apply the step to rows; raises SettingsError or StepFailed naming the step."""
        try:
            given = self.call(*(arrays[name] for name in self.reads))
        except SettingsError as problem:
            raise type(problem)(f"{self.label}: {problem}") from problem
        except (MemoryError, RecursionError):
            raise
        except Exception as problem:
            raise StepFailed(f"{self.label}, failed: {type(problem).__name__}: {problem}") from problem
        return self._checked(given if isinstance(given, tuple) else (given,), n_rows)

    def _checked(self, given: tuple[Any, ...], n_rows: int) -> Arrays:
        if len(given) != len(self.writes):
            raise StepFailed(
                f"{self.label}, gave {len(given)} arrays, not the {len(self.writes)} it declares"
            )
        for name, array in zip(self.writes, given, strict=True):
            shape = array.shape if isinstance(array, np.ndarray) else np.shape(array)
            if len(shape) != (2 if self.writes_waves else 1) or shape[0] != n_rows:
                expected = f"({n_rows}, n_samples)" if self.writes_waves else f"({n_rows},)"
                raise StepFailed(f"{self.label}, gave {name} of shape {shape}, not {expected}")
        return dict(zip(self.writes, given, strict=True))


@dataclass(frozen=True)
class Plan:
    """Operations ready to run on blocks of one kind.

    outputs: what `run` gives, in order. example: what the steps made of one made-up waveform. profile: takes
    what each operation costs.
    """

    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]
    n_samples: int
    example: Mapping[str, np.ndarray] = field(repr=False)
    profile: Profile | None = field(default=None, repr=False)

    @cached_property
    def block_rows(self) -> int:
        """Rows worked on at a time."""
        waves = {name: array.shape[1] for name, array in self.example.items() if array.ndim == 2}
        makes_waves = any(operation.writes_waves for operation in self.operations)
        readers = [operation for operation in self.operations if not waves.keys().isdisjoint(operation.reads)]
        if len(readers) == 1 and not makes_waves:
            # What is read only once need not stay in the cache.
            return max(_PART_SAMPLES // max([*waves.values(), 1]), 8)
        rows = (_WAVE_BYTES // 8 if makes_waves else _RAW_BYTES // 2) // max([*waves.values(), 1])
        return min(max(rows, 8), _MAX_BLOCK_ROWS)

    @cached_property
    def _read_last(self) -> tuple[tuple[str, ...], ...]:
        """For each operation, the arrays that nobody reads after it."""
        last_reader = {
            name: place for place, operation in enumerate(self.operations) for name in operation.reads
        }
        return tuple(
            tuple(name for name in operation.reads if last_reader[name] == place and name not in self.outputs)
            for place, operation in enumerate(self.operations)
        )

    def run(self, block: Block, *, pool: Executor | None = None) -> Arrays:
        """Give each output for all rows: (n_rows,), or (n_rows, n_samples) of waves.

        pool: threads to share the work; not a pool that is running this very call. Raises StepFailed.
        """
        n_rows = len(block)
        if not n_rows:
            return {name: self._nothing(name) for name in self.outputs}
        # While the first rows are worked on the pool has nothing to do.
        first = min(self.block_rows if pool is None else _HEAD_ROWS, n_rows)
        head = self._run_rows(block[:first])
        results = {name: np.empty((n_rows, *array.shape[1:]), array.dtype) for name, array in head.items()}
        self._copy(head, results, 0, first)
        self._run_rest(block, results, first, pool)
        return results

    def _nothing(self, name: str) -> np.ndarray:
        return self.example[name][:0] if name in self.example else np.empty(0)

    def _run_rest(self, block: Block, results: Arrays, first: int, pool: Executor | None) -> None:
        rows = max(self.block_rows, _PART_SAMPLES // max(self.n_samples, 1))
        parts = [(begin, min(begin + rows, len(block))) for begin in range(first, len(block), rows)]
        if pool is None or len(parts) < 2:
            for begin, end in parts:
                self._fill(block, results, begin, end)
            return
        tasks = [pool.submit(self._fill, block, results, begin, end) for begin, end in parts]
        try:
            for task in tasks:
                task.result()
        finally:
            for task in tasks:
                task.cancel()

    def _fill(self, block: Block, results: Arrays, begin: int, end: int) -> None:
        for row in range(begin, end, self.block_rows):
            stop = min(row + self.block_rows, end)
            self._copy(self._run_rows(block[row:stop]), results, row, stop)

    @staticmethod
    def _copy(made: Arrays, results: Arrays, begin: int, end: int) -> None:
        for name in list(made):
            results[name][begin:end] = made[name]
            memory.give_back([made.pop(name)])

    def _run_rows(self, block: Block) -> Arrays:
        arrays = _arrays_of(block)
        with np.errstate(all="ignore"):
            for operation, done_with in zip(self.operations, self._read_last, strict=True):
                try:
                    if self.profile is None:
                        arrays.update(operation.run(arrays, len(block)))
                    else:
                        with self.profile.measure(operation.label, len(block), arrays):
                            arrays.update(operation.run(arrays, len(block)))
                except StepFailed as problem:
                    raise StepFailed(f"{problem}{_where(operation, arrays, block)}") from problem.__cause__
                memory.give_back([arrays.pop(name) for name in done_with if name in arrays])
        return {name: arrays[name] for name in self.outputs}


def _where(operation: Operation, arrays: Mapping[str, np.ndarray], block: Block) -> str:
    """Find the first row for which a step fails alone, and name its event: " (event 7, channel 2)"."""
    there = block.rows.dtype.names or ()
    if "event_number" not in there:
        return ""
    names = [name for name in ("event_number", "crate", "card", "channel") if name in there]
    for row in range(len(block)):
        try:
            operation.run({name: arrays[name][row : row + 1] for name in operation.reads}, 1)
        except StepFailed:
            told = (f"{name.removesuffix('_number')} {block.rows[name][row]:.0f}" for name in names)
            return f" ({', '.join(told)})"
    return f" (events {block.rows['event_number'][0]} to {block.rows['event_number'][-1]} together)"


def _arrays_of(block: Block) -> Arrays:
    arrays = {name: block.rows[name] for name in block.rows.dtype.names or ()}
    arrays.update(block.traces)
    if block.waveforms is not None:
        arrays["waveform"] = block.waveforms
    return arrays


def bind(
    steps: Sequence[Step],
    like: Block,
    *,
    period_ns: float | None = None,
    outputs: Collection[str] | None = None,
    keep: Collection[str] = (),
    fused: bool = True,
    profile: Profile | None = None,
) -> Plan:
    """Check a chain and make it ready for blocks with the columns, traces and sample type of `like`.

    like: its rows are not looked at; it may have none. outputs: what is wanted, by default every single value
    that an enabled step gives. keep: waves that are wanted as well. fused: use compiled kernels where there
    are any. profile: takes what each operation costs.

    Raises SettingsError naming the step and what to do, RecordTooShort where the waveforms are too short.
    """
    example = _made_up(like)
    operations = _Binder({name: _kind(array) for name, array in example.items()}, period_ns).bind(steps)
    wanted = _wanted(operations, example, outputs, keep)
    operations = prune(operations, wanted)
    _try(operations, example)
    if fused and like.n_samples:
        operations = fuse(_with_twins(operations, example, period_ns), wanted, example)
    return Plan(tuple(operations), wanted, like.n_samples, example, profile)


def _kind(array: np.ndarray) -> Kind:
    return "waves" if array.ndim == 2 else "values"


def _made_up(like: Block) -> Arrays:
    """Make one row like those of a block: a pulse on a baseline, and 1 in each column."""
    arrays: Arrays = {}
    for name in like.rows.dtype.names or ():
        arrays[name] = np.ones(1, like.rows.dtype[name])
    traces = dict(like.traces)
    if like.waveforms is not None:
        traces["waveform"] = like.waveforms
    for name, array in traces.items():
        arrays[name] = _pulse(array.shape[1]).astype(array.dtype)[None, :]
    return arrays


def _pulse(n_samples: int) -> np.ndarray:
    after = np.arange(n_samples) - n_samples // 2
    return 100.0 + np.where(after >= 0, 1000 * np.exp(-np.maximum(after, 0) / 5000), 0) + after % 3


class _Binder:
    """Goes through the steps in order and knows what has been written so far."""

    def __init__(self, there: Mapping[str, Kind], period_ns: float | None) -> None:
        self._kinds = dict(there)
        self._writers: dict[str, str] = {}
        self._newer: dict[str, str] = {}
        self._period_ns = period_ns
        self._steps: Sequence[Step] = ()

    def bind(self, steps: Sequence[Step]) -> list[Operation]:
        self._steps = steps
        return [self._operation(number, step) for number, step in enumerate(steps, 1) if step.enabled]

    def _operation(self, number: int, step: Step) -> Operation:
        label = f"step {number}, {step.name}"
        with named(number, step.name):
            step.check()
            settings = step.processor.check(step.settings, self._period_ns)
        reads = self._reads(number, label, step)
        writes = self._writes(label, step)
        self._renew(step, reads, writes)
        call = _call(step, settings, self._period_ns)
        waves = step.processor.writes_waves
        return Operation(label, (step.name,), (settings,), tuple(reads.values()), writes, waves, call)

    def _reads(self, number: int, label: str, step: Step) -> dict[str, str]:
        reads = {}
        for name, kind in step.processor.reads:
            if kind == "period":
                self._need_period(label)
                continue
            source = step.inputs.get(name) or self._latest(name)
            if source not in self._kinds:
                raise SettingsError(f"{label}, reads {source!r}, {self._missing(number, source)}")
            if self._kinds[source] != kind:
                raise SettingsError(
                    f"{label}, reads {_KINDS[kind]}, but {source!r} is {_KINDS[self._kinds[source]]}"
                )
            reads[name] = source
        return reads

    def _need_period(self, label: str) -> None:
        if self._period_ns is None:
            raise SettingsError(f"{label}, needs the sampling period, but the rows have no column period_ns")

    def _latest(self, name: str) -> str:
        while name in self._newer:
            name = self._newer[name]
        return name

    def _missing(self, number: int, name: str) -> str:
        if name in self._steps[number - 1].writes:
            return "which it writes itself; give it another input"
        for place, other in enumerate(self._steps, 1):
            if place != number and other.name in REGISTRY and name in other.writes:
                if place > number and (ring := self._ring(number, place)):
                    return f"which comes from {ring}: they wait for each other; give one another input"
                act = f"move step {place}, {other.name}, before it"
                if place < number:
                    act = f"switch step {place}, {other.name}, on"
                return f"which nothing before it writes; {act}"
        writers = [other.name for other in REGISTRY.values() if name in dict(other.writes)]
        if writers:
            return f"which nothing before it writes; put {' or '.join(writers)} before it"
        return f"which no step writes and the rows do not have; {nearest(name, self._kinds)}"

    def _ring(self, number: int, place: int) -> str:
        """Name the steps from `place` back to step `number`, if the former waits for the latter."""
        wanted, ring, there = number, [place], set(self._kinds)
        while ring[-1] != wanted:
            step = self._steps[ring[-1] - 1]
            before = [
                other
                for name, kind in step.processor.reads
                if kind != "period" and (source := step.inputs.get(name, name)) not in there
                for other, maker in enumerate(self._steps, 1)
                if maker.name in REGISTRY and source in maker.writes and other not in ring
            ]
            if not before:
                return ""
            ring.append(wanted if wanted in before else before[0])
        return ", which waits for ".join(f"step {at}, {self._steps[at - 1].name}" for at in ring)

    def _writes(self, label: str, step: Step) -> tuple[str, ...]:
        writes = step.writes
        for name in writes:
            if name in self._kinds:
                owner = f"{self._writers[name]}, writes" if name in self._writers else "the rows have"
                raise SettingsError(
                    f"{label}, writes {name!r}, which {owner} already; give it another name in its outputs"
                )
            self._kinds[name] = "waves" if step.processor.writes_waves else "values"
            self._writers[name] = label
        return writes

    def _renew(self, step: Step, reads: Mapping[str, str], writes: tuple[str, ...]) -> None:
        old = step.processor.replaces
        if old:
            self._newer[reads.get(old, old)] = writes[0]


_KINDS: Mapping[Kind, str] = {
    "waves": "waveforms",
    "values": "one number a row",
    "period": "the sampling period",
}


def _call(step: Step, settings: Mapping[str, Any], period_ns: float | None) -> Callable[..., Any]:
    function = step.processor.function
    places = [place for place, (_, kind) in enumerate(step.processor.reads) if kind == "period"]

    def call(*arrays: np.ndarray) -> Any:
        given: list[Any] = list(arrays)
        for place in places:
            given.insert(place, period_ns)
        return function(*given, **settings)

    return call


def _wanted(
    operations: Iterable[Operation],
    there: Mapping[str, np.ndarray],
    outputs: Collection[str] | None,
    keep: Collection[str],
) -> tuple[str, ...]:
    values: list[str] = []
    waves: list[str] = []
    for operation in operations:
        (waves if operation.writes_waves else values).extend(operation.writes)
    wanted = tuple(dict.fromkeys([*(values if outputs is None else outputs), *keep]))
    for name in wanted:
        if name not in values and name not in waves and name not in there:
            raise SettingsError(
                f"the chain gives no {name!r}; {nearest(name, [*values, *waves, 'waveform'])}"
            )
    for name in keep:
        if name not in waves and (name in values or there[name].ndim == 1):
            there_are = nearest(name, [*waves, "waveform"])
            raise SettingsError(f"{name!r} is one number a row, and no waveform to keep; {there_are}")
    return wanted


def prune(operations: Sequence[Operation], wanted: Collection[str]) -> list[Operation]:
    """Leave out what nobody reads and nobody asked for."""
    needed = set(wanted)
    kept: list[Operation] = []
    for operation in reversed(operations):
        if needed.intersection(operation.writes):
            needed.difference_update(operation.writes)
            needed.update(operation.reads)
            kept.append(operation)
    return kept[::-1]


def _try(operations: Sequence[Operation], example: Arrays) -> None:
    """Run the steps on the made-up row, to which they add what they write.

    A step that cannot take a made-up row ends the trial; only settings and shapes are refused.
    """
    with np.errstate(all="ignore"):
        for operation in operations:
            try:
                example.update(operation.run(example, 1))
            except StepFailed as problem:
                if problem.__cause__ is None:
                    raise
                return


def _with_twins(
    operations: Sequence[Operation], example: Mapping[str, np.ndarray], period_ns: float | None
) -> list[Operation]:
    """Let each step that has a compiled twin call that."""
    made = []
    for operation in operations:
        arrays = [example[name] for name in operation.reads if name in example]
        call = None
        if len(arrays) == len(operation.reads):
            call = twin(operation.processors[0], operation.settings[0], arrays, period_ns)
        made.append(operation if call is None else replace(operation, call=call))
    return made


def fuse(
    operations: Sequence[Operation], wanted: Collection[str], example: Mapping[str, np.ndarray]
) -> list[Operation]:
    """Put kernels in the place of runs of steps, unless somebody wants what lies between.

    The last step of a run becomes the kernel; the others go if nobody else reads them. Where the wave that
    the last step reads is there for another reader, the run stays: to read it is less work than the kernel.
    """
    runs = {
        place: run for place in range(len(operations)) if (run := _run_ending_at(place, operations, example))
    }
    while True:
        fused = [runs[place].joined if place in runs else step for place, step in enumerate(operations)]
        fused = prune(fused, wanted)
        written = {name for operation in fused for name in operation.writes}
        wasteful = [place for place, run in runs.items() if run.last_wave in written]
        if not wasteful:
            return fused
        for place in wasteful:
            del runs[place]


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps that a kernel can do at once: the wave that the last of them would read, and the operation."""

    last_wave: str
    joined: Operation


def _run_ending_at(
    place: int, operations: Sequence[Operation], example: Mapping[str, np.ndarray]
) -> _Run | None:
    for fusion in FUSIONS:
        steps = _matching(fusion, place, operations)
        waveform = example.get(steps[0].reads[0]) if steps else None
        if waveform is None or not takes(waveform):
            continue
        settings = {step.processors[0]: step.settings[0] for step in steps}
        kernel = fusion.build(settings, waveform.shape[1])
        if kernel is not None:
            waves = [name for step in steps[:-1] if step.writes_waves for name in step.writes]
            return _Run(waves[-1] if waves else "", _joined(steps, kernel))
    return None


def _matching(fusion: Fusion, place: int, operations: Sequence[Operation]) -> list[Operation]:
    """Walk back from the last step along what each reads; empty where the steps are others.

    A step reads what the one before gives: by itself, or after what that one reads.
    """
    steps = [operations[place]]
    if steps[0].processors != fusion.steps[-1:]:
        return []
    for name in reversed(fusion.steps[:-1]):
        source = steps[0].reads
        before = [
            other
            for other in operations[:place]
            if other.processors == (name,) and source in (other.writes, other.reads + other.writes)
        ]
        if not before:
            return []
        steps.insert(0, before[0])
    return steps


def _joined(steps: Sequence[Operation], kernel: Callable[..., Any]) -> Operation:
    first, last = steps[0], steps[-1]
    label = last.label if len(steps) == 1 else f"{first.label}, to {last.label}"
    return Operation(
        label,
        tuple(name for step in steps for name in step.processors),
        tuple(settings for step in steps for settings in step.settings),
        first.reads,
        tuple(name for step in steps if not step.writes_waves for name in step.writes),
        False,
        kernel,
    )
