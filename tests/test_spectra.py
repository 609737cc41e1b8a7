"""Counts spectra of Tier 2 files and writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pygama.__main__ import main
from pygama.analysis.calibration import Calibration
from pygama.analysis.calibration_file import write_calibration
from pygama.analysis.live_time import live_times
from pygama.analysis.tagging import Tagging
from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.spectra import Spectrum, count_spectrum, save_spectrum
from pygama.storage import TierFile, TierWriter
from pygama.storage.how_made import how_made
from pygama.storage.spectrum_files import StoredSpectrum, read_spectrum


@pytest.fixture(scope="module")
def tier2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tier2")
    raw = write_run(folder / "Run7", RunShape(run_number=7, n_events=400, n_samples=900, pulse_at=400))
    return process_run(raw, output_dir=folder).outputs[1]


def trap_max(tier2: Path) -> np.ndarray:
    with TierFile(tier2) as file:
        return file.table("data").column("trap_max")


def test_counts_are_those_of_numpy(tier2: Path) -> None:
    found = count_spectrum([tier2], limits=(0, 20_000), n_bins=50, cut="trap_max > 1000")
    values = trap_max(tier2)
    expected, _ = np.histogram(values[values > 1000], 50, (0, 20_000))
    assert found.counts.tolist() == expected.tolist()
    assert (found.column, found.unit, found.made["cut"]) == ("trap_max", "ADC", "trap_max > 1000")


def test_the_range_that_is_chosen_holds_nearly_all(tier2: Path) -> None:
    found = count_spectrum([tier2], n_bins=100)
    assert found.counts.sum() >= 0.99 * len(trap_max(tier2))


@pytest.mark.parametrize("suffix", [".spe", ".csv"])
def test_a_stored_spectrum_says_when_the_run_began_and_how_long_it_was(
    tier2: Path, tmp_path: Path, suffix: str
) -> None:
    with TierFile(tier2) as file:
        table = file.table("data")
        columns = {name: table.column(name) for name in ("time_s", "channel", "card", "crate", "trap_max")}
        start = int(file.texts("/")["start_time"])
    known = live_times(columns).timestamps.values()
    live = [one.live_s / one.real_s for one in known]
    assert len(live) == 3
    once = read_spectrum(save_spectrum(tmp_path / f"one{suffix}", count_spectrum([tier2], n_bins=10)))
    twice = read_spectrum(save_spectrum(tmp_path / f"two{suffix}", count_spectrum([tier2, tier2], n_bins=10)))
    assert once.start_s == twice.start_s == start
    assert once.real_time_s == pytest.approx(max(one.real_s for one in known), rel=1e-5)
    assert once.live_time_s == pytest.approx(np.mean(live) * once.real_time_s, rel=1e-5)
    assert twice.real_time_s == pytest.approx(2 * once.real_time_s, rel=1e-5)
    assert twice.live_time_s == pytest.approx(2 * once.live_time_s, rel=1e-5)


def stored(path: Path, spectrum: Spectrum) -> StoredSpectrum:
    return read_spectrum(save_spectrum(path, spectrum))


@pytest.fixture
def two_cards(tmp_path: Path) -> Path:
    """Hits of 30 s: channel 0 of card 1 with a dead time of 2 ms, channel 1 of card 2 by another clock."""
    rng, path = np.random.default_rng(5), tmp_path / "t2_run9.h5"
    times = [np.sort(rng.uniform(0, 30, n)) for n in (6000, 600)]
    dead, last = [], -1.0
    for one in times[0]:
        if one - last > 2e-3:
            dead.append(one)
            last = one
    times[0] = np.array(dead)
    rows = {"time_s": np.concatenate([times[0], times[1] + 1e5])}
    card = np.repeat([1, 2], [len(one) for one in times]).astype(np.int32)
    rows |= {"card": card, "crate": 0 * card, "channel": card - 1}
    rows["trap_max"] = rng.uniform(0, 1000, len(card))
    table = np.empty(len(card), [(name, values.dtype) for name, values in rows.items()])
    for name, values in rows.items():
        table[name] = values
    with TierWriter(path) as writer:
        writer.write("data", Block("data", table))
    return path


def test_the_live_time_is_that_of_the_channels_that_pass(two_cards: Path, tmp_path: Path) -> None:
    with TierFile(two_cards) as file:
        columns = {name: file.table("data").column(name) for name in ("time_s", "channel", "card", "crate")}
    known = live_times(columns).timestamps
    assert known["0/1/0"].dead_fraction > 0.2
    for channel, place in enumerate(("0/1/0", "0/2/1")):
        spectrum = count_spectrum([two_cards], n_bins=10, cut=f"channel == {channel} & trap_max > 10")
        one = stored(tmp_path / f"{channel}.csv", spectrum)
        live_s = (1 - known[place].dead_fraction) * one.real_time_s
        assert one.live_time_s == pytest.approx(live_s, rel=1e-5)


def test_the_real_time_does_not_mix_the_clocks_of_two_cards(two_cards: Path, tmp_path: Path) -> None:
    assert stored(tmp_path / "one.csv", count_spectrum([two_cards], n_bins=10)).real_time_s == pytest.approx(
        30, rel=0.01
    )


@pytest.mark.parametrize("cut", ["time_s < 10", "trap_max > 1 & ~(event_number > 100)"])
def test_a_cut_on_times_leaves_no_live_time(tier2: Path, tmp_path: Path, cut: str) -> None:
    one = stored(tmp_path / "one.csv", count_spectrum([tier2], n_bins=10, cut=cut))
    assert np.isnan(one.live_time_s)
    assert np.isnan(one.real_time_s)
    assert "cut chooses among times" in one.remarks["times"]


def test_a_pulser_that_is_not_there_is_told(tier2: Path, tmp_path: Path, capsys) -> None:
    spectrum = count_spectrum([tier2], n_bins=10, cut="~is_pulser", tagging=Tagging(amplitude="bl_slope"))
    assert len(spectrum.notes) == 1
    assert spectrum.notes[0].startswith("run 7: pulser: ")
    assert "no hit is marked as a pulse" in spectrum.made["notes"]
    path = tmp_path / "one.csv"
    assert main(["spectrum", str(tier2), "-o", str(path), "--cut", "~is_pulser", "--pulser-in", "0/8/7"]) == 1
    assert "channel 0/8/7, which is not there" in capsys.readouterr().err
    assert not path.exists()


def test_a_column_that_the_calibration_is_not_of_is_refused(tier2: Path, tmp_path: Path) -> None:
    path = tmp_path / "cal.json"
    write_calibration(path, Calibration("trap_max"))
    with pytest.raises(SettingsError, match="cal.json is of 'trap_max', not of 'energy'"):
        count_spectrum([tier2], "energy", calibration=path)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_says_how_it_was_made_and_is_the_same_twice(
    tier2: Path, tmp_path: Path, suffix: str
) -> None:
    spectrum = count_spectrum([tier2], n_bins=100)
    for name in ("one", "two"):
        save_spectrum(tmp_path / f"{name}{suffix}", spectrum)
    made = how_made(tmp_path / f"one{suffix}")
    assert made is not None and made["files"] == [tier2.name]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"one{suffix}", f"two{suffix}"]
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_the_command_writes_what_the_function_counts(tier2: Path, tmp_path: Path) -> None:
    arguments = ["spectrum", str(tier2), "-o", str(tmp_path / "one.csv"), "--bins", "50"]
    assert main([*arguments, "--range", "0", "20000"]) == 0
    assert read_spectrum(tmp_path / "one.csv").counts.tolist() == (
        count_spectrum([tier2], limits=(0, 20_000), n_bins=50).counts.tolist()
    )


def test_the_command_exports_the_rows_that_pass(tier2: Path, tmp_path: Path) -> None:
    wanted = ["export", str(tier2), str(tmp_path / "one.csv"), "--cut", "trap_max > 1000"]
    assert main([*wanted, "--columns", "trap_max"]) == 0
    lines = (tmp_path / "one.csv").read_text().splitlines()
    values = trap_max(tier2)
    assert [float(line) for line in lines[1:]] == values[values > 1000].tolist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "one.xls"], "a spectrum ends in"),
        (["-o", "one.csv", "--column", "trap_mx"], "trap_mx"),
        (["-o", "one.csv", "--cut", "trap_max >"], "character 11"),
        (["-o", "one.csv", "--bins", "0"], "1 bin or more"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    tier2: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["spectrum", str(tier2), *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("pygama: ") and words in said


def test_a_range_must_be_given_where_nothing_passes(tier2: Path) -> None:
    with pytest.raises(SettingsError, match="range must be given"):
        count_spectrum([tier2], cut="trap_max < -1e9")
