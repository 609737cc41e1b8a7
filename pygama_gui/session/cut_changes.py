"""Changes the cuts of a session, as `changes` does all the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pygama.analysis.cuts import Cut
from pygama.analysis.expression_nodes import Column, ExpressionError
from pygama.analysis.expressions import parse
from pygama_gui.session.changes import on_view
from pygama_gui.session.named import changed, named, taken_out
from pygama_gui.session.state import Session


def add_cut(session: Session, name: str, expression: str, color: str = "") -> Session:
    """Add cut."""
    if named(session.cuts, name) is not None:
        return session
    return replace(session, cuts=(*session.cuts, Cut(name, expression, color)), cut=name)


def duplicate_cut(session: Session, name: str, new: str, color: str = "") -> Session:
    """Duplicate cut."""
    cut = named(session.cuts, name)
    if cut is None or named(session.cuts, new) is not None:
        return session
    at = session.cuts.index(cut) + 1
    copy = replace(cut, name=new, color=color or cut.color)
    return replace(session, cuts=(*session.cuts[:at], copy, *session.cuts[at:]), cut=new)


def remove_cut(session: Session, name: str) -> Session:
    """Remove cut."""
    left, chosen = taken_out(session.cuts, name, session.cut)
    return session if left is session.cuts else replace(session, cuts=left, cut=chosen)


def remove_all_cuts(session: Session) -> Session:
    """Remove all cuts."""
    return replace(session, cuts=(), cut="")


def edit_cut(session: Session, name: str, expression: str) -> Session:
    """Change cut."""
    return _with(session, name, expression=expression)


def rename_cut(session: Session, name: str, new: str) -> Session:
    """Rename cut."""
    if named(session.cuts, name) is None or named(session.cuts, new) is not None:
        return session
    cuts = tuple(
        replace(
            cut, name=new if cut.name == name else cut.name, expression=renamed(cut.expression, name, new)
        )
        for cut in session.cuts
    )
    return replace(session, cuts=cuts, cut=new if session.cut == name else session.cut)


def color_cut(session: Session, name: str, color: str) -> Session:
    """Colour cut."""
    return _with(session, name, color=color)


def switch_cut(session: Session, name: str, enabled: bool) -> Session:  # noqa: FBT001
    """Switch cut."""
    return _with(session, name, enabled=enabled)


def invert_cut(session: Session, name: str, inverted: bool) -> Session:  # noqa: FBT001
    """Invert cut."""
    return _with(session, name, inverted=inverted)


def move_cut(session: Session, name: str, to: int) -> Session:
    """Move cut."""
    cut = named(session.cuts, name)
    if cut is None:
        return session
    cuts = [other for other in session.cuts if other is not cut]
    cuts.insert(max(0, min(to, len(cuts))), cut)
    return replace(session, cuts=tuple(cuts), cut=name)


def take_cuts(session: Session, cuts: Iterable[Cut]) -> Session:
    """Take the cuts of a file."""
    taken = tuple(cuts)
    return replace(session, cuts=taken, cut=taken[0].name if taken else "")


@on_view
def choose_cut(session: Session, name: str) -> Session:
    """Choose cut."""
    return session if name == session.cut else replace(session, cut=name)


@on_view
def show_only_passing(session: Session, is_wanted: bool) -> Session:  # noqa: FBT001
    """Leave out of the spectrum what the cuts take away."""
    return replace(session, spectrum=replace(session.spectrum, is_only_passing=is_wanted))


def renamed(expression: str, name: str, new: str) -> str:
    """Put another name in the place of one wherever an expression reads it; what cannot be read stays."""
    try:
        parts = list(parse(expression).node.walk())
    except ExpressionError:
        return expression
    places = sorted({part.at for part in parts if isinstance(part, Column) and part.name == name})
    for at in reversed(places):
        length = len(name) + 2 if expression[at] == "`" else len(name)
        expression = expression[:at] + new + expression[at + length :]
    return expression


def _with(session: Session, name: str, **facts: Any) -> Session:
    cuts = changed(session.cuts, name, **facts)
    return session if cuts is session.cuts else replace(session, cuts=cuts)
