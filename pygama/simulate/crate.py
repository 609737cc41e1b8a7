"""Makes up the crates of a run and their slow control: the header that tells of them."""

from __future__ import annotations

from typing import Any

from pygama.decoders.gretina4m import Gretina4M
from pygama.decoders.sis3302 import SIS3302
from pygama.decoders.slow_control import ISegHV, MJDPreAmp
from pygama.orca.header import Card
from pygama.orca.writer import run_header
from pygama.simulate.cards import GRETINA4M_KIND, SIS3302_KIND
from pygama.simulate.shape import RunShape

ENERGY_PEAKING = 500
"""Samples over which a card sums for its own energy."""
TICK_S = 1e-8

PREAMP_ID = 7
HV_CRATE, HV_CARD = 1, 5
HV_VOLTS = [3000.0 + 100 * channel for channel in range(8)]

KEYS = {"mca": 2, "lost_data": 3, "histogram": 4, "run": 5, "preamp": 6, "hv": 7}
"""Record keys of all else; those of run 72 of the 2018 demo are kept."""
UNDECLARED_KEY = 99


def header_plist(shape: RunShape) -> dict[str, Any]:
    """Give the property list of the run's header."""
    kind = shape.kind
    settings = _gretina4m(shape) if kind is GRETINA4M_KIND else _sis3302(shape)
    cards = [Card(f"OR{kind.name}Model", 0, card, settings) for card in shape.cards]
    hv = Card("OREHS8260pModel", HV_CRATE, HV_CARD, {"targets": HV_VOLTS})
    return run_header(
        run_number=shape.run_number,
        start_time=shape.start_time,
        cards=[*cards, hv] if shape.slow_control else cards,
        aux=[Card("ORMJDPreAmpModel", -1, -1, _preamp(shape))] if shape.slow_control else [],
        record_types=_record_types(shape),
    )


def _sis3302(shape: RunShape) -> dict[str, Any]:
    mask = sum(1 << channel for channel in shape.channels)
    return {
        "clockSource": 0,
        "runMode": 1,
        "bufferWrapEnabledMask": 0,
        "internalTriggerEnabledMask": mask,
        "externalTriggerEnabledMask": 0,
        "inputInvertedMask": 0,
        "sampleLengths": [shape.n_samples] * 4,
        "sampleStartIndexes": [0] * 4,
        "preTriggerDelays": [int(shape.pulse_at)] * 4,
        "energyPeakingTimes": [ENERGY_PEAKING] * 4,
        "energyGapTimes": [100] * 4,
        "energyDecimations": [0] * 4,
        "energyGateLengths": [shape.n_samples] * 4,
        "energyTauFactors": [0] * 8,
        "energySampleLength": 0,
        "thresholds": [60] * 8,
        "highThresholds": [65535] * 8,
        "dacOffsets": [30000] * 8,
        "peakingTimes": [100] * 8,
        "sumGs": [150] * 8,
        "shipEnergyWaveform": False,
        "shipSummedWaveform": False,
    }


def _gretina4m(shape: RunShape) -> dict[str, Any]:
    n_channels = GRETINA4M_KIND.n_channels
    return {
        "Enabled": [channel in shape.channels for channel in range(n_channels)],
        "FtCnt": [0] * n_channels,
        "Prerecnt": [499] * n_channels,
        "Postrecnt": [530] * n_channels,
        "Mrpsrt": [0] * n_channels,
        "Mrpsdv": [0] * n_channels,
        "TRAP Threshold": [10] * n_channels,
        "Integration Time": ENERGY_PEAKING,
        "Hist E Multiplier": 0.0,
        "Down Sample": 0,
        "Clock Source": 0,
    }


def _preamp(shape: RunShape) -> dict[str, Any]:
    names = {f"detectorName{i}": "" for i in range(16)}
    for i in range(min(len(shape.places), 5)):
        names[f"detectorName{i}"] = f"P{i:05d}A"
    return {"preampID": PREAMP_ID, "adcEnabledMask": 0xFFFF, **names}


def _record_types(shape: RunShape) -> dict[str, dict[str, tuple[int, str]]]:
    types = {
        "ORRunModel": {"Run": (KEYS["run"], "ORRunDecoderForRun")},
        "1DHisto": {"Histograms": (KEYS["histogram"], "OR1DHistoDecoder")},
    }
    if shape.kind is SIS3302_KIND:
        types["ORSIS3302"] = {
            "Energy": (SIS3302_KIND.key, SIS3302.name),
            "MCA": (KEYS["mca"], "ORSIS3302DecoderForMca"),
            "LostData": (KEYS["lost_data"], "ORSIS3302DecoderForLostData"),
        }
    else:
        types["ORGretina4M"] = {"Gretina4M": (GRETINA4M_KIND.key, Gretina4M.name)}
    if shape.slow_control:
        types["MJDPreAmpModel"] = {"Adcs": (KEYS["preamp"], MJDPreAmp.name)}
        types["OREHS8260pModel"] = {"State": (KEYS["hv"], ISegHV.name)}
    return types
