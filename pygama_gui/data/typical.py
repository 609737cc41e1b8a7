"""Finds the waveforms of a bunch that are most like the others in shape, and those that are least so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.live_set import RUN
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import Look, Shaped, shape
from pygama_gui.session.state import Step

N_OF_EACH = 5


@dataclass(frozen=True, eq=False)
class Picked:
    """One waveform of many. x: samples from time 0, heights: as they are looked at, (n,) each.

    event, run: its numbers, None where they are not known. distance: of its shape from the mean shape, as a
    share of the height.
    """

    x: np.ndarray
    heights: np.ndarray
    distance: float
    event: int | None = None
    run: int | None = None


@dataclass(frozen=True)
class Extremes:
    """The waveforms nearest to the mean shape, the nearest first, and those farthest, the farthest first."""

    typical: tuple[Picked, ...] = ()
    extreme: tuple[Picked, ...] = ()


def extremes_of(
    bunch: Bunch, chain: Sequence[Step], look: Look, shaped: Shaped, n: int = N_OF_EACH
) -> Extremes:
    """Pick n waveforms of each kind; none where no waveform would be left between them.

    Shapes are compared without baseline and equally high, however the waveforms are looked at. The distance
    is the root of the mean square difference from the mean of all. shaped: the bunch as it is looked at.
    """
    forms = shape(bunch, chain, replace(look, is_normalised=True, is_calibrated=False))
    if len(forms) <= 2 * n:
        return Extremes()
    distances = distances_of(forms)
    shown = {int(row): at for at, row in enumerate(shaped.rows_of_bunch)}
    order = [
        (shown[int(forms.rows_of_bunch[at])], float(distances[at]))
        for at in np.argsort(distances, kind="stable")
        if int(forms.rows_of_bunch[at]) in shown
    ]
    picked = [_picked(bunch, shaped, at, distance) for at, distance in (*order[:n], *order[: -n - 1 : -1])]
    return Extremes(tuple(picked[: len(picked) // 2]), tuple(picked[len(picked) // 2 :]))


def distances_of(forms: Shaped) -> np.ndarray:
    """Give the root mean square difference of each shape from the mean of all, (n,)."""
    _, mean = mean_of(forms)
    n_samples = forms.heights.shape[1]
    first = np.rint(forms.starts.max(initial=0.0) - forms.starts).astype(np.intp)
    return np.array(
        [
            _root_mean_square(row - mean[at : at + n_samples])
            for row, at in zip(forms.heights, first.tolist(), strict=True)
        ]
    )


def mean_of(shaped: Shaped) -> tuple[np.ndarray, np.ndarray]:
    """Give the samples from time 0, and the mean of the waveforms that reach there, (n,) each.

    Waveforms are laid over each other by whole samples. NaN where fewer than half of them reach: the mean of
    a few says nothing of the others.
    """
    n, n_samples = shaped.heights.shape
    shift = np.rint(shaped.starts.max(initial=0.0) - shaped.starts).astype(np.intp)
    total = np.zeros(n_samples + int(shift.max(initial=0)))
    reached = np.zeros(len(total))
    for row, first in zip(shaped.heights, shift.tolist(), strict=True):
        known = np.isfinite(row)
        total[first : first + n_samples] += np.where(known, row, 0.0)
        reached[first : first + n_samples] += known
    mean = np.divide(total, reached, out=np.full(len(total), np.nan), where=reached >= max(n / 2, 1))
    return np.arange(len(total)) - float(shaped.starts.max(initial=0.0)), mean


def _root_mean_square(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt((known**2).mean())) if len(known) else 0.0


def _picked(bunch: Bunch, shaped: Shaped, at: int, distance: float) -> Picked:
    row = int(shaped.rows_of_bunch[at])
    event, run = (
        int(bunch.numbers[name][row]) if name in bunch.numbers else None for name in ("event_number", RUN)
    )
    x = np.arange(shaped.heights.shape[1]) - shaped.starts[at]
    return Picked(x, shaped.heights[at].copy(), distance, event, run)
