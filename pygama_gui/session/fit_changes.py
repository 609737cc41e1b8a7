"""Changes the fits of a session, as `changes` does all the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pygama.analysis.fit_request import FitRequest
from pygama_gui.session.changes import on_view
from pygama_gui.session.named import changed, free_name, named, taken_out
from pygama_gui.session.state import Fit, NamedRegion, Session


def add_fits(session: Session, fits: Iterable[Fit]) -> Session:
    """Add fit.

    One whose name another has is given a number; the last one is chosen.
    """
    for fit in fits:
        new = replace(fit, name=free_name(fit.name, {one.name for one in session.fits}))
        session = replace(session, fits=(*session.fits, new), fit=new.name)
    return session


def rename_fit(session: Session, name: str, new: str) -> Session:
    """Rename fit."""
    if not new or named(session.fits, new) is not None or named(session.fits, name) is None:
        return session
    renamed = _with(session, name, name=new)
    return replace(renamed, fit=new if session.fit == name else session.fit)


def remove_fit(session: Session, name: str) -> Session:
    """Remove fit."""
    left, chosen = taken_out(session.fits, name, session.fit)
    return session if left is session.fits else replace(session, fits=left, fit=chosen)


def remove_all_fits(session: Session) -> Session:
    """Remove all fits."""
    return replace(session, fits=(), fit="")


def change_fit(session: Session, name: str, request: FitRequest) -> Session:
    """Change fit."""
    return _with(session, name, request=request)


def set_fit_range(session: Session, name: str, low: float, high: float) -> Session:
    """Change range of fit.

    A range that leaves out a peak which is asked for is not taken.
    """
    fit = named(session.fits, name)
    if fit is None or not low < high or not all(low < at < high for at in fit.request.positions):
        return session
    return _with(session, name, request=replace(fit.request, low=low, high=high))


@on_view
def choose_fit(session: Session, name: str) -> Session:
    """Choose the fit whose residuals are shown."""
    return session if name == session.fit else replace(session, fit=name)


def keep_region(session: Session, region: NamedRegion) -> Session:
    """Keep region."""
    new = replace(region, name=free_name(region.name, {one.name for one in session.regions}))
    return replace(session, regions=(*session.regions, new))


def rename_region(session: Session, name: str, new: str) -> Session:
    """Rename region."""
    if not new or new in {one.name for one in session.regions}:
        return session
    regions = changed(session.regions, name, name=new)
    return replace(session, regions=regions)


def remove_region(session: Session, name: str) -> Session:
    """Remove region."""
    return replace(session, regions=tuple(one for one in session.regions if one.name != name))


def _with(session: Session, of: str, **facts: Any) -> Session:
    fits = changed(session.fits, of, **facts)
    return session if fits is session.fits else replace(session, fits=fits)
