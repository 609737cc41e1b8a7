"""Knows where settings, autosaves, logs and the demo run lie: where the system wants them."""

from __future__ import annotations

from pathlib import Path

import platformdirs

NAME = "pygama-gui"


def session_file() -> Path:
    """The autosaved session."""
    return Path(platformdirs.user_config_dir(NAME, appauthor=False)) / "session.json"


def running_file() -> Path:
    """Lies there while the program runs."""
    return session_file().with_name("running.lock")


def consents_file() -> Path:
    """Which plug-ins may be run."""
    return Path(platformdirs.user_config_dir(NAME, appauthor=False)) / "plug-ins.json"


def log_file() -> Path:
    """The log of the window."""
    return Path(platformdirs.user_log_dir(NAME, appauthor=False)) / "pygama-gui.log"


def demo_folder() -> Path:
    """Where the demo run and what is made of it lie."""
    return Path(platformdirs.user_data_dir(NAME, appauthor=False)) / "demo"
