"""Tests the changes of fits, and that they come back from a session file."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.fit_request import FitRequest
from pygama_gui.session import fit_changes, saved
from pygama_gui.session.state import Fit, NamedRegion, Session
from pygama_gui.session.store import Store

REQUEST = FitRequest(8000.0, 9000.0, (8670.0,))
names = st.text(max_size=6)
numbers = st.floats(allow_nan=False, allow_infinity=False)
held = st.dictionaries(names, numbers, max_size=2).map(MappingProxyType)
limits = st.dictionaries(names, st.tuples(numbers, numbers), max_size=2).map(MappingProxyType)
requests = st.builds(
    FitRequest,
    low=numbers,
    high=numbers,
    positions=st.lists(numbers, max_size=3).map(tuple),
    shape=st.sampled_from(["gauss", "hpge"]),
    background=st.sampled_from(["linear", "step"]),
    share_width=st.booleans(),
    fixed=held,
    limits=limits,
    n_bins=st.none() | st.integers(5, 500),
)
fits = st.lists(
    st.builds(Fit, name=names, column=names, request=requests, channel=st.none() | st.integers(0, 2**30)),
    max_size=3,
    unique_by=lambda fit: fit.name,
).map(tuple)


@pytest.fixture
def session() -> Session:
    return Session(fits=tuple(Fit(name, "trap_max", REQUEST) for name in "abc"), fit="b")


@given(fits)
def test_fits_come_back_from_a_session_file(fits: tuple[Fit, ...]) -> None:
    session = Session(fits=fits, fit="a")
    assert saved.from_json(json.loads(json.dumps(saved.to_json(session)))) == session


def test_of_two_fits_of_one_name_in_a_file_the_first_is_kept() -> None:
    twice = Session(fits=(Fit("a", "x", REQUEST), Fit("a", "y", REQUEST)))
    assert [fit.column for fit in saved.from_json(saved.to_json(twice)).fits] == ["x"]


def test_a_fit_whose_name_is_taken_gets_a_number(session: Session) -> None:
    added = fit_changes.add_fits(session, [Fit("b", "trap_max", REQUEST)] * 2)
    assert [fit.name for fit in added.fits] == ["a", "b", "c", "b (2)", "b (3)"]
    assert added.fit == "b (3)"


def test_removing_the_chosen_fit_chooses_the_one_behind_it(session: Session) -> None:
    assert fit_changes.remove_fit(session, "b").fit == "c"
    assert fit_changes.remove_fit(replace(session, fit="c"), "c").fit == "b"
    assert fit_changes.remove_fit(session, "gone") is session


def test_a_renamed_fit_stays_chosen_and_no_two_have_one_name(session: Session) -> None:
    renamed = fit_changes.rename_fit(session, "b", "Tl-208")
    assert (renamed.fit, renamed.fits[1].name) == ("Tl-208", "Tl-208")
    assert fit_changes.rename_fit(session, "b", "c") is session
    assert fit_changes.rename_fit(session, "b", "") is session


def test_changes_of_fits_are_undone_one_by_one_and_named(session: Session) -> None:
    store = Store(session)
    store.change(fit_changes.change_fit, "a", replace(REQUEST, shape="hpge"))
    store.change(fit_changes.remove_fit, "c")
    assert store.undo_label == "remove fit (c)"
    store.undo()
    assert store.undo_label == "change fit (a)"
    store.undo()
    assert store.session == session


def test_a_range_that_leaves_out_a_peak_of_its_fit_is_not_taken(session: Session) -> None:
    moved = fit_changes.set_fit_range(session, "a", 8600.0, 9100.0)
    assert (moved.fits[0].request.low, moved.fits[0].request.high) == (8600.0, 9100.0)
    assert fit_changes.set_fit_range(session, "a", 8700.0, 9000.0) is session
    assert fit_changes.set_fit_range(session, "gone", 8600.0, 9100.0) is session


def test_choosing_a_fit_is_not_undone(session: Session) -> None:
    store = Store(session)
    store.change(fit_changes.choose_fit, "c")
    assert (store.session.fit, store.undo_label) == ("c", "")


@given(
    st.lists(
        st.builds(NamedRegion, names, names, numbers, numbers, st.none() | st.integers(0, 2**30)),
        max_size=3,
        unique_by=lambda region: region.name,
    ).map(tuple)
)
def test_regions_come_back_from_a_session_file(regions: tuple[NamedRegion, ...]) -> None:
    session = Session(regions=regions)
    assert saved.from_json(json.loads(json.dumps(saved.to_json(session)))) == session


def test_regions_are_kept_renamed_and_removed_one_by_one() -> None:
    store = Store()
    for _ in range(2):
        store.change(fit_changes.keep_region, NamedRegion("583 keV", "trap_max_kev", 575.0, 590.0))
    store.change(fit_changes.rename_region, "583 keV (2)", "Tl-208")
    store.change(fit_changes.rename_region, "Tl-208", "583 keV")
    assert [region.name for region in store.session.regions] == ["583 keV", "Tl-208"]
    store.change(fit_changes.remove_region, "583 keV")
    assert store.undo_label == "remove region (583 keV)"
    store.undo()
    assert [region.name for region in store.session.regions] == ["583 keV", "Tl-208"]
