"""Lists what can be done with the plane: actions with keys, in menus that stand in the menu bar as well."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction

from pygama_gui.widgets.own_keys import Menu
from pygama_gui.widgets.plot import ZOOM_OUT, Entry, plot_actions

if TYPE_CHECKING:
    from pygama_gui.views.plane.view import PlaneView

WAYS = (
    ("to the left", "Left", -1, 0),
    ("to the right", "Right", 1, 0),
    ("up", "Up", 0, 1),
    ("down", "Down", 0, -1),
)


class PlaneActions:
    """The actions of the plane."""

    def __init__(self, view: PlaneView) -> None:
        self._view = view
        gating = self._actions(self._gating())
        close = next(one for one in gating if one.shortcut() == QKeySequence("Return"))
        close.setShortcuts([QKeySequence("Return"), QKeySequence("Enter")])
        self.all = [
            *self._actions(self._looking()),
            self._line(),
            self._submenu("&Bins", self._actions(self._binning())),
            self._submenu("&Columns", self._actions(self._columns())),
            self._submenu("&Draw", self._actions(self._drawing())),
            self._submenu("&Gates", gating),
            self._submenu("&Move", self._actions(self._moving())),
            self._line(),
            *self._actions(self._exporting()),
        ]

    def _actions(self, entries: list[Entry]) -> list[QAction]:
        return plot_actions(self._view.plot, entries)

    def _line(self) -> QAction:
        line = QAction(self._view)
        line.setSeparator(True)
        return line

    def _submenu(self, name: str, actions: list[QAction]) -> QAction:
        menu = Menu(name, self._view)
        menu.addActions(actions)
        action = menu.menuAction()
        assert action is not None
        return action

    def _looking(self) -> list[Entry]:
        view = self._view
        return [
            ("Show &all | unzoom reset zoom out home full view whole range", "A", view.show_all),
            ("&Reset axes | zoom default", "R", view.show_all),
            ("Autoscale &x | fit range limits zoom", "X", view.autoscale_x),
            ("Autoscale &y | fit range limits zoom height", "Y", view.autoscale_y),
            ("Autoscale the colours | colors z range", "Z", view.autoscale_z),
            ("&Logarithmic / linear colours | scale lin colors", "L", partial(view.toggle, "is_log")),
            ("Zoom &in | closer magnify", "+", lambda: view.box.zoom(1 / ZOOM_OUT)),
            ("Zoom &out | wider", "-", lambda: view.box.zoom(ZOOM_OUT)),
            None,
            ("&Next channel", ".", partial(view.next_channel, 1)),
            ("&Previous channel", ",", partial(view.next_channel, -1)),
        ]

    def _binning(self) -> list[Entry]:
        view = self._view
        return [
            ("&More bins | rebin binning finer", "[", partial(view.rebin, 0.5)),
            ("&Fewer bins | rebin binning coarser", "]", partial(view.rebin, 2.0)),
            ("A&utomatic bins", "0", lambda: view.choose(x_width=None, y_width=None)),
            None,
            ("More bins of &x", "Alt+[", partial(view.rebin, 0.5, y=False)),
            ("Fewer bins of x", "Alt+]", partial(view.rebin, 2.0, y=False)),
            ("More bins of &y", "Alt+Shift+[", partial(view.rebin, 0.5, x=False)),
            ("Fewer bins of y", "Alt+Shift+]", partial(view.rebin, 2.0, x=False)),
        ]

    def _columns(self) -> list[Entry]:
        view = self._view
        return [
            ("&A/E against energy | psd pulse shape aoe", "K", view.show_shape),
            ("Against &time / against energy", "T", view.toggle_time),
            ("&Swap the axes | exchange flip", "S", view.swap),
        ]

    def _drawing(self) -> list[Entry]:
        view = self._view
        return [
            ("Show / hide the p&rojections | histogram sides", "E", partial(view.toggle, "has_edges")),
            ("Pr&ofile: none / mean / median", "O", view.next_profile),
            ("&Normalise each slice of x", "Shift+U", partial(view.toggle, "is_normalised")),
            ("&Points / counts | scatter histogram", "V", view.toggle_style),
            ("Points where they are &few", "Shift+V", lambda: view.choose(style="auto")),
            ("Show / hide what the &cuts take away", "B", partial(view.toggle, "has_all")),
        ]

    def _gating(self) -> list[Entry]:
        gates = self._view.gates
        return [
            ("Draw a &polygon | lasso gate cut select", "G", partial(gates.begin, "polygon")),
            ("Make a &rectangle | gate cut box select", "Shift+R", partial(gates.begin, "rectangle")),
            ("Make a range of &x | gate cut", "Shift+X", partial(gates.begin, "x")),
            ("Make a range of &y | gate cut", "Shift+Y", partial(gates.begin, "y")),
            None,
            ("Set a cor&ner at the cursor", "Space", gates.set_corner),
            ("&Close the polygon", "Return", gates.close),
            ("Take the last corner &back", "Backspace", gates.take_back),
            ("&Give up | cancel abort", "Esc", self._view.give_up),
            None,
            ("Bring the gate into &view", "F", gates.show_chosen),
            ("R&emove the corner or the gate", "Del", gates.remove),
        ]

    def _moving(self) -> list[Entry]:
        view = self._view
        near: list[Entry] = [(f"Move {words}", key, partial(view.nudge, x, y)) for words, key, x, y in WAYS]
        far: list[Entry] = [
            (f"Move far {words}", f"Shift+{key}", partial(view.nudge, x, y, is_far=True))
            for words, key, x, y in WAYS
        ]
        return [*near, None, *far]

    def _exporting(self) -> list[Entry]:
        view = self._view
        return [
            (
                "Sa&ve as PNG, SVG or CSV… | export picture image plot figure screenshot print pdf",
                "Ctrl+Alt+S",
                view.exporter.ask,
            ),
            ("Copy as CSV | clipboard export data table", "Ctrl+C", view.exporter.copy),
            ("Copy as pic&ture | clipboard image screenshot plot", "Ctrl+Alt+C", view.exporter.copy_picture),
        ]
