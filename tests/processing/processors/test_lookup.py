"""Tables of what is known of each channel."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.plan import bind
from pygama.processing.processors.lookup import calibrate, lookup
from pygama.processing.steps import Step

CHANNELS = [
    {"crate": 0, "card": 8, "channel": 0, "tau": 5000, "energy": [1.0, 0.5]},
    {"crate": 0, "card": 8, "channel": 1, "tau": 4800.5, "energy": [0.0, 0.25, 0.001]},
    {"crate": 1, "card": 8, "channel": 1, "energy": 3},
]
ROWS = (np.array([0, 0, 1, 0, 0]), np.array([8, 8, 8, 8, 9]), np.array([1, 0, 1, 2, 0]))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "channels.json"
    path.write_text(json.dumps(CHANNELS))
    return path


def sqlite_table(path: Path) -> Path:
    base = sqlite3.connect(path)
    base.execute(
        "CREATE TABLE channels (crate INTEGER, card INTEGER, channel INTEGER, tau REAL, energy TEXT)"
    )
    for entry in CHANNELS:
        values = [entry.get(name) for name in ("crate", "card", "channel", "tau")]
        base.execute("INSERT INTO channels VALUES (?, ?, ?, ?, ?)", [*values, json.dumps(entry["energy"])])
    base.commit()
    base.close()
    return path


def test_each_row_gets_the_number_of_its_channel(table):
    found = lookup(*ROWS, table=str(table), field="tau")
    assert np.array_equal(found, [4800.5, 5000, np.nan, np.nan, np.nan], equal_nan=True)


def test_columns_of_floats_find_their_channel_too(table):
    found = lookup(*(column.astype(float) for column in ROWS), table=str(table), field="tau")
    assert found[0] == 4800.5


def test_an_sqlite_table_gives_what_a_json_table_gives(table, tmp_path):
    other = sqlite_table(tmp_path / "channels.sqlite")
    height = np.full(5, 100.0)
    for field, function, reads in (("tau", lookup, ROWS), ("energy", calibrate, (height, *ROWS))):
        plain = function(*reads, table=str(table), field=field)
        assert np.array_equal(function(*reads, table=str(other), field=field), plain, equal_nan=True)


def test_reading_an_sqlite_table_changes_nothing_in_its_folder(tmp_path):
    path = sqlite_table(tmp_path / "channels.db")
    before = path.read_bytes()
    lookup(*ROWS, table=str(path), field="tau")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["channels.db"]


def test_heights_become_energies_by_each_channels_polynomial(table):
    energy = calibrate(np.array([100.0, 100.0, 7.0, 100.0, 100.0]), *ROWS, table=str(table))
    assert np.allclose(energy[:3], [25 + 10, 51, 3])
    assert np.isnan(energy[3:]).all()


def test_a_height_that_is_not_a_number_has_no_energy(table):
    place = tuple(column[:2] for column in ROWS)
    assert np.isnan(calibrate(np.full(2, np.nan), *place, table=str(table))).all()


def test_a_table_that_was_changed_is_read_anew(table):
    lookup(*ROWS, table=str(table), field="tau")
    table.write_text(json.dumps([{**CHANNELS[1], "tau": 1}]))
    os.utime(table, ns=(1, 1))
    assert lookup(*ROWS, table=str(table), field="tau")[0] == 1


def test_a_list_is_not_a_single_number(table):
    with pytest.raises(SettingsError, match="'energy' is a list of numbers, but lookup takes a single one$"):
        lookup(*ROWS, table=str(table), field="energy")


def test_a_field_that_no_channel_has_brings_those_there_are(table):
    with pytest.raises(SettingsError, match="no channel has 'gain'; there are energy, tau$"):
        lookup(*ROWS, table=str(table), field="gain")


def test_a_table_that_is_not_named_is_asked_for_before_anything_runs():
    rows = np.zeros(1, [("crate", "i8"), ("card", "i8"), ("channel", "i8")])
    with pytest.raises(
        SettingsError, match="^step 1, lookup: table must be the name of a JSON or SQLite file, not empty$"
    ):
        bind([Step("lookup")], Block("made_up", rows, np.zeros((1, 10))))


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nowhere.json' cannot be read: No such file or directory$"):
        lookup(*ROWS, table=str(tmp_path / "nowhere.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read: Expecting property name"),
        ("{}", "must be a list with an entry for each channel, in brackets$"),
        ("[5]", "entry 1 must have whole numbers as crate, card, channel$"),
        ('[{"crate": 0, "card": 8}]', "entry 1 must have whole numbers as crate, card, channel$"),
        ('[{"crate": 0, "card": 8, "channel": true}]', "entry 1 must have whole numbers"),
        ('[{"crate": 0, "card": 8, "channel": 1, "tau": "long"}]',
         "'tau' of crate 0, card 8, channel 1 must be numbers, not 'long'$"),
        ('[{"crate": 0, "card": 8, "channel": 1, "tau": []}]', "must be numbers, not \\[\\]$"),
        ('[{"crate": 0, "card": 8, "channel": 1, "tau": NaN}]', "must be numbers, not nan$"),
        ('[{"crate": 0, "card": 8, "channel": 1, "tau": 1' + "0" * 400 + "}]", "must be numbers, not 1000"),
        ('[{"crate": 0, "card": 8, "channel": 1}, {"crate": 0, "card": 8, "channel": 1}]',
         "entry 2 is the second one for crate 0, card 8, channel 1$"),
    ],
)  # fmt: skip
def test_a_table_with_one_thing_wrong_says_which(tmp_path, text, message):
    path = tmp_path / "channels.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        lookup(*ROWS, table=str(path), field="tau")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "channels.db"
    path.write_bytes(b"no database, but long enough to be looked at by the program that reads them" * 9)
    with pytest.raises(SettingsError, match="channels.db' cannot be read: file is not a database$"):
        lookup(*ROWS, table=str(path))
