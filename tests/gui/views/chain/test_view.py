"""Tests the cards of the chain and the options."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAction, QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from pygama.progress import Partial
from pygama_gui.bridge import Bridge
from pygama_gui.data import chain_facts, preview
from pygama_gui.data.preview import Facts
from pygama_gui.data.samples import Sample
from pygama_gui.data.wiring import outputs_of
from pygama_gui.session import changes
from pygama_gui.session.state import DEFAULT_CHAIN, Run, Step
from pygama_gui.views import madeup
from pygama_gui.views.chain.channel_settings import ChannelTable
from pygama_gui.views.chain.step_card import StepCard
from pygama_gui.views.chain.view import ChainView
from pygama_gui.views.options import OptionsView


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge) -> ChainView:
    made = ChainView(bridge)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_there_is_a_card_for_each_step(view: ChainView) -> None:
    assert [card.name for card in view.cards] == [step.step for step in DEFAULT_CHAIN]


def test_only_the_selected_card_shows_its_settings(view: ChainView) -> None:
    assert [card.form is not None for card in view.cards] == [False, False, True, False]


def test_a_setting_that_is_edited_changes_the_session(view: ChainView, bridge: Bridge) -> None:
    form = view.cards[2].form
    assert form is not None
    form.fields["rise"].edited.emit("rise", 300)
    assert bridge.session.chain[2].settings == {"rise": 300}
    assert form.fields["rise"].value == 300


def test_dragging_a_slider_keeps_the_card(view: ChainView, bridge: Bridge) -> None:
    card = view.cards[2]
    bridge.change(changes.set_setting, 2, "rise", 300)
    assert view.cards[2] is card


def test_a_step_is_switched_off_on_its_card(view: ChainView, bridge: Bridge) -> None:
    view.cards[0].on_box.setChecked(False)
    assert not bridge.session.chain[0].enabled


def test_a_step_that_lacks_its_input_says_so(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.remove_step, 1)
    assert "'wf_blsub', which nothing before it writes; put bl_subtract" in view.cards[1].amiss.text()


def test_a_step_whose_input_is_switched_off_says_so(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.enable_step, 1, False)
    assert view.cards[2].amiss.text() == "▲ reads 'wf_blsub'; switch bl_subtract on"


def test_an_unknown_step_says_so(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.set_chain, (Step("magic"),))
    assert "'magic' is not a known step" in view.cards[0].amiss.text()


def test_a_step_whose_input_comes_later_says_so(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.move_step, 3, 2)
    assert "move trap_filter before it" in view.cards[2].amiss.text()


def test_a_step_that_stands_there_twice_says_so(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.add_step, "trap_filter")
    assert view.cards[3].amiss.text().startswith("▲ writes 'wf_trap', which trap_filter writes already")


def test_removing_the_step_that_has_the_focus_shows_what_is_left(view: ChainView, bridge: Bridge) -> None:
    form = view.cards[2].form
    assert form is not None
    form.fields["rise"].control.setFocus()
    bridge.change(changes.remove_step, 2)
    assert [card.name for card in view.cards] == ["fit_baseline", "bl_subtract", "trap_max"]
    assert "wf_trap" in view.cards[2].amiss.text()
    assert bridge.session.step == 2


def test_tab_goes_through_the_cards_in_their_order(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.move_step, 0, 3)
    stops = [stop for card in view.cards for stop in card.stops()]
    widget, seen = stops[0], []
    while len(seen) < len(stops):
        seen += [widget] if widget in stops else []
        widget = widget.nextInFocusChain()
    assert seen == stops


def test_undo_brings_a_removed_step_back(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.remove_step, 2)
    assert len(view.cards) == 3
    bridge.store.undo()
    assert [card.name for card in view.cards] == [step.step for step in DEFAULT_CHAIN]


def test_the_library_is_searched_and_used_by_keyboard_alone(
    qtbot: QtBot, view: ChainView, bridge: Bridge
) -> None:
    view.setFocus()
    view.view_actions()[0].trigger()
    assert view.library.isVisible()
    qtbot.keyClicks(view.library.search, "baseline noise")
    assert view.library.names()[0] == "baseline_rms"
    first = view.library.current
    qtbot.keyClick(view.library.search, Qt.Key.Key_Down)
    assert view.library.current is not first
    qtbot.keyClick(view.library.search, Qt.Key.Key_Up)
    qtbot.keyClick(view.library.search, Qt.Key.Key_Return)
    assert [step.step for step in bridge.session.chain][3] == "baseline_rms"
    assert bridge.session.step == 3
    assert not view.library.isVisible()


def test_what_the_library_tells_of_a_step_parts_no_number_from_its_unit(
    qtbot: QtBot, view: ChainView
) -> None:
    view.open_library()
    qtbot.keyClicks(view.library.search, "time_points")
    assert "99\u202f% of its maximum" in view.library.about.text()


def test_escape_closes_the_library_and_adds_nothing(qtbot: QtBot, view: ChainView, bridge: Bridge) -> None:
    view.open_library()
    qtbot.keyClick(view.library.search, Qt.Key.Key_Escape)
    assert not view.library.isVisible()
    assert bridge.session.chain == DEFAULT_CHAIN


def test_a_search_that_finds_nothing_says_so(qtbot: QtBot, view: ChainView, bridge: Bridge) -> None:
    view.open_library()
    qtbot.keyClicks(view.library.search, "xyzzy")
    assert view.library.names() == []
    assert "xyzzy" in view.library.about.text()
    qtbot.keyClick(view.library.search, Qt.Key.Key_Return)
    assert bridge.session.chain == DEFAULT_CHAIN


def least_width(card: StepCard) -> int:
    layout = card.layout()
    assert layout is not None
    layout.activate()
    return layout.minimumSize().width()


def test_a_card_with_two_ways_to_mend_it_is_no_wider(qtbot: QtBot, view: ChainView, bridge: Bridge) -> None:
    before = least_width(view.cards[2])
    bridge.change(changes.remove_step, 1)
    card = view.cards[1]
    assert card.name == "trap_filter"
    assert [made.text() for made in card.mends] == ["Insert bl_subtract", "Insert bl_subtract_polynomial"]
    qtbot.waitUntil(card.mends[1].isVisible)
    assert least_width(card) <= before


def test_a_button_on_the_card_mends_it(qtbot: QtBot, view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.remove_step, 1)
    qtbot.mouseClick(view.cards[1].mends[0], Qt.MouseButton.LeftButton)
    assert [step.step for step in bridge.session.chain] == [step.step for step in DEFAULT_CHAIN]
    assert [card.amiss.text() for card in view.cards] == [""] * 4
    bridge.store.undo()
    assert len(bridge.session.chain) == 3


@pytest.mark.parametrize("way", ["_toggle_names", "_toggle_channels"])
def test_what_is_opened_at_the_end_of_a_card_comes_into_view(
    qtbot: QtBot, view: ChainView, bridge: Bridge, way: str
) -> None:
    view.resize(320, 330)
    bridge.change(changes.select_step, 3)
    bridge.change(changes.select_step, 0)
    qtbot.waitUntil(lambda: view.cards[0].form is not None)
    getattr(view, way)()
    part = view.focusWidget()
    assert part is not None
    qtbot.waitUntil(lambda: part.visibleRegion().boundingRect().height() >= part.height() - 1)


def test_a_duplicate_reads_what_its_original_reads(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.set_chain, (*DEFAULT_CHAIN[:2], Step("pole_zero"), *DEFAULT_CHAIN[2:]))
    bridge.change(changes.select_step, 2)
    view.duplicate()
    assert [card.wiring.text() for card in view.cards[2:4]] == ["wf_blsub → wf_pz", "wf_blsub → wf_pz_2"]
    assert chain_facts.what_is_amiss(bridge.session.chain) == {}
    bridge.store.undo()
    bridge.change(changes.select_step, 0)
    view.duplicate()
    assert bridge.session.chain[1].inputs == {}


def test_a_duplicate_of_a_duplicate_reads_the_same(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.set_chain, (*DEFAULT_CHAIN[:2], Step("pole_zero"), *DEFAULT_CHAIN[2:]))
    bridge.change(changes.select_step, 2)
    view.duplicate()
    view.duplicate()
    assert bridge.session.chain[4].inputs == {"wf_blsub": "wf_blsub"}
    assert [outputs_of(step) for step in bridge.session.chain[2:5]] == [
        ("wf_pz",),
        ("wf_pz_2",),
        ("wf_pz_3",),
    ]


def test_a_duplicate_writes_under_a_name_of_its_own(view: ChainView, bridge: Bridge) -> None:
    view.duplicate()
    assert bridge.session.chain[3] == Step("trap_filter", outputs={"wf_trap": "wf_trap_2"})
    assert [card.amiss.text() for card in view.cards] == [""] * 5
    assert view.cards[3].wiring.text() == "wf_blsub → wf_trap_2"


def test_renaming_an_output_takes_its_readers_along(qtbot: QtBot, view: ChainView, bridge: Bridge) -> None:
    view._toggle_names()
    names = view.cards[2].names
    assert names is not None
    line = names.lines["wf_trap"]
    line.selectAll()
    qtbot.keyClicks(line, "wf_slow")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert bridge.session.chain[2].outputs == {"wf_trap": "wf_slow"}
    assert bridge.session.chain[3].inputs == {"wf_trap": "wf_slow"}
    assert what_is_amiss(view) == []
    bridge.store.undo()
    assert bridge.session.chain == DEFAULT_CHAIN


def what_is_amiss(view: ChainView) -> list[str]:
    return [card.amiss.text() for card in view.cards if card.amiss.text()]


@pytest.mark.parametrize("text", ["wf blsub", "bl_int", "2"])
def test_a_name_that_cannot_be_is_never_taken(
    qtbot: QtBot, view: ChainView, bridge: Bridge, text: str
) -> None:
    view._toggle_names()
    names = view.cards[2].names
    assert names is not None
    line = names.lines["wf_trap"]
    line.selectAll()
    qtbot.keyClicks(line, text)
    assert not names.error.isHidden()
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert bridge.session.chain == DEFAULT_CHAIN
    assert line.text() == "wf_trap"


def test_an_input_is_chosen_among_what_is_there_before(view: ChainView, bridge: Bridge) -> None:
    view._toggle_names()
    names = view.cards[2].names
    assert names is not None
    box = names.boxes["wf_blsub"]
    box.activated.emit(box.findText("waveform"))
    assert bridge.session.chain[2].inputs == {"wf_blsub": "waveform"}
    assert view.cards[2].wiring.text() == "waveform → wf_trap"


def test_the_link_on_the_card_shows_the_names(view: ChainView) -> None:
    view.cards[2].names_link.click()
    names = view.cards[2].names
    assert names is not None
    assert names.lines["wf_trap"].text() == "wf_trap"
    assert names.boxes["wf_blsub"].itemText(0) == "wf_blsub (as usual)"


def test_a_run_that_grows_is_sampled_by_its_newest_waveforms(
    qtbot: QtBot, view: ChainView, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    for message in madeup.messages(run.path, n_partials=12):
        bridge.take(1, message)
    bridge.data_grew.emit({run.run_id})
    qtbot.waitUntil(lambda: view.sandbox.last is not None, timeout=30_000)
    assert view.sandbox.n_rows == 48
    assert view.sandbox.words == "newest waveforms"
    qtbot.waitUntil(lambda: view.sandbox.facts is not None, timeout=30_000)
    assert all("µs" in card.cost.text() for card in view.cards)
    assert all(card.thumbnail.pictured is not None for card in view.cards)


def test_arrows_go_from_card_to_card(qtbot: QtBot, view: ChainView, bridge: Bridge) -> None:
    view.cards[2].setFocus()
    qtbot.keyClick(view.cards[2], Qt.Key.Key_Down)
    assert bridge.session.step == 3
    qtbot.keyClick(view.cards[3], Qt.Key.Key_Up)
    assert bridge.session.step == 2


def test_settings_of_single_channels_are_told_on_the_card(view: ChainView, bridge: Bridge) -> None:
    bridge.change(changes.set_channels, 2, {"0/5/1": {"rise": 300}, "2": {"rise": 200, "flat": 100}})
    assert view.cards[2].own.text() == "2 channels have their own settings"
    assert "0/5/1: rise 300" in view.cards[2].own.toolTip()


def channels_of(view: ChainView) -> ChannelTable:
    view._toggle_channels()
    table = view.cards[2].channels
    assert table is not None
    return table


def test_a_channel_is_given_settings_of_its_own_in_the_table(view: ChainView, bridge: Bridge) -> None:
    table = channels_of(view).table
    table.item(0, 0).setText("0/5/1")
    assert bridge.session.chain[2].channels == {}
    table.item(0, 1).setText("300")
    table.item(0, 2).setText("2 us")
    assert bridge.session.chain[2].channels == {"0/5/1": {"rise": 300, "flat": "2 us"}}
    assert table.rowCount() == 2
    table.item(0, 1).setText("")
    assert bridge.session.chain[2].channels == {"0/5/1": {"flat": "2 us"}}
    bridge.store.undo()
    assert table.item(0, 1).text() == "300"


def test_the_table_of_channels_is_filled_by_the_keyboard_although_the_window_has_the_keys(
    qtbot: QtBot, view: ChainView, bridge: Bridge
) -> None:
    taken: list[str] = []
    for key in ("2", "3", "F2", "Del", "Return"):
        action = QAction(view)
        action.setShortcut(key)
        action.triggered.connect(lambda _checked=False, key=key: taken.append(key))
        view.addAction(action)
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    table = channels_of(view).table
    qtbot.waitUntil(table.hasFocus)
    table.setCurrentCell(0, 0)

    def type_in(text: str) -> None:
        qtbot.keyClick(table, text[0])  # opens the cell
        qtbot.waitUntil(lambda: QApplication.focusWidget() is not table)
        line = QApplication.focusWidget()
        assert isinstance(line, QLineEdit)
        qtbot.keyClicks(line, text[1:])
        qtbot.keyClick(line, Qt.Key.Key_Return)
        qtbot.waitUntil(table.hasFocus)

    type_in("2")
    qtbot.keyClick(table, Qt.Key.Key_Right)
    type_in("300")
    assert bridge.session.chain[2].channels == {"2": {"rise": 300}}
    qtbot.keyClick(table, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), QLineEdit))
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(table.hasFocus)
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert bridge.session.chain[2].channels == {}
    assert taken == []


def test_renaming_begins_with_the_first_output_and_all_of_its_name(
    qtbot: QtBot, view: ChainView, bridge: Bridge
) -> None:
    bridge.change(changes.select_step, 0)
    view._toggle_names()
    line = view.focusWidget()
    assert isinstance(line, QLineEdit)
    assert line.selectedText() == "bl_int"


@pytest.mark.parametrize(
    ("place", "rise", "words"),
    [
        ("1/2/3/4", "300", "crate/card/channel"),
        ("1", "0", "rise must be 1 sample or more"),
        ("1", "many", "rise must be"),
    ],
)
def test_what_is_wrong_in_the_table_of_channels_is_said_and_never_taken(
    view: ChainView, bridge: Bridge, place: str, rise: str, words: str
) -> None:
    channels = channels_of(view)
    channels.table.item(0, 0).setText(place)
    channels.table.item(0, 1).setText(rise)
    assert words in channels.error.text()
    assert bridge.session.chain == DEFAULT_CHAIN
    channels.table.item(0, 1).setText("")
    assert channels.error.text() == ""


def test_facts_of_the_sample_are_told_on_the_cards(view: ChainView, bridge: Bridge) -> None:
    chain = bridge.session.chain
    view.sandbox.facts = Facts(
        chain,
        2000,
        {3: 12},
        {3: "no trap_max, first in event 7"},
        {3: 7},
        {1: "bl_subtract: reads too far"},
        {0: 1.25, 2: 3.0},
        True,
        {0: "pulses begin early", 1: "not told", 3: "nor well"},
    )
    view._show()
    assert view.cards[0].worry.text() == "▲ pulses begin early"
    assert view.cards[1].worry.text() == ""
    assert view.cards[0].cost.text() == "1.2 µs"
    assert "12 of 2000 waveforms without a value: no trap_max, first in event 7" in view.cards[3].worry.text()
    assert view.cards[1].amiss.text() == "▲ reads too far"
    assert view.cards[3].worry.text().startswith("▲ nor well\n▲ 12 of")
    assert [card.property("broken") for card in view.cards] == ["warn", "bad", "", "warn"]


def test_the_first_waveform_without_a_value_is_asked_for_on_the_card(
    qtbot: QtBot, view: ChainView, bridge: Bridge
) -> None:
    view.sandbox.facts = Facts(
        bridge.session.chain, 2000, {3: 12}, {3: "no trap_max, first in event 7"}, {3: 7}, is_whole=True
    )
    view._show()
    assert not view.cards[2].nan_link.isVisibleTo(view)
    with qtbot.waitSignal(view.event_asked) as asked:
        view.cards[3].nan_link.click()
    assert asked.args == [7]


def test_the_waveform_of_a_run_that_was_left_is_taken_off_the_cards(
    qtbot: QtBot, view: ChainView, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    first, empty = a_run(1), a_run(2)
    bridge.change(changes.add_runs, [first, empty])
    bridge.change(changes.select_run, first.run_id)
    bridge.adopt(1, first)
    for message in madeup.messages(first.path, n_partials=12):
        bridge.take(1, message)
    bridge.data_grew.emit({first.run_id})
    qtbot.waitUntil(lambda: any(card.thumbnail.pictured is not None for card in view.cards), timeout=30_000)
    bridge.change(changes.select_run, empty.run_id)
    assert all(card.thumbnail.pictured is None for card in view.cards)


def test_a_waveform_is_pictured_before_and_after_each_step(view: ChainView) -> None:
    sample = Sample("a", madeup.pulse(9000.0), {"period_ns": 16.0})
    view.sandbox.traces = preview.trace(DEFAULT_CHAIN, sample)
    view._show()
    shown = [card.thumbnail.pictured for card in view.cards]
    assert all(one is not None and one.before is not None for one in shown)
    assert [one is not None and one.after is not None for one in shown] == [False, True, True, False]
    last = shown[3]
    assert last is not None and last.words[0].startswith("trap_max ")
    assert not view.cards[3].thumbnail.grab().isNull()


def test_cards_up_to_a_step_that_fails_keep_their_height(view: ChainView, bridge: Bridge) -> None:
    sample = Sample("a", madeup.pulse(9000.0), {"period_ns": 16.0})
    bridge.change(changes.set_setting, 2, "rise", 99_999)
    view.sandbox.traces = preview.trace(view.session.chain, sample)
    view._show()
    shown = [card.thumbnail.pictured for card in view.cards]
    assert [one is not None for one in shown] == [True, True, True, False]
    assert shown[2] is not None and shown[2].after is None
    assert not view.cards[2].thumbnail.grab().isNull()


def test_a_setting_that_is_changed_stays_under_the_mouse(view: ChainView, bridge: Bridge) -> None:
    view.column.scroll_to(view.cards[2])
    assert view.column._brought is view.cards[2]
    bridge.change(changes.set_setting, 2, "rise", 350)
    assert view.column._brought is None


def test_a_whole_chain_lacks_nothing() -> None:
    assert chain_facts.what_is_amiss(DEFAULT_CHAIN) == {}


def test_a_renamed_output_is_known_by_its_new_name() -> None:
    chain = (*DEFAULT_CHAIN[:2], Step("trap_filter", outputs={"wf_trap": "wf_fast"}), Step("trap_max"))
    assert list(chain_facts.what_is_amiss(chain)) == [3]


def test_options_of_the_window_appear_when_one_is_cut(qtbot: QtBot, bridge: Bridge) -> None:
    options = OptionsView(bridge)
    qtbot.addWidget(options)
    assert options.form.fields["n_samp"].isHidden()
    bridge.change(changes.set_tier0, "window", "max")
    assert not options.form.fields["n_samp"].isHidden()


def test_the_window_may_be_a_time_and_says_its_samples_when_the_sampling_period_is_known(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    options = OptionsView(bridge)
    qtbot.addWidget(options)
    bridge.change(changes.set_tier0, "window", "max")
    field = options.form.fields["n_samp"]
    field.control.clear()
    qtbot.keyClicks(field.control, "8 us")
    assert bridge.session.tier0["n_samp"] == "8 us"
    assert field.unit_label.text() == "time"
    run = a_run()
    bridge.change(changes.add_runs, [run])
    bridge.adopt(1, run)
    columns = {"channel": np.zeros(1, int), "period_ns": np.full(1, 10.0)}
    bridge.take(1, Partial("any", columns, np.zeros((1, 900), np.uint16), columns))
    options.on_data({run.run_id})
    assert field.unit_label.text() == "= 800 samples"


def test_the_digitizers_of_a_run_are_offered_after_the_turn_in_which_it_came(
    qtbot: QtBot, bridge: Bridge, a_run: Callable[..., Run]
) -> None:
    options = OptionsView(bridge)
    qtbot.addWidget(options)
    with qtbot.waitExposed(options):
        options.show()
    before = options.form.fields["digitizer"]
    bridge.change(changes.add_runs, [a_run()])
    assert options.form.fields["digitizer"] is before
    qtbot.waitUntil(lambda: options.form.fields["digitizer"].setting.choices == a_run().decoders)


def test_a_step_is_dragged_to_another_place_by_its_handle(
    qtbot: QtBot, view: ChainView, bridge: Bridge, move_mouse: Callable[..., None]
) -> None:
    handle, last = view.cards[0].handle, view.cards[-1]
    end = handle.mapFromGlobal(last.mapToGlobal(last.rect().bottomLeft()))
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=handle.rect().center())
    move_mouse(handle, end)
    assert not view.column.drop_line.isHidden()
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=end)
    assert [step.step for step in bridge.session.chain][-1] == "fit_baseline"
    assert view.column.drop_line.isHidden()


def test_mending_a_chain_in_which_nothing_is_amiss_says_so(view: ChainView) -> None:
    told: list[str] = []
    view.bridge.logged.connect(lambda text, _level: told.append(text))
    view.mend()
    assert told == ["No step needs mending"]
