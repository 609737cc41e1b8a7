"""Works with Tier 2: peaks and regions, calibration, cuts and counts, pulser, events and live time.

- `find_peaks` says where peaks are and how sure each is; `around_peak` chooses what to fit for one of them.
- `fit_region` and `fit_values` fit one or more peaks as a `FitRequest` says, and give a `RegionFit`;
  `interval` gives the errors of few counts, which need not be symmetrical.
- `measure_region` gives gross and net counts, centroid and widths without a fit.
- `calibrate` and `calibrate_channels` find the lines of a source; `apply` turns ADC counts into keV.
- `CutSet` chooses rows by named texts; `efficiency_table` says what each cut does; `histograms` counts.
- `tag_pulser`, `build_events` and `live_times` do what their names say; `tag_hits` makes columns of the first
  two, for cuts.

The names below can be imported from here; each is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Calibration": "calibration",
    "Cut": "cuts",
    "CutSet": "cuts",
    "FitRequest": "fit_request",
    "FittedPeak": "region_fit",
    "FoundPeak": "search",
    "Parameter": "region_fit",
    "Region": "regions",
    "RegionFit": "region_fit",
    "Tagging": "tagging",
    "apply": "calibration",
    "around_peak": "fit_starts",
    "build_events": "events",
    "calibrate": "calibration",
    "calibrate_channels": "calibration",
    "efficiency_table": "efficiency",
    "find_peaks": "search",
    "fit_region": "fits",
    "fit_values": "fits",
    "histograms": "histograms",
    "interval": "fits",
    "live_times": "live_time",
    "measure_region": "regions",
    "parameter_names": "fit_request",
    "tag_hits": "tagging",
    "tag_pulser": "pulser",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pygama.analysis' has no attribute {name!r}")
    return getattr(import_module(f"pygama.analysis.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
