"""The guide to plug-ins: its example runs, its settings are settings, its tables tell the truth."""

import json
import re
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing import declare, plugins
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY, Limits, Reads

DOCS = Path(__file__).resolve().parents[2] / "resources" / "docs"
GUIDE = (DOCS / "plugins.md").read_text(encoding="utf-8")
MINE = DOCS / "examples" / "mine.py"


@pytest.fixture(autouse=True)
def registry_as_it_was():
    before, known = dict(REGISTRY), dict(plugins._loaded)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)
    plugins._loaded.clear()
    plugins._loaded.update(known)


def blocks(language):
    return re.findall(rf"```{language}\n(.+?)```", GUIDE, flags=re.DOTALL)


def aliases(kind):
    found = {}
    for name, value in vars(declare).items():
        for part in getattr(value, "__metadata__", ()):
            if isinstance(part, kind):
                found[name] = (get_args(value)[0], part)
    return found


def rows_of_the_tables():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", GUIDE, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def test_the_guide_shows_the_example_whole():
    assert MINE.read_text(encoding="utf-8") in blocks("python")


def test_the_example_turns_pulses_up_and_measures_their_end():
    plugin = plugins.load_plugins([MINE])[0]
    assert plugin.processors == ("turn_up", "end_height")
    block = Block("X", np.zeros(2, [("a", "i8")]), np.array([[9, 9, 5, 3], [8, 8, 8, 0]], np.uint16))
    chain = Tier1Processor()
    chain.add("turn_up", {"top": 10})
    chain.add("end_height", {"length": 2}, inputs={"wf_blsub": "wf_up"})
    given = chain.run(block, keep=["wf_up"])
    assert given["wf_up"].tolist() == [[1, 1, 5, 7], [2, 2, 2, 10]]
    assert given["end_height"].tolist() == [6, 6]


def test_steps_behind_the_example_read_the_waveform_that_was_turned():
    plugins.load_plugins([MINE])
    chain = Tier1Processor()
    chain.add("turn_up", {"top": 10})
    chain.add("avg_baseline", {"i_end": 2})
    assert chain.trace(np.array([9.0, 8, 1, 1]))["bl_avg"] == 1.5


def test_the_settings_of_the_guide_make_a_chain_that_runs():
    plugins.load_plugins([MINE])
    settings = json.loads(blocks("json")[0])
    assert settings["plugins"] == [MINE.name]
    pulse = 16383 - np.where(np.arange(1200) < 800, 100, 900)
    traced = Tier1Processor.from_chain(settings["chain"]).trace(pulse, period_ns=10.0)
    assert traced["end_height"] == pytest.approx(800)


def test_what_the_guide_says_to_try_works(tmp_path, monkeypatch):
    shutil.copy(MINE, tmp_path)
    monkeypatch.chdir(tmp_path)
    for code in blocks("python"):
        if "load_plugins" in code:
            exec(code, {})
            break
    else:
        pytest.fail("the guide has no such part")


def test_the_tables_of_the_guide_name_all_types_that_a_parameter_may_have():
    rows = rows_of_the_tables()
    assert set(rows) == {*aliases(Reads), *aliases(Limits)}


@pytest.mark.parametrize("name", sorted(aliases(Limits)))
def test_the_guide_tells_unit_and_bounds_of_a_setting(name):
    _, limits = aliases(Limits)[name]
    low, high = limits.low, limits.high
    bounds = (
        f"from {low:g} to {high:g}" if high is not None else f"{low:g} or more" if low is not None else ""
    )
    assert rows_of_the_tables()[name][1:] == [limits.unit, bounds]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (
            "def bad(waveform):",
            "bad: waveform: its type must be one of .* Waves, Values or PeriodNs, not none",
        ),
        ("def bad(waveform: int):", "bad: waveform: its type must be .* not <class 'int'>"),
        ("def bad(waveform: Waves, *, at: int = 3):", "bad: at: its type must be .* Sample, Span"),
        ("def bad(waveform: Waves, *, at: Sample):", "bad: at: a setting needs a default"),
    ],
)
def test_a_declaration_that_lacks_something_says_what(tmp_path, head, told):
    path = tmp_path / "bad.py"
    path.write_text(
        "from pygama.processing.declare import Sample, Waves, calculator\n\n\n"
        f'@calculator(bad="adc")\n{head}\n    """Do."""\n    return waveform[:, 0]\n'
    )
    with pytest.raises(declare.SettingsError, match=told):
        plugins.load_plugins([path])
