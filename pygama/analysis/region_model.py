"""Expects counts in the bins of a region: peaks with their steps on a straight background, and derivatives.

The background is `background` · (1 + `slope` · u) counts a unit, where u runs from -1 to 1 over the region.
"""

from __future__ import annotations

import numpy as np

from pygama.analysis.shapes import Shape, peak_gradient, peak_integral

FLOOR = 1e-9
"""Counts that a bin is expected to hold at least: keeps the logarithm finite far from a peak."""


class RegionModel:
    """Counts expected in bins, and the likelihood ratio, as functions of the values of named parameters."""

    def __init__(self, names: tuple[str, ...], edges: np.ndarray) -> None:
        self.names, self.edges = names, edges
        self.at = {name: i for i, name in enumerate(names)}
        self.n_peaks = sum(name.startswith("area_") for name in names)
        self.half = 0.5 * (edges[-1] - edges[0])
        u = (edges - 0.5 * (edges[0] + edges[-1])) / self.half
        self.flat, self.tilted = self.half * np.diff(u), self.half * np.diff(0.5 * u * u)
        self.is_tailed, self.is_stepped = "tail_fraction" in self.at, "step" in self.at

    def expected(self, values: np.ndarray) -> np.ndarray:
        """Give the counts expected in each bin, (n,)."""
        background, slope = values[-2:]
        below = sum(
            peak_integral(self.edges, *self.place(i, values), self.shape_of(i, values))
            for i in range(self.n_peaks)
        )
        return self._floored(np.diff(below) + background * (self.flat + slope * self.tilted))

    def expected_and_gradient(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the counts expected in each bin, (n,), and their derivatives, (k, n)."""
        background, slope = values[-2:]
        by_edge = np.zeros((len(values), len(self.edges)))
        below = np.zeros(len(self.edges))
        for i in range(self.n_peaks):
            parts = peak_gradient(
                self.edges,
                *self.place(i, values),
                self.shape_of(i, values),
                is_tailed=self.is_tailed,
                is_stepped=self.is_stepped,
            )
            below += parts.pop("")
            for name, part in parts.items():
                by_edge[self.index(name, i)] += part
        gradient = np.diff(by_edge, axis=1)
        gradient[-2] = self.flat + slope * self.tilted
        gradient[-1] = background * self.tilted
        return self._floored(np.diff(below) + background * gradient[-2]), gradient

    def _floored(self, expected: np.ndarray) -> np.ndarray:
        return np.maximum(expected, 0.0) + FLOOR

    def index(self, name: str, i: int) -> int:
        own = self.at.get(f"{name}_{i + 1}")
        return self.at[name] if own is None else own

    def place(self, i: int, values: np.ndarray) -> tuple[float, float]:
        return float(values[self.index("area", i)]), float(values[self.index("position", i)])

    def shape_of(self, i: int, values: np.ndarray) -> Shape:
        def value(name: str, default: float) -> float:
            return float(values[self.at[name]]) if name in self.at else default

        sigma = float(values[self.index("sigma", i)])
        return Shape(sigma, value("tail_fraction", 0.0), value("tail_slope", 1.0), value("step", 0.0))
