"""Runs steps on blocks of any kind: binds them once for each kind of rows that comes.

Where a setting is a time or differs by channel, rows are grouped, so that a processor only ever sees scalars.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.channels import Place, place_of, places_of
from pygama.processing.plan import Arrays, Plan, bind
from pygama.processing.profile import Profile
from pygama.processing.steps import Step, named

__all__ = ["Chain"]


class Chain:
    """Steps to be run on blocks.

    outputs: what is wanted, by default every single value that an enabled step gives. keep: waves that are
    wanted as well. fused: use compiled kernels where there are any. profile: takes what each step costs.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        *,
        outputs: Collection[str] | None = None,
        keep: Collection[str] = (),
        fused: bool = True,
        profile: Profile | None = None,
    ) -> None:
        self.steps = tuple(steps)
        self._outputs = outputs
        self._keep = tuple(keep)
        self._fused = fused
        self._profile = profile
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._steps_at: dict[Place, tuple[Step, ...]] = {}
        enabled = [step for step in self.steps if step.enabled]
        self._has_times = self._has_time_settings()
        self._needs_period = self._has_times or any(_reads_period(step) for step in enabled)
        self._by_channel = next((step for step in enabled if step.channels), None)

    def _has_time_settings(self) -> bool:
        has_times = False
        for number, step in enumerate(self.steps, 1):
            with named(number, step.name):
                has_times = (step.enabled and _has_time_setting(step)) or has_times
        return has_times

    def run(self, block: Block, *, pool: Executor | None = None) -> Arrays:
        """Give each output for all rows, in their order: (n_rows,), or (n_rows, n_samples) of waves.

        Raises SettingsError before anything ran where the chain does not fit the rows; RecordTooShort, one of
        them, where only the waveforms are too short; StepFailed where a step fails on the way.
        """
        if not self._needs_period and self._by_channel is None:
            return self.plan(block, None).run(block, pool=pool)
        if not len(block):
            return self._nothing(block)
        plans, group = self._grouped(block)
        if len(plans) == 1:
            return plans[0].run(block, pool=pool)
        return _in_groups(plans, group, block, pool)

    def plans(self, block: Block) -> list[Plan]:
        """Bind the steps for all rows of a block: a plan for each kind of rows; raises SettingsError."""
        if not self._needs_period and self._by_channel is None:
            return [self.plan(block, None)]
        return self._grouped(block)[0]

    def _grouped(self, block: Block) -> tuple[list[Plan], np.ndarray]:
        """Find the rows that one plan can do: the plans, and for each row which of them."""
        kinds = np.zeros((len(block), 4))
        has_period = "period_ns" in (block.rows.dtype.names or ())
        if self._needs_period and has_period:
            kinds[:, 0] = block.rows["period_ns"]
        if self._by_channel is not None:
            self._need_channel(block)
            kinds[:, 1:] = places_of(block.rows)
        kinds, group = np.unique(kinds, axis=0, return_inverse=True, equal_nan=True)
        unknown = np.nan if self._has_times else None
        plans = [
            self.plan(block, float(kind[0]) if has_period else unknown, place_of(kind[1:])) for kind in kinds
        ]
        distinct = list({id(plan): plan for plan in plans}.values())
        order = np.array([distinct.index(plan) for plan in plans])
        return distinct, order[group.reshape(-1)]

    def _need_channel(self, block: Block) -> None:
        if "channel" not in (block.rows.dtype.names or ()):
            assert self._by_channel is not None
            number = self.steps.index(self._by_channel) + 1
            raise SettingsError(
                f"step {number}, {self._by_channel.name}, has settings by channel, "
                "but the rows have no column channel"
            )

    def _nothing(self, block: Block) -> Arrays:
        steps = [step for step in self.steps if step.enabled]
        waves = {"waveform", *(name for step in steps if step.processor.writes_waves for name in step.writes)}
        names = self._outputs
        if names is None:
            names = [name for step in steps for name in step.writes if name not in waves]
        shapes = {name: (0, block.n_samples) if name in waves else (0,) for name in (*names, *self._keep)}
        return {name: np.empty(shape) for name, shape in shapes.items()}

    def plan(self, like: Block, period_ns: float | None, place: Place = (None, None, None)) -> Plan:
        """Bind the steps for rows like those of a block, of one channel; raises SettingsError."""
        traces = tuple((name, array.shape[1], array.dtype) for name, array in like.traces.items())
        sample_type = None if like.waveforms is None else like.waveforms.dtype
        steps = self._at(place)
        own = tuple(repr(step.settings) for step in steps if step.enabled) if self._by_channel else ()
        key = (like.rows.dtype, traces, like.n_samples, sample_type, period_ns, own)
        if key not in self._plans:
            self._plans[key] = bind(
                steps,
                like,
                period_ns=period_ns if self._needs_period else None,
                outputs=self._outputs,
                keep=self._keep,
                fused=self._fused,
                profile=self._profile,
            )
        return self._plans[key]

    def _at(self, place: Place) -> tuple[Step, ...]:
        """Give the steps with the settings that hold for a channel."""
        if self._by_channel is None:
            return self.steps
        if place not in self._steps_at:
            self._steps_at[place] = tuple(step.at(place) if step.enabled else step for step in self.steps)
        return self._steps_at[place]


def _in_groups(plans: Sequence[Plan], group: np.ndarray, block: Block, pool: Executor | None) -> Arrays:
    results: Arrays = {}
    for place, plan in enumerate(plans):
        rows = np.flatnonzero(group == place)
        for name, array in plan.run(block[rows], pool=pool).items():
            if name not in results:
                results[name] = np.empty((len(block), *array.shape[1:]), array.dtype)
            results[name][rows] = array
    return results


def _reads_period(step: Step) -> bool:
    return any(kind == "period" for _, kind in step.processor.reads)


def _has_time_setting(step: Step) -> bool:
    processor = step.processor
    numbers = [setting.name for setting in processor.settings if setting.type is not str]
    return any(
        isinstance(checked[name], str)
        for settings in (step.settings, *step.channels.values())
        for checked in (processor.check(settings),)
        for name in numbers
    )
