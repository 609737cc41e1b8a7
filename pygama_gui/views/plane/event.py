"""Finds the waveform of an event that was chosen in the plane and shows it in the corner."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QWidget

from pygama.quick_dataclass import dataclass
from pygama_gui.bridge import Bridge
from pygama_gui.data.samples import Sample, Tier1Waveforms
from pygama_gui.data.selection import Selection
from pygama_gui.data.set_waveforms import SetWaveforms
from pygama_gui.widgets.peek import Peek

GAP = 8


@dataclass(frozen=True)
class Chosen:
    """An event of a run, by its number and the code of its channel (None: unknown).

    run: number of the run, where it is one of a data set.
    """

    run_id: str
    number: int
    channel: int | None = None
    run: int | None = None


class EventPeek:
    """The chosen event and its waveform."""

    def __init__(self, bridge: Bridge, parent: QWidget, area: Callable[[], tuple[int, int]]) -> None:
        self._bridge, self._area = bridge, area
        self.peek = Peek(parent)
        self.chosen: Chosen | None = None

    def choose(self, chosen: Chosen | None) -> None:
        """Show the waveform of another event, or none."""
        self.chosen = chosen
        if chosen is None:
            self.peek.hide()
            return
        self._show("reading…", None)
        live = self._bridge.live(chosen.run_id)
        if live is None:
            return
        if live.tier1 is None:
            samples = live.samples.selected(Selection(chosen.channel))
            found = [one for one in samples if one.numbers.get("event_number") == chosen.number]
            self._take(chosen, found[-1] if found else None, "its waveform comes with the end of the run")
            return
        self._bridge.loading.read_waveforms(
            chosen.run_id,
            lambda file: _read(file, chosen),
            lambda sample: self._take(chosen, sample, "no waveform in the file"),
            lambda: self._take(chosen, None, "its waveform cannot be read"),
        )

    def _take(self, chosen: Chosen, sample: Sample | None, otherwise: str) -> None:
        if chosen is self.chosen:
            self._show(otherwise if sample is None else "", None if sample is None else sample)

    def _show(self, words: str, sample: Sample | None) -> None:
        chosen = self.chosen
        assert chosen is not None
        parts = [] if chosen.run is None else [f"run {chosen.run}"]
        parts += [f"event {chosen.number}"]
        if chosen.channel is not None:
            parts.append(self._bridge.channel_name(chosen.channel))
        self.peek.show_waveform(
            " · ".join([*parts, *([words] if words else [])]), None if sample is None else sample.waveform
        )
        self.place()

    def place(self) -> None:
        """Go to the upper right of the picture."""
        right, top = self._area()
        self.peek.move(right - self.peek.width() - GAP, top + GAP)


def _read(file: Tier1Waveforms | SetWaveforms, chosen: Chosen) -> Sample | None:
    selection = Selection(chosen.channel)
    if isinstance(file, SetWaveforms) and chosen.run is not None:
        place = file.place_of_run(chosen.run, chosen.number, selection)
    else:
        place = file.place_of(chosen.number, selection)
    return None if place is None else file.sample(place, selection)
