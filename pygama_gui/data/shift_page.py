"""Makes the page of a shift: the check-list with remarks and a signature, as HTML, Markdown and a row of CSV.

The page holds all of itself, pictures included, so it can be mailed or put into a logbook.
"""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

import numpy as np

from pygama.errors import OutputError
from pygama.quick_dataclass import dataclass
from pygama.utils import utc_text
from pygama_gui.data.headers import Difference
from pygama_gui.data.shift import Check, header_lines, plain, report
from pygama_gui.data.slices import Series

KINDS = {"html": "Page with pictures", "md": "Markdown"}
BETWEEN_THOUSANDS = "\N{NARROW NO-BREAK SPACE}"
LINE_BREAK = "  \n"
"""Of Markdown; a line that ends without the blanks goes on in the next one."""
LEAST_POINTS = 3
"""Slices of time that a course is drawn of."""
WIDTH, HEIGHT, MARGIN = 180, 30, 3
MEASURED = {
    "rate": "rate",
    "baseline": "baseline",
    "noise": "noise",
    "position": "peak position",
    "width": "peak width",
}
"""Quantities with columns for number, error and unit of their own, and what those are called."""
N_NAMED = 3
"""Figures that are to be looked at, or not known, and are named; more are counted."""
SAID = ("state", "events", "live time", "channels", "errors", "disk")
COLUMNS = (
    *("time", "shifter", "run", "file", "verdict"),
    *(f"{name}{end}" for name in MEASURED.values() for end in ("", " error", " unit")),
    *SAID,
    *("to look at", "remarks"),
)
"""Of the table that gets a row from each page."""

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1d2430; max-width: 62em; margin: 2em auto;
padding: 0 1em; }
h1 { font-size: 1.5em; margin-bottom: 0; } h2 { font-size: 1.1em; margin-top: 1.8em; }
.soft, .part { color: #5b6675; } .part { font-weight: 600; }
.ok { color: #13733f; } .look { color: #a33b00; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 5px 10px 5px 0;
border-bottom: 1px solid #d9dee5; vertical-align: middle; } th { color: #5b6675; font-weight: 600; }
td:first-child, td span { white-space: nowrap; } @page { margin: 15mm; } @media print { body { margin: 0; } }
svg { display: block; } .note { white-space: pre-wrap; }
"""


@dataclass(frozen=True)
class ShiftPage:
    """What a shifter leaves behind.

    title, file: the run and its raw file. made_at: when the figures were taken, unix s. channels: (name,
    state, rate, baseline, why) of each. warnings: (when, what) of each, '' where that is not known.
    against: the run that the header is compared with, '' where there
    is none; found: what differs, None where the headers could not be read. courses: quantities in slices of
    time, by the names of their checks. remarks: by the names of checks; note: on the whole. who: signs it.
    n_runs: of a data set.
    """

    title: str
    file: str
    made_at: float
    checks: tuple[Check, ...]
    channels: tuple[tuple[str, ...], ...] = ()
    against: str = ""
    found: tuple[Difference, ...] | None = ()
    courses: Mapping[str, Series] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    who: str = ""
    warnings: tuple[tuple[str, str], ...] = ()
    n_runs: int = 1

    @property
    def amiss(self) -> list[str]:
        """Names of the checks that are not as they should be."""
        return [one.what for one in self.checks if one.is_ok is False]

    @property
    def unknown(self) -> list[str]:
        """Names of the checks that should have a value, and have none."""
        return [one.what for one in self.checks if not one.is_known]

    @property
    def is_measured(self) -> bool:
        """Whether anything was measured: not of a run without events, or that was not processed."""
        return any(one.kind in MEASURED and math.isfinite(one.number) for one in self.checks)

    @property
    def tone(self) -> str:
        """How it stands: 'look', 'ok', 'part' where not all is known, 'soft' where nothing was measured."""
        if self.amiss:
            return "look"
        return "soft" if not self.is_measured else "part" if self.unknown else "ok"

    @property
    def verdict(self) -> str:
        """Say in few words how it stands, and what of it is not known."""
        unknown = self.unknown
        names = _named(unknown)
        match self.tone:
            case "look":
                look = f"▲ {len(self.amiss)} to look at: {_named(self.amiss)}"
                return look + (f" · ? not known: {names}" if unknown else "")
            case "part":
                return f"? nothing amiss, but not known: {names}"
            case "ok":
                return "✓ all as it should be"
        return "— nothing was measured"

    @property
    def course_head(self) -> str:
        """What stands over the courses."""
        return "over the run" if self.n_runs == 1 else "over the runs"

    @property
    def heading(self) -> str:
        """Title and file; a title that tells runs of one number apart has the file."""
        return self.title if self.file in self.title else f"{self.title} · {self.file}"

    @property
    def taken(self) -> str:
        """When the figures were taken."""
        return utc_text(self.made_at)

    def remark_on(self, what: str) -> str:
        """Give what the shifter says of a check; '' where that is nothing."""
        return self.remarks.get(what, self.remarks.get(self.name_before(what), "")).strip()

    def name_before(self, what: str) -> str:
        """Give the name that a check had when its value was not known: remarks may be of that time."""
        kinds = {one.what: one.kind for one in self.checks}
        return MEASURED.get(kinds.get(what, ""), what)


def _named(names: Sequence[str]) -> str:
    """List names; of many, the first ones."""
    n_more = len(names) - N_NAMED
    return ", ".join(names[:N_NAMED]) + (f" and {n_more} more" if n_more > 0 else "")


@dataclass(frozen=True)
class Course:
    """A quantity against time in a box of 1 x 1, x to the right and y up.

    points: (n, 2); those that are not known are left out. band: lower and upper end of where it is expected.
    """

    points: np.ndarray
    band: tuple[float, float] | None = None


def course_of(series: Series, check: Check) -> Course | None:
    """Fit a series, and the band it is expected in, into the box; None of too few points."""
    known = series.is_known
    if known.sum() < LEAST_POINTS:
        return None
    times, values = series.times[known], series.values[known]
    low, high = float(values.min()), float(values.max())
    if check.band is not None:
        low, high = min(low, check.band[0]), max(high, check.band[1])
    if high == low:
        low, high = low - 0.5, high + 0.5
    y = (values - low) / (high - low)
    x = (times - times[0]) / (times[-1] - times[0])
    band = check.band and ((check.band[0] - low) / (high - low), (check.band[1] - low) / (high - low))
    return Course(np.column_stack((x, y)), band)


def as_markdown(page: ShiftPage) -> str:
    """Write it as Markdown."""
    text = report(
        page.heading,
        page.checks,
        page.channels,
        page.against,
        page.found,
        {one.what: page.remark_on(one.what) for one in page.checks},
        verdict=page.verdict,
        warnings=page.warnings,
    )
    signed = f", signed by {plain(page.who.strip())}" if page.who.strip() else ""
    lines = (plain(line) for line in page.note.strip().splitlines())
    note = ["## Remarks", "", LINE_BREAK.join(lines), ""] if page.note.strip() else []
    end = [f"Figures of {page.taken}{signed}."]
    return text + "\n" + "\n".join([*note, *end]) + "\n"


def as_html(page: ShiftPage) -> str:
    """Write it as one file of HTML that needs no other."""
    return "".join(_html(page))


def _html(page: ShiftPage) -> Iterator[str]:
    yield (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<title>{_safe(page.heading)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>{_safe(page.title)}</h1>\n<p class='soft'>{_safe(page.file)} · figures of {page.taken}</p>\n"
        f"<p class='{page.tone}'>{_safe(page.verdict)}</p>\n"
    )
    has_remarks = any(page.remark_on(one.what) for one in page.checks)
    heads = ["", "value", "allowed", "", page.course_head, *(["remark"] if has_remarks else [])]
    yield _table(heads, [_cells(page, one, has_remarks=has_remarks) for one in page.checks])
    if page.channels:
        yield "<h2>Channels</h2>\n"
        rows = [[_safe(cell) for cell in row] for row in page.channels]
        yield _table(["channel", "state", "rate", "baseline", "remark"], rows)
    if page.warnings:
        yield "<h2>Warnings</h2>\n"
        yield _table(["when", "what"], [[_safe(cell) for cell in row] for row in page.warnings])
    yield "<h2>Header</h2>\n"
    first, *others = header_lines(page.against, page.found)
    yield f"<p>{_safe(first)}</p>\n"
    if others:
        yield "<ul>" + "".join(f"<li>{_safe(line)}</li>" for line in others) + "</ul>\n"
    if page.note.strip():
        yield f"<h2>Remarks</h2>\n<p class='note'>{_safe(page.note.strip())}</p>\n"
    yield f"<p class='soft'>{f'Signed by {_safe(page.who)}' if page.who.strip() else 'Not signed'}</p>\n"
    yield "</body></html>\n"


def _cells(page: ShiftPage, check: Check, *, has_remarks: bool) -> list[str]:
    tone = {True: "ok", False: "look", None: "soft"}[check.is_ok]
    series = page.courses.get(check.what)
    course = None if series is None else course_of(series, check)
    cells = [
        _safe(check.what),
        _safe(check.value),
        _safe(check.allowed),
        f"<span class='{tone}'>{_safe(check.verdict)}</span>",
        "" if course is None else _svg(course, f"{check.what} {page.course_head}"),
    ]
    return [*cells, _safe(page.remark_on(check.what))] if has_remarks else cells


def _svg(course: Course, title: str) -> str:
    def y(share: float) -> float:
        return MARGIN + (HEIGHT - 2 * MARGIN) * (1 - share)

    band = ""
    if course.band is not None:
        low, high = course.band
        size = f"width='{WIDTH}' height='{max(y(low) - y(high), 1):.1f}'"
        band = f"<rect x='0' y='{y(high):.1f}' {size} fill='#dcefe3'/>"
    points = " ".join(
        f"{MARGIN + (WIDTH - 2 * MARGIN) * x:.1f},{y(at):.1f}" for x, at in course.points.tolist()
    )
    return (
        f"<svg width='{WIDTH}' height='{HEIGHT}' role='img' aria-label='{_safe(title)}'>{band}"
        f"<polyline points='{points}' fill='none' stroke='#1f5fa8'/></svg>"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>\n"


def _safe(text: str) -> str:
    return html.escape(text, quote=True)


def write_page(page: ShiftPage, path: Path) -> None:
    """Write HTML, or Markdown where the name ends so. Raises OSError."""
    text = as_markdown(page) if path.suffix.lower() == ".md" else as_html(page)
    path.write_text(text, encoding="utf-8")


def row_of(page: ShiftPage) -> dict[str, str]:
    """Give what goes into each of COLUMNS."""
    row = dict.fromkeys(COLUMNS, "")
    row |= {"time": page.taken, "shifter": page.who.strip(), "run": page.title, "file": page.file}
    row["verdict"] = page.verdict
    for check in page.checks:
        if (name := MEASURED.get(check.kind)) and math.isfinite(check.number):
            row[name], row[f"{name} unit"] = f"{check.number:.8g}", check.unit
            row[f"{name} error"] = f"{check.error:.3g}" if math.isfinite(check.error) else ""
        elif check.what in SAID and check.is_known:
            row[check.what] = check.value.replace(BETWEEN_THOUSANDS, "")
    row["to look at"] = ", ".join(page.amiss)
    remarks = [f"{one.what}: {page.remark_on(one.what)}" for one in page.checks if page.remark_on(one.what)]
    row["remarks"] = "; ".join([*remarks, *(" ".join(page.note.split()),)]).strip("; ")
    return row


def add_row(page: ShiftPage, path: Path) -> None:
    """Add the page as a row to a table of CSV, which is begun where it is not there.

    Raises OutputError where the file is another table, OSError where it cannot be written.
    """
    # A program of tables puts a mark of the encoding before the first name.
    before = path.read_text(encoding="utf-8-sig") if path.exists() else ""
    if before.strip() and next(csv.reader(io.StringIO(before))) != list(COLUMNS):
        raise OutputError(
            f"{path.name} is another table, with other columns: choose a new name, or a table of shifts"
        )
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if not before.strip():
        writer.writeheader()
    elif not before.endswith("\n"):
        text.write("\n")
    writer.writerow(row_of(page))
    with path.open("a" if before.strip() else "w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
