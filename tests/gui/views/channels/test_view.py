"""Tests the grid of channels: what it tells of each, their order, and how one is chosen for all views."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration
from pygama.analysis.curves import Curve
from pygama.channel_map import Channel
from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.data.health import Peak
from pygama_gui.session import calibration_changes, changes, cut_changes
from pygama_gui.session.state import SORTS, ChannelMap, Run
from pygama_gui.views import madeup, surveying
from pygama_gui.views.channels.tiles import HEIGHT
from pygama_gui.views.channels.view import COLUMNS, WHY, ChannelsView, row_of
from pygama_gui.views.figure_words import fwhm_words

WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]) -> ChannelsView:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    made = ChannelsView(bridge)
    qtbot.addWidget(made)
    made.resize(820, 480)
    made.show()
    qtbot.waitExposed(made)
    return made


def events(codes: np.ndarray, seed: int = 1) -> Partial:
    partial = madeup.partial(len(codes), seed=seed, n_waveforms=1)
    partial.columns["channel"] = codes
    partial.columns["trap_max"] = np.random.default_rng(seed).uniform(100.0, 9000.0, len(codes))
    return partial


def feed(qtbot: QtBot, view: ChannelsView, partial: Partial) -> None:
    run_id = view.bridge.take(1, partial)
    view.bridge.data_grew.emit({run_id})
    n = len(view.bridge.data[run_id].columns)
    qtbot.waitUntil(lambda: view.surveyed.n_rows == n, timeout=WAIT_MS)
    view.redraw()


def state_of(view: ChannelsView) -> dict[str, str]:
    return {tile.name: tile.health.state for tile in view.tiles}


def mixed(*counts: int) -> np.ndarray:
    """Give channels in a random order, so many events of each."""
    codes = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(0).permutation(codes)


def test_an_empty_view_says_how_to_fill_it(view: ChannelsView) -> None:
    view.redraw()
    assert view.hint.text() == "Waiting for the first events…"


def test_each_channel_has_a_tile_with_its_state(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(500, 500, 9000, 20)))
    assert state_of(view) == {
        "channel 0": "ok",
        "channel 1": "ok",
        "channel 2": "noisy",
        "channel 3": "quiet",
    }
    assert view.summary.text() == "4 channels: 2 ok · ▲ channel 2 noisy · ▽ channel 3 quiet"


def test_a_channel_of_the_map_without_events_is_dead(qtbot: QtBot, view: ChannelsView) -> None:
    one = ChannelMap(channels=(Channel(0, 0, 5, "V02160A"), Channel(0, 0, 6, "off", ignore=True)))
    view.bridge.change(changes.take_channel_map, one)
    feed(qtbot, view, events(mixed(500, 500)))
    assert state_of(view) == {"channel 0": "ok", "channel 1": "ok", "V02160A": "dead"}
    assert "✕ V02160A dead" in view.summary.text()


def test_a_channel_whose_gain_drifts_is_named_with_size_and_time(qtbot: QtBot, view: ChannelsView) -> None:
    partial, rng = events(mixed(4000, 4000)), np.random.default_rng(8)
    n = len(partial.columns["channel"])
    partial.columns["time_s"] = np.linspace(0.0, 3600.0, n)
    is_peak, is_one = rng.random(n) < 0.3, partial.columns["channel"] == 1
    at = 6000.0 + 8.0 * is_one * (partial.columns["time_s"] > 1800)
    partial.columns["trap_max"] = np.where(is_peak, rng.normal(at, 5.0), rng.uniform(100.0, 9000.0, n))
    feed(qtbot, view, partial)
    view.bridge.take(1, madeup.end(n))
    qtbot.waitUntil(lambda: state_of(view)["channel 1"] == "drifting", timeout=WAIT_MS)
    assert state_of(view)["channel 0"] == "ok"
    (why,) = (tile.health.why for tile in view.tiles if tile.name == "channel 1")
    assert why.startswith("gain +")
    assert " ADC (+0.1" in why
    assert " since 10:53 UTC (" in why
    assert "◆ channel 1 drifting" in view.summary.text()
    view._change(is_table=True)
    view.redraw()
    assert why in row_of(next(tile for tile in view.tiles if tile.name == "channel 1"))


def test_channels_are_sorted_by_what_was_chosen(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(500, 600, 9000, 20)))
    orders = {}
    for sort in SORTS:
        view._change(sort=sort)
        view.redraw()
        orders[sort] = [tile.code for tile in view.tiles]
    assert orders["place"] == [0, 1, 2, 3]
    assert orders["rate"] == [2, 1, 0, 3]
    assert orders["state"] == [2, 3, 0, 1]


def test_names_are_sorted_as_people_count(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(*[100] * 12)))
    view._change(sort="name")
    view.redraw()
    assert [tile.name for tile in view.tiles][1:4] == ["channel 1", "channel 2", "channel 3"]


def test_a_click_chooses_the_channel_in_all_views(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(300, 300, 300)))
    qtbot.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=view.grid.place_of(1).center())
    session = view.session
    chosen = (session.spectrum, session.waveforms, session.plane, session.trends)
    assert [one.channel for one in chosen] == [1, 1, 1, 1]
    assert session.channel_grid.chosen == 1


def test_arrows_and_enter_choose_without_a_mouse(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(300, 300, 300)))
    view.grid.setFocus()
    qtbot.keyClick(view.grid, Qt.Key.Key_Right)
    qtbot.keyClick(view.grid, Qt.Key.Key_Right)
    assert view.grid.accessibleDescription().startswith("channel 2, ok")
    qtbot.keyClick(view.grid, Qt.Key.Key_Return)
    assert view.session.spectrum.channel == 2
    qtbot.keyClick(view.grid, Qt.Key.Key_Escape)
    assert view.session.spectrum.channel is None


def test_a_double_click_opens_the_spectrum_of_the_channel(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(300, 300)))
    view._change(column="bl_int")
    qtbot.waitUntil(lambda: view.surveyed.column == "bl_int", timeout=WAIT_MS)
    view.redraw()
    at = view.grid.place_of(1).center()
    qtbot.mouseDClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.session.tab == 2
    assert (view.session.spectrum.channel, view.session.spectrum.column) == (1, "bl_int")


def test_the_next_channel_comes_in_the_order_that_is_shown(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(300, 600, 400)))
    view._change(sort="rate")
    view.redraw()
    seen = []
    for _ in range(4):
        view._step(1)
        seen.append(view.session.spectrum.channel)
    assert seen == [1, 2, 0, 1]


def test_only_tiles_that_are_seen_are_drawn(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(np.arange(24_000) % 240))
    assert len(view.tiles) == 240
    view.grid.viewport().repaint()
    rows = view.grid.viewport().height() // HEIGHT + 2
    assert 0 < view.grid.n_painted <= rows * view.grid.n_columns
    view.grid.setFocus()
    qtbot.keyClick(view.grid, Qt.Key.Key_End)
    assert view.grid.place_of(239).bottom() <= view.grid.viewport().height()
    assert view.grid.tile_at(*_point(view.grid.place_of(239).center())) == 239


@pytest.mark.parametrize("n_channels", [1, 3, 8])
def test_a_few_tiles_grow_and_are_all_seen(qtbot: QtBot, view: ChannelsView, n_channels: int) -> None:
    view.resize(900, 700)
    feed(qtbot, view, events(np.arange(n_channels * 50) % n_channels))
    room, grid = view.grid.viewport().rect(), view.grid
    places = [grid.place_of(index) for index in range(n_channels)]
    assert all(room.contains(place) for place in places)
    assert all(place.height() > HEIGHT for place in places)
    assert not any(one.intersects(other) for one, other in itertools.combinations(places, 2))
    assert [grid.tile_at(*_point(place.center())) for place in places] == list(range(n_channels))


def _point(at: QPoint) -> tuple[int, int]:
    return at.x(), at.y()


def test_the_table_tells_the_same_as_the_grid(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(500, 500, 9000)))
    view._change(is_table=True)
    view.redraw()
    assert view.table.isVisible()
    assert view.model.rowCount() == 3
    shown = [view.model.data(view.model.index(2, column)) for column in range(3)]
    assert shown == ["channel 2", "▲ noisy", "18 times the events of the typical channel"]
    assert row_of(view.tiles[2])[3] == "9000"
    view.table.clicked.emit(view.model.index(2, 0))
    assert view.session.spectrum.channel == 2


def test_the_figures_in_the_table_are_not_cut(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(500, 500, 9000)))
    view._change(is_table=True)
    view.redraw()
    metrics = view.table.fontMetrics()
    for row in range(view.model.rowCount()):
        for at in range(len(COLUMNS) - 1):
            text = view.model.data(view.model.index(row, at))
            assert metrics.horizontalAdvance(text) < view.table.columnWidth(at)


def test_why_a_channel_is_not_well_is_in_view_in_a_narrow_panel(qtbot: QtBot, view: ChannelsView) -> None:
    view.resize(740, 420)
    feed(qtbot, view, events(mixed(500, 500, 9000)))
    view._change(is_table=True)
    view.redraw()
    header = view.table.horizontalHeader()
    why, end = header.sectionViewportPosition(WHY), header.sectionViewportPosition(WHY + 1)
    assert end < view.table.viewport().width()
    text = row_of(view.tiles[2])[WHY]
    assert view.table.fontMetrics().horizontalAdvance(text) < end - why


def test_a_heading_of_the_table_sorts(qtbot: QtBot, view: ChannelsView) -> None:
    feed(qtbot, view, events(mixed(500, 900)))
    view._sort_by_section(3)
    assert view.choice.sort == "rate"


def test_the_width_of_a_peak_is_told_with_its_error(qtbot: QtBot, view: ChannelsView) -> None:
    partial = events(mixed(3000, 3000))
    rng = np.random.default_rng(3)
    is_peak = rng.random(6000) < 0.3
    partial.columns["trap_max"][is_peak] = rng.normal(7000.0, 10.0, is_peak.sum())
    feed(qtbot, view, partial)
    qtbot.waitUntil(lambda: view.tiles[1].peak.fwhm > 0, timeout=WAIT_MS)
    peak = view.tiles[1].peak
    assert abs(peak.fwhm - 23.5) < 4 * peak.fwhm_error
    assert "FWHM" in view.tiles[1].words


def test_the_cell_of_an_unknown_figure_says_so(qtbot: QtBot, view: ChannelsView) -> None:
    view.bridge.change(changes.take_channel_map, ChannelMap(channels=(Channel(0, 0, 3, "V01"),)))
    feed(qtbot, view, events(mixed(100, 100)))
    assert row_of(view.tiles[2])[5:] == ("—", "—", "—", "—")


def test_a_dragged_edge_is_followed_at_once_and_the_rest_comes_when_the_hand_rests(
    qtbot: QtBot, view: ChannelsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surveying, "LEAST_ROWS", 1)
    view.bridge.change(cut_changes.add_cut, "hand", "trap_max < 9000")
    feed(qtbot, view, events(mixed(500, 500, 500)))
    view.bridge.take(1, madeup.end())
    surveying_of = view._surveying
    qtbot.waitUntil(lambda: not view.surveyed.is_recounted and not surveying_of.is_busy, timeout=WAIT_MS)
    heights = view.bridge.data[view.session.selected].columns.column("trap_max")
    before = view.tiles[0]
    surveying_of._hand._timer.setInterval(WAIT_MS)
    view.bridge.counting.serve_first("spectrum")
    view.bridge.change(cut_changes.edit_cut, "hand", "trap_max < 5000")
    qtbot.waitUntil(lambda: view.surveyed.is_recounted, timeout=WAIT_MS)
    assert sum(tile.figures.n_events for tile in view.tiles) == int((heights < 5000).sum())
    assert view.tiles[0].figures.baseline == before.figures.baseline
    assert row_of(view.tiles[0])[1] == f"({before.health.words})"
    assert f"({before.health.state})" in view.tiles[0].words
    assert "in brackets: of the cuts before" in view.info.text()
    assert view.summary.text().startswith("(of the cuts before)")
    surveying_of._hand._timer.start(0)  # it is held still
    qtbot.waitUntil(lambda: not view.surveyed.is_recounted, timeout=WAIT_MS)
    assert sum(tile.figures.n_events for tile in view.tiles) == int((heights < 5000).sum())
    assert not any("(" in tile.words.split(",")[1] for tile in view.tiles)
    view.bridge.counting.serve_first("")


def test_peaks_of_a_run_that_grows_a_little_are_fitted_anew_after_a_while(
    qtbot: QtBot, view: ChannelsView, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = view._surveying
    feed(qtbot, view, events(mixed(2000)))
    code = int(mixed(1)[0])

    def n_fitted() -> int:
        return 0 if its._held is None else its._held.peaks.get(code, (0, Peak()))[0]

    qtbot.waitUntil(lambda: n_fitted() == 2000 and not its.is_busy, timeout=WAIT_MS)
    feed(qtbot, view, events(mixed(200), seed=2))
    qtbot.waitUntil(lambda: view.surveyed.n_rows == 2200 and not its.is_busy, timeout=WAIT_MS)
    assert n_fitted() == 2000
    assert its._held is not None
    assert its._lacking(view.session.runs[0], its._held) == []
    monkeypatch.setattr(surveying, "PEAKS_EVERY_S", 0.0)
    monkeypatch.setattr(surveying, "PEAKS_REST", 0.0)
    view.redraw_soon()
    qtbot.waitUntil(lambda: n_fitted() == 2200, timeout=WAIT_MS)


def test_a_gain_that_jumps_is_told_though_the_peak_is_not_fitted_anew(
    qtbot: QtBot, view: ChannelsView
) -> None:
    def with_peak(n: int, at: float, seed: int) -> Partial:
        partial = events(mixed(n), seed)
        rng = np.random.default_rng(seed)
        partial.columns["trap_max"][rng.random(n) < 0.2] = at
        partial.columns["trap_max"] += rng.normal(0.0, 10.0, n)
        return partial

    def later(partial: Partial, by: float) -> Partial:
        partial.columns["time_s"] += by
        return partial

    its = view._surveying
    feed(qtbot, view, with_peak(2000, 5000.0, 1))
    qtbot.waitUntil(lambda: its.peak(0).fwhm > 0 and not its.is_busy, timeout=WAIT_MS)
    feed(qtbot, view, later(with_peak(200, 5000.0, 2), 0.1))
    view.redraw()
    assert state_of(view) == {"channel 0": "ok"}
    fitted = its.peak(0)
    feed(qtbot, view, later(with_peak(300, 5200.0, 3), 0.2))
    view.redraw()
    assert its.peak(0) is fitted
    assert state_of(view) == {"channel 0": "drifting"}
    assert view.tiles[0].health.why.startswith("its peak is gone since ")


def test_energies_that_no_event_has_give_way_to_what_they_are_made_of(
    qtbot: QtBot, view: ChannelsView
) -> None:
    curve = ChannelCalibration(curve=Curve((0.0, 0.1), ((0.0, 0.0), (0.0, 0.0))))
    elsewhere = Calibration("trap_max", made_from=("Run1",), channels={"0/5/9": curve})
    view.bridge.change(calibration_changes.take_calibration, elsewhere)
    assert view.choice.column == "trap_max_kev"
    feed(qtbot, view, events(mixed(500, 500)))
    assert view.surveyed.column == "trap_max"
    assert all(tile.figures.counts.any() for tile in view.tiles)


@pytest.mark.parametrize(
    ("peak", "told"),
    [
        (Peak(3.65, 0.1, 2614.4, 0.05, "Tl-208 2614.5 keV"), "FWHM 3.65 ± 0.10 keV (Tl-208)"),
        (Peak(3.65, 0.1, 2614.4, 0.05), "FWHM 3.65 ± 0.10 keV (at 2614.40 ± 0.05)"),
        (Peak(31.0, 14.0, 700.0, 4.0), ""),
        (Peak(), ""),
    ],
)
def test_a_width_is_told_with_its_peak_where_the_fit_tells_it(peak: Peak, told: str) -> None:
    assert fwhm_words(peak, "keV") == told
