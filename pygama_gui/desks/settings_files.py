"""Takes and writes settings files, plug-ins and channel maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pygama.channel_map import read_channel_map
from pygama.errors import PygamaError, SettingsError
from pygama.processing.plugins import PluginNeeded
from pygama.processing.settings import read_settings, settings_text, write_settings
from pygama.processing.windows import Tier0Options
from pygama_gui.data.headers import read_plist
from pygama_gui.data.health import enabled_channels
from pygama_gui.data.refusals import foreign_to
from pygama_gui.desks.plugins import plugins_for
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes, exports, saved
from pygama_gui.session.state import ChannelMap, DataSet, Run
from pygama_gui.widgets.dialogs import ask_save, file_dialog

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow


def _channels_in_header(run: Run) -> list[int]:
    """Read which channels are switched on; none where the header does not say."""
    try:
        return enabled_channels(read_plist(run))
    except (PygamaError, OSError):
        return []


class SettingsFiles:
    """The files that say how runs are processed, and how channels are named."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self._bridge = window, window.bridge

    def ask_load(self) -> None:
        """Ask for a settings file and take it."""
        dialog = file_dialog(self._window, "Load settings", self._bridge.saving_folder())
        dialog.setNameFilter("Settings (*.json)")
        dialog.fileSelected.connect(lambda _name: self._bridge.opening.emit())
        dialog.fileSelected.connect(lambda name: self.load(Path(name)))
        dialog.open()

    def load(self, path: Path) -> None:
        """Take the options, the chain and what is kept of it from a settings file."""
        try:
            data = read_settings(path, tier0=Tier0Options)
        except PluginNeeded as needed:
            why = f"{path.name} needs the plug-in {needed.path.name}"
            self._window.plugins.need(needed.path, lambda: self.load(path), why=why)
            return
        except SettingsError as error:
            self._window.arrivals.tell_not_taken(str(error))
            return
        session = self._bridge.session
        chain = saved.chain_of(data["chain"]) if "chain" in data else session.chain
        kept = (data.get("outputs", ()), data.get("save_waves", ()), data.get("compact", False))
        self._bridge.change(changes.set_chain, chain, data.get("tier0", session.tier0), *kept)
        self._bridge.log(f"Took the settings of {path.name}")
        self._look_whom_they_suit(path)

    def _look_whom_they_suit(self, path: Path) -> None:
        """Tell which of the settings are for electronics that the selected run does not have."""
        run = self._bridge.session.selected_run
        if run is None:
            return
        live = self._bridge.live(run.run_id)
        if isinstance(run, DataSet) or (live is not None and live.channels):
            self._tell_foreign(path, run, [] if live is None else live.channels)
            return
        self._bridge.in_background(
            lambda: _channels_in_header(run), lambda channels: self._tell_foreign(path, run, channels)
        )

    def _tell_foreign(self, path: Path, run: Run, channels: Sequence[int]) -> None:
        if told := foreign_to(self._bridge.session, run, channels):
            self._window.arrivals.tell_not_taken(f"{path.name}: {'; '.join(told)}")

    def text(self) -> str:
        """Give the options and the chain as a settings file holds them."""
        session = self._bridge.session
        plugins = plugins_for(session.chain, Path())
        return settings_text({**exports.settings_of(session), "plugins": plugins})

    def suggested_name(self) -> str:
        """Name a settings file after the run that is looked at."""
        run = self._bridge.session.selected_run
        return "settings.json" if run is None else f"settings_{run.stem}.json"

    def ask_save(self) -> None:
        """Ask where to save the options and the chain."""
        suggested = self._bridge.saving_folder() / self.suggested_name()
        ask_save(self._window, "Save settings", suggested, "Settings (*.json)", self.save)

    def save(self, path: Path) -> None:
        """Save the options and the chain."""
        session = self._bridge.session
        try:
            plugins = plugins_for(session.chain, path.parent)
            write_settings(path, **exports.settings_of(session), plugins=plugins)
        except OSError as error:
            self._window.banner.say(f"{path.name} could not be written: {error.strerror}", repr(error))
            return
        self._bridge.note_saved(path)
        self._bridge.log(f"Saved the settings as {path}")

    def ask_add_plugin(self) -> None:
        """Ask for a Python file with further processors, and whether it may be run."""
        dialog = file_dialog(self._window, "Add a plug-in", self._bridge.saving_folder())
        dialog.setNameFilter("Python files (*.py)")
        dialog.fileSelected.connect(lambda name: self.add_plugin(Path(name)))
        dialog.open()

    def add_plugin(self, path: Path) -> None:
        """Add the processors of a Python file, once somebody agreed to run it."""
        self._window.plugins.need(
            path, lambda: None, why=f"The plug-in {path.name} adds steps to the library"
        )

    def ask_channel_map(self) -> None:
        """Ask for a file that names the detectors on the channels."""
        path = self._bridge.session.channel_map.path
        folder = self._bridge.saving_folder() if path is None else path.parent
        dialog = file_dialog(self._window, "Take a channel map", folder)
        dialog.setNameFilter("Channel maps (*.json *.csv)")
        dialog.fileSelected.connect(lambda _name: self._bridge.opening.emit())
        dialog.fileSelected.connect(lambda name: self.take_channel_map(Path(name)))
        dialog.open()

    def take_channel_map(self, path: Path) -> None:
        """Take the names of the detectors from a file."""
        try:
            channels = read_channel_map(path)
        except SettingsError as error:
            self._window.arrivals.tell_not_taken(str(error))
            return
        self._bridge.change(changes.take_channel_map, ChannelMap(path, channels))
        ignored = sum(one.ignore for one in channels)
        told = f", {ignored} of them to ignore" if ignored else ""
        self._bridge.log(f"Took the channel map {path.name}: {counted(len(channels), 'channel')}{told}")

    def forget_channel_map(self) -> None:
        """Name channels by their numbers again."""
        self._bridge.change(changes.forget_channel_map)
