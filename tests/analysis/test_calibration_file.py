"""Calibration files: what is written is read again, and nothing else is."""

import dataclasses
import json
import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygama.analysis.calibration import Calibration, ChannelCalibration, MatchedLine, Recipe
from pygama.analysis.calibration_file import (
    MOST_BYTES,
    calibration_text,
    parse_calibration,
    read_calibration,
    write_calibration,
)
from pygama.analysis.curves import Curve
from pygama.analysis.matching import Hypothesis
from pygama.analysis.resolution import ResolutionCurve
from pygama.errors import OutputError, SettingsError

numbers = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(1e-30, 1e30)
rows = st.tuples(st.tuples(positive, numbers), st.tuples(numbers, positive))
curves = st.builds(Curve, st.tuples(numbers, positive), rows, numbers, st.integers(0, 50))
resolutions = st.builds(ResolutionCurve, st.tuples(numbers, numbers), rows, numbers, st.integers(0, 50))
lines = st.builds(
    MatchedLine,
    st.text(),
    positive,
    positive,
    is_broad=st.booleans(),
    position=st.none() | numbers,
    note=st.text(),
)
rivals = st.builds(Hypothesis, st.text(), positive, numbers, st.tuples(positive), st.integers(0, 9))
channels = st.builds(
    ChannelCalibration,
    curves,
    st.lists(lines, max_size=3).map(tuple),
    st.none() | resolutions,
    st.text(),
    st.floats(0, 1),
    st.none() | rivals,
    note=st.text(),
) | st.builds(ChannelCalibration, refused=st.text(min_size=1))
places = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)).map(
    "{0[0]}/{0[1]}/{0[2]}".format
)
recipes = st.builds(
    Recipe,
    st.lists(st.text(), max_size=2).map(tuple),
    st.none() | st.tuples(positive, positive),
    st.booleans(),
)
calibrations = st.builds(
    Calibration,
    st.text(min_size=1),
    recipes,
    st.lists(st.text(), max_size=2).map(tuple),
    st.dictionaries(places, channels, max_size=3).map(MappingProxyType),
)


def one_channel():
    curve = Curve((1.0, 0.5), ((0.01, 0.0), (0.0, 1e-6)), 1.5, 1)
    lines = (MatchedLine("Tl-208", 2614.511, 0.01, position=5227.0, position_error=0.2, is_used=True),)
    one = ChannelCalibration(
        curve, lines, ResolutionCurve((0.5, 0.003), ((1.0, 0.0), (0.0, 1.0))), "Th-228", 1.0
    )
    return Calibration("trap_max", made_from=("run 3",), channels=MappingProxyType({"0/8/2": one}))


@given(calibrations)
def test_what_is_written_is_read_again(calibration):
    assert parse_calibration(calibration_text(calibration)) == calibration


def test_a_file_goes_round_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "calibration.json"
    write_calibration(path, one_channel())
    assert read_calibration(path) == one_channel()
    assert list(tmp_path.iterdir()) == [path]


def test_a_number_that_json_lacks_leaves_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "calibration.json"
    write_calibration(path, one_channel())
    with pytest.raises(ValueError, match="JSON"):
        write_calibration(path, dataclasses.replace(one_channel(), recipe=Recipe(min_confidence=math.nan)))
    assert read_calibration(path) == one_channel()
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match="choose a folder that exists"):
        write_calibration(tmp_path / "none" / "calibration.json", one_channel())


def changed(*path_and_value):
    """The text of a good file in which one thing is another."""
    *path, last, value = path_and_value
    data = json.loads(calibration_text(one_channel()))
    at = data
    for name in path:
        at = at[name]
    at[last] = value
    return json.dumps(data)


CHANNEL = ("channels", "0/8/2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: not JSON"),
        ("[]", "not a calibration file"),
        ('{"chain": []}', "not a calibration file"),
        ('{"schema": "pygama calibration"}', "its version is None, and this program reads 1"),
        (changed("version", 2), "its version is 2"),
        (changed("version", True), "its version is True"),
        (changed("column", 3), "column must be text, not 3"),
        (changed("column", ""), "column must be the name of a column"),
        (changed("code", "import os"), "code is not known here; known are column, recipe"),
        (changed("channels", []), "channels must be names and values in braces, not \\[\\]"),
        (changed("channels", "8", {}), "a place is crate/card/channel, as 0/8/2, not '8'"),
        (changed("channels", "0/8/²", {"refused": "x"}), "a place is crate/card/channel"),
        (changed(*CHANNEL, "curve", None), "channels.0/8/2 must have a curve, or say in 'refused'"),
        (changed(*CHANNEL, "refused", "empty"), "must have a curve, or say in 'refused'"),
        (changed(*CHANNEL, "confidence", 1.5), "confidence must lie between 0 and 1, not 1.5"),
        (changed(*CHANNEL, "confidence", "high"), "channels.0/8/2.confidence must be a number, not 'high'"),
        (changed(*CHANNEL, "confidence", 10**400), "confidence must be a number that is not too large"),
        (changed(*CHANNEL, "curve", "coefficients", [1.0]), "coefficients must be 2 or 3 numbers, not 1"),
        (changed(*CHANNEL, "curve", "coefficients", 1, 0), "coefficients\\[1\\] must not be 0"),
        (
            changed(*CHANNEL, "curve", "coefficients", 1, True),
            "coefficients\\[1\\] must be a number, not True",
        ),
        (changed(*CHANNEL, "curve", "covariance", [[1.0]]), "covariance must be 2 rows of 2 numbers"),
        (changed(*CHANNEL, "curve", "covariance", 1, 1, -1), "no negative number on its diagonal"),
        (changed(*CHANNEL, "curve", "ndof", 1.0), "curve.ndof must be a whole number, not 1.0"),
        (changed(*CHANNEL, "resolution", "coefficients", [1] * 4), "resolution.coefficients must be 2 or 3"),
        (changed(*CHANNEL, "lines", 0, "is_used", 1), "lines\\[0\\].is_used must be true or false, not 1"),
        (changed(*CHANNEL, "lines", 0, {"name": "Tl-208"}), "lines\\[0\\].energy_kev is missing"),
        (changed("recipe", "gain_range", [1]), "recipe.gain_range must be a list of 2, not \\[1\\]"),
        (calibration_text(one_channel()).replace("5227.0", "NaN"), "NaN is no number"),
        (calibration_text(one_channel()).replace("5227.0", "1e999"), "position must be a number"),
        (calibration_text(one_channel()).replace('"ndof"', '"chi2": 1, "ndof"'), "'chi2' is given twice"),
        ("[" * 100_000, "not a calibration file"),
    ],
)
def test_a_file_that_is_damaged_is_refused_with_its_place(tmp_path, text, message):
    path = tmp_path / "damaged.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match="^damaged.json: .*" + message):
        read_calibration(path)


def test_a_file_cut_short_anywhere_is_refused(tmp_path):
    text = calibration_text(one_channel())
    for length in range(0, len(text) - 2, 41):
        with pytest.raises(SettingsError):
            parse_calibration(text[:length])


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "t2.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n\xff\xff")
    with pytest.raises(SettingsError, match="it is no UTF-8 text"):
        read_calibration(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        read_calibration(tmp_path / "none.json")


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(SettingsError, match="too large"):
        read_calibration(path)
