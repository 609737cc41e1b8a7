"""Sets waveforms inside and outside of a cut against each other: means, densities and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pygama_gui.data.density import Density, count_density, full_frame
from pygama_gui.data.samples import Bunch
from pygama_gui.data.shaping import Look, Shaped, shape
from pygama_gui.session.state import Step

N_FARTHEST = 5
Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Side:
    """The waveforms of one side.

    x: samples from time 0, mean: (n,) of the waveforms that reach there. farthest: (x, heights) of those that
    differ most from the mean.
    """

    density: Density
    x: np.ndarray
    mean: np.ndarray
    farthest: tuple[tuple[np.ndarray, np.ndarray], ...]

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
    sides = [None if one is None or not len(one) else _side(one, x_range, y_range, size) for one in shaped]
    n_left_out = sum(one.n_left_out for one in shaped if one is not None)
    return Contrast(sides[0], sides[1], _difference(*sides), frame, there[0].period_ns, n_left_out)


def _joined_frame(shaped: Sequence[Shaped]) -> tuple[Range, Range]:
    frames = [full_frame(one) for one in shaped]
    (x, y) = zip(*frames, strict=True)
    return (
        (min(low for low, _ in x), max(high for _, high in x)),
        (min(low for low, _ in y), max(high for _, high in y)),
    )


def _side(shaped: Shaped, x_range: Range, y_range: Range, size: tuple[int, int]) -> Side:
    x, mean = mean_of(shaped)
    return Side(count_density(shaped, x_range, y_range, size), x, mean, farthest(shaped, x, mean))


def mean_of(shaped: Shaped) -> tuple[np.ndarray, np.ndarray]:
    """Give the samples from time 0, and the mean of the waveforms that reach there, (n,) each.

    Waveforms are laid over each other by whole samples. NaN where fewer than half of them reach: the mean of
    a few says nothing of the others.
    """
    n, n_samples = shaped.heights.shape
    shift = np.rint(shaped.starts.max() - shaped.starts).astype(np.intp)
    total = np.zeros(n_samples + int(shift.max(initial=0)))
    reached = np.zeros(len(total))
    for row, first in zip(shaped.heights, shift.tolist(), strict=True):
        known = np.isfinite(row)
        total[first : first + n_samples] += np.where(known, row, 0.0)
        reached[first : first + n_samples] += known
    mean = np.divide(total, reached, out=np.full(len(total), np.nan), where=reached >= max(n / 2, 1))
    return np.arange(len(total)) - float(shaped.starts.max(initial=0.0)), mean


def farthest(
    shaped: Shaped, x: np.ndarray, mean: np.ndarray, n: int = N_FARTHEST
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Give the n waveforms whose mean square difference from the mean is largest, the largest first."""
    n_samples = shaped.heights.shape[1]
    shift = np.rint(shaped.starts.max() - shaped.starts).astype(np.intp)
    distances = [
        _mean_of_known((row - mean[first : first + n_samples]) ** 2)
        for row, first in zip(shaped.heights, shift.tolist(), strict=True)
    ]
    order = np.argsort(distances)[::-1][: n if len(distances) > n else 0]
    return tuple((np.arange(n_samples) - shaped.starts[at], shaped.heights[at]) for at in order)


def _mean_of_known(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


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
