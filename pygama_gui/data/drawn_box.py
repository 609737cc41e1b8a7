"""Makes of what was drawn over waveforms a box that a cut can name, or says why that cannot be."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from pygama.boxes import Box
from pygama_gui.data.gates import Part, Polygon, rectangle, rounded_to
from pygama_gui.data.shaping import BASELINES, RAW, SUBTRACTED, Look, reads_of, step_that_writes, units_of
from pygama_gui.session.state import Step

NOT_IN_COUNTS = (
    "A box has heights in ADC counts: leave off keV (K) and the normalising (Shift+U), then draw it"
)
NOT_FROM_THE_START = "A box has times from the first sample: align by that (Waveform > Align), then draw it"
NO_BASELINE = (
    "The run keeps no column of the baseline that is subtracted here: show the heights as they were "
    "recorded (U), then draw the box"
)
Range = tuple[float, float]
MOVES = {
    "corner": (("first", "low"), ("last", "low"), ("last", "high"), ("first", "high")),
    "side": (("low",), ("last",), ("high",), ("first",)),
}
"""What moves with a corner or a side of the outline, by its number."""


def why_no_box(look: Look) -> str:
    """Say why no box can be drawn over waveforms as they are looked at; empty where one can."""
    if look.is_normalised or look.is_calibrated:
        return NOT_IN_COUNTS
    return NOT_FROM_THE_START if look.aligned_by else ""


def baseline_of(chain: Sequence[Step], columns: Collection[str], look: Look) -> tuple[str, ...] | None:
    """Give the columns of the line that heights are counted from; None where they are not known.

    columns: those that the run has. Nothing is subtracted from heights as they were recorded.
    """
    if not look.needs_baseline:
        return ()
    found = step_that_writes(chain, SUBTRACTED)
    if found is not None:
        step, known = found
        names = (
            tuple(name for name in reads_of(step, known) if name != RAW) if step.step == "bl_subtract" else ()
        )
    else:
        made = units_of(chain)
        names = tuple(name for name in BASELINES if name in made)[:1]
    return names if names and all(name in columns for name in names) else None


def box_of(
    above: tuple[str, ...], x_range: Range, y_range: Range, px: tuple[float, float], n_samples: int
) -> Box | None:
    """Give the box of a drawn one, which holds the samples inside; None beyond the record.

    x_range: in samples from the first. px: width and height of a pixel; heights are written no finer.
    """
    first, last = math.ceil(x_range[0]), math.floor(x_range[1])
    if last < first:  # between two samples: the nearer one
        first = last = round((x_range[0] + x_range[1]) / 2)
    first, last = max(first, 0), min(last, n_samples - 1)
    low, high = (rounded_to(end, px[1]) for end in y_range)
    if first > last:
        return None
    return Box(first, last, low, high if low < high else low + max(px[1], 1e-9), above)


def outline_of(box: Box) -> Polygon:
    """Give the outline of a box in samples and heights: half a sample around those that it holds."""
    return rectangle((box.first - 0.5, box.last + 0.5), (box.low, box.high))


def moved_box(box: Box, part: Part, by: Range, px: float, n_samples: int) -> Box:
    """Move a part of a box by samples and by a height; it keeps within the record.

    px: height of a pixel; ends that move are written no finer, the others stay as they are. Ends that cross
    change places.
    """
    if part.kind == "body":
        along = min(max(round(by[0]), -box.first), max(n_samples - 1 - box.last, -box.first))
        up = rounded_to(by[1], px)
        first, last = box.first + along, box.last + along
        return replace(box, first=first, last=last, low=box.low + up, high=box.high + up)
    ends: dict[str, float] = {"first": box.first, "last": box.last, "low": box.low, "high": box.high}
    for name in MOVES[part.kind][part.number]:
        if name in ("first", "last"):
            ends[name] = min(max(ends[name] + round(by[0]), 0), max(n_samples - 1, 0))
        else:
            ends[name] = rounded_to(ends[name] + by[1], px)
    first, last = sorted((int(ends["first"]), int(ends["last"])))
    low, high = sorted((ends["low"], ends["high"]))
    return Box(first, last, low, high if low < high else low + max(px, 1e-9), box.above)
