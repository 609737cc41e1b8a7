"""Runs Python files that declare more processors.

A plug-in is code, so none is ever run because a file names it: whoever calls has said yes to this very file,
by its path and, where it matters, by the SHA-256 of what it holds.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pygama.errors import SettingsError
from pygama.processing.declare import REGISTRY


@dataclass(frozen=True, slots=True)
class Plugin:
    """A file that was run, what it held, and the processors that it declared."""

    path: Path
    sha256: str
    processors: tuple[str, ...]


_loaded: dict[Path, Plugin] = {}


def loaded_plugins() -> tuple[Plugin, ...]:
    """List the plug-ins of this process, in the order in which they were run."""
    return tuple(_loaded.values())


def sha256_of(path: Path | str) -> str:
    """Give the fingerprint of a file; raises SettingsError if it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as problem:
        raise SettingsError(
            f"the plug-in '{path}' cannot be read: {problem.strerror or problem}"
        ) from problem


def load_plugins(paths: Iterable[Path | str]) -> tuple[Plugin, ...]:
    """Run the files, each once for what it holds, and give what they declared.

    Raises SettingsError, and leaves the processors as they were, where a file fails, declares nothing, or
    takes the name of a processor that is there already.
    """
    return tuple(_load(Path(path).resolve()) for path in paths)


def _load(path: Path) -> Plugin:
    fingerprint = sha256_of(path)
    known = _loaded.get(path)
    if known is not None and known.sha256 == fingerprint:
        return known
    before = dict(REGISTRY)
    for name in known.processors if known is not None else ():
        REGISTRY.pop(name, None)
    try:
        plugin = _run(path, fingerprint, dict(REGISTRY))
    except SettingsError:
        REGISTRY.clear()
        REGISTRY.update(before)
        raise
    _loaded[path] = plugin
    return plugin


def _run(path: Path, fingerprint: str, others: dict[str, object]) -> Plugin:
    name = f"pygama_plugin_{fingerprint[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"the plug-in '{path.name}' is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations of the processors are looked up there
    try:
        spec.loader.exec_module(module)
    except Exception as problem:  # noqa: BLE001  (whatever the file does, the reader is told where)
        del sys.modules[name]
        raise SettingsError(
            f"the plug-in '{path.name}' failed{_where(problem, path)}: {problem}"
        ) from problem
    declared = tuple(key for key, value in REGISTRY.items() if others.get(key) is not value)
    taken = [key for key in declared if key in others]
    if taken:
        raise SettingsError(
            f"the plug-in '{path.name}' declares '{taken[0]}', which is there already: name it otherwise"
        )
    if not declared:
        raise SettingsError(f"the plug-in '{path.name}' declares no processor: use @calculator or @transform")
    return Plugin(path, fingerprint, declared)


def _where(problem: BaseException, path: Path) -> str:
    """Find the line of the file at which it failed."""
    if isinstance(problem, SyntaxError) and problem.lineno is not None:
        return f" in line {problem.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(path)
    ]
    return f" in line {lines[-1]}" if lines else ""
