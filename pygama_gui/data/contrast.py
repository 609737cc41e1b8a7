"""Sets waveforms inside and outside of a cut against each other: means, densities and their difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pygama.quick_dataclass import dataclass
from pygama_gui.data.density import Density, count_density, full_frame
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import Look, Shaped, shape
from pygama_gui.data.typical import Extremes, extremes_of, mean_of
from pygama_gui.session.state import Step

Range = tuple[float, float]
STRETCH = 0.5
"""Differences are drawn as this power, that small ones are seen beside the largest."""


@dataclass(frozen=True, eq=False)
class Side:
    """The waveforms of one side.

    x: samples from time 0, mean: (n,) of the waveforms that reach there. extremes: the waveforms that are
    most like the mean in shape, and least.
    """

    density: Density
    x: np.ndarray
    mean: np.ndarray
    extremes: Extremes

    @property
    def n_waveforms(self) -> int:
        """How many waveforms were looked at."""
        return self.density.n_waveforms


@dataclass(frozen=True, eq=False)
class Contrast:
    """Both sides in one frame; one that has no waveforms is None.

    difference: (n_x, n_y), share of the waveforms inside that pass through each place less that of those
    outside. frame: what holds all waveforms.
    """

    inside: Side | None
    outside: Side | None
    difference: np.ndarray | None
    frame: tuple[Range, Range]
    period_ns: float | None
    n_left_out: int = 0


def contrast(
    inside: Bunch | None,
    outside: Bunch | None,
    chain: Sequence[Step],
    look: Look,
    view: tuple[Range | None, Range | None],
    size: tuple[int, int],
) -> Contrast | None:
    """Compare two bunches; None where both are empty.

    view: ranges of samples from time 0 and of heights that are looked at; None: all. size: (n_x, n_y) of the
    densities, at most.
    """
    shaped = [
        None if bunch is None or not len(bunch) else shape(bunch, chain, look) for bunch in (inside, outside)
    ]
    there = [one for one in shaped if one is not None and len(one)]
    if not there:
        return None
    frame = _joined_frame(there)
    x_range, y_range = view[0] or frame[0], view[1] or frame[1]
    sides = [
        None
        if bunch is None or one is None or not len(one)
        else _side(one, extremes_of(bunch, chain, look, one), x_range, y_range, size)
        for bunch, one in zip((inside, outside), shaped, strict=True)
    ]
    n_left_out = sum(one.n_left_out for one in shaped if one is not None)
    return Contrast(sides[0], sides[1], _difference(*sides), frame, there[0].period_ns, n_left_out)


def _joined_frame(shaped: Sequence[Shaped]) -> tuple[Range, Range]:
    frames = [full_frame(one) for one in shaped]
    (x, y) = zip(*frames, strict=True)
    return (
        (min(low for low, _ in x), max(high for _, high in x)),
        (min(low for low, _ in y), max(high for _, high in y)),
    )


def _side(shaped: Shaped, extremes: Extremes, x_range: Range, y_range: Range, size: tuple[int, int]) -> Side:
    x, mean = mean_of(shaped)
    return Side(count_density(shaped, x_range, y_range, size), x, mean, extremes)


def _difference(inside: Side | None, outside: Side | None) -> np.ndarray | None:
    if inside is None or outside is None:
        return None
    shares = [_shares(side.density) for side in (inside, outside)]
    if shares[0].shape != shares[1].shape:
        return None
    return (shares[0] - shares[1]).astype(np.float32)


def _shares(density: Density) -> np.ndarray:
    """Give what share of all samples in its column of the picture lies at each place."""
    in_column = density.counts.sum(axis=1, keepdims=True)
    return density.counts / np.maximum(in_column, 1)
