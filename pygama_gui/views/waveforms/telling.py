"""Says in words what the waveform view shows, or why it shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygama_gui.data import chain_facts
from pygama_gui.data.live_set import RUN
from pygama_gui.data.samples import Sample
from pygama_gui.jobs.board import as_sentence
from pygama_gui.views.waveforms.contrast import KINDS
from pygama_gui.widgets import words

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

ENDS = {"failed": "failed", "stopped": "was stopped"}


class Telling:
    """The words of one view of waveforms."""

    def __init__(self, view: WaveformView) -> None:
        self._view = view

    # Why there is nothing to see

    def why_empty(self) -> str:
        """Say why no waveform is shown, and what to do."""
        view = self._view
        bridge, browser, selected = view.bridge, view.browser, view.session.selected
        state = bridge.state(selected)
        if view.session.selected_run is None:
            return "Waveforms of the selected run appear here."
        if why := bridge.data_sets.why_no_waveforms(selected) or bridge.data_sets.why_empty(selected):
            return why
        if browser.is_looking:
            far = browser.how_far or "looking for waveforms that pass"
            return f"{as_sentence(far)}."
        if state is None:
            return self._why_not_processed()
        if not state.has_ended:
            if self.cut_words and len(browser.live.samples if browser.live else ()):
                return f"No waveform so far passes: {self._chosen_by()}."
            return words.waiting_for("waveforms", follows=state.follows)
        if state.state != "done":
            return f"No waveforms: the run {ENDS[state.state]}."
        if self.cut_words and not browser.is_reading and self.is_read:
            return f"No waveform passes: {self._chosen_by()}."
        if browser.is_reading or (state.rows and not self.is_read):
            return "Reading the waveforms…"
        if browser.live is not None and browser.live.tier1 in bridge.gone:
            return f"{browser.live.tier1.name} is not where it was. Bring it back, or process the run again."
        if browser.is_finished:
            return "No waveforms in this run."
        run = view.session.selected_run
        if run.is_raw:
            return "There is no Tier 1 file of this run."
        return f"There is no Tier 1 file beside {run.path.name}. Drop it here as well to see its waveforms."

    def _why_not_processed(self) -> str:
        """Say why there is no waveform of a run that nobody has processed."""
        run = self._view.session.selected_run
        assert run is not None
        unread = self._view.bridge.gone.why_unread(run, "waveforms")
        return unread or "No waveforms yet. Process the run to see them."

    @property
    def is_read(self) -> bool:
        """Whether the files of an earlier session have been read."""
        live = self._view.bridge.live(self._view.session.selected)
        return live is not None and len(live.columns) > 0

    # What is shown

    @property
    def cut_words(self) -> str:
        """Say by what the events that are shown are chosen."""
        return self._chosen_by("passing ")

    def _chosen_by(self, passing: str = "") -> str:
        selection = self._view.browser.selection
        parts = []
        if (cut := selection.cut) is not None:
            unit = chain_facts.unit_of(cut.column)
            parts.append(f"{cut.column} {cut.low:.6g} to {cut.high:.6g} {unit}".rstrip())
        if selection.passing is not None:
            cuts = [cut for cut in self._view.session.cuts if cut.enabled]
            names = [f"not {cut.name}" if cut.inverted else cut.name for cut in cuts]
            parts.append(f"{passing}{', '.join(names)}")
        return ", ".join(parts)

    def info(self) -> str:
        """Say which waveforms are shown: how many there are, by what they are chosen, when they came."""
        view, picture = self._view, self._view.choice.picture
        if picture in KINDS:
            return view.contrast.words(picture)
        sample = view.browser.sample
        if sample is None:
            return ""
        if looking := self._looked_for(sample):
            return looking
        parts = [view.density.words() if picture == "density" else ""]
        parts = [parts[0] or self._place_words(sample)]
        if self.cut_words:
            parts.append(self.cut_words)
        if picture != "density":
            parts += self._sample_words(sample)
        return " · ".join(parts)

    def _looked_for(self, sample: Sample) -> str:
        """Say whose waveforms are looked for, while one of another channel is still shown."""
        browser, view = self._view.browser, self._view
        wanted = browser.channel
        if not browser.is_reading or wanted is None or sample.channel in (None, wanted):
            return ""
        return f"looking for waveforms of {view.bridge.names([*view.channels, wanted])[-1]}…"

    def _sample_words(self, sample: Sample) -> list[str]:
        view, parts = self._view, []
        if RUN in sample.numbers:
            parts.append(f"run {int(sample.numbers[RUN])}")
        if sample.channel is not None:
            parts.append(view.bridge.names([*view.channels, sample.channel])[-1])
        number = sample.numbers.get("event_number")
        if number is not None and (sample.place is not None or not view.browser.is_following):
            parts.append(f"event {words.count(float(number))}")
        if "time_s" in sample.numbers:
            time_s = float(sample.numbers["time_s"])
            parts.append(f"{time_s:.6f} s" if time_s < 10 else f"{time_s:.3f} s")
        return parts

    def _place_words(self, sample: Sample) -> str:
        browser = self._view.browser
        if sample.place is not None:
            return f"of {words.count(browser.n)}" + (" so far" if browser.is_looking else "")
        if browser.is_following or browser.is_finished:
            number = sample.numbers.get("event_number")
            return "newest" if number is None else f"newest, event {words.count(float(number))}"
        place = f"older than the newest {browser.n}" if browser.has_left else f"of the newest {browser.n}"
        return place if browser.is_playing else f"frozen (Space goes on), {place}"

    # Axes

    def axes(self, period_ns: float | None, height_unit: str, *, is_above: bool) -> tuple[str, str, str]:
        """Name x and y, and say shortly what y is in."""
        aligned_by = self._view.choice.aligned_by
        unit, since = "µs" if period_ns else "samples", f" from {aligned_by}" if aligned_by else ""
        return f"time{since} ({unit})", *_height_words(height_unit, is_above=is_above)


def _height_words(unit: str, *, is_above: bool) -> tuple[str, str]:
    """Name heights, and say shortly what they are in."""
    if unit == "keV":
        return "energy (keV)", "keV"
    if not unit:
        return "height / maximum", "maximum"
    return "ADC counts above baseline" if is_above else "ADC counts", "ADC counts"
