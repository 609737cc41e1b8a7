"""The digitizers that runs can be made up for."""

from __future__ import annotations

import numpy as np

from pygama.decoders.gretina4m import N_SAMPLES as GRETINA_SAMPLES
from pygama.decoders.gretina4m import Gretina4M
from pygama.decoders.sis3302 import SIS3302
from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CardKind:
    """A digitizer that runs can be made up for."""

    name: str
    key: int
    """Record key of its waveforms."""
    decoder: type[SIS3302] | type[Gretina4M]
    sample_type: str
    low: int
    high: int
    """Range of a sample."""
    lengths: tuple[int, int, int]
    """Least and greatest number of samples, and the step."""
    n_channels: int
    gain: float
    """ADC counts a keV."""
    baseline: float


SIS3302_KIND = CardKind("SIS3302", 1, SIS3302, "<u2", 0, 65535, (100, 65532, 4), 8, 14.7, 8000.0)
GRETINA4M_KIND = CardKind(
    "Gretina4M", 8, Gretina4M, "<i2", -8192, 8191, (GRETINA_SAMPLES, GRETINA_SAMPLES, 1), 10, 2.4, 0.0
)
_KINDS = {kind.name: kind for kind in (SIS3302_KIND, GRETINA4M_KIND)}


def card_kind(name: str) -> CardKind:
    """Find a digitizer by name; raises SettingsError for one that runs cannot be made up for."""
    if name not in _KINDS:
        raise SettingsError(f"digitizer must be one of {', '.join(_KINDS)}, not '{name}'")
    return _KINDS[name]


def spoil(kind: CardKind, records: np.ndarray, damage: np.ndarray) -> None:
    """Damage records, (n, size): 1 takes the footer (or a packet's marker) away, 2 spoils a length inside."""
    if kind.decoder is Gretina4M:
        records[damage > 0, 2] = 0
        return
    records[damage == 1, -1] = 0
    records[damage == 2, 2] += 2
