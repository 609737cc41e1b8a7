"""Tells before a job starts that no waveform of a run is long enough for the chain.

What a job would find out at its first records: it ends where all waveforms are too short, and goes on where
those of one digitizer are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.chain import Chain
from pygama.processing.declare import RecordTooShort
from pygama.processing.windows import read_options
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.preview import library_steps, sample_of_ring
from pygama_gui.data.samples import Sample
from pygama_gui.session.state import Session

_STEP_NUMBER = re.compile(r"step (\d+), [^:]*: ")


def too_long_for(session: Session, live: LiveRun | None) -> tuple[int, str] | None:
    """Give the first step that asks for more samples than any waveform of a run has, and what it asks.

    None where there is no such step, or where nobody knows the waveforms: before the first job, and after a
    window was chosen that cuts them to another length.
    """
    if live is None or live.tier0 is None or not _cuts_alike(live.tier0, session.tier0):
        return None
    problem = ""
    for block in _kinds(live.samples.of(None)):
        try:
            chain = Chain(
                library_steps(session.chain), outputs=session.outputs or None, keep=session.save_waves
            )
            chain.plans(block)
        except RecordTooShort as error:
            problem = problem or str(error)
        except SettingsError:
            return None
        else:
            return None
    number = _STEP_NUMBER.match(problem)
    return (int(number[1]) - 1, problem[number.end() :]) if number else None


def _cuts_alike(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether options cut the waveforms of a raw file to the same lengths."""
    try:
        one, other = read_options(before), read_options(now)
    except SettingsError:
        return False
    return one == other or one.window == other.window == "none"


def _kinds(samples: Sequence[Sample]) -> Iterator[Block]:
    """Put waveforms together that one plan takes: those of a decoder and a length."""
    kinds: dict[tuple[str, int], list[Sample]] = {}
    for sample in samples:
        kinds.setdefault((sample.decoder, len(sample.waveform)), []).append(sample)
    return (block for group in kinds.values() if (block := sample_of_ring(group)) is not None)
