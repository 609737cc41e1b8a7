"""Tests what is told of the steps of a chain."""

from types import MappingProxyType

from pygama_gui.data.chain_facts import processors_by_kind, step_words
from pygama_gui.session.state import Step


def test_a_trace_is_named_by_its_step_with_times_as_people_write_them() -> None:
    step = Step("trap_filter", MappingProxyType({"rise": "4 us", "flat": 150}), enabled=True)
    assert step_words([step], "wf_trap") == "trap_filter flat 150 rise 4 µs"
    assert step_words([step], "wf_other") == "wf_other"


def test_steps_that_read_numbers_alone_are_offered_last() -> None:
    kinds = list(processors_by_kind())
    assert kinds[0] == "Calculators"
    assert kinds[-1] == "Lookup"
