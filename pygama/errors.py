"""Names what can go wrong, in the words a person reads.

Every error that the library raises on purpose is one of these. The text says what, where, what was
expected and what to do; the command line prints it as it is, the window shows it in its banner.
"""

from __future__ import annotations

from pathlib import Path


class PygamaError(Exception):
    """Something that a person can understand and mend."""


class RawFileError(PygamaError):
    """A raw file that cannot be read as ORCA data."""


class TierFileError(PygamaError):
    """A Tier 1 or Tier 2 file that is damaged, hostile or not ours."""


class FileGone(TierFileError):
    """A Tier 1 or Tier 2 file that is not there, or not any more."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)  # what another process makes the error of again
        self.path = path

    def __str__(self) -> str:
        return f"'{self.path}' is not a file; was it moved or is its name misspelled?"


class SettingsError(PygamaError):
    """A setting or a chain of steps that cannot work."""


class OutputError(PygamaError):
    """Output that cannot be written: no room, no right, in use, or another run's."""


class Stopped(PygamaError):
    """The work was stopped on request."""
