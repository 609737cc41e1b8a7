"""Finds runs by their content, and keeps the session as a file that is only data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pygama.channel_map import channels_of
from pygama.errors import PygamaError, SettingsError
from pygama_gui.session.state import ChannelMap, Run, Session, SpectrumChoice, Step, WaveformChoice

VERSION = 1
N_TABS = 3
MOST_JOBS = 4
HDF5 = b"\x89HDF\r\n\x1a\n"
"""How every HDF5 file begins."""


@dataclass(frozen=True)
class Found:
    """What a drop or a dialog brought: runs, and files that cannot be taken with the reason."""

    runs: tuple[Run, ...] = ()
    refused: tuple[tuple[Path, str], ...] = ()


def find_runs(paths: Iterable[Path]) -> Found:
    """Look at files, and into folders for all ORCA runs in them.

    A file that was named is refused with the reason; a file that merely lies in a folder is passed over.
    """
    runs: list[Run] = []
    refused: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = [
                run for file in _files_in(path) if (run := _run_or_reason(file)) and isinstance(run, Run)
            ]
            runs += inside
            if not inside:
                refused.append((path, "no ORCA run in this folder"))
        elif isinstance(run := _run_or_reason(path), Run):
            runs.append(run)
        else:
            refused.append((path, run))
    return Found(tuple(runs), tuple(refused))


def read_run(path: Path) -> Run:
    """Read the header of a raw file; raises RawFileError or OSError."""
    from pygama.orca.header import read_header

    path = path.resolve()
    header = read_header(path)
    return Run(
        run_id=str(path),
        path=path,
        run_number=header.run_number,
        sub_run=header.sub_run,
        start_time=header.start_time,
        size_bytes=path.stat().st_size,
        decoders=tuple(dict.fromkeys(header.decoders.values())),
        header_sha256=_sha256(header.plist),
    )


def _sha256(plist: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plist, sort_keys=True, default=repr).encode()).hexdigest()


def known_as(run: Run, runs: Iterable[Run]) -> Run | None:
    """Find the run among others that has the same header, whatever its file is called."""
    if not run.header_sha256:
        return None
    others = (one for one in runs if one.path != run.path and one.header_sha256 == run.header_sha256)
    return next((one for one in others if one.path.exists()), None)


def _run_or_reason(path: Path) -> Run | str:
    try:
        return read_run(path)
    except PygamaError as error:
        if _is_hdf5(path):
            return f"{path.name} is a Tier 1 or Tier 2 file, not a raw run; drop the raw file it was made of"
        return str(error).replace(str(path), path.name)
    except OSError as error:
        return error.strerror or str(error)


def _is_hdf5(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(HDF5)) == HDF5
    except OSError:
        return False


def _files_in(folder: Path) -> Iterator[Path]:
    """All files that may be runs: not hidden, not empty, no HDF5, in order of their names."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith(".") and may_be_a_run(file):
            yield file


def may_be_a_run(file: Path) -> bool:
    """Tell by its name and size whether a file may be a raw run."""
    if file.suffix in {".h5", ".hdf5", ".png", ".json", ".npz", ".part", ".lock", ".txt", ".md", ".py"}:
        return False
    try:
        return file.stat().st_size > 16
    except OSError:
        return False


def save(session: Session, path: Path) -> None:
    """Write the session; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(json.dumps(to_json(session), indent=1), encoding="utf-8")
    temporary.replace(path)


def load(path: Path) -> Session:
    """Read a session; raises SettingsError where the file is not one, OSError where it cannot be read."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path.name}: this is not a session file ({error})") from None


def to_json(session: Session) -> dict[str, Any]:
    """Give the session as plain JSON data."""
    return {
        "pygama-gui session": VERSION,
        "runs": [asdict(run) | {"path": str(run.path)} for run in session.runs],
        "selected": session.selected,
        "tier0": dict(session.tier0),
        "chain": session.to_chain(),
        "step": session.step,
        "output_dir": None if session.output_dir is None else str(session.output_dir),
        "theme": session.theme,
        "tab": session.tab,
        "spectrum": asdict(session.spectrum),
        "waveforms": asdict(session.waveforms) | {"hidden": sorted(session.waveforms.hidden)},
        "recent": [str(path) for path in session.recent],
        "process_on_add": session.process_on_add,
        "n_jobs": session.n_jobs,
        "watched": None if session.watched is None else str(session.watched),
        "channel_map": {
            "path": None if session.channel_map.path is None else str(session.channel_map.path),
            "channels": [asdict(one) for one in session.channel_map.channels],
        },
    }


def from_json(data: Mapping[str, Any]) -> Session:
    """Read plain JSON data into a session.

    Raises ValueError, LookupError, TypeError or AttributeError where it does not fit.
    """
    if data["pygama-gui session"] != VERSION:
        raise ValueError(f"version {data['pygama-gui session']!r} is not known")
    output_dir = data["output_dir"]
    return Session(
        runs=tuple(_run(entry) for entry in data["runs"]),
        selected=str(data["selected"]),
        tier0=MappingProxyType(dict(data["tier0"])),
        chain=chain_of(data["chain"]),
        step=data["step"] if data["step"] in range(len(data["chain"])) else None,
        output_dir=None if output_dir is None else Path(output_dir),
        theme="dark" if data["theme"] == "dark" else "light",
        tab=int(data["tab"]) if data["tab"] in range(N_TABS) else 0,
        spectrum=_spectrum(data["spectrum"]),
        waveforms=_waveforms(data["waveforms"]),
        recent=tuple(Path(path) for path in data["recent"]),
        process_on_add=bool(data.get("process_on_add", True)),
        channel_map=_channel_map(data.get("channel_map", {})),
        watched=None if data.get("watched") is None else Path(data["watched"]),
        n_jobs=min(max(int(data.get("n_jobs", 1)), 1), MOST_JOBS),
    )


def _channel_map(entry: Mapping[str, Any]) -> ChannelMap:
    path = entry.get("path")
    numbered = enumerate(entry.get("channels", ()), start=1)
    channels = channels_of((f"channel map, entry {number}", one) for number, one in numbered)
    return ChannelMap(None if path is None else Path(path), channels)


def chain_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Read the steps of a settings file."""
    return tuple(_step(entry) for entry in entries)


def _step(entry: Mapping[str, Any]) -> Step:
    settings, inputs, outputs = (
        MappingProxyType(dict(entry.get(name, {}))) for name in ("settings", "inputs", "outputs")
    )
    return Step(str(entry["step"]), settings, bool(entry.get("enabled", True)), inputs, outputs)


def _run(entry: Mapping[str, Any]) -> Run:
    return Run(
        run_id=str(entry["run_id"]),
        path=Path(entry["path"]),
        run_number=int(entry["run_number"]),
        sub_run=int(entry.get("sub_run", 0)),
        start_time=int(entry.get("start_time", 0)),
        size_bytes=int(entry.get("size_bytes", 0)),
        decoders=tuple(map(str, entry.get("decoders", ()))),
        suffix=str(entry.get("suffix", "")),
        header_sha256=str(entry.get("header_sha256", "")),
        skip=tuple(map(int, entry.get("skip", ()))),
    )


def _spectrum(entry: Mapping[str, Any]) -> SpectrumChoice:
    roi, width, channel = entry.get("roi"), entry.get("width"), entry.get("channel")
    return SpectrumChoice(
        column=str(entry["column"]),
        channel=None if channel is None else int(channel),
        is_log=bool(entry.get("is_log")),
        width=float(width) if width and float(width) > 0 else None,
        is_apart=bool(entry.get("is_apart")),
        beside=str(entry.get("beside", "")),
        roi=None if roi is None else (float(min(roi)), float(max(roi))),
    )


def _waveforms(entry: Mapping[str, Any]) -> WaveformChoice:
    channel = entry.get("channel")
    return WaveformChoice(
        channel=None if channel is None else int(channel),
        overlay=int(entry.get("overlay", 1)),
        is_above_baseline=bool(entry.get("is_above_baseline", True)),
        hidden=frozenset(map(str, entry.get("hidden", ()))),
    )
