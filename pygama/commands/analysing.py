"""Adds the commands that look into Tier 2: select, live, events, calibrate and drift."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from pygama.commands.parts import add_calibration, add_tagging, command, tagging_of, unit_of_column
from pygama.errors import SettingsError


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    _add_select(commands)
    _add_physics(commands)
    _add_calibrate(commands)


def _add_select(commands: Any) -> None:
    select = command(
        commands, "select", _select, "write the waveforms of events that pass a cut into a new Tier 1 file"
    )
    select.add_argument("t1", type=Path, metavar="T1FILE")
    select.add_argument("t2", type=Path, metavar="T2FILE", help="the Tier 2 file of the same run")
    select.add_argument(
        "--cut", required=True, metavar="TEXT", help="which events, as 'trap_max > 100 & ~is_pulser'"
    )
    select.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="file to make")
    select.add_argument(
        "--compression", default="zstd", help="zstd (default), lz4 (quicker, larger), zlib or none"
    )
    add_tagging(select)
    add_calibration(select, "the cut may name COLUMN_kev, as 'trap_max_kev > 2000'")


def _add_physics(commands: Any) -> None:
    live = command(commands, "live", _live, "find the pulser, and the real and live time of each channel")
    live.add_argument("t2", type=Path, metavar="T2FILE")
    live.add_argument(
        "--tier1", type=Path, metavar="T1FILE", help="file with the run records (default: the one beside it)"
    )
    live.add_argument(
        "--column", default="trap_max", help="height by which the pulser is found (default %(default)s)"
    )

    events = command(commands, "events", _events, "put hits of several channels together, and count them")
    events.add_argument("t2", type=Path, metavar="T2FILE")
    add_tagging(events, is_needed=True)
    events.add_argument(
        "--column", default="trap_max", help="height by which the pulser is found (default %(default)s)"
    )


def _add_calibrate(commands: Any) -> None:
    calibrate = command(
        commands, "calibrate", _calibrate, "find the lines of a source in Tier 2 files: ADC counts to keV"
    )
    calibrate.add_argument("files", type=Path, nargs="+", metavar="T2FILE", help="taken as one run")
    calibrate.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME",
        help="as Th-228; may be given several times; without it, all that are known are tried",
    )
    calibrate.add_argument("--column", default="trap_max", help="column to calibrate (default %(default)s)")
    calibrate.add_argument(
        "--gain", type=float, metavar="ADC", help="ADC counts per keV that are expected, to 10 %%"
    )
    calibrate.add_argument("--quadratic", action="store_true", help="fit a parabola, not a straight line")
    calibrate.add_argument("--through-zero", action="store_true", help="0 ADC counts are 0 keV")
    calibrate.add_argument(
        "--with-escapes", action="store_true", help="count the widths of escape peaks for FWHM(E)"
    )
    calibrate.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.json",
        help="write the calibration; it is applied when files are read, and changes none",
    )

    drift = command(commands, "drift", _drift, "say how lines and gains moved between two calibrations")
    drift.add_argument("old", type=Path, metavar="OLD.json")
    drift.add_argument("new", type=Path, metavar="NEW.json")
    drift.add_argument(
        "--sigma", type=float, default=3.0, help="least significance to report (default %(default)s)"
    )


def _select(options: argparse.Namespace) -> int:
    from pygama.progress import Done, Message, print_progress
    from pygama.retrieve import select_events

    tell, rows = print_progress(), 0

    def listen(message: Message) -> None:
        nonlocal rows
        tell(message)
        rows = message.rows if isinstance(message, Done) else rows

    path = select_events(
        options.t1,
        options.t2,
        options.cut,
        options.output,
        compression=options.compression,
        tagging=tagging_of(options),
        calibration=options.calibration,
        tell=listen,
    )
    tell.end_line()
    print(f"Wrote {path} ({path.stat().st_size / 1e6:.3f} MB), {rows} events")
    return 0


def _live(options: argparse.Namespace) -> int:
    from pygama.analysis.live_time import live_times
    from pygama.storage import TierFile

    with TierFile(options.t2) as file:
        table = file.table("data")
        wanted = ("time_s", "channel", "card", "crate", options.column)
        columns = {name: table.column(name) for name in wanted if name in table.columns}
    beside = options.t2.with_name("t1_" + options.t2.name.removeprefix("t2_"))
    tier1 = options.tier1 or (beside if beside != options.t2 and beside.is_file() else None)
    found = live_times(columns, tier1=tier1, amplitude=options.column)
    print("\n".join([*(found.tag.lines() if found.tag is not None else ()), *found.lines()]))
    return 0


def _events(options: argparse.Namespace) -> int:
    from pygama.analysis.tagging import tags_of

    tagging = replace(tagging_of(options), has_pulser=True, amplitude=options.column)
    print("\n".join(tags_of(options.t2, tagging).lines))
    return 0


def _calibrate(options: argparse.Namespace) -> int:
    from pygama.analysis.calibration import PLACE, Recipe, calibrate_channels, read_together, report
    from pygama.analysis.calibration_file import write_calibration
    from pygama.processing.digest import file_digests

    gain_range = None if options.gain is None else (0.9 * options.gain, 1.1 * options.gain)
    recipe = Recipe(
        tuple(options.source),
        gain_range,
        is_quadratic=options.quadratic,
        is_through_zero=options.through_zero,
        with_escapes=options.with_escapes,
    )
    columns = read_together(options.files, [*PLACE, options.column])
    unit = unit_of_column(options.column)
    calibration = calibrate_channels(
        columns,
        recipe,
        column=options.column,
        made_from=[file.name for file in options.files],
        unit=unit or options.column,
    )
    for line in report(calibration, unit):
        print(line)
    if all(one.curve is None for one in calibration.channels.values()):
        raise SettingsError("no channel could be calibrated; nothing was written")
    if options.output is not None:
        made_with = file_digests(options.files, options.column, calibration.channels)
        calibration = calibration.with_digests(made_with)
        write_calibration(options.output, calibration)
        print(f"\nWrote {options.output}")
    return 0


def _drift(options: argparse.Namespace) -> int:
    from pygama.analysis.calibration_file import read_calibration
    from pygama.analysis.drift import report

    for line in report(read_calibration(options.old), read_calibration(options.new), min_sigma=options.sigma):
        print(line)
    return 0
