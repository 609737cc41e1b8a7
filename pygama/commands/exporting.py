"""Adds the commands that write for other programs and for print: export and spectrum."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygama.commands.parts import add_calibration, add_tagging, command, tagging_of
from pygama.errors import SettingsError

if TYPE_CHECKING:
    from pygama.analysis.cuts import CutSet

TABLES = "its end says what is written: .csv, .parquet, .lh5 or .root"
SPECTRA = "its end says what is written: .csv, .spe, .n42, .png, .svg or .pdf"
RANGE = "of the bins (default: what holds nearly all)"
ENERGY = "count energies by this calibration, in keV"
CUT_HELP = "only events that pass, as 'trap_max > 1000 & ~is_pulser'"


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    export = command(commands, "export", _export, "write a table for other programs: CSV, Parquet, LH5, ROOT")
    export.add_argument("file", type=Path, metavar="T2FILE")
    export.add_argument(
        "output",
        type=Path,
        metavar="FILE",
        help="its end says what is written: .csv, .parquet, .lh5 or .root",
    )
    export.add_argument("--columns", nargs="+", metavar="NAME", help="columns that are wanted (default: all)")
    export.add_argument("--cut", metavar="TEXT", help=CUT_HELP)
    export.add_argument("--pulser", action="store_true", help="add a column is_pulser")
    add_tagging(export)
    add_calibration(export, "add a column COLUMN_kev, which a cut may name: 'trap_max_kev > 2000'")
    export.add_argument("--key", default="data", help="table in the file (default %(default)s)")

    spectrum = command(commands, "spectrum", _spectrum, "histogram a column and write it, or draw it")
    spectrum.add_argument("files", type=Path, nargs="+", metavar="T2FILE", help="counted together")
    spectrum.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="its end says what is written: .csv, .spe, .n42, .png, .svg or .pdf",
    )
    spectrum.add_argument("--column", help="(default: trap_max, or that of the calibration)")
    spectrum.add_argument(
        "--range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="(default: what holds nearly all)"
    )
    spectrum.add_argument("--bins", type=int, default=8192, metavar="N", help="(default %(default)s)")
    spectrum.add_argument("--cut", metavar="TEXT", help=CUT_HELP)
    add_tagging(spectrum)
    add_calibration(spectrum, "histogram COLUMN_kev instead of COLUMN")
    spectrum.add_argument("--linear", action="store_true", help="draw counts as they are, not as logarithms")


def _cut(text: str | None) -> CutSet | None:
    if text is None:
        return None
    from pygama.analysis.cuts import Cut, CutSet

    return CutSet((Cut("wanted", text),))


def _export(options: argparse.Namespace) -> int:
    from pygama.storage.table_files import write_table

    chosen = _cut(options.cut)
    n_rows = write_table(
        options.file,
        options.output,
        key=options.key,
        columns=options.columns,
        chosen=chosen,
        added=_told(options, set() if chosen is None else set(chosen.columns)),
        about={
            "cut": options.cut or "",
            "events": tagging_of(options).words,
            "calibration": "" if options.calibration is None else options.calibration.name,
        },
    )
    print(f"Wrote {options.output} ({options.output.stat().st_size / 1e6:.3f} MB), {n_rows} rows")
    return 0


def _told(options: argparse.Namespace, named: set[str]) -> Any:
    """Give what makes the columns that are added, block for block; None where none is wanted.

    named: columns that the cut reads.
    """
    from pygama.storage import TierFile

    with TierFile(options.file) as file:
        there = set(file.table(options.key).columns)
    adders = [
        _energies(options, (named | set(options.columns or ())) - there),
        _tags(options, named, there),
    ]
    return _All([adder for adder in adders if adder is not None]) if any(adders) else None


class _All:
    """Adds what several adders make of a block of rows."""

    def __init__(self, adders: Sequence[Any]) -> None:
        self._adders = adders

    def __call__(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values for adder in self._adders for name, values in adder(columns).items()}


def _energies(options: argparse.Namespace, wanted: set[str]) -> Any:
    """Give what makes the energies of a block of rows; None where no calibration is given."""
    if options.calibration is None:
        if lacking := sorted(name for name in wanted if name.endswith("_kev")):
            raise SettingsError(
                f"{options.file.name} has no column {lacking[0]!r}; energies need a calibration of that "
                "column: give its file (--calibration FILE.json)"
            )
        return None
    from pygama.analysis.calibration import apply
    from pygama.analysis.calibration_file import read_calibration
    from pygama.processing.digest import differing, file_digests, other_chain_words

    held = read_calibration(options.calibration)
    if others := differing(held.digests, file_digests([options.file], held.column, held.digests)):
        _say_missing([other_chain_words(held.column, others)])
    return partial(apply, held)


def _tags(options: argparse.Namespace, named: set[str], there: set[str]) -> Any:
    """Give what makes the columns of the pulser and of events; None where none is wanted."""
    from pygama.analysis.tagging import OF_EVENTS, PULSER, TagsInTurn, tags_of, wanted_by

    wanted = named | ({PULSER} if options.pulser else set())
    wanted |= set(OF_EVENTS) if options.window is not None else set()
    tagging = wanted_by(wanted - there, tagging_of(options))
    if not tagging.names:
        return None
    tagged = tags_of(options.file, tagging)
    _say_missing(tagged.missing)
    return TagsInTurn(tagged)


def _say_missing(notes: Iterable[str]) -> None:
    for note in notes:
        print(f"careful: {note}", file=sys.stderr)


def _spectrum(options: argparse.Namespace) -> int:
    from pygama.spectra import SUFFIXES, count_spectrum, save_spectrum

    if options.output.suffix.lower() not in SUFFIXES:
        raise SettingsError(f"{options.output.name}: a spectrum ends in {', '.join(SUFFIXES)}")
    spectrum = count_spectrum(
        options.files,
        options.column,
        limits=None if options.range is None else tuple(options.range),
        n_bins=options.bins,
        cut=options.cut,
        calibration=options.calibration,
        tagging=tagging_of(options),
    )
    _say_missing(spectrum.notes)
    save_spectrum(options.output, spectrum, is_log=not options.linear)
    print(f"Wrote {options.output}: {int(spectrum.counts.sum())} counts in {len(spectrum.counts)} bins")
    return 0
