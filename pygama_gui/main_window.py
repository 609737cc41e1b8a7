"""Puts the views together in one window: panels, tabs, menus, drops, what is remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from PyQt5.QtCore import QChildEvent, QEvent, QPoint, QSize, Qt, QTimer
from PyQt5.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFont,
    QIcon,
    QResizeEvent,
)
from PyQt5.QtWidgets import (
    QAbstractScrollArea,
    QDockWidget,
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
from pygama_gui.bridge import Bridge
from pygama_gui.desks.arrivals import FILES_HEIGHT, Arrivals, drop_words
from pygama_gui.desks.documents import Documents
from pygama_gui.desks.plugins import PluginDesk
from pygama_gui.desks.processing import AMISS, Processing
from pygama_gui.desks.quitting import Quitting
from pygama_gui.desks.settings_files import SettingsFiles
from pygama_gui.desks.tables import TableSaving
from pygama_gui.desks.waveform_saving import WaveformSaving
from pygama_gui.keeping import Keeper
from pygama_gui.layouts import Layouts
from pygama_gui.machine.threads import TURN_MS
from pygama_gui.menus import TABS, Menus
from pygama_gui.session import changes
from pygama_gui.session.files import is_hdf5
from pygama_gui.session.pictured import Zoom
from pygama_gui.session.state import Fit, NamedRegion, Session
from pygama_gui.views.base import View
from pygama_gui.views.chain.preview import PreviewView
from pygama_gui.views.chain.scan import ScanWindow
from pygama_gui.views.chain.settings_bar import SettingsBar
from pygama_gui.views.chain.view import ChainView
from pygama_gui.views.channels.view import ChannelsView
from pygama_gui.views.console import ConsoleView
from pygama_gui.views.cuts.view import CutsView
from pygama_gui.views.files.view import FilesView
from pygama_gui.views.fits.view import FitsView
from pygama_gui.views.log import LastLineView, LogView
from pygama_gui.views.options import OptionsView
from pygama_gui.views.plane.view import PlaneView
from pygama_gui.views.runs.cards import run_title
from pygama_gui.views.runs.view import RunsView
from pygama_gui.views.spectrum.view import SpectrumView
from pygama_gui.views.strip.figures import LOG
from pygama_gui.views.strip.view import StripView
from pygama_gui.views.trends.view import TrendsView
from pygama_gui.views.waveforms.view import WaveformView
from pygama_gui.views.welcome import WelcomeView
from pygama_gui.widgets import theme
from pygama_gui.widgets.banner import Banner
from pygama_gui.widgets.consent import ConsentSheet
from pygama_gui.widgets.keysheet import KeySheet
from pygama_gui.widgets.palette import Palette
from pygama_gui.widgets.parts import panel
from pygama_gui.widgets.picture_pair import PicturePair
from pygama_gui.widgets.scrolled import Scrolled
from pygama_gui.widgets.tab_line import TabLine
from pygama_gui.widgets.veil import DropVeil

GAP = 10
LOG_HEIGHT = 170
LEAST_PANEL = 120
LIBRARY_AND_PREVIEW = 620
"""Height, in pixels, from which on the library of steps and the preview stand below each other."""
SIZE = QSize(1480, 900)
SIZE_CHOSEN = "size of text and buttons"
"""What the banner is about where another size was chosen."""


class MainWindow(QMainWindow):
    """The window. It knows the views; they do not know each other."""

    def __init__(self, bridge: Bridge, *, remembers: bool = True) -> None:
        super().__init__()
        self.bridge = bridge
        self.remembers = remembers
        self.demo_asked: Callable[[], None] = lambda: None
        self._size_drawn = bridge.session.size_percent
        """The size of text and buttons that Qt was started with."""
        self.setWindowTitle("pygama")
        self.setWindowIcon(QIcon(str(theme.resource("icons/pygama.svg"))))
        self.setObjectName("main window")
        self.setAcceptDrops(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.arrivals = Arrivals(self)
        self.processing = Processing(self)
        self.settings_files = SettingsFiles(self)
        self._make_views()
        self._lay_out()
        self.layouts = Layouts(self)
        self.resize(SIZE)
        self.documents = Documents(self)
        self.tables = TableSaving(self)
        self.waveform_saving = WaveformSaving(self)
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
            "console": self.console,
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
        self.files, self.console = FilesView(bridge), ConsoleView(bridge)
        self.banner = Banner()
        self.consent = ConsentSheet()
        self.plugins = PluginDesk(bridge, self.consent)
        self.settings_bar = SettingsBar(self.settings_files.text, self.settings_files.suggested_name)
        self.save_button = self.settings_bar.save_button
        self.veil = DropVeil(self)

    def _lay_out(self) -> None:
        self.setContentsMargins(GAP, 0, GAP, 0)
        self.setCentralWidget(self._middle())
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
        self.console_dock = self._dock("Console", self.console, bottom, (0, 0, 0, 0))
        for dock in (self.files_dock, self.console_dock):
            self.tabifyDockWidget(self.log_dock, dock)
        for dock in self.bottom_docks:
            dock.hide()
        horizontal = Qt.Orientation.Horizontal
        self.resizeDocks([self.runs_dock, self.settings_dock], [292, 332], horizontal)
        self.resizeDocks(self.bottom_docks, [LOG_HEIGHT, FILES_HEIGHT, FILES_HEIGHT], Qt.Orientation.Vertical)

    def _middle(self) -> QWidget:
        self.tabs = TabLine(TABS)
        self.tabs.setAccessibleName("Pictures")
        self.tabs.tabBarClicked.connect(self.go_to_tab)
        self.split = PicturePair(self.waveforms, self.spectrum, (540, 460))
        self.split.setObjectName("waveforms and spectrum")
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
        frame, outer = panel(margin=12, spacing=12)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.options)
        self.tuning = QSplitter(Qt.Orientation.Vertical)
        self.tuning.setObjectName("chain and preview")
        self.tuning.setHandleWidth(10)
        self.tuning.setChildrenCollapsible(False)
        self.tuning.addWidget(self.chain)
        self.tuning.addWidget(self.preview)
        self.tuning.setSizes([440, 230])
        self.tuning.setStretchFactor(0, 1)
        self.chain.library_shown.connect(self._make_room_for_library)
        column.addWidget(self.tuning, 1)
        self.settings_area = Scrolled(inside, least=LEAST_PANEL, column=self.chain.column)
        outer.addWidget(self.settings_area, 1)
        outer.addWidget(self.settings_bar)
        return frame

    def _make_room_for_library(self, is_shown: bool) -> None:  # noqa: FBT001
        """Leave the preview out while a step is looked for, where there is no room for both."""
        self.preview.setVisible(not is_shown or self.tuning.height() >= LIBRARY_AND_PREVIEW)

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
        dock.visibilityChanged.connect(lambda is_shown: self._come_up(dock) if is_shown else None)
        self.addDockWidget(area, dock)
        return dock

    def _come_up(self, dock: QDockWidget) -> None:
        """Have the views of a dock drawn that came to the front, once it lies there."""
        for view in dock.findChildren(View):
            QTimer.singleShot(0, view.come_up)

    # Wiring

    def _connect(self) -> None:
        bridge = self.bridge
        bridge.session_changed.connect(self._on_session)
        bridge.jobs_changed.connect(lambda _ids: self._show_title())
        bridge.went_wrong.connect(self.processing.show_trouble)
        bridge.watching.came.connect(self.arrivals.take_new)
        bridge.room.halted.connect(self.processing.show_halted)
        bridge.rewritten.found.connect(self.processing.tell_rewritten)
        bridge.hit_tags.refused.connect(lambda why: self.banner.say(why, level="warning"))
        bridge.started.connect(self.banner.dismiss_about)
        bridge.gone.back.connect(lambda paths: self.banner.dismiss_about(set(map(str, paths))))
        self.tabs.currentChanged.connect(lambda tab: bridge.change(changes.choose_tab, tab))
        self.runs.open_asked.connect(self.arrivals.ask_open)
        self.runs.process_asked.connect(lambda _runs: self.banner.let_go())
        self.runs.process_asked.connect(self.processing.start)
        self.runs.mend_asked.connect(self.processing.mend)
        self.preview.process_asked.connect(self.processing.start_selected)
        self.chain.scan_asked.connect(self.open_scan)
        self.chain.event_asked.connect(self._show_event)
        self.settings_bar.load_asked.connect(self.settings_files.ask_load)
        self.settings_bar.save_asked.connect(self.settings_files.ask_save)
        self.settings_bar.preset_chosen.connect(lambda _path: bridge.opening.emit())
        self.settings_bar.preset_chosen.connect(self.settings_files.load)
        self.plugins.loaded.connect(self.chain.renew_library)
        self.plugins.failed.connect(lambda words: self.banner.say(words, level="warning"))
        self.waveforms.drawn.connect(lambda: self.chain.show_waveform(self.waveforms.sample))
        self.plane.event_chosen.connect(self._show_chosen)
        self.plane.waveform_asked.connect(lambda: self.go_to_tab(1))
        self.runs.beside_asked.connect(self._lay_beside)
        self.runs.next_asked.connect(self.processing.start_next)
        self.runs.follow_asked.connect(self.processing.follow)
        self.runs.table_asked.connect(lambda run, only: self.tables.ask(run, only_passing=only))
        self.runs.log_asked.connect(self.log_dock.show)
        self.strip.view_asked.connect(self._lead_to)
        self.files.open_asked.connect(self.arrivals.ask_look_into)
        self.fits.look_asked.connect(self._look_at_fit)
        self.spectrum.calibrate_asked.connect(self._calibrate)
        self.spectrum.calibrate_shown_asked.connect(self._calibrate_shown)
        self.cuts.region_taken.connect(self.show_cuts)
        shown_in = (
            (self.cuts, self.cuts_dock),
            (self.fits, self.fits_dock),
            (self.chain, self.settings_dock),
        )
        for view, dock in shown_in:
            view.sight_asked.connect(dock.show)
            view.sight_asked.connect(dock.raise_)
        self.welcome.open_asked.connect(self.arrivals.ask_open)
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
        every = [*self.waveforms.commands.walk(), *self.spectrum.actions_of.walk()]
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
        if old.chain != new.chain:
            self.banner.dismiss_about({AMISS})
        self._show_session(new)

    def _show_session(self, session: Session) -> None:
        has_any = bool(session.runs or session.data_sets)
        if has_any and self.stack.currentWidget() is self.welcome:
            if self.isVisible():
                QTimer.singleShot(TURN_MS, self._show_pictures)
            else:
                self.stack.setCurrentIndex(1)
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
        if (size := self.menus.size_actions.get(session.size_percent)) is not None:
            size.setChecked(True)
        self.menus.mark_layout(session.layout)
        self.menus.auto_action.setChecked(session.process_on_add)
        for action in self.menus.export_actions:
            action.setEnabled(bool(session.runs or session.data_sets))
        self.menus.show_watched(session.watched)
        self.menus.forget_map_action.setEnabled(bool(session.channel_map.channels))
        self._show_title()

    def _show_pictures(self) -> None:
        """Put the pictures in the place of the welcome.

        In a turn of the loop of its own, and the spectrum is painted in the one after it: to lay out and
        paint all at once, beside what the new runs bring, would hold the loop for twice as long.
        """
        session = self.bridge.session
        if self.stack.currentWidget() is not self.welcome or not (session.runs or session.data_sets):
            return
        self.spectrum.setUpdatesEnabled(False)
        self.stack.setCurrentIndex(1)
        self.waveforms.plot.setFocus()
        QTimer.singleShot(TURN_MS, self._paint_spectrum)

    def _paint_spectrum(self) -> None:
        self.spectrum.setUpdatesEnabled(True)

    def _show_title(self) -> None:
        run = self.bridge.session.selected_run
        self.setWindowTitle("pygama" if run is None else f"{run_title(run)} — pygama")

    def open_scan(self) -> None:
        """Open the grid of two settings."""
        if problem := self.scan.open_for(self.bridge.session):
            self.bridge.log(f"Nothing to scan: {problem}", "warning")

    def _calibrate(self) -> None:
        """Calibrate with the fitted peaks, and show what comes of it."""
        self.fits.come_to_sight()
        self.fits.calibrate_with_fits()

    def _calibrate_shown(self) -> None:
        """Find the lines in what the spectrum shows, and show what comes of it."""
        self.fits.come_to_sight()
        self.fits.calibration.calibrate_shown()

    def show_cuts(self) -> None:
        """Bring the panel of cuts to the front, for the cut that came into it."""
        self.cuts.come_to_sight()

    def _show_event(self, number: int) -> None:
        """Show the waveform of an event."""
        if self.bridge.session.tab not in (0, 1):
            self.go_to_tab(1)
        self.waveforms.browser.go_to_event(number)

    def _show_chosen(self, number: int) -> None:
        """Have the waveform of the event that was chosen in the plane ready."""
        chosen = self.plane.shown_event.chosen
        self.waveforms.browser.go_to_event(number, None if chosen is None else chosen.run)

    def _lay_beside(self, run_id: str) -> None:
        """Show a run beside the selected one in the spectrum, or no longer."""
        if run_id == self.bridge.session.selected or self.bridge.state(run_id) is None:
            return
        if self.bridge.session.tab not in (0, 2):
            self.go_to_tab(2)
        self.spectrum.lay_beside(run_id)

    def _look_at_fit(self, fit: Fit | NamedRegion) -> None:
        """Show a fit or a region in the spectrum."""
        if self.bridge.session.tab not in (0, 2):
            self.bridge.change(changes.choose_tab, 2)
        self.spectrum.look_at_fit(fit)

    # Looks

    def apply_theme(self, name: str) -> None:
        """Put a theme on the window and all views."""
        theme.apply(name)
        for tabs in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            tabs.setFont(_room_for_bold())  # Qt gives those of panels their first one again
        for view in self.views.values():
            view.recolor()

    def rehearse(self) -> Iterator[None]:
        """Draw made-up data, unseen, a picture at each step: the first real one then comes without delay.

        It ends as soon as there is something real to be shown.
        """
        for draw in (self.waveforms.rehearse, self.spectrum.rehearse, self.plane.rehearse, self.grab):
            if self.stack.currentWidget() is not self.welcome:
                return
            focused = self.focusWidget()
            self.stack.setCurrentIndex(1)
            draw()
            self.stack.setCurrentWidget(self.welcome)
            if focused is not None:
                focused.setFocus()
            yield

    def choose_theme(self, name: str) -> None:
        """Choose the theme."""
        self.bridge.change(changes.choose_theme, name)

    def choose_size(self, percent: int) -> None:
        """Choose the size of text and buttons, which Qt takes when it starts."""
        self.bridge.change(changes.choose_size, percent)
        if percent == self._size_drawn:
            self.banner.dismiss_about({SIZE_CHOSEN})
            return
        words = f"Text and buttons are drawn at {percent} % when the window is opened again"
        self.banner.say(words, level="offer", about=SIZE_CHOSEN)
        self.bridge.log(words)

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

    def _lead_to(self, view: str) -> None:
        """Show what a figure of the strip is taken from."""
        if view == LOG:
            self.log_dock.show()
            self.log_dock.raise_()
        else:
            self.go_to_tab(TABS.index(view))

    def toggle_log(self) -> None:
        """Show or hide the log."""
        self._toggle_bottom(self.log_dock, LOG_HEIGHT, self.log.text)

    def toggle_files(self) -> None:
        """Show or hide the files."""
        self._toggle_bottom(self.files_dock, FILES_HEIGHT, self.files.tree)

    def toggle_console(self) -> None:
        """Show or hide the console."""
        self._toggle_bottom(self.console_dock, FILES_HEIGHT, self.console.prompt)

    @property
    def bottom_docks(self) -> list[QDockWidget]:
        """The panels at the bottom, which lie on each other."""
        return [self.log_dock, self.files_dock, self.console_dock]

    def _toggle_bottom(self, dock: QDockWidget, height: int, stop: QWidget) -> None:
        """Show a panel at the bottom in front of the other there; hide it if it is in front.

        stop: where the keyboard goes on.
        """
        inside = dock.widget()
        assert inside is not None
        if not dock.isVisible() or inside.visibleRegion().isEmpty():
            self.show_bottom(dock, height)
            stop.setFocus()
            return
        focus = self.focusWidget()
        had_focus = focus is not None and dock.isAncestorOf(focus)
        dock.hide()
        if had_focus:
            self.go_to_tab(self.bridge.session.tab)

    def show_bottom(self, dock: QDockWidget, height: int) -> None:
        """Show a panel at the bottom in front of the other there."""
        was_visible = any(one.isVisible() for one in self.bottom_docks)
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
                tabs.setFont(_room_for_bold())

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take files that are held over the window."""
        if event is not None and event.mimeData().hasUrls():
            event.acceptProposedAction()
            held = _files_of(event)
            self.veil.cover(drop_words(held))
            self.runs.highlight(is_over=bool(held))

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show the window again."""
        self._end_drag()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take files that are let go over the window."""
        self._end_drag()
        if event is not None:
            event.acceptProposedAction()
            self._take_dropped(_files_of(event), event.pos())
            if elsewhere := [url.toString() for url in event.mimeData().urls() if not url.isLocalFile()]:
                self.arrivals.refuse(elsewhere)

    def _take_dropped(self, paths: list[Path], at: QPoint) -> None:
        """Take files, those over the panel of files to look into them."""
        inside = self.files_dock.geometry().contains(at) and not self.files.visibleRegion().isEmpty()
        into = [path for path in paths if is_hdf5(path)] if inside else []
        if into:
            self.bridge.opening.emit()
            self.arrivals.show_files(into)
        if not into or len(into) < len(paths):
            self.arrivals.add_paths(path for path in paths if path not in into)

    def _end_drag(self) -> None:
        self.veil.hide()
        self.runs.highlight(is_over=False)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Keep the veil over all of the window, and give what is at the bottom the width it needs."""
        super().resizeEvent(event)
        self.layouts.share_corners()
        if self.veil.isVisible():
            self.veil.cover()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Look whether another program did something meanwhile when somebody comes back to the window."""
        super().changeEvent(event)
        is_back = event is not None and event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if is_back and not self.bridge.is_closed:
            self.bridge.rewritten.look()

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


def _room_for_bold() -> QFont:
    """Give the font of tabs by which they are as wide as the bold name of the selected one."""
    return theme.font(bold=True)


def _files_of(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
