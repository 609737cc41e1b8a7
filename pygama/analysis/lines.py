"""Knows the gamma lines that a germanium spectrum is calibrated with, by source.

Energies and intensities stand in `resources/lines.json`, each nuclide with the evaluation they are taken from
(ENSDF: Evaluated Nuclear Structure Data File; DDEP: Decay Data Evaluation Project). Where the other of the
two is known to differ by more than the errors, these are as large as the difference, or the mean is taken.
Most lines are there from about 1 % of the strongest of their source on; of those below 100 keV, where x-rays
and absorption disturb, few. Escape peaks are computed: the line less one or two times the 510.999 keV of an
electron.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pygama import resources
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass

ELECTRON_KEV = 510.999
_ESCAPES = ("", " single escape", " double escape")


@dataclass(frozen=True, slots=True)
class GammaLine:
    """A line by its origin and energy; errors are of one standard deviation.

    intensity: photons in 100 decays of the first nuclide of the source, where that is known; of escape peaks,
    which depend on the detector, it is not. is_broad: wider than the resolution of a detector.
    """

    origin: str
    energy_kev: float
    energy_error_kev: float = 0.0
    intensity: float | None = None
    intensity_error: float | None = None
    nuclide: str = ""
    reference: str = ""
    is_broad: bool = False
    escapes: int = 0
    """Annihilation quanta that left the detector."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a detector is shown: its lines in order of energy; a pulser has none."""

    name: str
    title: str
    lines: tuple[GammaLine, ...]


@lru_cache(maxsize=1)
def sources() -> tuple[Source, ...]:
    """Give all sources that are known."""
    data = json.loads(_file().read_text(encoding="utf-8"))
    return tuple(_source(entry, data["nuclides"]) for entry in data["sources"])


def _file() -> Path:
    return Path(resources.__path__[0]) / "lines.json"


def _source(entry: dict[str, Any], nuclides: dict[str, Any]) -> Source:
    lines = [
        line for name, share in entry["decays"].items() for line in _lines(name, nuclides[name], float(share))
    ]
    return Source(entry["name"], entry["title"], tuple(sorted(lines, key=lambda line: line.energy_kev)))


def _lines(nuclide: str, data: dict[str, Any], share: float) -> Iterator[GammaLine]:
    for entry in data["lines"]:
        known = entry["intensity"] is not None
        line = GammaLine(
            origin=nuclide,
            energy_kev=entry["energy_kev"],
            energy_error_kev=entry["energy_error_kev"],
            intensity=share * entry["intensity"] if known else None,
            intensity_error=share * entry["intensity_error"] if known else None,
            nuclide=nuclide,
            reference=entry.get("reference", data["reference"]),
            is_broad=entry.get("is_broad", False),
        )
        yield line
        if entry.get("has_escapes", False):
            yield from (_escape(line, n) for n in (1, 2))


def _escape(line: GammaLine, n: int) -> GammaLine:
    """Give the peak of events in which `n` quanta left; of one, its partner's motion widens the peak."""
    return replace(
        line,
        origin=line.origin + _ESCAPES[n],
        energy_kev=round(line.energy_kev - n * ELECTRON_KEV, 4),
        intensity=None,
        intensity_error=None,
        is_broad=n == 1,
        escapes=n,
    )


def source_of(name: str) -> Source:
    """Find a source by its name, in capitals or not; raises SettingsError naming those that are known."""
    found = [source for source in sources() if source.name.lower() == name.strip().lower()]
    if not found:
        known = ", ".join(source.name for source in sources())
        raise SettingsError(f"the source '{name}' is not known; known are {known}")
    return found[0]


def lines_of(source: str | Sequence[str], *, min_intensity: float = 0.0) -> tuple[GammaLine, ...]:
    """Give the lines of one source or of several together, in order of energy, each once.

    min_intensity: lines with fewer photons in 100 decays are left out; those whose intensity is not known
    stay. Raises SettingsError for a source that is not known.
    """
    names = [source] if isinstance(source, str) else list(source)
    lines = {
        (line.origin, line.energy_kev): line
        for name in names
        for line in source_of(name).lines
        if line.intensity is None or line.intensity >= min_intensity
    }
    return tuple(sorted(lines.values(), key=lambda line: line.energy_kev))


GAMMA_LINES = lines_of([source.name for source in sources()])
"""Of all sources, in order of energy."""
