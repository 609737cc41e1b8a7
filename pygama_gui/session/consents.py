"""Remembers which plug-ins a person agreed to run: each by its path and what it held.

It lies in the person's own folder and never in a session or a settings file, which may come from others.
"""

from __future__ import annotations

import json
from pathlib import Path

from pygama.quick_dataclass import dataclass
from pygama_gui.session import places


@dataclass(frozen=True)
class Consent:
    """A file that may be run while it holds what it held; processors: what it declared then."""

    path: Path
    sha256: str
    processors: tuple[str, ...] = ()


def consents() -> dict[Path, Consent]:
    """Give all consents by path; none where the file is not there or cannot be read."""
    try:
        entries = json.loads(places.consents_file().read_text(encoding="utf-8"))
        found = [
            Consent(Path(entry["path"]), str(entry["sha256"]), tuple(map(str, entry["processors"])))
            for entry in entries
        ]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return {consent.path: consent for consent in found}


def agree(consent: Consent) -> None:
    """Remember that a file may be run; an older consent for the same path goes. Raises OSError."""
    known = {**consents(), consent.path: consent}
    _write(list(known.values()))


def forget(path: Path) -> None:
    """Take a consent back. Raises OSError."""
    _write([consent for consent in consents().values() if consent.path != path])


def _write(kept: list[Consent]) -> None:
    entries = [
        {"path": str(one.path), "sha256": one.sha256, "processors": list(one.processors)} for one in kept
    ]
    file = places.consents_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    part.replace(file)
