"""Tests what is asked of the trends of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama_gui.bridge import Bridge
from pygama_gui.data.anchors import Anchor
from pygama_gui.session import calibration_changes, changes
from pygama_gui.views import following

ADC, KEV = Anchor("trap_max", 8400.0, 8950.0), Anchor("trap_max_kev", 578.0, 588.0, "Tl-208")


def test_the_chosen_line_is_followed_in_the_unit_that_is_shown(bridge: Bridge) -> None:
    bridge.change(changes.choose_line, (8400.0, 8950.0))
    curve = Curve((0.0, 0.067), ((1.0, 0.0), (0.0, 1e-6)))
    made = Calibration("trap_max", channels={"0/0/0": ChannelCalibration(curve)})
    bridge.change(calibration_changes.take_calibration, made)
    bridge.change(changes.show_spectrum, replace(bridge.session.spectrum, column="trap_max"))
    asked = following.asked_of(bridge, "", None)
    assert (asked.peak_column, asked.line) == ("trap_max", (8400.0, 8950.0))
    bridge.change(changes.show_spectrum, replace(bridge.session.spectrum, column="trap_max_kev"))
    asked = following.asked_of(bridge, "", None)
    assert asked.peak_column == "trap_max_kev"
    assert asked.line == pytest.approx((562.8, 599.65))


def test_of_a_channel_without_energies_the_chosen_line_is_followed_as_it_was_chosen(bridge: Bridge) -> None:
    bridge.change(changes.choose_line, (8400.0, 8950.0))
    made = Calibration("trap_max", channels={"0/0/0": ChannelCalibration(refused="too few lines")})
    bridge.change(calibration_changes.take_calibration, made)
    bridge.change(changes.show_spectrum, replace(bridge.session.spectrum, column="trap_max_kev"))
    asked = following.asked_of(bridge, "", None)
    assert (asked.peak_column, asked.line) == ("trap_max", (8400.0, 8950.0))


@pytest.mark.parametrize(
    ("known", "anchor", "is_taken"),
    [(replace(KEV, name=""), KEV, True), (ADC, KEV, False), (None, KEV, True), (ADC, None, True)],
)
def test_a_peak_in_counts_gives_no_band_for_one_in_energies(
    known: Anchor | None, anchor: Anchor | None, is_taken: bool
) -> None:
    assert following._is_of(known, anchor) is is_taken
