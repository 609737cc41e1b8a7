"""Turns the raw files of the ORCA data-acquisition system into physics.

- `pygama.orca` reads and writes the raw format; `pygama.decoders` knows the cards.
- `pygama.processing` makes Tier 1 and Tier 2: `ProcessTier0`, `Tier1Processor`, `ProcessTier1`,
  `process_run`.
- `pygama.storage` reads and writes the Tier files, and those of other programs.
- `pygama.analysis` looks into Tier 2: peaks, calibration, cuts, counts, pulser, events, live time.
- `pygama.DataSet` makes many runs one; `pygama.retrieve` goes from a cut back to the waveforms,
  `pygama.boxes` from waveforms to a cut; `pygama.spectra` draws and writes spectra; `pygama.tuning` finds
  the settings that make a line sharpest.
- `pygama.simulate` makes runs with known answers; `pygama.utils` holds small helpers such as `get_hist`.

The names below can be imported from here; each is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "DataSet": "pygama.dataset",
    "ProcessTier0": "pygama.processing.tier0",
    "ProcessTier1": "pygama.processing.tier1",
    "Tier1Processor": "pygama.processing.base",
    "process_run": "pygama.processing.run",
    "TierFile": "pygama.storage",
    "get_hist": "pygama.utils",
}
__all__ = ["DataSet", "ProcessTier0", "ProcessTier1", "Tier1Processor", "TierFile", "get_hist", "process_run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pygama' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
