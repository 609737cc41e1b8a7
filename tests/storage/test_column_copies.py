import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.storage.column_copies import _stretches, copy_columns

KINDS = ("<i8", "<f8", "<u2", "?")
NAMES = "abcdefg"


@st.composite
def arrays(draw, names):
    order = draw(st.permutations(names))
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names}
    kind = np.dtype([(name, kinds[name]) for name in order], align=draw(st.booleans()))
    n_rows = draw(st.integers(0, 5))
    return np.random.default_rng(1).integers(0, 2, (n_rows, kind.itemsize), np.uint8).view(kind)[:, 0]


@given(arrays(NAMES), st.permutations(NAMES), st.integers(0, 7), st.data())
def test_columns_come_out_as_if_copied_one_by_one(source, order, n_names, data):
    names = tuple(order[:n_names])
    other = data.draw(st.booleans())
    kinds = [(name, "<f8" if other else source.dtype[name]) for name in data.draw(st.permutations(NAMES))]
    target, expected = np.zeros(len(source), kinds), np.zeros(len(source), kinds)
    copy_columns(source, target, names)
    for name in names:
        expected[name] = source[name]
    assert target.tobytes() == expected.tobytes()


def test_every_second_row_can_be_copied():
    source = np.array([(1, 2.0), (3, 4.0), (5, 6.0)], [("a", "<i8"), ("b", "<f8")])
    target = np.zeros(2, source.dtype)
    copy_columns(source[::2], target, ("a", "b"))
    assert target.tolist() == [(1, 2.0), (5, 6.0)]


def test_columns_side_by_side_on_both_sides_are_one_stretch():
    source = np.dtype([("x", "<f8"), ("a", "<i8"), ("b", "<f8"), ("c", "<i2")])
    target = np.dtype([("a", "<i8"), ("b", "<f8"), ("y", "<f8"), ("c", "<i2")])
    together, alone = _stretches(source, target, ("a", "b", "c"))
    assert [here["stretch"].itemsize for _, here in together] == [16, 2]
    assert alone == []


@pytest.mark.parametrize("kind", ["<f4", ">i8"])
def test_columns_of_another_type_are_converted(kind):
    source = np.array([(1, 2)], [("a", "<i8"), ("b", "<i8")])
    target = np.zeros(1, [("a", "<i8"), ("b", kind)])
    copy_columns(source, target, ("a", "b"))
    assert target.tolist() == [(1, 2)]
