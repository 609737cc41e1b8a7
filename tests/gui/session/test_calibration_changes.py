"""Tests the calibrations of a session: which one holds for a run, and that they come back from a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from pygama.analysis.calibration import Calibration, ChannelCalibration, MatchedLine, Recipe
from pygama.analysis.curves import Curve
from pygama.analysis.matching import Hypothesis
from pygama_gui.session import calibration_changes as calibrating
from pygama_gui.session import saved
from pygama_gui.session.set_changes import data_set_of
from pygama_gui.session.state import ChannelsChoice, Member, Run, Session, SpectrumChoice
from pygama_gui.session.store import Store

CURVE = Curve((0.5, 0.068), ((1e-4, 0.0), (0.0, 1e-10)), 4.5, 3)
ONE = ChannelCalibration(
    CURVE,
    (MatchedLine("Tl-208", 2614.511, 0.01, position=38000.5, position_error=1.0, is_used=True),),
    source="Th-228",
    confidence=0.9999,
    rival=Hypothesis("Ba-133", 12.4, 3.0, (81.0,), 3),
)
RUNS = tuple(Run(name, Path(f"/data/{name}"), at) for at, name in enumerate(("Run1", "Run2")))


def made(name: str = "", gain: float = 0.068, column: str = "trap_max") -> Calibration:
    curve = replace(CURVE, coefficients=(0.5, gain))
    channels = MappingProxyType({"0/5/2": replace(ONE, curve=curve)})
    return Calibration(column, Recipe(("Th-228",)), (name,) if name else (), channels)


@pytest.fixture
def session() -> Session:
    return Session(runs=RUNS, selected="Run1", calibrations=(made(), made("Run2", 0.07)))


def test_calibrations_come_back_from_a_session_file(session: Session) -> None:
    assert saved.from_json(json.loads(json.dumps(saved.to_json(session)))) == session


def test_the_calibration_of_a_run_beats_that_of_others(session: Session) -> None:
    gains = [calibrating.curve_of(session, run, "trap_max", 5 * 1024 + 2).coefficients[1] for run in RUNS]
    assert gains == [0.068, 0.07]


def test_a_newer_calibration_of_the_same_runs_takes_the_place_of_the_older(session: Session) -> None:
    taken = calibrating.take_calibration(session, made("Run2", 0.08))
    assert len(taken.calibrations) == 2
    assert calibrating.curve_of(taken, RUNS[1], "trap_max", None).coefficients[1] == 0.08


def test_a_channel_that_was_not_calibrated_has_no_curve(session: Session) -> None:
    assert calibrating.curve_of(session, RUNS[0], "trap_max", 3) is None
    assert calibrating.curve_of(session, RUNS[0], "energy", None) is None


def test_forgetting_shows_the_raw_column_again_and_is_undone(session: Session) -> None:
    store = Store(replace(session, spectrum=SpectrumChoice(column="trap_max_kev", roi=(1.0, 2.0))))
    store.change(calibrating.forget_calibration, "trap_max")
    assert (store.session.calibrations, store.session.spectrum.column) == ((), "trap_max")
    assert store.session.spectrum.roi == pytest.approx((0.5 / 0.068, 1.5 / 0.068))
    store.undo()
    assert store.session.calibrations == session.calibrations
    assert calibrating.forget_calibration(session, "energy") is session


def test_channels_show_energies_as_long_as_there_are_any(session: Session) -> None:
    uncalibrated = replace(session, calibrations=())
    assert uncalibrated.channel_grid.column == "trap_max"
    calibrated = calibrating.take_calibration(uncalibrated, made())
    assert calibrated.channel_grid.column == "trap_max_kev"
    assert calibrating.forget_calibration(calibrated, "trap_max").channel_grid.column == "trap_max"
    other = replace(uncalibrated, channel_grid=ChannelsChoice(column="bl_int"))
    assert calibrating.take_calibration(other, made()).channel_grid.column == "bl_int"


def test_energies_know_what_they_are_made_of(session: Session) -> None:
    assert calibrating.raw_column(session, "trap_max_kev") == "trap_max"
    assert calibrating.raw_column(session, "bl_int") == "bl_int"


def test_a_region_goes_with_its_column_to_energies_and_back() -> None:
    spectrum = SpectrumChoice(column="trap_max", roi=(1000.0, 2000.0), markers=(1500.0,))
    raw = Session(runs=RUNS, selected="Run1", calibrations=(made(),), spectrum=spectrum)
    roi, markers = calibrating.carried_over(raw, "trap_max_kev")
    assert roi == pytest.approx((68.5, 136.5))
    assert markers == pytest.approx((102.5,))
    in_kev = replace(raw, spectrum=replace(spectrum, column="trap_max_kev", roi=roi, markers=markers))
    back, markers_back = calibrating.carried_over(in_kev, "trap_max")
    assert back == pytest.approx((1000.0, 2000.0))
    assert markers_back == pytest.approx((1500.0,))
    forgotten = calibrating.forget_calibration(in_kev, "trap_max").spectrum
    assert forgotten.column == "trap_max"
    assert forgotten.roi == pytest.approx((1000.0, 2000.0))


def test_a_region_makes_no_sense_in_another_column() -> None:
    spectrum = SpectrumChoice(column="trap_max", roi=(1000.0, 2000.0), markers=(1500.0,))
    session = Session(runs=RUNS, selected="Run1", calibrations=(made(),), spectrum=spectrum)
    assert calibrating.carried_over(session, "bl_int") == (None, ())


def timed(*calibrations: Calibration, starts: tuple[int, ...] = (1000, 5000, 6000)) -> Session:
    """Three runs that began at these times, with calibrations; the third has none of its own."""
    runs = [Run(f"Run{n}", Path(f"/data/Run{n}"), n, start_time=start) for n, start in enumerate(starts, 1)]
    return Session(runs=tuple(runs), selected="Run3", calibrations=calibrations)


def test_without_one_of_its_own_a_run_takes_the_calibration_nearest_in_time() -> None:
    session = timed(made("Run1"), made("Run2", 0.07))
    (held,) = calibrating.calibrations_of(session, session.runs[2])
    assert held.made_from == ("Run2",)
    told = calibrating.borrowed(session, session.runs[2], "trap_max_kev")
    assert told == "calibrated by Run2, the nearest in time"
    assert calibrating.borrowed(session, session.runs[1], "trap_max_kev") == ""


def test_the_newest_holds_where_a_time_is_not_known() -> None:
    session = timed(made("Run9"), made("Run2", 0.07))
    (held,) = calibrating.calibrations_of(session, session.runs[2])
    assert held.made_from == ("Run9",)
    told = calibrating.borrowed(session, session.runs[2], "trap_max")
    assert told == "calibrated by Run9, the newest"


def test_a_data_set_names_its_runs_that_borrow_a_calibration() -> None:
    session = timed(made("Run1"), made("Run2", 0.07), starts=(1000, 5000, 6000, 1500))
    members = [Member(run, Path(f"/data/t2_run{run.run_number}.h5")) for run in session.runs]
    data_set = data_set_of(session, members)
    assert calibrating.borrowed(session, data_set, "trap_max_kev") == (
        "run 3 calibrated by Run2, the nearest in time; run 4 calibrated by Run1, the nearest in time"
    )


def test_the_only_calibration_is_said_to_be_the_only_one() -> None:
    session = timed(made("Run1"))
    told = calibrating.borrowed(session, session.runs[1], "trap_max_kev")
    assert told == "calibrated by Run1, the only calibration"
    assert calibrating.borrowed(session, session.runs[1], "energy") == ""
