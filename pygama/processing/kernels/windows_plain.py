"""Finds the centre of a window and copies windows with NumPy alone: the truth behind the compiled kernel."""

from __future__ import annotations

import numpy as np


def gather(source: np.ndarray, first: np.ndarray, out: np.ndarray) -> None:
    """Copy out.shape[1] samples from each `first` into the rows of `out`."""
    for row, start in enumerate(first.tolist()):
        out[row] = source[start : start + out.shape[1]]


def first_maximum(source: np.ndarray, first: np.ndarray, count: np.ndarray, out: np.ndarray) -> None:
    """Write the place of the first maximum of each row into `out`."""
    for row, (start, n) in enumerate(zip(first.tolist(), count.tolist(), strict=True)):
        out[row] = source[start : start + n].argmax() if n else 0


def half_height(
    source: np.ndarray, first: np.ndarray, count: np.ndarray, n_line: int, out: np.ndarray
) -> None:
    """Write the first sample at half height above a line through the first `n_line` samples into `out`."""
    for row, (start, n) in enumerate(zip(first.tolist(), count.tolist(), strict=True)):
        out[row] = _half_height(source[start : start + n].astype(np.int64), min(n_line, n)) if n else 0


def _half_height(w: np.ndarray, n_line: int) -> int:
    k = np.arange(len(w))
    total, weighted = int(w[:n_line].sum()), int((k[:n_line] * w[:n_line]).sum())
    mean_k = (n_line - 1) / 2.0
    spread = n_line * (float(n_line) * n_line - 1.0) / 12.0
    c1 = (weighted - mean_k * total) / spread if n_line > 1 else 0.0
    c0 = total / n_line - c1 * mean_k
    height = w - (c0 + c1 * k)
    return int(np.argmax(height >= 0.5 * height.max()))
