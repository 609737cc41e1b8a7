"""Says how each processor stands in a chain: with which settings, and behind which steps.

The settings suit the pulses of the pictures: 1836 samples of 16 ns, a pulse that rises near sample 910 and
decays in 5130 samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pygama.processing.declare import REGISTRY, Processor
from pygama.processing.steps import Step

TABLE = "channels.json"
"""What the table of channels is called in the examples."""

_QUIET = {"i_end": 750}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "avg_baseline": _QUIET,
    "fit_baseline": _QUIET,
    "baseline_rms": _QUIET,
    "robust_baseline": _QUIET,
    "bl_subtract_polynomial": {"i_end": 820, "order": 2},
    "pole_zero": {"tau": 5130},
    "double_pole_zero": {"tau": 5300, "tau2": 200, "fraction": 0.01},
    "trap_filter": {"rise": 300, "flat": 150},
    "asym_trap_filter": {"rise": 10, "flat": 10, "fall": 300},
    "moving_window": {"length": 20},
    "savitzky_golay": {"length": 41, "order": 2},
    "current": {"length": 10},
    "cusp_filter": {"rise": 300, "flat": 150, "sigma": 100},
    "zac_filter": {"rise": 300, "flat": 150, "sigma": 100},
    "t0": _QUIET,
    "fixed_time_pickoff": {"delay": 420},
    "tail_slope": {"delay": 100, "length": 200},
    "noise_rms": _QUIET,
    "psd": {"i_end": 512, "taper": "hann"},
    "saturation": {"high": 65520},
    "count_pulses": {"gap": "2 us"},
    "resample_multisampled": {"length": 1836},
    "lookup": {"table": TABLE, "field": "tau"},
    "calibrate": {"table": TABLE},
}
"""By processor, what differs from the defaults."""

OUTPUTS: Mapping[str, Mapping[str, str]] = {"lookup": {"looked_up": "tau"}}
"""By processor, other names for what it writes."""

_AFTER: Mapping[str, str] = {
    "trap_filter": "pole_zero",
    "cusp_filter": "pole_zero",
    "zac_filter": "pole_zero",
    "tail_slope": "pole_zero",
}
"""Steps that do better behind another one, though they read nothing that it alone writes."""


def example(name: str) -> Step:
    """Give the step with the settings of the pictures."""
    return Step(name, SETTINGS.get(name, {}), outputs=OUTPUTS.get(name, {}))


def chain_to(name: str) -> list[Step]:
    """Give the steps that lead to a processor, and its own step as the last."""
    names: list[str] = []
    _add(name, names)
    return [example(name) for name in names]


def writer_of(wanted: str) -> Processor | None:
    """Find the processor that writes an array, the first one declared; None where the rows have it."""
    for processor in REGISTRY.values():
        if wanted in dict(processor.writes):
            return processor
    return None


def _add(name: str, names: list[str]) -> None:
    if name in names:
        return
    for wanted, kind in REGISTRY[name].reads:
        writer = writer_of(wanted) if kind != "period" else None
        if writer is not None:
            _add(writer.name, names)
    if name in _AFTER:
        _add(_AFTER[name], names)
    names.append(name)
