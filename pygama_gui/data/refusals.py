"""Tells before a job starts that a run does not suit the settings: its waveforms or its electronics.

What a job would find out at its first records: it ends where all waveforms are too short, and goes on where
those of one digitizer are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.chain import Chain
from pygama.processing.channels import Place, idle_places
from pygama.processing.declare import RecordTooShort
from pygama.processing.windows import read_options
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.preview import library_steps, sample_of_ring
from pygama_gui.data.samples import Sample
from pygama_gui.session.codes import place_of
from pygama_gui.session.state import Run, Session

_STEP_NUMBER = re.compile(r"step (\d+), [^:]*: ")


def foreign_to(session: Session, run: Run, channels: Iterable[int]) -> list[str]:
    """Say which settings are for a digitizer or for channels that a run does not have.

    channels: codes of those that it has, none where nobody knows.
    """
    told = []
    name = session.tier0.get("digitizer")
    if name and run.decoders and _first_name(name) not in map(_first_name, run.decoders):
        is_cut = read_options(session.tier0).window != "none"
        effect = ": no windows are cut" if is_cut else ""
        told.append(f"the window is for {name}, which {run.title} does not have{effect}")
    places: list[Place] = [
        (at["crate"], at["card"], at["channel"]) for at in (place_of(code) for code in channels)
    ]
    wanted = dict.fromkeys(place for step in session.chain if step.enabled for place in step.channels)
    if idle := idle_places(wanted, places) if places else []:
        told.append(f"settings are given for channel {', '.join(idle)}, which {run.title} does not have")
    return told


def _first_name(decoder: str) -> str:
    from pygama.decoders import DECODERS

    return DECODERS[decoder].name if decoder in DECODERS else decoder


def too_long_for(session: Session, live: LiveRun | None, *, of_tier1: bool = False) -> tuple[int, str] | None:
    """Give the first step that asks for more samples than any waveform of a run has, and what it asks.

    None where there is no such step, or where nobody knows the waveforms: before the first job, and after a
    window was chosen that cuts them to another length. of_tier1: they come from a Tier 1 file, as they are.
    """
    if live is None or not (of_tier1 or _is_cut_alike(live.tier0, session.tier0)):
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


def _is_cut_alike(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    """Tell whether options cut the waveforms of a raw file to the same lengths."""
    if before is None:
        return False
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
