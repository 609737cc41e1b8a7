"""Tests what is asked of the trends of a run, and what of them is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.progress import CUT_SHORT
from pygama_gui.bridge import Bridge
from pygama_gui.data.anchors import Anchor
from pygama_gui.data.live_run import LiveRun
from pygama_gui.data.outputs import Outputs
from pygama_gui.session import calibration_changes, changes
from pygama_gui.session.state import Run
from pygama_gui.views import following
from pygama_gui.views.log import LastLineView

ADC, KEV = Anchor("trap_max", 8400.0, 8950.0), Anchor("trap_max_kev", 578.0, 588.0, "Tl-208")


def test_what_took_long_rests_ten_times_as_long_where_little_came(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(following.time, "monotonic", lambda: now[0])
    rest = following.Rest(LastLineView(bridge))

    def is_over_after(seconds: float) -> bool:
        now[0] += seconds
        return rest.is_over(4.0)

    rest.begin()
    rest.end()
    assert (is_over_after(3.0), is_over_after(1.0)) == (False, True)
    rest.begin()
    now[0] += 2.0
    rest.end()
    assert (is_over_after(19.0), is_over_after(1.0)) == (False, True)


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


def test_rows_read_for_the_bands_of_many_runs_are_let_go_the_oldest_first(
    qtbot: QtBot, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def note(path: Path) -> LiveRun:
        read.append(path)
        return LiveRun()

    monkeypatch.setattr(following, "_read", note)
    monkeypatch.setattr(following, "MOST_READ", 2)
    runs = [Run(str(n), Path(f"Run{n}"), n) for n in range(3)]
    bridge.restore([(run, Outputs(None, Path(f"t2_run{run.run_id}.h5"), 10, 0.0)) for run in runs])
    owner = LastLineView(bridge)
    qtbot.addWidget(owner)
    kept = following.Following(owner)

    def has_read(run_id: str) -> bool:
        return kept.table_of(run_id) is not None

    for run_id in ("0", "1", "0", "2"):
        qtbot.waitUntil(lambda run_id=run_id: has_read(run_id), timeout=10_000)  # type: ignore[misc]
    assert [path.name for path in read] == ["t2_run0.h5", "t2_run1.h5", "t2_run2.h5"]
    assert has_read("0")
    assert not has_read("1")


def test_of_a_run_whose_raw_file_was_cut_short_the_last_slices_are_left_out(bridge: Bridge) -> None:
    run = Run("1", Path("Run1"), 1)
    bridge.change(changes.add_runs, [run])
    warned = (f"{CUT_SHORT} (byte 7, 1 of 2 bytes)",)
    for told, ends_early in (((), False), (warned, True)):
        bridge.restore([(run, Outputs(None, Path("t2_run1.h5"), 600, 0.0, warned=told))])
        assert following.asked_of(bridge, "1", None).ends_early == ends_early
