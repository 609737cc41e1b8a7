"""Knows what a person can do about a job that failed, from what is known of it.

The library's messages end with what to do; here are those that the window has a button for.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pygama_gui.jobs.board import JobState

Act = Literal["again", "aside", "folder", "search", "stop search", "skip", "bundle", "read", "stop reading"]
_SUFFIX = re.compile(r"write (\S+) with suffix '([^']+)'")
_FOLDER = re.compile(r"choose (a folder|another)")


class Remedy(NamedTuple):
    """Words for a button, and which of the window's acts it is."""

    words: str
    act: Act


AGAIN = Remedy("Run again", "again")
FOLDER = Remedy("Choose a folder…", "folder")
BUNDLE = Remedy("Save bundle…", "bundle")


def remedies_for(state: JobState | None) -> tuple[Remedy, ...]:
    """Give what can be done about a job that failed or was stopped, the best first."""
    if state is None or state.state not in ("failed", "stopped"):
        return ()
    if state.ended_after is not None:
        return _after_a_crash(state)
    if has_no_events(state.text):
        return ()
    if (other := other_name(state.text)) is not None:
        return (Remedy(f"Write {other[0]}", "aside"),)
    if needs_room(state.text):
        return (AGAIN, FOLDER)
    return (FOLDER,) if needs_folder(state.text) else (AGAIN,)


def _after_a_crash(state: JobState) -> tuple[Remedy, ...]:
    if state.search == "under way":
        return (Remedy("Stop searching", "stop search"),)
    if state.search == "found":
        return (Remedy("Skip it and go on", "skip"), BUNDLE)
    if state.search == "none":
        return (AGAIN, BUNDLE)
    return (Remedy("Find the record", "search"), AGAIN)


def other_name(text: str) -> tuple[str, str] | None:
    """Give the file name and the suffix that a refusal to overwrite another run suggests."""
    found = _SUFFIX.search(text)
    return None if found is None else (found[1], found[2])


def needs_room(text: str) -> bool:
    """Tell whether it would go on once there is room."""
    return "make room" in text


def has_no_events(text: str) -> bool:
    """Tell whether a file holds nothing that a chain could be run over, however often it is tried."""
    return "holds no event" in text


def needs_folder(text: str) -> bool:
    """Tell whether another output folder would help."""
    return _FOLDER.search(text) is not None
