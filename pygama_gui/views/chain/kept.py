"""Says what of the chain's results is kept in the files, and lets it be ticked."""

from __future__ import annotations

from PyQt5.QtWidgets import QWidget

from pygama_gui.bridge import Bridge
from pygama_gui.data.wiring import RAW, makes
from pygama_gui.jobs.board import counted
from pygama_gui.session import changes
from pygama_gui.session.state import Session
from pygama_gui.widgets.checklist import CheckList, Item
from pygama_gui.widgets.parts import Elided, row

WAVES = "waves of "
"""How the names of lines begin that stand for waveforms."""
COMPACT = "all compact"
"""Name of the line that stands for rounded columns; as it has a space, no column has it."""


class KeptLine(QWidget):
    """One line below the steps."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self.words = Elided()
        self.words.setAccessibleName("What is kept in the files")
        self.button = CheckList("Kept ▾", "Choose the columns and waveforms that are kept")
        self.button.toggled_one.connect(self.toggle)
        line = row()
        line.addWidget(self.words, 1)
        line.addWidget(self.button)
        self.setLayout(line)

    def show_kept(self, session: Session) -> None:
        """Show what a session keeps."""
        columns, waves = makes(session.chain, waves=False), makes(session.chain, waves=True)
        wanted = session.outputs or columns
        self.button.set_items(
            [
                *(Item(name, name, name in wanted, kind="plain") for name in columns),
                *(
                    Item(WAVES + name, f"{name}, {_about(name)}", name in session.save_waves, kind="plain")
                    for name in waves
                ),
                Item(COMPACT, "compact: rounded to 1/256 ADC, half the size", session.compact, kind="plain"),
            ]
        )
        self.words.setText(_sentence(session, columns))

    def toggle(self, name: str) -> None:
        """Keep a column or a waveform, or no longer, or round; one column stays at least."""
        session = self._bridge.session
        if name == COMPACT:
            self._bridge.change(changes.set_compact, not session.compact)
            return
        if name.startswith(WAVES):
            wave = name.removeprefix(WAVES)
            every = makes(session.chain, waves=True)
            kept = {*session.save_waves} ^ {wave}
            self._bridge.change(changes.keep_waves, [one for one in every if one in kept])
            return
        every = makes(session.chain, waves=False)
        kept = {*(session.outputs or every)} ^ {name}
        if kept:
            ordered = [one for one in every if one in kept]
            self._bridge.change(changes.keep_columns, [] if len(ordered) == len(every) else ordered)
        else:
            self.button.recolor()  # the tick comes back


def _about(name: str) -> str:
    return "as recorded" if name == RAW else "whole waveforms"


def _sentence(session: Session, columns: tuple[str, ...]) -> str:
    made = counted(len(columns), "column")
    kept = f"{len(session.outputs)} of {made}" if session.outputs else f"all {made}"
    waves = f" and {', '.join(session.save_waves)}" if session.save_waves else ""
    rounded = ", compact" if session.compact else ""
    return f"Tier 2 keeps {kept}{waves}{rounded}"
