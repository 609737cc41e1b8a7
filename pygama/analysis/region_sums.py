"""Holds counts against the model of a region: likelihood ratio, its slope, and the curvature expected of it.

`sums_plainly` is the truth; `_region_sums.pyx` does the same, compiled, where it could be built.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np

from pygama.analysis.goodness import deviances
from pygama.analysis.region_model import FLOOR, RegionModel

compiled: ModuleType | None
try:
    compiled = import_module("pygama.analysis._region_sums")
except ImportError:
    compiled = None


class Sums(NamedTuple):
    """What the bins of a region say at some values of its model's k parameters.

    chi2: likelihood ratio. slope: its derivatives, (k,). reach: counts that each parameter moves by one unit
    of its own, (k,). curvature: half of the second derivatives that are expected on average, (k, k), the
    inverse of the covariance.
    """

    chi2: float
    slope: np.ndarray
    reach: np.ndarray
    curvature: np.ndarray


def sums_of(model: RegionModel, counts: np.ndarray) -> Callable[[np.ndarray], Sums]:
    """Give what finds the sums at values, (k,); counts: (n,), those of the model's bins."""
    if compiled is None:
        return lambda values: sums_plainly(model, counts, values)
    work = compiled.Sums(
        *(np.ascontiguousarray(one, float) for one in (model.edges, model.flat, model.tilted, counts)),
        np.array(
            [[model.index(name, i) for name in ("area", "position", "sigma")] for i in range(model.n_peaks)],
            np.int64,
        ),
        len(model.names),
        *(model.at.get(name, -1) for name in ("tail_fraction", "tail_slope", "step")),
        FLOOR / len(counts),
    )
    return lambda values: Sums(*work.at(values))


def sums_plainly(model: RegionModel, counts: np.ndarray, values: np.ndarray) -> Sums:
    """Give the sums at values, (k,)."""
    expected, gradient = model.expected_and_gradient(values)
    return Sums(
        float(deviances(counts, expected).sum()),
        2 * gradient @ (1 - counts / expected),
        np.abs(gradient).sum(axis=1),
        (gradient / expected) @ gradient.T,
    )
