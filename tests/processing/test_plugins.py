"""Plug-ins: files that add processors, run only when asked to."""

import importlib.util
import json
import os
import py_compile
from pathlib import Path

import numpy as np
import pytest

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing import plugins
from pygama.processing.base import Tier1Processor
from pygama.processing.declare import REGISTRY
from pygama.processing.settings import read_settings

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


def settings_naming(tmp_path, **entry):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"plugins": [entry or "mine.py"], "chain": [{"step": "pick_one"}]}))
    return path


def test_a_settings_file_never_runs_the_plugin_that_it_names(write, tmp_path):
    ran = tmp_path / "ran"
    plugin = write(GOOD + f"\nimport pathlib; pathlib.Path({str(ran)!r}).touch()\n")
    with pytest.raises(
        plugins.PluginNeeded, match="^settings.json: the plug-in 'mine.py' is needed"
    ) as caught:
        read_settings(settings_naming(tmp_path))
    assert caught.value.path == plugin.resolve()
    assert f"--allow-plugin {plugin.resolve()}" in str(caught.value)
    assert not ran.exists()


def test_a_plugin_that_is_not_beside_the_settings_is_not_looked_for_there(tmp_path):
    with pytest.raises(plugins.PluginNeeded) as caught:
        read_settings(settings_naming(tmp_path))
    assert f"is needed, and is not in '{tmp_path.resolve()}'" in str(caught.value)
    assert f"--allow-plugin {Path('FOLDER', 'mine.py')} " in str(caught.value)
    assert caught.value.path == tmp_path.resolve() / "mine.py"


def test_a_plugin_that_was_agreed_to_is_run_for_the_settings_file(write, tmp_path):
    plugin = write(GOOD)
    settings = read_settings(settings_naming(tmp_path), plugins=[plugin])
    assert settings["chain"] == [{"step": "pick_one"}]
    assert settings["plugins"] == [{"file": "mine.py", "sha256": plugins.sha256_of(plugin)}]


def test_the_same_plugin_from_another_folder_will_do(write, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    plugin = write(GOOD, "elsewhere/mine.py")
    assert read_settings(settings_naming(tmp_path), plugins=[plugin])["chain"]


def test_a_plugin_of_the_same_name_is_not_taken_for_the_one_beside_the_settings(write, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    other = write(GOOD, "elsewhere/mine.py")
    write(GOOD.replace("= 3", "= 2"))
    with pytest.raises(plugins.PluginNeeded):
        read_settings(settings_naming(tmp_path), plugins=[other])


def test_another_plugin_than_the_settings_were_made_with_is_refused(write, tmp_path):
    plugin = write(GOOD)
    path = settings_naming(tmp_path, file="mine.py", sha256="0" * 64)
    with pytest.raises(SettingsError, match="'mine.py' is not the one that the settings were made with"):
        read_settings(path, plugins=[plugin])


def test_a_plugin_that_changed_since_it_was_agreed_to_is_not_run(write):
    agreed = plugins.sha256_of(write(GOOD))
    changed = write(GOOD.replace("= 3", "= 2"))
    with pytest.raises(SettingsError, match="was changed since it was agreed to run it; agree again"):
        plugins.load_plugin(changed, agreed)
    assert "pick_one" not in REGISTRY


def test_the_same_plugin_in_two_places_is_run_once(write, tmp_path):
    once = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).open('xb').close()"
    first, second = (write(GOOD + f"\n{once}\n", name) for name in ("a.py", "b.py"))
    plugins.load_plugins([first, second])
    assert [plugin.path.name for plugin in plugins.plugins_of(["pick_one"])] == ["b.py"]


def test_bytecode_that_lies_beside_a_file_is_never_run(write, tmp_path):
    path = write(GOOD)
    other = tmp_path / "other.py"
    other.write_text(GOOD.replace("at: Sample = 3", "at: Sample = 1"))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    planted = Path(importlib.util.cache_from_source(str(path)))
    planted.parent.mkdir(exist_ok=True)
    py_compile.compile(str(other), cfile=str(planted), dfile=str(path))
    plugins.load_plugins([path])
    assert REGISTRY["pick_one"].setting("at").default == 3
