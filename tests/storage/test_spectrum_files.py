"""Writes spectra for other programs and reads them again."""

from __future__ import annotations

import math
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import numpy as np
import pytest

from pygama.errors import SettingsError, TierFileError
from pygama.storage.spectrum_files import StoredSpectrum, read_spectrum, write_spectrum

START = 1537868580.0  # 2018-09-25 09:43:00 UTC


def spectrum(**facts: object) -> StoredSpectrum:
    given = {"low": 100.0, "width": 0.5, "unit": "keV", "title": "run 9001", "live_time_s": 99.5}
    given |= {"real_time_s": 100.0, "start_s": START, "remarks": {"cut": "trap_max > 3"}}
    return StoredSpectrum(np.array([0, 3, 12, 1]), **(given | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".csv", ".spe"])
def test_a_spectrum_is_read_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    read = read_spectrum(write_spectrum(tmp_path / f"one{suffix}", spectrum()))
    assert read.counts.tolist() == [0, 3, 12, 1]
    assert (read.low, read.width, read.unit) == (100.0, 0.5, "keV")
    assert (read.live_time_s, read.real_time_s, read.start_s) == (99.5, 100.0, START)
    assert (read.title, read.remarks["cut"]) == ("run 9001", "trap_max > 3")


def test_spe_gives_the_energy_of_the_middle_of_a_channel(tmp_path: Path) -> None:
    lines = write_spectrum(tmp_path / "one.Spe", spectrum()).read_text().splitlines()
    assert lines[lines.index("$ENER_FIT:") + 1] == "100.25 0.5"
    assert lines[lines.index("$MEAS_TIM:") + 1] == "99.5 100"
    assert lines[lines.index("$DATE_MEA:") + 1] == "09/25/2018 09:43:00"
    assert lines[lines.index("$DATA:") + 1 :][:3] == ["0 3", "       0", "       3"]


def test_bins_that_are_not_energies_get_none_in_spe(tmp_path: Path) -> None:
    text = write_spectrum(tmp_path / "one.spe", spectrum(unit="ADC")).read_text()
    assert "$ENER_FIT" not in text
    assert "bins: 4 of 0.5 ADC from 100.0" in text


def test_n42_holds_channels_times_and_the_low_edge(tmp_path: Path) -> None:
    root = ElementTree.parse(write_spectrum(tmp_path / "one.n42", spectrum())).getroot()
    found = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    assert found["ChannelData"] == "0 3 12 1"
    assert found["CoefficientValues"] == "100.0 0.5 0.0"
    assert (found["LiveTimeDuration"], found["RealTimeDuration"]) == ("PT99.500000S", "PT100.000000S")
    assert found["StartDateTime"] == "2018-09-25T09:43:00+00:00"
    assert found["Remark"] == "run 9001; cut: trap_max > 3"


def test_n42_has_a_document_id_that_is_its_contents(tmp_path: Path) -> None:
    first, again, other = (
        ElementTree.parse(write_spectrum(tmp_path / f"{name}.n42", one)).getroot().get("n42DocUUID")
        for name, one in (
            ("first", spectrum()),
            ("again", spectrum()),
            ("other", spectrum(title="another")),
        )
    )
    assert str(UUID(first)) == first
    assert first == again != other


def test_what_n42_must_say_and_is_not_known_is_said_to_be_unknown(tmp_path: Path) -> None:
    unknown = spectrum(start_s=math.nan, live_time_s=math.nan, unit="ADC")
    text = write_spectrum(tmp_path / "one.n42", unknown).read_text()
    assert "the start is not known; 1970 stands for it" in text
    assert "the live time is not known; 0 stands for it" in text
    assert "CoefficientValues" not in text


TROUBLE = {"title": "$DATA:\n0 1 µs", "remarks": {"$ROI": "a\x1b < 3\n$DATA: & b > ≤2 <&>"}}


def test_spe_is_ascii_and_no_text_in_it_begins_a_section(tmp_path: Path) -> None:
    """Sections begin with a dollar and end with a colon; all other lines are theirs."""
    raw = write_spectrum(tmp_path / "one.spe", spectrum(**TROUBLE)).read_bytes()
    lines = raw.decode("ascii").split("\r\n")
    assert lines.pop() == ""
    assert all(line.isprintable() for line in lines)
    sections = [line for line in lines if line.startswith("$")]
    assert sections == [
        *("$SPEC_ID:", "$SPEC_REM:", "$DATE_MEA:", "$MEAS_TIM:", "$DATA:", "$ROI:", "$ENER_FIT:", "$MCA_CAL:")
    ]
    at = lines.index("$DATA:")
    first, last = map(int, lines[at + 1].split())
    assert [int(line) for line in lines[at + 2 : lines.index("$ROI:")]] == [0, 3, 12, 1]
    assert (first, last) == (0, 3)
    assert lines[lines.index("$SPEC_ID:") + 1] == "DATA: 0 1 \\xb5s"
    n_coefficients, coefficients = lines[lines.index("$MCA_CAL:") + 1 :][:2]
    assert coefficients.split() == ["100.25", "0.5", "0.0", "keV"]
    assert int(n_coefficients) == 3


def test_n42_is_xml_whose_elements_stand_in_the_order_of_its_schema(tmp_path: Path) -> None:
    root = ElementTree.parse(write_spectrum(tmp_path / "one.n42", spectrum(**TROUBLE))).getroot()

    def children(path: str) -> list[str]:
        names = "/".join("{http://physics.nist.gov/N42/2011/N42}" + name for name in path.split("/"))
        found = root.find(names) if path else root
        assert found is not None
        return [element.tag.rpartition("}")[2] for element in found]

    assert children("") == [
        "RadInstrumentDataCreatorName",
        "RadInstrumentInformation",
        "RadDetectorInformation",
        "EnergyCalibration",
        "RadMeasurement",
    ]
    assert children("RadMeasurement") == [
        *("Remark", "MeasurementClassCode", "StartDateTime", "RealTimeDuration", "Spectrum")
    ]
    assert children("RadMeasurement/Spectrum") == ["LiveTimeDuration", "ChannelData"]
    ids = {element.get("id") for element in root.iter()} - {None}
    references = [value for element in root.iter() for key, value in element.items() if "Reference" in key]
    assert sorted(references) == ["detector", "energy"]
    assert set(references) <= ids


def test_an_unknown_kind_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.csv, \.spe, \.n42"):
        write_spectrum(tmp_path / "one.xlsx", spectrum())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("counts", [[], [1.5], [-1], [[1]], [math.nan]])
def test_what_is_no_histogram_is_refused(counts: list[object]) -> None:
    with pytest.raises(SettingsError, match="whole counts"):
        StoredSpectrum(np.array(counts, float))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("one.spe", "$SPEC_ID:\nx\n", "DATA"),
        ("one.spe", "$DATA:\n0 3\n1\n2\n", "4 channels are promised and 2"),
        ("one.csv", "a,b\n1,2\n", "low_UNIT"),
        ("one.csv", "low_keV,high_keV,counts\n0,1,2\n1,3,2\n", "equal"),
        ("one.csv", "", "cannot be read"),
    ],
)
def test_damaged_spectra_are_refused_in_words(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(TierFileError, match=words):
        read_spectrum(tmp_path / name)
