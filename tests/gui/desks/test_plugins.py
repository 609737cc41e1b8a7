"""Plug-ins in the window: nothing runs before somebody agreed to this very file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from pygama.processing.declare import REGISTRY
from pygama.processing.plugins import sha256_of
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.bridge import Bridge
from pygama_gui.main_window import MainWindow
from pygama_gui.session import changes, consents, places
from pygama_gui.session.consents import Consent
from pygama_gui.session.state import Session, Step
from pygama_gui.session.store import Store

WAIT_MS = 60_000
PLUGIN = '''
from pathlib import Path

from pygama.processing.declare import Sample, Values, Waves, calculator

Path(__file__).with_name("it_ran").write_text("yes")


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
def window(qtbot: QtBot, themed: object) -> Iterator[MainWindow]:
    made = MainWindow(Bridge())
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.quitting.allow()
    made.close()


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def settings(tmp_path: Path, plugin: Path) -> Path:
    path = tmp_path / "settings.json"
    path.write_text(
        json.dumps({"chain": [{"step": "pick_one", "settings": {"at": 7}}], "plugins": [plugin.name]})
    )
    return path


def it_ran(plugin: Path) -> bool:
    return plugin.with_name("it_ran").exists() or "pick_one" in REGISTRY


def agree(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.mouseClick(window.consent.run_button, Qt.MouseButton.LeftButton)


def test_opening_settings_that_name_a_plugin_runs_nothing_and_asks(
    window: MainWindow, settings: Path, plugin: Path
) -> None:
    before = window.bridge.session.chain
    window.arrivals.add_paths([settings])
    assert not it_ran(plugin)
    assert window.consent.isVisible()
    assert "settings.json needs the plug-in mine.py" in window.consent.words.text()
    assert str(plugin) in window.consent.facts.text()
    assert sha256_of(plugin) in window.consent.facts.text()
    assert window.bridge.session.chain == before


def test_not_now_runs_nothing_and_remembers_nothing(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    window.settings_files.load(settings)
    qtbot.mouseClick(window.consent.later_button, Qt.MouseButton.LeftButton)
    assert window.consent.isHidden()
    assert not it_ran(plugin)
    assert consents.consents() == {}


def test_the_button_that_has_the_focus_says_not_now(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    window.settings_files.load(settings)
    focused = window.focusWidget()
    assert focused is window.consent.later_button
    qtbot.keyClick(focused, Qt.Key.Key_Space)
    assert window.consent.isHidden()
    assert not it_ran(plugin)


def test_a_look_at_the_file_runs_nothing(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    window.settings_files.load(settings)
    qtbot.mouseClick(window.consent.look_button, Qt.MouseButton.LeftButton)
    assert "def pick_one" in window.consent.text.toPlainText()
    assert not it_ran(plugin)


def test_consent_loads_the_settings_and_adds_the_steps_to_the_library(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    window.settings_files.load(settings)
    agree(qtbot, window)
    assert window.bridge.session.chain == (Step("pick_one", {"at": 7}),)
    assert "pick_one" in window.chain.library.names()
    assert [card.amiss.text() for card in window.chain.cards] == [""]
    assert consents.consents() == {plugin: Consent(plugin, sha256_of(plugin), ("pick_one",))}


def test_what_was_agreed_to_is_not_asked_again(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    consents.agree(Consent(plugin, sha256_of(plugin), ("pick_one",)))
    window.settings_files.load(settings)
    assert window.consent.isHidden()
    assert window.bridge.session.chain == (Step("pick_one", {"at": 7}),)


def test_a_changed_file_is_asked_about_again(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    consents.agree(Consent(plugin, sha256_of(plugin), ("pick_one",)))
    plugin.write_text(PLUGIN + "\n# and something else\n")
    window.settings_files.load(settings)
    assert not it_ran(plugin)
    assert "has changed since you agreed" in window.consent.words.text()
    agree(qtbot, window)
    assert consents.consents()[plugin].sha256 == sha256_of(plugin)


def test_a_file_that_changes_while_the_question_stands_is_not_run(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path
) -> None:
    window.settings_files.load(settings)
    plugin.write_text(PLUGIN + "\n# changed behind the question\n")
    agree(qtbot, window)
    assert not it_ran(plugin)
    assert "was changed since it was agreed to run it" in window.banner.words.text()


def test_a_plugin_that_is_agreed_to_is_there_at_the_next_start(
    qtbot: QtBot, themed: object, plugin: Path
) -> None:
    consents.agree(Consent(plugin, sha256_of(plugin), ("pick_one",)))
    window = MainWindow(Bridge(Store(Session(chain=(Step("pick_one"),)))))
    qtbot.addWidget(window)
    assert "pick_one" in REGISTRY
    window.close()


def test_a_plugin_that_changed_is_not_run_at_the_next_start_but_asked_about(
    qtbot: QtBot, themed: object, plugin: Path
) -> None:
    consents.agree(Consent(plugin, "0" * 64, ("pick_one",)))
    window = MainWindow(Bridge(Store(Session(chain=(Step("pick_one"),)))))
    qtbot.addWidget(window)
    assert not it_ran(plugin)
    assert "mine.py, which makes pick_one, has changed" in window.consent.words.text()
    window.close()


def test_a_session_file_gives_no_consent(window: MainWindow, plugin: Path) -> None:
    consents.agree(Consent(plugin, sha256_of(plugin), ("pick_one",)))
    window.close()
    assert sha256_of(plugin) not in places.session_file().read_text()


def test_a_file_of_consents_that_cannot_be_read_gives_none(plugin: Path) -> None:
    places.consents_file().parent.mkdir(parents=True, exist_ok=True)
    for text in ("", "{}", "[1]", '[{"path": "a"}]', "null"):
        places.consents_file().write_text(text)
        assert consents.consents() == {}


def test_a_consent_is_taken_back(plugin: Path) -> None:
    consents.agree(Consent(plugin, "1"))
    consents.forget(plugin)
    assert consents.consents() == {}


def test_a_worker_runs_the_plugin_and_a_changed_one_is_asked_about_first(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path, tmp_path: Path
) -> None:
    window.bridge.change(changes.choose_output_dir, tmp_path)
    window.settings_files.load(settings)
    agree(qtbot, window)
    raw = write_run(tmp_path / "Run3", RunShape(run_number=3, n_events=50, n_samples=2000))
    window.arrivals.add_paths([raw], process=True)
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)
    with TierFile(tmp_path / "t2_run3.h5") as file:
        assert "sample_at" in (file.table("data").read().rows.dtype.names or ())
    plugin.write_text(PLUGIN.replace("Take one sample", "Take a sample"))
    window.processing.start(list(window.bridge.session.runs))
    assert window.bridge.active() == []
    assert "has changed since you agreed" in window.consent.words.text()
    agree(qtbot, window)
    qtbot.waitUntil(lambda: window.bridge.active() != [], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: state_of(window) == "done", timeout=WAIT_MS)


def state_of(window: MainWindow) -> str:
    state = window.bridge.state(window.bridge.session.selected)
    return "" if state is None else state.state


def test_saved_settings_name_their_plugins_with_fingerprints(
    qtbot: QtBot, window: MainWindow, settings: Path, plugin: Path, tmp_path: Path
) -> None:
    window.settings_files.load(settings)
    agree(qtbot, window)
    window.settings_files.save(tmp_path / "saved.json")
    saved = json.loads((tmp_path / "saved.json").read_text())
    assert saved["plugins"] == [{"file": "mine.py", "sha256": sha256_of(plugin)}]


def test_settings_are_dragged_out_as_a_file_that_can_be_dropped_again(window: MainWindow) -> None:
    window.bridge.change(changes.set_setting, 2, "rise", 321)
    changed = window.bridge.session.chain
    mime = window.settings_bar.handle.mime()
    (url,) = mime.urls()
    window.bridge.store.undo()
    window.arrivals.add_paths([Path(url.toLocalFile())])
    assert window.bridge.session.chain == changed
    assert json.loads(mime.text())["chain"][2]["settings"] == {"rise": 321}
    window.settings_bar.handle.let_go()
    assert not Path(url.toLocalFile()).exists()


def test_every_preset_is_taken_from_the_menu(window: MainWindow) -> None:
    *presets, _, note = window.settings_bar.presets_menu.actions()
    window.bridge.change(changes.set_tier0, "window", "max")
    for action in presets:
        action.trigger()
        assert [card.amiss.text() for card in window.chain.cards if card.amiss.text()] == []
        assert not window.banner.isVisible()
        assert window.bridge.session.tier0 == {"window": "max"}
    assert len(presets) >= 3
    assert note.text() == "A chain each: the options of Tier 0 stay"
