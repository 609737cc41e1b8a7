"""Tests what is told of the steps of a chain."""

from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pygama.processing.plugins import load_plugins
from pygama_gui.data.chain_facts import processors, processors_by_kind, step_words
from pygama_gui.session.state import Step


def test_a_trace_is_named_by_its_step_with_times_as_people_write_them() -> None:
    step = Step("trap_filter", MappingProxyType({"rise": "4 us", "flat": 150}), enabled=True)
    assert step_words([step], "wf_trap") == "trap_filter flat 150 rise 4 µs"
    assert step_words([step], "wf_other") == "wf_other"


def test_steps_are_offered_by_what_they_are_about_as_in_the_reference() -> None:
    kinds = processors_by_kind()
    assert list(kinds)[:3] == ["Baselines", "Subtraction and decay", "Filters"]
    assert [known.name for known in kinds["Baselines"]][:2] == ["avg_baseline", "fit_baseline"]
    assert sum(map(len, kinds.values())) == len(processors())


def test_steps_of_a_plug_in_are_offered_last(tmp_path: Path) -> None:
    example = resources.files("pygama.resources") / "docs" / "examples" / "mine.py"
    (path := tmp_path / "mine.py").write_text(example.read_text())
    load_plugins([path])
    assert [known.name for known in processors_by_kind()["Plug-in mine.py"]] == ["turn_up", "end_height"]
    assert list(processors_by_kind())[-1] == "Plug-in mine.py"
