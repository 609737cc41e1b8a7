"""The row of controls below the waveforms: which one, of which channel, and how they are drawn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QCheckBox

from pygama_gui.data.samples import Sample
from pygama_gui.views.waveforms.actions import OVERLAYS
from pygama_gui.views.waveforms.contrast import KINDS
from pygama_gui.widgets import theme, words
from pygama_gui.widgets.checklist import CheckList
from pygama_gui.widgets.parts import Controls, Elided, choice_box, icon_button
from pygama_gui.widgets.typed_line import TypedLine

if TYPE_CHECKING:
    from pygama_gui.views.waveforms.view import WaveformView

WIDE, WIDER = 470, 620
"""A narrower view has its rarer controls in the menu alone."""
PICTURES = (*(("traces", n) for n in OVERLAYS), *((kind, 1) for kind in ("density", "noise", *KINDS)))
"""What the list of pictures offers: the kind, and the waveforms over each other."""
CONTRAST_WORDS = ("inside the cut", "outside the cut", "inside − outside")
EVENT = re.compile(r"\s*(?:e|event)\s*([\d\s]+)", re.IGNORECASE)
FREEZE = "Freeze the waveforms alone; all else goes on (Space)"
NO_REGION = "Mark a region in the spectrum first: Alt- or Shift-drag over a peak"


class WaveformBar:
    """The controls of one view of waveforms, and what they show of its state."""

    def __init__(self, view: WaveformView) -> None:
        self._view = view
        self.channels: list[int] = []
        self._names: list[str] = []
        self._make_browsing()
        self._make_choices()
        self.info = Elided()
        self.row = Controls(
            (self.previous, self.place, self.next, self.follow),
            self.info,
            (self.passing, self.roi, self.channel, self.overlay, self.steps),
        )
        self.channel.hide()

    def _make_browsing(self) -> None:
        view = self._view
        self.previous = icon_button("previous", "Previous waveform (Shift+N)", lambda: view.step(-1))
        self.next = icon_button("next", "Next waveform (N)", lambda: view.step(1))
        self.place = TypedLine()
        self.place.setAcceptDrops(False)
        self.place.setFixedWidth(72)
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.place.setFont(theme.font(theme.SMALL))
        self.place.setAccessibleName("Number of the waveform")
        self.place.setToolTip(
            "Number of the waveform; type another, or 'event' and its number, and press Return (J, Shift+J)"
        )
        self.place.returnPressed.connect(self.jump)
        self.place.editingFinished.connect(self.show_state)
        self.follow = icon_button("pause", FREEZE, view.toggle_following)

    def _make_choices(self) -> None:
        view = self._view
        self.channel = choice_box("Channel of the waveforms", "all channels")
        self.channel.activated.connect(self._choose_channel)
        overlays = ("1 waveform", *(f"{n} waveforms" for n in OVERLAYS[1:]))
        self.overlay = choice_box("Picture of the waveforms", *overlays, "density", "noise", *CONTRAST_WORDS)
        self.overlay.activated.connect(self._choose_picture)
        self.steps = CheckList("Curves", "Curves and values that are drawn (V)")
        self.steps.toggled_one.connect(view.toggle_hidden)
        self.roi = QCheckBox("in region")
        self.roi.setAccessibleName("Only events in the region of the spectrum")
        self.roi.clicked.connect(view.toggle_only_roi)
        self.passing = QCheckBox("passing")
        self.passing.setAccessibleName("Only events that pass the cuts")
        self.passing.setToolTip("Only events that pass the cuts (Shift+I)")
        self.passing.clicked.connect(view.toggle_only_passing)

    # What a person does

    def ask_jump(self) -> None:
        """Let a number be typed."""
        self.place.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.place.selectAll()

    def ask_jump_to_event(self) -> None:
        """Let the number of an event be typed."""
        self.place.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.place.setText("event ")
        self.place.setModified(True)

    def jump(self) -> None:
        """Go to the number that was typed; what is no number is left."""
        text = self.place.text()
        event = EVENT.match(text)
        self.place.setModified(False)
        if event:
            self._view.go_to_event(int(_digits(event[1]) or 0))
        elif digits := _digits(text):
            self._view.go_to(int(digits) - 1)
        self._view.plot.setFocus()

    def _choose_channel(self, index: int) -> None:
        self._view.choose(channel=self.channels[index - 1] if index else None)

    def _choose_picture(self, index: int) -> None:
        picture, overlay = PICTURES[index]
        self._view.choose(picture=picture, **({"overlay": overlay} if picture == "traces" else {}))

    # What is shown

    def suit(self, width: int, height: int) -> None:
        """Leave out what the menu has as well where there is no room."""
        self.row.suit_height(height)
        self.overlay.setVisible(width >= WIDE)
        self.steps.setVisible(width >= WIDE)
        self.roi.setVisible(width >= WIDER)
        self._show_passing()

    def show_state(self) -> None:
        """Show where in the waveforms one is, and what can be done."""
        browser = self._view.browser
        self.follow.setEnabled(browser.is_live or browser.n > 1)
        self._show_following()
        for one in (self.previous, self.next, self.place):
            one.setEnabled(browser.n > 0)
        self._show_roi()
        self._show_passing()
        self._show_place(browser.sample)
        self.info.setText(self._view.telling.info())
        if self.info.text().startswith("of ") and not self.place.isModified():
            self.info.lead = f"{self.place.text()} "

    def show_channels(self) -> None:
        """Offer the channels that the run has, and show what is chosen."""
        view, bridge = self._view, self._view.bridge
        live = view.browser.live
        channels = [] if live is None else bridge.shown(live.channels)
        names = bridge.names(channels)
        if (channels, names) != (self.channels, self._names):
            self.channels, self._names = channels, names
            self.channel.clear()
            self.channel.addItems(["all channels", *names])
            self.channel.setVisible(len(channels) > 1)
        chosen, choice = view.browser.channel, view.choice
        self.channel.setCurrentIndex(channels.index(chosen) + 1 if chosen in channels else 0)
        shown = (choice.picture, choice.overlay if choice.picture == "traces" else 1)
        self.overlay.setCurrentIndex(PICTURES.index(shown) if shown in PICTURES else 0)

    def _show_roi(self) -> None:
        view = self._view
        roi = view.session.spectrum.roi
        is_chosen = view.choice.is_only_roi and roi is not None
        self.roi.setEnabled(roi is not None)
        self.roi.setChecked(is_chosen)
        why = "Only events in the region of the spectrum (I)"
        self.roi.setToolTip(why if roi is not None else NO_REGION)
        action = view.commands.only_roi
        action.setEnabled(roi is not None)
        action.setChecked(is_chosen)

    def _show_passing(self) -> None:
        view = self._view
        has_cuts = any(cut.enabled for cut in view.session.cuts)
        self.passing.setVisible(has_cuts and view.width() >= WIDER)
        self.passing.setChecked(view.choice.is_only_passing)
        view.commands.only_passing.setChecked(view.choice.is_only_passing)

    def _show_following(self) -> None:
        browser = self._view.browser
        name = "pause" if (browser.is_live and browser.is_following) or browser.is_playing else "play"
        self.follow.show_icon(name)
        if browser.is_live:
            about = FREEZE if name == "pause" else "Follow the newest (Space)"
        else:
            about = "Stop (Space)" if name == "pause" else "Show one waveform after the other (Space)"
        if self.follow.toolTip() != about:
            self.follow.setToolTip(about)
            self.follow.setAccessibleName(about)

    def _show_place(self, sample: Sample | None) -> None:
        """Write the number of the waveform into its field, unless somebody types there."""
        if self.place.hasFocus() and self.place.isModified():
            return
        browser = self._view.browser
        is_known = sample is not None and not (browser.is_live and (browser.is_following or browser.has_left))
        place = browser.place if sample is None or sample.place is None else sample.place
        self.place.setText(words.count(place + 1) if is_known else "")

    def recolor(self) -> None:
        """Take the colours of the present theme."""
        self.steps.recolor()


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())
