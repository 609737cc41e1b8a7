"""Plug-ins: files that add processors, run only when asked to."""

import numpy as np
import pytest

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing import plugins
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY

GOOD = '''
import numpy as np
from pygama.processing.declare import Sample, Values, Waves, calculator


@calculator(sample_at="adc")
def pick_one(waveform: Waves, *, at: Sample = 3) -> Values:
    """Take one sample.

    Settings
    --------
    at : which sample
    """
    return waveform[:, at].astype(float)
'''


@pytest.fixture(autouse=True)
def registry_as_it_was():
    before, known = dict(REGISTRY), dict(plugins._loaded)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)
    plugins._loaded.clear()
    plugins._loaded.update(known)


@pytest.fixture
def write(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_plugin_adds_a_processor_with_no_other_edit(write):
    plugin = plugins.load_plugins([write(GOOD)])[0]
    assert plugin.processors == ("pick_one",)
    chain = Tier1Processor()
    chain.add("pick_one", {"at": 2})
    waves = np.arange(8, dtype=np.uint16).reshape(2, 4)
    assert chain.run(Block("X", np.zeros(2, [("a", "i8")]), waves))["sample_at"].tolist() == [2.0, 6.0]


def test_the_same_file_is_run_once(write, tmp_path):
    once = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).open('xb').close()"
    path = write(GOOD + f"\n{once}\n")
    plugins.load_plugins([path, path])
    plugins.load_plugins([path])
    assert (tmp_path / "ran").exists()


def test_a_changed_file_takes_the_place_of_what_it_was(write):
    plugins.load_plugins([write(GOOD)])
    plugin = plugins.load_plugins([write(GOOD.replace("at: Sample = 3", "at: Sample = 1"))])[0]
    assert REGISTRY["pick_one"].setting("at").default == 1
    assert plugins.loaded_plugins() == (plugin,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n1 / 0\n", "'mine.py' failed in line 2: division by zero"),
        ("def (:\n", "'mine.py' failed in line 1"),
        ("x = 1\n", "declares no processor"),
        (GOOD.replace("pick_one", "trap_max"), "declares 'trap_max', which is there already"),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why_and_changes_nothing(write, text, told):
    before = dict(REGISTRY)
    with pytest.raises(SettingsError, match=told):
        plugins.load_plugins([write(text)])
    assert before == REGISTRY


def test_a_plugin_that_raises_is_named_with_its_step(write):
    bad = GOOD.replace("return waveform[:, at].astype(float)", "raise RuntimeError('no idea')")
    plugins.load_plugins([write(bad)])
    chain = Tier1Processor()
    chain.add("pick_one")
    block = Block("X", np.zeros(2, [("a", "i8")]), np.zeros((2, 8), np.uint16))
    with pytest.raises(Exception, match="step 1, pick_one.*no idea"):
        chain.run(block)


def test_a_missing_plugin_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        plugins.load_plugins([tmp_path / "nowhere.py"])
