"""Tests how the cuts of a session are joined, and what is said of those that cannot be applied."""

from __future__ import annotations

import numpy as np

from pygama.analysis.cuts import Cut, CutSet
from pygama_gui.data.cutting import applicable, free_name, joined, readable, sides

ROWS = {"x": np.array([1.0, 2.0, 3.0, np.nan]), "y": np.array([0, 1, 0, 1])}


def test_a_cut_that_cannot_be_read_leaves_the_others_in_force() -> None:
    cuts, problems = readable((Cut("a", "x > 1"), Cut("b", "x >")))
    assert cuts.names == ("a",)
    assert problems["b"].position == 3
    assert not problems["b"].is_of_run


def test_cuts_that_name_each_other_in_a_circle_are_told() -> None:
    _, problems = readable((Cut("a", "b & x > 1"), Cut("b", "a & y > 0")))
    assert list(problems) == ["b"]
    assert "circle" in problems["b"].sentence


def test_a_cut_whose_column_is_not_there_lets_all_rows_pass_and_says_so() -> None:
    passing = joined((Cut("a", "x > 1"), Cut("b", "nowhere > 1")))
    assert passing is not None
    assert passing.mask(ROWS).tolist() == [False, True, True, False]
    cuts, problems = applicable(CutSet(passing.cuts), ROWS)
    assert cuts.names == ("a",)
    assert problems["b"].sentence == "column 'nowhere' is not there"
    assert problems["b"].is_of_run


def test_what_names_a_cut_that_is_not_applied_is_not_applied_either() -> None:
    _, problems = applicable(CutSet([Cut("a", "nowhere > 1"), Cut("b", "a | x > 2")]), ROWS)
    assert set(problems) == {"a", "b"}


def test_a_cut_that_gives_numbers_is_not_applied() -> None:
    _, problems = applicable(CutSet([Cut("a", "x + 1")]), ROWS)
    assert "yes or no" in problems["a"].sentence


def test_colours_order_and_cuts_that_are_off_make_no_difference() -> None:
    a, b, off = Cut("a", "x > 1", "red"), Cut("b", "y > 0"), Cut("c", "x > 7", enabled=False)
    assert joined((a, b, off)) == joined((b, Cut("a", "x > 1", "blue")))
    assert joined((off,)) is None


def test_a_cut_that_is_off_still_means_something_where_it_is_named() -> None:
    passing = joined((Cut("a", "x > 1", enabled=False), Cut("b", "~a & y == 0")))
    assert passing is not None
    assert passing.mask(ROWS).tolist() == [True, False, False, False]


def test_the_sides_of_a_cut_share_out_what_passes_the_others() -> None:
    found = sides((Cut("a", "x >= 2", inverted=True), Cut("b", "y == 0")), "a")
    assert found is not None
    inside, outside = (side.mask(ROWS).tolist() for side in found)
    assert inside == [True, False, False, False]
    assert outside == [False, False, True, False]


def test_without_a_chosen_cut_the_sides_are_those_of_all_together() -> None:
    found = sides((Cut("a", "x >= 2"), Cut("b", "y == 0")), "")
    assert found is not None
    inside, outside = (side.mask(ROWS) for side in found)
    assert inside.tolist() == [False, False, True, False]
    assert (inside ^ outside).all()
    assert sides((), "") is None


def test_a_name_that_is_free_is_found() -> None:
    assert free_name([], "cut") == "cut1"
    assert free_name(["cut1"], "cut") == "cut2"
    assert free_name(["low"], "high") == "high"
    assert free_name(["low"], "low") == "low1"
