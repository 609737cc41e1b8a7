"""Decides which plug-ins run in the window: those a person agreed to, while they hold what they held then.

Settings that name another one wait until somebody says yes in the sheet above the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from pygama.errors import SettingsError
from pygama.processing.declare import REGISTRY
from pygama.processing.plugins import load_plugin, loaded_plugins, plugins_of, sha256_of
from pygama_gui.bridge import Bridge
from pygama_gui.session import consents
from pygama_gui.session.consents import Consent
from pygama_gui.session.state import Step
from pygama_gui.widgets.consent import ConsentSheet


class PluginDesk(QObject):
    """Runs plug-ins by consent."""

    loaded = pyqtSignal()
    """Processors were added, or are others than before."""
    failed = pyqtSignal(str)
    """A plug-in could not be run, and why."""

    def __init__(self, bridge: Bridge, sheet: ConsentSheet) -> None:
        super().__init__(bridge)
        self.bridge = bridge
        self.sheet = sheet

    def load_agreed(self) -> None:
        """Run the plug-ins that were agreed to and have not changed; ask again for one that is needed."""
        needed = {step.step for step in self.bridge.session.chain} - set(REGISTRY)
        for consent in consents.consents().values():
            try:
                is_same = sha256_of(consent.path) == consent.sha256
            except SettingsError as problem:
                if needed.intersection(consent.processors):
                    self.bridge.log(str(problem), "warning")
                continue
            if is_same:
                self._run(consent.path, consent.sha256, lambda: None)
            elif needed.intersection(consent.processors):
                names = ", ".join(sorted(needed.intersection(consent.processors)))
                self._ask(f"The plug-in {consent.path.name}, which makes {names}, has changed", consent.path)

    def need(self, path: Path, then: Callable[[], object], *, why: str) -> None:
        """Run a plug-in and go on, at once where it was agreed to; else ask. Nothing runs before."""
        path = path.resolve()
        try:
            sha256 = sha256_of(path)
        except SettingsError as problem:
            self.failed.emit(str(problem))
            return
        known = consents.consents().get(path)
        if known is not None and known.sha256 == sha256:
            self._run(path, sha256, then)
        else:
            changed = "" if known is None else ", which has changed since you agreed to run it"
            self._ask(f"{why}{changed}", path, then)

    def are_as_agreed(self, chain: Iterable[Step], then: Callable[[], object]) -> bool:
        """Tell whether the plug-ins of a chain hold what they held; ask and `then` go on where not."""
        for plugin in plugins_of(step.step for step in chain):
            try:
                is_same = sha256_of(plugin.path) == plugin.sha256
            except SettingsError as problem:
                self.failed.emit(str(problem))
                return False
            if not is_same:
                self.need(plugin.path, then, why=f"The chain needs the plug-in {plugin.path.name}")
                return False
        return True

    def _ask(self, words: str, path: Path, then: Callable[[], object] = lambda: None) -> None:
        try:
            sha256 = sha256_of(path)
        except SettingsError as problem:
            self.failed.emit(str(problem))
            return
        self.bridge.log(f"{words}: waiting for your consent ({path})", "warning")
        self.sheet.ask(f"{words}. May it run?", path, sha256, lambda: self._agreed(path, sha256, then))

    def _agreed(self, path: Path, sha256: str, then: Callable[[], object]) -> None:
        if self._run(path, sha256, lambda: None):
            names = next((one.processors for one in loaded_plugins() if one.path == path), ())
            try:
                consents.agree(Consent(path, sha256, names))
            except OSError as problem:
                self.bridge.log(f"The consent could not be kept: {problem.strerror}", "warning")
            then()

    def _run(self, path: Path, sha256: str, then: Callable[[], object]) -> bool:
        try:
            plugin = load_plugin(path, sha256)
        except SettingsError as problem:
            self.failed.emit(str(problem))
            return False
        self.bridge.log(f"Ran the plug-in {path.name}: Add step offers {', '.join(plugin.processors)}")
        self.loaded.emit()
        then()
        return True


def plugins_for(chain: Iterable[Step], folder: Path) -> list[dict[str, str]] | None:
    """Name the plug-ins of a chain as settings files in a folder do; None where there are none."""
    used = plugins_of(step.step for step in chain)
    named = [
        {
            "file": one.path.name if one.path.parent == folder.resolve() else str(one.path),
            "sha256": one.sha256,
        }
        for one in used
    ]
    return named or None
