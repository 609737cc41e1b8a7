"""Pictures of the reference: each can be drawn of made-up pulses, and its words can be read."""

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from pygama.processing.steps import REGISTRY
from pygama.reference.examples import chain_to
from pygama.reference.pages import GROUPS
from pygama.reference.pictures import draw_all, drawn, picture
from pygama.reference.pulses import made_up_pulses, real_pulses, values_of

NAMES = [name for names in GROUPS.values() for name in names]
THORIUM = "2018-9-25-Th228Run9001"


@pytest.fixture(scope="module")
def run():
    return made_up_pulses()


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_picture_lie_within_it_and_not_on_each_other(name, run):
    figure = drawn(name, run)
    renderer = FigureCanvasAgg(figure).get_renderer()
    places = [text.get_window_extent(renderer) for text in figure.texts]
    whole = figure.bbox
    assert all(
        whole.x0 <= place.x0 and place.x1 <= whole.x1 and whole.y0 <= place.y0 and place.y1 <= whole.y1
        for place in places
    )
    # Marks stand beside the first of their words.
    words = [place for place in places if place.x0 > 0.71 * whole.x1 and place.width > 30]
    column = sorted((place.y0, place.y1) for place in words)
    assert column
    assert all(above[0] >= below[1] - 1 for below, above in zip(column, column[1:], strict=False))


@pytest.mark.parametrize("name", ["trap_filter", "rise_time", "psd"])
def test_a_picture_is_small_and_the_same_each_time(name, run):
    first = picture(name, run)
    assert first == picture(name, run)
    assert len(first) < 30_000
    assert Image.open(io.BytesIO(first)).size == (900, 360)


def test_all_pictures_are_drawn_into_a_folder(run, tmp_path, monkeypatch):
    monkeypatch.setattr("pygama.reference.pictures.GROUPS", {"Two": ("t0", "lookup")})
    paths = draw_all(tmp_path / "pictures", run)
    assert [path.name for path in paths] == ["t0.png", "lookup.png"]
    assert all(path.stat().st_size > 3000 for path in paths)


@pytest.mark.parametrize("name", NAMES)
def test_the_steps_that_lead_to_a_processor_give_what_it_reads(name):
    written = {"waveform", "crate", "card", "channel", "presum_start", "presum_rate", "presum_divisor"}
    steps = chain_to(name)
    assert steps[-1].name == name
    for step in steps:
        reads = [wanted for wanted, kind in REGISTRY[step.name].reads if kind != "period"]
        assert written.issuperset(reads)
        written.update(step.writes)


def test_the_events_show_what_they_are_called_after(run):
    values = values_of(run.block, ("n_pulses", "bl_slope", "n_sat_high", "trap_max"))
    at = run.events
    assert values["n_pulses"][at["pile_up"]] == 2
    assert values["n_pulses"][at["plain"]] == values["n_pulses"][at["small"]] == 1
    assert values["bl_slope"][at["tail"]] < -1
    assert values["n_sat_high"][at["saturated"]] > 0
    assert values["bl_slope"][at["early"]] > 1
    assert values["trap_max"][at["plain"]] == pytest.approx(583.2 * 15.35, abs=30)


def test_the_pulses_of_a_real_run_are_taken_at_their_true_period(real_run):
    run = real_pulses(real_run(THORIUM))
    assert (len(run.block), run.block.n_samples) == (1000, 1836)
    assert set(run.block.rows["period_ns"]) == {16.0}
    assert np.max(run.event("saturated").waveforms) == 65520
