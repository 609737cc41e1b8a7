"""Units that the names of columns end with."""

from __future__ import annotations

_UNIT_ENDS = {
    "_ns": "ns",
    "_us": "µs",
    "_ms": "ms",
    "_s": "s",
    "_keV": "keV",
    "_kev": "keV",
    "_Hz": "Hz",
    "_V": "V",
    "_C": "°C",
}


def unit_of(name: str) -> str:
    """Give the unit that a name ends with; empty where it has none."""
    return next((unit for end, unit in _UNIT_ENDS.items() if name.endswith(end)), "")
