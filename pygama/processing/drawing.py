"""Draws what a step does to one waveform, for steps with the setting {"test": True}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pygama.processing.plan import Operation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_operations(operations: Sequence[Operation], arrays: Mapping[str, np.ndarray]) -> list[Figure]:
    """Draw each step in a figure of its own and show them where there is a screen.

    arrays: everything that the steps read and write, of one row.
    """
    import matplotlib
    import matplotlib.pyplot as plt

    figures = []
    for operation in operations:
        figure, axes = plt.subplots()
        _draw(axes, operation, arrays)
        figures.append(figure)
    # Backends that only make files, such as agg, warn when they are asked to show.
    if matplotlib.get_backend().lower() not in ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template"):
        plt.show()
    return figures


def _draw(axes: Axes, operation: Operation, arrays: Mapping[str, np.ndarray]) -> None:
    for name in dict.fromkeys((*operation.reads, *operation.writes)):
        if name in arrays and arrays[name].ndim == 2:
            axes.plot(arrays[name][0], linewidth=1, label=name)
    values = [f"{name} = {arrays[name][0]:g}" for name in operation.writes if arrays[name].ndim == 1]
    axes.set_title(", ".join([operation.label, *values]))
    axes.set_xlabel("sample")
    axes.set_ylabel("ADC counts")
    axes.legend()
