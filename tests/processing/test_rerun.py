"""A chain that is run again and again: the same results, and no work twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.chain import Chain
from pygama.processing.declare import REGISTRY, Gap, Waves, transform
from pygama.processing.rerun import Rerun, with_arrays
from pygama.processing.steps import Step

STEPS = (
    Step("fit_baseline", {"i_end": 60}),
    Step("bl_subtract"),
    Step("savitzky_golay", {"length": 5}),
    Step("pole_zero", {"tau": 500}, inputs={"wf_blsub": "wf_sg"}, outputs={"wf_pz": "wf_smooth"}),
    Step("pole_zero", {"tau": 500}),
    Step("avg_baseline", {"i_end": 30}, enabled=False),
    Step("trap_filter", {"rise": 20, "flat": 10}),
    Step("trap_max"),
    Step("trap_max", inputs={"wf_trap": "wf_smooth"}, outputs={"trap_max": "top"}),
)
COLUMNS = ("bl_int", "trap_max", "top")


def block_of(n_rows: int = 9) -> Block:
    rng = np.random.default_rng(3)
    waves = rng.integers(990, 1010, (n_rows, 160))
    waves[:, 80:] += rng.integers(500, 3000, (n_rows, 1))
    rows = np.zeros(n_rows, [("channel", "i8"), ("period_ns", "f8")])
    rows["period_ns"] = 10.0
    rows["channel"] = np.arange(n_rows) % 2
    return Block("made_up", rows, waves.astype(np.uint16))


def afresh(block: Block, changes: dict) -> dict[str, np.ndarray]:
    steps = [
        Step(step.name, {**step.settings, **changes.get(place, {})}, step.inputs, step.outputs, step.enabled)
        for place, step in enumerate(STEPS)
    ]
    return Chain(steps, outputs=COLUMNS).run(block)


CHANGES = {
    0: st.fixed_dictionaries({"i_end": st.integers(20, 70)}),
    2: st.fixed_dictionaries({"length": st.sampled_from([5, 9])}),
    4: st.fixed_dictionaries({"tau": st.one_of(st.floats(50, 5000), st.just("3 us"))}),
    6: st.fixed_dictionaries({"rise": st.integers(1, 60), "flat": st.integers(0, 30)}),
}


@given(st.dictionaries(st.sampled_from(sorted(CHANGES)), st.none(), max_size=3), st.data())
@settings(deadline=None, max_examples=40)
def test_it_gives_what_a_chain_with_these_settings_gives(places, data):
    block = block_of()
    again = Rerun(block, STEPS, COLUMNS)
    for _ in range(2):
        changes = {place: data.draw(CHANGES[place]) for place in places}
        expected = afresh(block, changes)
        for name, array in again.run(changes).items():
            assert np.allclose(array, expected[name], rtol=0, atol=1e-9 * 4000, equal_nan=True), name


def test_what_a_change_does_not_touch_is_computed_once():
    calls = []
    before = dict(REGISTRY)

    @transform(wf_counted="adc")
    def counted(wf_blsub: Waves, *, delay: Gap = 0) -> Waves:
        """Count the calls."""
        calls.append(len(wf_blsub))
        return wf_blsub * 1.0

    try:
        filtered = Step("trap_filter", {"rise": 20}, inputs={"wf_blsub": "wf_counted"})
        again = Rerun(block_of(), (*STEPS[:2], Step("counted"), filtered, Step("trap_max")), ["trap_max"])
        again.run({3: {"rise": 20}})
        once = len(calls)
        for rise in range(21, 30):
            again.run({3: {"rise": rise}})
        assert len(calls) == once > 0
        again.run({2: {"delay": 1}})
        assert len(calls) > once
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)


def test_settings_of_channels_stay_in_force():
    steps = (*STEPS[:2], Step("trap_filter", {"rise": 20}, channels={"1": {"rise": 40}}), Step("trap_max"))
    block = block_of()
    found = Rerun(block, steps, ["trap_max"]).run({2: {"rise": 30}})["trap_max"]
    for channel, rise in ((0, 30), (1, 40)):
        rows = block.rows["channel"] == channel
        plain = (*STEPS[:2], Step("trap_filter", {"rise": rise}), Step("trap_max"))
        assert np.allclose(found[rows], Chain(plain, outputs=["trap_max"]).run(block[rows])["trap_max"])


def test_a_wrong_value_names_the_step_by_its_place_in_the_whole_chain():
    with pytest.raises(SettingsError, match="^step 7, trap_filter: rise must be 1 sample or more, not 0$"):
        Rerun(block_of(), STEPS, COLUMNS).run({6: {"rise": 0}})


def test_further_arrays_stand_beside_those_of_a_block():
    block = block_of(2)
    more = with_arrays(block, {"x": np.array([1.5, 2.5]), "wf": np.ones((2, 3))})
    assert more.rows["x"].tolist() == [1.5, 2.5]
    assert more.rows["channel"].tolist() == [0, 1]
    assert list(more.traces) == ["wf"]
