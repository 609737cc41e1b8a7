"""Tests that command, script and notebook do what the window's own job does: the files are compared."""

from __future__ import annotations

import ast
import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from pygama.analysis.calibration import Calibration, ChannelCalibration, place_text
from pygama.analysis.curves import Curve
from pygama.analysis.cuts import Cut
from pygama.analysis.fit_request import FitRequest
from pygama.processing.compact import STEPS
from pygama.processing.settings import write_settings
from pygama.progress import Partial, tell_nobody
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile
from pygama_gui.bridge import Bridge
from pygama_gui.data.channels import codes_of
from pygama_gui.data.energies import energies
from pygama_gui.data.live import LiveHistogram
from pygama_gui.jobs import work
from pygama_gui.jobs.spec import JobSpec
from pygama_gui.session import changes, exports
from pygama_gui.session.exports import Shown
from pygama_gui.session.state import Fit, Run, Session, SpectrumChoice, Step
from pygama_gui.session.tier_files import kind_of

CHAIN = (
    Step("fit_baseline", MappingProxyType({"i_end": 300})),
    Step("bl_subtract"),
    Step("pole_zero", enabled=False),
    Step("trap_filter", MappingProxyType({"rise": 120, "flat": 60})),
    Step("trap_max"),
    Step(
        "trap_filter", MappingProxyType({"rise": "1 us"}), True, outputs=MappingProxyType({"wf_trap": "wf_b"})
    ),
    Step(
        "trap_max",
        inputs=MappingProxyType({"wf_trap": "wf_b"}),
        outputs=MappingProxyType({"trap_max": "slow_max"}),
    ),
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A small run whose name a shell would trip over."""
    shape = RunShape(run_number=72, n_events=600, n_samples=1200, pulse_at=500, channels=(0, 3))
    (tmp_path / "it's raw").mkdir()
    raw = write_run(tmp_path / "it's raw" / "Run 72 $HOME", shape)
    return Run(str(raw), raw, 72)


@pytest.fixture
def session(run: Run) -> Session:
    """A session in which nothing is as at first."""
    return Session(
        runs=(run,),
        selected=run.run_id,
        tier0=MappingProxyType({"window": "max", "n_samp": 800}),
        chain=CHAIN,
        spectrum=SpectrumChoice("slow_max", is_log=True),
    )


@pytest.fixture
def by_window(tmp_path: Path, run: Run, session: Session) -> Path:
    """The folder in which the window's own job put the files."""
    folder = tmp_path / "by window"
    folder.mkdir()
    work.process(
        JobSpec(run.path, folder, dict(session.tier0), session.to_chain(), suffix=run.suffix), tell_nobody
    )
    return folder


def to_folder(session: Session, folder: Path) -> Session:
    folder.mkdir()
    return replace(session, output_dir=folder)


def start(*command: str | Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def as_a_person_runs_it(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the arguments of the tests away from scripts, and matplotlib's list of fonts from test to test."""
    monkeypatch.setattr(sys, "argv", ["script"])
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path_factory.getbasetemp().parent / "fonts"))


def run_here(script: str) -> None:
    """Run a script in this process, which is quicker."""
    exec(compile(script, "script", "exec"), {"__name__": "__main__"})


def run_notebook(text: str, folder: Path) -> str:
    """Run the code cells of a notebook in order, as Jupyter does."""
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    code = "\n".join("".join(cell["source"]) for cell in cells)
    (folder / "cells.py").write_text(code, encoding="utf-8")
    return start(sys.executable, folder / "cells.py")


def table_of(folder: Path, name: str = "t2_run72.h5") -> np.ndarray:
    with TierFile(folder / name) as file:
        return file.table("data").read().rows


def assert_same_tables(folder: Path, other: Path) -> None:
    """Compare Tier 2 bit by bit, and the numbers and waveforms of Tier 1."""
    assert len(table_of(folder)) > 500
    assert table_of(folder).dtype == table_of(other).dtype
    assert table_of(folder).tobytes() == table_of(other).tobytes()
    with TierFile(folder / "t1_run72.h5") as first, TierFile(other / "t1_run72.h5") as second:
        assert first.keys == second.keys
        for key in first.keys:
            assert first.table(key).read().rows.tobytes() == second.table(key).read().rows.tobytes()
        samples = [file.table(first.keys[0]).read().waveforms for file in (first, second)]
        assert np.array_equal(*samples)


def spectrum_in(path: Path) -> tuple[list[str], np.ndarray]:
    """Read names and numbers: edges in the first two columns, counts in the others."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return rows[0], np.array(rows[1:], float)


def window_spectrum(by_window: Path, column: str) -> tuple[LiveHistogram, Shown]:
    """Count as the window does, four of its bins joined to one."""
    histogram = LiveHistogram.around(table_of(by_window)[column], 2**12)
    return histogram, Shown(histogram.low, histogram.high, histogram.n_bins // 4, None, unit="ADC")


def assert_same_spectrum(path: Path, histogram: LiveHistogram) -> None:
    _, found = spectrum_in(path)
    assert np.array_equal(found[:, 0], histogram.edges[:-1:4])
    assert np.array_equal(found[:, 1], histogram.edges[4::4])
    assert np.array_equal(found[:, 2], histogram.counts.reshape(-1, 4).sum(axis=1))
    assert found[:, 2].sum() > 500


def test_the_command_makes_the_files_of_the_window(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    session = to_folder(session, tmp_path / "by command")
    write_settings(exports.settings_path(session, run), **exports.settings_of(session))
    start("sh", "-c", exports.as_command(session, run))
    assert_same_tables(by_window, tmp_path / "by command")


def test_the_script_makes_the_files_and_the_spectrum_of_the_window(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    session = to_folder(session, tmp_path / "by script")
    histogram, shown = window_spectrum(by_window, "slow_max")
    (tmp_path / "run72.py").write_text(exports.as_script(session, [run], shown), encoding="utf-8")
    start(sys.executable, tmp_path / "run72.py")
    assert_same_tables(by_window, tmp_path / "by script")
    assert_same_spectrum(tmp_path / "by script" / "run72_slow_max.csv", histogram)
    picture = tmp_path / "by script" / "run72_slow_max.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_command_and_script_round_columns_where_the_window_does(
    tmp_path: Path, run: Run, session: Session
) -> None:
    session = replace(session, compact=True)
    (tmp_path / "by window").mkdir()
    spec = JobSpec(
        run.path, tmp_path / "by window", dict(session.tier0), session.to_chain(), compact=session.compact
    )
    work.process(spec, tell_nobody)
    assert not np.any(table_of(tmp_path / "by window")["slow_max"] % STEPS["adc"])
    asked = to_folder(session, tmp_path / "by command")
    write_settings(exports.settings_path(asked, run), **exports.settings_of(asked))
    start("sh", "-c", exports.as_command(asked, run))
    assert_same_tables(tmp_path / "by window", tmp_path / "by command")
    asked = to_folder(session, tmp_path / "by script")
    run_here(exports.as_script(asked, [run]))
    assert_same_tables(tmp_path / "by window", tmp_path / "by script")


def test_the_script_writes_to_the_folder_that_is_given_to_it(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    session = replace(session, output_dir=tmp_path / "never made")
    (tmp_path / "run72.py").write_text(exports.as_script(session, [run]), encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    start(sys.executable, tmp_path / "run72.py", tmp_path / "elsewhere")
    assert_same_tables(by_window, tmp_path / "elsewhere")
    _, found = spectrum_in(tmp_path / "elsewhere" / "run72_slow_max.csv")
    assert found[:, 2].sum() == np.isfinite(table_of(by_window)["slow_max"]).sum()


def test_the_notebook_makes_the_files_and_the_spectrum_of_the_window(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    session = to_folder(session, tmp_path / "by notebook")
    histogram, shown = window_spectrum(by_window, "slow_max")
    run_notebook(exports.as_notebook(session, [run], shown), tmp_path)
    assert_same_tables(by_window, tmp_path / "by notebook")
    assert_same_spectrum(tmp_path / "by notebook" / "run72_slow_max.csv", histogram)


def test_a_notebook_is_of_format_4_with_an_id_for_each_cell(run: Run, session: Session) -> None:
    notebook = json.loads(exports.as_notebook(session, [run]))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids) == 9
    for cell in notebook["cells"]:
        assert set(cell) - {"cell_type", "id", "metadata", "source"} == (
            {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        )


def test_the_script_computes_the_energies_that_the_window_shows(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    rows = table_of(by_window)
    columns = {name: rows[name] for name in rows.dtype.names or ()}
    codes = codes_of(columns)
    curves = [Curve((0.3, 0.071), ()), Curve((-0.2, 0.068, 1e-8), ())]
    places = [place_text(code) for code in np.unique(codes).tolist()]
    channels = dict(zip(places, map(ChannelCalibration, curves), strict=True))
    calibration = Calibration("slow_max", channels=MappingProxyType(channels))
    session = replace(
        to_folder(session, tmp_path / "by script"),
        spectrum=SpectrumChoice("slow_max_kev"),
        calibrations=(calibration,),
    )
    histogram = LiveHistogram.around(energies(calibration, columns["slow_max"], codes), 2**12)
    shown = Shown(histogram.low, histogram.high, histogram.n_bins // 4, None, unit="keV")
    run_here(exports.as_script(session, [run], shown))
    assert_same_spectrum(tmp_path / "by script" / "run72_slow_max_kev.csv", histogram)


def test_the_script_does_the_fits_of_the_window(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    rows = table_of(by_window)
    columns = {name: rows[name] for name in rows.dtype.names or ()}
    code = int(codes_of(columns)[0])
    center, spread = (float(of(columns["bl_int"])) for of in (np.median, np.std))
    curve = ChannelCalibration(Curve((0.0, 0.07), ()))
    wide = FitRequest(center - 6 * spread, center + 6 * spread, fixed=MappingProxyType({"slope": 0.0}))
    narrow = FitRequest(0.07 * (center - 5 * spread), 0.07 * (center + 5 * spread), (0.07 * center,))
    session = replace(
        to_folder(session, tmp_path / "by script"),
        calibrations=(Calibration("bl_int", channels=MappingProxyType({place_text(code): curve})),),
        fits=(Fit("wide", "bl_int", wide), Fit("narrow", "bl_int_kev", narrow, code)),
    )
    run_here(exports.as_script(session, [run]))
    with (tmp_path / "by script" / "run72_fits.csv").open(encoding="utf-8") as file:
        found = {row["fit"]: row for row in csv.DictReader(file)}
    bridge.change(changes.open_session, session)
    bridge.adopt(1, run)
    bridge.take(1, Partial("any", columns, None, {}))
    bridge.fitting.ask(run.run_id)
    qtbot.waitUntil(lambda: bridge.fitting.outcome(run.run_id, "narrow") is not None, timeout=20_000)
    for name in ("wide", "narrow"):
        outcome = bridge.fitting.outcome(run.run_id, name).found
        assert outcome.converged
        assert float(found[name]["position"]) == outcome.peaks[0].position
        assert float(found[name]["fwhm_error"]) == outcome.peaks[0].fwhm_error
        assert float(found[name]["chi2"]) == outcome.chi2


def test_the_script_fits_what_a_cut_leaves_of_a_window(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    rows = table_of(by_window)
    columns = {name: rows[name] for name in rows.dtype.names or ()}
    center, spread = (float(of(columns["bl_int"])) for of in (np.median, np.std))
    wide = FitRequest(center - 6 * spread, center + 6 * spread, fixed=MappingProxyType({"slope": 0.0}))
    session = replace(
        to_folder(session, tmp_path / "by script"),
        cuts=(Cut("narrow", f"bl_int > {center - 2 * spread:.6g}"),),
        fits=(Fit("wide", "bl_int", wide),),
    )
    run_here(exports.as_script(session, [run]))
    with (tmp_path / "by script" / "run72_fits.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    bridge.change(changes.open_session, session)
    bridge.adopt(1, run)
    bridge.take(1, Partial("any", columns, None, {}))
    bridge.fitting.ask(run.run_id)
    qtbot.waitUntil(lambda: bridge.fitting.outcome(run.run_id, "wide") is not None, timeout=20_000)
    outcome = bridge.fitting.outcome(run.run_id, "wide")
    assert outcome.left is not None
    assert float(row["chi2"]) == outcome.found.chi2
    assert float(row["area"]) == outcome.found.peaks[0].area


def test_the_script_writes_uneven_errors_as_the_table_of_the_window(
    qtbot: QtBot, bridge: Bridge, tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    rows = table_of(by_window)
    heights = np.sort(rows["slow_max"][rows["slow_max"] > 0])
    at = float(heights[len(heights) // 2])
    few = FitRequest(at - 2000.0, at + 2000.0, (at,))
    session = replace(to_folder(session, tmp_path / "by script"), fits=(Fit("few", "slow_max", few),))
    run_here(exports.as_script(session, [run]))
    with (tmp_path / "by script" / "run72_fits.csv").open(encoding="utf-8") as file:
        (found,) = csv.DictReader(file)
    bridge.change(changes.open_session, session)
    bridge.adopt(1, run)
    bridge.take(1, Partial("any", {name: rows[name] for name in rows.dtype.names}, None, {}))
    bridge.fitting.ask(run.run_id)
    qtbot.waitUntil(lambda: bridge.fitting.outcome(run.run_id, "few") is not None, timeout=20_000)
    peak = bridge.fitting.outcome(run.run_id, "few").found.peaks[0]
    assert peak.fwhm_errors is not None
    for name in ("position", "fwhm", "fwtm", "area"):
        expected = getattr(peak, f"{name}_errors") or ("", "")
        assert [found[f"{name}_error_{way}"] for way in ("down", "up")] == list(map(str, expected))


def test_each_channel_is_counted_for_itself(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    rows = table_of(by_window)
    codes = codes_of({name: rows[name] for name in rows.dtype.names or ()})
    assert codes is not None
    present = sorted(set(codes.tolist()))
    assert len(present) == 2
    shown = Shown(0.0, 50_000.0, 500, None, tuple((f"channel {code}", code) for code in present))
    session = to_folder(session, tmp_path / "by script")
    run_here(exports.as_script(session, [run], shown))
    names, found = spectrum_in(tmp_path / "by script" / "run72_slow_max.csv")
    assert names[2:] == [f"Run 72, channel {code}" for code in present]
    for place, code in enumerate(present):
        histogram = LiveHistogram(0.0, 50_000.0, 500, grows=False)
        histogram.add(rows["slow_max"][codes == code])
        assert np.array_equal(found[:, 2 + place], histogram.counts)
        assert histogram.counts.sum() > 100


def test_a_value_on_an_edge_belongs_to_the_bin_above_it_as_in_the_window(
    tmp_path: Path, run: Run, session: Session, by_window: Path
) -> None:
    numbers = table_of(by_window)["event_number"]
    session = replace(to_folder(session, tmp_path / "by script"), spectrum=SpectrumChoice("event_number"))
    shown = Shown(0.0, 100.0, 10)
    run_here(exports.as_script(session, [run], shown))
    _, found = spectrum_in(tmp_path / "by script" / "run72_event_number.csv")
    histogram = LiveHistogram(0.0, 100.0, 10, grows=False)
    histogram.add(numbers)
    assert 100 in numbers
    assert np.array_equal(found[:, 2], histogram.counts)


def test_several_runs_are_done_one_after_the_other(tmp_path: Path, session: Session) -> None:
    runs = []
    for number in (5, 6):
        shape = RunShape(run_number=number, n_events=60, n_samples=1200, pulse_at=500)
        raw = write_run(tmp_path / f"Run{number}", shape)
        runs.append(Run(str(raw), raw, number, suffix=".1"))
    session = to_folder(session, tmp_path / "out")
    run_here(exports.as_script(session, runs))
    names, found = spectrum_in(tmp_path / "out" / "run5.1-run6.1_slow_max.csv")
    assert names == ["from", "to", "Run 5", "Run 6"]
    assert (found[:, 2:].sum(axis=0) > 50).all()


def test_of_a_tier_1_file_tier_2_is_made_by_command_and_by_script(
    tmp_path: Path, session: Session, by_window: Path
) -> None:
    of_tier1 = kind_of(by_window / "t1_run72.h5").run
    by_command = to_folder(session, tmp_path / "by command")
    write_settings(exports.settings_path(by_command, of_tier1), **exports.settings_of(by_command))
    start("sh", "-c", exports.as_command(by_command, of_tier1))
    run_here(exports.as_script(to_folder(session, tmp_path / "by script"), [of_tier1]))
    for folder in (tmp_path / "by command", tmp_path / "by script"):
        assert table_of(folder).tobytes() == table_of(by_window).tobytes()
        assert not (folder / "t1_run72.h5").exists()


def test_a_tier_2_file_is_read_by_a_script_and_not_made(
    tmp_path: Path, session: Session, by_window: Path
) -> None:
    of_tier2 = kind_of(by_window / "t2_run72.h5").run
    script = exports.as_script(to_folder(session, tmp_path / "out"), [of_tier2])
    assert script.startswith('"""Read Run 72 and draw the spectrum of slow_max.')
    run_here(script)
    _, found = spectrum_in(tmp_path / "out" / "run72_slow_max.csv")
    assert found[:, 2].sum() == np.isfinite(table_of(by_window)["slow_max"]).sum()
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".csv", ".png"}


def test_a_command_says_all_that_it_needs(run: Run, session: Session) -> None:
    session = replace(session, output_dir=Path("/out put"))
    aside = replace(run, path=Path("/raw/Run72"), suffix=".1")
    assert exports.as_command(session, aside) == (
        "pygama run /raw/Run72 -o '/out put' --settings '/out put/run72.1.settings.json' --suffix .1"
    )


def test_runs_of_one_number_are_named_by_their_files() -> None:
    runs = [Run(path, Path(path), number) for path, number in (("/a/x", 1), ("/b/x", 1), ("/b/y", 2))]
    assert exports._names(runs) == ["Run 1 (x)", "Run 1 (/b/x)", "Run 2"]


def test_no_line_of_a_script_is_longer_than_it_should_be(run: Run, session: Session) -> None:
    session = replace(session, output_dir=Path("/out"))
    runs = [replace(run, path=Path("/raw/Run72")), Run("t1", Path("t1"), 73, tier1=Path("t1"))]
    script = exports.as_script(session, runs, Shown(0.0, 9.0, 3))
    assert [line for line in script.splitlines() if len(line) > 110] == []


@given(st.text() | st.sampled_from(['"""\nboom()\n"""', "\\", "*/", "`boom()`"]))
def test_a_name_that_is_code_stays_a_name(name: str) -> None:
    """A session may come from anybody; what is written of it must not become code."""
    twins = [Run(f"{folder}/{name}", Path(f"/{folder}") / f"x{name}", 7, suffix=name) for folder in "ab"]
    session = Session(
        spectrum=SpectrumChoice(name), chain=(Step(name),), tier0=MappingProxyType({name: name})
    )
    shown = Shown(0.0, 1.0, 2, None, ((name, 3),), name)
    harmless = exports.as_script(Session(), [Run("a", Path("a"), 7), Run("b", Path("b"), 7)])
    written = ast.parse(exports.as_script(session, twins, shown))
    kinds = [type(statement) for statement in written.body]
    assert kinds == [type(statement) for statement in ast.parse(harmless).body]
    values = {
        ast.unparse(statement.targets[0]): statement.value
        for statement in written.body
        if isinstance(statement, ast.Assign)
    }
    read = [ast.literal_eval(values[name]) for name in ("COLUMN", "CHAIN", "TIER0", "UNIT")]
    assert read == [name, [{"step": name}], {name: name}, name]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=20,
)


@given(plain)
def test_a_literal_is_read_back_by_python(value: Any) -> None:
    assert eval(exports.literal(value), {"float": float}) == value
