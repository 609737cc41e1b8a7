"""Writes tables of Tier 2 files for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tables

from pygama import __version__
from pygama.block import Block
from pygama.errors import SettingsError
from pygama.processing.run import process_run
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile, TierWriter, table_files
from pygama.storage.table_files import Source, write_table, write_tables


class Above:
    """Chooses the rows above a value."""

    columns = frozenset({"trap_max"})

    def mask(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        return columns["trap_max"] > 1000


@pytest.fixture(scope="module")
def tier2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tier2")
    raw = write_run(folder / "Run7", RunShape(run_number=7, n_events=300, n_samples=900, pulse_at=400))
    return process_run(raw, output_dir=folder).outputs[1]


def column(tier2: Path, name: str) -> np.ndarray:
    with TierFile(tier2) as file:
        return file.table("data").column(name)


@pytest.mark.parametrize("rows", [7, 100_000])
def test_csv_holds_every_number_exactly(
    tier2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(table_files, "BLOCK_ROWS", rows)
    n_rows = write_table(tier2, tmp_path / "one.csv")
    read = list(csv.DictReader((tmp_path / "one.csv").read_text().splitlines()))
    expected = column(tier2, "trap_max")
    assert n_rows == len(read) == len(expected)
    assert [float(row["trap_max"]) for row in read] == expected.tolist()
    assert [int(row["channel"]) for row in read] == column(tier2, "channel").tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]


def test_only_chosen_rows_and_columns_are_written(tier2: Path, tmp_path: Path) -> None:
    n_rows = write_table(tier2, tmp_path / "one.csv", columns=["bl_int", "channel"], chosen=Above())
    read = list(csv.reader((tmp_path / "one.csv").read_text().splitlines()))
    passes = column(tier2, "trap_max") > 1000
    assert 0 < n_rows == passes.sum() < len(passes)
    assert read[0] == ["bl_int", "channel"]
    assert [float(row[0]) for row in read[1:]] == column(tier2, "bl_int")[passes].tolist()


def test_lh5_has_the_types_that_its_readers_ask_for(tier2: Path, tmp_path: Path) -> None:
    write_table(tier2, tmp_path / "one.lh5", columns=["trap_max", "channel"])
    with tables.open_file(str(tmp_path / "one.lh5")) as file:
        assert file.root.data._v_attrs["datatype"] == "table{trap_max,channel}"
        assert file.root.data.trap_max.attrs["datatype"] == "array<1>{real}"
        assert file.root.data.trap_max[:].tolist() == column(tier2, "trap_max").tolist()


def test_parquet_is_read_as_it_was_written(tier2: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra 'parquet' is not installed")
    write_table(tier2, tmp_path / "one.parquet")
    read = parquet.read_table(tmp_path / "one.parquet")
    assert read["trap_max"].to_numpy().tolist() == column(tier2, "trap_max").tolist()
    assert read.schema.metadata[b"source"] == tier2.name.encode()


def test_root_is_read_as_it_was_written(tier2: Path, tmp_path: Path) -> None:
    uproot = pytest.importorskip("uproot", reason="the extra 'root' is not installed")
    write_table(tier2, tmp_path / "one.root")
    with uproot.open(tmp_path / "one.root") as file:
        assert file["data"]["trap_max"].array(library="np").tolist() == column(tier2, "trap_max").tolist()


def test_files_tell_how_they_were_made_and_in_which_units(tier2: Path, tmp_path: Path) -> None:
    parquet, uproot = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("uproot")
    about = {"cut": "trap_max > 1000", "events": ""}
    for end in ("lh5", "parquet", "root"):
        write_table(tier2, tmp_path / f"rows.{end}", columns=["trap_max", "time_s"], about=about)
    schema = parquet.read_schema(tmp_path / "rows.parquet")
    assert schema.metadata[b"cut"] == b"trap_max > 1000"
    assert b"events" not in schema.metadata
    assert schema.field("time_s").metadata == {b"unit": b"s"}
    with tables.open_file(str(tmp_path / "rows.lh5")) as file:
        told = json.loads(file.root.data._v_attrs["about"])
        assert file.root.data.time_s.attrs["units"] == "s"
        assert "units" not in file.root.data.trap_max.attrs
    assert told == {
        "source": tier2.name,
        "table": "data",
        "made by": f"pygama {__version__}",
        "cut": "trap_max > 1000",
    }
    with uproot.open(tmp_path / "rows.root") as file:
        assert json.loads(file["data"].title) == told


def test_a_column_that_is_not_there_is_named_and_nothing_is_left(tier2: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no column 'trap_mx'; there are .*trap_max"):
        write_table(tier2, tmp_path / "one.csv", columns=["trap_mx"])
    with pytest.raises(SettingsError, match=r"\.parquet"):
        write_table(tier2, tmp_path / "one.xls")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named(tier2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uproot", None)
    with pytest.raises(SettingsError, match=r"pip install 'pygama-gui\[root\]'"):
        write_table(tier2, tmp_path / "one.root")
    assert list(tmp_path.iterdir()) == []


def test_further_columns_are_written_last_and_rows_are_chosen_by_them(tier2: Path, tmp_path: Path) -> None:
    class Doubled:
        columns = frozenset({"twice"})

        def mask(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
            return columns["twice"] > 2000

    def added(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        where = np.where(columns["trap_max"] > 1500, "high", "")
        return {"twice": 2 * columns["trap_max"], "where": where}

    n_rows = write_table(tier2, tmp_path / "one.csv", columns=["channel"], chosen=Doubled(), added=added)
    rows = list(csv.DictReader((tmp_path / "one.csv").read_text().splitlines()))
    values = column(tier2, "trap_max")
    assert 0 < n_rows < len(values)
    assert list(rows[0]) == ["channel", "twice", "where"]
    assert [float(row["twice"]) for row in rows] == (2 * values[values > 1000]).tolist()
    assert {row["where"] for row in rows if float(row["twice"]) > 3000} == {"high"}


def test_it_is_told_how_far_the_writing_is_and_can_be_ended(
    tier2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "BLOCK_ROWS", 100)
    told: list[tuple[int, int]] = []
    total = write_table(tier2, tmp_path / "one.csv", on_rows=lambda *rows: told.append(rows))
    assert told == [(min(done, total), total) for done in range(100, total + 100, 100)]

    def end(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(tier2, tmp_path / "two.csv", on_rows=end)
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]


def t2_file(path: Path, **columns: np.ndarray) -> Path:
    rows = np.zeros(len(next(iter(columns.values()))), [(name, one.dtype) for name, one in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    with TierWriter(path, chunk_rows=4) as writer:
        writer.write("data", Block("data", rows), queryable=True)
    return path


def test_the_tables_of_several_files_are_written_one_behind_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "BLOCK_ROWS", 2)
    one = t2_file(tmp_path / "t2_run1.h5", trap_max=np.array([1.5, 2.5, 3.5]), channel=np.array([1, 2, 3]))
    two = t2_file(tmp_path / "t2_run2.h5", trap_max=np.array([4.5]), extra=np.array([7]))
    told: list[tuple[int, int]] = []
    numbers = {one: 1, two: 2}

    def added(number: int) -> table_files.Adder:
        return lambda rows: {"run": np.full(len(rows["trap_max"]), number)}

    sources = [Source(path, added=added(number)) for path, number in numbers.items()]
    n_rows = write_tables(sources, tmp_path / "both.csv", on_rows=lambda *at: told.append(at))
    assert n_rows == 4
    assert (tmp_path / "both.csv").read_text().splitlines() == [
        "trap_max,channel,extra,run",
        "1.5,1.0,,1",
        "2.5,2.0,,1",
        "3.5,3.0,,1",
        "4.5,,7.0,2",
    ]
    assert told == [(2, 4), (3, 4), (4, 4)]


def test_a_column_that_a_file_lacks_is_nan_for_its_cut(tmp_path: Path) -> None:
    one = t2_file(tmp_path / "t2_run1.h5", trap_max=np.array([2000.0, 1.0]))
    two = t2_file(tmp_path / "t2_run2.h5", other=np.array([4.0]))
    sources = [Source(path, chosen=Above()) for path in (one, two)]
    assert write_tables(sources, tmp_path / "both.csv") == 1


def test_one_kind_holds_the_numbers_of_all_files(tmp_path: Path) -> None:
    one = t2_file(tmp_path / "t2_run1.h5", energy=np.array([1, 2], np.int32))
    two = t2_file(tmp_path / "t2_run2.h5", energy=np.array([2.5], np.float32))
    write_tables([Source(one), Source(two)], tmp_path / "both.lh5")
    with tables.open_file(str(tmp_path / "both.lh5")) as file:
        assert file.get_node("/data/energy")[:].tolist() == [1.0, 2.0, 2.5]
