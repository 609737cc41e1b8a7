from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from pygama.analysis.cutting import selection_of
from pygama.errors import SettingsError

COLUMNS = {"a": np.array([1.0, 2.0, 3.0])}


class Above:
    columns = ("a",)

    def __init__(self, text: str = "a > 1.5") -> None:
        self.text = text

    def evaluate(self, columns):
        return columns["a"] > 1.5


def test_a_function_of_the_columns_is_a_cut_with_its_name():
    def above(columns):
        return columns["a"] > 1.5

    selection = selection_of(above)
    assert (selection.text, selection.columns) == ("above", ())
    assert selection.mask(COLUMNS, 3).tolist() == [False, True, True]


def test_an_expression_is_a_cut_with_its_text_and_columns():
    selection = selection_of(Above())
    assert (selection.text, selection.columns) == ("a > 1.5", ("a",))
    assert selection.mask(COLUMNS, 3).tolist() == [False, True, True]


def test_a_text_is_parsed_into_an_expression(monkeypatch):
    """By whatever is there under the name of the module that parses."""
    module = ModuleType("pygama.analysis.expressions")
    module.parse = Above
    monkeypatch.setitem(sys.modules, module.__name__, module)
    selection = selection_of("a > 1.5")
    assert (selection.text, selection.columns) == ("a > 1.5", ("a",))


def test_one_truth_for_all_rows_is_a_cut_too():
    assert selection_of(lambda columns: np.True_).mask(COLUMNS, 3).tolist() == [True] * 3


@pytest.mark.parametrize("given", [lambda columns: columns["a"], lambda columns: np.ones(2, bool)])
def test_what_gives_no_truth_for_each_row_is_refused(given):
    with pytest.raises(SettingsError, match="must say true or false for each of 3 rows"):
        selection_of(given).mask(COLUMNS, 3)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(SettingsError, match="asks for the column 'b', which is not there"):
        selection_of(lambda columns: columns["b"] > 1).mask(COLUMNS, 3)


def test_what_is_no_cut_is_refused():
    with pytest.raises(SettingsError, match="a cut is a text"):
        selection_of(3.0)  # type: ignore[arg-type]
