"""Holds the list of processors that make Tier 2 from waveforms: the public face of the chain.

processor = Tier1Processor()
processor.add("fit_baseline", {"i_end": 800})
processor.add("bl_subtract")
processor.add("trap_filter")
processor.add("trap_max")
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.chain import Chain
from pygama.processing.channels import read_channels
from pygama.processing.compact import compact_columns
from pygama.processing.declare import REGISTRY
from pygama.processing.plan import Plan
from pygama.processing.plugins import Plugin, load_plugins, plugins_of
from pygama.processing.profile import Profile
from pygama.processing.steps import (
    Step,
    from_file,
    named,
    nearest,
    present_names,
    processor_named,
    split_test,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)

DEFAULT_CHAIN = ("fit_baseline", "bl_subtract", "trap_filter", "trap_max")

Layer = Mapping[Any, Mapping[str, Any]]
"""Settings by processor; whole numbers as keys are runs, each with settings by processor."""


class Tier1Processor:
    """A list of steps and their settings.

    settings: name of a processor -> its settings, for all steps of that name; a whole number as a key is a
    run, with such settings for that run alone. What is given to `add` beats the run's settings, these beat
    the plain ones, these the defaults. default_list: start with the line fit, its subtraction, the trapezoid
    and its maximum. outputs: the columns that are wanted of those which the steps give, all if None. compact:
    round them far below what noise moves them by, as `compact.STEPS` says; a Tier 2 file is then half as
    large. plugins: Python files that declare more processors; they are run.

    Raises SettingsError.
    """

    def __init__(
        self,
        settings: Layer | None = None,
        default_list: bool = False,
        *,
        outputs: Collection[str] | None = None,
        compact: bool = False,
        plugins: Iterable[Path | str] = (),
    ) -> None:
        self._layers: tuple[Layer, ...] = ()
        self._run: int | None = None
        self._added: tuple[Step, ...] = ()
        self._chains: dict[tuple[str, ...], Chain] = {}
        self._outputs = None if outputs is None else tuple(dict.fromkeys(outputs))
        self.is_compact = compact
        self.profile: Profile | None = None
        self.source = ""
        """Name of the settings file that the steps are from; errors begin with it."""
        load_plugins(plugins)
        if settings:
            self._add_layer(settings)
        if default_list:
            for name in DEFAULT_CHAIN:
                self.add(name)

    def add(
        self,
        name: str,
        settings: Mapping[str, Any] | None = None,
        *,
        inputs: Mapping[str, str] | None = None,
        outputs: Mapping[str, str] | None = None,
        enabled: bool = True,
        channels: Mapping[str, Mapping[str, Any]] | str | None = None,
    ) -> None:
        """Add a step at the end.

        settings: beat those given for the processor otherwise; {"test": True} draws the step for one
        waveform. inputs: name that the processor reads -> array to read in its place; outputs: name that it
        writes -> name to give it. channels: place of a channel, as "0/5/2", -> settings that beat all others
        there, or a table that has them. Raises SettingsError.
        """
        with named(len(self._added) + 1, name):
            own, test = split_test(settings or {})
            by_channel = read_channels(processor_named(name), channels or {})
            self._append(Step(name, own, inputs or {}, outputs or {}, enabled, test, by_channel))

    def _append(self, step: Step) -> None:
        step.check()
        self._added = (*self._added, step)
        self._chains = {}

    def _add_layer(self, layer: Layer) -> None:
        _check_layer({name: value for name, value in layer.items() if not _is_run(name)})
        self._layers = (*self._layers, dict(layer))
        self._chains = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in order, with the settings that are in force."""
        return tuple(self._in_force(step) for step in self._added)

    def _in_force(self, step: Step) -> Step:
        settings: dict[str, Any] = {}
        for layer in (*self._layers, *(_of_run(layer, self._run) for layer in self._layers)):
            settings.update(present_names(step.processor, layer.get(step.name, {})))
        test = bool(settings.pop("test", False)) or step.test
        settings.update(present_names(step.processor, step.settings))
        return replace(step, settings=settings, test=test)

    @property
    def columns(self) -> dict[str, str]:
        """The columns that the chain gives, in order, with their units; raises SettingsError."""
        columns: dict[str, str] = {}
        for step in self._added:
            if step.enabled and not step.processor.writes_waves:
                columns.update(zip(step.writes, dict(step.processor.writes).values(), strict=True))
        if self._outputs is None:
            return columns
        for name in self._outputs:
            if name not in columns:
                with from_file(self.source):
                    raise SettingsError(
                        f"outputs: the chain gives no column {name!r}; {nearest(name, columns)}"
                    )
        return {name: columns[name] for name in self._outputs}

    @property
    def channels(self) -> tuple[str, ...]:
        """The places of channels that have settings of their own."""
        return tuple(dict.fromkeys(place for step in self._added if step.enabled for place in step.channels))

    @property
    def plugins(self) -> list[Plugin]:
        """The plug-ins whose processors are among the steps."""
        return plugins_of(step.name for step in self._added)

    def for_run(self, run: int) -> Tier1Processor:
        """Give a copy with the settings of one run in force; those of other runs are not looked at."""
        for layer in self._layers:
            _check_layer(_of_run(layer, run))
        copy = self._copy()
        copy._run = run
        return copy

    def with_settings(self, settings: Layer) -> Tier1Processor:
        """Give a copy with more settings, which beat those given before, but not those given to `add`."""
        copy = self._copy()
        if settings:
            copy._add_layer(settings)
            if copy._run is not None:
                _check_layer(_of_run(settings, copy._run))
        return copy

    def _copy(self) -> Tier1Processor:
        copy = Tier1Processor()
        copy._layers, copy._run, copy._added = self._layers, self._run, self._added
        copy._outputs, copy.is_compact = self._outputs, self.is_compact
        copy.profile, copy.source = self.profile, self.source
        return copy

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, source: str = "") -> Tier1Processor:
        """Make it of what `read_settings` gives: the default list where there is no chain.

        source: name of the file; errors that are found only in the run begin with it.
        """
        chain = settings.get("chain")
        processor = cls(default_list=True) if chain is None else cls.from_chain(chain)
        if "outputs" in settings:
            processor._outputs = tuple(settings["outputs"])
        processor.is_compact = bool(settings.get("compact", False))
        processor.source = source if {"chain", "outputs"} & settings.keys() else ""
        return processor

    def to_texts(self) -> dict[str, str]:
        """Give all that tells how the columns are made, as texts of JSON, for a file that holds them."""
        texts = {"chain": json.dumps(self.to_chain())}
        if self._outputs is not None:
            texts["outputs"] = json.dumps(list(self._outputs))
        if self.is_compact:
            texts["compact"] = json.dumps(True)
        if self.plugins:
            used = [{"file": plugin.path.name, "sha256": plugin.sha256} for plugin in self.plugins]
            texts["plugins"] = json.dumps(used)
        return texts

    @classmethod
    def from_chain(
        cls,
        chain: Iterable[Mapping[str, Any]],
        *,
        outputs: Collection[str] | None = None,
        compact: bool = False,
    ) -> Tier1Processor:
        """Read the steps as settings files hold them; raises SettingsError.

        outputs: the columns that are wanted, all if None. compact: round them.
        """
        processor = cls(outputs=outputs, compact=compact)
        for number, entry in enumerate(chain, 1):
            try:
                step = Step.from_json(entry)
            except SettingsError as problem:
                raise type(problem)(f"step {number}: {problem}") from problem
            with named(number, step.name):
                processor._append(step)
        return processor

    def to_chain(self, *, defaults: bool = False) -> list[dict[str, Any]]:
        """Give the steps as settings files hold them.

        defaults: write out the settings that were left alone as well.
        """
        steps = self.steps
        if defaults:
            steps = tuple(replace(step, settings=step.processor.check(step.settings)) for step in steps)
        return [step.to_json() for step in steps]

    def chain(
        self, *, outputs: Collection[str] | None = None, keep: Collection[str] = (), fused: bool = True
    ) -> Chain:
        """Make the chain that runs the steps.

        outputs: what is wanted in place of the columns. keep: waves that are wanted as well. fused: use
        compiled kernels where there are any.
        """
        wanted = self._outputs if outputs is None else outputs
        return Chain(self.steps, outputs=wanted, keep=keep, fused=fused, profile=self.profile)

    def run(
        self, block: Block, *, pool: Executor | None = None, keep: Collection[str] = ()
    ) -> dict[str, np.ndarray]:
        """Give the columns of a block, (n_rows,) each, and the waves to keep, (n_rows, n_samples).

        Raises what `Chain.run` raises.
        """
        with from_file(self.source):
            chain = self._chains.get(tuple(keep))
            if chain is None:
                chain = self._chains[tuple(keep)] = self.chain(keep=keep)
            arrays = chain.run(block, pool=pool)
        return compact_columns(arrays, self.columns) if self.is_compact else arrays

    def trace(
        self, waveform: np.ndarray, period_ns: float = 10.0, columns: Mapping[str, float] | None = None
    ) -> dict[str, np.ndarray | float]:
        """Give all that the steps make of one waveform, (n_samples,): waves as arrays, values as numbers.

        columns: values of the row that steps may read. Raises SettingsError or StepFailed.
        """
        with from_file(self.source):
            plan, block = self._tracing(waveform, {"period_ns": period_ns, **(columns or {})})
            traced = plan.run(block)
        return {name: array[0] if array.ndim == 2 else array[0].item() for name, array in traced.items()}

    def _tracing(self, waveform: np.ndarray, columns: Mapping[str, float]) -> tuple[Plan, Block]:
        """Make a plan that gives everything, and a block of one row for it."""
        rows = np.empty(1, [(name, np.float64) for name in columns])
        for name, value in columns.items():
            rows[name] = value
        steps = [step for step in self.steps if step.enabled]
        names = [name for step in steps for name in step.writes]
        block = Block("", rows, np.asarray(waveform)[None, :])
        return Chain(self.steps, outputs=names, fused=False).plan(block, columns["period_ns"]), block

    def draw_tests(self, block: Block, *, is_parallel: bool = False) -> list[Figure]:
        """Draw each step with {"test": True} for the first waveform of a block, and show it on a screen.

        is_parallel: draw nothing and say so in the log. Returns the figures.
        """
        labels = {f"step {number}, {step.name}" for number, step in enumerate(self.steps, 1) if step.test}
        if not labels or not len(block) or block.waveforms is None:
            return []
        if is_parallel:
            _log.warning("%s: not drawn, because work is done in parallel", "; ".join(sorted(labels)))
            return []
        from pygama.processing.drawing import draw_operations

        plan, row = self._tracing(block.waveforms[0], _numbers(block.rows[0]))
        arrays = {"waveform": block.waveforms[:1], **plan.run(row)}
        return draw_operations([step for step in plan.operations if step.label in labels], arrays)


def _numbers(row: np.void) -> dict[str, float]:
    names = [name for name in row.dtype.names or () if row.dtype[name].kind in "iufb"]
    return {"period_ns": 10.0, **{name: float(row[name]) for name in names}}


def _is_run(key: Any) -> bool:
    return isinstance(key, int | np.integer) or (isinstance(key, str) and key.isdecimal())


def _of_run(layer: Layer, run: int | None) -> Layer:
    """Take the settings of one run out of a layer."""
    for key, settings in layer.items():
        if _is_run(key) and int(key) == run:
            if not isinstance(settings, Mapping):
                raise SettingsError(
                    f"run {run}: settings must be processors and their settings, not {settings!r}"
                )
            return settings
    return {}


def _check_layer(layer: Layer) -> None:
    for name, settings in layer.items():
        if name not in REGISTRY:
            raise SettingsError(
                f"settings are given for {name!r}, which is no processor; {nearest(str(name), REGISTRY)}"
            )
        if not isinstance(settings, Mapping):
            raise SettingsError(f"{name}: settings must be names and values, not {settings!r}")
        own, _ = split_test(settings)
        processor_named(name).check(own)
