"""Puts into pictures what they show, and brings it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pygama.channel_map import Channel
from pygama.errors import SettingsError
from pygama.storage.how_made import metadata
from pygama_gui.session import changes
from pygama_gui.session.pictured import made_of, view_of
from pygama_gui.session.state import ChannelMap, Run, Session, SpectrumChoice, Step, TrendsChoice
from pygama_gui.session.store import Store

RUN, OTHER, THIRD = (Run(f"run{n}", Path(f"/data/Run{n}"), n) for n in (1, 2, 3))
SHOWN = Session(
    runs=(RUN, OTHER, THIRD),
    selected="run2",
    chain=(Step("fit_baseline"),),
    spectrum=SpectrumChoice(roi=(3.0, 4.0), others=("run3",)),
    theme="dark",
    tab=2,
)


def picture(path: Path, made: dict[str, object]) -> Path:
    figure = Figure(figsize=(1, 1))
    FigureCanvasAgg(figure)
    figure.savefig(path, metadata=metadata(path.suffix, made))
    return path


def test_a_picture_knows_the_runs_that_it_shows_and_what_was_shown(tmp_path: Path) -> None:
    view = view_of(picture(tmp_path / "one.svg", made_of(SHOWN, {"run": "2"}))).session
    assert (view.runs, view.selected, view.chain) == ((OTHER, THIRD), "run2", SHOWN.chain)
    assert (view.spectrum, view.tab, view.theme) == (SHOWN.spectrum, 2, "light")


def test_runs_that_a_band_is_made_of_are_known_too(tmp_path: Path) -> None:
    third = replace(SHOWN, selected="run3", spectrum=SpectrumChoice())
    for n, runs in {0: (THIRD,), 1: (OTHER, THIRD), 5: (RUN, OTHER, THIRD)}.items():
        session = replace(third, trends=TrendsChoice(n_reference=n))
        assert view_of(picture(tmp_path / "one.png", made_of(session))).session.runs == runs


def test_a_zoom_comes_back_and_one_that_makes_no_sense_does_not(tmp_path: Path) -> None:
    made = made_of(SHOWN, zooms={"plane": ((1.0, 2.0), None)})
    made["zooms"] |= {"a": [[2.0, 1.0], ["x", 3]], "b": 7, "c": [[1, 2, 3], None]}
    assert view_of(picture(tmp_path / "one.pdf", made)).zooms == {
        "plane": ((1.0, 2.0), None),
        "a": (None, None),
        "c": (None, None),
    }


def test_a_view_is_brought_back_on_this_desk_and_can_be_undone(tmp_path: Path) -> None:
    store = Store(Session(runs=(RUN, replace(THIRD, run_id="here")), selected="run1", theme="dark"))
    before = store.session
    store.change(changes.bring_back, view_of(picture(tmp_path / "one.png", made_of(SHOWN))).session)
    after = store.session
    assert [run.run_number for run in after.runs] == [1, 2, 3]
    assert (after.selected, after.spectrum.others, after.theme) == ("run2", ("here",), "dark")
    assert after.spectrum.roi == (3.0, 4.0)
    assert store.undo_label == "bring back the view of a picture"
    store.undo()
    assert store.session == before


def test_a_view_that_is_brought_back_leaves_the_channel_map_alone() -> None:
    then, now = (ChannelMap(Path(f"{name}.csv"), (Channel(0, 1, 2, name),)) for name in ("old", "new"))
    other = changes.take_channel_map(SHOWN, then)
    assert changes.bring_back(changes.take_channel_map(Session(), now), other).channel_map == now
    assert changes.bring_back(Session(), other).channel_map == ChannelMap()


@pytest.mark.parametrize("made", [{}, {"view": {"runs": 3}}, {"view": []}])
def test_a_picture_of_somebody_else_is_refused_in_words(tmp_path: Path, made: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"one\.pdf"):
        view_of(picture(tmp_path / "one.pdf", made))
