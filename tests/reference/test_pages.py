"""The reference pages say what the declarations say."""

import json
import re
from pathlib import Path

import pytest

from pygama.processing.steps import REGISTRY, Step
from pygama.reference import pages, write
from pygama.reference.__main__ import main
from pygama.reference.pages import GROUPS

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "docs" / "reference"
LIBRARY = [
    name
    for name, processor in REGISTRY.items()
    if processor.function.__module__.startswith("pygama.processing.")
]


def part_of(name):
    text = (FOLDER / "processors.md").read_text(encoding="utf-8")
    return re.split(r"\n##+ ", text.split(f"\n### {name}\n")[1])[0]


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_pages_are_those_that_the_declarations_make(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text == pages()[name], "run: python -m pygama.reference resources/docs/reference"


def test_the_groups_hold_each_processor_of_the_library_once():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(LIBRARY)


def test_every_processor_has_its_place_with_settings_and_source(tmp_path):
    write(tmp_path)
    part = part_of("trap_filter")
    assert (tmp_path / "processors.md").read_text(encoding="utf-8").count(part) == 1
    assert "| `rise` | `400` | samples | 1 |" in part
    assert "Jordanov" in part
    assert "`rt` is `rise`" in part
    assert "`wf_blsub` (adc) → `wf_trap` (adc)" in part


@pytest.mark.parametrize("name", LIBRARY)
def test_a_processor_has_its_formula_in_a_block_and_a_line_in_the_index(name):
    text = (FOLDER / "processors.md").read_text(encoding="utf-8")
    assert f"\n| [{name}](#{name}) | " in text
    assert f"```text\n{REGISTRY[name].formula}\n```" in part_of(name)


@pytest.mark.parametrize("name", LIBRARY)
def test_the_line_of_json_of_a_processor_is_a_step_that_works(name):
    line = part_of(name).split("```json\n")[1].split("\n```")[0]
    step = Step.from_json(json.loads(line))
    step.check()
    assert step.name == name


@pytest.mark.parametrize("name", LIBRARY)
def test_a_processor_has_a_picture_that_the_page_shows(name):
    shown = re.findall(r"!\[.+\]\((.+)\)", part_of(name))
    assert shown == [f"pictures/{name}.png"]
    assert (FOLDER / shown[0]).read_bytes().startswith(b"\x89PNG")


def test_there_is_no_picture_of_a_processor_that_went():
    assert sorted(path.stem for path in (FOLDER / "pictures").iterdir()) == sorted(LIBRARY)


def test_the_command_writes_the_pages_and_draws_nothing_unasked(tmp_path):
    assert main([str(tmp_path / "new")]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(pages())


def test_the_command_says_that_a_run_is_not_there(tmp_path, capsys):
    assert main([str(tmp_path / "new"), "--pulse", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
