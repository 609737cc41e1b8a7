"""Knows what a person can do about a job that failed, from what its message says.

The library's messages end with what to do; here are those that the window has a button for.
"""

from __future__ import annotations

import re

_SUFFIX = re.compile(r"write (\S+) with suffix '([^']+)'")
_FOLDER = re.compile(r"choose (a folder|another)")


def other_name(text: str) -> tuple[str, str] | None:
    """Give the file name and the suffix that a refusal to overwrite another run suggests."""
    found = _SUFFIX.search(text)
    return None if found is None else (found[1], found[2])


def needs_folder(text: str) -> bool:
    """Tell whether another output folder would help."""
    return _FOLDER.search(text) is not None
