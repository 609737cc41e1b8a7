"""Writes what the window does with runs as a command, a script and a notebook that need no window.

Script and notebook are made of the same pieces of code, so neither can say something else than the other:
first what was set, then four pieces that are the same for every session.
"""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pygama import __version__
from pygama.analysis.cuts import EVERYWHERE
from pygama.analysis.tagging import Tagging
from pygama.quick_dataclass import dataclass
from pygama_gui.session.calibration_changes import calibrations_of, raw_column
from pygama_gui.session.codes import place_of
from pygama_gui.session.cut_reach import reach_of_cuts
from pygama_gui.session.cut_reading import readable
from pygama_gui.session.state import DataSet, Fit, Run, Session
from pygama_gui.session.tag_changes import wanted_tagging

ALL_CHANNELS = "all channels"
WIDTH = 96
"""Of a line of the code that is written."""


@dataclass(frozen=True)
class Shown:
    """What is on screen of a spectrum and not in the session.

    low, high, n_bins: equal bins; a value on an edge belongs to the bin above it. view: what of them is seen,
    where it is not all. channels: name -> code of each that is drawn for itself. unit: of the column.
    """

    low: float
    high: float
    n_bins: int
    view: tuple[float, float] | None = None
    channels: tuple[tuple[str, int | None], ...] = ((ALL_CHANNELS, None),)
    unit: str = ""


def as_command(session: Session, run: Run, *, folder: Path | None = None) -> str:
    """Give the line for a shell that does with a run what the window does.

    It names the settings file of `settings_path`, which must be there: `write_settings` with `settings_of`.
    Where the pulser is tagged or events are built, it goes on to a table of the hits with these columns.
    """
    folder = _folder(session, folder)
    words = [
        "pygama",
        *(["run", str(run.path)] if run.is_raw else ["tier1", str(run.tier1)]),
        "-o",
        str(folder),
    ]
    words += ["--settings", str(settings_path(session, run, folder=folder))]
    words += ["--suffix", run.suffix] if run.suffix else []
    words += [word for offset in run.skip for word in ("--skip", str(offset))]
    tagged = _tagging_options(wanted_tagging(session))
    if not tagged:
        return shlex.join(words)
    stem = f"run{run.run_number}{run.suffix}"
    table = ["pygama", "export", str(folder / f"t2_{stem}.h5"), str(folder / f"{stem}_tagged.csv"), *tagged]
    return f"{shlex.join(words)} && {shlex.join(table)}"


def _tagging_options(tagging: Tagging) -> list[str]:
    """Give the options of `pygama export` that make the columns of a tagging."""
    options = ["--pulser"] if tagging.has_pulser else []
    options += ["--pulser-in", *tagging.pulser_in] if tagging.has_pulser and tagging.pulser_in else []
    if tagging.window_s is not None:
        options += ["--window", repr(tagging.window_s)]
        options += ["--sliding"] if tagging.is_sliding else []
        options += ["--same-clock"] if tagging.same_clock else []
    return options


def settings_path(session: Session, run: Run, *, folder: Path | None = None) -> Path:
    """Give the settings file that a command names: it lies beside what it makes."""
    return _folder(session, folder) / f"run{run.run_number}{run.suffix}.settings.json"


def settings_of(session: Session) -> dict[str, Any]:
    """Give the options, the chain and what is kept of it as settings files hold them."""
    return {"tier0": dict(session.tier0), "chain": session.to_chain(), **session.keeps()}


def as_script(
    session: Session,
    runs: Sequence[Run],
    shown: Shown | None = None,
    folders: Mapping[str, Path] | None = None,
) -> str:
    """Give a Python script that processes runs and draws the spectrum that the window shows.

    shown: the bins on screen; without it the script chooses them. folders: id of a run -> folder of its
    files, where it is not that of the session.
    """
    usage = "Run it with `python THIS_FILE [FOLDER]`;\na folder takes all files in place of those below."
    if _set_among(runs) is not None:
        usage = "Run it with `python THIS_FILE [FOLDER]`;\nthe folder is for what it writes."
    head = f'"""{_title(session, runs)}\n\nWritten by pygama {__version__}. {usage}\n"""\n\n'
    output = "OUTPUT = sys.argv[1] if len(sys.argv) > 1 else None\n"
    pieces = [text for _, text in _pieces(session, runs, shown, folders, output)]
    imports = "import csv\nimport sys\n" + _IMPORTS.removeprefix("import csv\n") + _NO_SCREEN
    return head + "\n".join([imports, *pieces])


def as_notebook(
    session: Session,
    runs: Sequence[Run],
    shown: Shown | None = None,
    folders: Mapping[str, Path] | None = None,
) -> str:
    """Give a Jupyter notebook (nbformat 4) that does what `as_script` does, piece by piece."""
    output = "OUTPUT = None  # a folder here takes all files in place of those named above\n"
    cells = [_cell(0, "markdown", f"# {_title(session, runs)}\n\nWritten by pygama {__version__}.")]
    pieces = _pieces(session, runs, shown, folders, output)
    pieces[0] = (pieces[0][0], _IMPORTS + "\n" + pieces[0][1])
    for words, code in pieces:
        cells.append(_cell(len(cells), "markdown", words))
        cells.append(_cell(len(cells), "code", code))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1) + "\n"


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    cell["source"] = text.strip("\n").splitlines(keepends=True)
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _pieces(
    session: Session,
    runs: Sequence[Run],
    shown: Shown | None,
    folders: Mapping[str, Path] | None,
    output: str,
) -> list[tuple[str, str]]:
    """Give the pieces of code, each with words about it."""
    title = f"The spectrum of {_prose(session.spectrum.column)} in the bins of the window."
    written = ("The numbers of the spectrum, and its picture.", _WRITE)
    if (data_set := _set_among(runs)) is not None:
        settings = _settings(session, _runs_of(data_set), shown, folders or {}, _set_files(data_set))
        fitted = ("What the fits give on all runs together.", _FIT_WINDOW + _SET_FIT_EACH + _FIT_WRITE)
        read = ("The files of the data set.", _SET_FILES)
        counted = (title, _ROWS + _SET_EACH + _BINNED)
    else:
        settings = _settings(session, runs, shown, folders or {})
        fitted = ("What the fits of the window give on every run.", _FIT_WINDOW + _FIT_EACH + _FIT_WRITE)
        process = _PROCESS if all(run.is_raw and not run.is_given for run in runs) else _PROCESS_TIERS
        read = ("Tier 1 and Tier 2 of every run.", process)
        counted = (title, _ROWS + _EACH + _BINNED)
    pieces = [("What was set.", settings + output), read, counted, written]
    return [*pieces, fitted] if session.fits else pieces


def _set_among(runs: Sequence[Run]) -> DataSet | None:
    """Give the data set that is to be written; one is written alone."""
    return runs[0] if len(runs) == 1 and isinstance(runs[0], DataSet) else None


def _runs_of(data_set: DataSet) -> list[Run]:
    return [one.run for one in data_set.members]


def _set_files(data_set: DataSet) -> str:
    """Write the files of a data set, and its name, as the script holds them."""
    names = _names(_runs_of(data_set))
    files = {name: str(one.tier2) for name, one in zip(names, data_set.members, strict=True)}
    waveforms = {name: str(one.tier1) for name, one in zip(names, data_set.members, strict=True) if one.tier1}
    files_of_both = _named("FILES", files) + _named("TIER1_FILES", waveforms)
    return files_of_both + _named("NAME", _prose(data_set.name) or "data set")


def _run_numbers(runs: Sequence[Run]) -> dict[str, dict[str, int]]:
    """Give the column that tells the runs of a data set apart."""
    return {"run": {name: run.run_number for name, run in zip(_names(runs), runs, strict=True)}}


def _title(session: Session, runs: Sequence[Run]) -> str:
    if (data_set := _set_among(runs)) is not None:
        runs_words = _prose(f"runs {data_set.numbers}")
        return f"Draw the spectrum of {_prose(session.spectrum.column)} of {runs_words} as one."
    names = _prose(", ".join(_names(runs)))
    begin = "Read" if all(run.is_given for run in runs) else "Process"
    return f"{begin} {names} and draw the spectrum of {_prose(session.spectrum.column)}."


def _prose(text: str) -> str:
    """Leave out of a name what could end the text that it stands in: a session may come from anybody."""
    return "".join(letter for letter in text if letter.isalnum() or letter in " _-+.,()/")[:200]


def _settings(
    session: Session,
    runs: Sequence[Run],
    shown: Shown | None,
    folders: Mapping[str, Path],
    read: str = "",
) -> str:
    """Write everything that a person set as names and values.

    read: files that are read, of a data set; without it the runs are processed.
    """
    jobs = {
        name: {**_source(run), "output": str(_folder(session, folders.get(run.run_id)))}
        for name, run in zip(_names(runs), runs, strict=True)
    }
    channels = shown.channels if shown is not None else ((ALL_CHANNELS, session.spectrum.channel),)
    places = {name: {} if code is None else place_of(code) for name, code in channels}
    bins = None if shown is None else (shown.low, shown.high, shown.n_bins)
    processed = [
        _named("RUNS", jobs),
        _named("TIER0", session.tier0),
        _named("CHAIN", session.to_chain()),
        _named("OUTPUTS", list(session.outputs) or None, "columns of the chain that are kept; None: all"),
        _named("COMPACT", session.compact, "round the columns far below what noise moves them by"),
        _named("SAVE_WAVES", list(session.save_waves), "waveforms that are kept beside the table"),
    ]
    lines = [
        *([read] if read else processed),
        _named("COLUMN", session.spectrum.column),
        _named("ENERGIES", _energies(session), "column of energies -> the column in the files"),
        _named("NUMBERS", _run_numbers(runs) if read else {}, "columns that are one number for each run"),
        _named("CURVES", _curves(session, runs), "for each run and channel: c of c0 + c1 x + …"),
        _named("UNIT", "" if shown is None else shown.unit),
        _named("CHANNELS", places, "name -> where it is"),
        _named("BINS", bins, "from, to, how many; None: from the least to the largest value"),
        _named("CUTS", _cuts(session), "an event has to pass those that are enabled"),
        _named("TAGGINGS", _taggings(session), "what is told of each hit by all hits of its run"),
        _named("VIEW", None if shown is None else shown.view, "what of them is drawn; None: all"),
        _named("IS_LOG", session.spectrum.is_log),
        *([_named("FITS", {fit.name: _fit(session, fit) for fit in session.fits})] if session.fits else []),
    ]
    return "".join(lines)


def _source(run: Run) -> dict[str, Any]:
    """Say what a run is made of, or that its files are read."""
    if run.is_given:
        return {"tier2": str(run.tier2), "tier1": None if run.tier1 is None else str(run.tier1)}
    if not run.is_raw:
        return {"tier1": str(run.tier1), "suffix": run.suffix}
    return {"raw": str(run.path), "suffix": run.suffix, "skip": list(run.skip)}


def _cuts(session: Session) -> list[dict[str, Any]]:
    """Give the cuts that can be read, where any is on; those that are off may be named by others."""
    cuts, _ = readable(session.cuts)
    if not any(cut.enabled for cut in cuts):
        return []
    names = ("name", "expression", "enabled", "inverted")
    return [{name: getattr(cut, name) for name in names} for cut in cuts]


def _taggings(session: Session) -> list[dict[str, Any]]:
    """Give what is told of hits, the pulser for itself: where it is not told, events may be."""
    wanted, fresh = wanted_tagging(session), Tagging()
    pulser = ("has_pulser", "amplitude", "pulser_in")
    events = ("window_s", "is_sliding", "same_clock")
    chosen = [pulser] * wanted.has_pulser + [events] * (wanted.window_s is not None)
    return [
        {name: value for name in names if (value := getattr(wanted, name)) != getattr(fresh, name)}
        for names in chosen
    ]


def _energies(session: Session) -> dict[str, str]:
    """Give what the columns of energies that are used are made of."""
    cuts, _ = readable(session.cuts)
    used = (session.spectrum.column, *(fit.column for fit in session.fits), *cuts.columns)
    return {one: raw_column(session, one) for one in used if raw_column(session, one) != one}


def _curves(session: Session, runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Give the curves of the energies that are used: column -> run -> channel -> coefficients."""
    return {
        column: {
            name: {
                place: one.curve.coefficients
                for calibration in calibrations_of(session, run)
                if calibration.column == raw
                for place, one in calibration.channels.items()
                if one.curve is not None
            }
            for name, run in zip(_names(runs), runs, strict=True)
        }
        for column, raw in _energies(session).items()
    }


def _fit(session: Session, fit: Fit) -> dict[str, Any]:
    """Give a fit as the script holds it, with where cuts let something pass if not everywhere."""
    request = {one.name: getattr(fit.request, one.name) for one in fields(fit.request)}
    place = {} if fit.channel is None else place_of(fit.channel)
    within = reach_of_cuts(session, session.selected_run, fit.column, fit.channel)
    cut = {} if within == EVERYWHERE else {"within": within}
    return {"column": fit.column, "channel": place, "request": request, **cut}


def _named(name: str, value: Any, about: str = "") -> str:
    return f"{name} = {literal(value, len(name) + 3)}" + (f"  # {about}" if about else "") + "\n"


def literal(value: Any, used: int = 0, indent: int = 0) -> str:
    """Write a plain value as Python: on one line where it fits, else one entry a line.

    used: characters before it on its line; indent: of the line.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, str) and value.isprintable() and not set(value) & set('"\\'):
        return f'"{value}"'
    if not isinstance(value, Mapping | list | tuple):
        return repr(value)
    opening, closing = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
    if isinstance(value, tuple):
        opening, closing = "(", ")"
    entries = _entries(value, indent + 4)
    tail = "," if isinstance(value, tuple) and len(entries) == 1 else ""
    line = opening + ", ".join(entries) + tail + closing
    if not entries or ("\n" not in line and used + indent + len(line) <= WIDTH):
        return line
    inside = "".join(f"{' ' * (indent + 4)}{entry},\n" for entry in entries)
    return f"{opening}\n{inside}{' ' * indent}{closing}"


def _entries(value: Any, indent: int) -> list[str]:
    if not isinstance(value, Mapping):
        return [literal(inner, 0, indent) for inner in value]
    keys = [(f"{literal(key)}: ", inner) for key, inner in value.items()]
    return [key + literal(inner, len(key), indent) for key, inner in keys]


def _names(runs: Sequence[Run]) -> list[str]:
    """Name runs by their numbers, and those that share one by their files; no two alike."""
    numbers = Counter(run.run_number for run in runs)
    names: list[str] = []
    for run in runs:
        name = f"Run {run.run_number}" + ("" if numbers[run.run_number] == 1 else f" ({run.path.name})")
        names.append(name if name not in names else f"Run {run.run_number} ({run.path})")
    return names


def _folder(session: Session, folder: Path | None) -> Path:
    return folder or session.output_dir or Path()


_IMPORTS = """\
import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import pygama
from pygama import Tier1Processor, TierFile, get_hist, process_run
from pygama.analysis.cuts import Cut, CutSet
from pygama.analysis.tagging import Tagging, tag_hits
from pygama.boxes import boxes_among, rows_through
from pygama.errors import PygamaError
"""

_NO_SCREEN = """
plt.switch_backend("Agg")  # draw into files
"""

_PROCESS = """\
tier1_files, tier2_files = {}, {}
for name, run in RUNS.items():
    done = process_run(
        run["raw"],
        output_dir=OUTPUT or run["output"],
        tier0=TIER0,
        processor=Tier1Processor.from_chain(CHAIN, outputs=OUTPUTS, compact=COMPACT),
        suffix=run["suffix"],
        skip=run["skip"],
        save_waves=SAVE_WAVES,
    )
    for path in done.outputs:
        print(f"{name}: wrote {path}")
        if path.name.startswith("t1_"):
            tier1_files[name] = path
        if path.name.startswith("t2_"):
            tier2_files[name] = path
"""

_PROCESS_TIERS = """\
from pygama import ProcessTier1

tier1_files, tier2_files = {}, {}
for name, run in RUNS.items():
    if "tier2" in run:
        tier2_files[name] = Path(run["tier2"])
        if run["tier1"]:
            tier1_files[name] = Path(run["tier1"])
        continue
    output = OUTPUT or run["output"]
    chain = Tier1Processor.from_chain(CHAIN, outputs=OUTPUTS, compact=COMPACT)
    how = {"suffix": run["suffix"], "save_waves": SAVE_WAVES}
    if "tier1" in run:
        tier1_files[name] = Path(run["tier1"])
        written = [ProcessTier1(run["tier1"], chain, out_dir=output, **how)]
    else:
        how["skip"] = run["skip"]
        written = process_run(run["raw"], output_dir=output, tier0=TIER0, processor=chain, **how).outputs
    for path in written:
        print(f"{name}: wrote {path}")
        if path.name.startswith("t1_"):
            tier1_files[name] = path
        if path.name.startswith("t2_"):
            tier2_files[name] = path
"""

_ROWS = '''
def rows_of(table, place):
    """Tell which rows of a table are those of a channel; of all where no place is given."""
    is_wanted = np.ones(table.n_rows, bool)
    for column, number in place.items():
        if column in table.columns:
            missing = -1 if column == "channel" else 0
            is_wanted &= np.nan_to_num(np.asarray(table.column(column), float), nan=missing) == number
    return is_wanted


told = {}


def told_of(table, name):
    """Tell of each hit what all hits of the run tell together: the pulser, and events of channels."""
    if name not in told:
        told.clear()  # one run after the other is read
        made = {}
        for words in TAGGINGS:
            tagging = Tagging(**words)
            read = {column: np.asarray(table.column(column)) for column in tagging.needed(table.columns)}
            try:
                found = tag_hits(read, tagging, made.get("is_pulser"))
            except PygamaError as why:
                print(f"{name}: {why}")
                continue
            made |= found.columns
            for line in found.lines:
                print(f"{name}: {line.strip()}")
        told[name] = {column: values for column, values in made.items() if column not in table.columns}
    return told[name]


def column_of(table, name, column):
    """Read a column; where it is one of energies, compute them channel by channel."""
    if column in told_of(table, name):
        return told_of(table, name)[column]
    if column in NUMBERS:
        return np.full(table.n_rows, NUMBERS[column][name])
    numbers = np.asarray(table.column(ENERGIES.get(column, column)))
    if column not in ENERGIES:
        return numbers
    energies = np.full(table.n_rows, np.nan)
    for place, coefficients in CURVES[column][name].items():
        where = dict(zip(("crate", "card", "channel"), map(int, place.split("/"))))
        rows = rows_of(table, where)
        energies[rows] = 0.0
        for coefficient in reversed(coefficients):
            energies[rows] = energies[rows] * numbers[rows] + coefficient
    return energies


def passing_of(table, name):
    """Tell which rows pass the cuts; a cut is left out where a run lacks what it reads."""
    cuts = CutSet(Cut(**cut) for cut in CUTS)
    boxes = boxes_among(cuts.columns) if name in tier1_files else {}
    boxes = {text: box for text, box in boxes.items() if {*box.above} <= {*table.columns}}
    known = {*table.columns, *ENERGIES, *NUMBERS, *boxes, *told_of(table, name)}
    usable = CutSet(cut for cut in cuts if set(cuts.reads(cut.name)) <= known)
    for left_out in sorted({*cuts.names} - {*usable.names}):
        print(f"{name}: the cut {left_out} is not applied: it reads a column that is not there")
    if not any(cut.enabled for cut in usable):
        return np.ones(table.n_rows, bool)
    columns = {column: column_of(table, name, column) for column in usable.columns if column not in boxes}
    if boxes:  # these ask for the waveforms
        columns |= rows_through(tier1_files[name], tier2_files[name], boxes)
    return usable.mask(columns)


'''

_EACH = """
values = {}
for name, path in tier2_files.items():
    with TierFile(path) as file:
        table = file.table("data")
        column = column_of(table, name, COLUMN).astype(float)
        passing = passing_of(table, name)
        for channel, place in CHANNELS.items():
            key = name if len(CHANNELS) == 1 else f"{name}, {channel}"
            values[key] = column[rows_of(table, place) & passing]

"""

_BINNED = """
if BINS is None:
    known = np.concatenate([np.zeros(0), *values.values()])
    known = known[np.isfinite(known)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    BINS = (low, high + max(abs(high), 1.0) * 1e-9, 1000)
low, high, n_bins = BINS

counts = {}
edges = np.linspace(low, high, n_bins + 1)
for key, numbers in values.items():
    inside = numbers[numbers < high]  # a value on an edge belongs to the bin above it
    edges, heights = get_hist(inside, low, high, (high - low) / n_bins)
    counts[key] = heights[1:].astype(int)
"""

_WRITE = """\
folder = Path(OUTPUT or next(iter(RUNS.values()))["output"])
stems = [path.stem.removeprefix("t2_") for path in tier2_files.values()] or ["spectrum"]
stem = stems[0] if len(stems) == 1 else f"{stems[0]}-{stems[-1]}"

with open(folder / f"{stem}_{COLUMN}.csv", "w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file)
    writer.writerow(["from", "to", *counts])
    writer.writerows(zip(edges[:-1], edges[1:], *counts.values()))
print(f"wrote {file.name}")

with plt.style.context(Path(pygama.__file__).with_name("pygama.mplstyle")):
    figure, axes = plt.subplots()
    for key, heights in counts.items():
        axes.stairs(heights, edges, label=key, baseline=0.5 if IS_LOG else 0)
    unit = f" {UNIT}" if UNIT else ""
    axes.set_xlabel(COLUMN + (f" ({UNIT})" if UNIT else ""))
    axes.set_ylabel(f"counts / {edges[1] - edges[0]:.4g}{unit}")
    axes.set(yscale="log" if IS_LOG else "linear", xlim=VIEW or (low, high))
    if len(counts) > 1:
        axes.legend()
    figure.tight_layout()
    figure.savefig(folder / f"{stem}_{COLUMN}.png")
print(f"wrote {folder / f'{stem}_{COLUMN}.png'}")
"""

_FIT_WINDOW = '''
import math

from pygama.analysis import FitRequest, fit_region

EVERYWHERE = (-math.inf, math.inf)


def window_of(numbers, low, high, n):
    """Choose the bins of a fit; whole numbers are never split unevenly."""
    if numbers.dtype.kind in "iu":
        width = max(math.ceil((high - low) / n), 1)
        low = math.floor(low) - 0.5
        n = max(math.ceil((high - low) / width), 1)
        high = low + n * width
    return np.linspace(low, high, n + 1)


def numbers_of(peak, found):
    """Give what is written of a peak; the errors down and up where the likelihood is uneven."""
    numbers = [peak.position, peak.position_error, peak.fwhm, peak.fwhm_error]
    numbers += [peak.fwtm, peak.fwtm_error, peak.area, peak.area_error]
    numbers += [found.chi2, found.ndof, found.p_value]
    for errors in (peak.position_errors, peak.fwhm_errors, peak.fwtm_errors, peak.area_errors):
        numbers += errors or ("", "")
    return numbers


'''

_FIT_EACH = """\
rows = []
for name, path in tier2_files.items():
    with TierFile(path) as file:
        table = file.table("data")
        passing = passing_of(table, name)
        for title, fit in FITS.items():
            request = FitRequest(**fit["request"])
            numbers = column_of(table, name, fit["column"])[rows_of(table, fit["channel"]) & passing]
            n = request.n_bins or min(240 * max(len(request.positions), 1), 960)
            edges = window_of(numbers, request.low, request.high, n)
            heights = np.histogram(numbers[numbers < edges[-1]], edges)[0]
            found = fit_region(heights, edges, request, within=fit.get("within", EVERYWHERE))
            for at, peak in enumerate(found.peaks, 1):
                rows.append([name, title, at, *numbers_of(peak, found)])
            if not found.converged:
                print(f"{name}, {title}: {found.note}")
"""

_FIT_WRITE = """
with open(folder / f"{stem}_fits.csv", "w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file)
    names = "position position_error fwhm fwhm_error fwtm fwtm_error area area_error chi2 ndof p_value"
    kinds, ways = ("position", "fwhm", "fwtm", "area"), ("down", "up")
    uneven = [f"{kind}_error_{way}" for kind in kinds for way in ways]
    writer.writerow(["run", "fit", "peak", *names.split(), *uneven])
    writer.writerows(rows)
print(f"wrote {file.name}")
"""

_SET_FILES = """\
RUNS = {NAME: {"output": str(Path(next(iter(FILES.values()))).parent)}}
tier2_files = {name: Path(path) for name, path in FILES.items()}
tier1_files = {name: Path(path) for name, path in TIER1_FILES.items()}
"""

_SET_EACH = """
parts = {channel: [] for channel in CHANNELS}
n_rows = 0
for name, path in tier2_files.items():
    with TierFile(path) as file:
        if "data" not in file.keys:
            continue
        table = file.table("data")
        n_rows += table.n_rows
        column = column_of(table, name, COLUMN).astype(float)
        passing = passing_of(table, name)
        for channel, place in CHANNELS.items():
            parts[channel].append(column[rows_of(table, place) & passing])
values = {
    NAME if len(parts) == 1 else f"{NAME}, {channel}": np.concatenate([np.zeros(0), *found])
    for channel, found in parts.items()
}
print(f"{len(tier2_files)} runs, {n_rows} rows")
"""

_SET_FIT_EACH = """\
heights, windows = {}, {}
for name, path in tier2_files.items():
    with TierFile(path) as file:
        if "data" not in file.keys:
            continue
        table = file.table("data")
        passing = passing_of(table, name)
        for title, fit in FITS.items():
            request = FitRequest(**fit["request"])
            numbers = column_of(table, name, fit["column"])[rows_of(table, fit["channel"]) & passing]
            n = request.n_bins or min(240 * max(len(request.positions), 1), 960)
            edges = windows.setdefault(title, window_of(numbers, request.low, request.high, n))
            counted = np.histogram(numbers[numbers < edges[-1]], edges)[0]
            heights[title] = heights.get(title, 0) + counted

rows = []
for title, edges in windows.items():
    fit = FITS[title]
    found = fit_region(
        heights[title], edges, FitRequest(**fit["request"]), within=fit.get("within", EVERYWHERE)
    )
    for at, peak in enumerate(found.peaks, 1):
        rows.append([NAME, title, at, *numbers_of(peak, found)])
    if not found.converged:
        print(f"{NAME}, {title}: {found.note}")
"""
