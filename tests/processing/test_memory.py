"""Memory for waveforms is used again, and never while somebody has it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pygama.block import Block
from pygama.processing.chain import Chain
from pygama.processing.declare import REGISTRY, Waves, transform
from pygama.processing.kernels import memory
from pygama.processing.steps import Step

SHAPE = (4, 6)


@pytest.fixture(autouse=True)
def nothing_kept():
    memory.forget()
    yield
    memory.forget()


def test_what_is_given_back_is_lent_again():
    array = memory.empty(SHAPE)
    address = array.ctypes.data
    arrays = [array]
    del array
    memory.give_back(arrays)
    assert arrays == []
    assert memory.empty(SHAPE).ctypes.data == address


def test_what_somebody_holds_is_not_lent_again():
    array = memory.empty(SHAPE)
    memory.give_back([array])
    assert memory.empty(SHAPE) is not array


def test_what_somebody_holds_a_view_of_is_not_lent_again():
    array = memory.empty(SHAPE)
    part = array[1:]
    arrays = [array]
    del array
    memory.give_back(arrays)
    assert not np.shares_memory(memory.empty(SHAPE), part)


@pytest.mark.parametrize(
    "array",
    [np.zeros(SHAPE, np.float32), np.zeros(SHAPE, order="F"), np.zeros(24), np.zeros((8, 6))[::2]],
    ids=["float32", "columns", "one_dimension", "view"],
)
def test_only_whole_arrays_of_waveforms_are_kept(array):
    arrays = [array.copy("K") if array.base is None else array]
    memory.empty(array.shape)
    memory.give_back(arrays)
    assert memory._store.n_bytes == 0


def test_no_more_is_kept_than_was_missing_once():
    one, other = memory.empty(SHAPE), memory.empty(SHAPE)
    arrays = [one, other, *(np.empty(SHAPE) for _ in range(5))]
    del one, other
    memory.give_back(arrays)
    assert len(memory._store.free[SHAPE]) == 2


def test_what_nobody_asks_for_is_not_kept():
    for _ in range(5):
        memory.give_back([np.empty(SHAPE)])
    assert memory._store.free == {}


def test_a_block_of_waveforms_is_kept_though_nobody_asked_for_it():
    memory.give_back([np.empty((64, 2000))])
    assert list(memory._store.free) == [(64, 2000)]


def test_looking_at_one_waveform_after_the_other_keeps_no_memory():
    steps = [Step("fit_baseline"), Step("bl_subtract"), Step("trap_filter"), Step("trap_max")]
    rng = np.random.default_rng(2)
    block = Block("X", np.zeros(1, [("channel", "i8")]), rng.integers(900, 1100, (1, 700)).astype(np.uint16))
    kept = []
    for _ in range(5):
        Chain(steps, keep=["wf_blsub", "wf_trap"], fused=False).run(block)
        kept.append(sum(map(len, memory._store.free.values())))
    assert kept[-1] == kept[1]


def test_little_is_kept_for_each_thread(monkeypatch):
    monkeypatch.setattr(memory, "_MOST_BYTES", 1000)
    for n_rows in range(1, 30):
        memory.give_back([memory.empty((n_rows, 1))])
        assert 0 < memory._store.n_bytes <= 1000


def test_each_thread_has_its_own():
    memory.give_back([memory.empty(SHAPE)])
    lent = []
    thread = threading.Thread(target=lambda: lent.append(memory._store.n_bytes))
    thread.start()
    thread.join()
    assert lent == [0]
    assert memory._store.n_bytes > 0


def test_a_processor_may_keep_what_it_was_given_and_return_it():
    before = dict(REGISTRY)
    kept: list[np.ndarray] = []

    @transform(wf_same="adc")
    def same(wf_blsub: Waves) -> Waves:
        """Return the input, and keep a part of it."""
        kept.append(wf_blsub[:, :4])
        return wf_blsub

    try:
        rng = np.random.default_rng(2)
        waves = rng.integers(900, 1100, (3000, 700)).astype(np.uint16)
        block = Block("X", np.zeros(3000, [("channel", "i8")]), waves)
        steps = [Step("fit_baseline"), Step("bl_subtract"), Step("same")]
        tops = [Step("trap_max", inputs={"wf_trap": "wf_same"}, outputs={"trap_max": "top"})]
        found = Chain([*steps, *tops], keep=["wf_same"]).run(block)
        expected = Chain(steps[:2], keep=["wf_blsub"], fused=False).run(block)["wf_blsub"]
        assert np.allclose(found["wf_same"], expected, rtol=0, atol=1e-9)
        assert np.allclose(found["top"], expected.max(axis=1), rtol=0, atol=1e-9)
        seen = np.concatenate(kept[1:])  # the first was tried before anything ran
        assert np.allclose(seen, expected[:, :4], rtol=0, atol=1e-9)
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)
