"""The channel map: what hangs on which channel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pygama.channel_map import Channel, is_channel_map, read_channel_map
from pygama.errors import SettingsError

ROWS = [
    Channel(0, 8, 3, "P42574A"),
    Channel(0, 8, 4, "B8482", ignore=True, remark="broken FET"),
]


def written(tmp_path: Path, text: str, name: str = "map.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_csv_file_names_its_columns_in_the_first_line(tmp_path: Path) -> None:
    text = "name,crate,card,channel,ignore,remark\nP42574A,0,8,3,,\n\n# spare\nB8482,0,8,4,yes,broken FET\n"
    assert read_channel_map(written(tmp_path, text)) == tuple(ROWS)
    assert read_channel_map(written(tmp_path, text.replace(",", ";"))) == tuple(ROWS)


def test_a_json_file_is_a_list_or_holds_one(tmp_path: Path) -> None:
    entries = [
        {"crate": 0, "card": 8, "channel": 3, "name": "P42574A"},
        {"crate": 0, "card": 8, "channel": 4, "name": "B8482", "ignore": True, "remark": "broken FET"},
    ]
    for data in (entries, {"channels": entries}):
        path = written(tmp_path, json.dumps(data), "map.json")
        assert read_channel_map(path) == tuple(ROWS)
        assert is_channel_map(path)
    assert not is_channel_map(written(tmp_path, json.dumps({"chain": []}), "settings.json"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("crate,card,channel\n", "map.csv: line 1: the column 'name' is missing"),
        ("crate,card,channel,name,hv\n", "map.csv: line 1: the column 'hv' is not known"),
        ("crate,card,channel,name\n0,8,x,A\n", "map.csv: line 2, column 'channel': a whole number"),
        ("crate,card,channel,name\n0,8,3,A\n0,-1,3,B\n", "map.csv: line 3, column 'card': a whole number"),
        ("crate,card,channel,name\n0,8,3,\n", "map.csv: line 2, column 'name': the name"),
        ("crate,card,channel,name,ignore\n0,8,3,A,maybe\n", "line 2, column 'ignore': yes or no"),
        ("crate,card,channel,name\n0,8,3,A\n0,8,3,B\n", "line 3: crate 0, card 8, channel 3 is there"),
        ("crate,card,channel,name\n0,8,3,A\n0,8,4,A\n", "the name 'A' is there already, in line 2"),
        ("crate,card,channel,name\n0,8,3,A,7,8\n", "map.csv: line 2: 6 columns, but line 1 names 4"),
    ],
)
def test_a_mistake_is_told_with_line_and_column(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_channel_map(written(tmp_path, text))
    assert told in str(error.value)


def test_a_mistake_in_json_is_told_with_its_entry(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="map.json: entry 1: the column 'name' is missing"):
        read_channel_map(written(tmp_path, '[{"crate": 0, "card": 1, "channel": 2}]', "map.json"))
    with pytest.raises(SettingsError, match="map.json: this is no JSON"):
        read_channel_map(written(tmp_path, "[", "map.json"))
