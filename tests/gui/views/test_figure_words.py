"""Tests the words for the figures of a channel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pygama_gui.data.health import Figures
from pygama_gui.views.figure_words import baseline_words, rate_words


def figures(n_events: int, baseline: float, scatter: float) -> Figures:
    return Figures(0, n_events, math.nan, math.nan, baseline, scatter, counts=np.zeros(0, np.int64))


@pytest.mark.parametrize(
    ("n", "rate", "baseline"), [(1, "1 event", "bl 8162.4 ADC"), (2, "2 events", "bl 8162.4 ± 3.1 ADC")]
)
def test_one_event_has_no_scatter(n: int, rate: str, baseline: str) -> None:
    found = figures(n, 8162.4, 3.1 if n > 1 else 0.0)
    assert (rate_words(found), baseline_words(found)) == (rate, baseline)
