"""Makes Tier 2 compact: columns are rounded to steps far below what noise moves them by.

The low bits of a baseline over 500 samples are noise to any codec: half of a Tier 2 file. Where settings say
`"compact": true` they are rounded away before the rows are written, told, or given to a script, so that all
of these hold the same numbers; the types of the columns stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

STEPS: Mapping[str, float] = {"adc": 2.0**-8, "adc/sample": 2.0**-18, "keV": 2.0**-10, "ns": 2.0**-6}
"""Unit of a column of the chain -> the step that it is rounded to; columns of other units are kept."""

TIME, TIME_STEP_S = "time_s", 2.0**-28
"""The column of time since the clock's start and its step, 3.7 ns: less than the shortest tick, of 4 ns, so
that no two ticks become one. Timestamps are kept whole.
"""

WINDOW_BEGIN, WINDOW_END = "ts_lo", "ts_hi"
"""Times of a window's first and last sample in ns; where both are there the end, which says nothing new, is
left out: it is the window's samples less one behind its begin.
"""


def rounded(values: np.ndarray, step: float) -> np.ndarray:
    """Round to whole steps, a power of two; half a step goes to the even one. Shape and type stay.

    What is no number stays what it is, and so does what is too large to be counted in steps.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.rint(values / step)
    return np.where(np.isfinite(steps), steps * step, values)


def compact_columns(columns: Mapping[str, np.ndarray], units: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Round those whose unit has a step; units: of the columns, waveforms have none here and are kept."""
    return {
        name: rounded(values, STEPS[units[name]]) if units.get(name) in STEPS else values
        for name, values in columns.items()
    }


def left_out(names: tuple[str, ...]) -> frozenset[str]:
    """Tell which of a row's columns a compact row does without."""
    return frozenset({WINDOW_END}) if WINDOW_BEGIN in names else frozenset()
