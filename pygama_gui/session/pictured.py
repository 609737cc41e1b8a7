"""Puts into a picture what it shows and how it was made, and reads that back as a session.

A picture knows the runs that it shows, the chain and options, and what each view showed; the place of the
window, the theme and what else belongs to one desk are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pygama.errors import SettingsError
from pygama.quick_dataclass import dataclass
from pygama.storage.how_made import SUFFIXES, how_made
from pygama_gui.session import saved
from pygama_gui.session.set_changes import data_set_of, make_data_set
from pygama_gui.session.state import DataSet, Session

Zoom = tuple[tuple[float, float] | None, tuple[float, float] | None]
"""What a person chose to see of x and of y; None: the program chooses."""
VIEW, ZOOMS = "view", "zooms"
OF_THE_DESK = frozenset(
    (
        "theme",
        "geometry",
        "arrangements",
        "layout",
        "recent",
        "watched",
        "n_jobs",
        "process_on_add",
        "channel_map",
        "shifter",
        "shift_notes",
    )
)
"""What a person chose for the program and not for a picture."""


@dataclass(frozen=True)
class Pictured:
    """What a picture shows: a session, what was zoomed, name -> zoom, and the event of a waveform."""

    session: Session
    zooms: Mapping[str, Zoom] = field(default_factory=lambda: MappingProxyType({}))
    event: int | None = None


def made_of(
    session: Session,
    about: Mapping[str, str] = MappingProxyType({}),
    zooms: Mapping[str, Zoom] = MappingProxyType({}),
) -> dict[str, Any]:
    """Describe what the views of a session show, as JSON; about: words for people, name -> text.

    The runs are the selected one, those beside it, and those that the trends compare it with.
    """
    shown = {session.selected, *session.spectrum.others, *_earlier(session)}
    runs = tuple(run for run in session.runs if run.run_id in shown)
    data_sets = tuple(one for one in session.data_sets if one.run_id in shown)
    fresh = Session()
    desk = {name: getattr(fresh, name) for name in OF_THE_DESK}
    view = saved.to_json(replace(session, runs=runs, data_sets=data_sets, **desk))
    return {"about": dict(about), VIEW: view, ZOOMS: {name: list(zoom) for name, zoom in zooms.items()}}


def _earlier(session: Session) -> list[str]:
    """Give the runs before the selected one that the band of the trends is made of."""
    ids = [run.run_id for run in session.runs]
    n = session.trends.n_reference if session.trends.has_band else 0
    at = ids.index(session.selected) if session.selected in ids else 0
    return ids[max(at - n, 0) : at]


def is_picture(path: Path) -> bool:
    """Tell a picture by its name."""
    return path.suffix.lower() in SUFFIXES


def view_of(path: Path) -> Pictured:
    """Read what a picture shows; raises SettingsError where it does not say, OSError where it is not read."""
    made = how_made(path)
    if made is None or VIEW not in made:
        raise SettingsError(
            f"{path.name} does not say how it was made: it is no picture that this program saved"
        )
    try:
        return Pictured(saved.from_json(made[VIEW]), _zooms_of(made.get(ZOOMS)), _event_of(made.get("about")))
    except SettingsError as error:
        raise SettingsError(f"{path.name}: what it shows cannot be brought back: {error}") from None


def _event_of(about: Any) -> int | None:
    number = about.get("event") if isinstance(about, Mapping) else None
    return int(number) if isinstance(number, str) and number.isdecimal() else None


def _zooms_of(data: Any) -> dict[str, Zoom]:
    """Read what was zoomed; what makes no sense is left out."""
    if not isinstance(data, Mapping):
        return {}
    pairs = {name: one for name, one in data.items() if isinstance(one, list) and len(one) == 2}
    return {name: (_range_of(one[0]), _range_of(one[1])) for name, one in pairs.items()}


def _range_of(data: Any) -> tuple[float, float] | None:
    if not isinstance(data, list) or len(data) != 2:
        return None
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in data) or not data[0] < data[1]:
        return None
    return float(data[0]), float(data[1])


def brought_back(session: Session, other: Session) -> Session:
    """Show what another session shows, on this desk: its runs join those that are there."""
    there = {run.path for run in session.runs}
    ids = {run.path: run.run_id for run in session.runs}
    runs = tuple(run for run in other.runs if run.path not in there)
    known = {run.run_id: ids.get(run.path, run.run_id) for run in other.runs}
    data_sets, same = _data_sets_brought_back(session, other)
    known |= same
    joined = sorted((*session.runs, *runs), key=lambda run: (run.run_number, run.sub_run, str(run.path)))
    others = tuple(known[one] for one in other.spectrum.others if one in known)
    kept = {name: getattr(session, name) for name in OF_THE_DESK}
    return replace(
        other,
        runs=tuple(joined),
        data_sets=data_sets,
        selected=known.get(other.selected, session.selected),
        spectrum=replace(other.spectrum, others=others),
        output_dir=session.output_dir or other.output_dir,
        **kept,
    )


def _data_sets_brought_back(session: Session, other: Session) -> tuple[tuple[DataSet, ...], dict[str, str]]:
    """Put the data sets of a picture among those that are there; gives them, and id there -> id here."""
    found, known = session, {}
    for one in other.data_sets:
        same = next((held for held in found.data_sets if held.members == one.members), None)
        if same is None:
            same = replace(data_set_of(found, one.members), name=one.name)
            found = make_data_set(found, same)
        known[one.run_id] = same.run_id
    return found.data_sets, known
