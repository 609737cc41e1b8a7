"""Runs the chain on the waveform that is shown: at once where it is known to be quick, else in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.samples import Sample
from pygama_gui.session.state import DEFAULT_CHAIN, Step

SLOW_S = 0.015
"""A chain that takes longer for one waveform is computed in a thread."""
Traced = tuple[dict[str, Any], str]
"""What the chain made, by name, and what went wrong."""


class Tracer:
    """Keeps what the chain made of the last waveform, and knows how long that took."""

    def __init__(
        self, bridge: Bridge, came: Callable[[LiveRun | None, Sample, tuple[Step, ...], Traced], None]
    ) -> None:
        self._bridge, self._came = bridge, came
        self._traced: tuple[Sample, tuple[Step, ...], Traced] | None = None
        self._is_tracing = False
        self.is_quick = True
        self._quick_steps = {step.step for step in DEFAULT_CHAIN}

    def trace(self, live: LiveRun | None, sample: Sample, chain: tuple[Step, ...]) -> Traced | None:
        """Run the chain on a waveform of a run; None where that is still under way."""
        if self._traced is not None and self._traced[0] is sample and self._traced[1] is chain:
            return self._traced[2]
        names = {step.step for step in chain if step.enabled}
        if self.is_quick and names <= self._quick_steps:
            traced, took = _timed(chain, sample)
            self._keep(sample, chain, traced, took)
            return traced
        if not self._is_tracing:
            self._is_tracing = True
            self._bridge.compute(
                lambda: _timed(chain, sample),
                lambda answer: self._take(live, sample, chain, *answer),
                self._end,
            )
        return None

    def _end(self) -> None:
        self._is_tracing = False

    def _take(
        self, live: LiveRun | None, sample: Sample, chain: tuple[Step, ...], traced: Traced, took: float
    ) -> None:
        self._is_tracing = False
        self._keep(sample, chain, traced, took)
        self._came(live, sample, chain, traced)

    def _keep(self, sample: Sample, chain: tuple[Step, ...], traced: Traced, took: float) -> None:
        """Keep what was computed, and whether it was quick enough to be done at once the next time."""
        self._traced = (sample, chain, traced)
        self.is_quick = took < SLOW_S
        if self.is_quick:
            self._quick_steps |= {step.step for step in chain if step.enabled}


def _timed(chain: tuple[Step, ...], sample: Sample) -> tuple[Traced, float]:
    """Run the chain on a waveform, and say how long it took."""
    began = time.thread_time()
    traced = chain_facts.traces_of(chain, sample.waveform, sample.period_ns, sample.numbers)
    return traced, time.thread_time() - began
