"""Makes the menus of the window: whatever can be done stands in one, and the list of keys is made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QDockWidget, QMenu

from pygama_gui.layouts import LAYOUTS
from pygama_gui.session import changes
from pygama_gui.session.state import MOST_JOBS, SIZES, Run
from pygama_gui.widgets import manual, menu_words, theme
from pygama_gui.widgets.key_hints import KeyHints
from pygama_gui.widgets.own_keys import Menu, MenuBarKeys

if TYPE_CHECKING:
    from pygama_gui.main_window import MainWindow

THEMES = {"light": "Li&ght theme | bright white day mode", "dark": "&Dark theme | black night mode"}
TAB_NAMES = {
    "Spectrum": " | histogram energy",
    "Plane": " | scatter 2d histogram heatmap correlation",
    "Trends": " | stability drift history rate gain against time",
    "Channels": " | detectors survey grid",
    "Waveforms": " | traces pulses signals",
}
"""What tabs are called elsewhere."""
TABS = ("Overview", "Waveforms", "Spectrum", "Plane", "Trends", "Channels")


class Menus:
    """The menus, and the actions whose words or marks change."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        bar = window.menuBar()
        assert bar is not None
        self._keys = MenuBarKeys(bar)
        self.watch_action = menu_words.name(
            QAction(window), "&Watch a folder… | directory follow monitor automatic"
        )
        self.export_actions: list[QAction] = []
        self._file(self._menu("&File"))
        edit = self._menu("&Edit")
        self.undo_action = self._act(edit, "&Undo | back revert", "Ctrl+Z", self._undo)
        self.redo_action = self._act(edit, "&Redo | again repeat", ["Ctrl+Shift+Z", "Ctrl+Y"], self._redo)
        self.layout_actions: dict[str, QAction] = {}
        self.size_actions: dict[int, QAction] = {}
        self.theme_actions: dict[str, QAction] = {}
        self.move_action = menu_words.name(QAction(window), "&Move panels | docks arrange windows undock")
        self._view(self._menu("&View"))
        self.auto_action = menu_words.name(
            QAction(window), "Process runs as they are a&dded | automatic start"
        )
        self._run(self._menu("&Run"))
        chain = self._menu("&Chain")
        chain.addMenu(window.chain.add_menu)
        chain.addActions(list(window.chain.view_actions()))
        chain.addMenu(window.preview.menu)
        chain.addSeparator()
        chain.addMenu(window.settings_bar.presets_menu)
        self._act(
            chain,
            "Add plu&g-in… | plugin own processor extension code",
            "",
            window.settings_files.ask_add_plugin,
        )
        self._menu("&Waveform").addActions(list(window.waveforms.view_actions()))
        spectrum = self._menu("&Spectrum")
        window.spectrum.actions_of.fill_menu(spectrum)
        for name, view in (
            ("&Plane", window.plane),
            ("&Trends", window.trends),
            ("Cha&nnels", window.channels),
            ("C&uts", window.cuts),
            ("F&its", window.fits),
        ):
            if actions := list(view.view_actions()):
                menu = self._menu(name)
                menu.addActions(actions)
                if view is window.cuts:
                    self._act(
                        menu,
                        "Save the wavefor&ms that pass… | export skim select hdf5",
                        "",
                        window.waveform_saving.ask,
                    )
        about = self._menu("&Help")
        self.find_action = self._act(
            about, "&Find a command… | palette search", "Ctrl+K", window.show_palette
        )
        self._act(
            about,
            "&Documentation | help manual guide how to handbook",
            "Shift+F1",
            lambda: manual.Manual(window).show(),
        )
        self._act(
            about, "&Keys and mouse | help shortcuts keyboard hotkeys bindings", ["?", "F1"], window.show_keys
        )
        self._act(about, "&About pygama | help version license", "", window.show_about)
        self._hints = KeyHints(bar, window.last_line.hint)

    def _undo(self) -> None:
        """Take the last change back, and say which: it may be one that is out of sight."""
        bridge = self._window.bridge
        words = bridge.store.undo_label
        bridge.store.undo(bridge.active())
        bridge.log(f"Undone: {words}")

    def _redo(self) -> None:
        bridge = self._window.bridge
        words = bridge.store.redo_label
        bridge.store.redo(bridge.active())
        bridge.log(f"Done again: {words}")

    def _menu(self, name: str) -> QMenu:
        menu = Menu(name, self._window)
        menu.setToolTipsVisible(True)
        menu.installEventFilter(self._keys)
        self._window.menuBar().addMenu(menu)
        return menu

    def _act(self, menu: QMenu, words: str, keys: str | list[str], act: Callable[[], Any]) -> QAction:
        action = menu_words.name(QAction(menu), words)  # goes away with a menu that is filled anew
        action.setShortcuts([QKeySequence(key) for key in ([keys] if isinstance(keys, str) else keys) if key])
        action.triggered.connect(lambda _checked=False: act())
        menu.addAction(action)
        return action

    def _file(self, menu: QMenu) -> None:
        window = self._window
        self._act(menu, "&Open raw files… | load import add runs data", "Ctrl+O", window.arrivals.ask_open)
        self._act(
            menu,
            "Open a &folder… | load import add directory runs",
            "Ctrl+Shift+O",
            window.arrivals.ask_open_folder,
        )
        self._act(
            menu, "Open a &Tier file… | load import hdf5 h5 browse", "Ctrl+T", window.arrivals.ask_open_tier
        )
        recent = Menu("Open &recent | last history", window)
        recent.setToolTipsVisible(True)
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        menu.addMenu(recent)
        self.watch_action.setCheckable(True)
        self.watch_action.triggered.connect(window.arrivals.watch_folder)
        menu.addAction(self.watch_action)
        self._act(
            menu, "Try the &demo run | example sample test data tutorial", "", lambda: window.demo_asked()
        )
        menu.addSeparator()
        self._act(
            menu,
            "O&utput folder… | directory where to write results destination",
            "",
            lambda: window.processing.ask_output_dir([]),
        )
        menu.addSeparator()
        self._act(
            menu,
            "&Load settings… | open import config configuration options json chain recipe preferences",
            "",
            window.settings_files.ask_load,
        )
        self._act(
            menu,
            "Sa&ve settings… | export config configuration options json chain recipe preferences",
            "",
            window.settings_files.ask_save,
        )
        menu.addSeparator()
        documents = window.documents
        self._act(menu, "Open s&ession… | load workspace project restore", "Ctrl+Alt+O", documents.ask_open)
        self._act(menu, "&Save session | workspace project store", "Ctrl+S", documents.save)
        self._act(
            menu, "Save session &as… | workspace project store export", "Ctrl+Shift+S", documents.ask_save
        )
        export = Menu("E&xport | script notebook command line code", window)
        self.export_actions = self._exports(export)
        menu.addMenu(export)
        menu.addSeparator()
        self._act(menu, "&Channel map… | detector names load", "", window.settings_files.ask_channel_map)
        self.forget_map_action = self._act(
            menu,
            "For&get the channel map | detector names remove",
            "",
            window.settings_files.forget_channel_map,
        )
        menu.addSeparator()
        self._act(menu, "&Quit | exit close leave", "Ctrl+Q", window.close)

    def _sizes(self, menu: QMenu) -> None:
        sizes = Menu("Si&ze of text and buttons | font scale zoom bigger larger smaller ui dpi", self._window)
        group = QActionGroup(self._window)
        for percent in SIZES:
            action = self._act(sizes, f"{percent} %", "", partial(self._window.choose_size, percent))
            action.setCheckable(True)
            group.addAction(action)
            self.size_actions[percent] = action
        menu.addMenu(sizes)

    def show_watched(self, folder: Path | None) -> None:
        """Say which folder is watched; choosing the action again ends it."""
        self.watch_action.setChecked(folder is not None)
        self.watch_action.setText("&Watch a folder…" if folder is None else f"&Watching {folder.name}")
        self.watch_action.setToolTip(
            "Add the runs that come into a folder" if folder is None else str(folder)
        )

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for path in self._window.bridge.session.recent:
            action = self._act(menu, path.name, "", partial(self._window.arrivals.add_paths, [path]))
            action.setToolTip(str(path))
        if menu.isEmpty():
            menu_words.add_note(menu, "nothing yet")

    def _exports(self, menu: QMenu) -> list[QAction]:
        """Offer what the window does as a command, a script and a notebook, of one run and of all."""
        documents, bridge = self._window.documents, self._window.bridge

        def one() -> list[Run]:
            run = bridge.session.selected_run
            return [] if run is None else [run]

        def every() -> list[Run]:
            return list(bridge.session.runs)

        return [
            self._act(
                menu,
                "&Copy as command | command line cli terminal shell export clipboard",
                "Ctrl+Shift+C",
                lambda: documents.copy_commands(one()),
            ),
            self._act(
                menu,
                "Save as &Python script… | export code",
                "Ctrl+E",
                lambda: documents.ask_save_script(one()),
            ),
            self._act(
                menu,
                "Save as &notebook… | export jupyter ipynb code",
                "Ctrl+Shift+E",
                lambda: documents.ask_save_notebook(one()),
            ),
            self._act(
                menu,
                "Copy &all runs as commands | command line cli terminal shell export clipboard",
                "",
                lambda: documents.copy_commands(every()),
            ),
            self._act(
                menu,
                "Save all as Python &script… | export code",
                "",
                lambda: documents.ask_save_script(every()),
            ),
            self._act(
                menu,
                "Save all as no&tebook… | export jupyter ipynb code",
                "",
                lambda: documents.ask_save_notebook(every()),
            ),
        ]

    def _view(self, menu: QMenu) -> None:
        window = self._window
        for number, name in enumerate(TABS):
            words = f"&{name}{TAB_NAMES.get(name, '')}"
            self._act(menu, words, str(number + 1), partial(window.go_to_tab, number))
        menu.addSeparator()
        self._layouts(menu)
        themes = QActionGroup(window)
        for name in theme.NAMES:
            action = self._act(menu, THEMES[name], "", partial(window.choose_theme, name))
            action.setCheckable(True)
            themes.addAction(action)
            self.theme_actions[name] = action
        self._sizes(menu)
        menu.addSeparator()
        inside = Menu("In the files pan&el", window)
        inside.addActions(list(window.files.view_actions()))
        menu.addMenu(inside)
        self._act(menu, "Show or hide the log | messages errors warnings output", "Ctrl+L", window.toggle_log)
        self._act(
            menu,
            "Show or hide the f&iles | hdf5 h5 browser rows table tree",
            "Ctrl+Shift+I",
            window.toggle_files,
        )
        self._act(
            menu,
            "Show or hide the P&ython console | terminal shell pandas dataframe ipython",
            "Ctrl+J",
            window.toggle_console,
        )
        for dock in window.findChildren(QDockWidget):
            if dock not in window.bottom_docks:  # they lie on each other
                toggle = dock.toggleViewAction()
                assert toggle is not None
                menu_words.name(toggle, f"{dock.windowTitle()} panel | show hide close open dock")
                toggle.triggered.connect(partial(_bring_to_front, dock))
                menu.addAction(toggle)
        self.move_action.setCheckable(True)
        self.move_action.toggled.connect(window.show_dock_titles)
        menu.addAction(self.move_action)
        self._act(menu, "&Full screen | fullscreen maximise maximize", "F11", window.toggle_full_screen)

    def _layouts(self, menu: QMenu) -> None:
        window = self._window
        inner = Menu("&Layout | arrangement windows workspace perspective", window)
        inner.setToolTipsVisible(True)
        menu.addMenu(inner)
        group = QActionGroup(window)
        for number, layout in enumerate(LAYOUTS, 1):
            act = partial(window.layouts.choose, layout.name)
            action = self._act(inner, f"&{layout.name}", f"Ctrl+{number}", act)
            action.setToolTip(layout.about)
            action.setCheckable(True)
            group.addAction(action)
            self.layout_actions[layout.name] = action
        inner.addSeparator()
        self._act(
            inner,
            "&Reset this layout | default restore windows docks panels",
            "Ctrl+Shift+0",
            window.layouts.reset,
        )

    def mark_layout(self, name: str) -> None:
        """Mark the layout in use; the first one for a name that a newer version may know."""
        self.layout_actions.get(name, self.layout_actions[LAYOUTS[0].name]).setChecked(True)

    def _run(self, menu: QMenu) -> None:
        bridge = self._window.bridge
        menu.addActions(list(self._window.runs.view_actions()))
        menu.addSeparator()
        self.auto_action.setCheckable(True)
        self.auto_action.triggered.connect(lambda is_on: bridge.change(changes.process_on_add, is_on))
        menu.addAction(self.auto_action)
        self._at_once(menu)
        menu.addSeparator()
        menu.addActions(list(self._window.strip.view_actions()))

    def _at_once(self, menu: QMenu) -> None:
        bridge = self._window.bridge
        at_once = Menu("R&uns at once | parallel jobs workers cores threads cpu limit", self._window)
        menu.addMenu(at_once)
        group = QActionGroup(self._window)
        for number in range(1, MOST_JOBS + 1):
            words = "&1, the others wait" if number == 1 else f"&{number}, sharing the cores"
            action = self._act(at_once, words, "", partial(bridge.change, changes.allow_jobs, number))
            action.setCheckable(True)
            group.addAction(action)
        at_once.aboutToShow.connect(lambda: group.actions()[bridge.session.n_jobs - 1].setChecked(True))


def _bring_to_front(dock: QDockWidget, is_shown: bool) -> None:
    """Let a panel that was asked for not lie behind the one beside it."""
    if is_shown:
        dock.raise_()
