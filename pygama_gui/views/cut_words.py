"""Says in words what cuts do."""

from __future__ import annotations

import math

from pygama.analysis.efficiency import EfficiencyTable, Ratio, Survival
from pygama_gui.data.cutting import Problem
from pygama_gui.data.tally import Figures
from pygama_gui.widgets import words

HEAD = ("cut", "left", "passes", "alone")
REGION = "region"


def share(found: Ratio) -> str:
    """Write a share in per cent with its interval: '21.74 % (21.31–22.18)'."""
    if not found.n_in:
        return words.UNKNOWN
    width = max(found.high - found.low, 1e-9) * 100
    decimals = min(max(0, 1 - math.floor(math.log10(width))), 4)
    value, low, high = (f"{100 * one:.{decimals}f}" for one in (found.value, found.low, found.high))
    return f"{value} % ({low}–{high})"


def short_share(found: Ratio) -> str:
    """Write a share in per cent with the half of its interval: '21.7 ± 0.4 %'."""
    if not found.n_in:
        return words.UNKNOWN
    return f"{words.with_error(100 * found.value, 50 * (found.high - found.low))} %"


def passing(found: Ratio) -> str:
    """Write how many pass: '6 534 of 10 000 · 65.3 % (64.9–65.8)'."""
    return f"{words.count(found.n_out)} of {words.count(found.n_in)} · {share(found)}"


def survival(found: Survival | None) -> str:
    """Write what survives in a peak: '91.2 ± 0.4 %'."""
    if found is None or not math.isfinite(found.value):
        return words.UNKNOWN
    return f"{words.with_error(100 * found.value, 100 * found.error)} %"


def problem(found: Problem) -> str:
    """Say why a cut is not applied."""
    mark = "▲" if found.is_of_run else "✕"
    place = "" if found.position is None else f" (character {found.position + 1})"
    return f"{mark} not applied: {found.sentence}{place}"


def table(figures: Figures) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Give the head and the rows of the table of efficiencies."""
    has_region = figures.peak is not None
    rows = []
    for one in figures.table.rows:
        is_on = one.in_order is not None
        row = (
            one.name,
            words.count(one.in_order.n_out) if one.in_order is not None else "off",
            short_share(one.in_order if one.in_order is not None else one.alone),
            words.count(one.n_lost_alone),
        )
        rows.append((*row, *([survival(figures.survivals.get(one.name)) if is_on else ""] * has_region)))
    total = figures.table.total
    end = ("all", words.count(total.n_out), short_share(total), "")
    rows.append((*end, *([survival(figures.survival)] * has_region)))
    return (*HEAD, *([REGION] * has_region)), rows


def text(figures: Figures) -> str:
    """Write the table for other programs: one line a cut, tabs between."""
    head = ["cut", "n in", "n out", "efficiency", "low", "high", "lost by it alone", "NaN"]
    peak = figures.peak
    head += [f"survival in {peak.column}", "error"] if peak is not None else []
    lines = ["\t".join(head)]
    for one in figures.table.rows:
        found = one.in_order if one.in_order is not None else one.alone
        name = one.name if one.in_order is not None else f"{one.name} (off)"
        cells = [name, *_cells(found), str(one.n_lost_alone), str(one.n_nan)]
        lines.append("\t".join(cells + _survival_cells(figures, figures.survivals.get(one.name))))
    cells = ["all", *_cells(figures.table.total), "", ""]
    lines.append("\t".join(cells + _survival_cells(figures, figures.survival)))
    return "\n".join(lines) + "\n"


def _cells(found: Ratio) -> list[str]:
    return [
        str(found.n_in),
        str(found.n_out),
        *(f"{one:.6g}" for one in (found.value, found.low, found.high)),
    ]


def _survival_cells(figures: Figures, found: Survival | None) -> list[str]:
    if figures.peak is None:
        return []
    return ["", ""] if found is None else [f"{found.value:.6g}", f"{found.error:.3g}"]


def total(found: EfficiencyTable) -> str:
    """Say what all cuts that are on do together."""
    return f"{passing(found.total)} pass all"
