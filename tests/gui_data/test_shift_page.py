"""Tests the page of a shift: what stands in HTML, Markdown and the table, and what others' files do."""

from __future__ import annotations

import csv
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from pygama.errors import OutputError
from pygama_gui.data.headers import Difference
from pygama_gui.data.shift import Check
from pygama_gui.data.shift_page import (
    COLUMNS,
    ShiftPage,
    add_row,
    as_html,
    as_markdown,
    course_of,
    row_of,
    write_page,
)
from pygama_gui.data.slices import Series

RATE = Check("rate", "66 ± 2 Hz", "66.0 ± 0.5 Hz", True, 66.04, 2.1, "Hz", kind="rate")
BASELINE = Check(
    "baseline (bl_int)",
    "8000 ± 1 ADC",
    "7990 ± 3 ADC",
    False,
    8000.4,
    1.2,
    "ADC",
    (7987.0, 7993.0),
    "baseline",
)
EVENTS = Check("events", "11\u202f992")


def series(values: list[float]) -> Series:
    n = len(values)
    times = 10.0 * np.arange(n) + 5.0
    return Series("baseline", "bl", "ADC", times, np.full(n, 5.0), np.array(values), np.full(n, 0.1))


@pytest.fixture
def page() -> ShiftPage:
    return ShiftPage(
        "Run 7",
        "2018-9-25-Run7 <b>",
        1_537_871_000.0,
        (RATE, BASELINE, EVENTS),
        (("channel 2", "▽ quiet", "0.2 Hz", "8000 ± 1", "a & b"),),
        "Run 6",
        (Difference("card 8 · threshold ch 3", "changed", "120", "180"),),
        {"baseline (bl_int)": series([8000.0, 7990.0, np.nan, 8010.0])},
        {"rate": "pump was on, <i>", "errors": "of a check that this page lacks"},
        "Filled the dewar.\nAll quiet.",
        "J. Doe",
    )


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(text: str) -> Texts:
    made = Texts()
    made.feed(text)
    return made


def test_the_page_says_all_in_one_file_and_runs_nothing(page: ShiftPage) -> None:
    seen = read(as_html(page))
    whole = " ".join(seen.texts)
    for words in (
        *("▲ 1 to look at", "66 ± 2 Hz", "▲ look", "✓ ok", "pump was on, <i>", "2018-9-25-Run7 <b>"),
        *("a & b", "Changed since Run 6:", "threshold ch 3: 120 → 180", "Signed by J. Doe", "All quiet."),
    ):
        assert words in whole
    assert not {"script", "b", "i", "img", "link", "a"} & set(seen.tags)
    assert seen.tags.count("svg") == seen.tags.count("polyline") == 1


def test_a_page_without_remarks_has_no_column_for_them(page: ShiftPage) -> None:
    assert "<th>remark</th></tr>" in as_html(page)
    bare = replace(page, remarks={"rate": "  "}, channels=(), note=" ", who="")
    assert "remark" not in as_html(bare) and "Not signed" in as_html(bare)


def test_markdown_has_remarks_and_a_signature(page: ShiftPage) -> None:
    lines = as_markdown(page).splitlines()
    assert "| rate | 66 ± 2 Hz | 66.0 ± 0.5 Hz | ✓ ok | pump was on, \\<i> |" in lines
    assert lines[-1] == "Figures of 2018-09-25 10:23:20 UTC, signed by J. Doe."
    assert "Filled the dewar.  " in lines  # a line by itself


def test_a_course_fits_into_its_box_with_its_band() -> None:
    course = course_of(series([8000.0, 7990.0, np.nan, 8010.0]), BASELINE)
    assert course is not None and course.band is not None
    low, high = 7987.0, 8010.0
    np.testing.assert_allclose(course.points[:, 0], [0.0, 1 / 3, 1.0])
    np.testing.assert_allclose(course.points[:, 1], (np.array([8000.0, 7990.0, 8010.0]) - low) / (high - low))
    np.testing.assert_allclose(course.band, (0.0, 6.0 / (high - low)))


def test_a_course_that_stands_still_lies_in_the_middle_and_two_slices_are_none() -> None:
    course = course_of(series([5.0, 5.0, 5.0]), RATE)
    assert course is not None
    np.testing.assert_allclose(course.points[:, 1], 0.5)
    assert course_of(series([5.0, np.nan, 6.0]), RATE) is None


def test_a_row_has_numbers_that_other_programs_read(page: ShiftPage) -> None:
    row = row_of(page)
    assert (row["rate"], row["rate error"], row["rate unit"]) == ("66.04", "2.1", "Hz")
    assert (row["baseline"], row["peak width"]) == ("8000.4", "")
    assert (row["events"], row["to look at"]) == ("11992", "baseline (bl_int)")
    assert row["remarks"] == "rate: pump was on, <i>; Filled the dewar. All quiet."


def test_rows_are_added_to_a_table_that_is_there(page: ShiftPage, tmp_path: Path) -> None:
    path = tmp_path / "shift_log.csv"
    add_row(page, path)
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")  # as an editor leaves it
    add_row(replace(page, title="Run 8", who="A, B"), path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["Run 7", "Run 8"]
    assert rows[1]["shifter"] == "A, B"
    assert tuple(rows[0]) == COLUMNS


def test_a_table_of_something_else_is_left_alone(page: ShiftPage, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(OutputError, match="another table"):
        add_row(page, path)
    assert path.read_text(encoding="utf-8") == "a,b\n1,2\n"


@pytest.mark.parametrize(("name", "begin"), [("p.html", "<!doctype html>"), ("p.MD", "# Run 7")])
def test_the_end_of_the_name_says_what_is_written(
    page: ShiftPage, tmp_path: Path, name: str, begin: str
) -> None:
    write_page(page, tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begin)


def test_what_a_shifter_types_is_no_markdown(page: ShiftPage) -> None:
    typed = r"a|b \ <b>x</b> *y* _z_ bl_int &lt; `q`"
    text = as_markdown(replace(page, note=f"# {typed}\nsecond", who='Doe, "Jo" <x@y>'))
    assert r"\# a\|b \\ \<b>x\</b> \*y\* \_z\_ bl_int \&lt; \`q\`" + "  \nsecond\n" in text
    assert text.rstrip().endswith(r'signed by Doe, "Jo" \<x@y>.')
    assert text.startswith(r"# Run 7 · 2018-9-25-Run7 \<b>")


def test_a_table_that_a_spreadsheet_saved_is_gone_on_with(page: ShiftPage, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    add_row(page, path)
    by_spreadsheet = path.read_text(encoding="utf-8").replace("\n", "\r\n")
    path.write_bytes(by_spreadsheet.encode("utf-8-sig"))
    add_row(page, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [row["run"] for row in csv.DictReader(file)] == ["Run 7", "Run 7"]


def test_a_signature_with_commas_and_quotes_is_one_cell(page: ShiftPage, tmp_path: Path) -> None:
    add_row(replace(page, who='Doe, "Jo"'), tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["shifter"] == 'Doe, "Jo"'


def test_a_run_of_which_nothing_was_measured_is_not_called_well(page: ShiftPage) -> None:
    bare = replace(page, checks=(EVENTS, Check("rate", "—", kind="rate"), Check("errors", "0", "0", True)))
    assert bare.verdict == row_of(bare)["verdict"] == "— nothing was measured"
    assert "<p class='soft'>— nothing was measured</p>" in as_html(bare)
    well = replace(bare, checks=(*bare.checks, RATE))
    assert (well.verdict, well.tone) == ("✓ all as it should be", "ok")


def test_what_is_not_known_is_named_and_the_verdict_is_another_one(page: ShiftPage) -> None:
    unknown = [Check(what, "—", is_known=False) for what in ("live time", "noise", "peak position", "disk")]
    part = replace(page, checks=(RATE, *unknown))
    assert part.verdict == "? nothing amiss, but not known: live time, noise, peak position and 1 more"
    assert part.verdict in as_html(part) and part.verdict in as_markdown(part).splitlines()
    assert "<span class='soft'>? not known</span>" in as_html(part)
    assert part.tone == "part"
    amiss = replace(page, checks=(RATE, BASELINE, unknown[0]))
    assert amiss.verdict == "▲ 1 to look at: baseline (bl_int) · ? not known: live time"
    assert (
        row_of(replace(part, checks=(RATE, Check("live time", "too few", is_known=False))))["live time"] == ""
    )


def test_warnings_are_told_with_their_time(page: ShiftPage) -> None:
    warned = replace(
        page, warnings=(("2018-10-01 00:00:12 UTC", "3 records | were <skipped>"), ("", "and 2 more"))
    )
    assert "| 2018-10-01 00:00:12 UTC | 3 records \\| were \\<skipped> |" in as_markdown(warned).splitlines()
    seen = read(as_html(warned)).texts
    assert {"Warnings", "2018-10-01 00:00:12 UTC", "3 records | were <skipped>", "and 2 more"} <= set(seen)
    assert "Warnings" not in as_html(page) and "Warnings" not in as_markdown(page)


def test_a_title_that_has_the_file_is_not_followed_by_it(page: ShiftPage) -> None:
    assert replace(page, title="Run 7 (Run7b)", file="Run7b").heading == "Run 7 (Run7b)"
    assert page.heading == "Run 7 · 2018-9-25-Run7 <b>"
