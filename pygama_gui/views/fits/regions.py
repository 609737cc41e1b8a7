"""Lists the regions of the session with what they hold on the selected run."""

from __future__ import annotations

import math
from collections.abc import Callable

from PyQt5.QtCore import QSignalBlocker, Qt
from PyQt5.QtWidgets import QApplication, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from pygama.analysis.regions import Region
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts
from pygama_gui.machine.fitting import Measured
from pygama_gui.session import fit_changes
from pygama_gui.session.state import NamedRegion
from pygama_gui.widgets import words
from pygama_gui.widgets.parts import label
from pygama_gui.widgets.plot import Entry, plot_actions
from pygama_gui.widgets.table import error_below, quiet_table, unit_below

HEADS = ("Region", "Net", "Gross", "Centroid", "FWHM", "FWTM", "Rate")
UNITS = {1: "counts", 2: "counts", 6: "1/s"}
OF_COLUMN = (3, 4, 5)
"""Those in the unit of the column that the region is of."""
DISPENSABLE = (5, 2, 6)
"""Columns that go where there is no room; they are told when the mouse rests on the row."""


class RegionTable(QWidget):
    """The table of regions. `look` is called with the region that somebody wants to see."""

    def __init__(self, bridge: Bridge, look: Callable[[NamedRegion], None]) -> None:
        super().__init__()
        self.bridge = bridge
        self._look = look
        self._regions: tuple[NamedRegion, ...] = ()
        self.table = quiet_table("Regions of the spectrum", HEADS, DISPENSABLE)
        self.table.itemChanged.connect(self._renamed)
        self.table.cellDoubleClicked.connect(lambda *_: self.look())
        self.actions_of = plot_actions(self.table, self._entries())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        column.addWidget(label("Regions", bold=True))
        column.addWidget(self.table)

    def _entries(self) -> list[Entry]:
        return [
            ("Look at the region in the spectrum", "Return", self.look),
            ("Rename the region", "F2", self.edit_name),
            ("Remove the region from the list | roi delete", "Del", self.remove),
            ("Copy the regions as text | roi counts clipboard", "Ctrl+C", self.copy),
        ]

    @property
    def chosen(self) -> NamedRegion | None:
        """The region whose row is the present one."""
        at = self.table.currentRow()
        return self._regions[at] if 0 <= at < len(self._regions) else None

    def look(self) -> None:
        """Look at the region in the spectrum."""
        if (region := self.chosen) is not None:
            self._look(region)

    def edit_name(self) -> None:
        """Type another name in the table."""
        if self.chosen is not None:
            self.table.setFocus()
            self.table.editItem(self.table.item(self.table.currentRow(), 0))

    def remove(self) -> None:
        """Remove the region from the list."""
        if (region := self.chosen) is not None:
            self.bridge.change(fit_changes.remove_region, region.name)

    def copy(self) -> None:
        """Copy the table with tabs between the values."""
        lines = ["\t".join(self._heads_in_line())]
        lines += ["\t".join(texts) for texts in map(self._texts, self._regions)]
        QApplication.clipboard().setText("\n".join(lines) + "\n")
        self.bridge.log(f"Copied {len(self._regions)} rows of regions")

    def show_present(self) -> None:
        """Show the regions of the session with what they hold."""
        if not (self.bridge.session.regions or self._regions):
            self.setVisible(False)
            return
        self._regions = self.bridge.session.regions
        self.setVisible(bool(self._regions))
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(self._regions))
            self.table.setHorizontalHeaderLabels(self._heads())
            heads = self._heads_in_line()
            for at, region in enumerate(self._regions):
                texts = self._texts(region)
                told = "\n".join(
                    [
                        *(f"{head} {text}" for head, text in zip(heads, texts, strict=True) if text),
                        *self._why_no_net(region),
                    ]
                )
                for place, text in enumerate(texts):
                    item = QTableWidgetItem(error_below(text) if place else text)
                    item.setToolTip(told)
                    self.table.setItem(at, place, item)
            self.table.make_room()

    @property
    def _unit(self) -> str | None:
        """The unit of all regions; None where they have several, as those of ADC counts and energies."""
        units = {chain_facts.unit_of(region.column) for region in self._regions}
        return units.pop() if len(units) == 1 else None

    def _heads(self) -> list[str]:
        units = UNITS | dict.fromkeys(OF_COLUMN, self._unit or "")
        return [unit_below(head, units.get(at, "")) for at, head in enumerate(HEADS)]

    def _heads_in_line(self) -> list[str]:
        return [head.replace("\n", " ") for head in self._heads()]

    def _texts(self, region: NamedRegion) -> list[str]:
        held = self.bridge.fitting.measured(self.bridge.session.selected, region.name)
        texts = [region.name, *cells(held)]
        own = chain_facts.unit_of(region.column) if self._unit is None else ""
        return [
            f"{text} {own}".rstrip() if at in OF_COLUMN and text and text != words.UNKNOWN else text
            for at, text in enumerate(texts)
        ]

    def _why_no_net(self, region: NamedRegion) -> list[str]:
        held = self.bridge.fitting.measured(self.bridge.session.selected, region.name)
        why = "" if held is None or held.found is None else held.found.why_no_net
        return [f"No net counts: {why}"] if why else []

    def _renamed(self, item: QTableWidgetItem) -> None:
        region = self.chosen
        if region is not None and item.column() == 0:
            self.bridge.change(fit_changes.rename_region, region.name, item.text().strip())
            self.show_present()

    def stops(self) -> list[QTableWidget]:
        """Give what Tab goes through, in order."""
        return [self.table]


def cells(held: Measured | None) -> list[str]:
    """Give the words of a row, from the net counts on."""
    found = None if held is None else held.found
    if found is None:
        return ["…" if held is None else held.problem or "too narrow", *[""] * (len(HEADS) - 2)]
    return [_pair(found, "net"), words.grouped(found.gross, 0), *(_pair(found, name) for name in HEADS_OF)]


HEADS_OF = ("centroid", "fwhm", "fwtm", "rate")


def _pair(found: Region, name: str) -> str:
    value, error = getattr(found, name), getattr(found, f"{name}_error")
    return words.with_error(value, error) if math.isfinite(value) else words.UNKNOWN
