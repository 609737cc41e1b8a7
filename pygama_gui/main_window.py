"""Puts the views together in one window: panels, tabs, menus, drops, what is remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

from PyQt5.QtCore import QChildEvent, QEvent, QSize, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QIcon,
    QResizeEvent,
)
from PyQt5.QtWidgets import (
    QAbstractScrollArea,
    QDockWidget,
    QFileDialog,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

import pygama
from pygama.channel_map import is_channel_map, read_channel_map
from pygama.errors import SettingsError
from pygama.processing.plugins import PluginNeeded
from pygama.processing.settings import read_settings, settings_text, write_settings
from pygama.processing.windows import Tier0Options
from pygama_gui.bridge import Bridge
from pygama_gui.documents import Documents
from pygama_gui.jobs import remedies
from pygama_gui.jobs.board import counted
from pygama_gui.jobs.room import FLOOR_BYTES, Need
from pygama_gui.jobs.watch import NewRun
from pygama_gui.keeping import Keeper
from pygama_gui.layouts import Layouts
from pygama_gui.menus import TABS, Menus
from pygama_gui.plugin_desk import PluginDesk, plugins_for
from pygama_gui.quitting import Quitting
from pygama_gui.session import changes, files, pictured, saved
from pygama_gui.session.files import Found
from pygama_gui.session.pictured import Zoom
from pygama_gui.session.state import ChannelMap, DataSet, Fit, NamedRegion, Run, Session
from pygama_gui.table_saving import TableSaving
from pygama_gui.views import chain_facts
from pygama_gui.views.base import View
from pygama_gui.views.chain import ChainView
from pygama_gui.views.channels import ChannelsView
from pygama_gui.views.cuts import CutsView, is_cuts
from pygama_gui.views.files import FilesView
from pygama_gui.views.fits import FitsView
from pygama_gui.views.log import LastLineView, LogView
from pygama_gui.views.options import OptionsView
from pygama_gui.views.plane import PlaneView
from pygama_gui.views.preview import PreviewView
from pygama_gui.views.run_cards import run_name, run_title
from pygama_gui.views.runs import RunsView
from pygama_gui.views.scan import ScanWindow
from pygama_gui.views.settings_bar import SettingsBar
from pygama_gui.views.spectrum import SpectrumView
from pygama_gui.views.strip import StripView
from pygama_gui.views.trends import TrendsView
from pygama_gui.views.waveforms import WaveformView
from pygama_gui.views.welcome import WelcomeView
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.banner import Banner
from pygama_gui.widgets.consent import ConsentSheet
from pygama_gui.widgets.dialogs import ask_folder, file_dialog
from pygama_gui.widgets.keysheet import KeySheet
from pygama_gui.widgets.palette import Palette
from pygama_gui.widgets.parts import panel
from pygama_gui.widgets.veil import DropVeil

SHORT_OF_ROOM = "short of room"
"""What the banner is about where the disk seems too small."""
MANY_RUNS = 8
"""More runs than this in one drop wait for a person to start them."""
PATIENCE_MS = 300
"""What takes longer says that it is under way."""
GAP = 10
LOG_HEIGHT, FILES_HEIGHT = 170, 320
SIZE = QSize(1480, 900)


class MainWindow(QMainWindow):
    """The window. It knows the views; they do not know each other."""

    runs_refused = pyqtSignal()
    """A file could not be taken as a run."""

    def __init__(self, bridge: Bridge, *, remembers: bool = True) -> None:
        super().__init__()
        self.bridge = bridge
        self.remembers = remembers
        self.demo_asked: Callable[[], None] = lambda: None
        self.setWindowTitle("pygama")
        self.setWindowIcon(QIcon(str(theme.resource("icons/pygama.svg"))))
        self.setObjectName("main window")
        self.setAcceptDrops(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._make_views()
        self._lay_out()
        self.resize(SIZE)
        self.layouts = Layouts(self)
        self.documents = Documents(self)
        self.tables = TableSaving(self)
        self.quitting = Quitting(self)
        self.keeper = Keeper(bridge) if remembers else None
        self.menus = Menus(self)
        self._connect()
        self.layouts.restore(bridge.session)
        if remembers:
            self.plugins.load_agreed()
        self._show_session(bridge.session)

    @property
    def views(self) -> dict[str, View]:
        """All views by the name of their picture."""
        return {
            "status": self.strip,
            "runs": self.runs,
            "welcome": self.welcome,
            "waveforms": self.waveforms,
            "spectrum": self.spectrum,
            "plane": self.plane,
            "trends": self.trends,
            "channels": self.channels,
            "cuts": self.cuts,
            "fits": self.fits,
            "options": self.options,
            "chain": self.chain,
            "preview": self.preview,
            "log": self.log,
            "files": self.files,
            "last_line": self.last_line,
        }

    def take_zooms(self, zooms: Mapping[str, Zoom]) -> None:
        """Let the views show what a picture shows of their axes; what it does not name stays."""
        boxes = {name: box for view in self.views.values() for name, box in view.boxes().items()}
        for name, zoom in zooms.items():
            if name in boxes:
                boxes[name].take_zoom(zoom)

    # Laying out

    def _make_views(self) -> None:
        bridge = self.bridge
        self.strip, self.runs, self.welcome = StripView(bridge), RunsView(bridge), WelcomeView(bridge)
        self.waveforms, self.spectrum = WaveformView(bridge), SpectrumView(bridge)
        self.plane, self.trends, self.channels = PlaneView(bridge), TrendsView(bridge), ChannelsView(bridge)
        self.cuts, self.fits = CutsView(bridge), FitsView(bridge)
        self.options, self.chain = OptionsView(bridge), ChainView(bridge)
        self.preview = PreviewView(bridge)
        self.scan = ScanWindow(bridge, self)
        self.log, self.last_line = LogView(bridge), LastLineView(bridge)
        self.files = FilesView(bridge)
        self.banner = Banner()
        self.consent = ConsentSheet()
        self.plugins = PluginDesk(bridge, self.consent)
        self.settings_bar = SettingsBar(self.settings_text, self._settings_name)
        self.save_button = self.settings_bar.save_button
        self.veil = DropVeil(self)

    def _lay_out(self) -> None:
        self.setContentsMargins(GAP, 0, GAP, 0)
        self.setCentralWidget(self._middle())
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self._bar("Status", self.strip, Qt.ToolBarArea.TopToolBarArea, (0, 2, 0, GAP))
        self._bar("Last line of the log", self.last_line, Qt.ToolBarArea.BottomToolBarArea, (0, GAP, 0, GAP))
        self.runs_dock = self._dock("Runs", self.runs, Qt.DockWidgetArea.LeftDockWidgetArea, (0, 0, 0, 0))
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self.settings_dock = self._dock("Settings", self._settings(), right, (0, 0, 0, 0))
        self.cuts_dock = self._dock("Cuts", _in_panel(self.cuts), right, (0, 0, 0, 0))
        self.fits_dock = self._dock("Fits", _in_panel(self.fits), right, (0, 0, 0, 0))
        for dock in (self.cuts_dock, self.fits_dock):
            self.tabifyDockWidget(self.settings_dock, dock)
            dock.hide()
        self.log_dock = self._dock("Log", self.log, Qt.DockWidgetArea.BottomDockWidgetArea, (0, 0, 0, 0))
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        self.files_dock = self._dock("Files", self.files, bottom, (0, 0, 0, 0))
        self.tabifyDockWidget(self.log_dock, self.files_dock)
        self.log_dock.hide()
        self.files_dock.hide()
        horizontal = Qt.Orientation.Horizontal
        self.resizeDocks([self.runs_dock, self.settings_dock], [292, 332], horizontal)
        self.resizeDocks(
            [self.log_dock, self.files_dock], [LOG_HEIGHT, FILES_HEIGHT], Qt.Orientation.Vertical
        )

    def _middle(self) -> QWidget:
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setFont(theme.font(bold=True))  # room for the selected tab's bold name
        self.tabs.setAccessibleName("Pictures")
        self.tabs.tabBarClicked.connect(self.go_to_tab)
        for name in TABS:
            self.tabs.addTab(name)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setObjectName("waveforms and spectrum")
        self.split.setHandleWidth(6)
        self.split.addWidget(self.waveforms)
        self.split.addWidget(self.spectrum)
        self.split.setSizes([540, 460])
        self.split.setChildrenCollapsible(False)
        frame, column = panel(margin=6, spacing=4)
        column.addWidget(self.tabs)
        self.pages = QStackedWidget()
        for page in (self.split, self.plane, self.trends, self.channels):
            self.pages.addWidget(page)
        column.addWidget(self.pages, 1)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(frame)
        middle = QWidget()
        outer = QVBoxLayout(middle)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self.banner)
        outer.addWidget(self.consent)
        outer.addWidget(self.stack, 1)
        return middle

    def _settings(self) -> QWidget:
        frame, column = panel(margin=12, spacing=12)
        column.addWidget(self.options)
        self.tuning = QSplitter(Qt.Orientation.Vertical)
        self.tuning.setObjectName("chain and preview")
        self.tuning.setHandleWidth(10)
        self.tuning.setChildrenCollapsible(False)
        self.tuning.addWidget(self.chain)
        self.tuning.addWidget(self.preview)
        self.tuning.setSizes([440, 230])
        self.tuning.setStretchFactor(0, 1)
        column.addWidget(self.tuning, 1)
        column.addWidget(self.settings_bar)
        return frame

    def _bar(
        self, name: str, view: QWidget, area: Qt.ToolBarArea, margins: tuple[int, int, int, int]
    ) -> None:
        bar = QToolBar(name)
        bar.setObjectName(name)
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.toggleViewAction().setEnabled(False)
        bar.addWidget(_with_margins(view, margins))
        self.addToolBar(area, bar)

    def _dock(
        self, name: str, inside: QWidget, area: Qt.DockWidgetArea, margins: tuple[int, int, int, int]
    ) -> QDockWidget:
        dock = QDockWidget(name)
        dock.setObjectName(name)
        dock.setWidget(_with_margins(inside, margins))
        dock.setTitleBarWidget(QWidget())
        self.addDockWidget(area, dock)
        return dock

    # Wiring

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.session_changed.connect(self._on_session)
        bridge.jobs_changed.connect(lambda _ids: self._show_title())
        bridge.went_wrong.connect(self._show_trouble)
        bridge.watching.came.connect(self._take_new)
        bridge.room.halted.connect(self._show_halted)
        bridge.started.connect(self.banner.dismiss_about)
        self.tabs.currentChanged.connect(lambda tab: bridge.change(changes.choose_tab, tab))
        self.runs.open_asked.connect(self.ask_open)
        self.runs.process_asked.connect(self.process)
        self.runs.mend_asked.connect(self.mend)
        self.preview.process_asked.connect(self._process_selected)
        self.chain.scan_asked.connect(self.open_scan)
        self.settings_bar.load_asked.connect(self.ask_load_settings)
        self.settings_bar.save_asked.connect(self.ask_save_settings)
        self.settings_bar.preset_chosen.connect(self.load_settings)
        self.plugins.loaded.connect(self.chain.renew_library)
        self.plugins.failed.connect(lambda words: self.banner.say(words, level="warning"))
        self.waveforms.drawn.connect(lambda: self.chain.show_waveform(self.waveforms.sample))
        self.plane.event_chosen.connect(self._show_event)
        self.plane.waveform_asked.connect(lambda: self.go_to_tab(1))
        self.runs.next_asked.connect(self.process_next)
        self.runs.follow_asked.connect(self.follow)
        self.runs.table_asked.connect(lambda run, only: self.tables.ask(run, only_passing=only))
        self.runs.log_asked.connect(self.log_dock.show)
        self.files.open_asked.connect(self.ask_open_tier)
        self.fits.look_asked.connect(self._look_at_fit)
        self.spectrum.calibrate_asked.connect(self._calibrate)
        self.cuts.region_taken.connect(self._show_cuts)
        self.welcome.open_asked.connect(self.ask_open)
        self.welcome.demo_asked.connect(lambda: self.demo_asked())
        self.last_line.log_asked.connect(self.toggle_log)
        self.log_dock.visibilityChanged.connect(self.last_line.show_open)
        self.last_line.keys_asked.connect(self.show_keys)
        self.last_line.find_asked.connect(self.show_palette)

        self._share_keys()
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Let Tab go through runs, pictures, settings and the last line, in this order."""
        pictures = (self.waveforms, self.spectrum, self.plane, self.trends, self.channels)
        stops = [stop for view in (*pictures, self.cuts, self.fits) for stop in view.stops()]
        middle = [self.runs.stop_button, self.tabs, *stops]
        end = [self.save_button, self.last_line.log_link, self.last_line.keys_link, self.last_line.find_link]
        for before, after in (*pairwise(middle), *pairwise(end)):
            QWidget.setTabOrder(before, after)

    def _share_keys(self) -> None:
        """Let a key that only one of the two plots knows work while the other one has the focus."""
        plots = {self.waveforms: self.waveforms.plot, self.spectrum: self.spectrum.plot}
        actions = {view: list(view.view_actions()) for view in plots}
        every = [*actions[self.waveforms], *self.spectrum.actions_of.walk()]
        keys = Counter(action.shortcut().toString() for action in every)
        for view, other in ((self.waveforms, self.spectrum), (self.spectrum, self.waveforms)):
            alone = [one for one in actions[view] if keys[one.shortcut().toString()] == 1]
            plots[other].addActions([one for one in alone if not one.shortcut().isEmpty()])

    def _on_session(self, old: Session, new: Session) -> None:
        if self.keeper is not None:
            self.keeper.save_soon()
        self.layouts.on_session(old, new)
        if old.theme != new.theme:
            self.apply_theme(new.theme)
        self._show_session(new)

    def _show_session(self, session: Session) -> None:
        has_any = bool(session.runs or session.data_sets)
        if has_any and self.stack.currentIndex() == 0:
            self.stack.setCurrentIndex(1)
            self.waveforms.plot.setFocus()
        elif not has_any:
            self.stack.setCurrentIndex(0)
        self.tabs.setCurrentIndex(session.tab)
        self.pages.setCurrentIndex(max(session.tab - 2, 0))
        self.waveforms.setVisible(session.tab in (0, 1))
        self.spectrum.setVisible(session.tab in (0, 2))
        store = self.bridge.store
        self.menus.undo_action.setText(f"&Undo: {store.undo_label}" if store.undo_label else "&Undo")
        self.menus.undo_action.setEnabled(bool(store.undo_label))
        self.menus.redo_action.setText(f"&Redo: {store.redo_label}" if store.redo_label else "&Redo")
        self.menus.redo_action.setEnabled(bool(store.redo_label))
        self.menus.theme_actions[session.theme].setChecked(True)
        self.menus.mark_layout(session.layout)
        self.menus.auto_action.setChecked(session.process_on_add)
        for action in self.menus.export_actions:
            action.setEnabled(bool(session.runs or session.data_sets))
        self.menus.show_watched(session.watched)
        self._show_title()

    def _show_title(self) -> None:
        run = self.bridge.session.selected_run
        self.setWindowTitle("pygama" if run is None else f"{run_title(run)} — pygama")

    # Runs

    def add_paths(self, paths: Iterable[Path], *, process: bool | None = None) -> None:
        """Take files and folders: runs, sessions, settings, cuts, calibrations and channel maps.


        A picture that was saved here brings back what it shows. What cannot be taken says why.

        process: whether the runs are started; None: as the session says.
        """
        paths = list(paths)
        curves = [path for path in paths if saved.is_calibration(path)]
        cuts = [path for path in paths if path not in curves and is_cuts(path)]
        maps = [path for path in paths if path not in (*curves, *cuts) and is_channel_map(path)]
        known = (*curves, *cuts, *maps)
        data = [path for path in paths if path.suffix == ".json" and path not in known]
        for path in curves:
            self.fits.calibration.load(path)
        for path in maps:
            self.take_channel_map(path)
        for path in cuts:
            self.cuts.load(path)
            self._show_cuts()
        for path in sorted(data, key=saved.is_session, reverse=True):
            self.documents.open(path) if saved.is_session(path) else self.load_settings(path)
        pictures = [path for path in paths if pictured.is_picture(path)]
        for path in pictures:
            self.documents.open_picture(path)
        if raw := [path for path in paths if path not in (*data, *known, *pictures)]:
            looking = QTimer(self)
            looking.setSingleShot(True)
            looking.timeout.connect(lambda: self.bridge.log(f"Looking for runs in {raw[0].name}…"))
            looking.start(PATIENCE_MS)
            self.bridge.in_background(
                lambda: files.find_runs(raw),
                lambda found: self._take_found(found, process, looking),
                looking.deleteLater,
            )

    def _without_known(self, found: Found) -> Found:
        """Leave out runs that are there under another name, and say so."""
        runs: list[Run] = []
        refused = list(found.refused)
        for run in found.runs:
            known = files.known_as(run, (*self.bridge.session.runs, *runs))
            if known is None:
                runs.append(run)
            else:
                title = run_title(known)
                refused.append((run.path, f"{run.path.name} is in the list as {title}: the same header"))
                self.bridge.change(changes.select_run, known.run_id)
        return Found(tuple(runs), tuple(refused), found.hdf5)

    def _take_new(self, new: list[NewRun]) -> None:
        """Add runs that have come into the folder that is watched; one that still grows is followed."""
        found = self._without_known(Found(tuple(one.run for one in new)))
        known = {run.path for run in self.bridge.session.runs}
        self.bridge.change(changes.add_runs, found.runs)
        for _, reason in found.refused:
            self.bridge.log(reason)
        fresh = [run for run in found.runs if run.path not in known]
        for run in fresh:
            self.bridge.log(f"{run_title(run)} has come into the folder that is watched")
        if fresh and self.bridge.session.process_on_add:
            growing = {one.run.path for one in new if one.is_growing}
            for follow in (True, False):
                if runs := [run for run in fresh if (run.path in growing) == follow]:
                    self.process(runs, follow=follow)

    def watch_folder(self, is_wanted: bool) -> None:  # noqa: FBT001
        """Ask for a folder to watch for new runs, or watch none."""
        if not is_wanted:
            self.bridge.change(changes.watch_folder, None)
            self.bridge.log("No folder is watched any more")
            return
        ask_folder(
            self,
            "Watch a folder for new runs",
            self._last_folder(),
            self._take_watched,
            lambda: self._show_session(self.bridge.session),
        )

    def _take_watched(self, folder: Path) -> None:
        self.bridge.change(changes.watch_folder, folder)
        self.bridge.log(f"Watching {folder}: runs that come into it are added")

    def _take_found(self, found: Found, process: bool | None, looking: QTimer) -> None:  # noqa: FBT001
        looking.deleteLater()
        found = self._without_known(found)
        known = {run.path for run in self.bridge.session.runs}
        self.bridge.change(changes.add_runs, found.runs)
        self.show_files(found.hdf5)
        self.runs.show_refused(found.refused)
        for path, reason in found.refused:
            self.bridge.log(reason if path.name in reason else f"{path.name}: {reason}", "warning")
        new = [run for run in found.runs if process or run.path not in known]
        if found.runs:
            self.bridge.change(changes.select_run, found.runs[0].run_id)
        is_wanted = (
            self.bridge.session.process_on_add and len(new) <= MANY_RUNS if process is None else process
        )
        if new and is_wanted:
            self.process(new)
        if found.refused or (found.hdf5 and not found.runs):
            self.runs_refused.emit()

    def show_files(self, paths: Iterable[Path]) -> None:
        """Show what is in Tier files."""
        for path in paths:
            self.files.open_file(path)
            self._show_bottom(self.files_dock, FILES_HEIGHT)

    def process(self, runs: list[Run], *, first: bool = False, follow: bool = False) -> None:
        """Start runs; the output folder is asked for the first time. Data sets are passed over.

        first: before all that wait. follow: their files still grow.
        """
        runs = [run for run in runs if not isinstance(run, DataSet)]
        chain = self.bridge.session.chain
        for index, amiss in chain_facts.what_is_amiss(chain).items():
            self.banner.say(f"Step {index + 1}, {chain[index].step}: {amiss}", level="warning")
            return
        if not self.plugins.are_as_agreed(chain, lambda: self.process(runs, first=first, follow=follow)):
            return
        by_folder: dict[Path | None, list[Run]] = {}
        for run in runs:
            by_folder.setdefault(self.bridge.folder_of(run), []).append(run)
        homeless = by_folder.pop(None, [])
        for folder, at_home in by_folder.items():
            if folder is not None:
                self._start(at_home, folder, first=first, follow=follow)
        if homeless:
            self.ask_output_dir(homeless)

    def open_scan(self) -> None:
        """Open the grid of two settings."""
        if problem := self.scan.open_for(self.bridge.session):
            self.bridge.log(f"Nothing to scan: {problem}", "warning")

    def _process_selected(self) -> None:
        if (run := self.bridge.session.selected_run) is not None:
            self.process([run])

    def _start(self, runs: list[Run], folder: Path, *, first: bool, follow: bool) -> None:
        """Start runs if the disk seems to have room for them."""

        def start() -> None:
            self.banner.dismiss_about({SHORT_OF_ROOM})
            self.bridge.start(runs, folder, follow=follow)
            for run in reversed(runs if first else []):
                self.bridge.place_in_queue(run.run_id, 0)

        def start_if_room(free: int | None, need: Need) -> None:
            if free is None or free >= need.n_bytes + FLOOR_BYTES:
                start()
                return
            names = run_name(runs[0]) + (f" and {len(runs) - 1} more" if len(runs) > 1 else "")
            need_words, free_words = words.size(need.n_bytes), words.size(free)
            self.banner.say(
                f"{names} may need {need_words} ({need.basis}), and {free_words} is free on the output disk.",
                level="warning",
                remedies=[
                    ("Start all the same", start),
                    ("Choose a folder…", lambda: self.ask_output_dir(runs)),
                ],
                about=SHORT_OF_ROOM,
            )

        self.bridge.room.look_for(runs, folder, start_if_room)

    def _show_event(self, number: int) -> None:
        """Show the waveform of the event that was chosen in the plane."""
        chosen = self.plane.shown_event.chosen
        self.waveforms.browser.go_to_event(number, None if chosen is None else chosen.run)

    def follow(self, run: Run) -> None:
        """Follow a run whose file still grows, or no longer."""
        state = self.bridge.state(run.run_id)
        if state is not None and state.follows and not state.has_ended:
            self.bridge.stop_following(run.run_id)
        elif not self.bridge.is_active(run.run_id):
            self.process([run], follow=True)

    def _show_halted(self, sentence: str, run_ids: list[str]) -> None:
        def go_on() -> None:
            self.banner.dismiss()
            self.bridge.go_on(run_ids)

        self.banner.say(sentence, level="warning", remedies=[("Go on", go_on)])

    def process_next(self, run: Run) -> None:
        """Process a run before all others that wait."""
        if self.bridge.is_active(run.run_id):
            self.bridge.place_in_queue(run.run_id, 0)
        else:
            self.process([run], first=True)

    def mend(self, run: Run, act: str) -> None:
        """Do what helps a run that failed; `act` is that of one of its remedies."""
        state = self.bridge.state(run.run_id)
        match act:
            case "aside" if state is not None and (other := remedies.other_name(state.text)) is not None:
                self.bridge.change(changes.write_aside, run.run_id, other[1])
            case "skip" if state is not None and state.culprit is not None:
                self.bridge.change(changes.skip_record, run.run_id, state.culprit.offset)
            case "folder":
                self.ask_output_dir([run])
                return
            case "search":
                self.bridge.culprits.find(run.run_id)
                self.banner.dismiss_about({run.run_id})
                return
            case "stop search":
                self.bridge.culprits.stop(run.run_id)
                return
            case "bundle":
                self.ask_save_bundle(run)
                return
            case "read":
                self.bridge.data_sets.look_again(run.run_id)
                return
            case "stop reading":
                self.bridge.data_sets.stop(run.run_id)
                return
        self.banner.dismiss_about({run.run_id})
        self.process([self.bridge.session.run(run.run_id) or run])

    def ask_save_bundle(self, run: Run) -> None:
        """Ask where to save what is known of a crash."""
        folder = self.bridge.folder_of(run) or Path.home()
        dialog = self._file_dialog("Save the crash bundle", folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Crash bundles (*.zip)")
        dialog.setDefaultSuffix("zip")
        dialog.selectFile(f"crash_run{run.run_number}.zip")
        dialog.fileSelected.connect(lambda name: self.bridge.culprits.save_bundle(run.run_id, Path(name)))
        dialog.open()

    def _show_trouble(self, sentence: str, details: str, run_id: str) -> None:
        run = self.bridge.session.run(run_id)
        acts = []
        if run is not None:
            found = remedies.remedies_for(self.bridge.state(run_id))
            acts = [(one.words, partial(self.mend, run, one.act)) for one in found]
        self.banner.say(sentence, details, remedies=acts, about=run_id)

    def ask_output_dir(self, then_process: list[Run]) -> None:
        """Ask where Tier 1 and Tier 2 files go, then process runs."""
        start = self.bridge.session.output_dir or Path.home()

        def complain() -> None:
            if then_process:
                self.bridge.log("Nothing was processed: no output folder was chosen", "warning")

        title = "Choose the folder for Tier 1 and Tier 2 files"
        ask_folder(self, title, start, lambda folder: self._take_output_dir(folder, then_process), complain)

    def _take_output_dir(self, folder: Path, then_process: list[Run]) -> None:
        self.bridge.change(changes.choose_output_dir, folder)
        self.bridge.log(f"Tier 1 and Tier 2 files go to {folder}")
        if then_process:
            self.process(then_process)

    def ask_open(self) -> None:
        """Ask for raw files."""
        dialog = self._file_dialog("Open raw files", self._last_folder())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.add_paths(Path(name) for name in names))
        dialog.open()

    def ask_open_folder(self) -> None:
        """Ask for a folder with raw files."""
        ask_folder(
            self, "Open a folder with raw files", self._last_folder(), lambda folder: self.add_paths([folder])
        )

    def ask_open_tier(self) -> None:
        """Ask for Tier files to look into."""
        dialog = self._file_dialog("Open Tier files", self.bridge.session.output_dir or self._last_folder())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(["Tier and other HDF5 files (*.h5 *.hdf5 *.lh5 *.hdf)", "All files (*)"])
        dialog.filesSelected.connect(lambda names: self.show_files(Path(name) for name in names))
        dialog.open()

    def _last_folder(self) -> Path:
        recent = self.bridge.session.recent
        return recent[0].parent if recent else Path.home()

    def _file_dialog(self, title: str, folder: Path) -> QFileDialog:
        return file_dialog(self, title, folder)

    # The channel map

    def ask_channel_map(self) -> None:
        """Ask for a file that names the detectors on the channels."""
        path = self.bridge.session.channel_map.path
        dialog = self._file_dialog("Take a channel map", Path.home() if path is None else path.parent)
        dialog.setNameFilter("Channel maps (*.json *.csv)")
        dialog.fileSelected.connect(lambda name: self.take_channel_map(Path(name)))
        dialog.open()

    def take_channel_map(self, path: Path) -> None:
        """Take the names of the detectors from a file."""
        try:
            channels = read_channel_map(path)
        except SettingsError as error:
            self.banner.say(str(error), level="warning")
            return
        self.bridge.change(changes.take_channel_map, ChannelMap(path, channels))
        ignored = sum(one.ignore for one in channels)
        told = f", {ignored} of them to ignore" if ignored else ""
        self.bridge.log(f"Took the channel map {path.name}: {counted(len(channels), 'channel')}{told}")

    def forget_channel_map(self) -> None:
        """Name channels by their numbers again."""
        self.bridge.change(changes.forget_channel_map)

    def _calibrate(self) -> None:
        """Calibrate with the fitted peaks, and show what comes of it."""
        self.fits_dock.show()
        self.fits_dock.raise_()
        self.fits.calibrate_with_fits()

    def _show_cuts(self) -> None:
        """Bring the panel of cuts to the front, for the cut that came into it."""
        self.cuts_dock.show()
        self.cuts_dock.raise_()

    def _look_at_fit(self, fit: Fit | NamedRegion) -> None:
        """Show a fit or a region in the spectrum."""
        if self.bridge.session.tab not in (0, 2):
            self.bridge.change(changes.choose_tab, 2)
        self.spectrum.look_at_fit(fit)

    # Settings files

    def ask_load_settings(self) -> None:
        """Ask for a settings file and take it."""
        dialog = self._file_dialog("Load settings", Path.home())
        dialog.setNameFilter("Settings (*.json)")
        dialog.fileSelected.connect(lambda name: self.load_settings(Path(name)))
        dialog.open()

    def load_settings(self, path: Path) -> None:
        """Take the options and the chain of a settings file."""
        try:
            data = read_settings(path, tier0=Tier0Options)
        except PluginNeeded as needed:
            why = f"{path.name} needs the plug-in {needed.path.name}"
            self.plugins.need(needed.path, lambda: self.load_settings(path), why=why)
            return
        except SettingsError as error:
            self.banner.say(str(error), level="warning")
            return
        session = self.bridge.session
        chain = saved.chain_of(data["chain"]) if "chain" in data else session.chain
        self.bridge.change(changes.set_chain, chain, data.get("tier0", session.tier0))
        self.bridge.log(f"Took the settings of {path.name}")
        if unused := [name for name in ("outputs", "save_waves") if data.get(name)]:
            said = " and ".join(unused)
            self.bridge.log(
                f"{path.name}: {said} has no effect here: all columns are written, and no waves of steps",
                "warning",
            )

    def ask_add_plugin(self) -> None:
        """Ask for a Python file with further processors, and whether it may be run."""
        dialog = self._file_dialog("Add a plug-in", Path.home())
        dialog.setNameFilter("Python files (*.py)")
        dialog.fileSelected.connect(lambda name: self.add_plugin(Path(name)))
        dialog.open()

    def add_plugin(self, path: Path) -> None:
        """Add the processors of a Python file, once somebody agreed to run it."""
        self.plugins.need(path, lambda: None, why=f"The plug-in {path.name} adds steps to the library")

    def settings_text(self) -> str:
        """Give the options and the chain as a settings file holds them."""
        session = self.bridge.session
        plugins = plugins_for(session.chain, Path())
        whole = {"tier0": dict(session.tier0), "chain": session.to_chain(), "plugins": plugins}
        return settings_text(whole)

    def _settings_name(self) -> str:
        run = self.bridge.session.selected_run
        return "settings.json" if run is None else f"settings_{run.stem}.json"

    def ask_save_settings(self) -> None:
        """Ask where to save the options and the chain."""
        dialog = self._file_dialog("Save settings", Path.home())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Settings (*.json)")
        dialog.setDefaultSuffix("json")
        dialog.fileSelected.connect(lambda name: self.save_settings(Path(name)))
        dialog.open()

    def save_settings(self, path: Path) -> None:
        """Save the options and the chain."""
        session = self.bridge.session
        try:
            plugins = plugins_for(session.chain, path.parent)
            write_settings(path, tier0=dict(session.tier0), chain=session.to_chain(), plugins=plugins)
        except OSError as error:
            self.banner.say(f"{path.name} could not be written: {error.strerror}", repr(error))
            return
        self.bridge.log(f"Saved the settings as {path}")

    # Looks

    def apply_theme(self, name: str) -> None:
        """Put a theme on the window and all views."""
        theme.apply(name)
        for view in self.views.values():
            view.recolor()

    def rehearse(self) -> None:
        """Draw made-up data once, unseen: the first real picture then comes without delay."""
        page = self.stack.currentIndex()
        self.stack.setCurrentIndex(1)
        self.waveforms.rehearse()
        self.spectrum.rehearse()
        self.plane.rehearse()
        self.grab()
        self.stack.setCurrentIndex(page)

    def choose_theme(self, name: str) -> None:
        """Choose the theme."""
        self.bridge.change(changes.choose_theme, name)

    def go_to_tab(self, tab: int) -> None:
        """Show one of the tabs, and let the keys of its picture work at once."""
        if not 0 <= tab < len(TABS):
            return
        focus = self.focusWidget()
        self.bridge.change(changes.choose_tab, tab)
        view = (self.waveforms, self.waveforms, self.spectrum, self.plane, self.trends, self.channels)[tab]
        # Qt gives the focus of what is hidden to whatever comes next: a box below the picture.
        if focus is None or not self.pages.isAncestorOf(focus) or not focus.isVisible():
            pictures = (stop for stop in view.stops() if isinstance(stop, QAbstractScrollArea))
            next((one for one in pictures if one.isVisibleTo(view)), view).setFocus()

    def toggle_log(self) -> None:
        """Show or hide the log."""
        self._toggle_bottom(self.log_dock, LOG_HEIGHT)

    def toggle_files(self) -> None:
        """Show or hide the files."""
        self._toggle_bottom(self.files_dock, FILES_HEIGHT)
        if self.files_dock.isVisible():
            self.files.tree.setFocus()

    def _toggle_bottom(self, dock: QDockWidget, height: int) -> None:
        """Show a panel at the bottom in front of the other there; hide it if it is in front."""
        inside = dock.widget()
        assert inside is not None
        if dock.isVisible() and not inside.visibleRegion().isEmpty():
            dock.hide()
        else:
            self._show_bottom(dock, height)

    def _show_bottom(self, dock: QDockWidget, height: int) -> None:
        was_visible = self.log_dock.isVisible() or self.files_dock.isVisible()
        dock.show()
        dock.raise_()
        if not was_visible:
            self.resizeDocks([dock], [height], Qt.Orientation.Vertical)

    def show_keys(self) -> None:
        """Show all keys."""
        bar = self.menuBar()
        assert bar is not None
        KeySheet(bar, self).show()

    def show_palette(self) -> None:
        """Find a command by its name."""
        bar = self.menuBar()
        assert bar is not None
        Palette(self, bar, without=self.menus.find_action).open()

    def show_about(self) -> None:
        """Say what this program is."""
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("About pygama")
        about = "From raw ORCA files of germanium detectors to waveforms and spectra."
        box.setText(f"<b>pygama {pygama.__version__}</b><p>{about}</p><p>GPL-3.0-or-later</p>")
        box.open()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no longer."""
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def show_dock_titles(self, is_wanted: bool) -> None:  # noqa: FBT001
        """Show bars by which the panels can be moved."""
        for dock in self.findChildren(QDockWidget):
            old = dock.titleBarWidget()
            dock.setTitleBarWidget(None if is_wanted else QWidget())
            if old is not None:
                old.deleteLater()

    # Qt's events

    def childEvent(self, event: QChildEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Name the tabs that Qt makes for panels that lie on each other."""
        super().childEvent(event)
        if event is not None and event.type() == QEvent.Type.ChildPolished:
            tabs = event.child()
            if isinstance(tabs, QTabBar):
                tabs.setAccessibleName("Panels that lie on each other")

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take files that are held over the window."""
        if event is not None and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.veil.cover()
            self.runs.highlight(is_over=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show the window again."""
        self._end_drag()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take files that are let go over the window."""
        self._end_drag()
        if event is not None:
            event.acceptProposedAction()
            self.add_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def _end_drag(self) -> None:
        self.veil.hide()
        self.runs.highlight(is_over=False)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Keep the veil over all of the window."""
        super().resizeEvent(event)
        if self.veil.isVisible():
            self.veil.cover()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Remember everything and end every process that was started."""
        if event is not None and not self.quitting.is_free():
            event.ignore()
            return
        self.layouts.note()
        self.hide()
        self.settings_bar.handle.let_go()
        self.bridge.close()
        if self.keeper is not None:
            self.keeper.end()
            self.keeper = None
        super().closeEvent(event)


def _in_panel(view: QWidget) -> QWidget:
    frame, column = panel(margin=12, spacing=8)
    column.addWidget(view, 1)
    return frame


def _with_margins(inside: QWidget, margins: tuple[int, int, int, int]) -> QWidget:
    outer = QWidget()
    column = QVBoxLayout(outer)
    column.setContentsMargins(*margins)
    column.addWidget(inside)
    return outer
