"""Tests that rows which are selected are noted as bits and found again by their places."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from pygama.analysis.cuts import Cut
from pygama_gui.data.channels import CODE
from pygama_gui.data.cutting import joined
from pygama_gui.data.selected_rows import CHUNK, AllRows, GatheredRows, Selected
from pygama_gui.data.selection import RangeCut, Selection

N = 2 * CHUNK + 1003
OF_CHANNEL = Selection(channel=2)
PASSING = Selection(passing=joined((Cut("a", "x > 0.999"),)))
IN_REGION = Selection(1, RangeCut("x", 0.2, 0.4, 1), joined((Cut("a", "y < 3"),)))
NONE = Selection(channel=9)
ALL_OF_THEM = (OF_CHANNEL, PASSING, IN_REGION, NONE)


def rows_of() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {CODE: rng.integers(0, 4, N), "x": rng.random(N), "y": rng.integers(0, 6, N)}


def expected(rows: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    x, y, channel = rows["x"], rows["y"], rows[CODE]
    masks = (channel == 2, x > 0.999, (channel == 1) & (x >= 0.2) & (x <= 0.4) & (y < 3), channel == 9)
    return [np.flatnonzero(mask) for mask in masks]


def gathered(blocks: list[int], *, is_whole: bool = True) -> Mapping[Selection, Selected]:
    rows, gathering = rows_of(), GatheredRows(ALL_OF_THEM, N)
    for part in np.split(np.arange(N), blocks)[: None if is_whole else -1]:
        gathering.add({name: rows[name][part] for name in gathering.columns})
    return gathering.found(is_whole=is_whole)


@pytest.mark.parametrize("blocks", [[], [131, 4096, 5000, 2 * CHUNK], list(range(3001, N, 3001))])
def test_rows_that_are_selected_have_places_in_their_order(blocks: list[int]) -> None:
    found = gathered(blocks)
    assert GatheredRows(ALL_OF_THEM, N).columns == {CODE, "x", "y"}
    for selection, those in zip(ALL_OF_THEM, expected(rows_of()), strict=True):
        selected = found[selection]
        assert (selected.is_whole, selected.n_known, len(selected)) == (True, N, len(those))
        assert np.array_equal(selected.rows(np.arange(len(those))), those)
        some = np.array([len(those) - 1, 0, len(those) // 2]) if len(those) else np.empty(0, int)
        assert np.array_equal(selected.rows(some), those[some])
        assert [selected.place(row) for row in those[some].tolist()] == some.tolist()
        others = np.setdiff1d(np.arange(N), those)[[0, 77, -1]].tolist()
        assert [selected.place(row) for row in (*others, -1, N)] == [None] * 5
        with pytest.raises(IndexError):
            selected.rows(np.array([len(those)]))


def test_what_is_known_half_way_stays_so_while_more_is_noted() -> None:
    rows, gathering, n = rows_of(), GatheredRows([OF_CHANNEL], N), CHUNK + 517
    gathering.add({CODE: rows[CODE][:n]})
    half = gathering.found(is_whole=False)[OF_CHANNEL]
    gathering.add({CODE: rows[CODE][n:]})
    those = expected(rows)[0]
    those = those[those < n - n % 8]
    assert (half.is_whole, half.n_known, len(half)) == (False, n - n % 8, len(those))
    assert np.array_equal(half.rows(np.arange(len(those))), those)
    assert half.place(int(those[-1])) == len(those) - 1
    assert half.place(N - 1) is None


def test_all_rows_are_their_own_places() -> None:
    found = AllRows(5)
    assert (len(found), found.place(4), found.rows(np.array([3, 1])).tolist()) == (5, 4, [3, 1])
