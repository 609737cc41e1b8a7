"""Tests what is kept in files and what is found in folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pygama.errors import SettingsError
from pygama_gui.session import changes, files
from pygama_gui.session.state import Run, Session, SpectrumChoice, Step, WaveformChoice


def test_a_session_comes_back_from_its_file(tmp_path: Path) -> None:
    run = Run("a", Path("/data/Run1"), 1, 2, 3, 4, ("ORRunDecoderForRun",))
    session = changes.write_aside(changes.add_runs(Session(), [run]), "a", ".1")
    session = replace(
        changes.set_tier0(session, "n_samp", 1000),
        chain=(Step("trap_filter", {"rise": 300}, False, {"wf_blsub": "wf_pz"}, {"wf_trap": "wf_fast"}),),
        step=0,
        output_dir=Path("/out"),
        theme="dark",
        spectrum=SpectrumChoice("bl_int", 3, True, 40.0, (1.0, 2.5)),
        waveforms=WaveformChoice(2, 20, False, frozenset({"wf_trap"})),
        process_on_add=False,
    )
    files.save(session, tmp_path / "session.json")
    assert files.load(tmp_path / "session.json") == session


def test_all_that_was_chosen_of_waveforms_comes_back(tmp_path: Path) -> None:
    choice = WaveformChoice(
        picture="density",
        n_many=3000,
        aligned_by="t0",
        is_normalised=True,
        is_calibrated=True,
        is_only_roi=True,
        is_whole_record=True,
        is_amplitude=True,
        is_log=False,
        cursors=(-5, 700),
        pace=10.0,
    )
    session = replace(Session(), waveforms=choice)
    files.save(session, tmp_path / "session.json")
    assert files.load(tmp_path / "session.json") == session


def test_a_session_from_before_these_choices_opens() -> None:
    data = files.to_json(Session())
    data["waveforms"] = {"channel": None, "overlay": 5, "is_above_baseline": True, "hidden": []}
    assert files.from_json(data).waveforms == WaveformChoice(overlay=5)


def test_saving_leaves_no_half_file(tmp_path: Path) -> None:
    files.save(Session(), tmp_path / "deep" / "session.json")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["session.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pygama-gui session": 99}', '{"pygama-gui session": 1}'])
def test_what_is_no_session_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"session\.json: this is not a session file"):
        files.load(path)


def test_choices_that_make_no_sense_are_put_right(tmp_path: Path) -> None:
    data = files.to_json(Session()) | {"tab": 7}
    data["spectrum"] |= {"width": -5.0, "roi": [5, 1]}
    session = files.from_json(json.loads(json.dumps(data)))
    assert (session.tab, session.spectrum.width, session.spectrum.roi) == (0, None, (1.0, 5.0))


def test_a_step_that_is_gone_is_not_selected(tmp_path: Path) -> None:
    data = files.to_json(Session()) | {"step": 17}
    assert files.from_json(json.loads(json.dumps(data))).step is None


def test_a_folder_gives_all_runs_in_it(tmp_path: Path, real_run: Callable[[str], Path]) -> None:
    whole = real_run("2018-9-25-Th228Run9001").read_bytes()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "Run9001").write_bytes(whole[:200_000])
    (tmp_path / "notes").write_text("nothing that a run could be")
    found = files.find_runs([tmp_path])
    assert [run.run_number for run in found.runs] == [9001]
    assert found.refused == ()


def test_a_file_that_was_named_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("nothing that a run could be, however long it may get")
    found = files.find_runs([tmp_path / "notes", tmp_path / "gone"])
    assert [path.name for path, _ in found.refused] == ["notes", "gone"]
    assert all(reason for _, reason in found.refused)


def test_a_folder_without_runs_says_so(tmp_path: Path) -> None:
    assert files.find_runs([tmp_path]).refused == ((tmp_path, "no ORCA run in this folder"),)
