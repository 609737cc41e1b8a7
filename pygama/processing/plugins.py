"""Runs Python files that declare more processors.

A plug-in is code, so none is ever run because a file names it: whoever calls has said yes to this very file,
by its path and, where it matters, by the SHA-256 of what it holds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pygama.errors import SettingsError
from pygama.processing.declare import REGISTRY
from pygama.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Plugin:
    """A file that was run, what it held, and the processors that it declared."""

    path: Path
    sha256: str
    processors: tuple[str, ...]


class PluginNeeded(SettingsError):
    """Settings name a plug-in that nobody has agreed to run."""

    def __init__(self, message: str, path: Path = Path()) -> None:
        super().__init__(message)
        self.path = path


_loaded: dict[Path, Plugin] = {}


def loaded_plugins() -> tuple[Plugin, ...]:
    """List the plug-ins of this process, in the order in which they were run."""
    return tuple(_loaded.values())


def sha256_of(path: Path | str) -> str:
    """Give the fingerprint of a file; raises SettingsError if it cannot be read."""
    import hashlib

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


def load_plugin(path: Path | str, sha256: str) -> Plugin:
    """Run a file if it holds what somebody agreed to; raises SettingsError if it was changed since."""
    path = Path(path).resolve()
    if sha256_of(path) != sha256:
        raise SettingsError(f"the plug-in '{path}' was changed since it was agreed to run it; agree again")
    return _load(path)


def check_plugins(named: Any, folder: Path) -> list[dict[str, str]]:
    """Check that the plug-ins which settings name have been run, and give each as file and fingerprint.

    named: a list of file names, from `folder` on, or of {"file": …, "sha256": …}. Raises PluginNeeded for one
    that has not been run, and SettingsError where it is another one than the settings were made with.
    """
    if not isinstance(named, list):
        raise SettingsError(f"plugins must be a list of files in brackets, not {named!r}")
    return [_checked(entry, folder) for entry in named]


def _checked(entry: Any, folder: Path) -> dict[str, str]:
    given = {"file": entry} if isinstance(entry, str) else entry
    if (
        not isinstance(given, Mapping)
        or not isinstance(given.get("file"), str)
        or set(given) - {"file", "sha256"}
    ):
        raise SettingsError(f'a plug-in must be like "mine.py", not {entry!r}')
    path = (folder / given["file"]).resolve()
    plugin = _loaded.get(path) or _alike(path, given.get("sha256"))
    if plugin is None:
        shown, where = path, ""
        if not path.is_file():
            shown, where = Path("FOLDER", path.name), f", and is not in '{path.parent}'"
        raise PluginNeeded(
            f"the plug-in '{given['file']}' is needed{where}; it is code and only runs when you say so: "
            f"--allow-plugin {shown} on the command line, plugins=[…] in Python",
            path,
        )
    if given.get("sha256") not in (None, plugin.sha256):
        raise SettingsError(
            f"the plug-in '{plugin.path.name}' is not the one that the settings were made with "
            f"(SHA-256 {plugin.sha256[:12]}…, not {str(given['sha256'])[:12]}…); "
            "take the old file, or leave out its fingerprint to use the new one"
        )
    return {"file": given["file"], "sha256": plugin.sha256}


def _alike(path: Path, sha256: Any) -> Plugin | None:
    """Find a plug-in that was run from another folder: by what it holds, or by its name if it is not here."""
    if path.is_file():
        return _with_fingerprint(sha256_of(path))
    named = (plugin for plugin in _loaded.values() if plugin.path.name == path.name)
    return _with_fingerprint(sha256) or next(named, None)


def _with_fingerprint(sha256: Any) -> Plugin | None:
    return next((plugin for plugin in _loaded.values() if plugin.sha256 == sha256), None)


def plugins_of(names: Iterable[str]) -> list[Plugin]:
    """Find the plug-ins that declared these processors."""
    wanted = set(names)
    used = {plugin.sha256: plugin for plugin in _loaded.values() if wanted.intersection(plugin.processors)}
    return list(used.values())


def _load(path: Path) -> Plugin:
    fingerprint = sha256_of(path)
    known = _loaded.get(path)
    if known is not None and known.sha256 == fingerprint:
        return known
    if known is None and (alike := _with_fingerprint(fingerprint)) is not None:
        _loaded[path] = replace(alike, path=path)
        return _loaded[path]
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
    """Run what has the fingerprint, and nothing else: bytecode that lies beside the file is not looked at."""
    import hashlib

    name = f"pygama_plugin_{fingerprint[:16]}"
    if path.suffix != ".py":
        raise SettingsError(f"the plug-in '{path.name}' is no Python file: its name must end in .py")
    source = path.read_bytes()
    if hashlib.sha256(source).hexdigest() != fingerprint:
        raise SettingsError(f"the plug-in '{path.name}' was changed while it was read; allow it again")
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # annotations of the processors are looked up there
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
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
    import traceback

    if isinstance(problem, SyntaxError) and problem.lineno is not None:
        return f" in line {problem.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == str(path)
    ]
    return f" in line {lines[-1]}" if lines else ""
