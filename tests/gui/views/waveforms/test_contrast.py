"""Tests the pictures of waveforms inside and outside of a cut, and the browsing of those that pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama_gui.bridge import Bridge
from pygama_gui.data.waveform_files import csv_text
from pygama_gui.session import changes, cut_changes, files
from pygama_gui.session.state import Run
from pygama_gui.views import madeup
from pygama_gui.views.waveforms.contrast import NO_CUTS, difference_table
from pygama_gui.views.waveforms.view import WaveformView
from pygama_gui.widgets import theme

WAIT_MS = 60_000
HEIGHTS = (2000.0, 4000.0, 6000.0, 8000.0, 10_000.0)


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> Iterator[WaveformView]:
    """A view of a run under way with five waveforms."""
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    message = madeup.partial(5, n_waveforms=5)
    heights = np.array(HEIGHTS)
    message.columns["trap_max"][:] = heights
    message.waveform_rows["trap_max"][:] = heights
    for at, height in enumerate(HEIGHTS):
        message.waveforms[at] = madeup.pulse(height, seed=at)
    bridge.take(1, message)
    made = WaveformView(bridge)
    qtbot.addWidget(made)
    made.resize(900, 420)
    made.show()
    qtbot.waitExposed(made)
    made.browser.begin_anew()
    yield made


def shown(qtbot: QtBot, view: WaveformView, picture: str) -> WaveformView:
    view.choose(picture=picture)

    def is_there() -> bool:
        view.bridge.tick()
        return view.contrast.picture.is_shown

    qtbot.waitUntil(is_there, timeout=WAIT_MS)
    return view


def test_only_waveforms_that_pass_the_cuts_are_shown(view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    view.redraw()
    assert view.browser.n == 3
    assert "passing high" in view.bar.info.text()
    view.toggle_only_passing()
    view.redraw()
    assert view.browser.n == 5
    assert "passing" not in view.bar.info.text()


def test_the_box_for_passing_events_is_there_once_a_cut_is_on(view: WaveformView) -> None:
    view.redraw()
    assert not view.bar.passing.isVisible()
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    view.redraw()
    assert view.bar.passing.isVisible() and view.bar.passing.isChecked()
    view.bridge.change(cut_changes.switch_cut, "high", False)
    view.redraw()
    assert not view.bar.passing.isVisible()


def test_an_empty_selection_names_the_cut(view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 1e6")
    view.redraw()
    assert view.plot._hint.text() == "No waveform so far passes: high."


def test_the_sides_of_a_cut_are_counted_and_named(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    shown(qtbot, view, "difference")
    found = view.contrast.found
    assert found is not None and found.inside is not None and found.outside is not None
    assert (found.inside.n_waveforms, found.outside.n_waveforms) == (3, 2)
    assert view.bar.info.text() == "3 inside · 2 outside"
    names = [words.text for _, words in view.contrast.picture.legend.items]
    assert names == ["inside high: mean of 3", "outside high: mean of 2"]
    assert view.contrast.picture.image.isVisible()
    assert float(np.nanmax(found.inside.mean)) > float(np.nanmax(found.outside.mean))


def test_the_difference_is_saved_as_it_is_seen(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    shown(qtbot, view, "difference")
    found, picture = view.contrast.found, view.exporter.picture()
    assert found is not None and picture is not None
    saved = picture.difference
    assert saved is not None
    np.testing.assert_allclose(saved.values, 100 * found.difference)
    assert saved.colors == (picture.curves[1].color, picture.curves[0].color)
    shown(qtbot, view, "inside")
    assert view.exporter.picture().difference is None


def test_one_side_is_drawn_as_a_density_with_its_mean(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    shown(qtbot, view, "outside")
    assert view.bar.info.text() == "2 outside"
    assert not view.contrast.picture.image.isVisible()
    assert view.contrast.picture._density.image.isVisible()
    assert len(view.contrast.picture.means["inside"].xData) == 0


def test_moving_the_cut_moves_waveforms_from_side_to_side(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    shown(qtbot, view, "difference")
    view.bridge.change(cut_changes.edit_cut, "high", "trap_max > 9000")

    def has_moved() -> bool:
        view.bridge.tick()
        return view.bar.info.text() == "1 inside · 4 outside"

    qtbot.waitUntil(has_moved, timeout=WAIT_MS)


def test_without_cuts_the_picture_says_how_to_get_one(view: WaveformView) -> None:
    view.choose(picture="difference")
    view.redraw()
    assert view.plot._hint.text() == NO_CUTS


def test_a_cut_that_nothing_passes_is_told(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 1e6")
    view.choose(picture="inside")

    def is_told() -> bool:
        view.bridge.tick()
        return view.plot._hint.text() == "No waveform is inside high."

    qtbot.waitUntil(is_told, timeout=WAIT_MS)


def test_keys_choose_the_pictures(qtbot: QtBot, view: WaveformView) -> None:
    view.plot.setFocus()
    for key, modifier, picture in (
        (Qt.Key.Key_E, Qt.KeyboardModifier.NoModifier, "inside"),
        (Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier, "outside"),
        (Qt.Key.Key_T, Qt.KeyboardModifier.NoModifier, "difference"),
    ):
        qtbot.keyClick(view.plot, key, modifier)
        assert view.choice.picture == picture


def test_the_means_are_exported_side_by_side(qtbot: QtBot, view: WaveformView) -> None:
    view.bridge.change(cut_changes.add_cut, "high", "trap_max > 5000")
    shown(qtbot, view, "difference")
    picture = view.exporter.picture()
    assert picture is not None
    assert [curve.name for curve in picture.curves] == ["mean of 3 inside", "mean of 2 outside"]
    on_screen = [curve.opts["pen"].color().name() for curve in view.contrast.picture.means.values()]
    assert [curve.color.lower() for curve in picture.curves] == on_screen
    text = csv_text(picture)
    assert "# cut: high" in text
    assert text.count("\n") == madeup.N_SAMPLES + 1 + len(picture.about)


def test_no_difference_has_no_colour_in_either_theme(themed: object) -> None:
    for name in theme.NAMES:
        theme.apply(name)
        table = difference_table()
        assert table[0, 3] == table[-1, 3] == 255
        assert table[127, 3] <= 1 and table[128, 3] <= 1
        assert (table[0, :3] != table[-1, :3]).any()


def test_a_finished_run_is_read_on_both_sides(qtbot: QtBot, bridge: Bridge, tmp_path: Path) -> None:
    raw = write_run(tmp_path / "Run12", RunShape(run_number=12, n_events=80, n_samples=1200, pulse_at=500))
    process_run(raw, output_dir=tmp_path)
    bridge.change(changes.choose_output_dir, tmp_path)
    bridge.change(changes.add_runs, files.find_runs([raw]).runs)
    view = WaveformView(bridge)
    qtbot.addWidget(view)
    view.resize(900, 420)
    view.show()
    qtbot.waitExposed(view)
    qtbot.waitUntil(lambda: view.telling.is_read, timeout=WAIT_MS)
    live = bridge.live(bridge.session.selected)
    assert live is not None
    middle = float(np.median(live.columns.column("trap_max")))
    bridge.change(cut_changes.add_cut, "high", f"trap_max > {middle}")
    shown(qtbot, view, "difference")
    n_high = int((live.columns.column("trap_max") > middle).sum())

    def is_whole() -> bool:
        bridge.tick()
        found = view.contrast.found
        sides = () if found is None else (found.inside, found.outside)
        return [side.n_waveforms for side in sides if side is not None] == [n_high, 80 - n_high]

    qtbot.waitUntil(is_whole, timeout=WAIT_MS)
