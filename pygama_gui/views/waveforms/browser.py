"""Chooses which waveform is shown: the newest of a run under way, any of a finished one; plays them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QObject, QTimer

from pygama.quick_dataclass import dataclass
from pygama_gui.bridge import Bridge
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.live_set import RUN
from pygama_gui.data.samples import EVERYTHING, Sample, Tier1Waveforms
from pygama_gui.data.selected_rows import AllRows, Selected
from pygama_gui.data.selection import Selection, waveforms_of
from pygama_gui.data.set_waveforms import SetWaveforms

SHOWN = "waveform shown"
"""Who wants rows of data sets on disk."""
FOLLOW_S = 0.4
"""While a run is under way, a new waveform is shown this often."""
PACES = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Waveforms a second that can be chosen for playing."""


@dataclass(frozen=True)
class Asked:
    """Which waveform of a finished file is wanted: that of an event, or at a place; `strictly`: or none.

    run: number of the run of the event, where it is one of a data set.
    """

    run_id: str
    selection: Selection
    place: int
    event_number: int | None = None
    strictly: bool = False
    run: int | None = None


class Browser:
    """The waveform that is shown and its place among those that are selected."""

    def __init__(
        self, owner: QObject, bridge: Bridge, changed: Callable[[], None], anew: Callable[[], None]
    ) -> None:
        self._bridge, self._changed, self._anew = bridge, changed, anew
        self.place = 0
        self.sample: Sample | None = None
        self.n = 0
        """How many waveforms are selected."""
        self.said = ""
        """Why the last jump went nowhere."""
        self.is_following = True
        self.has_left = False
        """Whether a waveform that is frozen is no longer among the newest of a run under way."""
        self._goes = False
        """Whether another waveform of a run under way was asked for than the one that is shown."""
        self.is_finished = False
        self.live_run: LiveRun | None = None
        self._event_wanted: tuple[int, bool, int | None] | None = None
        self._brought: tuple[str, int] | None = None
        """A run and its event that a picture showed, until it is there or somebody goes elsewhere."""
        self._reading: Asked | None = None
        self._held: list[Sample] | None = None
        """The waveforms of a run under way that are played: the newest ones go on changing meanwhile."""
        self._followed_at = -FOLLOW_S
        self._n_known = 0
        """Rows of a data set on disk that were looked at when a waveform was read."""
        self._timer = QTimer(owner)  # without one PyQt may end it before the view at the end of a script
        self._timer.timeout.connect(self._play_on)
        bridge.gone.back.connect(self.look_again)

    @property
    def _run_id(self) -> str:
        return self._bridge.session.selected

    @property
    def live(self) -> LiveRun | None:
        """What is known of the selected run."""
        return self._bridge.live(self._run_id)

    @property
    def is_live(self) -> bool:
        """Whether waveforms of a run come from its job, not from its file."""
        live = self.live
        return live is not None and live.tier1 is None

    @property
    def is_reading(self) -> bool:
        """Whether a waveform is being read."""
        return self._reading is not None

    @property
    def channel(self) -> int | None:
        """The chosen channel, where the run has it."""
        live, chosen = self.live, self._bridge.session.waveforms.channel
        return chosen if live is not None and chosen in live.channels else None

    @property
    def selection(self) -> Selection:
        """Which events are shown."""
        return waveforms_of(self._bridge.session, self.channel)

    # Of a data set on disk, the rows that are selected are found little by little

    @property
    def is_on_disk(self) -> bool:
        """Whether rows are too many to be held, so that those that are selected are looked for in files."""
        return self.live is not None and self.live.is_on_disk and self.live.tier1 is not None

    @property
    def is_looking(self) -> bool:
        """Whether not all rows of a data set on disk were looked at yet."""
        rows = self._rows
        return self.is_on_disk and (rows is None or not rows.is_whole)

    @property
    def how_far(self) -> str:
        """Say how far a data set on disk was looked through; empty where it is all."""
        return self._bridge.data_sets.how_far(self._run_id) if self.is_looking else ""

    @property
    def _rows(self) -> Selected | None:
        live = self.live
        if live is None or self.selection == EVERYTHING:
            return None if live is None else AllRows(live.n_rows)
        return self._bridge.data_sets.waveform_rows.known(live).get(self.selection)

    def look_at_rows(self) -> None:
        """Have rows found that are selected, of a data set on disk, and take those that came since."""
        live = self.live
        if live is None or not self.is_on_disk:
            return
        rows = self._bridge.data_sets.waveform_rows.want(SHOWN, live, self.selection)
        if rows is None or self._reading is not None:
            return
        is_more = rows.n_known != self._n_known
        if is_more and (len(rows) != self.n or self.sample is None or self._event_wanted is not None):
            self._ask()

    # What changes around it

    def begin_anew(self) -> None:
        """Show the selected run from its first or its newest waveform on."""
        self.stop_playing()
        self.place, self.sample, self.n = 0, None, 0
        self._reading, self._event_wanted, self.said = None, self._brought_event, ""
        self._followed_at = -FOLLOW_S
        self.live_run = self.live
        self.is_finished = self.live_run is not None and self.live_run.tier1 is not None
        self.is_following = not self.is_finished
        self._ask()

    def look_at_data(self) -> None:
        """Notice a run that begins anew, or that was finished: its file is shown from then on."""
        live = self.live
        if live is not self.live_run:
            self._anew()
            if live is not None and self.live_run is not None and live.is_same_as(self.live_run):
                is_going = self._is_going
                self.live_run, self._reading = live, None  # what is being read is of the columns before
                if is_going:
                    self._ask()
                else:
                    self.select_anew()
            else:
                self.begin_anew()
        elif live is not None and live.tier1 is not None and not self.is_finished:
            self.is_finished, self.is_following, self._held = True, False, None
            self._anew()
            self.select_anew()

    @property
    def _is_going(self) -> bool:
        """Whether a waveform at another place than that of the one that is shown is being read."""
        is_elsewhere = self.sample is None or self.sample.place != self.place
        return self.is_reading and self._event_wanted is None and is_elsewhere

    def look_again(self, paths: set[Path]) -> None:
        """Show the waveform of a file that was gone and is back, at the place where somebody is."""
        if self.live is not None and self.live.tier1 in paths:
            self._ask()
            self._changed()

    def select_anew(self) -> None:
        """Stay at the waveform, if it is among those that are selected now; else show the first."""
        numbers = {} if self.sample is None else self.sample.numbers
        number, run = numbers.get("event_number"), numbers.get(RUN)
        self.place, self.said = 0, ""
        wanted_run = None if run is None else int(run)
        stayed = None if number is None else (int(number), False, wanted_run)
        self._event_wanted = self._brought_event or stayed
        if not self.is_finished:
            self._stay_live(number)
        self._ask()

    def _stay_live(self, number: float | None) -> None:
        live = self.live
        if live is None or self.is_following:
            self.sample, self._followed_at = None, -FOLLOW_S
            return
        samples = live.samples.selected(self.selection)
        self._held = samples if self.is_playing else None
        numbers = [sample.numbers.get("event_number") for sample in samples]
        self.place = numbers.index(number) if number is not None and number in numbers else 0
        self._goes = True

    @property
    def _brought_event(self) -> tuple[int, bool, int | None] | None:
        brought = self._brought
        return (brought[1], False, None) if brought is not None and brought[0] == self._run_id else None

    def bring_back(self, number: int) -> None:
        """Show the waveform of an event that a picture showed, as soon as the run has been read."""
        self._brought = (self._run_id, number)
        self.begin_anew()
        self._changed()

    # What a person does

    def step(self, by: int) -> None:
        """Go to another waveform."""
        self.stop_playing()
        self.go_to(self.place + by)

    def go_to(self, place: int) -> None:
        """Show the waveform at a place, counted from 0; stays within what there is.

        While a file is read nobody knows how many there are; who reads it stays within them.
        """
        self.is_following, self.said, self._event_wanted, self._brought = False, "", None, None
        is_open = self.is_finished and self.is_reading
        self.place = max(0, place if is_open else min(place, self.n - 1))
        self._goes = True
        self._ask()
        self._changed()

    def go_to_event(self, number: int, run: int | None = None) -> None:
        """Show the first waveform of an event, and say so where it is not among those selected.

        run: its number, of a data set, in which several runs may have the event.
        """
        self.stop_playing()
        self.said, self._brought = "", None
        live = self.live
        if live is not None and live.tier1 is None:
            self._go_to_live_event(live, number)
        else:
            self._event_wanted = (number, True, run)
            self._ask()
        self._changed()

    def _go_to_live_event(self, live: LiveRun, number: int) -> None:
        numbers = [sample.numbers.get("event_number") for sample in live.samples.selected(self.selection)]
        if number in numbers:
            self.n = len(numbers)
            self.go_to(numbers.index(number))
        else:
            self.said = f"Event {number} is not among the newest waveforms."

    def toggle_following(self) -> None:
        """Freeze the view, or follow the newest waveform again."""
        if self.is_live:
            self.is_following = not self.is_following
            self._followed_at = -FOLLOW_S
            self._changed()

    # Playing

    @property
    def is_playing(self) -> bool:
        """Whether waveforms are shown one after the other by themselves."""
        return self._timer.isActive()

    def play(self) -> None:
        """Show one waveform after the other, from the first again after the last; or stop that."""
        if self.is_playing or not self.n:
            self.stop_playing()
            return
        self.is_following = False
        self._held = self._newest if self.is_live else None
        if self.place >= self.n - 1:
            self.go_to(0)
        self.set_pace()
        self._timer.start()
        self._changed()

    def stop_playing(self) -> None:
        """Stay at the waveform that is shown."""
        if self.is_playing:
            self._timer.stop()
            if self._held is not None:
                newest = self._newest
                self.place, self.n = max(self._place_of_played(newest), 0), len(newest)
                self._held = None
            self._changed()

    def set_pace(self) -> None:
        """Take the pace that was chosen."""
        self._timer.setInterval(round(1000 / self._bridge.session.waveforms.pace))

    def _play_on(self) -> None:
        if self.is_reading:
            return
        if self.place < self.n - 1:
            self.go_to(self.place + 1)
        elif self._held is None or not self._bridge.is_active(self._run_id):
            self.stop_playing()
        else:
            self._play_newer()

    @property
    def _newest(self) -> list[Sample]:
        """The newest waveforms of a run under way that are selected."""
        return [] if self.live is None else self.live.samples.selected(self.selection)

    def _place_of_played(self, samples: list[Sample]) -> int:
        """Find the waveform that playing has come to; -1 where it is not among these any more."""
        played = self._held[self.place] if self._held and self.place < len(self._held) else None
        return next((at for at, sample in enumerate(samples) if sample is played), -1)

    def _play_newer(self) -> None:
        """Go on with the waveforms that came while those before were played; wait where none came."""
        newest = self._newest
        place = self._place_of_played(newest)
        if place + 1 < len(newest):
            self._held, self.n = newest, len(newest)
            self.go_to(place + 1)

    # Reading

    @property
    def _wanted(self) -> Asked:
        event, strictly, run = self._event_wanted or (None, False, None)
        return Asked(self._run_id, self.selection, self.place, event, strictly, run)

    def _ask(self) -> None:
        """Read from the finished Tier 1 file, in the thread that reads files."""
        live = self.live
        if live is None or live.tier1 is None or self._reading is not None:
            return
        asked = self._wanted
        if self.is_on_disk:
            if (rows := self._rows) is None:
                self.sample, self.n, self._n_known = None, 0, 0
                return
            self._n_known = rows.n_known
        self._reading = asked
        self._bridge.loading.read_waveforms(
            asked.run_id,
            lambda file: _read(file, asked),
            lambda answer: self._take(asked, *answer),
            self._fail,
        )

    def _take(self, asked: Asked, sample: Sample | None, n: int) -> None:
        self._reading = None
        if asked != self._wanted:
            self._ask()
        if asked.run_id != self._run_id or not self.is_finished:
            return
        self.n = n
        if asked.strictly and sample is None and n:
            so_far = " so far" if self.is_looking else ""
            self.said = f"Event {asked.event_number} is not among these waveforms{so_far}."
            self._event_wanted = None
        else:
            self.sample = sample
            if asked == self._wanted and sample is not None and sample.place is not None:
                self.place = sample.place
                if not (self.is_looking and _is_other(sample, asked)):  # else it may still come
                    self._event_wanted, self._brought = None, None
        self._changed()

    def _fail(self) -> None:
        """Show nothing; the banner says why. The next step tries again."""
        self._reading, self.sample = None, None
        self.stop_playing()
        self._changed()

    def choose_live(self) -> None:
        """Choose among the sample waveforms of a run under way."""
        live = self.live
        if live is None or live.tier1 is not None:
            return
        samples = live.samples.selected(self.selection) if self._held is None else self._held
        self.n = len(samples)
        if not samples:
            self.sample = None
            return
        now = time.monotonic()
        if self.is_following and (self.sample is None or now - self._followed_at >= FOLLOW_S):
            self._followed_at = now
            self.place = len(samples) - 1
            self.sample = samples[-1]
        elif not self.is_following:
            self._stay_or_go(samples)

    def _stay_or_go(self, samples: list[Sample]) -> None:
        """Stay at the waveform that is frozen while newer ones come and the oldest go, or go to another."""
        places = [place for place, sample in enumerate(samples) if sample is self.sample]
        self.has_left = self.sample is not None and not self._goes and not places
        if self.sample is None or self._goes:
            self.place = min(self.place, len(samples) - 1)
            self.sample, self._goes = samples[self.place], False
        else:
            self.place = places[0] if places else 0


def _is_other(sample: Sample, asked: Asked) -> bool:
    return asked.event_number is not None and sample.numbers.get("event_number") != asked.event_number


def _read(file: Tier1Waveforms | SetWaveforms, asked: Asked) -> tuple[Sample | None, int]:
    """Give the waveform that was asked for, None where there is none, and how many are selected."""
    n = file.count(asked.selection)
    place = asked.place
    if asked.event_number is not None:
        if isinstance(file, SetWaveforms) and asked.run is not None:
            found = file.place_of_run(asked.run, asked.event_number, asked.selection)
        else:
            found = file.place_of(asked.event_number, asked.selection)
        if found is None and asked.strictly:
            return None, n
        place = 0 if found is None else found
    return (file.sample(min(place, n - 1), asked.selection) if n else None), n
