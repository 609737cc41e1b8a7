"""Runs a chain over and over on the same rows while a few settings change.

What the changing steps do not touch is computed once and kept: values always, waveforms where the chain would
write them anyway. So moving a slider costs what lies behind it and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.processing.chain import Chain
from pygama.processing.plan import Arrays, Operation
from pygama.processing.steps import Step

_MOST_KEPT_BYTES = 1 << 28
"""Of waveforms that the changing steps do not touch."""

Changes = Mapping[int, Mapping[str, Any]]
"""Place of a step, from 0 on -> settings in place of its own."""


class Rerun:
    """Rows and the steps to run on them.

    block: rows with waveforms, kept as they are. columns: the values that are wanted. pool: threads that
    share the work.
    """

    def __init__(
        self, block: Block, steps: Sequence[Step], columns: Sequence[str], *, pool: Executor | None = None
    ) -> None:
        self._block = block
        self._steps = tuple(steps)
        self._columns = tuple(columns)
        self._pool = pool
        self._prepared: dict[frozenset[int], tuple[Block, tuple[Step, ...]]] = {}

    def run(self, changes: Changes) -> Arrays:
        """Give the columns of all rows with some settings changed, (n_rows,) each; raises as `Chain.run`."""
        places = frozenset(changes)
        if places not in self._prepared:
            self._prepared[places] = self._prepare(places)
        block, steps = self._prepared[places]
        changed = tuple(
            replace(step, settings={**step.settings, **changes.get(place, {})})
            for place, step in enumerate(steps)
        )
        return Chain(changed, outputs=self._columns).run(block, pool=self._pool)

    def _prepare(self, places: frozenset[int]) -> tuple[Block, tuple[Step, ...]]:
        if not places or not len(self._block):
            return self._block, self._steps
        operations = self._operations()
        touched = _touched(operations, places)
        kept = self._worth_keeping(operations, touched)
        if not kept:
            return self._block, self._steps
        found = Chain(self._steps, outputs=kept).run(self._block, pool=self._pool)
        steps = [
            replace(step, enabled=False) if set(kept).issuperset(writes) else _explicit(step, operation)
            for step, operation, writes in self._with(operations)
        ]
        return with_arrays(self._block, found), tuple(steps)

    def _operations(self) -> dict[int, Operation]:
        """Bind every enabled step alone: place -> what it reads and writes by name."""
        enabled = [place for place, step in enumerate(self._steps) if step.enabled]
        names = [name for place in enabled for name in self._steps[place].writes]
        plan = Chain(self._steps, outputs=names, fused=False).plans(self._block)[0]
        return dict(zip(enabled, plan.operations, strict=True))

    def _with(
        self, operations: Mapping[int, Operation]
    ) -> Iterator[tuple[Step, Operation | None, tuple[str, ...]]]:
        for place, step in enumerate(self._steps):
            operation = operations.get(place)
            yield step, operation, () if operation is None else operation.writes

    def _worth_keeping(self, operations: Mapping[int, Operation], touched: set[int]) -> list[str]:
        """Name what touched steps read of the others: values, and waveforms that are written in any case."""
        needed = {name for place in touched for name in operations[place].reads}
        plan = Chain(self._steps, outputs=self._columns).plans(self._block)[0]
        written = {name for operation in plan.operations for name in operation.writes}
        room = _MOST_KEPT_BYTES // (8 * max(self._block.n_samples, 1) * len(self._block))
        kept: list[str] = []
        for place, operation in sorted(operations.items(), reverse=True):
            if place in touched or not needed.intersection(operation.writes):
                continue
            if operation.writes_waves:
                if not written.intersection(operation.writes) or room < 1:
                    continue
                room -= 1
            kept += operation.writes
        return kept


def _touched(operations: Mapping[int, Operation], places: frozenset[int]) -> set[int]:
    """Find the steps whose results change with those at `places`."""
    touched: set[int] = set()
    names: set[str] = set()
    for place, operation in operations.items():
        if place in places or names.intersection(operation.reads):
            touched.add(place)
            names.update(operation.writes)
    return touched


def _explicit(step: Step, operation: Operation | None) -> Step:
    """Write down which arrays a step reads, whatever the steps before it are."""
    if operation is None:
        return step
    names = [name for name, kind in step.processor.reads if kind != "period"]
    return replace(step, inputs=dict(zip(names, operation.reads, strict=True)))


def with_arrays(block: Block, arrays: Arrays) -> Block:
    """Give a block that has further columns, (n_rows,), and traces, (n_rows, n)."""
    values = {name: array for name, array in arrays.items() if array.ndim == 1}
    dtype = [*block.rows.dtype.descr, *((name, array.dtype.str) for name, array in values.items())]
    rows = np.empty(len(block), dtype)
    for name in block.rows.dtype.names or ():
        rows[name] = block.rows[name]
    for name, array in values.items():
        rows[name] = array
    waves = {name: array for name, array in arrays.items() if array.ndim == 2}
    return Block(block.decoder, rows, block.waveforms, {**block.traces, **waves})
