"""Puts runs of the list together as data sets: those that are selected, or a range of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QVBoxLayout, QWidget

from pygama.errors import SettingsError
from pygama_gui.bridge import Bridge
from pygama_gui.data.live_run import tier1_among
from pygama_gui.jobs.board import as_sentence
from pygama_gui.session import set_changes
from pygama_gui.session.state import Member, Run, ranges_of
from pygama_gui.widgets import theme
from pygama_gui.widgets.parts import label


def members_of(bridge: Bridge, runs: Iterable[Run]) -> list[Member]:
    """Give those of the runs that were processed to their end, with their files."""
    return list(_members(bridge, runs))


def has_several_members(bridge: Bridge, runs: Iterable[Run]) -> bool:
    """Tell whether two of the runs or more were processed to their end."""
    return len(list(islice(_members(bridge, runs), 2))) > 1


def _members(bridge: Bridge, runs: Iterable[Run]) -> Iterator[Member]:
    for run in runs:
        state = bridge.state(run.run_id)
        if state is not None and state.state == "done" and state.outputs:
            yield Member(run, state.outputs[-1], tier1_among(state.outputs, run))


def make_set(bridge: Bridge, runs: Iterable[Run]) -> str:
    """Make a data set of runs; gives the reason where that cannot be."""
    runs = list(runs)
    members = members_of(bridge, runs)
    if len(members) < len(runs):
        known = {one.run.run_id for one in members}
        numbers = ranges_of(run.run_number for run in runs if run.run_id not in known)
        return f"Runs {numbers} have no Tier 2 file yet: process them, or leave them out"
    try:
        made = set_changes.data_set_of(bridge.session, members)
    except ValueError as problem:
        return as_sentence(str(problem))
    bridge.change(set_changes.make_data_set, made)
    return ""


def make_set_of_numbers(bridge: Bridge, text: str) -> str:
    """Make a data set of the runs with these numbers, '72-75, 80'; gives the reason where that cannot be."""
    try:
        numbers = set(_read_runs(text))
    except SettingsError as problem:
        return as_sentence(str(problem))
    runs = [run for run in bridge.session.runs if run.run_number in numbers]
    if lacking := numbers - {run.run_number for run in runs}:
        return f"The list has no run {ranges_of(lacking)}"
    return make_set(bridge, runs)


class RangeDialog(QDialog):
    """Asks for the numbers of the runs."""

    def __init__(self, bridge: Bridge, parent: QWidget) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.setWindowTitle("Make a data set")
        self.field = QLineEdit()
        self.field.setAccessibleName("Runs of the data set")
        self.field.setPlaceholderText("72-75, 80")
        done = members_of(bridge, bridge.session.runs)
        self.field.setText(ranges_of(one.run.run_number for one in done))
        self.problem = label(tone="warn", px=theme.SMALL)
        self.problem.setAccessibleName("Why there is no data set")
        self.problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(label("Numbers of processed runs", bold=True))
        column.addWidget(self.field)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self.setMinimumWidth(360)

    def accept(self) -> None:
        """Make the data set; where that cannot be, say why and stay."""
        if why := make_set_of_numbers(self._bridge, self.field.text()):
            self.problem.setText(f"▲ {why}")
        else:
            super().accept()


def _read_runs(text: str) -> tuple[int, ...]:
    from pygama.dataset import read_runs  # reads files too, which the window does not need to start

    return tuple(read_runs(text))
