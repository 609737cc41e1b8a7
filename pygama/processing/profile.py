"""Adds up what each step of a chain costs: processor time and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StepCost:
    """What one step, or several in one kernel, took for all rows so far."""

    label: str
    rows: int = 0
    cpu_ns: int = 0
    """Of the threads that did the work."""
    written_bytes: int = 0
    """Of the arrays that the step gave."""
    held_bytes: int = 0
    """Of all arrays there were when the step ended, at most: what one thread needs for a block."""

    @property
    def us_a_row(self) -> float:
        """Processor time, in µs a row."""
        return self.cpu_ns / 1e3 / self.rows if self.rows else 0.0

    @property
    def bytes_a_row(self) -> float:
        """What the step wrote, in bytes a row."""
        return self.written_bytes / self.rows if self.rows else 0.0


class Profile:
    """Takes the costs of steps, from any thread."""

    def __init__(self) -> None:
        self._costs: dict[str, StepCost] = {}
        self._adding = threading.Lock()

    @contextmanager
    def measure(self, label: str, n_rows: int, arrays: Mapping[str, np.ndarray]) -> Iterator[None]:
        """Measure what is done inside; `arrays` has what there is, and afterwards what was made as well."""
        before = set(arrays)
        began = time.thread_time_ns()
        yield
        taken = time.thread_time_ns() - began
        written = sum(arrays[name].nbytes for name in arrays if name not in before)
        held = sum(array.nbytes for name, array in arrays.items() if array.ndim == 2)
        with self._adding:
            cost = self._costs.get(label, StepCost(label))
            self._costs[label] = replace(
                cost,
                rows=cost.rows + n_rows,
                cpu_ns=cost.cpu_ns + taken,
                written_bytes=cost.written_bytes + written,
                held_bytes=max(cost.held_bytes, held),
            )

    @property
    def costs(self) -> tuple[StepCost, ...]:
        """The steps in the order in which they first ran."""
        return tuple(self._costs.values())

    def lines(self) -> list[str]:
        """Give a table for people."""
        total = sum(cost.cpu_ns for cost in self.costs) or 1
        width = max([len(cost.label) for cost in self.costs] + [len("all steps")])
        lines = [f"{'step':<{width}}  {'us a row':>9}  {'share':>6}  {'bytes a row':>11}  {'held':>8}"]
        for cost in self.costs:
            lines.append(
                f"{cost.label:<{width}}  {cost.us_a_row:>9.2f}  {cost.cpu_ns / total:>6.1%}"
                f"  {cost.bytes_a_row:>11.0f}  {cost.held_bytes / 1e6:>5.1f} MB"
            )
        rows = max((cost.rows for cost in self.costs), default=0)
        if rows:
            lines.append(f"{'all steps':<{width}}  {total / 1e3 / rows:>9.2f}  {1:>6.1%}   ({rows} rows)")
        return lines
