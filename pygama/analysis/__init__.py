"""Works with Tier 2: finds and fits peaks, and measures regions.

- `find_peaks` says where peaks are and how sure each is; `around_peak` chooses what to fit for one of them.
- `fit_region` and `fit_values` fit one or more peaks as a `FitRequest` says, and give a `RegionFit`;
  `interval` gives the errors of few counts, which need not be symmetrical.
- `measure_region` gives gross and net counts, centroid and widths without a fit.

The names below can be imported from here; each is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "FitRequest": "fits",
    "FittedPeak": "fits",
    "FoundPeak": "search",
    "Parameter": "fits",
    "Region": "regions",
    "RegionFit": "fits",
    "around_peak": "fits",
    "find_peaks": "search",
    "fit_region": "fits",
    "fit_values": "fits",
    "interval": "fits",
    "measure_region": "regions",
    "parameter_names": "fits",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pygama.analysis' has no attribute {name!r}")
    return getattr(import_module(f"pygama.analysis.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
