"""Changes the fits of a session, as `changes` does all the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from pygama.analysis.fits import FitRequest
from pygama_gui.session.changes import on_view
from pygama_gui.session.state import Fit, NamedRegion, Session


def add_fits(session: Session, fits: Iterable[Fit]) -> Session:
    """Add fit.

    One whose name another has is given a number; the last one is chosen.
    """
    for fit in fits:
        named = replace(fit, name=free_name(fit.name, {one.name for one in session.fits}))
        session = replace(session, fits=(*session.fits, named), fit=named.name)
    return session


def rename_fit(session: Session, name: str, new: str) -> Session:
    """Rename fit."""
    if not new or _named(session, new) is not None or _named(session, name) is None:
        return session
    renamed = _with(session, name, name=new)
    return replace(renamed, fit=new if session.fit == name else session.fit)


def remove_fit(session: Session, name: str) -> Session:
    """Remove fit."""
    fit = _named(session, name)
    if fit is None:
        return session
    at = session.fits.index(fit)
    left = session.fits[:at] + session.fits[at + 1 :]
    chosen = session.fit
    if chosen == name:
        chosen = left[min(at, len(left) - 1)].name if left else ""
    return replace(session, fits=left, fit=chosen)


def remove_all_fits(session: Session) -> Session:
    """Remove all fits."""
    return replace(session, fits=(), fit="")


def change_fit(session: Session, name: str, request: FitRequest) -> Session:
    """Change fit."""
    return _with(session, name, request=request)


@on_view
def choose_fit(session: Session, name: str) -> Session:
    """Choose the fit whose residuals are shown."""
    return session if name == session.fit else replace(session, fit=name)


def keep_region(session: Session, region: NamedRegion) -> Session:
    """Keep region."""
    named = replace(region, name=free_name(region.name, {one.name for one in session.regions}))
    return replace(session, regions=(*session.regions, named))


def rename_region(session: Session, name: str, new: str) -> Session:
    """Rename region."""
    if not new or new in {one.name for one in session.regions}:
        return session
    regions = tuple(replace(one, name=new) if one.name == name else one for one in session.regions)
    return replace(session, regions=regions)


def remove_region(session: Session, name: str) -> Session:
    """Remove region."""
    return replace(session, regions=tuple(one for one in session.regions if one.name != name))


def free_name(name: str, taken: Collection[str]) -> str:
    """Give the name, with a number behind it where it is taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _named(session: Session, name: str) -> Fit | None:
    return next((fit for fit in session.fits if fit.name == name), None)


def _with(session: Session, of: str, **facts: Any) -> Session:
    fits = tuple(replace(fit, **facts) if fit.name == of else fit for fit in session.fits)
    return session if fits == session.fits else replace(session, fits=fits)
