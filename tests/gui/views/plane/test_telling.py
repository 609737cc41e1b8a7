"""Tests what the plane says of the bin under the cursor."""

from __future__ import annotations

from pygama_gui.data.linked import Axis
from pygama_gui.views.plane.telling import _bin_words


def test_a_bin_is_told_with_the_unit_of_its_column_and_grouped_thousands() -> None:
    assert _bin_words(Axis("trap_max", 0.0, 40_000.0, 400), 385) == "trap_max 38\u202f500 to 38\u202f600 ADC"
    assert _bin_words(Axis("trap_max", 0.0, 400.0, 4), 1, is_short=True) == "100 to 200 ADC"
    assert _bin_words(Axis("trap_max", 0.0, 1.0, 4), 1) == "trap_max 0.25 to 0.50 ADC"
    assert _bin_words(Axis("bl_slope", -1.0, 1.0, 10), 0) == "bl_slope −1.0 to −0.8 ADC/sample"
