"""Packs what is known of a crash into one file that can be sent to somebody who can mend it.

The zip holds the record that ended the worker, the run's header, the options, the log and the versions: data
only. It holds no other data of the run and no path outside the run's own name.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pygama import __version__
from pygama.errors import PygamaError
from pygama.orca.packets import read_header
from pygama_gui.jobs.culprit import Culprit
from pygama_gui.jobs.spec import JobSpec

_PACKAGES = ("numpy", "tables", "numcodecs", "pandas", "PyQt5", "pyqtgraph")


def write_bundle(
    path: Path,
    spec: JobSpec,
    sentence: str,
    *,
    details: str = "",
    culprit: Culprit | None = None,
    log: Iterable[str] = (),
) -> Path:
    """Write the zip and return its path; raises OSError."""
    part = path.with_name(path.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("what_happened.txt", f"{sentence}\n\n{details}".rstrip() + "\n")
        bundle.writestr("options.json", _json(_options(spec)))
        bundle.writestr("versions.json", _json(versions()))
        bundle.writestr("log.txt", "\n".join(log) + "\n")
        bundle.writestr("header.json", _header(spec.path))
        if culprit is not None:
            facts = {"offset": culprit.offset, "bytes": culprit.n_bytes, "exit_code": culprit.exit_code}
            bundle.writestr("record.json", _json(facts))
            bundle.writestr("record.bin", culprit.read(spec.path))
    return part.replace(path)


def versions() -> dict[str, str]:
    """Give the versions of the program and of what it stands on."""
    found = {"pygama": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _options(spec: JobSpec) -> dict[str, object]:
    return {
        "run": spec.path.name,
        "size_bytes": spec.path.stat().st_size,
        "tier0": spec.tier0,
        "chain": spec.chain,
        "outputs": list(spec.outputs),
        "compact": spec.compact,
        "save_waves": list(spec.save_waves),
        "plugins": [{"file": path.name, "sha256": sha256} for path, sha256 in spec.plugins],
        "n_max": spec.n_max,
        "compression": spec.compression,
        "suffix": spec.suffix,
        "skip": list(spec.skip),
    }


def _header(path: Path) -> str:
    try:
        return _json(read_header(path).plist)
    except PygamaError as problem:
        return _json({"cannot be read": str(problem).replace(str(path), path.name)})


def _json(data: object) -> str:
    return json.dumps(data, indent=1, sort_keys=True, default=str) + "\n"
