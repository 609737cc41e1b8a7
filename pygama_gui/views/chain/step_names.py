"""Lets a person choose which arrays a step reads, and what it calls those that it writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import QSignalBlocker, pyqtSignal
from PyQt5.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from pygama.processing.declare import Processor
from pygama_gui.data.wiring import Wire, plain_reads
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import choice_box, label
from pygama_gui.widgets.typed_line import TypedLine


class NamesForm(QWidget):
    """A list of choices for each input, and a line for each output."""

    input_chosen = pyqtSignal(str, str)
    """Name that the processor reads, and the array to read; empty leaves it to the chain."""
    renamed = pyqtSignal(str, str)
    """Name that the processor writes, and the name to give it."""

    def __init__(self, known: Processor) -> None:
        super().__init__()
        self.is_taken: Callable[[str], bool] = lambda _name: False
        self.boxes: dict[str, QComboBox] = {}
        self.lines: dict[str, QLineEdit] = {}
        self.error = label(px=theme.SMALL, tone="bad")
        self.error.setWordWrap(True)
        self.error.hide()
        self._offered: dict[str, list[str]] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        for name in plain_reads(known):
            box = choice_box(f"Array that is read as {name}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.activated.connect(lambda at, name=name: self.input_chosen.emit(name, self._offered[name][at]))
            self.boxes[name] = box
            self._add(f"reads {name}", box)
        for name, _ in known.writes:
            line = TypedLine()
            line.setAcceptDrops(False)
            line.setAccessibleName(f"Name of the output {name}")
            line.setToolTip(f"What {known.name} writes as {name}; letters, digits and underscores")
            line.textEdited.connect(partial(self._complain, line))
            line.editingFinished.connect(lambda name=name, line=line: self._finish(name, line))
            self.lines[name] = line
            self._add(f"writes {name}", line)
        self._grid.addWidget(self.error, self._grid.rowCount(), 0, 1, 2)

    def _add(self, words: str, control: QWidget) -> None:
        row = self._grid.rowCount()
        self._grid.addWidget(label(words, tone="soft", px=theme.SMALL), row, 0)
        self._grid.addWidget(control, row, 1)

    def stops(self) -> list[QWidget]:
        """Give what Tab goes through, in order."""
        return [*self.boxes.values(), *self.lines.values()]

    def show_wire(self, wire: Wire) -> None:
        """Show what the step reads and writes."""
        for read in wire.reads:
            others = [name for name, kind in wire.offers.items() if kind == read.kind and name != read.name]
            chosen = read.asked if read.asked != read.name else ""
            names = ["", *others, *([chosen] if chosen and chosen not in others else [])]
            self._offered[read.name] = names
            box = self.boxes[read.name]
            plain = f"{read.name} (as usual)" if chosen or read.source == read.name else read.source
            with QSignalBlocker(box):
                box.clear()
                box.addItems([plain, *names[1:]])
                box.setCurrentIndex(names.index(chosen))
        for line, written in zip(self.lines.values(), wire.writes, strict=True):
            line.setProperty("written", written)
            if not line.hasFocus() or not line.isModified():
                line.setText(written)

    def _problem(self, line: QLineEdit) -> str:
        text = line.text().strip()
        if text == line.property("written"):
            return ""
        if not text.isidentifier():
            return f"a name is letters, digits and underscores, not '{text}'"
        return f"'{text}' is written already" if self.is_taken(text) else ""

    def _complain(self, line: QLineEdit, _text: str = "") -> None:
        problem = self._problem(line)
        self.error.setText(problem)
        self.error.setVisible(bool(problem))
        theme.mark(line, "wrong", bool(problem))

    def _finish(self, name: str, line: QLineEdit) -> None:
        if self._problem(line):
            line.setText(str(line.property("written")))
            self._complain(line)
        elif line.text().strip() != line.property("written"):
            self.renamed.emit(name, line.text().strip())
        line.setModified(False)
