"""Cuts and sets of cuts, against pandas on random tables, and their files."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygama.analysis.cuts import (
    Cut,
    CutSet,
    PolygonOf,
    RangeOf,
    as_polygon,
    as_range,
    load_cuts,
    polygon_cut,
    range_cut,
    reach_of,
    save_cuts,
)
from pygama.analysis.expressions import ExpressionError
from pygama.errors import OutputError, SettingsError
from pygama_gui.session.plain import from_plain, to_plain

INF, NAN = math.inf, math.nan
TABLE = {"energy": np.array([1.0, 5.0, NAN, 7.0]), "channel": np.array([1, 2, 1, 2])}


def passing(cuts, columns=TABLE, **how):
    return CutSet(cuts).mask(columns, **how).tolist()


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("8300 <= trap_max < 9050", 8300, 9050),
        ("8300 <= trap_max < 9050.5", 9050.5, 8300),
        ("trap_max >= -1e-07", -1e-7, INF),
        ("trap_max < 1e+300", -INF, 1e300),
    ],
)
def test_a_range_is_text(text, low, high):
    assert range_cut("trap_max", low, high) == text


def test_odd_names_are_quoted():
    assert range_cut("trap max", 1, 2) == "1 <= `trap max` < 2"
    assert range_cut("and", 1, 2) == "1 <= `and` < 2"
    assert polygon_cut("a.b", "y", [(0, 0), (1, 0), (0.5, 1)]) == "inside(`a.b`, y, 0, 0, 1, 0, 0.5, 1)"


def test_what_is_no_range_or_polygon_is_refused():
    for low, high in ((NAN, 1), (1, NAN), (-INF, INF)):
        with pytest.raises(SettingsError, match="a range needs an end"):
            range_cut("x", low, high)
    for points in ([(0, 0), (1, 1)], [(0, 0), (1, 1), (NAN, 2)]):
        with pytest.raises(SettingsError, match="three corners or more"):
            polygon_cut("x", "y", points)
    with pytest.raises(SettingsError, match="cannot stand in an expression"):
        range_cut("a`b", 1, 2)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (RangeOf("x", 1, 2), "1 <= x < 2"),
        (RangeOf("x", 1, 2), "(1 <= x) & (x < 2)"),
        (RangeOf("x", 1, 2), "x < 2 and x >= 1"),
        (RangeOf("x", 1, 2), "2 > x >= 1"),
        (RangeOf("x", 1, 2, False, True), "1 < x <= 2"),
        (RangeOf("x", -3.5, INF), "x >= -3.5"),
        (RangeOf("x", -INF, 2, True, True), "2 >= x"),
        (RangeOf("a b", 1, INF, False), "`a b` > 1"),
        (None, "1 <= x < y"),
        (None, "1 <= x & y < 2"),
        (None, "x > 1 & x > 2"),
        (None, "1 < x < 2 & x < 3"),
        (None, "x == 1"),
        (None, "x > 1 | x < 0"),
        (None, "~(x > 1)"),
        (None, "1 < x + 1 < 2"),
        (None, "1 < 2"),
        (None, "x"),
        (None, "x >"),
    ],
)
def test_a_range_is_known_again(expected, text):
    assert as_range(text) == expected
    if expected is not None:
        assert as_range(expected.text) == expected


NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBER, NUMBER, st.sampled_from(["x", "a b", "not"]))
def test_any_range_that_was_written_is_known_again(low, high, column):
    found = as_range(range_cut(column, low, high))
    assert (found.column, found.low, found.high) == (column, min(low, high), max(low, high))


@given(st.lists(st.tuples(NUMBER, NUMBER), min_size=3, max_size=9))
def test_any_polygon_that_was_written_is_known_again(points):
    assert as_polygon(polygon_cut("x", "a b", points)) == PolygonOf("x", "a b", tuple(points))


def test_what_is_more_than_a_polygon_is_none():
    assert as_polygon("inside(x, y + 1, 0, 0, 1, 0, 1, 1)") is None
    assert as_polygon("inside(x, y, 0, 0, 1, 0, 1, 1) & x > 0") is None
    assert as_polygon("inside(x") is None


def test_all_cuts_that_are_on_must_be_passed():
    low, second = Cut("low", "energy > 2"), Cut("second", "channel == 2")
    assert passing([low, second]) == [False, True, False, True]
    assert passing([low, Cut("second", "channel == 2", enabled=False)]) == [False, True, False, True]
    assert passing([low, Cut("high", "energy > 6", inverted=True)]) == [False, True, False, False]
    assert passing([low, second], leave_out=["low"]) == [False, True, False, True]
    assert passing([]) == [True] * 4


def test_an_inverted_cut_lets_a_nan_pass_and_counts_it():
    cuts = CutSet(
        [Cut("low", "energy > 2"), Cut("not_low", "energy > 2", inverted=True), Cut("one", "channel == 1")]
    )
    assert {name: mask.tolist() for name, mask in cuts.masks(TABLE).items()} == {
        "low": [False, True, False, True],
        "not_low": [True, False, True, False],
        "one": [True, False, True, False],
    }
    assert cuts.n_nan(TABLE) == {"low": 1, "not_low": 1, "one": 0}


def test_a_cut_may_name_others_that_stand_before_or_after_it():
    cuts = CutSet(
        [Cut("both", "low & ~one"), Cut("low", "energy > 2"), Cut("one", "channel == 1", enabled=False)]
    )
    assert cuts.masks(TABLE, only=["both"])["both"].tolist() == [False, True, False, True]
    assert cuts.mask(TABLE).tolist() == [False, True, False, True]
    assert cuts.columns == ("energy", "channel")
    assert cuts.reads("both") == ("energy", "channel")
    assert cuts.needs("both") == ("low", "one")
    assert cuts.n_nan(TABLE)["both"] == 1


def test_the_name_of_an_inverted_cut_means_what_passes_it():
    cuts = CutSet([Cut("low", "energy > 2", inverted=True), Cut("same", "low")])
    assert cuts.masks(TABLE)["same"].tolist() == [True, False, True, False]


def test_a_hundred_cuts_that_each_name_two_before_are_no_work():
    cuts = [Cut("a0", "energy > 0"), Cut("b0", "channel > 0")]
    for at in range(1, 100):
        cuts += [Cut(f"a{at}", f"a{at - 1} & b{at - 1}"), Cut(f"b{at}", f"a{at - 1} | b{at - 1}")]
    assert CutSet(cuts).reads("a99") == ("energy", "channel")
    assert passing(cuts) == [True, True, False, True]


@pytest.mark.parametrize(
    ("words", "cuts"),
    [
        ("cut 'a' names itself; give it another name than the column", [Cut("a", "a > 3")]),
        ("circle: a -> b -> c -> a", [Cut("a", "b"), Cut("b", "c"), Cut("c", "a")]),
        ("cut 'a' is there twice", [Cut("a", "x > 3"), Cut("a", "x > 3")]),
        ("cut 'a b': a cut is named by a word", [Cut("a b", "x > 3")]),
        ("cut 'not': a cut is named by a word", [Cut("not", "x > 3")]),
        ("cut 'sqrt': a cut is named by a word", [Cut("sqrt", "x > 3")]),
        ("cut 'a': the expression ends too early", [Cut("a", "x >")]),
    ],
)
def test_a_set_that_cannot_work_is_refused(words, cuts):
    with pytest.raises(SettingsError) as caught:
        CutSet(cuts)
    assert words in str(caught.value)


def test_a_column_that_is_not_there_is_told_with_the_cut_and_the_character():
    cuts = CutSet([Cut("low", "energy > 2"), Cut("both", "lwo & chanel == 1")])
    for act in (cuts.mask, cuts.masks, cuts.check):
        with pytest.raises(
            ExpressionError, match="cut 'both': column 'lwo' is not there; did you mean 'low'"
        ):
            act(TABLE)
    with pytest.raises(ExpressionError, match="cut 'a': a cut says yes or no"):
        CutSet([Cut("a", "energy")]).check(TABLE)
    CutSet([Cut("low", "energy > 2"), Cut("both", "low & channel == 1")]).check(TABLE)


def test_a_name_that_could_mean_a_cut_and_a_column_is_refused():
    cuts = CutSet([Cut("energy", "channel == 1"), Cut("low", "energy > 2")])
    for act in (cuts.mask, cuts.check):
        with pytest.raises(SettingsError, match="cut 'low' reads 'energy', which is a cut and a column"):
            act(TABLE)
    assert passing([Cut("energy", "channel == 1")]) == [True, False, True, False]


def test_a_cut_that_reads_no_column_is_as_long_as_the_others():
    assert passing([Cut("none", "1 > 2")]) == [False] * 4
    assert passing([Cut("none", "1 > 2")], {}, n_rows=2) == [False] * 2
    assert passing([Cut("none", "1 > 2")], {}) == []


@st.composite
def _tables(draw):
    n = draw(st.integers(1, 20))
    floats = st.one_of(st.floats(-5, 5), st.sampled_from([NAN, INF, -INF, 0.0, 1.0]))
    return pd.DataFrame(
        {
            "e": draw(st.lists(floats, min_size=n, max_size=n)),
            "i": draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n)),
            "b": draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        }
    )


_PARTS = ["e > 0", "e <= i", "b", "i == 2", "-1 < e < 1", "~(e < 0)", "i % 2 == 1", "e + i > 1 | b"]


@settings(max_examples=100, deadline=None)
@given(_tables(), st.lists(st.tuples(st.sampled_from(_PARTS), st.booleans(), st.booleans()), max_size=5))
def test_the_algebra_of_cuts_is_that_of_pandas(frame, parts):
    cuts = [Cut(f"c{at}", text, "", on, inverted) for at, (text, on, inverted) in enumerate(parts)]
    expected = pd.Series(True, frame.index)
    for text, on, inverted in parts:
        if on:
            expected &= frame.eval(text, engine="python").astype(bool) ^ inverted
    assert CutSet(cuts).mask(frame).tolist() == expected.tolist()


def test_a_cut_is_plain_data_for_the_session():
    cut = Cut("low", "energy > 2", "#ff0000", False, True)
    assert from_plain(Cut, json.loads(json.dumps(to_plain(cut)))) == cut


def test_a_cut_file_gives_back_what_was_saved(tmp_path):
    cuts = CutSet([Cut("low", "energy > 2", "#ff0000", False, True), Cut("µ", "low & card == 'é'")])
    save_cuts(cuts, tmp_path / "mine.json")
    assert load_cuts(tmp_path / "mine.json") == cuts
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]
    save_cuts([], tmp_path / "mine.json")
    assert len(load_cuts(tmp_path / "mine.json")) == 0


def test_a_cut_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    save_cuts([Cut("low", "energy > 2")], tmp_path / "mine.json")
    with pytest.raises(SettingsError):
        save_cuts([Cut("low", "energy >")], tmp_path / "mine.json")
    assert load_cuts(tmp_path / "mine.json").names == ("low",)
    with pytest.raises(OutputError, match="choose a folder that exists"):
        save_cuts([], tmp_path / "none" / "mine.json")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("line 1, column 1", "nonsense"),
        ("this is not a cut file", "[]"),
        ("this is not a cut file", '{"pygama cuts": true}'),
        ("of version 2", '{"pygama cuts": 2, "cuts": []}'),
        ("no list 'cuts'", '{"pygama cuts": 1}'),
        ("cut 1 must be names and values", '{"pygama cuts": 1, "cuts": [3]}'),
        ("cut 1 has no 'expression'", '{"pygama cuts": 1, "cuts": [{"name": "a"}]}'),
        (
            "an entry 'x', which is not known",
            '{"pygama cuts": 1, "cuts": [{"name": "a", "expression": "b", "x": 1}]}',
        ),
        ("'name' must be text, not 3", '{"pygama cuts": 1, "cuts": [{"name": 3, "expression": "b"}]}'),
        (
            "'enabled' must be true or false, not 1",
            '{"pygama cuts": 1, "cuts": [{"name": "a", "expression": "b", "enabled": 1}]}',
        ),
        (
            "cut 'a': the expression ends too early",
            '{"pygama cuts": 1, "cuts": [{"name": "a", "expression": "b >"}]}',
        ),
        ("recursion", "[" * 100000),
    ],
)
def test_a_cut_file_that_does_not_fit_is_refused_in_words(words, text, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_cuts(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith("mine.json")


def test_a_set_gives_its_cuts_by_name():
    cuts = CutSet([Cut("low", "energy > 2"), Cut("one", "channel == 1")])
    assert cuts["one"] is cuts.cuts[1]
    assert repr(cuts) == f"CutSet({list(cuts)!r})"


def test_a_cut_is_never_what_its_own_mistake_is_told_to_mean():
    cuts = CutSet([Cut("high", "x > 3"), Cut("hign", "not higm and x > 1")])
    with pytest.raises(ExpressionError, match="column 'higm' is not there; did you mean 'high'"):
        cuts.masks({"x": np.arange(5.0)})


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("10 <= x < 20", (10.0, 20.0)),
        ("x > 10", (10.0, math.inf)),
        ("x > 10 & y < 3 & x < 15 & x < 20", (10.0, 15.0)),
        ("(10 < x < 20) | (30 < x < 40)", (10.0, 40.0)),
        ("(10 < x < 20) | y > 2", (-math.inf, math.inf)),
        ("inside(y, x, 0, 1, 0, 5, 2, 3)", (1.0, 5.0)),
        ("~(10 < x < 20)", (-math.inf, math.inf)),
        ("2 * x < 20", (-math.inf, math.inf)),
        ("x <", (-math.inf, math.inf)),
    ],
)
def test_the_reach_of_an_expression_holds_all_that_passes(text, reach):
    assert reach_of(text, "x") == reach


def test_the_reach_of_a_cut_is_also_that_of_the_cuts_it_names():
    cuts = CutSet(
        [
            Cut("strict", "wide & x < 15"),
            Cut("wide", "10 < x < 20", enabled=False),
            Cut("other", "wide | (30 < x < 40)"),
            Cut("outside", "10 < x < 20", inverted=True),
            Cut("lax", "outside & x < 50"),
            Cut("late", "~wide & x < 50"),
        ]
    )
    assert {name: cuts.reach(name, "x") for name in cuts.names} == {
        "strict": (10.0, 15.0),
        "wide": (10.0, 20.0),
        "other": (10.0, 40.0),
        "outside": (-math.inf, math.inf),
        "lax": (-math.inf, 50.0),
        "late": (-math.inf, 50.0),
    }
