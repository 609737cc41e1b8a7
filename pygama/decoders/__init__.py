"""Turns records of the cards into columns and tells where their samples lie.

`DECODERS` maps the decoder names of a run's header to classes. A new card is a class in a file of its own
and a name in this list.
"""

from pygama.decoders.base import DataLoader, Registry
from pygama.decoders.fcio import FCIOEventHeaders, FCIOEvents
from pygama.decoders.flashcam import FlashCamADC, FlashCamWaveform
from pygama.decoders.gretina4m import Gretina4M
from pygama.decoders.run import RunRecords
from pygama.decoders.sis3302 import SIS3302
from pygama.decoders.slow_control import ISegHV, MJDPreAmp

_registry = Registry()
_registry.add(
    SIS3302,
    Gretina4M,
    FlashCamADC,
    FlashCamWaveform,
    FCIOEventHeaders,
    FCIOEvents,
    MJDPreAmp,
    ISegHV,
    RunRecords,
)

DECODERS: dict[str, type[DataLoader]] = _registry.classes
