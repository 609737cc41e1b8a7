"""Writes the figures of a channel: rate, baseline, width of its peak."""

from __future__ import annotations

import math

from pygama_gui.data.anchors import TELLING
from pygama_gui.data.health import Figures, Peak
from pygama_gui.jobs.board import counted
from pygama_gui.widgets import words

LEAST_AS_LEVEL = 0.1
"""A scatter of a baseline from here on, in ADC counts, has one digit as the baseline itself."""


def rate_words(figures: Figures) -> str:
    """Write the rate with its error; the events where no rate is known."""
    if math.isfinite(figures.rate) and figures.n_events:
        return f"{words.with_error(figures.rate, figures.rate_error)} Hz"
    return counted(figures.n_events, "event")


def baseline_words(figures: Figures) -> str:
    """Write the median of the baseline and its scatter from event to event: 'bl 8162.4 ± 3.1 ADC'."""
    if not math.isfinite(figures.baseline):
        return ""
    rms = figures.baseline_rms
    written = words.level(rms) if rms >= LEAST_AS_LEVEL else words.three_digits(rms)
    scatter = f" ± {written}" if figures.n_events > 1 else ""
    return f"bl {words.level(figures.baseline)}{scatter} ADC"


def fwhm_words(peak: Peak, unit: str) -> str:
    """Write the FWHM of the peak, and which one it is; nothing where the fit does not tell the width."""
    if not peak.fwhm_error < TELLING * peak.fwhm:
        return ""
    line = peak.name.partition(" ")[0] or f"at {words.with_error(peak.position, peak.position_error)}"
    return f"{f'FWHM {words.with_error(peak.fwhm, peak.fwhm_error)} {unit}'.rstrip()} ({line})"
