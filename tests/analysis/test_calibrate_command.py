"""The commands `calibrate` and `drift`."""

import dataclasses
import subprocess
import sys

import pytest

from pygama.__main__ import main
from pygama.analysis.calibration_file import read_calibration
from pygama.commands.parts import unit_of_column
from pygama.dataset import DataSet
from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.processing.settings import read_settings
from pygama.simulate import demo_shape, write_run


@pytest.fixture(scope="module")
def tier2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    shape = dataclasses.replace(demo_shape(1500, run_number=3), channels=(2,))
    return process_run(write_run(folder / "Run3", shape), output_dir=folder).outputs[1]


def test_calibrating_prints_a_table_and_writes_a_file(tier2, tmp_path, capsys):
    before = tier2.read_bytes()
    file = tmp_path / "calibration.json"
    assert main(["calibrate", str(tier2), "--source", "Th-228", "--source", "K-40", "-o", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "channel 0/8/2: Th-228 + K-40, confidence over 99.99 %" in printed
    assert "  K-40                      1460.82" in printed
    made = read_calibration(file)
    assert made.made_from == ("t2_run3.h5",)
    assert made.channels["0/8/2"].curve.gain == pytest.approx(14.54, abs=0.03)
    assert tier2.read_bytes() == before


@pytest.fixture(scope="module")
def calibration(tier2, tmp_path_factory):
    file = tmp_path_factory.mktemp("made") / "calibration.json"
    assert main(["calibrate", str(tier2), "--source", "Th-228", "-o", str(file)]) == 0
    return file


@pytest.fixture(scope="module")
def by_another_chain(tier2):
    """The same run, its heights by a shorter filter."""
    chain = read_settings(tier2)["chain"]
    (step,) = [step for step in chain if step["step"] == "trap_filter"]
    step["settings"] = {**step.get("settings", {}), "rise": 99}
    processor = Tier1Processor.from_chain(chain)
    (folder := tier2.parent / "other").mkdir()
    return process_run(tier2.parent / "Run3", processor=processor, output_dir=folder).outputs


def test_energies_by_a_calibration_of_rows_of_another_chain_are_told(
    tier2, calibration, by_another_chain, tmp_path, capsys
):
    known = read_calibration(calibration)
    assert len(known.channels["0/8/2"].made_with) == 16
    said = "channel 0/8/2 of trap_max was calibrated when another chain made its rows"
    for path, is_other in ((tier2, False), (by_another_chain[1], True)):
        data = DataSet(path, calibrations=known)
        data.hist("trap_max_kev", 0, 3000, 10)
        data.hist("trap_max_kev", 0, 3000, 10, cut="trap_max_kev > 100")
        assert [said in note for note in data.notes] == [True] * is_other
        files = [str(path.with_name("t1_run3.h5")), str(path)]
        words = ["--cut", "trap_max_kev > 2000", "--calibration", str(calibration)]
        assert main(["select", *files, *words, "-o", str(tmp_path / f"{is_other}.h5")]) == 0
        assert (said in "".join(capsys.readouterr())) is is_other
        for command, output in (("export", "t.csv"), ("spectrum", "s.csv")):
            words = [command, str(path), "--calibration", str(calibration)]
            words += ["-o"] if command == "spectrum" else []
            assert main([*words, str(tmp_path / output)]) == 0
            assert (said in capsys.readouterr().err) is is_other


def test_several_files_are_one_run(tier2, capsys):
    assert main(["calibrate", str(tier2), str(tier2), "--source", "Th-228", "--through-zero"]) == 0
    assert "trap_max_kev of t2_run3.h5, t2_run3.h5" in capsys.readouterr().out


def test_a_wrong_source_is_refused_in_words_and_nothing_is_written(tier2, tmp_path, capsys):
    file = tmp_path / "calibration.json"
    assert main(["calibrate", str(tier2), "--source", "Eu-152", "-o", str(file)]) == 1
    told = capsys.readouterr()
    assert "refused: this does not look like Eu-152: Th-228 at 14.5" in told.out
    assert told.err == "pygama: no channel could be calibrated; nothing was written\n"
    assert not file.exists()


def test_an_expected_gain_ten_times_too_high_is_told(tier2, capsys):
    assert main(["calibrate", str(tier2), "--source", "Th-228", "--gain", "145"]) == 1
    assert "times the gain that was expected (130.5 to 159.5 ADC/keV)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("column", "unit"), [("trap_max", "ADC"), ("bl_slope", "ADC/sample"), ("energy", ""), ("channel", "")]
)
def test_the_unit_of_a_column_is_that_of_the_processor_that_writes_it(column, unit):
    assert unit_of_column(column) == unit


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--source", "Co-57"], "'Co-57' is not known"), (["--column", "height"], "has no column 'height'")],
)
def test_what_is_not_known_is_an_error_in_one_sentence(tier2, capsys, options, message):
    assert main(["calibrate", str(tier2), *options]) == 1
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_drift_compares_two_files(tier2, tmp_path, capsys):
    file = tmp_path / "calibration.json"
    main(["calibrate", str(tier2), "--source", "Th-228", "-o", str(file)])
    capsys.readouterr()
    assert main(["drift", str(file), str(file)]) == 0
    assert capsys.readouterr().out.startswith("1 channel compared, ")


def test_the_other_commands_start_without_what_calibrating_needs():
    code = (
        "import sys; from pygama.__main__ import main; main(['schema']); "
        "sys.exit(any(name.startswith('pygama.analysis') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
