"""Tests the cards of the chain and the options."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama_gui.bridge import Bridge
from pygama_gui.session import changes
from pygama_gui.session.state import DEFAULT_CHAIN, Step
from pygama_gui.views import chain_facts
from pygama_gui.views.chain import ChainView
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


def test_a_step_is_dragged_to_another_place_by_its_handle(
    qtbot: QtBot, view: ChainView, bridge: Bridge, move_mouse: Callable[..., None]
) -> None:
    handle, last = view.cards[0].handle, view.cards[-1]
    end = handle.mapFromGlobal(last.mapToGlobal(last.rect().bottomLeft()))
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=handle.rect().center())
    move_mouse(handle, end)
    assert not view._drop_line.isHidden()
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=end)
    assert [step.step for step in bridge.session.chain][-1] == "fit_baseline"
    assert view._drop_line.isHidden()
