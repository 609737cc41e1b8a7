"""Tells Tier 1 and Tier 2 files from other HDF5 files, and which of them are of one run.

A Tier 2 file alone is enough for all views but those of waveforms, a Tier 1 file for waveforms until the
chain has run over it. All of it belongs to the one thread that reads files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pygama.errors import TierFileError
from pygama.quick_dataclass import dataclass
from pygama_gui.session.state import Run

TABLE = "data"
"""Name of the one table of a Tier 2 file."""
PLACE = "channel"
"""The column that a Tier 2 table needs: rows of all channels are one after the other."""

HEADER = "header"
"""Text that a Tier 1 file has, also that of a run without events."""

Identity = tuple[str, ...]
"""What files of one run have in common, as texts."""
_IDENTITY = ("raw_file", "run_number", "sub_run", "start_time", "header_sha256")


@dataclass(frozen=True)
class TierKind:
    """What a file is: of Tier 1 or of Tier 2, of which run, and whether it holds any event."""

    path: Path
    tier: Literal[1, 2]
    run: Run
    identity: Identity
    has_events: bool


def kind_of(path: Path) -> TierKind:
    """Look into a file; raises TierFileError that says why it cannot be shown as a run."""
    from pygama.processing.tier1 import holds_waveforms
    from pygama.storage import TierFile

    path = path.resolve()
    with TierFile(path) as file:
        texts = file.texts("/")
        n_rows = sum(file.table(key).n_rows for key in file.keys)
        if TABLE in file.keys and not file.table(TABLE).n_samples:
            table = file.table(TABLE)
            _check_columns(path, {name: kind.kind for name, kind in table.kinds.items()})
            tier, has_events = 2, table.n_rows > 0
        elif (has_events := holds_waveforms(file)) or HEADER in texts:
            tier = 1
        else:
            there = ", ".join(file.keys)
            holds = f"it holds {there}" if there else "it has no table that pygama writes"
            raise TierFileError(f"{path.name} is no Tier 1 or Tier 2 file: {holds}")
    run = replace(_run_of(path, texts), tier_sha256=_sha256_of(path, tier, texts, n_rows))
    if tier == 1:
        return TierKind(path, 1, replace(run, tier1=path), identity_of(path, texts), has_events)
    return TierKind(path, 2, replace(run, tier2=path), identity_of(path, texts), has_events)


def _sha256_of(path: Path, tier: int, texts: Mapping[str, str], n_rows: int) -> str:
    """Give what a copy of a file has as well, and one that was made with another chain has not."""
    of_others = [] if "run_number" in texts else [path.name, path.stat().st_size]
    told = json.dumps([tier, n_rows, sorted(texts.items()), of_others])
    return hashlib.sha256(told.encode()).hexdigest()


def _check_columns(path: Path, kinds: Mapping[str, str]) -> None:
    """Raise TierFileError for a table of Tier 2 that the views could not show."""
    if PLACE not in kinds:
        raise TierFileError(
            f"{path.name} has no column '{PLACE}', by which the views tell its rows apart: "
            "was it written by another program?"
        )
    if not any(kind in "fiu" for name, kind in kinds.items() if name != PLACE):
        raise TierFileError(f"{path.name} has no column of numbers but '{PLACE}': there is nothing to show")


def _run_of(path: Path, texts: Mapping[str, str]) -> Run:
    from pygama.processing.outputs import run_number_in

    number = _whole(texts, "run_number")
    number = run_number_in(path.name) if number is None else number
    if number is None:
        raise TierFileError(f"{path.name} does not say its run number: name it like t2_run72.h5")
    return Run(
        run_id=str(path),
        path=path,
        run_number=number,
        sub_run=_whole(texts, "sub_run") or 0,
        start_time=_whole(texts, "start_time") or 0,
        size_bytes=path.stat().st_size,
        raw_name=texts.get("raw_file", ""),
    )


def _whole(texts: Mapping[str, str], name: str) -> int | None:
    text = texts.get(name, "")
    return int(text) if text.isdecimal() else None


def identity_of(path: Path, texts: Mapping[str, str]) -> Identity:
    """Give what tells a run, or a selection of its events, from others; those of others tell it by name."""
    from pygama.processing.outputs import SELECTION, run_number_in

    if "run_number" not in texts:
        return "", str(run_number_in(path.name)), "0", "", "", ""
    return *(texts.get(name, "") for name in _IDENTITY), texts.get(SELECTION, "")


def is_of_raw(run: Run, identity: Identity) -> bool:
    """Tell whether a file was made of a raw file, with all of its events."""
    return identity[:4] == (
        run.path.name,
        str(run.run_number),
        str(run.sub_run),
        str(run.start_time),
    ) and not any(identity[5:])


def is_same_file(run: Run, other: Run) -> bool:
    """Tell whether two runs of Tier files are of one file that lies in two places, or was moved.

    A run that an older session kept tells only its name and its run.
    """
    if run.is_raw or other.is_raw or run.path == other.path:
        return False
    if run.tier_sha256:
        return run.tier_sha256 == other.tier_sha256
    return _facts_of(run) == _facts_of(other)


def _facts_of(run: Run) -> tuple[object, ...]:
    is_tier2 = run.path == run.tier2
    return is_tier2, run.path.name, run.run_number, run.sub_run, run.start_time, run.size_bytes


def put_together(kinds: Iterable[TierKind], beside: Iterable[Path] = ()) -> list[Run]:
    """Make a run of each Tier 2 file, with its Tier 1 file, and of each Tier 1 file that has none.

    What was not given is looked for beside the file, and in the folders `beside`.
    """
    kinds, folders = list(kinds), list(beside)
    runs, used = [], set()
    for one in kinds:
        if one.tier == 2:
            tier1 = next((other for other in kinds if _is_other_half(one, other)), None)
            found = partner_of(one, folders) if tier1 is None else tier1.path
            used.add(found)
            runs.append(replace(one.run, tier1=found))
    for one in kinds:
        if one.tier == 1 and one.path not in used:
            runs.append(replace(one.run, tier2=partner_of(one, ())))
    return runs


def _is_other_half(one: TierKind, other: TierKind) -> bool:
    return one.tier != other.tier and one.identity == other.identity


def partner_of(one: TierKind, folders: Iterable[Path]) -> Path | None:
    """Find the file of the other tier of the same run, beside this one or in one of the folders."""
    mine, other = (f"t{one.tier}_", f"t{3 - one.tier}_")
    names = [f"{other}run{one.run.run_number}.h5"]
    if one.path.name.startswith(mine):
        names.insert(0, other + one.path.name.removeprefix(mine))
    for folder in dict.fromkeys((one.path.parent, *folders)):
        for name in dict.fromkeys(names):
            found = _looked_into(folder / name)
            if found is not None and _is_other_half(one, found):
                return found.path
    return None


def _looked_into(path: Path) -> TierKind | None:
    if not path.is_file():
        return None
    try:
        return kind_of(path)
    except (TierFileError, OSError):
        return None


def kinds_of(paths: Iterable[Path]) -> tuple[list[TierKind], list[tuple[Path, str]]]:
    """Look into files; gives those that are Tier files, and the others with the reason."""
    found, refused = [], []
    for path in dict.fromkeys(path.resolve() for path in paths):
        try:
            found.append(kind_of(path))
        except TierFileError as why:
            refused.append((path, str(why)))
        except OSError as why:
            refused.append((path, f"{path.name}: {why.strerror or why}"))
    return found, refused
