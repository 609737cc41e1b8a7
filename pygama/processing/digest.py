"""Tells by a short text whether a column was made in the same way: by the same steps with the same settings.

Each array has a digest: of the step that makes it, all its settings, defaults included, and the digests of
what it reads. So steps that do not reach a column do not matter for it, nor does what arrays are called.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pygama.errors import PygamaError, SettingsError
from pygama.processing.channels import Place
from pygama.processing.plugins import plugins_of
from pygama.processing.steps import Step

LENGTH = 16
"""Letters of a digest: 64 bits, which do not come together by chance."""


def column_digest(
    chain: Iterable[Mapping[str, Any]], column: str, place: Place | str = (None, None, None)
) -> str:
    """Give what tells how a column is made from other ways; '' where that cannot be said.

    chain: as settings files hold it. place: of the channel, whose own settings count. A column that no step
    makes is one of the rows and has a digest of its own. Unknown steps, as of a plug-in that is not loaded,
    leave what comes after them unknown.
    """
    at = tuple(map(int, place.split("/"))) if isinstance(place, str) else place
    arrays: dict[str, str] = {}
    newer: dict[str, str] = {}
    for entry in chain:
        try:
            step = Step.from_json(entry)
            if step.enabled:
                _add(arrays, newer, step, (at[0], at[1], at[2]))
        except SettingsError:
            return ""
    return arrays.get(column) or _digest(["the rows", column])


def _add(arrays: dict[str, str], newer: dict[str, str], step: Step, place: Place) -> None:
    """Note the digests of what a step writes, and what later steps read in the place of what."""
    known, reads = step.processor, {}
    for name, kind in known.reads:
        source = step.inputs.get(name) or _latest(newer, name)
        reads[name] = kind if kind == "period" else arrays.get(source) or _digest(["the rows", source])
    settings = known.check(step.at(place).settings)
    texts = [plugin.sha256 for plugin in plugins_of([step.name])]
    made = [step.name, settings, reads, texts]
    for (declared, _), name in zip(known.writes, step.writes, strict=True):
        arrays[name] = _digest([*made, declared])
    if known.replaces:
        newer[step.inputs.get(known.replaces) or _latest(newer, known.replaces)] = step.writes[0]


def _latest(newer: Mapping[str, str], name: str) -> str:
    while name in newer:
        name = newer[name]
    return name


def _digest(what: Any) -> str:
    # It brings OpenSSL, which most of what the library does can go without.
    import hashlib

    text = json.dumps(what, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Give the places whose digests are known and are not the same."""
    return [place for place, one in before.items() if one and now.get(place) and now[place] != one]


def other_chain_words(column: str, places: Sequence[str]) -> str:
    """Say that a calibration is of other rows than these; places: of its channels, at least one."""
    whose = f"channel {places[0]}" if len(places) == 1 else f"{len(places)} channels, {places[0]} and on,"
    return (
        f"{whose} of {column} was calibrated when another chain made its rows: its energies may be wrong; "
        "calibrate it anew"
    )


def file_digests(tier2: Iterable[Path | str], column: str, places: Iterable[str]) -> dict[str, str]:
    """Give the digests of a column by the chain that Tier 2 files were made with: place -> digest.

    A place has '' where files differ, and where one of them does not say how it was made.
    """
    from pygama.processing.settings import read_settings

    places, chains = list(places), []
    for path in tier2:
        try:
            chains.append(read_settings(path)["chain"])
        except (PygamaError, KeyError):
            return dict.fromkeys(places, "")
    made = {}
    for place in places:
        found = {column_digest(chain, column, place) for chain in chains}
        made[place] = found.pop() if len(found) == 1 else ""
    return made
