"""Tests the view of Tier files with real files, some of which were made to do harm."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tables
from PyQt5.QtCore import QItemSelectionModel, Qt
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pygama.block import Block
from pygama.progress import Done
from pygama.storage import TierWriter
from pygama_gui.bridge import Bridge
from pygama_gui.data.binning import Density, Histogram
from pygama_gui.session import changes
from pygama_gui.session.state import Run
from pygama_gui.views.files import pages as file_pages
from pygama_gui.views.files.details import pretty
from pygama_gui.views.files.view import DETAILS, NARROW_TREE, PLOT, ROWS, SIZE, TYPE, FilesView, code_for

WAIT_MS = 60_000
ROWS_TYPE = np.dtype([("channel", "i8"), ("trap_max", "f8"), ("time_s", "f8")])


def write(path: Path, n_rows: int = 500, n_samples: int = 16) -> Path:
    """Write a table: row i has channel i % 3, trap_max i / 2, time_s i, samples 10 i + 0, 1, 2 …"""
    numbers = np.arange(n_rows)
    rows = np.zeros(n_rows, ROWS_TYPE)
    rows["channel"], rows["trap_max"], rows["time_s"] = numbers % 3, numbers / 2, numbers
    samples = (10 * numbers[:, None] + np.arange(n_samples)).astype("u2") if n_samples else None
    with TierWriter(path) as writer:
        writer.write("Card", Block("Card", rows, samples))
        writer.set_texts("/", {"run_number": "72", "header": '{"Crates": [{"Cards": ["SIS3302"]}]}'})
    return path


@pytest.fixture
def view(qtbot: QtBot, bridge: Bridge) -> FilesView:
    made = FilesView(bridge)
    qtbot.addWidget(made)
    made.resize(1000, 360)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def opened(qtbot: QtBot, view: FilesView, tmp_path: Path) -> FilesView:
    view.open_file(write(tmp_path / "t1.h5"))
    qtbot.waitUntil(lambda: view._entry is not None and view._entry.key == "/Card", timeout=WAIT_MS)
    return view


def cell(view: FilesView, row: int, column: int) -> str:
    return str(view.rows.model.index(row, column).data())


def tree_words(view: FilesView) -> list[str]:
    """What a screen reader says of all that is open in the tree."""
    said, todo = [], [view.model.index(row, 0) for row in range(view.model.rowCount())]
    while todo:
        index = todo.pop(0)
        said.append(str(index.data(Qt.ItemDataRole.AccessibleTextRole)))
        if view.tree.isExpanded(index):
            todo = [view.model.index(row, 0, index) for row in range(view.model.rowCount(index))] + todo
    return said


def test_an_empty_view_says_what_would_be_there(view: FilesView) -> None:
    assert view.empty.isVisible()
    assert "Drop a Tier 1 or Tier 2 file here" in view.empty.text()
    assert not view.beside.isVisible()


def test_an_opened_file_shows_its_tree_and_its_largest_table(opened: FilesView, tmp_path: Path) -> None:
    said = tree_words(opened)
    assert said[0].startswith("t1.h5, file, ")
    assert said[1].startswith("Card, table, 500, ")
    assert len(said) == 2
    opened.tree.expand(opened.tree.currentIndex())
    assert tree_words(opened)[2:] == [
        "channel, int64",
        "trap_max (ADC), float64",
        "time_s, float64",
        "(16 samples), uint16 × 16",
    ]


def test_details_tell_size_packing_and_the_header_in_lines(opened: FilesView) -> None:
    assert "500 rows · 4 columns" in opened.details.facts.text()
    assert "compressed with blosc:zstd" in opened.details.facts.text()
    assert re.search(r"in pieces of [\d\u202f]+ rows$", opened.details.facts.text())
    opened._select(opened.model.files[0])
    assert '"Crates": [\n' in opened.details.text.toPlainText()
    opened.details.search.setText("sis3302")
    assert opened.details.hits.text() == "1 found"
    assert opened.details.text.textCursor().selectedText() == "SIS3302"
    opened.details.search.setText("nowhere")
    assert opened.details.hits.text() == "not found"


@pytest.mark.parametrize("page", [ROWS, PLOT])
def test_how_many_rows_there_are_is_told_whole(qtbot: QtBot, opened: FilesView, page: int) -> None:
    opened.resize(800, 360)
    opened.go_to_page(page)
    info = (opened.rows if page == ROWS else opened.picture).info
    qtbot.waitUntil(lambda: info.shown == info.text() and info.text().startswith("500 rows"), timeout=WAIT_MS)


def test_attributes_do_not_scroll_sideways(qtbot: QtBot, opened: FilesView) -> None:
    opened.go_to_page(DETAILS)
    opened.resize(560, 360)
    QApplication.processEvents()
    attributes = opened.details.list
    assert attributes.model().rowCount() > 0
    assert attributes.header().length() <= attributes.viewport().width()


def test_what_is_no_json_is_shown_as_it_is() -> None:
    assert pretty('{"a": 1}') == '{\n  "a": 1\n}'
    assert pretty('{"a": [1, 2], "b": [{"c": []}]}').splitlines()[1:5] == [
        '  "a": [ 1, 2 ],',
        '  "b": [',
        "    {",
        '      "c": []',
    ]
    assert pretty("{no json") == "{no json"
    assert pretty("[" * 100_000) == "[" * 100_000


def test_rows_are_read_as_they_come_into_sight(qtbot: QtBot, opened: FilesView) -> None:
    opened.go_to_page(ROWS)
    qtbot.waitUntil(lambda: cell(opened, 3, 1) == "1.5", timeout=WAIT_MS)
    assert cell(opened, 2, 3) == "20 21 22 23 24 25 26 27 …"
    assert set(opened.rows.model._pages) == {0}
    opened.rows.row_field.setText("450")
    qtbot.keyClick(opened.rows.row_field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: cell(opened, 450, 1) == "225", timeout=WAIT_MS)
    assert opened.rows.table.currentIndex().row() == 450


def test_rows_beyond_what_a_table_can_show_are_reached_by_number(
    qtbot: QtBot, opened: FilesView, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("files.pages", "files.rows"):
        monkeypatch.setattr(f"pygama_gui.views.{module}.MOST_SHOWN", 200)
    opened.go_to_page(ROWS)
    assert opened.rows.model.rowCount() == 200
    opened.rows.go_to(437)
    assert (opened.rows.model.first, opened.rows.model.rowCount()) == (400, 100)
    qtbot.waitUntil(lambda: cell(opened, 37, 2) == "437", timeout=WAIT_MS)
    assert opened.rows.model.headerData(37, Qt.Orientation.Vertical) == "437"


def test_selected_rows_are_copied_as_csv(qtbot: QtBot, opened: FilesView) -> None:
    opened.go_to_page(ROWS)
    table, model = opened.rows.table, opened.rows.model
    qtbot.waitUntil(lambda: cell(opened, 0, 0) == "0", timeout=WAIT_MS)
    select = QItemSelectionModel.SelectionFlag.Select
    for row in (1, 2):
        for column in (0, 1):
            table.selectionModel().select(model.index(row, column), select)
    with qtbot.waitSignal(opened.bridge.logged, timeout=WAIT_MS) as logged:
        opened.rows.copy()
    assert QApplication.clipboard().text() == "channel,trap_max\n1,0.5\n2,1.0\n"
    assert logged.args[0] == "Copied 2 rows as CSV"


def shown(view: FilesView) -> object:
    return view.picture.plot._shown


def test_a_column_becomes_a_histogram(qtbot: QtBot, opened: FilesView) -> None:
    opened.go_to_page(PLOT)
    qtbot.waitUntil(lambda: isinstance(shown(opened), Histogram), timeout=WAIT_MS)
    assert opened.picture.x_box.currentText() == "trap_max"
    found = shown(opened)
    assert isinstance(found, Histogram)
    assert found.counts.sum() == 500
    assert opened.picture.plot.labels == {"bottom": "trap_max (ADC)", "left": "counts"}
    opened.picture.x_box.setCurrentText("channel")
    opened.picture._choose()
    qtbot.waitUntil(lambda: len(shown(opened).counts) == 3, timeout=WAIT_MS)  # type: ignore[attr-defined]
    assert shown(opened).counts.tolist() == [167, 167, 166]  # type: ignore[attr-defined]


def test_bins_of_a_table_that_is_not_looked_at_any_more_are_not_drawn(
    qtbot: QtBot, opened: FilesView
) -> None:
    opened.go_to_page(PLOT)
    qtbot.waitUntil(lambda: isinstance(shown(opened), Histogram), timeout=WAIT_MS)
    opened.picture.show_entry(None)
    opened.picture.rebin(1)
    qtbot.waitUntil(lambda: opened.bridge.threads.are_idle, timeout=WAIT_MS)
    assert not isinstance(shown(opened), Histogram)


def choose_columns(view: FilesView, *rows: int) -> None:
    table = view.tree.currentIndex()
    view.tree.expand(table)
    selection = view.tree.selectionModel()
    flag = QItemSelectionModel.SelectionFlag
    selection.clear()
    for row in rows:
        index = view.model.index(row, 0, table)
        selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlags(flag.Select) | flag.Rows)


def test_two_columns_are_drawn_against_each_other(qtbot: QtBot, opened: FilesView) -> None:
    opened.go_to_page(PLOT)
    choose_columns(opened, 2, 1)
    qtbot.waitUntil(lambda: isinstance(shown(opened), tuple), timeout=WAIT_MS)
    assert opened.picture.plot.labels == {"bottom": "time_s", "left": "trap_max (ADC)"}
    x, y = opened.picture.plot.points.getData()
    assert (x[7], y[7]) == (7.0, 3.5)


def test_many_rows_become_an_image(qtbot: QtBot, opened: FilesView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_pages, "MOST_POINTS", 100)
    opened.go_to_page(PLOT)
    choose_columns(opened, 0, 1)
    qtbot.waitUntil(lambda: isinstance(shown(opened), Density), timeout=WAIT_MS)
    assert shown(opened).counts.sum() == 500  # type: ignore[attr-defined]
    assert opened.picture.plot.image.isVisible()


def test_a_long_column_is_read_piece_by_piece(
    qtbot: QtBot, opened: FilesView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pygama_gui.data.looking.MOST_PIECE_ROWS", 64)
    opened.go_to_page(PLOT)
    qtbot.waitUntil(lambda: opened.picture.info.text() == "500 rows", timeout=WAIT_MS)
    assert len(opened.picture._pieces) == 8
    assert shown(opened).counts.sum() == 500  # type: ignore[attr-defined]


def test_a_double_click_on_samples_draws_those_of_the_row(qtbot: QtBot, opened: FilesView) -> None:
    opened.go_to_page(ROWS)
    qtbot.waitUntil(lambda: cell(opened, 5, 3).startswith("50 51"), timeout=WAIT_MS)
    opened.rows.table.doubleClicked.emit(opened.rows.model.index(5, 3))
    qtbot.waitUntil(lambda: isinstance(shown(opened), np.ndarray), timeout=WAIT_MS)
    assert opened.tabs.currentIndex() == PLOT
    assert shown(opened).tolist() == list(range(50, 66))  # type: ignore[attr-defined]
    opened.picture.step(1)
    qtbot.waitUntil(lambda: shown(opened)[0] == 60, timeout=WAIT_MS)  # type: ignore[index]
    assert opened.picture.info.text().startswith("row 6 of 500")


def test_the_files_of_the_selected_run_are_listed_when_it_is_done(
    qtbot: QtBot, view: FilesView, a_run: Callable[..., Run], tmp_path: Path
) -> None:
    t1, t2 = write(tmp_path / "t1_run72.h5"), write(tmp_path / "t2_run72.h5", n_samples=0)
    bridge = view.bridge
    bridge.change(changes.add_runs, [a_run(72)])
    run = bridge.session.runs[0]
    bridge.change(changes.select_run, run.run_id)
    bridge.adopt(1, run)
    bridge.take(1, Done((t1, t2), 500, 1.0))
    bridge.jobs_changed.emit({run.run_id})
    qtbot.waitUntil(
        lambda: [one.contents is not None for one in view.model.files] == [True] * 2, timeout=WAIT_MS
    )
    assert [one.path for one in view.model.files] == [t1, t2]
    view.open_file(write(tmp_path / "other.h5"))
    assert [one.path.name for one in view.model.files] == ["t1_run72.h5", "t2_run72.h5", "other.h5"]
    qtbot.waitUntil(lambda: view._entry is not None and view._entry.path.name == "other.h5", timeout=WAIT_MS)
    view.remove_file()
    assert [one.path for one in view.model.files] == [t1, t2]


class Hostile:
    """Makes a folder on being unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.marker,)


def test_a_hostile_file_is_told_in_place_and_its_rest_is_shown(
    qtbot: QtBot, view: FilesView, tmp_path: Path
) -> None:
    path = write(tmp_path / "t1.h5")
    with tables.open_file(path, "a") as file:
        file.root.Card._v_attrs.evil = Hostile(tmp_path / "was run")
        file.create_vlarray("/", "objects", tables.ObjectAtom()).append(Hostile(tmp_path / "was run"))
    wrong: list[str] = []
    view.bridge.went_wrong.connect(lambda *words: wrong.append(words[0]))
    view.open_file(path)
    qtbot.waitUntil(lambda: view._entry is not None and view._entry.key == "/Card", timeout=WAIT_MS)
    assert "▲ Attribute 'evil' asks Python for 'posix.mkdir'" in view.details.trouble.text()
    view.go_to_page(ROWS)
    qtbot.waitUntil(lambda: cell(view, 3, 1) == "1.5", timeout=WAIT_MS)
    objects = next(one for one in view.model.files[0].children if one.key == "/objects")
    view._select(objects)
    qtbot.waitUntil(
        lambda: "which could run a program; it was not run" in view.rows.hint.text(), timeout=WAIT_MS
    )
    view.copy_code()
    assert "pickled" not in QApplication.clipboard().text()
    assert wrong == []
    assert not (tmp_path / "was run").exists()


@pytest.mark.filterwarnings("ignore::tables.PerformanceWarning")
def test_what_is_not_read_is_logged_with_the_name_of_the_file_once(
    qtbot: QtBot, view: FilesView, tmp_path: Path
) -> None:
    with tables.open_file(tmp_path / "x.h5", "w") as file:
        file.create_carray("/", "packed", tables.UInt16Atom(), (1 << 31, 1), chunkshape=(1 << 30, 1))
    with qtbot.waitSignal(view.bridge.logged, timeout=WAIT_MS) as logged:
        view.open_file(tmp_path / "x.h5")
    assert logged.args is not None
    assert logged.args[0].startswith("x.h5: /packed is stored in pieces")


def test_a_file_that_cannot_be_read_says_so_in_place(qtbot: QtBot, view: FilesView, tmp_path: Path) -> None:
    (tmp_path / "t1.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(200))
    view.open_file(tmp_path / "t1.h5")
    qtbot.waitUntil(lambda: view.details.trouble.isVisible(), timeout=WAIT_MS)
    assert view.details.trouble.text().startswith("▲ t1.h5 cannot be read")
    assert tree_words(view) == ["t1.h5, ▲ unreadable"]
    for width in (NARROW_TREE - 100, NARROW_TREE + 100):
        view.tree.resize(width, 200)
        told = view.tree.sizeHintForIndex(view.model.index(0, TYPE)).width()
        assert view.tree.columnWidth(TYPE) > told, "it stands whole"


def test_a_file_that_is_new_is_read_again(qtbot: QtBot, opened: FilesView, tmp_path: Path) -> None:
    write(tmp_path / "t1.h5", n_rows=7)
    opened.reload()
    qtbot.waitUntil(lambda: tree_words(opened)[1].startswith("Card, table, 7, "), timeout=WAIT_MS)
    assert opened._entry is not None
    assert opened._entry.key == "/Card"


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_whole_file_is_checked_and_damage_told_by_rows(
    qtbot: QtBot, opened: FilesView, tmp_path: Path, is_damaged: bool
) -> None:
    logged: list[tuple[str, str]] = []
    wrong: list[tuple[str, str, str]] = []
    opened.bridge.logged.connect(lambda text, level: logged.append((level, text)))
    opened.bridge.went_wrong.connect(lambda *words: wrong.append(words))
    if is_damaged:
        with tables.open_file(tmp_path / "t1.h5") as file:
            offset = file.root.Card.table.chunk_info((0,)).offset
        data = bytearray((tmp_path / "t1.h5").read_bytes())
        data[offset + 100] ^= 1
        (tmp_path / "t1.h5").write_bytes(data)
    opened.check_file()
    qtbot.waitUntil(lambda: len(logged) == 2, timeout=WAIT_MS)
    if is_damaged:
        assert logged[1] == ("error", "t1.h5: damaged in 1 place; it holds 500 rows in 1 table")
        assert [told for told, _, _ in wrong] == [logged[1][1]]
        assert "/Card/table: rows 0 to" in wrong[0][1]
    else:
        assert logged[1] == ("info", "t1.h5: whole: 500 rows in 1 table, all checksums fit")
        assert wrong == []


def test_where_no_file_is_chosen_those_of_the_run_are_checked(
    qtbot: QtBot, view: FilesView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    view.bridge.logged.connect(lambda text, _level: logged.append(text))
    view.check_file()
    assert logged == ["There is no file to check yet"]
    paths = [write(tmp_path / "t1.h5"), write(tmp_path / "t2.h5", n_samples=0)]
    monkeypatch.setattr(view, "_of_run", lambda: paths)
    view.check_file()
    qtbot.waitUntil(lambda: sum("all checksums fit" in text for text in logged) == 2, timeout=WAIT_MS)


def test_the_code_that_is_copied_reads_the_table(opened: FilesView) -> None:
    opened.copy_code()
    code = QApplication.clipboard().text()
    names: dict[str, object] = {}
    exec(code, names)
    assert len(names["data"]) == 500  # type: ignore[arg-type]
    assert opened._entry is not None
    exec(code_for(opened._entry.children[1]), names)
    assert names["column"].tolist()[:3] == [0.0, 0.5, 1.0]  # type: ignore[attr-defined]


def test_the_keyboard_goes_from_the_tree_to_rows_and_pictures(qtbot: QtBot, opened: FilesView) -> None:
    opened.tree.setFocus()
    opened.tree.activated.emit(opened.tree.currentIndex())
    assert opened.tabs.currentIndex() == ROWS
    qtbot.keyClick(opened.tree, Qt.Key.Key_Right)
    qtbot.keyClick(opened.tree, Qt.Key.Key_Down)
    opened.tree.activated.emit(opened.tree.currentIndex())
    assert opened.tabs.currentIndex() == PLOT
    qtbot.waitUntil(lambda: opened.picture.plot.labels["bottom"] == "channel", timeout=WAIT_MS)
    opened.go_to_page(DETAILS)
    assert opened.details.isVisible()


def test_names_have_room_where_the_tree_is_narrow(opened: FilesView) -> None:
    opened.tree.setFixedWidth(330)
    assert opened.tree.isColumnHidden(SIZE)
    words = opened.tree.fontMetrics().horizontalAdvance("ORSIS3302DecoderForEnergy")
    assert opened.tree.columnWidth(0) - 2 * opened.tree.indentation() > words
    opened.tree.setFixedWidth(500)
    assert not opened.tree.isColumnHidden(SIZE)
