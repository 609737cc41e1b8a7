"""Tests what is found out of a chain before it runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pygama.processing.base import Tier1Processor
from pygama_gui.data.wiring import free_name, free_outputs, readers_after, runnable, value_units, wires
from pygama_gui.session.state import DEFAULT_CHAIN, Session, Step

USUAL = list(DEFAULT_CHAIN)


def mended(chain: Sequence[Step], index: int, which: int = 0) -> tuple[Step, ...]:
    mend = wires(chain)[index].mends[which]
    return mend.change(Session(chain=tuple(chain)), *mend.args).chain


def names(chain: Sequence[Step]) -> list[str]:
    return [step.step for step in chain]


def test_a_whole_chain_needs_no_mending() -> None:
    assert [(wire.amiss, wire.mends) for wire in wires(USUAL)] == [("", ())] * 4


def test_one_click_inserts_a_writer_and_all_that_it_needs() -> None:
    chain = mended([Step("trap_max")], 0)
    assert names(chain) == ["fit_baseline", "bl_subtract", "trap_filter", "trap_max"]
    assert not any(wire.amiss for wire in wires(chain))


def test_one_click_inserts_only_what_is_not_there() -> None:
    assert names(mended([*USUAL[:2], Step("trap_max")], 2)) == names(USUAL)


def test_one_click_switches_the_writer_on() -> None:
    chain = [USUAL[0], Step("bl_subtract", enabled=False), *USUAL[2:]]
    assert mended(chain, 2) == DEFAULT_CHAIN


def test_one_click_moves_the_writer_up() -> None:
    assert mended([*USUAL[:2], USUAL[3], USUAL[2]], 2) == DEFAULT_CHAIN


def test_one_click_gives_an_output_another_name() -> None:
    chain = mended([*USUAL, Step("trap_filter")], 4)
    assert chain[4].outputs == {"wf_trap": "wf_trap_2"}
    assert not any(wire.amiss for wire in wires(chain))


def test_an_unknown_step_can_be_removed() -> None:
    assert mended([*USUAL, Step("magic")], 4) == DEFAULT_CHAIN


def test_a_step_reads_the_newer_version_of_a_wave() -> None:
    chain = [*USUAL[:2], Step("pole_zero"), USUAL[2]]
    assert wires(chain)[3].words == "wf_pz → wf_trap"


def test_a_wave_in_the_place_of_a_number_is_told() -> None:
    chain = [*USUAL[:1], Step("bl_subtract", inputs={"bl_int": "waveform"})]
    wire = wires(chain)[1]
    assert "reads one number a waveform, but 'waveform' is waveforms" in wire.amiss
    assert mended(chain, 1) == DEFAULT_CHAIN[:2]


def test_a_setting_out_of_range_is_told_before_anything_runs() -> None:
    assert "rise must be 1 sample or more" in wires([*USUAL[:2], Step("trap_filter", {"rise": 0})])[2].amiss


def test_a_step_without_a_table_that_it_cannot_do_without_is_amiss() -> None:
    chain = [*USUAL, Step("calibrate")]
    assert wires(chain)[-1].amiss == "needs table: JSON or SQLite file, from the working folder on"
    assert not runnable(chain)[-1].enabled
    assert wires([*USUAL, Step("calibrate", {"table": "gains.json"})])[-1].amiss == ""


def test_numbers_of_the_card_need_no_writer() -> None:
    assert wires([Step("lookup", {"table": "t.json"})])[0].amiss == ""


def test_what_cannot_run_is_switched_off_with_those_that_need_it() -> None:
    chain = [USUAL[0], *USUAL[2:], Step("baseline_rms")]
    assert [step.enabled for step in runnable(chain)] == [True, False, False, True]


@pytest.mark.parametrize(
    ("taken", "name", "new"), [((), "wf_trap", "wf_trap"), (("trap_filter",), "wf_trap", "wf_trap_2")]
)
def test_a_free_name_is_numbered(taken: tuple[str, ...], name: str, new: str) -> None:
    assert free_name([Step(one) for one in taken], name) == new


def test_a_name_that_is_numbered_goes_on_counting() -> None:
    chain = [*USUAL, Step("trap_filter", outputs={"wf_trap": "wf_trap_2"})]
    assert free_name(chain, "wf_trap_2") == "wf_trap_3"


def test_a_second_filter_stands_beside_the_first_and_runs() -> None:
    second = Step("trap_filter", outputs=free_outputs(USUAL, Step("trap_filter")))
    top = Step("trap_max", inputs={"wf_trap": "wf_trap_2"}, outputs={"trap_max": "fast_max"})
    chain = [*USUAL, second, top]
    assert not any(wire.amiss for wire in wires(chain))
    columns = Tier1Processor.from_chain([step.to_chain() for step in chain]).columns
    assert list(columns) == list(value_units(chain)) == ["bl_int", "bl_slope", "trap_max", "fast_max"]


def test_each_output_of_a_second_step_gets_a_name_of_its_own() -> None:
    chain = (*USUAL, Step("time_points"))
    second = Step("time_points", outputs=free_outputs(chain, Step("time_points")))
    assert list(second.outputs.values()) == ["tp_01_2", "tp_10_2", "tp_50_2", "tp_90_2", "tp_99_2"]
    assert [wire.amiss for wire in wires((*chain, second))] == [""] * (len(chain) + 1)
    third = free_outputs((*chain, second), second)
    assert third["tp_50"] == "tp_50_3"


def test_readers_are_found_up_to_the_next_writer_of_the_name() -> None:
    chain = [*USUAL, Step("trap_filter"), Step("trap_max")]
    assert list(readers_after(chain, 2, "wf_trap")) == [(3, "wf_trap")]
