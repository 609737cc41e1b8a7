"""Names the output files, marks them with the run they hold, and refuses to overwrite another run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygama.errors import OutputError, TierFileError

if TYPE_CHECKING:
    from pygama.orca.header import Header

IDENTITY = ("run_number", "sub_run", "header_sha256")
SELECTION = "selection"
"""Name of the text that says by which cut the events of a file were picked, and from which."""

WARNINGS = "warnings"
"""Name of the text that lists what the pass which made a file warned of."""


def output_path(output_dir: Path | str | None, prefix: str, run_number: int, suffix: str = "") -> Path:
    """Give the path of an output file, as t1_run72.h5; the folder must exist and is the working one by
    default.
    """
    if any(mark in suffix for mark in "/\\\0"):
        raise OutputError(f"a suffix becomes part of a file name and cannot be {suffix!r}; try '.1'")
    folder = Path.cwd() if output_dir is None else Path(output_dir)
    if folder.exists() and not folder.is_dir():
        raise _is_a_file(folder)
    if not folder.is_dir():
        raise OutputError(f"the output folder '{folder}' does not exist: make it, or choose another")
    return folder / f"{prefix}_run{run_number}{suffix}.h5"


def make_folder(folder: Path) -> None:
    """Make a folder for output, and those it lies in, where it is not there; raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _is_a_file(folder) from None
    except OSError as problem:
        raise OutputError(
            f"the folder '{folder}' cannot be made: {problem.strerror}; choose another"
        ) from problem


def _is_a_file(folder: Path) -> OutputError:
    return OutputError(f"the output folder '{folder}' is a file: choose another")


def run_texts(header: Header, raw_name: str) -> dict[str, str]:
    """Say in plain texts which run a file holds; nothing here depends on place or date."""
    # It brings OpenSSL, which Tier 1 to Tier 2 can do without.
    import hashlib

    from pygama import __version__

    plist = json.dumps(header.plist, sort_keys=True, default=str)
    return {
        "pygama_version": __version__,
        "raw_file": raw_name,
        "run_number": str(header.run_number),
        "sub_run": str(header.sub_run),
        "start_time": str(header.start_time),
        "header_sha256": hashlib.sha256(plist.encode()).hexdigest(),
    }


def warning_texts(warnings: Sequence[str]) -> dict[str, str]:
    """Write warnings as the text of a file; nothing where there are none."""
    return {WARNINGS: json.dumps(list(warnings))} if warnings else {}


def warnings_in(texts: Mapping[str, str]) -> list[str]:
    """Read the warnings that the texts of a file tell; of files of others, which may say anything, none."""
    try:
        told = json.loads(texts.get(WARNINGS, "[]"))
    except (ValueError, RecursionError):
        return []
    return [text for text in told if isinstance(text, str)] if isinstance(told, list) else []


def header_text(header: Header) -> str:
    """Write the run's header as JSON."""
    return json.dumps(header.plist, sort_keys=True, default=str)


def claim(path: Path, texts: Mapping[str, str], suffix: str) -> bool:
    """Tell whether a file of the same run stands where we write; raise OutputError if it is another's."""
    if not path.exists():
        return False
    there = _identity(path)
    if there == _identity_of(texts):
        return True
    if there and all(there[name] == texts[name] for name in IDENTITY):
        picked = "a" if there[SELECTION] else "no"
        what = f"holds run {there['run_number']} with {picked} selection of its events"
    elif there:
        what = f"holds run {there['run_number']}, sub-run {there['sub_run']}, with another header"
    else:
        what = "is not known as a file of pygama's"
    other, next_suffix = _another(path, suffix)
    raise OutputError(
        f"{path.name} is there already and {what}; it is left as it is. "
        f"Move it away, or write {other} with suffix '{next_suffix}'"
    )


def refuse_old_tier2(path: Path, beside: Path, suffix: str) -> None:
    """Raise OutputError where a Tier 2 file stands in which the new Tier 1 file `beside` has no event.

    It is of this run, as `claim` made sure, and would be read as if it belonged to the new one.
    """
    if not path.exists():
        return
    other, next_suffix = _another(beside, suffix)
    raise OutputError(
        f"there is no waveform for Tier 2, but {path.name} is there, of an earlier pass, and would not fit "
        "what is new; all is left as it was. Keep more of the run, move that file away, or write "
        f"{other} with suffix '{next_suffix}'"
    )


def _another(path: Path, suffix: str) -> tuple[str, str]:
    """Suggest a name that is free, and the suffix that makes it."""
    next_suffix = _next_suffix(path, suffix)
    return f"{_plain_stem(path, suffix)}{next_suffix}{path.suffix}", next_suffix


def _plain_stem(path: Path, suffix: str) -> str:
    return path.name.removesuffix(path.suffix).removesuffix(suffix)


def _next_suffix(path: Path, suffix: str) -> str:
    number = 1
    stem = _plain_stem(path, suffix)
    while (path.parent / f"{stem}.{number}{path.suffix}").exists():
        number += 1
    return f".{number}"


def _identity(path: Path) -> dict[str, str]:
    from pygama.storage.reader import texts_of_file

    try:
        texts: dict[str, Any] = texts_of_file(path)
    except TierFileError:
        return {}
    return _identity_of(texts) if all(name in texts for name in IDENTITY) else {}


def _identity_of(texts: Mapping[str, Any]) -> dict[str, str]:
    return {**{name: texts[name] for name in IDENTITY}, SELECTION: texts.get(SELECTION, "")}


def shapeless(key: str) -> str:
    """Take the lengths off the name of a table: they tell tables of one decoder apart."""
    return re.sub(r"(_\d+)+$", "", key)


def is_aside(key: str) -> bool:
    """Tell whether a table holds what did not come out well: clipped windows or damaged records."""
    return shapeless(key).endswith(("_Garbage", "_Damaged"))


def run_number_in(name: str) -> int | None:
    """Read the run number out of a file's name, as in t1_run72.h5."""
    found = re.search(r"run(\d+)", name)
    return int(found[1]) if found else None
