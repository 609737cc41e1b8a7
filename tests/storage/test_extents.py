"""Tests counting the rows of datasets by HDF5 itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tables

from pygama.storage import extents
from pygama.storage.extents import n_rows_in


@pytest.mark.parametrize("has_library", [True, False])
def test_rows_are_those_that_pytables_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_library: bool
) -> None:
    if not has_library:
        monkeypatch.setattr(extents, "_library", lambda: None)
    with tables.open_file(str(tmp_path / "some.h5"), "w") as file:
        group = file.create_group("/", "data")
        table = file.create_table(group, "table", np.dtype([("x", "f8")]))
        table.append(np.zeros(7, [("x", "f8")]))
        file.create_array(group, "wide", np.zeros((3, 5)))
        ragged = file.create_vlarray(group, "ragged", tables.Int32Atom())
        ragged.append([1, 2])
        file.flush()
        assert [n_rows_in(group, name) for name in ("table", "wide", "ragged")] == [7, 3, 1]


def test_a_dataset_that_is_not_there_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with tables.open_file(str(tmp_path / "some.h5"), "w") as file:
        file.create_group("/", "data")
        with pytest.raises(LookupError, match="data/table cannot be opened"):
            n_rows_in(file.root.data, "table")
    assert capfd.readouterr().err == ""


def test_what_has_no_rows_is_said(tmp_path: Path) -> None:
    with tables.open_file(str(tmp_path / "some.h5"), "w") as file:
        file.create_array("/", "one", 5.0)
        with pytest.raises(LookupError, match="no rows"):
            n_rows_in(file.root, "one")
