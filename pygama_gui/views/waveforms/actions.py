"""Lists what can be done with waveforms: actions with keys, in menus that stand in the menu bar as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QMenu

from pygama_gui.data.shaping import ALIGNED_BY, energy_source
from pygama_gui.jobs.board import counted
from pygama_gui.views.waveforms.browser import PACES
from pygama_gui.views.waveforms.cursors import FAR
from pygama_gui.views.waveforms.traces import outputs_of
from pygama_gui.widgets import menu_words, words
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.plot import ZOOM_OUT, Entry, plot_actions

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

MANY = (100, 300, 1000, 3000, 10_000)
OVERLAYS = (1, 5, 20, 50)
PAN = 0.1
NO_ENERGY = "No calibration is known: calibrate the run in Fits, or put calibrate into the chain"


class WaveformActions:
    """The actions of the waveform view, and the menus that say what is chosen when they open."""

    def __init__(self, view: WaveformView) -> None:
        self._view = view
        browse = self._actions(self._browsing())
        browse[0].setShortcuts([QKeySequence("N"), QKeySequence("Down")])
        browse[1].setShortcuts([QKeySequence("Shift+N"), QKeySequence("Up")])
        self.all = [
            *browse,
            self._menu("Pace of playing | speed rate slower faster", self._fill_paces),
            self._separator(),
            *self._actions(self._looking()),
            self._separator(),
            self._submenu("Pic&ture | mode", self._actions(self._pictures()), self._fill_pictures),
            self._menu("Curves and val&ues | traces legend steps", self._fill_steps),
            self._submenu("&Heights", self._actions(self._heights()), self._fill_heights),
            self._menu("Align | shift time", self._fill_alignment),
            self._submenu("Noise &spectrum", self._actions(self._noise())),
            self._submenu("&Cursors", self._actions(self._cursors())),
            self._separator(),
            *self._actions(self._exporting()),
        ]
        self.only_roi = self.find("Only events in the region of the spectrum")
        self.only_passing = self.find("Only events that pass the cuts")
        for one in (self.only_roi, self.only_passing):
            one.setCheckable(True)
        self.energy = self.find("Energy in keV")
        self.show_energy()

    def _actions(self, entries: list[Entry]) -> list[QAction]:
        return plot_actions(self._view, entries)

    def find(self, words: str) -> QAction:
        """Find an action by its words."""
        return next(one for one in self.walk() if one.text().replace("&", "") == words)

    def walk(self) -> Iterable[QAction]:
        """Give all actions, those in menus too."""
        return self._walk(self.all)

    def _walk(self, actions: Iterable[QAction]) -> Iterable[QAction]:
        for action in actions:
            yield action
            if (menu := action.menu()) is not None:
                yield from self._walk(menu.actions())

    def _browsing(self) -> list[Entry]:
        view = self._view
        return [
            ("&Next | forward waveform trace event", "N", lambda: view.step(1)),
            ("&Previous | back waveform trace event last", "Shift+N", lambda: view.step(-1)),
            ("&Jump to a waveform… | go number index", "J", view.bar.ask_jump),
            ("Jump to an &event… | go find number", "Shift+J", view.bar.ask_jump_to_event),
            (
                "&Freeze the waveforms alone / follow, play / stop | live pause hold",
                "Space",
                view.toggle_following,
            ),
            ("Play through / stop | slideshow movie animate start browse", "G", view.browser.play),
            (
                "Only events in the &region of the spectrum | filter roi interest peak",
                "I",
                view.toggle_only_roi,
            ),
            ("Only events that pass the cuts | filter passing select", "Shift+I", view.toggle_only_passing),
        ]

    def _looking(self) -> list[Entry]:
        view = self._view
        return [
            ("Show &all | unzoom reset zoom out home full view whole range", "A", view.show_all),
            ("Reset axes | zoom default", "R", view.show_all),
            ("Autoscale &x | fit range limits zoom", "X", view.autoscale_x),
            ("Autoscale &y | fit range limits zoom height", "Y", view.autoscale_y),
            ("Zoom &in | closer magnify", "+", lambda: view.plot.box.zoom(1 / ZOOM_OUT)),
            ("Zoom &out | wider", "-", lambda: view.plot.box.zoom(ZOOM_OUT)),
            ("Move to the left", "Left", lambda: view.nudge(-1)),
            ("Move to the right", "Right", lambda: view.nudge(1)),
            ("Move far to the left", "Shift+Left", lambda: view.nudge(-FAR)),
            ("Move far to the right", "Shift+Right", lambda: view.nudge(FAR)),
        ]

    def _pictures(self) -> list[Entry]:
        view = self._view
        return [
            ("&Waveforms | traces pulses", "W", lambda: view.choose(picture="traces")),
            (
                "&Density of many | persistence heatmap overlay superpose",
                "D",
                lambda: view.choose(picture="density"),
            ),
            ("Noise &spectrum | fft fourier power frequency psd", "S", lambda: view.choose(picture="noise")),
            ("&Inside of the chosen cut | average passing", "E", lambda: view.choose(picture="inside")),
            (
                "&Outside of the chosen cut | average failing rejected",
                "Shift+E",
                lambda: view.choose(picture="outside"),
            ),
            (
                "Di&fference of inside and outside | compare subtract contrast",
                "T",
                lambda: view.choose(picture="difference"),
            ),
            None,
            ("Most t&ypical and most extreme | outliers unusual strange", "Q", view.toggle_extremes),
            ("Cut by a &box… | gate select draw", "B", view.mark_box),
            ("Remove the c&hosen box", "Del", view.drawn_boxes.remove),
            ("Give up mar&king | cancel abort", "Esc", view.give_up),
            ("&Curves and values… | traces legend steps show hide", "V", lambda: view.bar.steps.open()),
        ]

    def _heights(self) -> list[Entry]:
        view = self._view
        return [
            ("Above the &baseline / raw | subtract adc units", "U", view.toggle_baseline),
            ("Nor&malise to the maximum | normalize scale height", "Shift+U", view.toggle_normalised),
            ("Energy in &keV | calibrated calibration units", "K", view.toggle_calibrated),
        ]

    def _noise(self) -> list[Entry]:
        view = self._view
        return [
            (
                "&Logarithmic / linear noise | scale lin",
                "Shift+L",
                lambda: view.choose(is_log=not view.choice.is_log),
            ),
            (
                "Roo&t of the power / power",
                "Shift+S",
                lambda: view.choose(is_amplitude=not view.choice.is_amplitude),
            ),
            (
                "Of the whole record / of the baseline",
                "Shift+W",
                lambda: view.choose(is_whole_record=not view.choice.is_whole_record),
            ),
        ]

    def _cursors(self) -> list[Entry]:
        view = self._view
        return [
            ("Show / &hide the cursors | measure time difference delta markers", "M", view.toggle_cursors),
            ("Move the other cursor", "O", view.next_cursor),
        ]

    def _exporting(self) -> list[Entry]:
        return [
            (
                "Save as PN&G, SVG or CSV… | export picture image plot figure screenshot print pdf waveform",
                "Ctrl+Alt+S",
                self._view.ask_export,
            ),
            ("Copy as CSV | clipboard export data", "Ctrl+C", self._view.copy_csv),
        ]

    # Menus

    def _separator(self) -> QAction:
        line = QAction(self._view)
        line.setSeparator(True)
        return line

    def _menu(self, name: str, fill: Callable[[QMenu], None]) -> QAction:
        """Make a menu that is filled when it opens."""
        menu = Menu(name, self._view)
        menu.setToolTipsVisible(True)

        def refill() -> None:
            menu.clear()
            fill(menu)

        menu.aboutToShow.connect(refill)
        fill(menu)
        return _action_of(menu)

    def _submenu(
        self, name: str, actions: list[QAction], fill: Callable[[QMenu], None] | None = None
    ) -> QAction:
        """Make a menu of actions with keys, and of choices that are listed when it opens."""
        menu = Menu(name, self._view)
        menu.setToolTipsVisible(True)

        def refill() -> None:
            for action in menu.actions():
                if action not in actions:
                    menu.removeAction(action)
                    action.deleteLater()
            if fill is not None:
                fill(menu)

        menu.addActions(actions)
        menu.aboutToShow.connect(refill)
        return _action_of(menu)

    def _tick(self, menu: QMenu, text: str, act: Callable[[], None], *, is_on: bool) -> None:
        action = menu_words.name(QAction(menu), text)
        menu.addAction(action)
        action.setCheckable(True)
        action.setChecked(is_on)
        action.triggered.connect(lambda _checked=False: act())

    def _fill_paces(self, menu: QMenu) -> None:
        for pace in PACES:
            is_on = self._view.choice.pace == pace
            text = f"{counted(round(pace), 'waveform')} a second"
            self._tick(menu, text, partial(self._view.choose, pace=pace), is_on=is_on)

    def _fill_pictures(self, menu: QMenu) -> None:
        view = self._view
        menu.addSeparator()
        for n in OVERLAYS:
            text = "One waveform" if n == 1 else f"{n} over each other | overlay superpose several many"
            is_on = view.choice.picture == "traces" and view.choice.overlay == n
            self._tick(menu, text, partial(view.choose, picture="traces", overlay=n), is_on=is_on)
        self._fill_many(menu)

    def _fill_many(self, menu: QMenu) -> None:
        menu.addSeparator()
        for n in MANY:
            text = f"Density and noise of {words.count(n)} at most"
            is_on = self._view.choice.n_many == n
            self._tick(menu, text, partial(self._view.choose, n_many=n), is_on=is_on)

    def _fill_steps(self, menu: QMenu) -> None:
        for item in self._view.step_items():
            self._tick(menu, item.words, partial(self._view.toggle_hidden, item.name), is_on=item.is_on)
        if menu.isEmpty():
            menu_words.add_note(menu, "the chain makes nothing")

    def _fill_heights(self, menu: QMenu) -> None:
        self.show_energy()
        if not self.energy.isEnabled():
            menu_words.add_note(menu, f"({NO_ENERGY})")

    def show_energy(self) -> None:
        """Offer energies where the chain or a calibration gives them, else say why not."""
        view = self._view
        source = energy_source(view.session.chain, view.calibrations)
        self.energy.setEnabled(source is not None)
        self.energy.setToolTip(f"By {source[0]}, of {source[1]}" if source else NO_ENERGY)

    def _fill_alignment(self, menu: QMenu) -> None:
        view = self._view
        times = [name for name, one in outputs_of(view.session.chain).items() if one.unit == "ns" and one.of]
        names = {"": "By the first sample"} | {name: f"By {name}" for name in (*ALIGNED_BY, *times)}
        for name, text in names.items():
            is_on = view.choice.aligned_by == name
            self._tick(menu, text, partial(view.choose, aligned_by=name), is_on=is_on)


def _action_of(menu: QMenu) -> QAction:
    action = menu.menuAction()
    assert action is not None
    return action
