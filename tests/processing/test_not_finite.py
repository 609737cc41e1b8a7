"""NaN and infinity: counted, and said."""

import numpy as np

from pygama.processing.not_finite import NotFinite


def test_nan_and_infinity_are_counted_by_column():
    counts = NotFinite()
    counts.count({"a": np.array([1, np.nan, np.inf]), "b": np.array([1.0, 2, 3]), "c": np.arange(3)}, 3)
    counts.count({"a": np.array([-np.inf, 0.0])}, 2)
    assert counts.counts == {"a": {"nan": 1, "inf": 2}}
    assert counts.sentences() == ["of 5 rows, a 1 have no value (NaN)", "of 5 rows, a 2 are infinite"]


def test_of_waveforms_rows_are_counted():
    waves = np.zeros((4, 3))
    waves[1, :2] = np.nan
    waves[1, 2] = waves[3, 0] = np.inf
    counts = NotFinite()
    counts.count({"wf": waves}, 4)
    assert counts.counts == {"wf": {"nan": 1, "inf": 1}}


def test_what_two_counted_can_be_joined():
    one, other = NotFinite(), NotFinite()
    one.count({"b": np.array([np.nan])}, 1)
    other.count({"b": np.array([np.nan]), "a": np.array([np.nan])}, 1)
    one.join(other)
    assert one.sentences() == ["of 2 rows, a 1, b 2 have no value (NaN)"]


def test_where_all_are_numbers_nothing_is_said():
    counts = NotFinite()
    counts.count({"a": np.zeros(3)}, 3)
    assert (counts.counts, counts.sentences()) == ({}, [])
