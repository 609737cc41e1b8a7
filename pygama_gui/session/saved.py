"""Keeps the session as a file that is only data: JSON, checked word for word, never code.

A file of a newer version is read as far as it is understood: what this version does not know is left out.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pygama.analysis.cuts import Cut
from pygama.errors import SettingsError
from pygama_gui.session.plain import from_plain, to_plain
from pygama_gui.session.state import (
    MOST_JOBS,
    PICTURES,
    PLANE_STYLES,
    PROFILES,
    SORTS,
    STRIPS,
    ChannelsChoice,
    DataSet,
    Fit,
    NamedRegion,
    PlaneChoice,
    Session,
    Step,
    TrendsChoice,
    WaveformChoice,
    consistent,
)

Named = TypeVar("Named", Cut, DataSet, Fit, NamedRegion)

MARK = "pygama-gui session"
"""The entry by which a session file is known; its value is the version."""
VERSION = 2
SUFFIX = ".pygama-session.json"
N_TABS = 6
SLOWEST_PACE, FASTEST_PACE = 0.1, 50.0
MOST_BYTES = 50_000_000
BEGINNING = 200
"""Bytes in which the mark must stand."""


def save(session: Session, path: Path) -> None:
    """Write the session; a reader never sees half of it, whatever ends the program. Raises OSError."""
    write_whole(path, _written(to_json(session)))


def _written(data: Mapping[str, Any]) -> str:
    """Write JSON with an entry a line, and a line for each of a list: easy to read, and ten times quicker."""
    return "{\n" + ",\n".join(f" {_text(name)}: {_lines(value)}" for name, value in data.items()) + "\n}\n"


def _lines(value: Any) -> str:
    is_long = isinstance(value, list) and len(value) > 1
    return "[\n  " + ",\n  ".join(map(_text, value)) + "\n ]" if is_long else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file, whole or not at all; makes the folder. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def load(path: Path) -> Session:
    """Read a session; raises SettingsError where the file is not one, OSError where it cannot be read."""
    try:
        return from_json(_read_json(path))
    except SettingsError as error:
        raise SettingsError(f"{path.name}: this is not a session that can be opened: {error}") from None


def is_session(path: Path) -> bool:
    """Tell a session file by its name or by how it begins."""
    if path.name.endswith(SUFFIX):
        return True
    try:
        with path.open("rb") as file:
            return path.suffix == ".json" and f'"{MARK}"'.encode() in file.read(BEGINNING)
    except OSError:
        return False


def is_calibration(path: Path) -> bool:
    """Tell a calibration file by how it begins."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".json" and b'"pygama calibration"' in file.read(BEGINNING)
    except OSError:
        return False


def _read_json(path: Path) -> Any:
    if path.stat().st_size > MOST_BYTES:
        raise SettingsError(f"it has more than {MOST_BYTES // 1_000_000} MB")
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise SettingsError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(str(error)) from None


def _refuse_constant(name: str) -> None:
    raise SettingsError(f"{name} is not a number")


def to_json(session: Session) -> dict[str, Any]:
    """Give the session as plain JSON data."""
    return {MARK: VERSION, **to_plain(session), "chain": session.to_chain()}


def from_json(data: Any) -> Session:
    """Read plain JSON data into a session; raises SettingsError that says what does not fit, and where."""
    version = data.get(MARK) if isinstance(data, Mapping) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SettingsError(f"it has no entry {MARK!r} with the number of its version")
    session = from_plain(Session, data)
    assert isinstance(session, Session)
    return _put_right(session)


def chain_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Read the steps of a settings file."""
    steps: tuple[Step, ...] = from_plain(tuple[Step, ...], list(entries), "chain")
    return steps


def _put_right(session: Session) -> Session:
    """Put in place of choices that make no sense the ones that a new session has."""
    shown = session.spectrum
    width = shown.width if shown.width is not None and shown.width > 0 else None
    roi = None if shown.roi is None else (min(shown.roi), max(shown.roi))
    strip = shown.strip if shown.strip in STRIPS else STRIPS[0]
    return consistent(
        replace(
            session,
            theme="dark" if session.theme == "dark" else "light",
            tab=session.tab if session.tab in range(N_TABS) else 0,
            n_jobs=min(max(session.n_jobs, 1), MOST_JOBS),
            spectrum=replace(shown, width=width, roi=roi, strip=strip),
            waveforms=_waveforms_put_right(session.waveforms),
            plane=_plane_put_right(session.plane),
            trends=_trends_put_right(session.trends),
            channel_grid=_channels_put_right(session.channel_grid),
            data_sets=_first_of_each_name(one for one in session.data_sets if one.members),
            cuts=_first_of_each_name(session.cuts),
            fits=_first_of_each_name(session.fits),
            regions=_first_of_each_name(session.regions),
        )
    )


def _first_of_each_name(named: Iterable[Named]) -> tuple[Named, ...]:
    by_name: dict[str, Named] = {}
    for one in named:
        by_name.setdefault(one.name, one)
    return tuple(by_name.values())


def _plane_put_right(shown: PlaneChoice) -> PlaneChoice:
    return replace(
        shown,
        x_width=_width_put_right(shown.x_width),
        y_width=_width_put_right(shown.y_width),
        profile=shown.profile if shown.profile in PROFILES else PROFILES[0],
        style=shown.style if shown.style in PLANE_STYLES else PLANE_STYLES[0],
    )


def _width_put_right(width: float | None) -> float | None:
    return width if width is not None and 0 < width < math.inf else None


def _waveforms_put_right(shown: WaveformChoice) -> WaveformChoice:
    return replace(
        shown,
        picture=shown.picture if shown.picture in PICTURES else PICTURES[0],
        n_many=max(shown.n_many, 1),
        pace=min(max(shown.pace, SLOWEST_PACE), FASTEST_PACE),
    )


def _trends_put_right(shown: TrendsChoice) -> TrendsChoice:
    return replace(
        shown,
        width=shown.width if shown.width is not None and shown.width > 0 else None,
        k=min(max(shown.k, 1.0), 20.0),
        n_reference=min(max(shown.n_reference, 0), 100),
        window=None if shown.window is None else (min(shown.window), max(shown.window)),
    )


def _channels_put_right(shown: ChannelsChoice) -> ChannelsChoice:
    return shown if shown.sort in SORTS else replace(shown, sort=SORTS[0])
