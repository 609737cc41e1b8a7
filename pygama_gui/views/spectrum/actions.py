"""Lists what can be done with a spectrum: actions with keys, some of them in menus of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QAction, QActionGroup, QMenu

from pygama_gui.session.state import STRIPS, DataSet
from pygama_gui.widgets import menu_words
from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.plot import ZOOM_OUT, Entry, plot_actions

if TYPE_CHECKING:
    from pygama_gui.views.spectrum.view import SpectrumView

SHORTCUTS = (
    ("a", "Show all"),
    ("r", "Reset axes"),
    ("x", "Autoscale x"),
    ("y", "Autoscale y"),
    ("l", "Logarithmic or linear"),
    ("Shift+Y", "Counts per bin, or rate density as counts/keV/s"),
    ("[", "Twice as many bins"),
    ("]", "Half as many bins"),
    ("0", "Bins that suit the counts"),
    ("c", "Centre on the next highest peak"),
    ("+", "Zoom in"),
    ("-", "Zoom out"),
    ("b", "Show or hide the other runs"),
    ("d", "Difference to the other run"),
    ("Shift+D", "Ratio to the other run"),
    ("f", "Bring the region into view"),
    ("Shift+F", "Fit what is in the region"),
    ("g", "Fit the peak at the cursor"),
    ("e", "Move the ends of the chosen fit by arrow keys"),
    ("i", "Integrate the region"),
    ("Shift+I", "Keep the region by name"),
    ("p", "Search peaks in view"),
    ("Shift+P", "Fit all peaks in view"),
    ("m", "Mark the place of the cursor"),
    ("q", "Read out at the cursor"),
    ("k", "Calibrate with the fitted peaks"),
    ("Shift+K", "Calibrate what is shown"),
    ("Shift+G", "Show or hide the gamma lines"),
    (
        "Esc",
        "Put back what is dragged, give up marking; take read-out and found peaks away, let a fit's ends go",
    ),
    ("Del", "Remove what is under the mouse, or the region"),
    (".", "Next channel"),
    (",", "Previous channel"),
    ("Ctrl+Alt+S", "Save as picture, table or spectrum"),
    ("Ctrl+C", "Copy as CSV"),
    ("Ctrl+Alt+C", "Copy as picture"),
    ("Left", "Move the region or an end of the fit by a bin, or the picture"),
    ("Right", "Move the region or an end of the fit by a bin, or the picture"),
)
STRIP_WORDS = {
    "automatic": "Residuals of a fit in &view",
    "nothing": "&Nothing",
    "residuals": "&Residuals of the chosen fit",
    "difference": "&Difference to the first other run",
    "ratio": "Rat&io to the first other run",
}
FAR = 10
"""Steps of an arrow key with Shift."""


class SpectrumActions:
    """The actions of the spectrum, and the menu of what it is compared with."""

    def __init__(self, view: SpectrumView) -> None:
        self._view = view
        self.compare_menu = Menu("Compare &with | overlay runs", view)
        self.compare_menu.aboutToShow.connect(self.fill_compare_menu)
        self._compare = plot_actions(view, self._comparing())
        self._strips = self._strip_actions()
        self.peak_menu = Menu("Peak&s", view)
        self.peak_menu.addActions(plot_actions(view, self._of_peaks()))
        self.exports = plot_actions(view, self._exporting())
        self.all = plot_actions(view, [*self._looking(), None, *self._regions(), None, *self._moving()])
        self.fill_compare_menu()

    def walk(self) -> list[QAction]:
        """Give all actions, those in menus too."""
        return [*self.all, *self.peak_menu.actions(), *self._compare, *self.exports]

    def fill_menu(self, menu: QMenu) -> None:
        """Put everything into a menu."""
        menu.addActions(self.all)
        menu.addMenu(self.peak_menu)
        menu.addMenu(self.compare_menu)
        menu.addSeparator()
        menu.addActions(self.exports)

    def _looking(self) -> list[Entry]:
        view = self._view
        return [
            ("Show &all | unzoom reset zoom out home full view whole range", "A", view.show_all),
            ("&Reset axes | zoom default", "R", view.show_all),
            ("Autoscale &x | fit range limits zoom", "X", view.autoscale_x),
            ("Autoscale &y | fit range limits zoom height", "Y", view.autoscale_y),
            ("&Logarithmic / linear | scale axis lin", "L", view.toggle_log),
            (
                "Counts per bin / rate densi&ty, as counts/keV/s | normalise normalize live time unit second",
                "Shift+Y",
                view.toggle_rate,
            ),
            None,
            ("&More bins | rebin binning finer narrower", "[", lambda: view.rebin(0.5)),
            ("&Fewer bins | rebin binning coarser wider", "]", lambda: view.rebin(2.0)),
            ("A&utomatic bins | rebin binning default", "0", lambda: view.choose(width=None)),
            None,
            ("&Centre on the next highest peak | center go", "C", view.centre_on_peak),
            ("Zoom &in | closer magnify", "+", lambda: view.plot.box.zoom(1 / ZOOM_OUT)),
            ("Zoom &out | wider", "-", lambda: view.plot.box.zoom(ZOOM_OUT)),
        ]

    def _regions(self) -> list[Entry]:
        view = self._view
        return [
            ("Mark a re&gion | roi interest select range window", "Shift+R", view.begin_region),
            ("Give up mar&king | cancel abort", "Esc", view.give_up),
            ("Bring the region into &view | roi interest zoom", "F", view.show_region),
            ("R&emove the region | roi interest delete clear", "Del", view.remove_under_mouse),
        ]

    def _of_peaks(self) -> list[Entry]:
        peaks = self._view.peaks
        return [
            ("Fit the peak at the &cursor | gauss gaussian resolution fwhm width", "G", peaks.fit_here),
            (
                "&Fit the region | roi gauss gaussian peak resolution fwhm width background",
                "Shift+F",
                peaks.fit_region,
            ),
            (
                "Fit &all peaks in view | gauss gaussian resolution fwhm width automatic",
                "Shift+P",
                peaks.fit_found,
            ),
            (
                "Move the &ends of the chosen fit | range window limits edges resize wider narrower",
                "E",
                peaks.fit_ends.take_next,
            ),
            None,
            ("&Search peaks in view | find detect lines", "P", peaks.search),
            ("&Integrate the region | roi area counts sum net background", "I", peaks.integrate),
            ("&Keep the region by name | roi save store", "Shift+I", peaks.keep_region),
            ("&Mark the place of the cursor | marker label line", "M", peaks.mark),
            ("&Read out at the cursor | crosshair value coordinates measure", "Q", peaks.toggle_cursor),
            None,
            (
                "Cali&brate with the fitted peaks | energy calibration kev",
                "K",
                self._view.calibrate_asked.emit,
            ),
            (
                "Calibrate what is s&hown | energy calibration kev automatic lines",
                "Shift+K",
                self._view.calibrate_shown_asked.emit,
            ),
            (
                "&Gamma lines | isotopes sources nuclides th228 co60 k40 ba133 known energies",
                "Shift+G",
                peaks.toggle_lines,
            ),
        ]

    def _moving(self) -> list[Entry]:
        view = self._view
        return [
            ("Move to the left", "Left", lambda: view.nudge(-1)),
            ("Move to the right", "Right", lambda: view.nudge(1)),
            ("Move far to the left", "Shift+Left", lambda: view.nudge(-FAR)),
            ("Move far to the right", "Shift+Right", lambda: view.nudge(FAR)),
            None,
            ("&Next channel", ".", lambda: view.controls.next_channel(1)),
            ("&Previous channel", ",", lambda: view.controls.next_channel(-1)),
        ]

    def _comparing(self) -> list[Entry]:
        view = self._view
        return [
            ("Show / &hide the other runs | compare overlay reference", "B", view.toggle_beside),
            ("Di&fference | subtract compare minus", "D", lambda: view.toggle_strip("difference")),
            ("Rati&o | divide compare", "Shift+D", lambda: view.toggle_strip("ratio")),
        ]

    def _exporting(self) -> list[Entry]:
        exporter = self._view.exporter
        return [
            (
                "Save t&he spectrum… | export picture image plot figure screenshot print png svg csv spe",
                "Ctrl+Alt+S",
                exporter.ask,
            ),
            ("Copy as CSV | clipboard export data table", "Ctrl+C", exporter.copy),
            ("Copy as picture | clipboard image screenshot plot", "Ctrl+Alt+C", exporter.copy_picture),
        ]

    def _strip_actions(self) -> list[QAction]:
        group = QActionGroup(self._view)
        made = []
        for strip in STRIPS:
            action = QAction(STRIP_WORDS[strip], group)
            action.setCheckable(True)
            action.triggered.connect(lambda _checked=False, strip=strip: self._view.choose(strip=strip))
            made.append(action)
        return made

    def fill_compare_menu(self) -> None:
        """Offer the other runs, and what is drawn below."""
        view, menu = self._view, self.compare_menu
        menu.clear()
        everything = (*view.session.data_sets, *view.session.runs)
        others = [run for run in everything if run.run_id != view.session.selected]
        for run in others:
            source = f"runs {run.numbers}" if isinstance(run, DataSet) else run.path.name
            action = menu.addAction(f"{view.bridge.name_of(run.run_id)} · {source}")
            action.setCheckable(True)
            action.setChecked(run.run_id in view.choice.others)
            action.setEnabled(view.bridge.state(run.run_id) is not None)
            action.triggered.connect(lambda _checked=False, run_id=run.run_id: view.lay_beside(run_id))
        if not others:
            menu_words.add_note(menu, "there is no other run")
        menu.addSeparator()
        menu.addActions(self._compare)
        below = Menu("Draw &below", menu)
        menu.addMenu(below)
        for strip, action in zip(STRIPS, self._strips, strict=True):
            action.setChecked(strip == view.choice.strip)
            below.addAction(action)
