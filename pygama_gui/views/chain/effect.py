"""Says in words what the settings do to a peak, and claims no more than the errors allow."""

from __future__ import annotations

import math

from pygama.analysis.peaks import PeakFit
from pygama.quick_dataclass import dataclass
from pygama_gui.data.measure import Measure
from pygama_gui.data.preview import CLEAR, Compared
from pygama_gui.widgets import words

SAME_PLACE = 0.0005


@dataclass(frozen=True)
class Effect:
    """fwhm: the two widths; change: whether they differ; tone: 'ok' where sharper, 'warn' where wider."""

    fwhm: str = ""
    change: str = ""
    tone: str = "soft"

    @property
    def short(self) -> str:
        """Both in one line."""
        return ", ".join(part for part in (self.fwhm, self.change) if part)


def effect_words(found: Compared, measure: Measure) -> Effect:
    """Say what changed at the line: 'FWHM 23.1 ± 0.4 → 21.8 ± 0.4 ADC', '5.6 ± 1.2 % narrower, 4.6 σ'."""
    if found.problem:
        return Effect("", found.problem, "bad")
    old, new = found.old_fit, found.new_fit
    if new is None:
        return Effect()
    now = width_words(new, measure, found.scale)
    if old is None or not found.asked.is_changed:
        return (
            Effect(f"FWHM {now} {measure.unit}".rstrip())
            if new.converged
            else Effect("", _why(new, measure, found.scale))
        )
    fwhm = f"FWHM {width_words(old, measure)} → {now} {measure.unit}".rstrip()
    return Effect(fwhm, *change_words(found))


def _why(fit: PeakFit, measure: Measure, scale: float) -> str:
    """Say why no peak was fitted, and what to do where none is."""
    if not fit.note.endswith("too few to fit"):
        return fit.note
    ends = [end if measure.curve is None else end / scale for end in fit.window]
    low, high = map(words.level, sorted(measure.shown(ends).tolist()))
    place = f"from {low} to {high} {measure.unit}".rstrip()
    return f"Too few counts {place} to fit: click another peak, or press P"


def width_words(fit: PeakFit, measure: Measure, scale: float = 1.0) -> str:
    """Write the width of a fitted peak; 'no fit' where there is none."""
    return words.with_error(*measure.width(fit, scale)) if fit.converged else "no fit"


def change_words(found: Compared) -> tuple[str, str]:
    """Say how much sharper or wider the peak became, and in which tone."""
    change, error = found.change, found.change_error
    if not math.isfinite(change):
        return "", "soft"
    moved = abs(found.scale - 1) > SAME_PLACE
    of = " at equal gain" if moved else ""
    size = words.with_error(100 * abs(change), 100 * error) if error > 0 else f"{100 * abs(change):.2g}"
    kind, tone = ("narrower", "ok") if change < 0 else ("wider", "warn")
    if not found.sigmas >= CLEAR:
        return f"no clear difference ({size} % {kind}{of})", "soft"
    return f"{size} % {kind}{of}, {found.sigmas:.1f} σ (same events)", tone
