"""Says in words what cuts do."""

from __future__ import annotations

import math
from collections.abc import Callable

from pygama.analysis.efficiency import CutEfficiency, EfficiencyTable, Ratio, Survival
from pygama_gui.data.chain_facts import unit_of
from pygama_gui.data.cutting import Problem
from pygama_gui.data.tally import Figures, PeakSurvival
from pygama_gui.session.calibration_changes import calibrations_of, of_channel
from pygama_gui.session.state import Session
from pygama_gui.widgets import words

Row = tuple[str, ...]
TELLS_NOTHING = 0.5
"""Half of what a share can be: an error above it leaves open whether a peak survives."""
HEAD = ("cut", "left", "passes", "alone")
EXAMPLE = "8300 <= trap_max < 9050"
"""A cut where there are no energies."""
AROUND_KEV = 10
"""How far around a line the cut of an example goes."""


def example(session: Session) -> str:
    """Give a cut to begin with: around the highest line of a calibration, if there is one."""
    shown = session.spectrum.column
    known = calibrations_of(session, session.selected_run)
    for one in sorted(known, key=lambda one: shown not in (one.column, one.energy_column)):
        channel = of_channel(one, None)
        lines = [] if channel is None else [line.energy_kev for line in channel.lines if line.is_used]
        if lines:
            at = round(max(lines))
            return f"{at - AROUND_KEV} <= {one.energy_column} < {at + AROUND_KEV}"
    return EXAMPLE


def share(found: Ratio) -> str:
    """Write a share in per cent with its interval: '21.74 % (21.31–22.18)'."""
    if not found.n_in:
        return words.UNKNOWN
    decimals = _decimals(100 * (found.high - found.low))
    value, low, high = (f"{100 * one:.{decimals}f}" for one in (found.value, found.low, found.high))
    return f"{value} % ({low}–{high})"


def _decimals(width: float) -> int:
    """Give the decimals that show two digits of a width."""
    return min(max(0, 1 - math.floor(math.log10(max(width, 1e-7)))), 4)


def short_share(found: Ratio) -> str:
    """Write a share in per cent with its errors: '21.7 ± 0.4 %'; of none and of all how far it may reach."""
    if not found.n_in:
        return words.UNKNOWN
    down, up = 100 * (found.value - found.low), 100 * (found.high - found.value)
    if not found.n_out:
        return f"< {up:.2g} %"
    if found.n_out == found.n_in:
        return f"> {100 - down:.{_decimals(down)}f} %"
    return f"{words.with_errors(100 * found.value, max(down, up), (down, up))} %"


def passing(found: Ratio) -> str:
    """Write how many pass: '6 534 of 10 000 · 65.3 % (64.9–65.8)'."""
    return f"{words.count(found.n_out)} of {words.count(found.n_in)} · {share(found)}"


def lost(found: CutEfficiency) -> str:
    """Say how many events a cut alone takes away."""
    n = words.count(found.n_lost_alone)
    return (
        f"{n} lost to this cut alone" if found.in_order is not None else f"off; on, it alone would take {n}"
    )


def survival(found: Survival | None) -> str:
    """Write what survives in a peak: '91.2 ± 0.4 %'; what may as well be nothing or all is not known."""
    if found is None or not math.isfinite(found.value) or found.error > TELLS_NOTHING:
        return words.UNKNOWN
    return f"{words.with_error(100 * found.value, 100 * found.error)} %"


def problem(found: Problem) -> str:
    """Say why a cut is not applied."""
    mark = "▲" if found.is_of_run else "✕"
    place = "" if found.position is None else f" (character {found.position + 1})"
    return f"{mark} not applied: {found.sentence}{place}"


def table(figures: Figures) -> tuple[Row, list[Row]]:
    """Give the head and the rows of the table of efficiencies."""
    rows: list[Row] = []
    for one in figures.table.rows:
        row = (
            one.name,
            words.count(one.in_order.n_out) if one.in_order is not None else "off",
            short_share(one.in_order if one.in_order is not None else one.alone),
            words.count(one.n_lost_alone),
        )
        rows.append(row)
    total = figures.table.total
    rows.append(("all", words.count(total.n_out), short_share(total), ""))
    return HEAD, rows


def survival_table(figures: Figures, chosen: str | None = None) -> tuple[Row, list[Row]]:
    """Give the head and the rows of what survives of each peak.

    There is a column for each cut that is on, and one for all of them; chosen: the only cut with a column.
    The unit of the peaks stands in the head where they have one: the end of a long name may be cut.
    """
    on = [one.name for one in figures.table.rows if one.in_order is not None]
    names = [name for name in on if chosen is None or name == chosen]
    peaks = [one.peak.bands.name for one in figures.peaks]
    units = {unit_of(one.peak.column) for one in figures.peaks}
    unit = f" {units.pop()}" if len(units) == 1 else ""
    is_in_head = unit.strip() != "" and all(name.endswith(unit) for name in peaks)
    rows = [
        (
            peak.peak.bands.name.removesuffix(unit) if is_in_head else peak.peak.bands.name,
            *(survival(_by_cut(peak, name)) for name in names),
            survival(_by_all(peak)),
        )
        for peak in figures.peaks
    ]
    return (f"peak ({unit.strip()})" if is_in_head else "peak", *names, "all"), rows


def _by_cut(found: PeakSurvival, name: str) -> Survival | None:
    """Give what survives a cut; None where it takes the background away that shows beside the peak."""
    return None if name in found.through else found.by_cut.get(name)


def _by_all(found: PeakSurvival) -> Survival | None:
    return None if found.through else found.by_all


def about_peak(found: PeakSurvival) -> str:
    """Say what a row of the table of survival holds."""
    (low, high), bands = found.peak.bands.window, found.peak.bands
    sides = ", ".join(f"{a:.6g} to {b:.6g}" for a, b in (bands.below, bands.above))
    return (
        f"What survives of {found.peak.column} from {low:.6g} to {high:.6g}, above the bands beside it "
        f"({sides}): of what passed the cuts above. Not told of a range of {found.peak.column} that ends "
        "there: it takes away what the peak is measured against"
    )


def text(figures: Figures) -> str:
    """Write the table for other programs: one line a cut, tabs between."""
    head = ["cut", "n in", "n out", "efficiency", "low", "high", "lost by it alone", "NaN"]
    for one in figures.peaks:
        low, high = one.peak.bands.window
        head += [f"survival of {one.peak.column} {low:.6g} to {high:.6g}", "error"]
    lines = ["\t".join(head)]
    for row in figures.table.rows:
        found = row.in_order if row.in_order is not None else row.alone
        name = row.name if row.in_order is not None else f"{row.name} (off)"
        cells = [name, *_cells(found), str(row.n_lost_alone), str(row.n_nan)]
        ends = [_survival_cells(_by_cut(peak, row.name)) for peak in figures.peaks]
        lines.append("\t".join(sum(ends, cells)))
    cells = ["all", *_cells(figures.table.total), "", ""]
    lines.append("\t".join(sum((_survival_cells(_by_all(peak)) for peak in figures.peaks), cells)))
    return "\n".join(lines) + "\n"


def _cells(found: Ratio) -> list[str]:
    return [
        str(found.n_in),
        str(found.n_out),
        *(f"{one:.6g}" for one in (found.value, found.low, found.high)),
    ]


def _survival_cells(found: Survival | None) -> list[str]:
    return ["", ""] if found is None else [f"{found.value:.6g}", f"{found.error:.3g}"]


def total(found: EfficiencyTable, share: Callable[[Ratio], str] = share) -> str:
    """Say what all cuts that are on do together. share: writes the share that passes."""
    if not any(one.in_order is not None for one in found.rows):
        return "No cut is on"
    if not found.total.n_in:
        return ""
    n_out, n_in = words.count(found.total.n_out), words.count(found.total.n_in)
    return f"{n_out} of {n_in} pass all · {share(found.total)}"
