"""Tests the session file: everything comes back, and what is no session is refused in a sentence."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.tagging import Tagging
from pygama.channel_map import Channel
from pygama.errors import SettingsError
from pygama_gui.session import changes, saved
from pygama_gui.session.state import (
    STRIPS,
    Arrangement,
    ChannelMap,
    Run,
    Session,
    SpectrumChoice,
    Step,
    WaveformChoice,
    consistent,
)

names = st.text(max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | names
values = st.dictionaries(names, plain, max_size=3).map(MappingProxyType)
paths = st.text("abc é\udcff", min_size=1, max_size=9).map(lambda name: Path("/data") / name)
whole = st.integers(0, 2**40)
runs = st.builds(
    Run,
    run_id=names,
    path=paths,
    run_number=whole,
    sub_run=whole,
    start_time=whole,
    size_bytes=whole,
    decoders=st.lists(names, max_size=2).map(tuple),
    suffix=names,
    header_sha256=names,
    skip=st.lists(whole, max_size=2).map(tuple),
)
further = st.dictionaries(st.sampled_from(["remark", "made_by"]), plain, max_size=2).map(MappingProxyType)
steps = st.builds(
    Step,
    step=names,
    settings=values,
    enabled=st.booleans(),
    inputs=values,
    outputs=values,
    rest=further,
    channels=st.dictionaries(names, values, max_size=2).map(MappingProxyType),
)
sessions = st.builds(
    Session,
    runs=st.lists(runs, max_size=3).map(tuple),
    tier0=values,
    chain=st.lists(steps, max_size=3).map(tuple),
    step=st.none(),
    compact=st.booleans(),
    output_dir=st.none() | paths,
    theme=st.sampled_from(["light", "dark"]),
    tab=st.integers(0, 2),
    spectrum=st.builds(
        SpectrumChoice,
        column=names,
        channel=st.none() | whole,
        is_log=st.booleans(),
        width=st.none() | st.floats(1e-9, 1e9),
        roi=st.none() | st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))),
        is_apart=st.booleans(),
        others=st.lists(names, max_size=2).map(tuple),
        is_rate=st.booleans(),
        strip=st.sampled_from(STRIPS),
        markers=st.lists(numbers, max_size=3).map(tuple),
        has_lines=st.booleans(),
    ),
    waveforms=st.builds(WaveformChoice, overlay=whole, hidden=st.frozensets(names, max_size=3)),
    recent=st.lists(paths, max_size=2).map(tuple),
    process_on_add=st.booleans(),
    channel_map=st.builds(
        ChannelMap,
        st.none() | paths,
        st.lists(st.builds(Channel, whole, whole, whole, names, st.booleans(), names), max_size=2).map(tuple),
    ),
    watched=st.none() | paths,
    n_jobs=st.integers(1, 4),
    tagging=st.builds(
        Tagging,
        st.booleans(),
        st.none() | st.floats(0, 1),
        st.booleans(),
        st.booleans(),
        names,
        st.lists(names, max_size=2).map(tuple),
    ),
    line=st.none() | st.tuples(numbers, numbers),
    layout=names,
    geometry=names,
    arrangements=st.dictionaries(names, st.builds(Arrangement, names, names), max_size=2).map(
        MappingProxyType
    ),
).map(consistent)


def again(data: Any) -> Session:
    return saved.from_json(json.loads(json.dumps(data)))


@given(sessions)
def test_every_session_comes_back_from_plain_data(session: Session) -> None:
    assert again(saved.to_json(session)) == session


def test_no_field_of_a_session_is_forgotten() -> None:
    assert {field.name for field in fields(Session)} < set(saved.to_json(Session()))


def test_a_session_comes_back_from_its_file(tmp_path: Path) -> None:
    run = Run("a", Path("/data/Run1"), 1, 2, 3, 4, ("ORRunDecoderForRun",))
    session = changes.write_aside(changes.add_runs(Session(), [run]), "a", ".1")
    session = replace(changes.set_setting(session, 2, "rise", 300), spectrum=SpectrumChoice(roi=(1.0, 2.5)))
    saved.save(session, tmp_path / "session.json")
    assert saved.load(tmp_path / "session.json") == session


def test_saving_leaves_no_half_file(tmp_path: Path) -> None:
    saved.save(Session(), tmp_path / "deep" / "session.json")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["session.json"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "session.json"
    saved.save(replace(Session(), theme="dark"), path)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        saved.save(Session(), path)
    assert saved.load(path).theme == "dark"
    assert [entry.name for entry in tmp_path.iterdir()] == ["session.json"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1, column 1: Expecting value"),
        ("[]", "it has no entry 'pygama-gui session' with the number of its version"),
        ("{}", "it has no entry 'pygama-gui session' with the number of its version"),
        ('{"pygama-gui session": "2"}', "it has no entry 'pygama-gui session' with the number"),
        ('{"pygama-gui session": 2, "tab": NaN}', "NaN is not a number"),
        ("[" * 100_000, ""),
    ],
)
def test_what_is_no_session_is_refused_in_a_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        saved.load(path)
    assert str(refused.value).startswith(f"session.json: this is not a session that can be opened: {reason}")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"tab": "two"}, "tab must be a whole number, not 'two'"),
        ({"tab": True}, "tab must be a whole number, not True"),
        ({"theme": 7}, "theme must be text, not 7"),
        ({"process_on_add": 1}, "process_on_add must be true or false, not 1"),
        ({"runs": [{"run_id": "a"}]}, "runs[0] has no 'path'"),
        ({"runs": {"run_id": "a"}}, "runs must be a list, not {'run_id': 'a'}"),
        ({"chain": [{"step": "trap_max"}, {"step": 3}]}, "chain[1].step must be text, not 3"),
        ({"chain": [{"step": "x", "settings": 4}]}, "chain[0].settings must be names and values in braces"),
        ({"spectrum": {"roi": [1.0]}}, "spectrum.roi must be a list of 2, not [1.0]"),
        ({"spectrum": {"width": 10**400}}, "spectrum.width must be a number, not 1000"),
        ({"arrangements": {"Tune": {"docks": 5}}}, "arrangements.Tune.docks must be text, not 5"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingsError) as refused:
        again(saved.to_json(Session()) | wrong)
    assert str(refused.value).startswith(reason)


def test_entries_of_a_newer_version_are_passed_over() -> None:
    data = saved.to_json(Session()) | {saved.MARK: 99, "moons": [1, 2]}
    data["spectrum"] |= {"colour": "red"}
    assert again(data) == Session()


def test_a_session_of_the_first_version_is_opened() -> None:
    data = saved.to_json(changes.set_tier0(Session(), "n_samp", 1000)) | {saved.MARK: 1}
    for name in ("layout", "geometry", "arrangements"):
        del data[name]
    assert again(data).tier0 == {"n_samp": 1000}


def test_entries_of_a_step_that_the_window_does_not_know_are_kept() -> None:
    entry = {"step": "trap_max", "channels": {"3": {"rise": 100}}}
    (step,) = saved.chain_of([entry])
    assert step.to_chain() == entry


def test_a_session_file_holds_no_code(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "evil.pygama-session.json"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    with pytest.raises(SettingsError, match="not a session that can be opened"):
        saved.load(path)
    assert not marker.exists()


def test_choices_that_make_no_sense_are_put_right() -> None:
    data = saved.to_json(Session()) | {"tab": 7, "selected": "gone", "step": 17, "theme": "pink"}
    data["spectrum"] |= {"width": -5.0, "roi": [5, 1]}
    data["plane"] |= {"x_width": 0.0, "y_width": 2.0, "profile": "mode", "style": "hexagons"}
    data["trends"] |= {"width": 0.0, "k": -3.0, "n_reference": -1, "window": [9, 2]}
    data["channel_grid"] |= {"sort": "luck"}
    session = again(data)
    plane = session.plane
    assert (plane.x_width, plane.y_width, plane.profile, plane.style) == (None, 2.0, "", "auto")
    trends = session.trends
    assert (trends.width, trends.k, trends.n_reference, trends.window) == (None, 1.0, 0, (2.0, 9.0))
    assert session.channel_grid.sort == "place"
    assert (session.tab, session.selected, session.step, session.theme) == (0, "", None, "light")
    assert (session.spectrum.width, session.spectrum.roi) == (None, (1.0, 5.0))


def test_a_session_file_is_known_by_its_name_or_its_beginning(tmp_path: Path) -> None:
    saved.save(Session(), tmp_path / "plain.json")
    (tmp_path / "mine.pygama-session.json").write_text("{")
    (tmp_path / "settings.json").write_text('{"chain": []}')
    found = [
        saved.is_session(tmp_path / name)
        for name in ("plain.json", "mine.pygama-session.json", "settings.json", "gone.json")
    ]
    assert found == [True, True, False, False]
