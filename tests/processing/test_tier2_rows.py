"""How rows of several decoders come into one table."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pygama.block import Block
from pygama.processing.tier2_rows import (
    fitted,
    gathered,
    in_file_order,
    joint_dtype,
    merged,
    tier2_columns,
)


def table(**columns):
    rows = np.empty(len(next(iter(columns.values()))), [(n, np.asarray(v).dtype) for n, v in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    return rows


def test_columns_of_the_demo_come_first_then_the_chain_then_ours():
    rows = table(channel=[1], energy=[2], event_number=[3], timestamp=[4], ts_hi=[5], ts_lo=[6], crate=[7])
    joined = tier2_columns(rows, {"bl_int": np.array([0.5]), "trap_max": np.array([9.0])})
    names = "channel energy event_number timestamp ts_hi bl_int trap_max ts_lo crate"
    assert joined.dtype.names == tuple(names.split())
    assert joined["trap_max"].tolist() == [9.0]


def test_one_decoder_alone_has_no_decoder_column():
    dtype = table(channel=[1]).dtype
    assert joint_dtype({"A": dtype}) == dtype


def test_what_a_decoder_lacks_is_nan_in_its_rows():
    first, second = table(channel=[1], energy=[5]), table(channel=[2], board_id=[7])
    dtype = joint_dtype({"A": first.dtype, "B": second.dtype})
    rows = np.concatenate([fitted(first, "A", dtype), fitted(second, "B", dtype)])
    assert rows["channel"].tolist() == [1, 2]
    assert np.isnan(rows["energy"][1])
    assert np.isnan(rows["board_id"][0])
    assert rows["decoder"].tolist() == [b"A", b"B"]


def test_the_order_of_columns_does_not_depend_on_which_decoder_came_first():
    a, b = table(channel=[1], energy=[5], x=[1]).dtype, table(channel=[2], y=[7]).dtype
    assert joint_dtype({"A": a, "B": b}) == joint_dtype({"B": b, "A": a})


def test_rows_of_one_record_keep_their_order():
    rows = table(event_number=[2, 2, 1], place=[0, 1, 2])
    assert in_file_order([rows[:2], rows[2:]])["place"].tolist() == [2, 0, 1]


@given(
    numbers=st.lists(st.integers(0, 2), max_size=60),
    cuts=st.integers(1, 7),
)
def test_merged_streams_are_in_file_order_and_complete(numbers, cuts):
    streams = []
    for stream in range(3):
        mine = np.array([place for place, owner in enumerate(numbers) if owner == stream], np.int64)
        rows = table(event_number=mine) if len(mine) else table(event_number=np.zeros(0, np.int64))
        streams.append([rows[at : at + cuts] for at in range(0, len(rows), cuts)])
    parts = list(merged(streams))
    joint = np.concatenate(parts)["event_number"].tolist() if parts else []
    assert joint == list(range(len(numbers)))


@given(lengths=st.lists(st.integers(1, 9), max_size=20), wanted=st.integers(1, 12))
def test_gathered_rows_are_the_same_in_fewer_parts(lengths, wanted):
    ends = np.cumsum([0, *lengths])
    parts = [Block("data", table(row=np.arange(a, b))) for a, b in zip(ends, ends[1:], strict=False)]
    found = list(gathered(parts, wanted))
    assert [row for part in found for row in part.rows["row"]] == list(range(ends[-1]))
    assert all(wanted <= len(part) < wanted + max(lengths) for part in found[:-1])


def test_parts_with_waveforms_are_passed_on_as_they_come():
    parts = [
        Block("data", table(row=[place]), None, {"wf_blsub": np.full((1, 4), place, np.float32)})
        for place in range(3)
    ]
    assert [len(part) for part in gathered(parts, 100)] == [1, 1, 1]
