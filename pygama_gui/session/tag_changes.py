"""Changes what is told of hits by all of their run together: the pulser, and events of several channels."""

from __future__ import annotations

from dataclasses import replace

from pygama.analysis.tagging import PULSER, Tagging
from pygama_gui.session.cut_reading import readable
from pygama_gui.session.state import Session


def tag_pulser(session: Session, pulser_in: tuple[str, ...] = ()) -> Session:
    """Tag the pulser.

    pulser_in: places 'crate/card/channel' where it is looked for; none: everywhere.
    """
    return _with(session, replace(session.tagging, has_pulser=True, pulser_in=pulser_in))


def leave_pulser(session: Session) -> Session:
    """Tag the pulser no longer."""
    return _with(session, replace(session.tagging, has_pulser=False, pulser_in=()))


def build_events(
    session: Session,
    window_s: float,
    is_sliding: bool = False,  # noqa: FBT001, FBT002
    same_clock: bool = False,  # noqa: FBT001, FBT002
) -> Session:
    """Build events."""
    tagging = replace(session.tagging, window_s=window_s, is_sliding=is_sliding, same_clock=same_clock)
    return _with(session, tagging)


def forget_events(session: Session) -> Session:
    """Build events no longer."""
    return _with(session, replace(session.tagging, window_s=None, is_sliding=False, same_clock=False))


def wanted_tagging(session: Session) -> Tagging:
    """Give what is told: what a person asked for, and the pulser where a cut names it."""
    if session.tagging.has_pulser or not is_pulser_named(session):
        return session.tagging
    return replace(session.tagging, has_pulser=True)


def is_pulser_named(session: Session) -> bool:
    """Tell whether a cut names the pulser, so that it is tagged whether or not somebody asked for it."""
    return PULSER in readable(session.cuts)[0].columns


def _with(session: Session, tagging: Tagging) -> Session:
    return session if tagging == session.tagging else replace(session, tagging=tagging)
