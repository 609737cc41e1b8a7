"""Tests the grid of two settings and the preview that settings are tried on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PyQt5.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.analysis.peaks import PeakFit
from pygama.block import Block
from pygama.processing.declare import Setting
from pygama.progress import Failed
from pygama_gui.bridge import Bridge
from pygama_gui.data.measure import Measure
from pygama_gui.data.preview import Asked, Bench, Sampled
from pygama_gui.session import changes
from pygama_gui.session.calibration_changes import take_calibration
from pygama_gui.session.state import DEFAULT_CHAIN, Run, Step
from pygama_gui.views import madeup
from pygama_gui.views.chain.effect import effect_words
from pygama_gui.views.chain.preview import PreviewView
from pygama_gui.views.chain.scan import MARKS, ScanWindow, settings_to_scan, usual_range, values_between
from pygama_gui.views.chain.view import ChainView
from pygama_gui.widgets import words

WAIT_MS = 60_000
CHAIN = (
    Step("fit_baseline", {"i_end": 200}),
    DEFAULT_CHAIN[1],
    Step("trap_filter", {"rise": 80, "flat": 20}),
)
CHAIN = (*CHAIN, DEFAULT_CHAIN[3])
WINDOW = (4800.0, 5200.0)


@pytest.fixture(scope="module")
def block() -> Block:
    rng = np.random.default_rng(5)
    waves = 1000 + 5000 * (np.arange(600) >= 300) + rng.normal(0, 40, (400, 600))
    rows = np.zeros(400, [("channel", np.int64), ("event_number", np.int64), ("period_ns", np.float64)])
    rows["event_number"], rows["period_ns"] = np.arange(400), 10.0
    return Block("made_up", rows, np.round(waves).astype(np.uint16))


@pytest.fixture
def tried(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run], block: Block) -> PreviewView:
    """A preview with a sample, as if the run had been processed with the chain."""
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.change(changes.take_chain, CHAIN)
    bridge.adopt(1, run)
    view = PreviewView(bridge)
    qtbot.addWidget(view)
    view.resize(340, 300)
    view.show()
    qtbot.waitExposed(view)
    view.sandbox._references[run.run_id] = CHAIN
    bridge.change(changes.choose_line, WINDOW)
    view.sandbox._key = (id(bridge.data[run.run_id].samples),)
    view.sandbox._take(Sampled(block, block), "waveforms of the run")
    qtbot.waitUntil(lambda: view.sandbox.last is not None, timeout=WAIT_MS)
    return view


@pytest.fixture
def scan(qtbot: QtBot, tried: PreviewView, bridge: Bridge) -> ScanWindow:
    bridge.change(changes.select_step, 2)
    made = ScanWindow(bridge)
    qtbot.addWidget(made)
    assert made.open_for(bridge.session) == ""
    for form in (made.across, made.up):
        form.number.setValue(3)
    return made


def test_an_empty_grid_says_what_will_be_there(scan: ScanWindow) -> None:
    assert not scan.grid.hint.isHidden()
    scan.start_button.click()
    assert scan.grid.hint.isHidden()


def test_a_scan_says_how_many_waveforms_there_are_as_soon_as_they_come(
    scan: ScanWindow, block: Block
) -> None:
    scan.sandbox._forget()
    assert scan.state.text() == "9 cells · no sample of waveforms yet"
    scan.sandbox._take(Sampled(block, block), "waveforms of the run")
    assert scan.state.text() == "9 cells on 400 waveforms of the run"


@pytest.mark.parametrize("way", ["Esc", "button", "frame"])
def test_a_scan_is_closed_and_ends(qtbot: QtBot, scan: ScanWindow, way: str) -> None:
    scan.start()
    assert scan.sandbox.is_scanning
    if way == "Esc":
        qtbot.keyClick(scan, Qt.Key.Key_Escape)
    elif way == "button":
        scan.close_button.click()
    else:
        scan.close()
    assert not scan.isVisible()
    qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)


def test_moving_a_setting_moves_the_preview_and_touches_no_job(
    qtbot: QtBot, tried: PreviewView, bridge: Bridge
) -> None:
    for rise in (70, 60, 50, 40, 30):
        bridge.change(changes.set_setting, 2, "rise", rise)
    last = tried.sandbox.last
    qtbot.waitUntil(
        lambda: tried.sandbox.last is not None and tried.sandbox.last.asked.chain is bridge.session.chain,
        timeout=WAIT_MS,
    )
    assert tried.sandbox.last is not last
    bridge.tick()
    assert "→" in tried.fwhm.text()
    assert "wider" in tried.change.text()
    assert tried.back_link.isVisible()
    assert bridge.runner.busy is False


def test_why_no_width_is_told_has_the_room_for_all_of_it(
    qtbot: QtBot, tried: PreviewView, bridge: Bridge
) -> None:
    bridge.change(changes.choose_line, (9000.0, 9100.0))
    qtbot.waitUntil(lambda: tried.found is not None and tried.found.asked.line is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: (tried.redraw(), "Too few counts" in tried.change.text())[1], timeout=WAIT_MS)
    assert tried.fwhm.isHidden()
    assert tried.change.wordWrap()


def test_what_a_setting_does_to_the_peak_stands_on_its_own_card(
    qtbot: QtBot, tried: PreviewView, bridge: Bridge
) -> None:
    cards = ChainView(bridge)
    qtbot.addWidget(cards)
    cards.show()

    def told() -> list[str]:
        last = tried.sandbox.last
        assert last is not None
        return (
            [card.effect.text() for card in cards.cards] if last.asked.chain is bridge.session.chain else []
        )

    bridge.change(changes.set_setting, 2, "rise", 30)
    bridge.change(changes.select_step, 0)
    qtbot.waitUntil(lambda: bool(told()), timeout=WAIT_MS)
    assert ["wider" in text for text in told()] == [False, False, True, False]
    bridge.change(changes.set_setting, 0, "i_end", 300)
    qtbot.waitUntil(lambda: bool(told()), timeout=WAIT_MS)
    assert [text[-20:] for text in told() if text] == ["all changes together"]
    assert told()[0]
    bridge.change(changes.set_setting, 0, "i_end", 200)
    qtbot.waitUntil(lambda: bool(told()), timeout=WAIT_MS)
    assert ["wider" in text for text in told()] == [False, False, True, False]


def test_only_the_newest_wish_is_computed(qtbot: QtBot, tried: PreviewView, bridge: Bridge) -> None:
    seen: list[object] = []
    tried.sandbox.compared.connect(lambda found: seen.append(found.asked.chain[2].settings["rise"]))
    for rise in range(79, 19, -1):
        bridge.change(changes.set_setting, 2, "rise", rise)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == 20, timeout=WAIT_MS)
    assert len(seen) < 10


def test_going_back_takes_the_settings_of_the_files(qtbot: QtBot, tried: PreviewView, bridge: Bridge) -> None:
    bridge.change(changes.set_setting, 2, "rise", 30)
    tried._go_back()
    assert bridge.session.chain == CHAIN
    assert bridge.store.undo_label == "take the chain that the run was processed with"


def test_a_click_on_the_preview_chooses_the_peak(qtbot: QtBot, tried: PreviewView, bridge: Bridge) -> None:
    bridge.change(changes.choose_line, None)
    tried.pick(QPointF(4990.0, 3.0))
    qtbot.waitUntil(lambda: bridge.session.line is not None, timeout=WAIT_MS)
    assert bridge.session.line is not None
    assert bridge.session.line[0] < 5000 < bridge.session.line[1]


@pytest.fixture
def in_kev(tried: PreviewView, bridge: Bridge) -> PreviewView:
    """The preview beside a spectrum in keV: half a keV for each ADC count, and 100 keV at none."""
    curve = Curve((100.0, 0.5), ((0.0, 0.0), (0.0, 0.0)))
    run = bridge.session.selected_run
    assert run is not None
    made = Calibration("trap_max", made_from=run.raw_names, channels={"0/0/0": ChannelCalibration(curve)})
    bridge.change(take_calibration, made)
    bridge.change(changes.show_spectrum, replace(bridge.session.spectrum, column="trap_max_kev"))
    return tried


def test_beside_a_spectrum_in_kev_the_preview_is_in_kev(
    qtbot: QtBot, in_kev: PreviewView, bridge: Bridge
) -> None:
    def fitted() -> bool:
        in_kev.redraw()
        return in_kev.fwhm.text().endswith("keV")

    qtbot.waitUntil(fitted, timeout=WAIT_MS)
    fit = in_kev.found.new_fit
    assert in_kev.fwhm.text() == f"FWHM {words.with_error(fit.fwhm / 2, fit.fwhm_error / 2)} keV"
    assert "in keV by the calibration of the run" in in_kev.fwhm.toolTip()
    assert in_kev.plot.box.viewRange()[0] == pytest.approx([2500.0, 2700.0])
    assert in_kev.plot.labels["bottom"] == "trap_max_kev (keV)"
    bridge.change(changes.show_spectrum, replace(bridge.session.spectrum, column="trap_max"))
    in_kev.redraw()
    assert in_kev.fwhm.text() == f"FWHM {words.with_error(fit.fwhm, fit.fwhm_error)} ADC"
    assert in_kev.plot.box.viewRange()[0] == pytest.approx(WINDOW)


def test_a_peak_is_chosen_in_the_preview_where_it_stands_in_kev(
    qtbot: QtBot, in_kev: PreviewView, bridge: Bridge
) -> None:
    bridge.change(changes.choose_line, None)
    in_kev.pick(QPointF(2595.0, 3.0))
    qtbot.waitUntil(lambda: bridge.session.line is not None, timeout=WAIT_MS)
    assert bridge.session.line is not None
    assert bridge.session.line[0] < 5000 < bridge.session.line[1]
    in_kev.plot.box.region_dragged.emit(2550.0, 2650.0)
    assert bridge.session.line == pytest.approx((4900.0, 5100.0))


def test_a_width_in_kev_is_that_at_the_gain_that_the_run_was_calibrated_at() -> None:
    measure = Measure("trap_max", Curve((100.0, 0.5), ((0.0, 0.0), (0.0, 0.0))))
    fit = PeakFit((9000.0, 11000.0), 40, position=10_000.0, fwhm=40.0, fwhm_error=4.0, converged=True)
    assert measure.width(fit, 2.0) == (10.0, 1.0)
    assert Measure("trap_max").width(fit, 2.0) == (40.0, 4.0)


def test_waveforms_of_several_channels_together_are_told_in_adc(in_kev: PreviewView, bridge: Bridge) -> None:
    assert in_kev.sandbox.measure_of("trap_max").unit == "keV"
    bridge.data[bridge.session.selected].channels = [0, 1]
    assert in_kev.sandbox.measure_of("trap_max").unit == "ADC"


def test_a_cell_of_a_scan_tells_its_width_in_kev(qtbot: QtBot, in_kev: PreviewView, scan: ScanWindow) -> None:
    scan.start()
    qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)
    assert re.search(r"FWHM \S+ ± \S+ keV at 2\u202f?6\d\d\.\d keV, ", scan.about.text())


def test_a_click_where_no_peak_is_says_so(qtbot: QtBot, tried: PreviewView) -> None:
    with qtbot.waitSignal(tried.sandbox.line_missing, timeout=WAIT_MS):
        tried.pick(QPointF(9000.0, 3.0))
    bridge = tried.bridge
    bridge.tick()
    assert "no peak could be fitted at 9000" in tried.change.text()


def test_a_region_of_the_spectrum_becomes_the_line(tried: PreviewView, bridge: Bridge) -> None:
    bridge.change(changes.show_spectrum, replace(bridge.session.spectrum, roi=(4700.0, 5300.0)))
    assert bridge.session.line == (4700.0, 5300.0)


def test_each_column_keeps_its_own_line(tried: PreviewView, bridge: Bridge) -> None:
    spectrum = bridge.session.spectrum
    bridge.change(changes.show_spectrum, replace(spectrum, column="bl_int"))
    assert bridge.session.line is None
    bridge.change(changes.show_spectrum, spectrum)
    assert bridge.session.line == WINDOW


def test_nothing_is_computed_while_nobody_looks(qtbot: QtBot, tried: PreviewView, bridge: Bridge) -> None:
    qtbot.waitUntil(lambda: not tried.sandbox._is_busy, timeout=WAIT_MS)
    tried.hide()
    bridge.change(changes.set_setting, 2, "rise", 30)
    assert not tried.sandbox._is_busy
    tried.show()
    qtbot.waitUntil(
        lambda: tried.sandbox.last is not None and tried.sandbox.last.asked.chain is bridge.session.chain,
        timeout=WAIT_MS,
    )


def test_a_window_with_too_few_counts_is_told_with_its_unit_and_a_way_out(block: Block) -> None:
    found = Bench(block).compare(Asked(CHAIN, CHAIN, "trap_max", (39_900.0, 40_100.0)))
    assert effect_words(found, Measure("trap_max")).change == (
        "Too few counts from 39\u202f900.0 to 40\u202f100.0 ADC to fit: click another peak, or press P"
    )


def test_no_difference_is_claimed_that_the_errors_do_not_allow(block: Block) -> None:
    chain = (*CHAIN[:2], replace(CHAIN[2], settings={"rise": 79, "flat": 20}), CHAIN[3])
    found = Bench(block).compare(Asked(chain, CHAIN, "trap_max", WINDOW))
    assert effect_words(found, Measure("trap_max")).change.startswith("no clear difference")


def test_a_default_that_is_written_out_is_compared_with_nothing(block: Block) -> None:
    chain = (replace(CHAIN[0], settings={**CHAIN[0].settings, "i_start": 0}), *CHAIN[1:])
    found = Bench(block).compare(Asked(chain, CHAIN, "trap_max", WINDOW))
    assert chain != CHAIN
    assert effect_words(found, Measure("trap_max")) == effect_words(
        Bench(block).compare(Asked(CHAIN, CHAIN, "trap_max", WINDOW)), Measure("trap_max")
    )


def test_a_scan_fills_the_grid_and_a_click_adopts_a_cell_in_one_step(
    qtbot: QtBot, scan: ScanWindow, bridge: Bridge
) -> None:
    scan.start()
    qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)
    assert len(scan.grid.cells) == 9
    best, good = scan.grid.good()
    assert best in good
    qtbot.mouseClick(
        scan.grid, Qt.MouseButton.LeftButton, pos=scan.grid._cell_area((2, 1)).center().toPoint()
    )
    assert bridge.session.chain[2].settings == {"rise": 120, "flat": 20}
    assert scan.grid.present == (2, 1)
    bridge.store.undo()
    assert bridge.session.chain == CHAIN


def test_the_fields_of_a_scan_say_along_which_axis_they_are(scan: ScanWindow) -> None:
    assert scan.across.low.toolTip() == "First value along x"
    assert scan.up.number.accessibleName() == "Number of values along y"


def test_a_scan_that_has_ended_says_what_the_marks_are(qtbot: QtBot, scan: ScanWindow) -> None:
    scan.start_button.click()
    qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: scan.state.text().endswith(MARKS), timeout=WAIT_MS)
    assert scan.state.fontMetrics().horizontalAdvance(scan.state.text()) <= scan.state.width()


def test_the_best_cell_is_so_far_the_best_until_all_are_tried(qtbot: QtBot, scan: ScanWindow) -> None:
    scan.start()
    qtbot.waitUntil(lambda: scan.about.text().startswith("Best"), timeout=WAIT_MS)
    assert scan.about.text().startswith("Best so far: ") == (len(scan.grid.cells) < 9)
    qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)
    assert scan.about.text().startswith("Best: ")


def test_tab_passes_over_a_grid_without_cells(qtbot: QtBot, scan: ScanWindow) -> None:
    assert scan.grid.focusPolicy() == Qt.FocusPolicy.NoFocus
    scan.start()
    assert scan.grid.focusPolicy() == Qt.FocusPolicy.StrongFocus
    scan.stop()


def test_a_scan_can_be_used_by_keyboard_alone(qtbot: QtBot, scan: ScanWindow, bridge: Bridge) -> None:
    scan.start()
    qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)
    scan.grid._point((0, 0))
    qtbot.keyClick(scan.grid, Qt.Key.Key_Up)
    qtbot.keyClick(scan.grid, Qt.Key.Key_Return)
    assert bridge.session.chain[2].settings == {"rise": 40, "flat": 20}
    assert re.fullmatch(r"rise 40, flat 20: FWHM .+ ADC at .+ ADC, .+ %", scan.about.text())


def test_a_scan_is_stopped_at_once_and_keeps_what_is_known(qtbot: QtBot, scan: ScanWindow) -> None:
    scan.start()
    qtbot.waitUntil(lambda: len(scan.grid.cells) >= 1, timeout=WAIT_MS)
    scan.stop()
    known = len(scan.grid.cells)
    assert not scan.sandbox.is_scanning
    qtbot.waitUntil(lambda: not scan.sandbox._is_busy, timeout=WAIT_MS)
    assert len(scan.grid.cells) == known
    assert scan.start_button.text() == "Start"


def test_esc_close_and_the_frame_end_the_scan_and_close_it(qtbot: QtBot, scan: ScanWindow) -> None:
    ways: dict[str, Callable[[], object]] = {
        "esc": lambda: qtbot.keyClick(scan, Qt.Key.Key_Escape),
        "button": scan.close_button.click,
        "frame": scan.close,
    }
    for way, close in ways.items():
        scan.show()
        qtbot.waitExposed(scan)
        scan.start()
        assert scan.sandbox.is_scanning, way
        close()
        assert not scan.isVisible(), way
        qtbot.waitUntil(lambda: not scan.sandbox.is_scanning, timeout=WAIT_MS)


def test_another_chain_ends_the_scan(qtbot: QtBot, scan: ScanWindow, bridge: Bridge) -> None:
    scan.start()
    bridge.change(changes.set_setting, 0, "i_end", 150)
    assert not scan.sandbox.is_scanning


@pytest.mark.parametrize(("low", "high"), [("0", "100"), ("many", "100"), ("80", "80")])
def test_a_range_that_cannot_be_tried_starts_nothing(scan: ScanWindow, low: str, high: str) -> None:
    scan.across.low.setText(low)
    scan.across.high.setText(high)
    assert not scan.start_button.isEnabled()
    assert scan.across.problem.text()
    scan.start()
    assert not scan.sandbox.is_scanning


def test_only_numbers_of_steps_that_are_on_are_offered() -> None:
    chain = (Step("psd"), Step("pole_zero", enabled=False))
    assert [setting.name for _, setting in settings_to_scan(chain)] == ["i_start", "i_end"]


def test_ranges_lie_around_the_present_value_and_within_the_bounds() -> None:
    share = Setting("share", float, 0.8, low=0, high=1)
    assert usual_range(share, 0.8) == pytest.approx((0.4, 1.0))
    rise = Setting("rise", int, 400, "samples", low=1)
    assert values_between(rise, *usual_range(rise, 4), 9) == (2, 3, 4, 5, 6)


def test_the_preview_of_a_run_that_is_still_read_does_not_say_it_is_empty(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    bridge.change(changes.add_runs, [a_run()])
    bridge.adopt(1, bridge.session.runs[0])
    view = PreviewView(bridge)
    qtbot.addWidget(view)
    bridge.take(1, madeup.end(0))
    assert view._why_empty() == "No waveforms in this run."
    bridge.adopt(2, bridge.session.runs[0])
    bridge.take(2, madeup.end(400))
    assert view._why_empty() == "Reading the waveforms…"


def test_the_preview_says_that_a_run_failed(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> None:
    bridge.change(changes.add_runs, [a_run()])
    bridge.adopt(1, bridge.session.runs[0])
    view = PreviewView(bridge)
    qtbot.addWidget(view)
    bridge.take(1, Failed("The disk is full"))
    assert view._why_empty() == "No sample: the run failed."
