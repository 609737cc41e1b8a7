"""Changes the data sets of a session: many finished runs that are looked at as one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from pygama_gui.session.state import DataSet, Member, Run, Session, ranges_of

PREFIX = "data set "
"""How the ids of data sets begin; those of runs are paths."""


def data_set_of(session: Session, members: Iterable[Member]) -> DataSet:
    """Put runs together, in order of their numbers, under a name that no other data set has.

    Raises ValueError for fewer than two runs, and for two files of one run and sub-run: nothing would tell
    their rows apart.
    """
    chosen = sorted(members, key=lambda one: (one.run.run_number, one.run.sub_run, str(one.tier2)))
    if len(chosen) < 2:
        raise ValueError(f"a data set is made of two runs or more, not of {len(chosen)}")
    for one, other in pairwise(chosen):
        if _place_of(one) == _place_of(other):
            raise ValueError(
                f"{one.tier2.name} and {other.tier2.name} both hold run {one.run.run_number}, "
                f"sub-run {one.run.sub_run}: their rows could not be told apart; leave one of them out"
            )
    first = chosen[0].run
    taken = [int(one.run_id.removeprefix(PREFIX)) for one in session.data_sets if _has_number(one)]
    return DataSet(
        run_id=f"{PREFIX}{max(taken, default=0) + 1}",
        path=chosen[0].tier2,
        run_number=first.run_number,
        sub_run=first.sub_run,
        name=_free_name(session, f"Runs {ranges_of(one.run.run_number for one in chosen)}"),
        members=tuple(chosen),
    )


def _place_of(member: Member) -> tuple[int, int]:
    return member.run.run_number, member.run.sub_run


def make_data_set(session: Session, data_set: DataSet) -> Session:
    """Make data set.

    Its runs are no longer laid beside each other: they are one now.
    """
    members = {one.run.run_id for one in data_set.members}
    others = tuple(one for one in session.spectrum.others if one not in members)
    return replace(
        session,
        data_sets=(*session.data_sets, data_set),
        selected=data_set.run_id,
        spectrum=replace(session.spectrum, others=others),
    )


def rename_data_set(session: Session, run_id: str, title: str) -> Session:
    """Rename data set."""
    wanted = " ".join(title.split())
    known = session.run(run_id)
    if not isinstance(known, DataSet) or wanted in ("", known.name):
        return session
    renamed = replace(known, name=_free_name(session, wanted))
    return replace(session, data_sets=tuple(renamed if one is known else one for one in session.data_sets))


def remove_data_set(session: Session, run_id: str) -> Session:
    """Remove data set from the list."""
    left = tuple(one for one in session.data_sets if one.run_id != run_id)
    if len(left) == len(session.data_sets):
        return session
    others = tuple(one for one in session.spectrum.others if one != run_id)
    selected = session.selected
    if selected == run_id:
        selected = next((one.run_id for one in (*session.runs, *left)), "")
    return replace(
        session,
        data_sets=left,
        selected=selected,
        spectrum=replace(session.spectrum, others=others),
    )


def with_new_place(data_set: DataSet, run: Run, moved: Run) -> DataSet:
    """Have a data set read the files of a run from where they are now."""
    if moved.tier2 is None or all(one.tier2 != run.tier2 for one in data_set.members):
        return data_set
    members = tuple(
        Member(moved, moved.tier2, moved.tier1) if one.tier2 == run.tier2 else one for one in data_set.members
    )
    return replace(data_set, members=members, path=members[0].tier2)


def missing_files(data_set: DataSet) -> list[Path]:
    """List the Tier 2 files of a data set that are not where they were."""
    return [one.tier2 for one in data_set.members if not one.tier2.is_file()]


def _has_number(data_set: DataSet) -> bool:
    return re.fullmatch(rf"{PREFIX}\d+", data_set.run_id) is not None


def _free_name(session: Session, wanted: str) -> str:
    names = {one.name for one in session.data_sets}
    if wanted not in names:
        return wanted
    return next(name for n in range(2, len(names) + 3) if (name := f"{wanted} ({n})") not in names)
